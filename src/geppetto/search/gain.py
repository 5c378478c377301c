"""What one strategy predicts better than another, by the NLL of people's own personas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from geppetto.evaluation.arrays import nanmean
from geppetto.evaluation.contrasts import Contrast
from geppetto.evaluation.differences import Differences
from geppetto.evaluation.inference.infer import infer
from geppetto.evaluation.inference.resampling import Estimate
from geppetto.evaluation.inference.verdicts import Verdict
from geppetto.evaluation.losses import mean_cost, possible_savings
from geppetto.evaluation.predictions import Predictions
from geppetto.evaluation.results import Results
from geppetto.evaluation.words import interval, number, p_value
from geppetto.personas.arms import Own
from geppetto.planning.plan import BASELINE

GAIN = "gain"
"""Name of the contrast of two strategies' own personas."""


@dataclass(frozen=True)
class Gain:
    """By how much less people's responses cost with one strategy's personas than with another's.

    The verdict is on L(other) - L(one) of people's own personas, person by person; `one` and
    `other` are words for what is compared.
    """

    verdict: Verdict
    one: str
    other: str

    @property
    def nats(self) -> Estimate:
        """Mean over people, in nats a response; positive if the one is better."""
        return self.verdict.effect.nats

    @property
    def sentence(self) -> str:
        """What came out, in words, with its numbers."""
        verdict, effect = self.verdict, self.verdict.effect
        few = f" ({verdict.undecidable})" if verdict.undecidable else ""
        is_clear = verdict.finding in ("positive", "negative")
        equivalence = "" if is_clear else f", equivalence {verdict.equivalence}"
        return (
            f"By the NLL of own personas, on people who took no part, {self._said}{few}: "
            f"{interval(self.nats)} nats a response, positive if better ({verdict.confidence}), "
            f"d_z {number(effect.d_z.value, '+.2f')}, {number(effect.improved.value, '.0%')} of "
            f"{effect.participants:,} people improved; {p_value(verdict.p_adjusted)} "
            f"({verdict.test}) after {verdict.correction}{equivalence}."
        )

    @property
    def _said(self) -> str:
        one, other = self.one, self.other
        match self.verdict.finding:
            case "undecided" | "descriptive":
                return f"it is open whether {one} is better or worse than {other}"
            case "equivalent":
                return f"{one} and {other} are the same to within {self.verdict.smallest:g} nats"
        return f"{one} is {'better' if self.nats.value > 0 else 'worse'} than {other}"


def gains(results: Results, label: str, one: str, others: Mapping[str, str]) -> list[Gain]:
    """What a strategy gains over each of some others, on the same people.

    Parameters
    ----------
    results
        Of all of them, with the arm own.
    label
        The strategy's label.
    one
        What it is called in words.
    others
        What the others are called, by their labels; p-values are corrected for them (Holm 1979)
        and for looks at these people.
    """
    own = {
        found.condition.strategy: found
        for found in results.predicted("nll")
        if found.condition.arm == Own.name and found.condition.model != BASELINE
    }
    made = [_differences(own[other], own[label]) for other in others]
    verdicts = infer(made, results.resampling, results.analysis, {})
    return [Gain(each, one, name) for each, name in zip(verdicts, others.values(), strict=True)]


def _differences(worse: Predictions, better: Predictions) -> Differences:
    """L(worse) - L(better), person by person; nobody is shown another's persona."""
    one, other = better.condition, worse.condition
    persons = nanmean(mean_cost(worse, "nll"), 0) - nanmean(mean_cost(better, "nll"), 0)
    rows = np.flatnonzero(np.isfinite(persons))
    saved = persons[rows]
    return Differences(
        model=one.model,
        strategy=one.strategy,
        contrast=Contrast(
            GAIN, other.strategy, one.strategy, "what it saves over the other", confirms=True
        ),
        measure="nll",
        among="",
        rows=rows,
        persons=saved,
        influence=saved,
        totals=saved * (better.responses.choices > 0).sum(1)[rows],
        sampled=worse.counts is not None or better.counts is not None,
        possible=possible_savings(worse, better, "nll")[rows],
        mass=min(worse.mass, better.mass),
    )
