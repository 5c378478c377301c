"""What an experiment found: every number of an evaluation, from one table of answers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, get_args

import numpy as np
import pandas as pd

from geppetto.errors import GeppettoError, unknown
from geppetto.evaluation.analysis import Analysis
from geppetto.evaluation.baselines import BASELINE, MARGINALS, Skill, skills
from geppetto.evaluation.calibration import (
    TEMPERATURES,
    Reliability,
    reliability,
    temperature_contributions,
    temperature_scaled,
    top_options,
)
from geppetto.evaluation.ceilings import (
    construct_fits,
    normalised_accuracy,
    retest,
    second_responses,
)
from geppetto.evaluation.effects import (
    Differences,
    Effect,
    alike,
    differences,
    effects,
    personas,
)
from geppetto.evaluation.hypotheses import equivalence, robust_mean
from geppetto.evaluation.individuation import individuation
from geppetto.evaluation.matching import (
    Identification,
    MatchingMatrix,
    PermutationTest,
    identification,
    matching_matrix,
    permutation_test,
)
from geppetto.evaluation.metrics import (
    condition_metrics,
    item_metrics,
    matched,
    participant_metrics,
)
from geppetto.evaluation.mixed_model import MixedModel, mixed_model
from geppetto.evaluation.permutation import sign_flip_p
from geppetto.evaluation.power import people_to_decide
from geppetto.evaluation.predictions import Floats, Integers, Predictions, nanmean, predictions
from geppetto.evaluation.resampling import Estimate, Resampling
from geppetto.evaluation.verdicts import Comparison, Verdict, is_confirmatory, judge
from geppetto.plan import NO_STRATEGY, Condition
from geppetto.reports.plots import Plots
from geppetto.studies import Study

By = Literal["condition", "participant", "item"]
Measure = Literal["nll", "nll_full", "nll_calibrated", "nll_each_calibrated"]

MEASURES: tuple[Measure, ...] = get_args(Measure)

MOST_MATCHED = 4000
"""People up to whom everybody's persona is compared with everybody."""

_NOTHING = Estimate(np.nan, np.nan, np.nan)

INDIVIDUATION = (
    "item_correlation",
    "variance_ratio",
    "residual_correlation",
    "profile_correlation",
    "distinctive_profile_correlation",
)


@dataclass(frozen=True, eq=False)
class Results:
    """What an experiment found. Everything is computed from `answers` when it is first asked for.

    Attributes
    ----------
    question
        The experiment's question.
    study
        Whose people answered; its traits make groups, its retests make ceilings.
    analysis
        Settings of the inference.
    answers
        The tidy table, baselines included; see `geppetto.answers.table.COLUMNS`.
    twins
        The baselines that are given what each strategy shows, by the label of the strategy.
    """

    question: str
    study: Study
    analysis: Analysis
    answers: pd.DataFrame
    twins: Mapping[str, Sequence[str]]

    @cached_property
    def _verdicts(self) -> dict[Measure, list[Verdict]]:
        return {}

    @cached_property
    def _matched(self) -> tuple[pd.DataFrame, dict[str, int]]:
        return matched(self.answers)

    @property
    def unscored(self) -> Mapping[str, int]:
        """How many cells were left out of every condition, by reason."""
        return self._matched[1]

    @cached_property
    def predictions(self) -> tuple[Predictions, ...]:
        """The answers as arrays, a condition each."""
        return tuple(predictions(self._matched[0]))

    @property
    def conditions(self) -> list[Condition]:
        """Models with their strategies and arms, baselines last."""
        return [found.condition for found in self.predictions]

    @property
    def plot(self) -> Plots:
        """The figures: `results.plot.effects()` and others."""
        return Plots(self)

    @cached_property
    def resampling(self) -> Resampling:
        """How people are drawn: whole, with their clusters, by their weights if so analysed."""
        given = self.predictions[0].responses
        return Resampling.of(
            len(given.participants),
            base=given.weight if self.analysis.weighted else None,
            clusters=given.cluster,
            draws=self.analysis.draws,
            seed=self.analysis.seed,
        )

    def metrics(self, by: By = "condition") -> pd.DataFrame:
        """Metrics of each condition, or of each participant or item under each condition.

        Conditions have 95% intervals; see `condition_metrics`, `participant_metrics` and
        `item_metrics` for the columns.
        """
        match by:
            case "condition":
                return self._conditions.copy()
            case "participant":
                return self._participants.copy()
            case "item":
                return item_metrics(self.predictions)
        raise unknown("by", by, ("condition", "participant", "item"))

    @cached_property
    def _participants(self) -> pd.DataFrame:
        return participant_metrics(self.predictions)

    @cached_property
    def _conditions(self) -> pd.DataFrame:
        return condition_metrics(self._participants, self.resampling, self.analysis.intervals)

    def effects(self, by: str | None = None, measure: Measure = "nll") -> pd.DataFrame:
        """Every contrast between arms with its intervals, tests and verdict, a row each.

        Parameters
        ----------
        by
            None for all people and items together; "item" for every item; or the name of a trait,
            for the people of each of its values (a number: up to its median and above).
        measure
            "nll" over the legal options, "nll_full" over everything the model could say; or over
            the options after calibration: "nll_calibrated" with one temperature for a model,
            "nll_each_calibrated" with one for each of its conditions, so that no arm gains by
            being surer or less sure. Temperatures are fitted on other people; intervals of
            "nll_calibrated" over everything vary as they would, all others take them as given.
        """
        return effects_table(self.verdicts(by, measure))

    def verdicts(self, by: str | None = None, measure: Measure = "nll") -> list[Verdict]:
        """The same as objects that can say themselves in words."""
        if by is None:
            known = self._verdicts
            if measure not in known:
                weights = self.resampling.base
                found = differences(self._of(measure), measure, weights=weights)
                if measure == "nll_calibrated":
                    found = [self._with_temperatures(one) for one in found]
                known[measure] = self._judge(found)
            return list(known[measure])
        parts = []
        for among, items, rows in self._restrictions(by):
            everyone = rows is None
            groups = self.resampling.clusters if rows is None else self.resampling.clusters[rows]
            if not everyone and len(np.unique(groups)) < 2:
                if len(groups):
                    warnings.warn(f"{among}: too few people for an interval", stacklevel=2)
                continue
            parts += differences(
                self._of(measure),
                measure,
                among=among,
                items=items,
                rows=rows,
                weights=self.resampling.base,
            )
        return self._judge(parts)

    def individuation(self) -> pd.DataFrame:
        """Whether predictions tell people apart, a row a condition, with 95% intervals.

        See `Individuation` for `item_correlation` and the columns after it, and
        `Identification` for `auc`, `top_1` and `reciprocal_rank`, which the arm `own` has:
        finding a person's own persona among everybody's. `information_of_all` is information
        against all strangers instead of some. Conditions that predict the same for everyone have
        no correlations.
        """
        return self._individuation.copy()

    @cached_property
    def _individuation(self) -> pd.DataFrame:
        rows = []
        for found in self._informed:
            row: dict[str, object] = found.condition._asdict()
            folds = found.pool if found.condition.model == BASELINE else None
            told = individuation(found, self.resampling, folds)
            for name in INDIVIDUATION:
                row |= _columns(name, getattr(told, name))
            row["items_left_out"] = len(told.items_left_out)
            key = found.condition.model, found.condition.strategy
            identified = self.identified.get(key) if found.condition.arm == "own" else None
            row |= _identified(identified)
            rows.append(row)
        return pd.DataFrame(rows)

    @cached_property
    def matching(self) -> dict[tuple[str, str], MatchingMatrix]:
        """How well everybody's persona predicts everybody, by model and strategy.

        People are compared with those of whom the same is known. With more than `MOST_MATCHED`
        people there is none: a matrix of everybody by everybody would not fit into memory.
        """
        found = {}
        for arms in personas(self.predictions):
            own = arms.get("own")
            if own is None or len(own.pool) > MOST_MATCHED:
                continue
            others = [p for p in arms.values() if (p.donors >= 0).any() and not _is_self(p)]
            matrix = matching_matrix(own, others, own.pool)
            if matrix.personas.any():
                found[own.condition.model, own.condition.strategy] = matrix
        return found

    @cached_property
    def identified(self) -> dict[tuple[str, str], Identification]:
        """Whether people can be found by their personas, by model and strategy."""
        return {
            key: identification(matrix, self.resampling) for key, matrix in self.matching.items()
        }

    @cached_property
    def _matches(self) -> dict[tuple[str, str], PermutationTest]:
        """Tests of information by permuting personas, where people are drawn one by one.

        Personas of people in the same group are not exchangeable with those of others.
        """
        if self._grouped:
            return {}
        shuffled = {
            p.condition[:2]: p.donors for p in self.predictions if p.condition.arm == "shuffled"
        }
        return {
            key: permutation_test(
                matrix,
                seed=self.analysis.seed,
                donors=shuffled[key],
                weights=self.resampling.base,
            )
            for key, matrix in self.matching.items()
            if key in shuffled
        }

    @property
    def _grouped(self) -> bool:
        """Whether some people are in one group."""
        return bool(self.resampling.clusters.max() + 1 < len(self.resampling.clusters))

    @cached_property
    def skills(self) -> list[Skill]:
        """How much of what could be predicted from a strategy's fields each model does predict."""
        return skills(self.predictions, self.twins, self.resampling)

    def skill(self) -> pd.DataFrame:
        """`skills` as a table, a row a model and strategy."""
        return pd.DataFrame(
            {
                "model": skill.model,
                "strategy": skill.strategy,
                **_columns("skill", skill.share),
                "best_baseline": skill.best,
                "reason": skill.reason,
            }
            for skill in self.skills
        )

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
        given, people = self.predictions[0].responses, self.resampling
        rows: list[dict[str, object]] = []
        for fit in construct_fits(self._asked, self.study, people):
            ceiling = fit.reliability
            rows.append(
                fit.condition._asdict()
                | {"construct": ceiling.construct, "items": len(ceiling.items)}
                | {"participants": ceiling.participants}
                | _columns("r", fit.r)
                | _columns("r_squared", fit.r_squared)
                | _columns("of_reliable", fit.of_reliable)
                | _columns("reliability", ceiling.split_half)
                | {"r_ceiling": float(np.sqrt(max(ceiling.split_half.value, 0.0)))}
                | _columns("alpha", ceiling.alpha)
            )
        again = second_responses(given, self.study)
        if repeated := retest(given, again, people):
            for found in self.predictions:
                rows.append(
                    found.condition._asdict()
                    | {"construct": "all items", "participants": repeated.participants}
                    | _columns("retest_accuracy", repeated.same)
                    | _columns("accuracy_of_retest", normalised_accuracy(found, again, people))
                )
        return pd.DataFrame(rows)

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
        return {found.condition: reliability(*top_options(found)) for found in self.predictions}

    def calibration(self) -> pd.DataFrame:
        """Expected calibration error and temperatures of each condition, a row each.

        `ece` is the expected calibration error; `temperature` the mean of the two that were
        fitted for the model, each on one half of people for the other, and `own_temperature` the
        same for the condition alone: above 1 if it is too sure. `flat` says that one of them is
        as high as it can be: at no temperature does the model (or the condition) predict better
        than a uniform guess, and what is left of its effects says nothing. Baselines have none.
        """
        rows = []
        for condition, curve in self.reliability.items():
            of_model = self._calibrated[1].get(condition.model, (np.nan,))
            alone = self._each_calibrated[1].get(condition, (np.nan,))
            rows.append(
                condition._asdict()
                | {
                    "ece": curve.error,
                    "temperature": float(np.mean(of_model)),
                    "own_temperature": float(np.mean(alone)),
                    "flat": max(*of_model, *alone) > 0.99 * TEMPERATURES[1],
                }
            )
        return pd.DataFrame(rows)

    @property
    def flat(self) -> list[str]:
        """Models that predict best, over all of their conditions, when they are made uniform."""
        highest = 0.99 * TEMPERATURES[1]
        return [model for model, pair in self._calibrated[1].items() if max(pair) > highest]

    def second_opinion(self) -> pd.DataFrame:
        """Information by a mixed model with crossed random people and items, a row an effect.

        It answers for other items like these as well as for other people, where the intervals of
        `effects` answer for other people on these items. `nats` is its mean with a 95% interval,
        and the variance of differences is split into what people, items and neither account for.
        `reason` says why there is none: it knows no survey weights and no groups of people, and
        needs people with several items.
        """
        rows = []
        for verdict in self.verdicts():
            if not verdict.confirmatory:
                continue
            row: dict[str, object] = {
                "model": verdict.effect.model,
                "strategy": verdict.effect.strategy,
            }
            reason = ""
            if self.analysis.weighted or self._grouped:
                reason = "people are weighted, or in groups"
            elif len(self.predictions[0].responses.items) < 2:
                reason = "there is one item"
            if reason:
                rows.append(row | _columns("nats", _NOTHING) | {"reason": reason})
                continue
            told = self._mixed(verdict.effect.differences)
            rows.append(
                row
                | _columns("nats", told.mean)
                | {"reason": "", "degrees": told.degrees}
                | {f"variance_of_{name}": value for name, value in told.variances.items()}
            )
        return pd.DataFrame(rows)

    def _mixed(self, difference: Differences) -> MixedModel:
        arms = {p.condition: p for p in self.predictions}
        worse, better = (
            arms[self._condition(difference, arm)]
            for arm in (difference.contrast.worse, difference.contrast.better)
        )
        cells = nanmean(worse.nll, 0) - nanmean(better.nll, 0)
        cells[difference.rows] += (difference.influence - difference.persons)[:, None]
        rows, columns = np.indices(cells.shape)
        return mixed_model(cells.ravel(), {"people": rows.ravel(), "items": columns.ravel()})

    def _of(self, measure: Measure) -> Sequence[Predictions]:
        match measure:
            case "nll_calibrated":
                return self._calibrated[0]
            case "nll_each_calibrated":
                return self._each_calibrated[0]
            case "nll" | "nll_full":
                return self.predictions
        raise unknown("measure", measure, MEASURES)

    @property
    def _asked(self) -> list[Predictions]:
        return [found for found in self.predictions if found.condition.model != BASELINE]

    @cached_property
    def _calibrated(self) -> tuple[list[Predictions], dict[str, tuple[float, float]]]:
        return temperature_scaled(self._asked, self.predictions[0].responses.cluster)

    @cached_property
    def _temperature_contributions(self) -> dict[Condition, Floats]:
        added: dict[Condition, Floats] = {}
        clusters = self.predictions[0].responses.cluster
        for model, pair in self._calibrated[1].items():
            conditions = [found for found in self._asked if found.condition.model == model]
            added |= temperature_contributions(conditions, pair, clusters)
        return added

    def _with_temperatures(self, difference: Differences) -> Differences:
        """A calibrated contrast that varies also as the temperature it depends on does."""
        worse, better = (
            self._temperature_contributions[self._condition(difference, arm)][difference.rows]
            for arm in (difference.contrast.worse, difference.contrast.better)
        )
        trials = self.predictions[0].responses.answered.sum(1)[difference.rows].mean()
        return replace(
            difference,
            influence=difference.influence + worse - better,
            totals=difference.totals + (worse - better) * trials,
        )

    @staticmethod
    def _condition(difference: Differences, arm: str) -> Condition:
        strategy = NO_STRATEGY if arm == "none" else difference.strategy
        return Condition(difference.model, strategy, arm)

    @cached_property
    def _each_calibrated(self) -> tuple[list[Predictions], dict[Condition, tuple[float, float]]]:
        scaled, temperatures = [], {}
        for found in self._asked:
            (one,), fitted = temperature_scaled([found], found.responses.cluster)
            scaled.append(one)
            temperatures[found.condition] = fitted[found.condition.model]
        return scaled, temperatures

    def _judge(self, found: Sequence[Differences]) -> list[Verdict]:
        analysis = self.analysis
        measured = effects(found, self.resampling, analysis.intervals)
        p: dict[int, float] = {}
        for same in alike(found):
            contributions = np.stack([found[number].influence for number in same], axis=1)
            people = self.resampling.among(found[same[0]].rows)
            flipped = sign_flip_p(contributions, people, seed=analysis.seed)
            p |= dict(zip(same, flipped.tolist(), strict=True))
        tested = []
        for number, one in enumerate(measured):
            match = self._matches.get((one.model, one.strategy)) if is_confirmatory(one) else None
            tested.append(
                _comparison(
                    one,
                    self.resampling.among(one.differences.rows),
                    analysis,
                    p[number] if match is None else match.p_two_sided,
                    "signs flipped" if match is None else "personas permuted",
                )
            )
        return judge(tested, analysis.smallest_effect)

    def _restrictions(self, by: str) -> Iterator[tuple[str, list[int] | None, Integers | None]]:
        """Names, items and participants of each part of the data."""
        given = self.predictions[0].responses
        if by == "item":
            for number, item in enumerate(given.items):
                yield f"item {item}", [number], None
            return
        if by not in self.study.traits:
            raise unknown("by", by, ["item", *self.study.traits], f"study {self.study.name}")
        trait = self.study.traits[by]
        people = [self.study.people[name] for name in given.participants]
        values = pd.Series([person.traits.get(by) for person in people])
        if trait.values is None:
            middle = values.astype(float).median()
            parts = {
                f"{by} up to {middle:g}": values.astype(float) <= middle,
                f"{by} above {middle:g}": values.astype(float) > middle,
            }
        else:
            parts = {f"{by} {label}": values == label for label in trait.values.values()}
        parts[f"{by} not known"] = values.isna()
        for name, chosen in parts.items():
            yield name, None, np.flatnonzero(chosen)


def effects_table(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """Verdicts as a table: a row a contrast, with intervals as NAME, NAME_low and NAME_high."""
    return pd.DataFrame([_row(verdict) for verdict in verdicts])


def _row(verdict: Verdict) -> dict[str, object]:
    effect = verdict.effect
    row: dict[str, object] = {
        "model": effect.model,
        "strategy": effect.strategy,
        "effect": effect.contrast.name,
        "worse": effect.contrast.worse,
        "better": effect.contrast.better,
        "meaning": effect.contrast.meaning,
        "among": effect.among,
        "measure": effect.measure,
        "participants": effect.participants,
    }
    for name in ("nats", "nats_per_person", "d_z", "improved", "worst_tenth"):
        row |= _columns(name, getattr(effect, name))
    return row | {
        "confirmatory": verdict.confirmatory,
        "test": verdict.test,
        "p": verdict.p,
        "p_adjusted": verdict.p_adjusted,
        "p_equivalent": verdict.p_equivalent,
        "p_equivalent_adjusted": verdict.p_equivalent_adjusted,
        "smallest": verdict.smallest,
        "verdict": verdict.outcome,
        "people_needed": verdict.people_needed,
    }


def _columns(name: str, estimate: Estimate) -> dict[str, object]:
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def _identified(found: Identification | None) -> dict[str, object]:
    """Columns of an identification; without one all are NaN."""
    return (
        _columns("information_of_all", found.information if found else _NOTHING)
        | _columns("auc", found.auc if found else _NOTHING)
        | _columns("top_1", found.top if found else _NOTHING)
        | {"top_1_chance": found.top_by_chance if found else np.nan}
        | _columns("reciprocal_rank", found.reciprocal_rank if found else _NOTHING)
        | {"reciprocal_rank_chance": found.reciprocal_rank_by_chance if found else np.nan}
    )


def _is_self(found: Predictions) -> bool:
    """Whether a condition shows people their own personas."""
    return bool((found.donors == np.arange(found.donors.shape[1])).all())


def pooled(results: Sequence[Results]) -> list[Verdict]:
    """The verdicts of several studies together; see `geppetto.pool`.

    Whole studies are permuted, and are the groups of the equivalence test.

    Raises
    ------
    GeppettoError
        If there are fewer than two studies, one of them twice, or they were analysed differently.
    """
    names = [found.study.name for found in results]
    if len(set(names)) < max(2, len(names)):
        raise GeppettoError(f"pooling needs at least two different studies, not {names}")
    if len({found.analysis for found in results}) > 1:
        raise GeppettoError("the results differ in their `analysis`; give all the same and rerun")
    analysis = results[0].analysis
    verdicts = [{_compared(v): v.effect.differences for v in r.verdicts()} for r in results]
    tested = []
    for key in verdicts[0]:
        if not all(key in others for others in verdicts):
            continue
        parts = [found[key] for found in verdicts]
        people = [r.resampling.among(part.rows) for r, part in zip(results, parts, strict=True)]
        offsets = np.cumsum([0, *(one.clusters.max() + 1 for one in people)])
        sizes = [len(part.rows) for part in parts]
        studies = np.repeat(np.arange(len(sizes)), sizes)
        resampling = Resampling.of(
            len(studies),
            base=np.concatenate([one.base for one in people]),
            clusters=np.concatenate(
                [one.clusters + offset for one, offset in zip(people, offsets, strict=False)]
            ),
            studies=studies,
            draws=analysis.draws,
            seed=analysis.seed,
        )
        joined = replace(
            parts[0],
            rows=np.arange(len(studies)),
            persons=np.concatenate([part.persons for part in parts]),
            influence=np.concatenate([part.influence for part in parts]),
            totals=np.concatenate([part.totals for part in parts]),
        )
        (measured,) = effects([joined], resampling, analysis.intervals)
        whole = Resampling.of(len(studies), base=resampling.sample[0], clusters=studies)
        p = float(sign_flip_p(joined.influence[:, None], whole, seed=analysis.seed)[0])
        compared = _comparison(measured, whole, analysis, p, "signs of studies flipped")
        tested.append(replace(compared, people_needed=None, units=len(sizes), unit="studies"))
    return judge(tested, analysis.smallest_effect)


def _compared(verdict: Verdict) -> tuple[str, str, str]:
    effect = verdict.effect
    return effect.model, effect.strategy, effect.contrast.name


def _comparison(
    measured: Effect, people: Resampling, analysis: Analysis, p: float, test: str
) -> Comparison:
    """An effect with its tests."""
    contributions, smallest = measured.differences.influence, analysis.smallest_effect
    _, error, _ = robust_mean(contributions, people)
    alone = people.clusters.max() + 1 == len(people.clusters)
    return Comparison(
        measured,
        p,
        equivalence(contributions, smallest, people),
        test,
        people_to_decide(smallest, error * float(np.sqrt(len(contributions)))),
        people.units,
        "people" if alone else "groups of people",
    )
