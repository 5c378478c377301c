"""Strategies whose personas a language model writes, once, before anything is asked."""

from __future__ import annotations

import hashlib
import inspect
import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from pydantic import Field, PrivateAttr, model_validator

from geppetto._util.errors import GeppettoError
from geppetto._util.reasoning import split
from geppetto.personas.base import PersonaStrategy
from geppetto.personas.compiled import CompiledProgram, TrainedOn, read_program
from geppetto.personas.leaked import leaked
from geppetto.personas.moved import code
from geppetto.studies import Participant, Study

if TYPE_CHECKING:
    import dspy


Inputs = str | Sequence[str] | Sequence[Sequence[str]]
"""What a module can be told under one name."""


class GeneratedStrategy(PersonaStrategy):
    """Base of strategies whose texts a language model writes with modules of DSPy.

    A subclass says what the `inputs` of each module are, the `modules` themselves, and how
    a persona is `composed` of what they wrote. A module is called with what it is told and gives a
    `dspy.Prediction` with `texts`, a list, and perhaps `failed`, why they cannot be used.

    The same is never written twice: whoever has the same facts has the same text, which every arm
    and every later experiment reuse. Nothing is written while personas are made: what is not there
    yet is `pending`, and `geppetto.experiment.persona_generation` has it written before.

    Attributes
    ----------
    writer
        Name of the model that writes.
    longest
        The most tokens of each of its replies; a text that is cut off there is not used.
    program
        File of a compiled program (see `geppetto.search.instruction`), from the workspace; its
        instructions and demonstrations stand in place of the strategy's own. People whose answers
        it was made from are left out where it is used: it may show their writer those very answers,
        and it was chosen because it suits them.
    """

    writer: str = Field(min_length=1)
    temperature: float = Field(0.7, ge=0, le=2)
    longest: int = Field(1024, ge=16)
    program: str | None = None

    _library: Library | None = PrivateAttr(None)
    _by: Mapping[str, str] | None = PrivateAttr(None)
    _compiled: str | None = PrivateAttr(None)

    def __init_subclass__(cls, **keys: Any) -> None:
        if "told" in vars(cls):  # as strategies of earlier versions call it
            type.__setattr__(cls, "inputs", vars(cls)["told"])
        super().__init_subclass__(**keys)

    @abstractmethod
    def inputs(self, participant: Participant, study: Study) -> dict[str, dict[str, Inputs]]:
        """What each module is told, by the module's name; empty if nothing usable is known."""

    @abstractmethod
    def modules(self) -> dict[str, dspy.Module]:
        """The modules by name."""

    def composed(
        self, texts: Mapping[str, tuple[str, ...]], participant: Participant, study: Study
    ) -> str:
        """The persona, from what each module wrote; as it stands unless a subclass adds to it."""
        return "\n\n".join(text for written in texts.values() for text in written)

    def generations(self, participant: Participant, study: Study) -> dict[str, GenerationRequest]:
        """What has to be written of a participant, by the name of the module."""
        return {
            name: GenerationRequest(self, name, json.dumps(inputs, sort_keys=True))
            for name, inputs in self.inputs(participant, study).items()
        }

    def pending(self, participant: Participant, study: Study) -> tuple[GenerationRequest, ...]:
        """What is not written yet of a participant."""
        generations = self.generations(participant, study).values()
        return tuple(each for each in generations if self._stored.find(each.id) is None)

    def write(self, participant: Participant, study: Study) -> str:
        """The stored persona; empty if nothing is known, or what was written cannot be used."""
        return self._read(participant, study)[0]

    def refused(self, participant: Participant, study: Study) -> str:
        """Why what was written of a participant cannot be used; empty if it can."""
        return self._read(participant, study)[1]

    def in_workspace(self, workspace: Path) -> Self:
        """The strategy with its program, if it has one, that says whose answers it was made from.

        A GeppettoError is raised if it does not, or cannot be read.
        """
        if self.program is None:
            return self
        compiled = read_program(workspace / self.program)
        mine = self.model_copy()
        mine._compiled = compiled
        return mine

    def reading(self, library: Library, by: Mapping[str, str], compiled: str | None = None) -> Self:
        """The strategy with these stored texts by the model of this identity.

        Of the identity everything but its `engine` matters. `compiled` is the state of a program as
        JSON, if it is not the one of `in_workspace`.
        """
        mine = self.model_copy()
        mine._library, mine._by = library, by
        mine._compiled = self._compiled if compiled is None else compiled
        return mine

    @property
    def compiled(self) -> str | None:
        """The state of the program as JSON; None without one."""
        return self._compiled

    @property
    def trained_on(self) -> tuple[TrainedOn, ...]:
        """Whose answers the program was made from; nobody's without one."""
        if self.compiled is None:
            return ()
        return CompiledProgram.model_validate_json(self.compiled).metadata.trained_on

    @property
    def made_of(self) -> str:
        """Hex digest of all that makes its texts what they are but the inputs of its modules.

        Where personas stand and which traits they show changes these inputs, or nothing. Other
        weights or parameters are another writer, another engine for the same weights is not.
        """
        assert self._by is not None
        content = [
            {key: value for key, value in self._by.items() if key != "engine"},
            _source(type(self)),
            repr(self.wording),
            self.compiled,
            self.model_dump(exclude={"traits", "placement", "paraphrase", "program"}),
        ]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def _stored(self) -> Library:
        if self._library is None:
            raise GeppettoError(
                f"{type(self).__name__} has no store of texts; load it with open_strategy, or "
                "give it one with `reading`"
            )
        return self._library

    def _read(self, participant: Participant, study: Study) -> tuple[str, str]:
        """The persona, or why it is refused."""
        generations = self.generations(participant, study)
        found = {name: self._stored.find(each.id) for name, each in generations.items()}
        written = {name: text for name, text in found.items() if text is not None}
        if len(written) < len(generations):
            raise NotGeneratedError(
                [each for name, each in generations.items() if name not in written]
            )
        if failed := next((text.failed for text in written.values() if text.failed), ""):
            return "", failed
        if not written:
            return "", ""
        texts = {name: tuple(map(_said, text.texts)) for name, text in written.items()}
        persona = self.composed(texts, participant, study)
        if item := leaked(persona, study):
            return "", f"whose written persona says how {item} is answered"
        return persona, "" if persona.strip() else "of whom an empty persona was written"

    @model_validator(mode="after")
    def _one_instruction(self) -> Self:
        if self.program is not None and self.paraphrase:
            raise ValueError(
                f"program has instructions of its own, so paraphrase {self.paraphrase} would "
                "change nothing; remove one of them"
            )
        return self


@dataclass(frozen=True)
class GeneratedText:
    """What became of one request, and what all requests to the model took that it needed.

    Attributes
    ----------
    texts
        What was written, in the order in which the strategy's module gives it.
    failed
        Why it cannot be used, to be read after a person; empty if it can.
    cost
        In dollars; None if the price of a token is not known.
    """

    texts: tuple[str, ...]
    failed: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    seconds: float = 0.0
    requests: int = 0


class Library(Protocol):
    """Where generated texts are looked up; a `GeneratedTextStore`."""

    def find(self, generation: str) -> GeneratedText | None:
        """What became of a request; None if it was not written yet."""


@dataclass(frozen=True)
class GenerationRequest:
    """Something that a module of a strategy has to write.

    Its `inputs` are what the module is given, as JSON with sorted keys.
    """

    strategy: GeneratedStrategy
    module: str
    inputs: str

    @cached_property
    def id(self) -> str:
        """Content hash of everything that decides what is written but chance."""
        content = f"{self.strategy.made_of}\n{self.module}\n{self.inputs}"
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def arguments(self) -> dict[str, Any]:
        """What the module is called with."""
        arguments: dict[str, Any] = json.loads(self.inputs)
        return arguments


class NotGeneratedError(GeppettoError):
    """Personas that are needed have not been written yet; `generations` are what has to be."""

    def __init__(self, generations: Sequence[GenerationRequest]) -> None:
        self.generations = tuple({each.id: each for each in generations}.values())
        writers = ", ".join(dict.fromkeys(each.strategy.writer for each in self.generations))
        super().__init__(
            f"{len(self.generations):,} text(s) that personas are made of are not written yet; "
            f"`geppetto run` and `geppetto search` have {writers} write them before they ask, "
            "within the `budget`; what they cost is in no estimate"
        )


def _said(text: str) -> str:
    """A text without its writer's reasoning, which earlier versions stored with it."""
    said = split(text)[1]
    return text if said == text else said.strip()


@cache
def _source(strategy: type[GeneratedStrategy]) -> str:
    return code(Path(inspect.getfile(strategy)).read_text("utf-8"))
