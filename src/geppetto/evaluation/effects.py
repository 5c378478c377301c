"""What a persona changed: paired differences between arms, person by person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from geppetto.evaluation.arrays import Floats, Integers, nanmean
from geppetto.evaluation.baselines import BASELINE
from geppetto.evaluation.contrasts import Contrast, contrasts
from geppetto.evaluation.predictions import Predictions
from geppetto.evaluation.resampling import (
    Estimate,
    Method,
    Resampling,
    estimates,
    mean,
    share_positive,
    standardised_mean,
    worst_tenth,
)
from geppetto.plan import NO_STRATEGY, Condition


@dataclass(frozen=True, eq=False)
class Differences:
    """One contrast of one strategy under one model, person by person.

    Attributes
    ----------
    model, strategy, contrast
        What is compared.
    measure
        "nll" over the legal options, "nll_full" over everything the model could say; after
        calibration "nll_calibrated" or "nll_each_calibrated", see `Results.effects`.
    among
        Which item or group of participants it is restricted to; empty for everything.
    rows
        Rows of the participants who have a difference.
    persons
        Each one's mean difference in nats a response, shape (rows,); positive is better.
    influence, totals
        What each one adds to the mean of `persons`, and to that of differences summed over a
        person's responses, shape (rows,); see `influence`.
    strangers
        Whether an arm shows strangers' personas and the other is not their owners' own.
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
    strangers: bool

    @property
    def conditions(self) -> tuple[Condition, Condition]:
        """Those that are compared, the worse first."""
        worse, better = (
            Condition(self.model, NO_STRATEGY if arm == "none" else self.strategy, arm)
            for arm in (self.contrast.worse, self.contrast.better)
        )
        return worse, better


@dataclass(frozen=True)
class Effect:
    """What a contrast comes to, over participants.

    Attributes
    ----------
    differences
        The contrast, person by person.
    nats
        Mean over participants of the difference in nats a response; positive is better.
    nats_per_person
        Mean over participants of the difference summed over all of a person's responses.
    d_z
        `nats` over the standard deviation of participants' differences.
    improved
        Share of participants whose difference is positive.
    worst_tenth
        Mean difference, in nats a response, of the tenth of participants that fares worst. The
        fewer responses a person has, the more of it is chance.

    Notes
    -----
    `improved` and `worst_tenth` have no interval (their ends are NaN) in contrasts with
    strangers' personas other than information: people who are shown the same personas do not
    differ independently. Elsewhere the interval of `worst_tenth` is rough: with 80 to 200 people
    it covers 83 to 89%.
    """

    differences: Differences
    nats: Estimate
    nats_per_person: Estimate
    d_z: Estimate
    improved: Estimate
    worst_tenth: Estimate

    @property
    def model(self) -> str:
        return self.differences.model

    @property
    def strategy(self) -> str:
        return self.differences.strategy

    @property
    def contrast(self) -> Contrast:
        return self.differences.contrast

    @property
    def measure(self) -> str:
        return self.differences.measure

    @property
    def participants(self) -> int:
        return len(self.differences.rows)

    @property
    def among(self) -> str:
        return self.differences.among


def persona_quality(
    arms: Sequence[Predictions], items: Sequence[int] | None = None, full: bool = False
) -> Floats:
    """How badly each participant's persona predicts everybody, whoever it is of.

    Parameters
    ----------
    arms
        The conditions in which participants' personas are shown, their own or others'.
    items
        Items that count; all by default.
    full
        Whether the NLL is over everything the model could say, and not the legal options.

    Returns
    -------
    numpy.ndarray
        Shape (participants,): mean over items of the NLL in nats of all participants' responses
        under the persona's predictions, less the mean of that over personas. 0 for participants
        whose persona is not shown.
    """
    answers = arms[0].responses
    chosen = range(len(answers.items)) if items is None else items
    cost = np.full((len(answers.participants), len(chosen)), np.nan)
    for column, item in enumerate(chosen):
        predicted = np.full((len(cost), arms[0].option_log_probs.shape[3]), np.nan)
        for arm in arms:
            for draw, donors in enumerate(arm.donors):
                shown = (donors >= 0) & np.isfinite(arm.nll[draw, :, item])
                predicted[donors[shown]] = arm.option_log_probs[draw, shown, item]
                if full:
                    mass = np.log(arm.option_mass[draw, shown, item])
                    predicted[donors[shown]] += mass[:, None]
        position = answers.position[:, item]
        said = np.bincount(position[position >= 0], minlength=predicted.shape[1])
        known = np.isfinite(predicted)
        cost[:, column] = -np.sum(said * predicted, axis=1, where=known) / said.sum()
        cost[~known.any(1), column] = np.nan
    return np.nan_to_num(nanmean(cost - nanmean(cost, 0), 1))


def influence(values: Floats, donors: Integers, quality: Floats) -> Floats:
    """What each participant adds to the mean of a condition over participants.

    A participant whose persona is shown to others is sampled in two roles: as the one who answers
    and as the persona. What the persona costs whoever it is shown to belongs to its owner, and
    not to the people to whom it happens to be shown, so it is moved there. In a contrast of own
    and strangers' personas it then cancels, as it does in the mean: both arms show the same
    personas (the two-way decomposition of a U-statistic; Hoeffding 1948).

    Parameters
    ----------
    values
        A number a participant and draw, shape (draws, participants).
    donors
        Row of the participant whose persona was shown, shape (draws, participants); -1 for nobody.
    quality
        What each persona costs, shape (participants,), see `persona_quality`.

    Returns
    -------
    numpy.ndarray
        Shape (participants,); its mean is that of the participants' means over draws only once
        it is centred there, see `differences`.
    """
    lent = (donors >= 0) & (donors != np.arange(values.shape[1])) & np.isfinite(values)
    share = lent / np.maximum(np.isfinite(values).sum(0), 1)
    shown = np.bincount(np.maximum(donors, 0).ravel(), share.ravel(), values.shape[1])
    moved = shown * quality - np.sum(share * quality[np.maximum(donors, 0)], axis=0)
    return np.asarray(nanmean(values, 0) + moved)


def differences(
    found: Sequence[Predictions],
    measure: str = "nll",
    *,
    among: str = "",
    items: Sequence[int] | None = None,
    rows: Integers | None = None,
    weights: Floats | None = None,
) -> list[Differences]:
    """Every contrast that the arms allow, for every model and strategy, person by person.

    Parameters
    ----------
    found
        Predictions of all conditions, of the same cells.
    measure
        A measure of `Differences`; the calibrated ones say that the predictions are.
    among
        Name of the restriction by `items` or `rows`.
    items, rows
        Items and participants that count; all by default.
    weights
        How many people each participant stands for, shape (participants,): what contributions
        are centred with, so that their weighted mean is that of the persons' differences.
    """
    made = []
    answered = found[0].responses.answered
    trials = (answered if items is None else answered[:, items]).sum(1)
    base = np.ones(len(trials)) if weights is None else weights
    for arms in personas(found):
        shown = [arm for arm in arms.values() if (arm.donors >= 0).any()]
        quality = np.zeros(len(trials))
        if shown:
            quality = persona_quality(shown, items, measure == "nll_full")
        nats = {name: _nats(arm, measure, items) for name, arm in arms.items()}
        condition = next(arm.condition for arm in arms.values() if arm.condition.arm != "none")
        for contrast in contrasts(list(arms)):
            worse, better = (arms[name] for name in (contrast.worse, contrast.better))
            persons = nanmean(nats[contrast.worse], 0) - nanmean(nats[contrast.better], 0)
            moved = (
                influence(nats[contrast.worse], worse.donors, quality)
                - influence(nats[contrast.better], better.donors, quality)
                - persons
            )
            chosen = np.flatnonzero(np.isfinite(persons))
            if rows is not None:
                chosen = np.intersect1d(chosen, rows)
            persons, moved, of, weight = (x[chosen] for x in (persons, moved, trials, base))
            if not len(chosen):
                continue
            made.append(
                Differences(
                    condition.model,
                    condition.strategy,
                    contrast,
                    measure,
                    among,
                    chosen,
                    persons,
                    persons + moved - np.average(moved, weights=weight),
                    (persons + moved) * of - np.average(moved * of, weights=weight),
                    better.shows_strangers
                    or (worse.shows_strangers and contrast.name != "information"),
                )
            )
    return made


def _nats(found: Predictions, measure: str, items: Sequence[int] | None) -> Floats:
    """Mean NLL of each participant and draw, shape (draws, participants)."""
    cells = -found.log_prob if measure == "nll_full" else found.nll
    return nanmean(cells if items is None else cells[:, :, items], 2)


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


def effects(
    found: Sequence[Differences], people: Resampling, method: Method = "percentile"
) -> list[Effect]:
    """Contrasts over participants, with 95% intervals of the same draws of people.

    Parameters
    ----------
    found
        The contrasts, person by person.
    people
        How all participants are drawn, those without a difference included.
    method
        Kind of interval.
    """
    made: dict[int, Effect] = {}
    for same in alike(found):
        parts = [found[number] for number in same]
        drawn = people.among(parts[0].rows)
        persons = np.stack([part.persons for part in parts], axis=1)
        contributions = np.stack([part.influence for part in parts], axis=1)
        totals = np.stack([part.totals for part in parts], axis=1)
        columns = [
            estimates(statistic, *values, people=drawn, method=method)
            for statistic, *values in (
                (mean, contributions),
                (mean, totals),
                (standardised_mean, contributions, persons),
                (share_positive, persons),
                (worst_tenth, persons),
            )
        ]
        for number, part, nats, total, d_z, improved, worst in zip(
            same, parts, *columns, strict=True
        ):
            if part.strangers:
                improved, worst = (Estimate(e.value, np.nan, np.nan) for e in (improved, worst))
            made[number] = Effect(part, nats, total, d_z, improved, worst)
    return [made[number] for number in range(len(found))]


def alike(found: Sequence[Differences]) -> list[list[int]]:
    """Numbers of the contrasts that are of the same participants."""
    groups: dict[bytes, list[int]] = {}
    for number, difference in enumerate(found):
        groups.setdefault(difference.rows.tobytes(), []).append(number)
    return list(groups.values())
