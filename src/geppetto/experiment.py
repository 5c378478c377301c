"""An experiment: the schema of its file, and its run from top to bottom."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Self

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from geppetto.answers.heard import Heard
from geppetto.answers.replies_table import replies_table
from geppetto.answers.session_table import session_answers_table
from geppetto.answers.store import AnswerStore
from geppetto.answers.table import Normalisation, answers_table
from geppetto.approach import LIKELIHOOD, Approach, ByRequests, open_approaches
from geppetto.elicitation.option_likelihood import OptionScores
from geppetto.errors import GeppettoError, unknown
from geppetto.evaluation.analysis import Analysis
from geppetto.evaluation.baselines import BASELINE, baseline_answers, twin_names
from geppetto.models.base import LanguageModel, Precision
from geppetto.models.lineage import Lineage, pairs
from geppetto.models.spec import ModelSpec
from geppetto.named import Named
from geppetto.personas.arms import ARMS, Arm, NoPersona, in_sessions
from geppetto.personas.library import load_strategy
from geppetto.plan import NO_STRATEGY, Plan, Strategy
from geppetto.planning import make_plan, plan_sessions
from geppetto.prompts.layout import Layout
from geppetto.prompts.session_layout import SessionLayout
from geppetto.results import Results
from geppetto.search.settings import BUDGETS, Search
from geppetto.spending import Budget
from geppetto.studies import Participant, Study, load_study
from geppetto.yaml_file import read_yaml


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
        "exact" for results, "fast" for a first look; see `LlamaCppModel`.
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
    elicitations: tuple[Named, ...] = Field((Named.model_validate(LIKELIHOOD),), min_length=1)
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

    @classmethod
    def from_file(cls, path: Path) -> Experiment:
        """The experiment of a YAML file, named after it unless it gives a name.

        Raises
        ------
        GeppettoError
            If the file is missing, malformed or does not fit.
        """
        return read_yaml(path, cls, name=path.stem)

    @property
    def each(self) -> tuple[Experiment, ...]:
        """The same experiment with each of its studies alone."""
        if isinstance(self.study, str):
            return (self,)
        return tuple(self.model_copy(update={"study": study}) for study in self.study)

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


@dataclass(frozen=True)
class Prepared:
    """An experiment whose every part was found and whose plan is made; nothing is asked yet.

    Its `models` are those that score options exactly; others are asked `by_requests`.
    """

    experiment: Experiment
    study: Study
    models: tuple[LanguageModel, ...]
    by_requests: tuple[ByRequests, ...]
    strategies: tuple[Strategy, ...]
    arms: tuple[Arm, ...]
    plan: Plan

    @property
    def in_template(self) -> frozenset[str]:
        """Names of the models that are asked in their chat template."""
        exact = {model.identity.name for model in self.models if model.template is not None}
        asked = [approach.speaker.identity for approach in self.by_requests]
        return frozenset(exact | {who.name for who in asked if who.kind == "chat"})

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the plan, the data and every setting: what makes two runs the same.

        The plan has the answers to every wording, so their number is not said again. How long a
        search that it confirms may go on, and what requests may cost, is not part of it.
        """
        content = [
            self.plan.sha256,
            self.study.sha256,
            self.experiment.model_dump_json(
                exclude={"paraphrases": True, "search": BUDGETS, "budget": True}
            ),
            version("geppetto"),
        ]
        return hashlib.sha256("\n".join(content).encode()).hexdigest()


def prepare(experiment: Experiment, workspace: Path) -> Prepared:
    """Find every part of an experiment and make its plan, without reading any weights.

    Raises
    ------
    GeppettoError
        If a part does not exist or the parts do not fit together.
    """
    if not isinstance(experiment.study, str):
        raise GeppettoError("this experiment has several studies; prepare `each` of them")
    (prepared,) = prepare_each(experiment, workspace)
    return prepared


def prepare_each(experiment: Experiment, workspace: Path) -> list[Prepared]:
    """The plan of each study of an experiment; all are for the same models, opened once.

    Raises
    ------
    GeppettoError
        As `prepare`.
    """
    if experiment.search is not None:
        raise GeppettoError("this file has a search; run `geppetto search` with it")
    parts = [_parts(each, workspace) for each in experiment.each]
    approaches = open_approaches(experiment.models, experiment.elicitations, experiment.precision)
    return [prepare_on(*part, approaches) for part in parts]


def _parts(
    experiment: Experiment, workspace: Path
) -> tuple[list[Participant], Experiment, Study, list[Strategy]]:
    """What a plan is made of but the models: the people of its study, and strategies."""
    assert isinstance(experiment.study, str)
    study = load_study(experiment.study, workspace)
    people = experiment.participants.draw(study)
    strategies = strategies_of(experiment, workspace)
    for number, strategy in enumerate(strategies):
        for other in strategies[:number]:
            if other.is_the_same_as(strategy):
                raise GeppettoError(
                    f"strategies {other.label} and {strategy.label} are the same; keep one of them"
                )
    return people, experiment, study.with_reference(people), strategies


def strategies_of(experiment: Experiment, workspace: Path) -> list[Strategy]:
    """The strategies that an experiment lists, with their parameters.

    Raises
    ------
    GeppettoError
        If there is no such strategy, or it cannot have these parameters.
    """
    return [
        Strategy(
            spec.name,
            spec.label,
            load_strategy(spec.name, spec.parameters, workspace, experiment.models),
        )
        for spec in experiment.strategies
    ]


def prepare_on(
    people: Sequence[Participant],
    experiment: Experiment,
    study: Study,
    strategies: Sequence[Strategy],
    approaches: Sequence[Approach],
) -> Prepared:
    """The plan of an experiment with some of the study's people.

    Raises
    ------
    GeppettoError
        As `prepare`.
    """
    for strategy in strategies:
        for trait in strategy.rule.traits or ():
            study.trait(trait)
    arms = tuple(spec.one_of(ARMS, "arm") for spec in experiment.arms)
    if study.has_sessions:
        arms = tuple(map(in_sessions, arms))
    asked = _sessions if study.has_sessions else _survey
    plan = asked(people, experiment, study, strategies, arms, approaches)
    for (label, arm), share in plan.identical_strangers.items():
        if share == 1:
            raise GeppettoError(
                f"{label}: every stranger's persona in the arm {arm} is the participant's own, "
                "word for word, so own and stranger cannot differ; let the strategy show more, or "
                "leave it out"
            )
    by_requests = tuple(one for one in approaches if isinstance(one, ByRequests))
    models = tuple(one for one in approaches if not isinstance(one, ByRequests))
    return Prepared(experiment, study, models, by_requests, tuple(strategies), arms, plan)


def _survey(
    people: Sequence[Participant],
    experiment: Experiment,
    study: Study,
    strategies: Sequence[Strategy],
    arms: Sequence[Arm],
    approaches: Sequence[Approach],
) -> Plan:
    if experiment.session != SessionLayout():
        raise GeppettoError(f"session: {study.name} is a survey, which has no sessions; remove it")
    if experiment.normalisation != "sum" and any(isinstance(one, ByRequests) for one in approaches):
        raise GeppettoError(
            "normalisation: only local models' likelihood of whole options can be a mean over "
            "tokens; remove it, or keep `likelihood` and local models"
        )
    items = list(study.items if experiment.items is None else experiment.items)
    for item in items:
        if item not in study.items:
            raise unknown("item", item, study.items, f"study {study.name}")
    layout, paraphrases = experiment.layout, experiment.paraphrases
    return make_plan(study, people, items, strategies, arms, layout, approaches, paraphrases)


def _sessions(
    people: Sequence[Participant],
    experiment: Experiment,
    study: Study,
    strategies: Sequence[Strategy],
    arms: Sequence[Arm],
    approaches: Sequence[Approach],
) -> Plan:
    for key in ("items", "layout", "normalisation"):
        if getattr(experiment, key) != Experiment.model_fields[key].default:
            raise GeppettoError(
                f"{key}: {study.name} has sessions, which share no items; remove it (`session` "
                "says how sessions are put before a model)"
            )
    models = [one for one in approaches if not isinstance(one, ByRequests)]
    if len(models) < len(approaches):
        raise GeppettoError(
            f"elicitations: {study.name} has sessions, which are read by the likelihood of every "
            "response, and only local models give that; keep `likelihood` and local models"
        )
    layout, paraphrases = experiment.session, experiment.paraphrases
    return plan_sessions(study, people, strategies, arms, layout, models, paraphrases)


def evaluate(
    prepared: Prepared, store: AnswerStore, heard: Mapping[str, Heard] | None = None
) -> Results:
    """What the answers of a finished experiment say.

    Parameters
    ----------
    prepared
        The experiment.
    store
        The answers of the models that score options exactly.
    heard
        What others replied, by request id.
    """
    requests = {planned.request for planned in prepared.plan.answers}
    experiment, study, plan = prepared.experiment, prepared.study, prepared.plan
    scores = store.get(requests)
    answered: dict[str, OptionScores | Heard] = {**scores, **(heard or {})}
    if study.has_sessions:
        table = session_answers_table(plan, scores, study, experiment.name)
    else:
        table = answers_table(plan, answered, study, experiment.name, experiment.normalisation)
    baselines = baseline_answers(table, study, prepared.strategies)
    return Results(
        question=experiment.question,
        study=study,
        analysis=experiment.analysis,
        answers=pd.concat([table, baselines], ignore_index=True),
        twins=twin_names(prepared.strategies, study),
        lineages=experiment.lineages,
        in_template=prepared.in_template,
        matches=plan.matches,
        replies=replies_table(plan, answered, study, experiment.name),
    )
