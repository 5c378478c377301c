"""What an experiment found: every number of an evaluation, from one table of answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import pandas as pd

from geppetto._util.errors import unknown
from geppetto.evaluation.baselines.rows import MARGINALS
from geppetto.evaluation.baselines.skill import Skill, skills
from geppetto.evaluation.calibration.reliability import Reliability, reliability, top_options
from geppetto.evaluation.ceilings import (
    construct_fits,
    normalised_accuracy,
    retest,
    second_responses,
)
from geppetto.evaluation.compared import along, by_change
from geppetto.evaluation.compliance import Compliance
from geppetto.evaluation.elicited import (
    ByElicitation,
    agreement_table,
    elicitations_table,
    on_common_cells,
)
from geppetto.evaluation.individuation.matching import Identification, identification
from geppetto.evaluation.individuation.statistics import individuation
from geppetto.evaluation.judged import Judged
from geppetto.evaluation.measures import MEASURES, Measure
from geppetto.evaluation.metrics import condition_metrics, item_metrics, participant_metrics
from geppetto.evaluation.pairs.found import pair_gaps, pair_recoveries, pairs_found
from geppetto.evaluation.pairs.gap import Gap, gaps
from geppetto.evaluation.pairs.recovery import PersonaRecovery
from geppetto.evaluation.predictions import Predictions
from geppetto.evaluation.tables import (
    calibration_table,
    ceilings_table,
    changes_table,
    effects_table,
    gaps_table,
    identification_table,
    individuation_table,
    recoveries_table,
    second_opinion_table,
    skill_table,
    wordings_table,
)
from geppetto.models.lineage import Pair
from geppetto.planning.plan import BASELINE, Condition

if TYPE_CHECKING:
    from geppetto.reports.plots import Plots

By = Literal["condition", "participant", "item"]

__all__ = ["MEASURES", "Measure", "Results"]


@dataclass(frozen=True, eq=False)
class Results(Judged):
    """What an experiment found. Everything is computed from `answers` when it is first asked for.

    `Scored` has its attributes, and the answers that everything here is computed from; `Judged` has
    the verdicts.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from geppetto.evaluation import Results
    >>> from geppetto.evaluation.baselines.habit import as_predicted
    >>> from geppetto.planning.analysis_config import Analysis
    >>> from geppetto.studies import load_study
    >>> cell = {"item": "A1", "trial": 0, "options": ("1", "2"), "ordinal": True, "response": "1"}
    >>> of_all = {"weight": 1.0, "cluster": None, "history": "", "presentation": ""}
    >>> cells = pd.DataFrame([{"participant": person, **cell, **of_all} for person in "ab"])
    >>> said = as_predicted(cells, "interview", np.log([[0.8, 0.2], [0.5, 0.5]]))
    >>> answers = said.assign(model="m", arm="own")
    >>> found = Results("Is it so?", load_study("bfi"), Analysis(), answers, {"interview": ()})
    >>> found.metrics()[["model", "strategy", "arm", "participants", "accuracy"]].values.tolist()
    [['m', 'interview', 'own', 2, 0.75]]
    """

    @property
    def plot(self) -> Plots:
        """The figures: `results.plot.effects()` and others.

        They are imported here since reports are made from results, and not the other way round.
        """
        from geppetto.reports.plots import Plots

        return Plots(self)

    def metrics(self, by: By = "condition") -> pd.DataFrame:
        """Metrics of each condition, or of each participant or item under each condition.

        Conditions have 95% intervals; see `cell_metrics` for the columns. Sessions share no items.
        """
        match by:
            case "condition":
                return self._conditions.copy()
            case "participant":
                return self._participants[self._participants["trials"] > 0].reset_index(drop=True)
            case "item":
                return item_metrics(self.predictions)
        raise unknown("by", by, ("condition", "participant", "item"))

    @cached_property
    def _participants(self) -> pd.DataFrame:
        return participant_metrics(self.predictions)

    @cached_property
    def _conditions(self) -> pd.DataFrame:
        return condition_metrics(
            self._participants, self.resampling, self.analysis.intervals_of_levels
        )

    def effects(self, by: str | None = None, measure: Measure | None = None) -> pd.DataFrame:
        """Every contrast between arms with its intervals, tests and verdict, a row each.

        Parameters
        ----------
        by
            None for all people and items together; "item" for every item; "paraphrase" for every
            wording; or the name of a trait, for the people of each of its values (a number: up to
            its median and above); whether these differ is one question, which `changes` answers. Of
            sessions also "position" for the first, next and later responses, "history" and
            "presentation".
        measure
            By default the one that decides for each model, see `decided_by`. "nll" over the legal
            options, "nll_full" over everything the model could say; or over the options after
            calibration: "nll_calibrated" with one temperature for a model, "nll_each_calibrated"
            with one for each of its conditions, so that no arm gains by being surer or less sure.
            Temperatures are fitted on other people; intervals of "nll_calibrated" over everything
            vary as they would, all others take them as given, and so do those of the arm `matched`.
            "brier" is the Brier score, which samples tell without bias; then columns named nats are
            of it, without cells of fewer than two samples (`without_brier`). The NLL of samples is
            smoothed, which may turn the sign of an effect: it has no p and no verdict.

        Notes
        -----
        Contrasts with the arm `matched` are of the people who have a match, `participants`;
        `without_match` is how many have none, and `matched` in what strangers are like them.

        `lowest` and `highest` are what the effect could be given what models did not say, over all
        planned cells, and from `bounds_low` to `bounds_high` is a 95% interval of all of that;
        `accuracy_lowest` and so on are the same of how much more accurate the better arm is, see
        `geppetto.evaluation.bounds`. `survives_bounds` says whether `verdict` holds anywhere in
        that interval, which is not corrected for the family; one that is undecided always does.
        They are not computed `by` parts, and in measures other than "nll" and "brier" they are
        infinite where anything was not said. `withheld` says why nothing can be called equivalent
        to nothing, if so. `noise` is by how many nats rounding changes an answer of the model, on
        average; NaN if that was not measured.
        """
        return effects_table(self.verdicts(by, measure), self.noise)

    def changes(self, by: str, measure: Measure | None = None) -> pd.DataFrame:
        """How much every contrast differs between parts, a row each, with 95% intervals.

        Whether an effect differs between groups is this one test, and not a verdict in each.
        `measure` is as of `effects`.

        Parameters
        ----------
        by
            The name of a trait: between the people of each of its values, see `interactions`;
            "item": from all other items to each, person by person. Of sessions also "history": from
            the shortest to every other one, person by person, which says whether a persona still
            adds something once the model has read what the person did; "presentation": from the
            first to every other one, of models that were asked in both; "position": with each
            doubling of a response's number.
        """
        return changes_table(by_change(self, by, measure or self.measure))

    @property
    def along(self) -> tuple[str, ...]:
        """By what effects of sessions can be followed: position, and what was asked in several."""
        return along(self)

    def wordings(self) -> pd.DataFrame:
        """How much every contrast differs between wordings, a row each; empty if there is one.

        `sd` is the standard deviation between wordings of the mean over people, in nats a response,
        from `lowest` to `highest`, and `same_sign` says whether it has one sign in all of them.
        """
        told = []
        for verdict in self.verdicts():
            one = verdict.effect.differences
            if over := one.over_wordings(self.resampling.among(one.rows)):
                told.append((one, over))
        return wordings_table(told)

    def by_elicitation(self) -> pd.DataFrame:
        """How good each elicitation is, a row a model, elicitation, strategy and arm.

        `accuracy`, `nll`, `brier` and `option_mass` with 95% intervals, and `ece`, on the `cells`
        that all elicitations of the model scored in all conditions; `unscored`, the share of all
        planned answers that could not be read; `floored`, the share of those that could whose real
        response was given nothing, so that what it costs is a convention (see `Stated`); and means
        an answer of `cost` in dollars (NaN where a price is not known), `prompt_tokens` and
        `completion_tokens`.
        """
        answers = self.in_slice(self.answers)
        return elicitations_table(self._on_common_cells, answers, self.completions, self.analysis)

    def agreement(self) -> pd.DataFrame:
        """Whether elicitations of a model say the same, a row a condition and two of them.

        On the cells of `by_elicitation`: `same_top`, the share whose most probable option is the
        same (of options that tie, one by chance); `distance`, the mean total variation distance;
        `r_within_items`, the correlation of expected responses over people within items (and
        wordings), which the means of items have no part in: whether two elicitations say the same
        of people; all with 95% intervals over people.
        """
        return agreement_table(self._on_common_cells, self.analysis)

    @cached_property
    def _on_common_cells(self) -> ByElicitation:
        return on_common_cells(self.in_slice(self.answers))

    def compliance(self) -> pd.DataFrame:
        """What became of all replies: a row an elicitation, condition and outcome.

        `count` of so many `completions` that came and `errors` that did not, each counted once in a
        condition however many answers it serves; and `share`, the mean over people of its share of
        their answers, with a 95% interval. There is no interval where people share replies to texts
        that are nobody's own. Empty if replies were not kept.
        """
        return self._compliance.to_frame() if self._compliance else pd.DataFrame()

    def compliance_differences(self) -> pd.DataFrame:
        """How much arms differ in what became of replies: a row a contrast and outcome.

        `difference` is the share in `better` less that in `worse`, see `Compliance.differences`;
        there is none if replies were not kept.
        """
        return self._compliance.differences(self.analysis) if self._compliance else pd.DataFrame()

    @cached_property
    def _compliance(self) -> Compliance | None:
        return Compliance.of(self.completions, self.analysis) if len(self.completions) else None

    @cached_property
    def pairs(self) -> list[Pair]:
        """The post-trained models that were asked without a persona, each with its base."""
        return pairs_found(self)

    def gaps(self, measure: Measure | None = None) -> pd.DataFrame:
        """How much worse people are predicted after post-training, a row a pair of models.

        `nats` is the mean over participants of L(post-trained) - L(base) in nats a response, both
        without a persona and on the same responses, with a 95% interval; `predicted_worse` the
        share of people for whom it is positive. `published_d` is Cohen's d over pooled responses,
        see `published_d`. `note` says in what else the two models differ. The measure is as of
        `effects`; calibrated ones take temperatures as given.

        Raises
        ------
        GeppettoError
            If there is no pair: `pairs` is empty.
        """
        return gaps_table(self.found_gaps(measure))

    def found_gaps(self, measure: Measure | None = None) -> list[Gap]:
        """The same as objects that can say themselves in words."""
        lost = pair_gaps(self, measure)
        return gaps(lost, self.resampling, self.analysis)

    def recoveries(self, measure: Measure | None = None) -> pd.DataFrame:
        """How much of each gap personas win back, a row a pair, strategy and contrast.

        What the persona of the post-trained model saves over the gap, with Fieller's interval, see
        `geppetto.evaluation.pairs.recovery`. Parameters and errors are those of `gaps`.
        """
        return recoveries_table(self.found_recoveries(measure))

    def found_recoveries(self, measure: Measure | None = None) -> list[PersonaRecovery]:
        """The same as objects that can say themselves in words."""
        return pair_recoveries(self, measure)

    def individuation(self) -> pd.DataFrame:
        """Whether predictions tell people apart, a row a condition, with 95% intervals.

        See `Individuation` for `item_correlation` and the columns after it, and `Identification`
        for `auc`, `top_1` and `reciprocal_rank`, which the arm `own` has. `information_of_all` is
        information against all strangers instead of some. Conditions that predict the same for
        everyone have no correlations. In sessions, where options of different people do not mean
        the same, there is only the identification, among the strangers that were drawn for each
        person.
        """
        return self._individuation.copy()

    @cached_property
    def _individuation(self) -> pd.DataFrame:
        if self.of_sessions:
            return identification_table(self.identified)
        told = []
        for found in self._informed:
            condition = found.condition
            folds = found.pool if condition.model == BASELINE else None
            identified = self.identified.get(condition[:2]) if condition.arm == "own" else None
            told.append((condition, individuation(found, self.resampling, folds), identified))
        return individuation_table(told)

    @cached_property
    def identified(self) -> dict[tuple[str, str], Identification]:
        """Whether people can be found by their personas, by model and strategy."""
        return {
            key: identification(matrix, self.resampling) for key, matrix in self.matching.items()
        }

    @cached_property
    def skills(self) -> list[Skill]:
        """How much of what could be predicted from a strategy's fields each model does predict."""
        self.must_apply("skill")
        return skills(self.predictions, self.supervised, self.resampling)

    def skill(self) -> pd.DataFrame:
        """`skills` as a table, a row a model and strategy."""
        return skill_table(self.skills)

    def ceilings(self) -> pd.DataFrame:
        """How much of what can be predicted each condition predicts, with 95% intervals.

        A row a condition and construct, with the correlation `r` of people's construct scores and
        their predictions, `r_squared`, the construct's split-half `reliability`, which bounds R²
        (and r by its root, `r_ceiling`), and `of_reliable`, R² over reliability. Strategies that
        read responses predict one part of a construct's items from the other, so their rows are
        of parts. Where people were asked twice, also a row a condition with construct "all
        items": `accuracy_of_retest`, accuracy over that of people's own second responses.
        """
        return self._ceilings.copy()

    @cached_property
    def _ceilings(self) -> pd.DataFrame:
        self.must_apply("ceilings")
        observed, people = self.responses, self.resampling
        again = second_responses(observed, self.study)
        repeated = retest(observed, again, people)
        accuracies = {}
        if repeated:
            accuracies = {
                found.condition: normalised_accuracy(found, again, people)
                for found in self.predictions
            }
        fits = construct_fits(self.of_language_models, self.study, people)
        return ceilings_table(fits, repeated, accuracies)

    @property
    def _informed(self) -> list[Predictions]:
        """Conditions that may know something of the participant.

        Uniform guesses and item marginals do not, and the latter predict each participant a little
        away from their own response, which is left out: a correlation would measure just that.
        """
        nobody = ("uniform", MARGINALS)
        return [p for p in self.predictions if p.condition.strategy not in nobody]

    @cached_property
    def reliability(self) -> dict[Condition, Reliability]:
        """How often each condition was right when it was so sure."""
        self.must_apply("calibration")
        return {found.condition: reliability(*top_options(found)) for found in self.predictions}

    def calibration(self) -> pd.DataFrame:
        """Expected calibration error and temperatures of each condition, a row each.

        `ece` is the expected calibration error; `temperature` the mean of the two that were
        fitted for the model, each on one half of people for the other, and `own_temperature` the
        same for the condition alone: above 1 if it is too sure. `flat` says that one of them is
        as high as it can be: at no temperature does the model (or the condition) predict better
        than a uniform guess. Baselines have none.
        """
        return calibration_table(self.reliability, self.calibrated)

    def second_opinion(self) -> pd.DataFrame:
        """Information by a mixed model with crossed random people and items, a row an effect.

        It answers for other items like these as well as for other people, where the intervals of
        `effects` answer for other people on these items. `nats` is its mean with a 95% interval,
        and the variance of differences is split into what people, items, wordings, groups of people
        and none of them account for. `reason` says why there is none: it knows no survey weights
        and needs 15 items.
        """
        self.must_apply("second_opinion")
        return second_opinion_table(verdict for verdict in self.verdicts() if verdict.confirmatory)
