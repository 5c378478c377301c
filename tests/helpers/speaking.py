"""A speaker whose replies are a function of what it is asked, and who keeps the requests."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from geppetto.models.identity import ModelIdentity
from geppetto.models.requests import Capabilities, Completion, Request
from geppetto.prompts.chat import Turn
from replying import Replying

Says = Callable[[str, Sequence[Turn]], str]
"""What is written under the name of an output field, given the turns."""


@dataclass
class ScriptedModel(Replying):
    """Answers with the one thing that is asked for, or in DSPy's form for several outputs."""

    says: Says
    name: str = "scripted"
    model: str = "scripted model"
    finish: str = "stop"
    requests: list[Request] = field(default_factory=list)

    @property
    def identity(self) -> ModelIdentity:
        return ModelIdentity(name=self.name, model=self.model)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(chat=True, system_role=True)

    async def completion(self, request: Request) -> Completion:
        self.requests.append(request)
        wanted = request.turns[-1].content
        if one := re.search(r"Reply with the ([\w ]+) alone", wanted):
            text = self.says(one[1], request.turns)
        else:
            fields = re.findall(r"\[\[ ## (\w+) ## \]\]", wanted.partition("Respond with")[2])
            said = {name: self.says(name, request.turns) for name in fields}
            text = "\n\n".join(f"[[ ## {name} ## ]]\n{value}" for name, value in said.items())
        return Completion(
            text=text,
            finish=self.finish,
            model=self.model,
            prompt_tokens=10,
            completion_tokens=5,
            cost=0.25,
            seconds=0.5,
        )


def told(turns: Sequence[Turn], name: str) -> str:
    """What stands under the name of an input field in the last turn; a list as JSON."""
    title = rf"^{name.capitalize()}(?: \([^\n]*\))?:\n"
    found = re.search(rf"{title}(.*?)\n\n", turns[-1].content, re.DOTALL | re.MULTILINE)
    assert found, turns[-1].content
    lines = found[1].split("\n")
    if all(line.startswith("- ") for line in lines):
        return json.dumps([line.removeprefix("- ") for line in lines])
    return found[1]
