"""What a persona changed: paired differences between arms, person by person."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from geppetto.evaluation.contrasts import Contrast
from geppetto.evaluation.differences import Differences
from geppetto.evaluation.inference.moments import share_positive, standardised_mean, worst_tenth
from geppetto.evaluation.inference.resampling import Estimate, Resampling, estimates, mean
from geppetto.planning.analysis_config import Method


@dataclass(frozen=True)
class Effect:
    """What a contrast comes to, over participants.

    Attributes
    ----------
    nats, nats_per_person
        Mean over participants of the difference in nats a response, positive is better; and of the
        difference summed over all of a person's responses.
    d_z
        `nats` over the standard deviation of what participants contribute to it (their Hoeffding
        projection: what a person answers, and what their persona does to others). It is the size of
        the effect among people, whatever strangers were drawn; the interval of `nats` also counts
        that few were, so that with one stranger each it is longer than d_z says.
    improved
        Share of participants for whom a persona did better than that of a stranger on average over
        all of these. It is not of contributions: nobody fares better by what their persona does to
        others.
    worst_tenth
        Mean difference, in nats a response, of the tenth of participants that fares worst. The
        fewer responses a person has, the more of it is chance.

    Notes
    -----
    In sessions, of samples and with matched strangers, only the strangers who were drawn are known:
    the fewer, the smaller d_z, and the closer `improved` to a half.

    `improved` and `worst_tenth` have no interval (their ends are NaN) in contrasts with
    strangers' personas other than information: people who are shown the same personas do not
    differ independently. Elsewhere the interval of `worst_tenth` is rough: with 80 to 200 people
    it covers 83 to 89%.

    Over several wordings the intervals of `nats` and `nats_per_person` also count which wordings
    were drawn, see `OverWordings.interval`; the others are of these wordings.
    """

    differences: Differences
    nats: Estimate
    nats_per_person: Estimate
    d_z: Estimate
    improved: Estimate
    worst_tenth: Estimate

    @property
    def answers_question(self) -> bool:
        """Whether it answers the question, if its measure does."""
        return self.contrast.confirms and not self.among

    def is_confirmatory(self, measures: Collection[str] = ("nll",)) -> bool:
        """Whether it answers the question, in one of these measures, which do."""
        decides = self.measure in measures and not self.differences.smoothed
        return self.answers_question and decides

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
    def reach(self) -> float:
        """How much anybody could have lost, whatever they had responded; gained, if nats are lost.

        Infinite if that is not known.
        """
        possible = self.differences.possible
        if possible is None:
            return float("inf")
        return float(-possible[:, 0].min() if self.nats.value > 0 else possible[:, 1].max())

    @property
    def among(self) -> str:
        return self.differences.among


def effects(
    found: Sequence[Differences], people: Resampling, method: Method = "percentile"
) -> list[Effect]:
    """Contrasts over participants, with 95% intervals of the same draws of people.

    The lower end of benefit is the lowest of those against every prediction that could have been
    chosen: an interval that takes the choice as given is too short where several are about equally
    good (it covers 90 to 94%).
    """
    made: dict[int, Effect] = {}
    for same in alike(found):
        parts = [found[number] for number in same]
        drawn = people.among(parts[0].rows)
        contributions = np.stack([part.influence for part in parts], axis=1)
        totals = np.stack([part.totals for part in parts], axis=1)
        typical, projections = np.stack([part.of_each for part in parts], axis=2)
        columns = [
            estimates(statistic, *values, people=drawn, method=method)
            for statistic, *values in (
                (mean, contributions),
                (mean, totals),
                (standardised_mean, contributions, projections),
                (share_positive, typical),
                (worst_tenth, typical),
            )
        ]
        for number, part, nats, total, d_z, improved, worst in zip(
            same, parts, *columns, strict=True
        ):
            if part.rivals is not None:
                against = estimates(mean, part.rivals, people=drawn, method=method)
                nats = replace(nats, low=min([nats.low, *(one.low for one in against)]))
            if part.people_share_personas:
                improved, worst = (Estimate(e.value, np.nan, np.nan) for e in (improved, worst))
            if over := part.over_wordings(drawn):
                nats = over.interval(nats, people.level)
            if over := part.over_wordings(drawn, summed=True):
                total = over.interval(total, people.level)
            made[number] = Effect(part, nats, total, d_z, improved, worst)
    return [made[number] for number in range(len(found))]


def alike(found: Sequence[Differences]) -> list[list[int]]:
    """Numbers of the contrasts that are of the same participants."""
    groups: dict[bytes, list[int]] = {}
    for number, difference in enumerate(found):
        groups.setdefault(difference.rows.tobytes(), []).append(number)
    return list(groups.values())
