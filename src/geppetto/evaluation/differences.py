"""Paired differences between arms, person by person."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geppetto.evaluation.arrays import Floats, Integers, nanmean
from geppetto.evaluation.baselines.uninformed import Uninformed, best_uninformed, candidates
from geppetto.evaluation.contrasts import INFORMATION, UNINFORMED, Contrast, contrasts
from geppetto.evaluation.inference.resampling import Resampling
from geppetto.evaluation.inference.wordings import OverWordings, over_wordings
from geppetto.evaluation.lending import (
    STRANGERS,
    influence,
    not_shown_in_proportion,
    persona_quality,
    typical_cost,
)
from geppetto.evaluation.losses import mean_cost, possible_savings, quality_where_shown
from geppetto.evaluation.predictions import Predictions, in_each_wording
from geppetto.personas.arms import Matched
from geppetto.planning.plan import BASELINE, NO_STRATEGY, Condition

Costs = Callable[[Predictions, str, Sequence[int] | None], Floats]


@dataclass(frozen=True, eq=False)
class Differences:
    """One contrast of one strategy under one model, person by person.

    Attributes
    ----------
    measure
        "nll" over the legal options, "nll_full" over everything the model could say; after
        calibration "nll_calibrated" or "nll_each_calibrated"; or "brier"; see `Results.effects`.
    among
        Which item or group of participants it is restricted to; empty for everything.
    rows
        Rows of the participants who have a difference.
    persons
        Each one's mean difference in nats a response, shape (rows,); positive is better. With
        survey weights all differences from strangers are moved alike, so that strangers' personas
        count for as many people as their owners do; see `not_shown_in_proportion`.
    influence, totals
        What each one adds to the mean difference, and to that of differences summed over a
        person's responses, shape (rows,); see `influence`. Over everybody their mean is that of
        `persons`. Among some people it is not: what a persona costs whoever it is shown to cancels
        over everybody and would not among them, so it is with its owner there as well. Then the
        effects of groups have the effect of everybody as their mean, and that men's personas cost
        less, whoever is told them, is a difference of format and not of information.
    wordings
        The same contrast in each wording alone, of which `persons`, `influence` and `totals` are
        the means; empty if there is one wording.
    precision
        What each one counts for in the mean besides survey weights, shape (rows,), in slopes; None
        if everyone counts the same.
    sampled
        Whether answers of an arm are of samples, so that their NLL is of smoothed shares.
    uninformed, rivals
        Of the contrast benefit, what the own persona is compared with, and what each participant
        adds to the mean difference from every prediction that could have been chosen, shape (rows,
        predictions): it is above zero if all of these are. None of all other contrasts.
    typical, projection
        `persons` and `influence` if all others had been everyone's strangers, with the same means,
        shape (rows,): what an effect's size is told from. None where they are not known, or there
        are no strangers from all others; see `geppetto.evaluation.lending`.
    possible
        The least and the most that each one's difference could be, whatever they had responded, by
        what the model says of every option, shape (rows, 2); of a benefit the least is over all
        predictions that could have been chosen. None where that is not known.
    mass
        The smaller of the mean option masses of its arms, by whose options alone it is told; 1
        where it is told by everything that a model could say.
    """

    model: str
    strategy: str
    contrast: Contrast
    measure: str
    among: str
    rows: Integers = field(repr=False)
    persons: Floats = field(repr=False)
    influence: Floats = field(repr=False)
    totals: Floats = field(repr=False)
    wordings: tuple[Differences, ...] = field(default=(), repr=False)
    precision: Floats | None = field(default=None, repr=False)
    sampled: bool = False
    uninformed: Uninformed | None = None
    rivals: Floats | None = field(default=None, repr=False)
    typical: Floats | None = field(default=None, repr=False)
    projection: Floats | None = field(default=None, repr=False)
    possible: Floats | None = field(default=None, repr=False)
    mass: float = 1.0

    @property
    def of_each(self) -> tuple[Floats, Floats]:
        """Differences and contributions that do not depend on who was drawn as a stranger.

        Those of the strangers who were drawn, where nothing else is known.
        """
        return (
            self.persons if self.typical is None else self.typical,
            self.influence if self.projection is None else self.projection,
        )

    @property
    def key(self) -> tuple[str, str, str]:
        """Model, strategy and contrast: what it is of, whatever the measure and the people."""
        return self.model, self.strategy, self.contrast.name

    def over_wordings(self, people: Resampling, summed: bool = False) -> OverWordings | None:
        """The mean in each wording and what it varies by; None if there is one wording.

        If `summed`, the mean is of differences summed over a person's responses.
        """
        if not self.wordings:
            return None
        each = [one.totals if summed else one.influence for one in self.wordings]
        return over_wordings(np.stack(each, axis=1), people)

    @property
    def is_of_matched_people(self) -> bool:
        """Whether it is only of people who have a matched stranger."""
        return Matched.name in (self.contrast.worse, self.contrast.better)

    @property
    def is_of_strangers(self) -> bool:
        arms = (self.contrast.worse, self.contrast.better)
        return STRANGERS in arms or Matched.name in arms

    @property
    def people_share_personas(self) -> bool:
        """Whether people differ together, since the same personas are shown to several of them.

        Information is not of these: it is over people and over those whose personas are shown.
        """
        return self.is_of_strangers and self.contrast != INFORMATION

    @property
    def smoothed(self) -> bool:
        """Whether it is of the smoothed shares of samples, so that it may have the wrong sign."""
        return self.sampled and self.measure != "brier"

    @property
    def conditions(self) -> tuple[Condition, Condition]:
        """Those that are compared, the worse first; `uninformed` says what is behind that name."""
        worse, better = (
            Condition(self.model, NO_STRATEGY if arm == "none" else self.strategy, arm)
            for arm in (self.contrast.worse, self.contrast.better)
        )
        return worse, better


def differences(
    found: Sequence[Predictions],
    measure: str = "nll",
    *,
    among: str = "",
    items: Sequence[int] | None = None,
    rows: Integers | None = None,
    weights: Floats | None = None,
    costs: Costs = mean_cost,
) -> list[Differences]:
    """Every contrast that the arms allow, for every model and strategy, person by person.

    Parameters
    ----------
    among
        Name of the restriction by `items` or `rows`.
    weights
        How many people each participant stands for, shape (participants,): what contributions
        are centred with, so that their weighted mean is that of the persons' differences.
    costs
        What is compared of a condition by a measure and on some items, shape (draws,
        participants): the mean cost, or how it grows in a session.
    """
    made = []
    base = np.ones(len(found[0].pool)) if weights is None else weights
    wanted = _Wanted(measure, among, items, rows, base, costs)
    for arms in personas(found):
        rivals = candidates(found, next(iter(arms.values())).condition.model)
        best = best_uninformed(rivals, measure, base)
        if best is not None:
            rivals = [one for one in rivals if one.condition in best.conditions]
        in_each = [
            _in_one_wording(dict(zip(arms, same, strict=False)), best, same[len(arms) :], wanted)
            for same in in_each_wording([*arms.values(), *rivals])
        ]
        in_wordings = {
            arm: len(one.wordings) > 1
            for arm, one in [*arms.items(), *((UNINFORMED, rival) for rival in rivals)]
        }
        for same in zip(*in_each, strict=True):
            one = same[0].contrast
            several = in_wordings[one.worse] or in_wordings[one.better]
            made.append(_averaged(same) if several else same[0])
    return made


class _Wanted(NamedTuple):
    """What is compared in each wording; see `differences`."""

    measure: str
    among: str
    items: Sequence[int] | None
    rows: Integers | None
    weights: Floats
    costs: Costs

    def cost(self, found: Predictions) -> Floats:
        return self.costs(found, self.measure, self.items)


def _averaged(wordings: Sequence[Differences]) -> Differences:
    named = tuple(
        replace(one, among=", ".join(filter(None, (one.among, f"paraphrase {number}"))))
        for number, one in enumerate(wordings)
    )
    return replace(combined(wordings, _mean), wordings=named)


def combined(
    parts: Sequence[Differences], combine: Callable[[Sequence[Floats]], Floats]
) -> Differences:
    """The first of several contrasts, with what is of each participant combined from all."""
    each = [(one.persons, one.influence, one.totals, *one.of_each) for one in parts]
    persons, influence, totals, typical, projection = map(combine, zip(*each, strict=True))
    rivals = [one.rivals for one in parts if one.rivals is not None]
    possible = [one.possible for one in parts if one.possible is not None]
    return replace(
        parts[0],
        rivals=combine(rivals) if rivals else None,
        possible=combine(possible) if len(possible) == len(parts) else None,
        mass=min(one.mass for one in parts),
        persons=persons,
        influence=influence,
        totals=totals,
        typical=typical,
        projection=projection,
    )


def _mean(values: Sequence[Floats]) -> Floats:
    return np.asarray(np.mean(values, axis=0))


def _in_one_wording(
    arms: Mapping[str, Predictions],
    best: Uninformed | None,
    rivals: Sequence[Predictions],
    wanted: _Wanted,
) -> list[Differences]:
    made = []
    costs = {name: wanted.cost(arm) for name, arm in arms.items()}
    sampled = {name: arm.counts is not None for name, arm in arms.items()}
    each = [nanmean(wanted.cost(one), 0) for one in rivals]
    if best is not None:
        costs[UNINFORMED] = best.of(each)[None]
        sampled[UNINFORMED] = any(one.counts is not None for one in rivals)
    mass = {name: arm.mass for name, arm in arms.items()} | {UNINFORMED: 1.0}
    levels = _levels(arms, costs, wanted)
    condition = next(arm.condition for arm in arms.values() if arm.condition.arm != "none")
    for contrast in contrasts(list(costs)):
        worse, better = contrast.worse, contrast.better
        persons, *others = (a - b for a, b in zip(levels[worse], levels[better], strict=True))
        chosen = np.flatnonzero(np.isfinite(persons))
        if wanted.rows is not None:
            chosen = np.intersect1d(chosen, wanted.rows)
        if not len(chosen):
            continue
        adds, totals, typical, projection = (of[chosen] for of in others)
        one = Differences(
            condition.model,
            condition.strategy,
            contrast,
            wanted.measure,
            wanted.among,
            chosen,
            persons[chosen],
            adds,
            totals,
            sampled=sampled[worse] or sampled[better],
            typical=typical,
            projection=projection,
            mass=1.0 if wanted.measure == "nll_full" else min(mass[worse], mass[better]),
        )
        if best is not None and worse == UNINFORMED:
            against = np.stack(each, 1) - levels[better].contribution[:, None]
            one = replace(one, uninformed=best, rivals=against[chosen])
        if wanted.costs is mean_cost:
            moved = persons - nanmean(costs[worse], 0) + nanmean(costs[better], 0)
            possible = _possible(arms, one, rivals, wanted) + moved[:, None]
            one = replace(one, possible=possible[chosen])
        made.append(one)
    return made


def _possible(
    arms: Mapping[str, Predictions],
    one: Differences,
    rivals: Sequence[Predictions],
    wanted: _Wanted,
) -> Floats:
    """The least and the most that each one's difference could be; see `Differences.possible`."""
    better, best = arms[one.contrast.better], one.uninformed
    compared = [arms[one.contrast.worse]] if best is None else rivals
    each = [possible_savings(of, better, wanted.measure, wanted.items) for of in compared]
    if best is None:
        return each[0]
    return np.stack([np.min(each, axis=0)[:, 0], best.of(each)[:, 1]], axis=1)


class _Level(NamedTuple):
    """What an arm costs, person by person; the last four have the mean of the first over people.

    `cost` is the mean over draws; `contribution` and `total` are what each one adds to the mean
    cost, and to that of costs summed over responses; `typical` and `projection` are the first two
    if all others had been the strangers of everyone.
    """

    cost: Floats
    contribution: Floats
    total: Floats
    typical: Floats
    projection: Floats


def _levels(
    arms: Mapping[str, Predictions], costs: Mapping[str, Floats], wanted: _Wanted
) -> dict[str, _Level]:
    """What each arm costs; see `influence` and, of strangers, `geppetto.evaluation.lending`.

    The personas of strangers who are drawn from all others count for as many people as their owners
    do, as own ones, and so each counts 1 of its owner.
    """
    observed, weights = next(iter(arms.values())).responses, wanted.weights
    counted = observed.answered if wanted.measure == "nll_full" else observed.choices > 0
    trials = (counted if wanted.items is None else counted[:, wanted.items]).sum(1)
    quality = _quality(arms, costs, wanted)
    nobody = np.full((1, len(trials)), -1)
    levels = {}
    for name, values in costs.items():
        donors = arms[name].donors if name in arms else nobody
        typical, counts = None, weights
        if name == STRANGERS:
            values = values + not_shown_in_proportion(values, donors, quality, weights)
            counts = np.ones_like(weights)
            if wanted.costs is mean_cost:
                typical = typical_cost(arms, wanted.measure, wanted.items)
        cost, adds = nanmean(values, 0), influence(values, donors, quality, counts)
        of_all = (cost, adds) if typical is None else (typical, typical + quality)
        pairs = ((adds, cost), (adds * trials, cost * trials), *((of, cost) for of in of_all))
        known = np.isfinite(cost)
        levels[name] = _Level(cost, *(_centred(*pair, known, weights) for pair in pairs))
    return levels


def _quality(
    arms: Mapping[str, Predictions], costs: Mapping[str, Floats], wanted: _Wanted
) -> Floats:
    """What each participant's persona costs whoever it is shown to; 0 if none is shown."""
    shown = {name: arm for name, arm in arms.items() if (arm.donors >= 0).any()}
    if not shown:
        return np.zeros(len(wanted.weights))
    if next(iter(arms.values())).responses.of_sessions:
        return quality_where_shown(
            np.concatenate([costs[name] for name in shown]),
            np.concatenate([arm.donors for arm in shown.values()]),
        )
    return persona_quality(list(shown.values()), wanted.items, wanted.measure, wanted.weights)


def _centred(parts: Floats, mean_of: Floats, known: NDArray[np.bool_], weights: Floats) -> Floats:
    """Parts with the mean of other numbers over the people who are known, if anybody is."""
    if not known.any():
        return parts
    return parts + np.average((mean_of - parts)[known], weights=weights[known])


def personas(found: Sequence[Predictions]) -> Iterator[dict[str, Predictions]]:
    """The arms of each model and strategy by name, with the one without a persona."""
    by_condition = {predictions.condition: predictions for predictions in found}
    pairs = dict.fromkeys((condition.model, condition.strategy) for condition in by_condition)
    for model, strategy in pairs:
        if strategy == NO_STRATEGY or model == BASELINE:
            continue
        arms = {c.arm: p for c, p in by_condition.items() if c[:2] == (model, strategy)}
        if nobody := by_condition.get(Condition(model, NO_STRATEGY, "none")):
            arms["none"] = nobody
        yield arms
