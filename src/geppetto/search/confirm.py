"""The winner on people who had no part in choosing it, beside the reference strategies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from geppetto._util.errors import GeppettoError
from geppetto._util.named import Named
from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.inference.resampling import Estimate, Resampling, estimate, mean
from geppetto.evaluation.inference.verdicts import Verdict
from geppetto.evaluation.results import Results
from geppetto.evaluation.words import interval
from geppetto.experiment.prepare import prepare_on, strategies_of
from geppetto.planning.analysis_config import LEVEL
from geppetto.planning.config import Experiment
from geppetto.planning.elicited import by_likelihood
from geppetto.planning.plan import Strategy
from geppetto.planning.prepared import Prepared
from geppetto.planning.search_config import DIRECTIONS
from geppetto.prompts.survey import Layout
from geppetto.reports.text import conclusion
from geppetto.search.gain import Gain, gains
from geppetto.search.optimism import SelectionOptimism, selection_optimism
from geppetto.search.prepare import PreparedSearch
from geppetto.search.result import SearchResult
from geppetto.search.scoring import Candidate

WINNER = "winner"
"""What the winner is called in the tables of its confirmation."""

DONORS = 9
"""Strangers for each test person in a confirmation whose experiment names no arms, or all others
if they are fewer."""


@dataclass(frozen=True, eq=False)
class Confirmation:
    """What test people say of a search's winner.

    Examples
    --------
    >>> import geppetto
    >>> confirmation = geppetto.run_search("experiments/bfi_search.yaml")  # doctest: +SKIP
    >>> confirmation.confirmed, confirmation.optimism  # doctest: +SKIP

    Attributes
    ----------
    results
        The whole ladder of arms on test people, the winner under the label `WINNER`.
    references
        Labels of the strategies that it is compared with.
    dropped
        Why test people were left out of every arm, by their id.
    failures
        What of all this could not be logged to MLflow, in a sentence each.
    """

    search: SearchResult
    results: Results
    references: tuple[str, ...]
    dropped: Mapping[str, str] = field(default_factory=dict)
    failures: tuple[str, ...] = ()

    @property
    def looks(self) -> int:
        """What p-values are multiplied by for earlier looks at any of these people."""
        return self.results.analysis.looks

    @property
    def objective(self) -> str:
        """What was searched for, or the first of it."""
        return next(iter(self.search.objectives))

    @property
    def _sign(self) -> int:
        return 1 if DIRECTIONS[self.objective] == "maximize" else -1

    @cached_property
    def searched(self) -> float:
        """The winner's score on the people who chose it."""
        scores = self.search.scores[self.objective]
        return float(scores.loc[[self.search.best[0]]].to_numpy().mean())

    @cached_property
    def confirmed(self) -> Estimate:
        """The winner's score on test people."""
        return self._estimate(self._values(WINNER))

    @property
    def optimism(self) -> float:
        """By how much the winner was better where it was chosen."""
        return self._sign * (self.searched - self.confirmed.value)

    @cached_property
    def selection_optimism(self) -> SelectionOptimism | None:
        """What the search's own people say of the winner's luck; None for a single trial."""
        scores = self.search.scores[self.objective]
        people = [self.results.study.people[name] for name in scores.columns]
        clusters = [person.cluster or f"alone {person.id}" for person in people]
        drawn = Resampling.of(
            len(people),
            clusters=np.unique(clusters, return_inverse=True)[1],
            draws=self.results.analysis.draws,
            seed=self.results.analysis.seed,
        )
        return selection_optimism(scores.to_numpy(), drawn, DIRECTIONS[self.objective])

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """The verdicts on what the winner is worth, of those whose arms were asked."""
        return [verdict for verdict in self._verdicts(WINNER).values() if verdict.confirmatory]

    @cached_property
    def versus(self) -> list[Gain]:
        """The winner against each reference, by the NLL of people's own personas."""
        wanted = {name: f"{name} (asked in the winner's layout)" for name in self.references}
        return gains(self.results, WINNER, "the winner", wanted)

    def beside(self, reference: str) -> Estimate:
        """By how much the winner's score is better than a reference's, on test people."""
        return self._estimate(self._sign * (self._values(WINNER) - self._values(reference)))

    @property
    def sentences(self) -> list[str]:
        """What came out, in words: the winner, its luck, its rivals, and the conclusion last."""
        search, objective = self.search, self.objective
        complete = len(search.scores[objective])
        unfinished = ""
        if (search.trials["state"] == "pruned").any():
            unfinished = " Trials that were given up are not in this, so it is rather too little."
        sentences = [
            f"Winner of {len(search.trials):,} trials: "
            f"{described(search.winner.strategy.label, search.winner.layout)}.",
            f"Its mean {objective}: {self.searched:+.4f} for the {len(search.search):,} people it "
            f"was chosen on, and {interval(self.confirmed)} for {len(self._people):,} others. "
            f"Its optimism, what its score flatters it by where it was chosen, is "
            f"{self.optimism:+.4f}.",
        ]
        if len(search.objectives) > 1:
            front = len(search.best)
            sentences.append(
                f"Where it was chosen, it is the best by {objective} of the {front:,} "
                f"trial{'s' * (front > 1)} that no other beats in "
                f"{' and '.join(search.objectives)} at once."
            )
        if missing := len(search.test) - len(self._people):
            sentences.append(
                f"Of {len(search.test):,} people kept for confirmation {missing:,} could not take "
                f"part: {self._left_out}."
            )
        if complete > 1:
            means = search.scores[objective].mean(axis=1)
            sentences.append(
                f"The {complete:,} trials that were finished scored from {means.min():+.4f} to "
                f"{means.max():+.4f}, half of them below {means.median():+.4f}."
            )
        if search.importances:
            shares = [f"{name} {share:.0%}" for name, share in search.importances.items()]
            sentences.append(
                f"What made the difference among them (PED-ANOVA): {', '.join(shares[:5])}."
            )
        if (chance := self.selection_optimism) is not None:
            distinct = len(search.scores[objective].drop_duplicates())
            sentences.append(
                f"Choosing again among people drawn anew from those it was chosen on, one would "
                f"expect an optimism of {chance.optimism:+.4f}; the best of {distinct:,} "
                f"equally good candidates would seem {chance.best_of_equals:.4f} better than "
                f"it is by luck alone. The same candidate won in {chance.chosen_again:.0%} of "
                f"draws.{unfinished}"
            )
        if self.references and objective != "nll":
            shown = [f"{name}: {interval(self.beside(name))}" for name in self.references]
            sentences.append(
                f"Its mean {objective} beside that of the strategies it is compared with, "
                f"positive if better, of which nothing is claimed: {'; '.join(shown)}."
            )
        sentences += [one.sentence for one in self.versus]
        if looks := self.results.looks.sentence:
            sentences.append(looks)
        sentences += [verdict.sentence for verdict in self.verdicts]
        return [*sentences, conclusion(self.verdicts)] if self.verdicts else sentences

    @property
    def conclusion(self) -> str:
        """The verdicts, or if there are none, the winner's scores."""
        return conclusion(self.verdicts) if self.verdicts else self.sentences[1]

    @property
    def _left_out(self) -> str:
        reasons = Counter(self.dropped.values())
        unscored = len(self.search.test) - len(self._people) - len(self.dropped)
        if unscored:
            reasons["without an answer that could be scored in every arm"] = unscored
        return "; ".join(f"{count:,} {why}" for why, count in reasons.items())

    @property
    def _people(self) -> tuple[str, ...]:
        return self.results.predictions[0].responses.participants

    def _estimate(self, values: Floats) -> Estimate:
        people = replace(self.results.resampling, level=LEVEL / self.looks)
        return estimate(mean, values, people=people, method=self.results.analysis.intervals)

    def _verdicts(self, strategy: str) -> dict[str, Verdict]:
        """The verdicts on a strategy over all people and items, by their contrasts."""
        return {
            verdict.effect.contrast.name: verdict
            for verdict in self.results.verdicts()
            if verdict.effect.strategy == strategy
        }

    def _values(self, strategy: str) -> Floats:
        """What each test person adds to a strategy's mean score, shape (participants,)."""
        if self.objective == "information":
            return self._verdicts(strategy)["information"].effect.differences.influence
        of_people = self.results.metrics(by="participant")
        table = self.results.answers if self.objective == "tokens" else of_people
        own = table[(table["strategy"] == strategy) & (table["arm"] == "own")]
        means = own.groupby("participant")[self.objective].mean()
        return means.loc[list(self._people)].to_numpy(float)


def described(label: str, layout: Layout) -> str:
    """A candidate in one line, with what its layout has beside the defaults."""
    fields = layout.model_dump(exclude_defaults=True).items()
    return " · ".join([label, *(f"{name} {value}" for name, value in fields)])


def check_confirmation(prepared: PreparedSearch, beside: Sequence[Strategy] = ()) -> list[Prepared]:
    """Refuse before the search what would keep any winner from being confirmed after it.

    Returns the plan of the references, if there are any, of which something may be `pending`. The
    winner is compared with strategies `beside` as well as with those of the experiment.

    Raises
    ------
    GeppettoError
        If the experiment lacks an arm, or a reference does not fit the arms or the test people.
    """
    experiment = _confirming(prepared, prepared.experiment.layout)
    people = [prepared.study.people[name] for name in prepared.split.test]
    references = _references(prepared, beside)
    if not references:
        return []
    return [
        prepare_on(people, experiment, prepared.study, references, [by_likelihood(prepared.model)])
    ]


def prepare_confirmation(
    prepared: PreparedSearch, best: Candidate, beside: Sequence[Strategy] = ()
) -> Prepared:
    """The plan of the winner and the references on test people.

    All are asked in the winner's layout, so that they differ in nothing but the persona.

    Raises
    ------
    GeppettoError
        If the winner or a reference does not fit the arms or the test people.
    """
    winner = Strategy(best.strategy.name, WINNER, best.strategy.rule)
    listed = _references(prepared, beside)
    references = [each for each in listed if not each.is_the_same_as(winner)]
    experiment = _confirming(prepared, best.layout)
    people = [prepared.study.people[name] for name in prepared.split.test]
    return prepare_on(
        people, experiment, prepared.study, [winner, *references], [by_likelihood(prepared.model)]
    )


def _references(prepared: PreparedSearch, beside: Sequence[Strategy]) -> list[Strategy]:
    """The strategies of the experiment, and those beside that are not among them."""
    listed = strategies_of(prepared.experiment, prepared.workspace)
    return [
        *listed,
        *(one for one in beside if not any(one.is_the_same_as(other) for other in listed)),
    ]


def _ladder(people: int) -> tuple[Named, ...]:
    """The arms of a confirmation whose experiment names none."""
    shuffled = {"shuffled": {"donors": min(DONORS, people - 1)}}
    arms = ("none", "filler", "human", "average", shuffled, "own")
    return tuple(map(Named.model_validate, arms))


def _confirming(prepared: PreparedSearch, layout: Layout) -> Experiment:
    """The experiment that confirms, in a layout."""
    arms = prepared.experiment.arms or _ladder(len(prepared.split.test))
    objectives = prepared.settings.objective
    for arm in ("own", *(["shuffled"] if "information" in objectives else [])):
        if arm not in {each.name for each in arms}:
            raise GeppettoError(
                f"arms: the winner's {objectives[0]} is confirmed with the arm {arm}, which is "
                "not among them; add it"
            )
    return prepared.experiment.model_copy(update={"layout": layout, "arms": arms})
