"""Find every part of an experiment and make its plan."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from geppetto._util.collector import without_collecting
from geppetto._util.errors import GeppettoError, unknown
from geppetto.experiment.strategies import open_strategy
from geppetto.personas.arms import ARMS, Arm, in_sessions
from geppetto.personas.generated import NotGeneratedError
from geppetto.planning.build import make_plan, plan_sessions
from geppetto.planning.config import Experiment
from geppetto.planning.elicited import Elicited, open_elicited
from geppetto.planning.plan import Plan, Strategy
from geppetto.planning.prepared import Prepared
from geppetto.prompts.session_layout import SessionLayout
from geppetto.studies import Participant, Study, load_study


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
        As `prepare`; or if a language model has still to write something, which `run` has it do.

    Examples
    --------
    >>> from pathlib import Path
    >>> experiment = Experiment.model_validate(
    ...     {
    ...         "name": "small",
    ...         "question": "Does it matter whose persona it is?",
    ...         "study": "bfi",
    ...         "participants": {"sample": 5},
    ...         "items": ["A1", "C1"],
    ...         "models": ["gemma-3-270m"],
    ...         "strategies": ["interview"],
    ...         "arms": ["none", "own"],
    ...     }
    ... )
    >>> (prepared,) = prepare_each(experiment, Path())
    >>> prepared.plan.cells
    10
    """
    drafted = draft_each(experiment, workspace)
    if pending := [each for one in drafted for each in one.pending]:
        raise NotGeneratedError(pending)
    return drafted


def draft_each(experiment: Experiment, workspace: Path) -> list[Prepared]:
    """The same, of which something may be `pending` that a language model has still to write.

    Raises
    ------
    GeppettoError
        As `prepare`.
    """
    if experiment.search is not None:
        raise GeppettoError("this file has a search; run `geppetto search` with it")
    with without_collecting():
        parts = [_parts(each, workspace) for each in experiment.each]
        models = open_elicited(experiment.models, experiment.elicitations, experiment.precision)
        return [prepare_on(*part, models) for part in parts]


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
            open_strategy(spec.name, spec.parameters, workspace, experiment.models),
        )
        for spec in experiment.strategies
    ]


def prepare_on(
    people: Sequence[Participant],
    experiment: Experiment,
    study: Study,
    strategies: Sequence[Strategy],
    all_elicited: Sequence[Elicited],
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
    wanted = _sessions if study.has_sessions else _survey
    plan = wanted(people, experiment, study, strategies, arms, all_elicited)
    for (label, arm), share in plan.identical_strangers.items():
        if share == 1:
            raise GeppettoError(
                f"{label}: every stranger's persona in the arm {arm} is the participant's own, "
                "word for word, so own and stranger cannot differ; let the strategy show more, or "
                "leave it out"
            )
    return Prepared(experiment, study, tuple(all_elicited), tuple(strategies), arms, plan)


def _survey(
    people: Sequence[Participant],
    experiment: Experiment,
    study: Study,
    strategies: Sequence[Strategy],
    arms: Sequence[Arm],
    all_elicited: Sequence[Elicited],
) -> Plan:
    if experiment.session != SessionLayout():
        raise GeppettoError(f"session: {study.name} is a survey, which has no sessions; remove it")
    if experiment.normalisation != "sum" and any(one.scorer is None for one in all_elicited):
        raise GeppettoError(
            "normalisation: only local models' likelihood of whole options can be a mean over "
            "tokens; remove it, or keep `likelihood` and local models"
        )
    items = list(study.items if experiment.items is None else experiment.items)
    for item in items:
        if item not in study.items:
            raise unknown("item", item, study.items, f"study {study.name}")
    layout, paraphrases = experiment.layout, experiment.paraphrases
    return make_plan(study, people, items, strategies, arms, layout, all_elicited, paraphrases)


def _sessions(
    people: Sequence[Participant],
    experiment: Experiment,
    study: Study,
    strategies: Sequence[Strategy],
    arms: Sequence[Arm],
    all_elicited: Sequence[Elicited],
) -> Plan:
    for key in ("items", "layout", "normalisation"):
        if getattr(experiment, key) != Experiment.model_fields[key].default:
            raise GeppettoError(
                f"{key}: {study.name} has sessions, which share no items; remove it (`session` "
                "says how sessions are put before a model)"
            )
    models = [one.scorer for one in all_elicited if one.scorer is not None]
    if len(models) < len(all_elicited):
        raise GeppettoError(
            f"elicitations: {study.name} has sessions, which are read by the likelihood of every "
            "response, and only local models give that; keep `likelihood` and local models"
        )
    layout, paraphrases = experiment.session, experiment.paraphrases
    return plan_sessions(study, people, strategies, arms, layout, models, paraphrases)
