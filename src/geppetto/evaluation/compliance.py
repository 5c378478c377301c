"""What became of replies, as an outcome: its shares in every condition, and how arms differ in it.

The unit is the participant: the share of an outcome is the mean over people of its share of each
one's answers. An answer counts as one, however many replies it took: see `Reading.parts`. A reply
to a persona counts for the person whose persona it is, since that, and not who is predicted,
decides what is replied; if that person does not take part, for the one they stand in for.

Where nothing is drawn, people who are put the same text have one reply, and more of them say no
more about it. In own personas, that is how people are; of a text that is nobody's own it is the
same few replies whoever is asked. So shares in such an arm have no interval over people, and it is
fixed in a comparison: tests and intervals are over the people of the other arm, given these texts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import pandas as pd
from scipy import stats

from geppetto.elicitation.base import Outcome
from geppetto.evaluation.arrays import Floats, Integers
from geppetto.evaluation.contrasts import Contrast, contrasts
from geppetto.evaluation.frames import Row, frame, picked
from geppetto.evaluation.inference.permutation import sign_flip_p
from geppetto.evaluation.inference.resampling import Estimate, Resampling, drawn, estimates, mean
from geppetto.evaluation.predictions import clusters
from geppetto.evaluation.rows import CONDITION, rows_by
from geppetto.personas.arms import Average, Filler, Human, NoPersona
from geppetto.planning.analysis_config import LEVEL, Analysis
from geppetto.planning.plan import NO_STRATEGY, Condition

KEY = ["elicitation", *CONDITION]
NOBODYS = frozenset((NoPersona.name, Human.name, Average.name, Filler.name))
"""Arms whose texts are nobody's own."""


_DIFFERENCES = [
    *("elicitation", "model", "strategy", "effect", "worse", "better", "outcome"),
    *("share_worse", "share_better", "difference", "difference_low", "difference_high"),
    *("p", "p_adjusted", "participants", "fixed"),
]
"""Columns of differences."""


@dataclass(frozen=True, eq=False)
class Shares:
    """How often each outcome came of the replies to each person in a condition.

    Attributes
    ----------
    counts
        Replies of each outcome, shape (outcomes,), each counted once however many answers it
        serves; errors are an outcome.
    errors
        How many of these are no replies: requests that failed for good.
    answers
        Answers of each participant that came to each outcome, shape (participants, outcomes); each
        reply is a part of its answer.
    fixed
        Whether people share replies to texts that are nobody's own.
    """

    elicitation: str
    condition: Condition
    counts: Integers
    errors: int
    answers: Floats
    fixed: bool

    @property
    def of_people(self) -> Floats:
        """Shares of each participant's answers, as in `answers`; NaN without a reply."""
        total = self.answers.sum(1, keepdims=True)
        return np.where(total > 0, self.answers / np.where(total > 0, total, 1), np.nan)


@dataclass(frozen=True, eq=False)
class Compliance:
    """What became of the replies of an experiment."""

    outcomes: tuple[str, ...]
    shares: tuple[Shares, ...]
    people: Resampling

    @classmethod
    def of(cls, completions: pd.DataFrame, analysis: Analysis) -> Compliance:
        """What became of these rows of `geppetto.answers.completions_table`."""
        firsts = completions.drop_duplicates("participant").sort_values("participant")
        names = pd.Index(firsts["participant"])
        weight, cluster = firsts["weight"].to_numpy(float), clusters(firsts["cluster"])
        people = drawn(weight, cluster, analysis)
        seen = set(completions["outcome"])
        outcomes = tuple(outcome for outcome in get_args(Outcome) if outcome in seen)
        first = ~completions.duplicated([*KEY, "completion"]).to_numpy()
        failed = (completions["error"] != "").to_numpy()
        became = pd.Index(outcomes).get_indexer(completions["outcome"])
        whose = completions["donor"].where(
            completions["donor"].isin(names), completions["participant"]
        )
        cell = names.get_indexer(whose) * len(outcomes) + became
        part = completions["part"].to_numpy(float)
        serves = completions.groupby([*KEY, "request"], sort=False)["participant"].transform(
            "nunique"
        )
        shared = (serves > 1).to_numpy()

        def answers(rows: Integers) -> Floats:
            size = len(names) * len(outcomes)
            sums = np.bincount(cell[rows], weights=part[rows], minlength=size)
            return sums.reshape(len(names), len(outcomes)).astype(float)

        shares = tuple(
            Shares(
                elicitation,
                Condition(*condition),
                np.bincount(became[rows[first[rows]]], minlength=len(outcomes)),
                int((first & failed)[rows].sum()),
                answers(rows),
                condition[-1] in NOBODYS and bool(shared[rows].any()),
            )
            for (elicitation, *condition), rows in rows_by(completions, KEY)
        )
        return cls(outcomes, shares, people)

    def to_frame(self) -> pd.DataFrame:
        """A row an elicitation, condition and outcome; see `Results.compliance`."""
        rows = []
        for one in self.shares:
            came = int(one.counts.sum()) - one.errors
            known = np.flatnonzero(one.answers.sum(1) > 0)
            for place, outcome in enumerate(self.outcomes):
                share = share_of(one.of_people[known, place], self.people.among(known))
                if one.fixed:
                    share = replace(share, low=np.nan, high=np.nan)
                rows.append(
                    {"elicitation": one.elicitation, **one.condition._asdict(), "outcome": outcome}
                    | {"count": int(one.counts[place]), "replies": came, "errors": one.errors}
                    | {"participants": len(known), "share": share}
                )
        return frame(rows)

    def differences(self, analysis: Analysis) -> pd.DataFrame:
        """How much more often each outcome came in one arm than in another: a row each.

        The difference is over the participants who have both, and has no interval if both arms are
        fixed; an arm is `fixed` if people share its replies, so that the other one's people are
        compared with just these. All outcomes but "answered", which is what the others leave. p is
        that of no difference, two-sided, by flipping signs of whole people (NaN if both arms are
        fixed); `p_adjusted` is corrected for all rows by Benjamini & Hochberg (1995), as these
        differences explore, and for looks at these people.
        """
        rows = [
            row
            for worse, better, strategy, contrast in self._contrasted()
            for row in self._different(worse, better, strategy, contrast, analysis)
        ]
        if not rows:
            return pd.DataFrame(columns=_DIFFERENCES, dtype=float)
        found = frame(rows, _DIFFERENCES)
        p = found["p"].to_numpy(float, copy=True)
        if (tested := np.isfinite(p)).any():
            p[tested] = stats.false_discovery_control(p[tested])
        return found.assign(p_adjusted=np.minimum(1.0, analysis.looks * p))

    def _contrasted(self) -> Iterator[tuple[Shares, Shares, str, Contrast]]:
        found = {(one.elicitation, one.condition): one for one in self.shares}
        wanted = dict.fromkeys((e, c.model, c.strategy) for e, c in found)
        for elicitation, model, strategy in wanted:
            if strategy == NO_STRATEGY:
                continue
            arms = {
                c.arm: one
                for (e, c), one in found.items()
                if (e, c.model) == (elicitation, model)
                and (c.strategy == strategy or (c.strategy, c.arm) == (NO_STRATEGY, "none"))
            }
            for contrast in contrasts(list(arms)):
                yield arms[contrast.worse], arms[contrast.better], strategy, contrast

    def _different(
        self,
        worse: Shares,
        better: Shares,
        strategy: str,
        contrast: Contrast,
        analysis: Analysis,
    ) -> Iterator[Row]:
        persons = better.of_people - worse.of_people
        rows = np.flatnonzero(np.isfinite(persons).all(1))
        if not len(rows):
            return
        people = replace(self.people.among(rows), level=LEVEL / analysis.looks)
        persons = persons[rows]
        found = estimates(mean, persons, people=people, method=analysis.intervals_of_levels)
        p = sign_flip_p(persons, people, seed=analysis.seed)
        fixed = tuple(one.condition.arm for one in (worse, better) if one.fixed)
        if len(fixed) == 2:
            found = [replace(one, low=np.nan, high=np.nan) for one in found]
            p = np.full(len(p), np.nan)
        weights = people.sample[0]
        shares = [np.average(one.of_people[rows], 0, weights) for one in (worse, better)]
        for place, outcome in enumerate(self.outcomes):
            if outcome == "answered" or not (shares[0][place] or shares[1][place]):
                continue
            yield (
                {"elicitation": better.elicitation, "model": better.condition.model}
                | {"strategy": strategy, "effect": contrast.name, "outcome": outcome}
                | picked(contrast, "worse", "better")
                | {"share_worse": shares[0][place], "share_better": shares[1][place]}
                | {"difference": found[place], "p": p[place], "participants": len(rows)}
                | {"fixed": ", ".join(fixed)}
            )


def share_of(values: Floats, people: Resampling) -> Estimate:
    """A mean share with its interval over people.

    Where all people have a share of 0, or all of 1, no resample varies; then the interval ends
    where a share of people that is never seen in so many of them could be (Clopper & Pearson 1934).
    """
    (found,) = estimates(mean, values, people=people)
    unseen = 1 - (people.level / 2) ** (1 / people.units)
    if (values == 0).all():
        return Estimate(0.0, 0.0, unseen)
    if (values == 1).all():
        return Estimate(1.0, 1 - unseen, 1.0)
    return found
