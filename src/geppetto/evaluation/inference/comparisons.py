"""Comparisons with their tests, and the verdicts on them, corrected for one another."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from statsmodels.stats.multitest import multipletests

from geppetto.evaluation.bounds.bounds import Bounds
from geppetto.evaluation.effects import Effect
from geppetto.evaluation.inference.hypotheses import holm
from geppetto.evaluation.inference.sample_size import Basis
from geppetto.evaluation.inference.verdicts import Verdict

_ANSWERS = "what answers the question"
"""The family of what confirms."""


@dataclass(frozen=True)
class Comparison:
    """A comparison with its tests, before it is corrected for the others.

    Attributes
    ----------
    effect
        The comparison with its intervals.
    p
        Two-sided p of no difference.
    p_equivalent
        p of a difference of at least the smallest effect of interest.
    test
        What was permuted for p.
    people_needed, people_needed_as_observed
        How many people would decide it; None where that is not a matter of people. See `Verdict`.
    basis
        What it rests on.
    bounds
        As in `Verdict`.
    """

    effect: Effect
    p: float
    p_equivalent: float
    test: str
    people_needed: int | None
    people_needed_as_observed: int | None
    basis: Basis
    bounds: Bounds | None = None

    @property
    def p_equivalent_bounded(self) -> float:
        """p of a difference of at least the smallest of interest, whatever was not said."""
        if self.bounds is None:
            return self.p_equivalent
        return max(self.p_equivalent, self.bounds.p_equivalent)


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
    confirm = [is_confirmatory(one.effect, measures) for one in tested]
    families = [
        _ANSWERS if confirms else one.effect.measure
        for one, confirms in zip(tested, confirm, strict=True)
    ]
    smoothed = [one.effect.differences.smoothed for one in tested]
    adjusted = [test.p for test in tested]
    equivalent = [test.p_equivalent for test in tested]
    bounded = [test.p_equivalent_bounded for test in tested]
    for family in dict.fromkeys(families):
        rows = [
            number
            for number, other in enumerate(families)
            if other == family and not smoothed[number]
        ]
        if not rows:
            continue
        for values in (adjusted, equivalent, bounded):
            p = [values[row] for row in rows]
            corrected = holm(p) if family == _ANSWERS else multipletests(p, method="fdr_bh")[1]
            for row, value in zip(rows, corrected.tolist(), strict=True):
                values[row] = min(1.0, looks * value)
    return [
        Verdict(
            test.effect,
            confirm[number],
            test.p,
            adjusted[number],
            test.p_equivalent,
            equivalent[number],
            bounded[number],
            smallest,
            sum(f == families[number] and not s for f, s in zip(families, smoothed, strict=True)),
            looks,
            test.test,
            test.people_needed,
            test.people_needed_as_observed,
            test.basis,
            test.bounds,
        )
        for number, test in enumerate(tested)
    ]


def is_confirmatory(effect: Effect, measures: Collection[str] = ("nll",)) -> bool:
    """Whether a comparison is one of those that answer the question, in a measure that does."""
    decides = effect.measure in measures and not effect.differences.smoothed
    return answers_question(effect) and decides


def answers_question(effect: Effect) -> bool:
    """Whether a comparison answers the question, if its measure does."""
    return effect.contrast.confirms and not effect.among
