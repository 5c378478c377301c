"""A speaker whose replies are a function of what it is asked, and who keeps the requests."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from geppetto.models.speaker import Capabilities, Reply, Request, SpeakerIdentity
from geppetto.prompts.chat import Turn

Says = Callable[[str, Sequence[Turn]], str]
"""What is written under the name of an output field, given the turns."""


@dataclass
class ScriptedSpeaker:
    """Answers in the form in which DSPy asks for outputs."""

    says: Says
    name: str = "scripted"
    model: str = "scripted model"
    finish: str = "stop"
    requests: list[Request] = field(default_factory=list)

    @property
    def identity(self) -> SpeakerIdentity:
        return SpeakerIdentity(name=self.name, model=self.model)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(chat=True, system_role=True)

    async def reply(self, request: Request) -> Reply:
        self.requests.append(request)
        wanted = request.turns[-1].content.partition("Respond with")[2]
        fields = re.findall(r"\[\[ ## (\w+) ## \]\]", wanted)
        said = {name: self.says(name, request.turns) for name in fields if name != "completed"}
        text = "\n\n".join(f"[[ ## {name} ## ]]\n{value}" for name, value in said.items())
        return Reply(
            text=f"{text}\n\n[[ ## completed ## ]]",
            finish=self.finish,
            model=self.model,
            prompt_tokens=10,
            completion_tokens=5,
            cost=0.25,
            seconds=0.5,
        )


def told(turns: Sequence[Turn], name: str) -> str:
    """What stands under the name of an input field in the last turn."""
    found = re.search(rf"\[\[ ## {name} ## \]\]\n(.*?)\n\n", turns[-1].content, re.DOTALL)
    assert found, turns[-1].content
    return found[1]
