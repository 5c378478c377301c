"""The schema of an experiment file: one question."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from geppetto._util.errors import GeppettoError
from geppetto._util.named import Named
from geppetto._util.yaml_file import read_yaml
from geppetto.elicitation.likelihood import Likelihood
from geppetto.elicitation.option_likelihood import Normalisation
from geppetto.models.budget import Budget
from geppetto.models.identity import Precision
from geppetto.models.lineage import Lineage, pairs
from geppetto.models.spec import ModelSpec
from geppetto.personas.arms import NoPersona
from geppetto.planning.analysis_config import Analysis
from geppetto.planning.plan import BASELINE, NO_STRATEGY
from geppetto.planning.search_config import Search
from geppetto.prompts.session_layout import SessionLayout
from geppetto.prompts.survey import Layout
from geppetto.studies import Participant, Study

USUAL_ARMS = ("none", "filler", "shuffled", "own")
"""The arms of an experiment with strategies that names none."""


class Participants(BaseModel):
    """Which of the study's people take part.

    Attributes
    ----------
    sample
        How many, drawn at random; None takes all.
    seed
        Seed of the draw.
    complete
        Whether to take only people with every trait known and every item answered.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    sample: int | None = Field(None, ge=2)
    seed: int = 0
    complete: bool = False

    def draw(self, study: Study) -> list[Participant]:
        """The participants, in the study's order.

        Raises
        ------
        GeppettoError
            If the study has fewer people than the sample needs.
        """
        everything = frozenset(study.traits) | frozenset(study.items)
        people = [p for p in study.people.values() if not self.complete or p.known == everything]
        if self.sample is None:
            return people
        if self.sample > len(people):
            which = "complete " if self.complete else ""
            raise GeppettoError(
                f"participants: a sample of {self.sample:,} was asked for, but study {study.name} "
                f"has {len(people):,} {which}participants"
            )
        drawn = set(random.Random(self.seed).sample(sorted(p.id for p in people), self.sample))
        return [person for person in people if person.id in drawn]


class Experiment(BaseModel):
    """One question, as an experiment file asks it.

    Attributes
    ----------
    question
        The question in words.
    study
        Name or file of a study; or several, each of which is an experiment of its own with the
        same settings.
    participants
        Which people take part.
    items
        Names of the items to predict; None takes all of the study's.
    models
        Models to ask.
    strategies
        Persona strategies, by the name of their file, with parameters. Without any, models are
        compared in the arm `none` alone.
    arms
        Whose personas are given.
    elicitations
        How answers are read from models: see `geppetto.elicitation.registry`.
    budget
        The most that one run may spend on models behind an interface.
    paraphrases
        In how many wordings each persona is written: the first so many of its strategy's.
    layout
        How an item of a survey is put before the model.
    session
        How a session is put before the model, in studies of sessions.
    normalisation
        "sum" of token log-probabilities of an option, or their "mean" over its tokens.
    precision
        "exact" for results, "fast" for a first look; see `LlamaCppModel`
        and `TransformersModel`.
    analysis
        Settings of the inference.
    sample_prompts
        How many participants' prompts are logged beside the results, as they are sent: one for each
        condition and elicitation.
    sample_traces
        Of how many questions to each model behind an interface, in each elicitation, MLflow keeps a
        trace, with all that was sent and said, and of how many texts that make up personas: the
        first ones that are not stored yet.
    search
        Among which strategies the best is looked for; without it, `strategies` are compared. Only
        a file with a search can do without `strategies` and `arms`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[^/\\]+$")
    question: str
    study: str | tuple[str, ...]
    participants: Participants = Participants()
    items: tuple[str, ...] | None = Field(None, min_length=1)
    models: tuple[ModelSpec, ...] = Field(min_length=1)
    strategies: tuple[Named, ...] = ()
    arms: tuple[Named, ...] = ()
    elicitations: tuple[Named, ...] = Field((Named.model_validate(Likelihood.name),), min_length=1)
    budget: Budget = Budget()
    paraphrases: int = Field(1, ge=1, strict=True)
    layout: Layout = Layout()
    session: SessionLayout = SessionLayout()
    normalisation: Normalisation = "sum"
    precision: Precision = "exact"
    analysis: Analysis = Analysis()
    sample_prompts: int = Field(1, ge=0, strict=True)
    sample_traces: int = Field(0, ge=0, strict=True)
    search: Search | None = None
    _written: bytes | None = PrivateAttr(None)

    @classmethod
    def from_file(cls, path: Path) -> Experiment:
        """The experiment of a YAML file, named after it unless it gives a name.

        Raises
        ------
        GeppettoError
            If the file is missing, malformed or does not fit.
        """
        read = read_yaml(path, cls, name=path.stem)
        read._written = path.read_bytes()
        return read

    @property
    def written(self) -> bytes | None:
        """The file that it was read from, byte for byte; None if there was none."""
        return self._written

    @property
    def each(self) -> tuple[Experiment, ...]:
        """The same experiment with each of its studies alone."""
        if isinstance(self.study, str):
            return (self,)
        return tuple(self.model_copy(update={"study": study}) for study in self.study)

    @model_validator(mode="before")
    @classmethod
    def _usual_arms(cls, content: Any) -> Any:
        if (
            isinstance(content, dict)
            and content.get("strategies")
            and not {"arms", "search"} & set(content)
        ):
            return content | {"arms": USUAL_ARMS}
        return content

    @model_validator(mode="after")
    def _something_to_compare(self) -> Self:
        without_personas = {arm.name for arm in self.arms} == {NoPersona.name}
        for what in ("arms",) if without_personas else ("strategies", "arms"):
            if self.search is None and not getattr(self, what):
                raise ValueError(f"{what}: name at least one")
        return self

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        for what, names in (
            ("models", [model.name for model in self.models]),
            ("strategies", [strategy.label for strategy in self.strategies]),
            ("arms", [arm.name for arm in self.arms]),
            ("elicitations", [elicitation.label for elicitation in self.elicitations]),
            ("items", list(self.items or ())),
            ("study", [self.study] if isinstance(self.study, str) else list(self.study)),
        ):
            for name in names:
                if names.count(name) > 1:
                    raise ValueError(f"{what}: {name!r} is listed twice; keep one of them")
                if what in ("models", "strategies") and name in (NO_STRATEGY, BASELINE):
                    raise ValueError(f"{what}: {name!r} has another meaning; rename the file")
        return self

    @model_validator(mode="after")
    def _pairs_fit(self) -> Self:
        try:
            pairs(self.lineages)
        except GeppettoError as error:
            raise ValueError(f"models: {error}") from error
        return self

    @property
    def lineages(self) -> dict[str, Lineage]:
        """Where models come from, by name, of those that declare it."""
        return {model.name: model.lineage for model in self.models if model.lineage is not None}
