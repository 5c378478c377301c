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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import pandas as pd
from scipy import stats

from geppetto.elicitation.base import Outcome
from geppetto.evaluation.arrays import Floats, Integers
from geppetto.evaluation.contrasts import Contrast, contrasts
from geppetto.evaluation.inference.permutation import sign_flip_p
from geppetto.evaluation.inference.resampling import LEVEL, Estimate, Resampling, estimates, mean
from geppetto.evaluation.rows import CONDITION, rows_by
from geppetto.personas.arms import Average, Filler, Human, NoPersona
from geppetto.planning.analysis_config import Analysis
from geppetto.planning.plan import NO_STRATEGY, Condition

KEY = ["elicitation", *CONDITION]
NOBODYS = frozenset((NoPersona.name, Human.name, Average.name, Filler.name))
"""Arms whose texts are nobody's own."""


@dataclass(frozen=True, eq=False)
class Shares:
    """How often each outcome came of the replies to each person in a condition.

    Attributes
    ----------
    elicitation, condition
        How the model was asked, and with what.
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


@dataclass(frozen=True)
class OutcomeDifference:
    """How much more often an outcome came of replies in one arm than in another.

    Attributes
    ----------
    elicitation, model, strategy, contrast
        What is compared.
    outcome
        What became of replies, but for "answered", which is what the others leave.
    share_worse, share_better
        Its shares in the two arms.
    difference
        The second less the first, over the participants who have both; without an interval if both
        arms are fixed.
    p, p_adjusted
        Two-sided p of no difference, by flipping signs of whole people, and corrected for all
        outcomes of all contrasts, models and elicitations together by Benjamini & Hochberg (1995),
        as these differences explore, and for looks at these people; NaN if both arms are fixed.
    participants
        How many people have both.
    fixed
        Which of the two arms is fixed: people share its replies, so that the other one's people are
        compared with just these.
    """

    elicitation: str
    model: str
    strategy: str
    contrast: Contrast
    outcome: str
    share_worse: float
    share_better: float
    difference: Estimate
    p: float
    p_adjusted: float
    participants: int
    fixed: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Compliance:
    """What became of the replies of an experiment.

    Attributes
    ----------
    outcomes
        Those that occur, in the order in which they are listed.
    shares
        Of each condition in each elicitation.
    people
        How the participants are drawn.
    """

    outcomes: tuple[str, ...]
    shares: tuple[Shares, ...]
    people: Resampling

    @classmethod
    def of(cls, completions: pd.DataFrame, analysis: Analysis) -> Compliance:
        """What became of these rows of `geppetto.answers.completions_table`."""
        firsts = completions.drop_duplicates("participant").sort_values("participant")
        names = pd.Index(firsts["participant"])
        groups = pd.factorize(firsts["cluster"])[0]
        alone = np.arange(len(names)) + groups.max() + 1
        people = Resampling.of(
            len(names),
            base=firsts["weight"].to_numpy(float) if analysis.weighted else None,
            clusters=np.where(groups < 0, alone, groups),
            draws=analysis.draws,
            seed=analysis.seed,
            level=LEVEL,
        )
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

    def table(self) -> pd.DataFrame:
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
                    | {"participants": len(known), "share": share.value}
                    | {"share_low": share.low, "share_high": share.high}
                )
        return pd.DataFrame(rows)

    def differences(self, analysis: Analysis) -> list[OutcomeDifference]:
        """How much every two arms that are contrasted differ in every outcome that came of one."""
        found = [
            difference
            for worse, better, strategy, contrast in self._contrasted()
            for difference in self._different(worse, better, strategy, contrast, analysis)
        ]
        p = np.array([one.p for one in found])
        if (tested := np.isfinite(p)).any():
            p[tested] = stats.false_discovery_control(p[tested])
        adjusted = np.minimum(1.0, analysis.looks * p).tolist()
        return [replace(one, p_adjusted=value) for one, value in zip(found, adjusted, strict=True)]

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
    ) -> Iterator[OutcomeDifference]:
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
            yield OutcomeDifference(
                better.elicitation,
                better.condition.model,
                strategy,
                contrast,
                outcome,
                float(shares[0][place]),
                float(shares[1][place]),
                found[place],
                float(p[place]),
                float(p[place]),
                len(rows),
                fixed,
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


def differences_table(found: Sequence[OutcomeDifference]) -> pd.DataFrame:
    """A row a contrast and outcome."""
    told = {
        "elicitation": [one.elicitation for one in found],
        "model": [one.model for one in found],
        "strategy": [one.strategy for one in found],
        "effect": [one.contrast.name for one in found],
        "worse": [one.contrast.worse for one in found],
        "better": [one.contrast.better for one in found],
        "outcome": [one.outcome for one in found],
        "share_worse": [one.share_worse for one in found],
        "share_better": [one.share_better for one in found],
        "difference": [one.difference.value for one in found],
        "difference_low": [one.difference.low for one in found],
        "difference_high": [one.difference.high for one in found],
        "p": [one.p for one in found],
        "p_adjusted": [one.p_adjusted for one in found],
        "participants": [one.participants for one in found],
        "fixed": [", ".join(one.fixed) for one in found],
    }
    return pd.DataFrame(told)
