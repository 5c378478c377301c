"""A better instruction for a writer of personas, from search people to what others say of it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from geppetto._util.errors import Failures, GeppettoError
from geppetto._util.named import Named
from geppetto.answers.completions import CompletionStore
from geppetto.answers.local import unanswered
from geppetto.answers.store import AnswerStore
from geppetto.evaluation.results import Results
from geppetto.experiment.run import run
from geppetto.experiment.strategies import open_strategy
from geppetto.personas.generated import GeneratedStrategy
from geppetto.planning.plan import Strategy
from geppetto.reports.text import in_markdown
from geppetto.search.confirm import WINNER, check_confirmation, prepare_confirmation
from geppetto.search.gain import GAIN, Gain, gains
from geppetto.search.instruction import Optimised, optimise, refuse
from geppetto.search.optimisers import Optimiser
from geppetto.search.prepare import PreparedSearch, named
from geppetto.search.scoring import Candidate
from geppetto.tracking.store import TrackedRun, log_batch, using

PROGRAMS = "programs"
"""Folder of the workspace in which compiled programs are kept."""


@dataclass(frozen=True, eq=False)
class Improvement:
    """What became of a strategy's instruction.

    Attributes
    ----------
    results
        The ladder of arms on test people, with the compiled program as the strategy "winner" and
        the experiment's own strategies beside it.
    gain
        By how much less test people's responses cost with the compiled program than with the
        strategy's own instruction.
    compiled
        The strategy with the program, as an experiment names it.
    dropped
        Why test people were left out of both strategies, by their id.
    """

    optimised: Optimised
    results: Results
    tracked: TrackedRun
    gain: Gain
    compiled: Named
    dropped: Mapping[str, str]

    @property
    def sentence(self) -> str:
        """What test people say, in words, and of whom it says nothing."""
        reasons = Counter(self.dropped.values())
        out = "; ".join(f"{count:,} {why}" for why, count in reasons.items())
        missing = f" It says nothing of {len(self.dropped):,} test people: {out}." if out else ""
        return f"{self.gain.sentence}{missing}"


def improve(
    prepared: PreparedSearch,
    name: str,
    rule: GeneratedStrategy,
    optimiser: Optimiser,
    *,
    reflector: str,
    calls: int,
) -> Improvement:
    """Improve a strategy's instruction on search people and confirm it on the others.

    The program is saved as `programs/<experiment>-<strategy>-<optimiser>-<hash>.json` of the
    workspace, for a later experiment to name, and once more as an artifact of the run, unless
    `sample_prompts` is 0: demonstrations in it are traits and answers of people. It is
    compared with the strategy as it is named here, on the same test people. Both uses of people are
    looks that are remembered and corrected for, as those of a search are.

    The people, items and layout are those of the search, whose `strategies` are shown beside. See
    `geppetto.search.instruction.optimise` for the other parameters.

    Raises
    ------
    BudgetReached
        If the budget is; what was told until then is stored.
    GeppettoError
        If the strategy cannot be optimised, nothing better was found, or it cannot be confirmed.
    """
    refuse(rule)
    workspace = prepared.workspace
    answers = AnswerStore.of_workspace(workspace)
    writers = prepared.writers
    label = named(name, rule.model_dump(exclude_defaults=True)).label
    original = Strategy(name, label, rule)
    writers.complete(lambda: check_confirmation(prepared, [original]))
    question = f"{prepared.question} {optimiser} {rule.made_of} {reflector} {calls}"
    prepared.choose(prepared.look(hashlib.sha256(question.encode()).hexdigest(), calls))
    optimised = optimise(
        prepared,
        rule,
        optimiser,
        {each: writers.model(each) for each in dict.fromkeys((rule.writer, reflector))},
        answers,
        CompletionStore.of_workspace(workspace),
        writers.tracker,
        workspace / PROGRAMS / f"{prepared.experiment.name}-{name}-{optimiser}.json",
        reflector=reflector,
        calls=calls,
    )
    models = prepared.experiment.models
    if not optimised.changed:
        raise GeppettoError(
            f"{optimiser} found nothing better than the strategy's own instruction within "
            f"{calls:,} calls, so there is nothing to confirm; allow more calls, or take another "
            "optimiser"
        )
    file = optimised.state.relative_to(workspace).as_posix()
    listed = named(name, rule.model_dump(exclude_defaults=True) | {"program": file})
    compiled = open_strategy(name, listed.parameters, workspace, models)
    best = Candidate(Strategy(name, name, compiled), prepared.experiment.layout)
    (wanted,) = writers.complete(lambda: [prepare_confirmation(prepared, best, [original])])
    work, tracker = unanswered(wanted, answers), writers.tracker
    results, tracked = run(wanted, work, answers, workspace, tracker=tracker, kind="confirmed")
    own = next(each.label for each in wanted.strategies if each.is_the_same_as(original))
    others = {own: "the strategy's own instruction"}
    (found,) = gains(results, WINNER, "the optimised program", others)
    improvement = Improvement(optimised, results, tracked, found, listed, wanted.plan.dropped)
    failures = Failures()
    with failures.alone(f"logging to MLflow run {tracked.run_id}"):
        _log(improvement, workspace, shows_people=prepared.experiment.sample_prompts > 0)
    failed = (*tracked.failures, *failures.sentences)
    return replace(improvement, tracked=replace(tracked, failures=failed))


def _log(found: Improvement, workspace: Path, *, shows_people: bool) -> None:
    """The program, what search people say of it and what test people do, in their run.

    A program may hold demonstrations, which are what search people are and answered.
    """
    run_id, optimised = found.tracked.run_id, found.optimised
    numbers = {
        "search_people/cases": optimised.cases,
        "search_people/before": optimised.before,
        f"search_people/after{'_optimistic' * optimised.optimistic}": optimised.after,
        "search_people/failed_before": optimised.failed_before,
        "search_people/failed_after": optimised.failed_after,
    }
    verdict, nats = found.gain.verdict, found.gain.nats
    numbers |= {"gain": nats.value, "gain_low": nats.low, "gain_high": nats.high}
    numbers |= {"gain_p": verdict.p_adjusted}
    if not verdict.withheld:
        numbers |= {"gain_p_equivalent": verdict.equivalence_p}
    tags = {f"verdict.{GAIN}": verdict.outcome, "geppetto.program": optimised.state.name}
    with using(workspace) as client:
        if shows_people:
            client.log_artifact(run_id, str(optimised.state), "program")
        note = client.get_run(run_id).data.tags.get("mlflow.note.content", "")
        summary = f"**{in_markdown(found.sentence)}**\n\n{in_markdown(optimised.sentence)}"
        if summary not in note:
            tags["mlflow.note.content"] = f"{summary}\n\n{note}"
        log_batch(client, run_id, metrics=numbers, tags=tags)
