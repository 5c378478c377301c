"""The human-likeness gap: how much worse people are predicted after post-training than before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from geppetto.evaluation.arrays import Floats, Integers
from geppetto.evaluation.contrasts import Contrast
from geppetto.evaluation.differences import Differences
from geppetto.evaluation.inference.infer import comparison_alone, judge
from geppetto.evaluation.inference.resampling import Estimate, Resampling, estimate, mean
from geppetto.evaluation.inference.verdicts import Verdict
from geppetto.evaluation.words import interval, number, p_value
from geppetto.models.lineage import Pair
from geppetto.planning.analysis_config import LEVEL, Analysis
from geppetto.planning.plan import NO_STRATEGY

GAP = "gap"
"""Name of the contrast of a post-trained model and its base."""


@dataclass(frozen=True, eq=False)
class PairDifferences:
    """The gap of a pair, person by person: L(post-trained) - L(base) without a persona.

    Positive if post-training made the participant worse predicted. The same as d over pooled
    responses is `published_d`; NaN if it was not computed.
    """

    pair: Pair
    differences: Differences
    published_d: float = float("nan")


@dataclass(frozen=True)
class Gap:
    """What the gap of a pair comes to; if positive, the base predicts people better."""

    pair: Pair
    verdict: Verdict
    published_d: float

    @property
    def nats(self) -> Estimate:
        """Mean over participants, in nats a response; positive if post-training predicts worse."""
        return self.verdict.effect.nats

    @property
    def among(self) -> str:
        return self.verdict.effect.among

    @property
    def outcome(self) -> str:
        """What post-training made of the model: less, more or equally human-like."""
        return self.verdict.found

    @property
    def sentence(self) -> str:
        effect, verdict = self.verdict.effect, self.verdict
        among = f", among {self.among}" if self.among else ""
        few = f" ({verdict.undecidable})" if verdict.undecidable else ""
        note = f" {self.pair.note}." if self.pair.note else ""
        worse = number(effect.improved.value, ".0%")
        return (
            f"{self.pair.post} is {self.outcome} against {self.pair.base}{among}{few}: "
            f"{interval(self.nats)} {verdict.unit_of_measure} a response ({verdict.confidence}), "
            f"{worse} of {effect.participants:,} people are predicted worse; "
            f"{p_value(verdict.p_adjusted)} ({verdict.test}) after {verdict.correction}, "
            f"equivalence {verdict.equivalence}.{note}"
        )


def published_d(worse: Floats, better: Floats) -> float:
    """Cohen's d of two sets of responses' NLL, as Binz et al. (2026) publish it.

    (mean(worse) - mean(better)) / sqrt((SD(worse)² + SD(better)²) / 2), with SDs over all
    responses of all participants of one study. Participants are no units of it and responses are
    not paired, so it has no interval; studies' d are averaged. They give it two signs: of a
    post-trained model (worse) and its base (better), positive says that post-training hurt; of no
    persona (worse) and a persona (better), positive says that the persona helped.

    Examples
    --------
    >>> import numpy as np
    >>> from geppetto.evaluation.pairs import published_d
    >>> published_d(np.array([2.0, 4.0]), np.array([1.0, 3.0]))
    1.0
    """
    one, other = (values[np.isfinite(values)] for values in (worse, better))
    spread = np.sqrt((one.var() + other.var()) / 2)
    return float((one.mean() - other.mean()) / spread) if spread > 0 else float("nan")


def pair_differences(  # noqa: PLR0913  what a gap is of, most of it by name
    pair: Pair,
    post: Floats,
    base: Floats,
    measure: str = "nll",
    *,
    trials: Integers,
    sampled: bool = False,
    among: str = "",
    rows: Integers | None = None,
    published_d: float = float("nan"),
    possible: Floats | None = None,
    mass: float = 1.0,
) -> PairDifferences:
    """The gap of a pair from each participant's mean NLL in nats by its models without a persona.

    It is over the same responses, of which there are so many `trials`; NaN for who has none.

    Raises
    ------
    ValueError
        If one model has a participant whom the other has not.
    """
    if (np.isfinite(post) != np.isfinite(base)).any():
        raise ValueError(f"{pair.post} and {pair.base} were not scored on the same participants")
    chosen = np.flatnonzero(np.isfinite(post))
    chosen = chosen if rows is None else np.intersect1d(chosen, rows)
    persons = (post - base)[chosen]
    words = ("less human-like", "more human-like", "equally human-like")
    contrast = Contrast(GAP, pair.post, pair.base, "what post-training lost", *words)
    return PairDifferences(
        pair,
        Differences(
            pair.post,
            NO_STRATEGY,
            contrast,
            measure,
            among,
            chosen,
            persons,
            persons,
            persons * trials[chosen],
            sampled=sampled,
            possible=None if possible is None else possible[chosen],
            mass=mass,
        ),
        published_d,
    )


def gaps(found: Sequence[PairDifferences], people: Resampling, analysis: Analysis) -> list[Gap]:
    """What gaps come to, corrected for each other (Benjamini & Hochberg 1995)."""
    people = replace(people, level=LEVEL / analysis.looks)
    tested = []
    for one in found:
        among = people.among(one.differences.rows)
        flipped = "signs flipped" if among.studies is None else "signs of studies flipped"
        tested.append(comparison_alone(one.differences, among, analysis, flipped))
    verdicts = judge(tested, analysis.smallest_effect, analysis.looks)
    return [
        Gap(one.pair, verdict, one.published_d)
        for one, verdict in zip(found, verdicts, strict=True)
    ]


def mean_gap(found: Sequence[PairDifferences], people: Resampling) -> Estimate:
    """The mean gap of several pairs, over the participants who have all of them.

    Pairs are taken as given: the interval is about other people with these models.

    Raises
    ------
    ValueError
        If not all pairs have the same participants.
    """
    rows = found[0].differences.rows
    if any(not np.array_equal(one.differences.rows, rows) for one in found):
        raise ValueError("the pairs were scored on different participants")
    persons = np.mean([one.differences.persons for one in found], axis=0)
    return estimate(mean, persons, people=people.among(rows))
