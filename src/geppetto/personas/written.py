"""Strategies whose personas a language model writes, once, before anything is asked."""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from geppetto.errors import GeppettoError
from geppetto.personas.leaked import leaked
from geppetto.personas.strategy import PersonaStrategy
from geppetto.studies import Participant, Study

if TYPE_CHECKING:
    import dspy

    from geppetto.answers.writings import Writing
    from geppetto.models.speaker import SpeakerIdentity
    from geppetto.models.spec import ModelSpec

Told = str | Sequence[str] | Sequence[Sequence[str]]
"""What a module can be told under one name."""


class Taught(BaseModel):
    """Whose answers a compiled program was made from.

    Attributes
    ----------
    study
        Name of their study.
    people
        Their ids.
    """

    model_config = ConfigDict(frozen=True)

    study: str
    people: tuple[str, ...]


class _Metadata(BaseModel):
    taught_by: tuple[Taught, ...]


class _State(BaseModel):
    metadata: _Metadata


class WrittenStrategy(PersonaStrategy):
    """Base of strategies whose texts a language model writes with modules of DSPy.

    A subclass says what each module is `told` of a participant, the `modules` themselves, and how
    a persona is `composed` of what they wrote. A module is called with what it is told and gives a
    `dspy.Prediction` with `texts`, a list, and perhaps `failed`, why they cannot be used.

    The same is never written twice: whoever has the same facts has the same text, which every arm
    and every later experiment reuse. Nothing is written while personas are made; what is not there
    yet raises `NotWrittenError`, and `geppetto.personas.writing` writes it.

    Attributes
    ----------
    writer
        Name of the model that writes.
    temperature
        Of every request to it.
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
    _by: SpeakerIdentity | None = PrivateAttr(None)
    _compiled: str | None = PrivateAttr(None)

    @abstractmethod
    def told(self, participant: Participant, study: Study) -> dict[str, dict[str, Told]]:
        """What each module is told, by the module's name; empty if nothing usable is known."""

    @abstractmethod
    def modules(self) -> dict[str, dspy.Module]:
        """The modules by name."""

    def composed(
        self, texts: Mapping[str, tuple[str, ...]], participant: Participant, study: Study
    ) -> str:
        """The persona, from what each module wrote; as it stands unless a subclass adds to it."""
        return "\n\n".join(text for written in texts.values() for text in written)

    def commissions(self, participant: Participant, study: Study) -> dict[str, Commission]:
        """What has to be written of a participant, by the name of the module."""
        return {
            name: Commission(self, name, json.dumps(told, sort_keys=True))
            for name, told in self.told(participant, study).items()
        }

    def write(self, participant: Participant, study: Study) -> str:
        """The stored persona; empty if nothing is known, or what was written cannot be used."""
        return self._read(participant, study)[0]

    def refused(self, participant: Participant, study: Study) -> str:
        """Why what was written of a participant cannot be used; empty if it can."""
        return self._read(participant, study)[1]

    def in_workspace(self, workspace: Path, models: Sequence[ModelSpec] = ()) -> Self:
        """The strategy with the workspace's writings, its writer, and its program if it has one.

        Raises
        ------
        GeppettoError
            If there is no such writer, or the program cannot be read or does not say whose answers
            it was made from.
        """
        from geppetto.answers.writings import WritingStore
        from geppetto.models.named_speaker import identity_of, named

        compiled = None
        if self.program is not None:
            path = workspace / self.program
            try:
                compiled = path.read_text("utf-8")
                json.loads(compiled)
            except (OSError, ValueError) as error:
                raise GeppettoError(f"program: {path} cannot be read: {error}") from error
            try:
                _State.model_validate_json(compiled)
            except ValidationError as error:
                raise GeppettoError(
                    f"program: {path} does not say whose answers it was made from, so they could "
                    "be predicted from themselves; have `geppetto optimise` make it, or, if it is "
                    'made from nobody\'s, write "taught_by": [] into its "metadata"'
                ) from error
        by = identity_of(named(self.writer, models))
        return self.reading(WritingStore.of_workspace(workspace), by, compiled)

    def reading(self, library: Library, by: SpeakerIdentity, compiled: str | None = None) -> Self:
        """The strategy with these writings by this model, and the state of its program as JSON."""
        mine = self.model_copy()
        mine._library, mine._by, mine._compiled = library, by, compiled
        return mine

    @property
    def compiled(self) -> str | None:
        """The state of the program as JSON; None without one."""
        return self._compiled

    @property
    def taught_by(self) -> tuple[Taught, ...]:
        """Whose answers the program was made from; nobody's without one."""
        if self.compiled is None:
            return ()
        return _State.model_validate_json(self.compiled).metadata.taught_by

    @property
    def made_of(self) -> str:
        """Hex digest of all that makes its writings what they are but what they are told.

        Where personas stand and which traits they show changes what is told, or nothing. Other
        weights or parameters are another writer, another engine for the same weights is not.
        """
        assert self._by is not None
        content = [
            self._by.model_dump(exclude={"engine"}),
            _source(type(self)),
            repr(self.wording),
            self.compiled,
            self.model_dump(exclude={"traits", "placement", "paraphrase", "program"}),
        ]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def _read(self, participant: Participant, study: Study) -> tuple[str, str]:
        """The persona, or why it is refused."""
        if self._library is None:
            raise GeppettoError(
                f"{type(self).__name__} has no store of writings; load it with load_strategy, or "
                "give it one with `reading`"
            )
        commissions = self.commissions(participant, study)
        found = {name: self._library.find(each.id) for name, each in commissions.items()}
        missing = tuple(commissions[name] for name, writing in found.items() if writing is None)
        if missing:
            raise NotWrittenError(missing)
        written = {name: writing for name, writing in found.items() if writing is not None}
        for writing in written.values():
            if writing.failed:
                return "", writing.failed
        if not written:
            return "", ""
        texts = {name: writing.texts for name, writing in written.items()}
        text = self.composed(texts, participant, study)
        if item := leaked(text, study):
            return "", f"whose written persona says how {item} is answered"
        return text, "" if text.strip() else "of whom an empty persona was written"

    @model_validator(mode="after")
    def _one_instruction(self) -> Self:
        if self.program is not None and self.paraphrase:
            raise ValueError(
                f"program has instructions of its own, so paraphrase {self.paraphrase} would "
                "change nothing; remove one of them"
            )
        return self


def taught(compiled: str, by: Sequence[Taught]) -> str:
    """The state of a program as JSON, which says whose answers it was made from."""
    state = json.loads(compiled)
    state["metadata"] |= _Metadata(taught_by=tuple(by)).model_dump(mode="json")
    return json.dumps(state, indent=2, ensure_ascii=False)


class Library(Protocol):
    """Where writings are looked up; a `WritingStore`."""

    def find(self, commission: str) -> Writing | None:
        """What became of a commission; None if it was not written yet."""


@dataclass(frozen=True)
class Commission:
    """Something that a module of a strategy has to write.

    Attributes
    ----------
    strategy
        The strategy with all its parameters.
    module
        Name of its module.
    told
        What the module is told, as JSON with sorted keys.
    """

    strategy: WrittenStrategy
    module: str
    told: str

    @cached_property
    def id(self) -> str:
        """Content hash of everything that decides what is written but chance."""
        content = f"{self.strategy.made_of}\n{self.module}\n{self.told}"
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def inputs(self) -> dict[str, Any]:
        """What the module is called with."""
        told: dict[str, Any] = json.loads(self.told)
        return told


class NotWrittenError(GeppettoError):
    """Personas that are needed have not been written yet.

    Attributes
    ----------
    commissions
        What has to be written, each once.
    """

    def __init__(self, commissions: Sequence[Commission]) -> None:
        self.commissions = tuple({each.id: each for each in commissions}.values())
        writers = ", ".join(dict.fromkeys(each.strategy.writer for each in self.commissions))
        super().__init__(
            f"{len(self.commissions):,} text(s) that personas are made of are not written yet; "
            f"`geppetto run` and `geppetto search` have {writers} write them before they ask, "
            "within the `budget`; what they cost is in no estimate"
        )


@cache
def _source(strategy: type[WrittenStrategy]) -> str:
    """The code of a strategy's file, whatever its comments and line breaks."""
    return ast.dump(ast.parse(Path(inspect.getfile(strategy)).read_text("utf-8")))
