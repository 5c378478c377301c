"""The search: trials, one after another, until all are done or a budget is spent."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, islice

import numpy as np
import optuna
from optuna.exceptions import ExperimentalWarning, UpdateFinishedTrialError
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from geppetto._util.errors import GeppettoError
from geppetto._util.process import Worker
from geppetto.planning.search_config import DIRECTIONS
from geppetto.search.prepare import PreparedSearch, named
from geppetto.search.result import SearchResult, result
from geppetto.search.samplers import sampler
from geppetto.search.scoring import CandidateScorer, InfeasibleError
from geppetto.search.space import Drawn
from geppetto.search.storage import fail_dead_trials, open_storage
from geppetto.search.trials import BEGAN, FINISHED, PLACE, PROCESS, REASON, SCORES, WORK

HOPELESS = 10
"""So many infeasible trials, and no other, end a search."""


def optimise(
    prepared: PreparedSearch,
    scorer: CandidateScorer,
    on_trial: Callable[[FrozenTrial], None] | None = None,
) -> SearchResult:
    """Search, or go on with a search that was interrupted, and give what was found.

    Several processes may search the same at once; together they make as many trials as were
    asked for, and each waits for the last one.

    `on_trial` is called with each trial of this process once it has ended.

    Raises
    ------
    GeppettoError
        If no candidate can be scored on everybody, or the storage cannot be opened.
    """
    study = open_study(prepared)

    def ended_trial(_: optuna.Study, trial: FrozenTrial) -> None:
        if on_trial is not None and trial.state in FINISHED:
            on_trial(trial)

    start = time.monotonic()
    while (ended := _why_ended(prepared, study, time.monotonic() - start)) is None:
        if len(_held(study)) < planned(prepared):
            with _whatever_others_think():
                study.optimize(
                    _Trial(prepared, scorer),
                    n_trials=1,
                    catch=(_SurplusError,),
                    callbacks=[ended_trial],
                )
        else:
            time.sleep(0.2)  # another process has the last trials
    return result(prepared, study, ended)


def optimised(prepared: PreparedSearch) -> SearchResult:
    """What a search found that has ended, without a trial more.

    Raises
    ------
    GeppettoError
        If it has not ended.
    """
    study = open_study(prepared)
    if (ended := _why_ended(prepared, study, seconds=0)) is None:
        made = len(study.get_trials(deepcopy=False, states=FINISHED))
        raise GeppettoError(
            f"{made:,} of {planned(prepared):,} trials were made, and the workspace cannot be "
            "written; copy it to where you may write, and search there"
        )
    return result(prepared, study, ended)


def open_study(prepared: PreparedSearch) -> optuna.Study:
    """Optuna's study of a search, made if it does not exist."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    settings = prepared.settings
    pruner: optuna.pruners.BasePruner = optuna.pruners.NopPruner()
    if settings.prune is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            pruner = optuna.pruners.WilcoxonPruner(p_threshold=settings.prune)
    return optuna.create_study(
        storage=open_storage(prepared.storage),
        pruner=pruner,
        study_name=prepared.name,
        directions=[DIRECTIONS[objective] for objective in settings.objective],
        load_if_exists=True,
    )


def planned(prepared: PreparedSearch) -> int:
    """How many trials there will be if nothing ends the search before."""
    size = prepared.space.size if prepared.settings.sampler == "grid" else None
    return min(prepared.settings.trials, size or prepared.settings.trials)


def _held(study: optuna.Study) -> list[FrozenTrial]:
    """Trials that hold a place of the search: all but interrupted ones."""
    fail_dead_trials(study)
    return study.get_trials(deepcopy=False, states=(*FINISHED, TrialState.RUNNING))


def _why_ended(prepared: PreparedSearch, study: optuna.Study, seconds: float) -> str | None:
    """Why no further trial is begun, in words; None if one is; an error if none is feasible."""
    settings = prepared.settings
    trials = study.get_trials(deepcopy=False)
    finished = [trial for trial in trials if trial.state in FINISHED]
    reasons = [trial.user_attrs[REASON] for trial in finished if REASON in trial.user_attrs]
    wanted = planned(prepared)
    if len(reasons) == len(finished) and len(reasons) >= min(HOPELESS, wanted):
        raise GeppettoError(
            f"search: none of {len(reasons)} candidates could be scored on everybody; the last: "
            f"{reasons[-1]}; change `search: strategies` or `layout`, or take only people of whom "
            "everything is known (`participants: {complete: true}`), or another `seed`"
        )
    if len(finished) >= wanted:
        if wanted < settings.trials or wanted == prepared.space.size:
            return f"all {wanted:,} candidates were tried"
        return f"all {wanted:,} trials were made"
    if not any(trial.state is TrialState.COMPLETE for trial in trials):
        return None
    if settings.tokens is not None and (spent := _tokens(trials)) >= settings.tokens:
        return f"the budget of {settings.tokens:,} tokens was spent ({spent:,})"
    if settings.minutes is not None and seconds >= 60 * settings.minutes:
        return f"the budget of {settings.minutes:g} minutes was spent"
    return None


def _tokens(trials: list[FrozenTrial]) -> int:
    return sum(trial.user_attrs.get("computed", 0) for trial in trials)


@contextmanager
def _whatever_others_think() -> Iterator[None]:
    """Go on if another process took a trial for dead, as one whose clock is wrong may.

    Another trial takes its place, and finds its answers.
    """
    try:
        yield
    except UpdateFinishedTrialError:
        pass
    except ValueError as error:
        if "Cannot tell a" not in str(error):
            raise


class _SurplusError(Exception):
    """Another process has the last trial."""


@dataclass(frozen=True)
class _Trial:
    """One trial: chooses a candidate, scores it batch by batch, gives up if it is hopeless."""

    prepared: PreparedSearch
    scorer: CandidateScorer

    def __call__(self, trial: optuna.Trial) -> tuple[float, ...]:
        trial.set_user_attr(PROCESS, str(Worker.current()))
        trial.set_user_attr(BEGAN, datetime.now(UTC).isoformat())
        place = _free_place(trial)
        if place >= planned(self.prepared):
            raise _SurplusError
        trial.set_user_attr(PLACE, place)
        trial.study.sampler = sampler(self.prepared.settings, self.prepared.space, place)
        drawn = self.prepared.space.draw(trial)
        trial.set_user_attr("strategy", named(drawn.strategy, drawn.parameters).label)
        trial.set_user_attr("parameters", {**drawn.parameters, "layout": dict(drawn.layout)})
        start = time.monotonic()
        try:
            return self._values(trial, place, drawn)
        except InfeasibleError as error:
            # pruned, since samplers take no notice of failed trials; and by its constraint worse
            # than any other
            trial.set_user_attr(REASON, str(error))
            trial.set_constraint("infeasible", 1)
            raise optuna.TrialPruned from error
        finally:
            trial.set_user_attr("seconds", round(time.monotonic() - start, 3))

    def _values(self, trial: optuna.Trial, place: int, drawn: Drawn) -> tuple[float, ...]:
        try:
            candidate = self.prepared.candidate(drawn)
        except GeppettoError as error:
            raise InfeasibleError(str(error)) from error
        trial.set_user_attr("strategy", candidate.strategy.label)
        positions = {name: n for n, name in enumerate(self.prepared.study.people)}
        scores: dict[str, tuple[float, ...]] = {}
        work = dict.fromkeys(WORK, 0)
        batches = self.prepared.batches
        order = np.random.default_rng([self.prepared.settings.seed, place])
        for left, number in enumerate(order.permutation(len(batches)), 1 - len(batches)):
            found = self.scorer(candidate, batches[number])
            scores |= found.scores
            for key, field in WORK.items():
                work[key] += getattr(found, field)
                trial.set_user_attr(key, work[key])
            if len(self.prepared.settings.objective) == 1:
                for person, (value,) in found.scores.items():
                    trial.report(value, positions[person])
                if left and _is_hopeless(trial):
                    raise optuna.TrialPruned
        if len(self.prepared.settings.objective) > 1:
            trial.set_user_attr(SCORES, {person: list(scores[person]) for person in sorted(scores)})
        means = np.mean([scores[person] for person in sorted(scores)], axis=0)
        return tuple(means.tolist())


def _is_hopeless(trial: optuna.Trial) -> bool:
    """Whether a trial is worse than the best one, by what is known of it so far.

    One that is the best's own candidate once more is not, and is not tested: that nobody differs
    is what scipy's Wilcoxon test takes longest to find, half a second with ten people.
    """
    complete = trial.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if not complete:
        return False
    is_up = trial.study.direction is StudyDirection.MAXIMIZE
    # `best_trial` of the study is a deep copy, which takes longer than all else here
    best = (max if is_up else min)(complete, key=lambda one: one.values[0])
    return best.params != trial.params and trial.should_prune()


def _free_place(trial: optuna.Trial) -> int:
    """The first place of the search that no earlier trial holds or is about to take.

    Without a second process this is the number of trials so far that were not interrupted, so a
    trial that takes an interrupted one's place finds what that one found.
    """
    others = [
        other
        for other in trial.study.get_trials(deepcopy=False)
        if other.number != trial.number and other.state is not TrialState.FAIL
    ]
    taken = {other.user_attrs[PLACE] for other in others if PLACE in other.user_attrs}
    ahead = sum(o.number < trial.number for o in others if PLACE not in o.user_attrs)
    free = (place for place in count() if place not in taken)
    return next(islice(free, ahead, None))
