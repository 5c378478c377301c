"""From differences of people to verdicts: intervals, and a test of each contrast."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.bounds.bounds import bounds
from geppetto.evaluation.bounds.conditions import Limits
from geppetto.evaluation.contrasts import INFORMATION
from geppetto.evaluation.differences import Differences
from geppetto.evaluation.effects import Effect, alike, effects
from geppetto.evaluation.inference.comparisons import Comparison
from geppetto.evaluation.inference.permutation import PermutationTest, sign_flip_p
from geppetto.evaluation.inference.power import people_to_decide, people_to_find_observed
from geppetto.evaluation.inference.resampling import Resampling
from geppetto.evaluation.inference.sample_size import basis_of
from geppetto.evaluation.inference.studentised import studentised
from geppetto.evaluation.inference.verdicts import Verdict
from geppetto.planning.analysis_config import LEVEL, Analysis

_ANSWERS = "what answers the question"
"""The family of what confirms."""


def infer(
    found: Sequence[Differences],
    resampling: Resampling,
    analysis: Analysis,
    matches: Mapping[tuple[str, str], PermutationTest],
    measures: Collection[str] = ("nll",),
    of: Limits | None = None,
) -> list[Verdict]:
    """Verdicts on contrasts that are corrected for each other.

    Parameters
    ----------
    matches
        Tests of information by permuting personas, by model and strategy; where there is none,
        signs of people's differences are flipped.
    measures
        Those that answer the question.
    of
        What bounds are computed from; without it there are none.
    """
    resampling = replace(resampling, level=LEVEL / analysis.looks)
    p: dict[int, float] = {}
    for same in alike(found):
        contributions = np.stack([found[number].influence for number in same], axis=1)
        people = resampling.among(found[same[0]].rows)
        flipped = sign_flip_p(contributions, people, seed=analysis.seed)
        p |= dict(zip(same, flipped.tolist(), strict=True))
    tested = []
    for number, one in enumerate(effects(found, resampling, analysis.intervals)):
        permuted = one.contrast == INFORMATION and one.is_confirmatory(measures)
        match = matches.get((one.model, one.strategy)) if permuted else None
        compared = comparison(
            one,
            resampling.among(one.differences.rows),
            analysis,
            p[number] if match is None else match.p,
            "signs flipped" if match is None else "personas permuted",
        )
        tested.append(replace(compared, bounds=bounds(one, of, analysis) if of else None))
    return judge(tested, analysis.smallest_effect, analysis.looks, measures)


def comparison_alone(
    one: Differences, people: Resampling, analysis: Analysis, test: str
) -> Comparison:
    """A contrast with its tests, of people whose signs are flipped."""
    (measured,) = effects([one], people, analysis.intervals)
    p = float(sign_flip_p(one.influence[:, None], people, seed=analysis.seed)[0])
    return comparison(measured, people, analysis, p, test)


def comparison(
    measured: Effect, people: Resampling, analysis: Analysis, p: float, test: str
) -> Comparison:
    """An effect with its tests.

    A benefit has the largest p of those against every prediction that could have been chosen, and
    1 if one of these is the better: it is one only if all of them are beaten (an intersection-union
    test; Berger 1982, Technometrics 24, 295-300). Nothing is tested of the NLL of samples, whose
    sign smoothing may have turned: p are NaN. Permutations of people take wordings as given. Over
    several of them p is no smaller than that of a mean that varies with the wordings drawn, and nor
    is that of equivalence.
    """
    smallest = analysis.smallest_effect
    if (rivals := measured.differences.rivals) is not None and measured.nats.value > 0:
        beaten = people.sample[0] @ rivals > 0
        p = max(p, *np.where(beaten, sign_flip_p(rivals, people, seed=analysis.seed), 1.0).tolist())
    (found,) = studentised(measured.differences.influence, people)
    rests_on = basis_of(found, people, smallest)
    p_equivalent = found.p_within(smallest)
    if over := measured.differences.over_wordings(people):
        p = max(p, 2 * over.tail(abs(over.value)))
        p_equivalent = max(p_equivalent, over.tail(smallest - abs(over.value)))
        test += ", wordings drawn"
    decide = observed = None
    if people.studies is None:
        sd = found.error * float(np.sqrt(measured.participants))
        decide = max(people_to_decide(smallest, sd), rests_on.needed(equivalence=True))
        if (count := people_to_find_observed(found.value, sd)) is not None:
            of_all = bool(rests_on.undone_by_others(measured.nats, measured.reach))
            observed = max(count, rests_on.needed(equivalence=of_all))
    if measured.differences.smoothed:
        p = p_equivalent = float("nan")
    return Comparison(measured, p, p_equivalent, test, decide, observed, rests_on)


def judge(
    tested: Sequence[Comparison],
    smallest: float,
    looks: int = 1,
    measures: Collection[str] = ("nll",),
) -> list[Verdict]:
    """Verdicts on comparisons, corrected for how many of each family there are, and for looks.

    A family is all that confirms, or all that explores in the same measure; `measures` are those
    that answer the question. What is smoothed is not tested and in no family.
    """
    names = [
        _ANSWERS if one.effect.is_confirmatory(measures) else one.effect.measure for one in tested
    ]
    families = {
        name: [
            number
            for number, (one, other) in enumerate(zip(tested, names, strict=True))
            if other == name and not one.effect.differences.smoothed
        ]
        for name in names
    }
    adjusted = [[one.p, one.p_equivalent, one.p_equivalent_with_bounds] for one in tested]
    for name, rows in families.items():
        for kind in range(3) if rows else ():
            p = [adjusted[row][kind] for row in rows]
            corrected = holm(p) if name == _ANSWERS else stats.false_discovery_control(p)
            for row, value in zip(rows, corrected.tolist(), strict=True):
                adjusted[row][kind] = min(1.0, looks * value)
    return [
        Verdict(
            **vars(one),
            confirmatory=name == _ANSWERS,
            p_adjusted=p,
            p_equivalent_adjusted=equivalent,
            p_equivalent_bounded=bounded,
            smallest=smallest,
            family=len(families[name]),
            looks=looks,
        )
        for one, name, (p, equivalent, bounded) in zip(tested, names, adjusted, strict=True)
    ]


def holm(p: ArrayLike) -> Floats:
    """p-values that are corrected for one another (Holm 1979).

    They are those of statsmodels' `multipletests`, which also collects the garbage of the whole
    process: tenths of a second, each time.
    """
    values = np.asarray(p, float)
    order = np.argsort(values)
    corrected = np.empty(len(values))
    corrected[order] = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    return np.minimum(corrected, 1)
