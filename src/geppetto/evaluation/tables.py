"""Results as tables, with intervals as NAME, NAME_low and NAME_high."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from geppetto.evaluation.baselines.skill import Skill
from geppetto.evaluation.calibration.calibrated import Calibrated
from geppetto.evaluation.calibration.reliability import HIGHEST, Reliability
from geppetto.evaluation.ceilings import ConstructFit, Retest
from geppetto.evaluation.changes import Change
from geppetto.evaluation.differences import Differences
from geppetto.evaluation.individuation.matching import Identification
from geppetto.evaluation.individuation.statistics import Individuation
from geppetto.evaluation.inference.resampling import Estimate
from geppetto.evaluation.inference.verdicts import Verdict
from geppetto.evaluation.inference.wordings import OverWordings
from geppetto.evaluation.pairs.gap import Gap
from geppetto.evaluation.pairs.recovery import PersonaRecovery
from geppetto.planning.plan import Condition

Row = dict[str, object]

_NOTHING = Estimate(np.nan, np.nan, np.nan)


def effects_table(verdicts: Iterable[Verdict]) -> pd.DataFrame:
    """A row a contrast."""
    return pd.DataFrame([_effect(verdict) for verdict in verdicts])


def gaps_table(gaps: Iterable[Gap]) -> pd.DataFrame:
    """A row a pair of models, with what its models declare of themselves."""
    rows = []
    for gap in gaps:
        verdict, effect = gap.verdict, gap.verdict.effect
        row: Row = {
            "post": gap.pair.post,
            "base": gap.pair.base,
            "family": gap.pair.lineage.family,
            "generation": gap.pair.lineage.generation,
            "billions": gap.pair.lineage.billions,
            "released": pd.Timestamp(gap.pair.lineage.released),
            "among": gap.among,
            "measure": effect.measure,
            "participants": effect.participants,
        }
        row |= _columns("nats", effect.nats)
        row |= _columns("nats_per_person", effect.nats_per_person)
        row |= _columns("d_z", effect.d_z)
        row |= _columns("predicted_worse", effect.improved)
        row |= {"published_d": gap.published_d} | _tests(verdict)
        rows.append(row | {"outcome": gap.outcome, "note": gap.pair.note})
    return pd.DataFrame(rows)


def recoveries_table(recoveries: Iterable[PersonaRecovery]) -> pd.DataFrame:
    """A row a pair of models, strategy and contrast.

    The interval of `recovery` is from `recovery_low` to `recovery_high`, which are infinite where
    it is not bounded; then it may leave out what is between `excluded_from` and `excluded_to`.
    """
    rows = []
    for found in recoveries:
        part = found.recovery
        row: Row = {
            "post": found.pair.post,
            "base": found.pair.base,
            "strategy": found.strategy,
            "effect": found.contrast.name,
            "among": found.among,
            "measure": found.measure,
            "participants": found.participants,
        }
        row |= _columns("saved", part.saved) | _columns("gap", part.gap)
        row |= _columns("recovery", Estimate(part.value, part.low, part.high))
        excluded = part.excluded or (np.nan, np.nan)
        row |= {"bounded": part.bounded, "excluded_from": excluded[0], "excluded_to": excluded[1]}
        rows.append(row | {"sentence": found.sentence})
    return pd.DataFrame(rows, columns=None if rows else ["post", "base", "strategy", "effect"])


def individuation_table(
    listed: Iterable[tuple[Condition, Individuation, Identification | None]],
) -> pd.DataFrame:
    """A row a condition; without an identification its columns are NaN."""
    rows = []
    for condition, of_people, identified in listed:
        row: Row = condition._asdict()
        for name in (
            "item_correlation",
            "variance_ratio",
            "residual_correlation",
            "profile_correlation",
            "distinctive_profile_correlation",
        ):
            row |= _columns(name, getattr(of_people, name))
        row["items_left_out"] = len(of_people.items_left_out)
        rows.append(row | _identified(identified))
    return pd.DataFrame(rows)


def identification_table(
    identified: Mapping[tuple[str, str], Identification],
) -> pd.DataFrame:
    """A row a model and strategy, of which the arm `own` is told."""
    rows = [
        Condition(*key, "own")._asdict() | _identified(found) for key, found in identified.items()
    ]
    return pd.DataFrame(rows, columns=None if rows else list(Condition._fields))


def changes_table(changes: Iterable[Change]) -> pd.DataFrame:
    """A row a contrast and change."""
    return pd.DataFrame(
        {
            "model": change.differences.model,
            "strategy": change.differences.strategy,
            "effect": change.differences.contrast.name,
            "worse": change.differences.contrast.worse,
            "better": change.differences.contrast.better,
            "change": change.differences.among,
            "measure": change.differences.measure,
            "participants": len(change.differences.rows),
            **_columns("nats", change.nats),
            "p": change.p,
            "p_adjusted": change.p_adjusted,
        }
        for change in changes
    )


def skill_table(skills: Iterable[Skill]) -> pd.DataFrame:
    """A row a model and strategy."""
    return pd.DataFrame(
        {
            "model": skill.model,
            "strategy": skill.strategy,
            **_columns("skill", skill.share),
            "best_baseline": skill.best,
            "reason": skill.reason,
        }
        for skill in skills
    )


def ceilings_table(
    fits: Iterable[ConstructFit], repeated: Retest | None, accuracies: Mapping[Condition, Estimate]
) -> pd.DataFrame:
    """A row a condition and construct, then a row a condition if people were asked twice.

    Parameters
    ----------
    fits
        How well each condition predicts each construct.
    repeated
        How far people repeat themselves; None if nobody was asked twice.
    accuracies
        Accuracy of each condition over that of people's second responses; empty likewise.
    """
    rows: list[Row] = []
    for fit in fits:
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
    if repeated:
        rows += [
            condition._asdict()
            | {"construct": "all items", "participants": repeated.participants}
            | _columns("retest_accuracy", repeated.same)
            | _columns("accuracy_of_retest", accuracy)
            for condition, accuracy in accuracies.items()
        ]
    return pd.DataFrame(rows)


def calibration_table(
    curves: Mapping[Condition, Reliability], calibrated: Calibrated
) -> pd.DataFrame:
    """A row a condition; baselines have no temperature."""
    rows = []
    for condition, curve in curves.items():
        of_model = calibrated.of_models.get(condition.model, (np.nan,))
        alone = calibrated.of_conditions.get(condition, (np.nan,))
        rows.append(
            condition._asdict()
            | {
                "ece": curve.error,
                "temperature": float(np.mean(of_model)),
                "own_temperature": float(np.mean(alone)),
                "flat": max(*of_model, *alone) > HIGHEST,
            }
        )
    return pd.DataFrame(rows)


def second_opinion_table(verdicts: Iterable[Verdict]) -> pd.DataFrame:
    """A row a contrast, with the reason why there is no model if there is none."""
    rows = []
    for verdict in verdicts:
        assert verdict.items is not None
        model = verdict.items.model
        effect = verdict.effect
        row: Row = {"model": effect.model, "strategy": effect.strategy}
        row |= {"effect": effect.contrast.name}
        row |= _columns("nats", model.mean if model else _NOTHING)
        row |= {"reason": verdict.items.reason}
        if model:
            row["degrees"] = model.degrees
            row |= {f"variance_of_{name}": value for name, value in model.variances.items()}
        rows.append(row)
    return pd.DataFrame(rows)


def wordings_table(listed: Iterable[tuple[Differences, OverWordings]]) -> pd.DataFrame:
    """A row a contrast."""
    return pd.DataFrame(
        {
            "model": differences.model,
            "strategy": differences.strategy,
            "effect": differences.contrast.name,
            "wordings": len(over.means),
            "nats": over.value,
            "sd": over.sd,
            "lowest": over.means.min(),
            "highest": over.means.max(),
            "same_sign": over.same_sign,
        }
        for differences, over in listed
    )


def _effect(verdict: Verdict) -> Row:
    effect = verdict.effect
    row: Row = {
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
    row |= {"confirmatory": verdict.confirmatory} | _tests(verdict)
    row |= {"verdict": verdict.found, "withheld": verdict.withheld}
    row["people_needed"] = None if verdict.incomparable else verdict.people_needed
    row["people_needed_as_observed"] = verdict.people_needed_as_observed
    match = verdict.match
    row["without_match"] = match.participants - match.matched if match else None
    row["matched"] = match.alike if match else ""
    return row | _bounds(verdict) | {"generalises": verdict.generalises}


def _bounds(verdict: Verdict) -> Row:
    """Columns of what an effect could be; NaN where that was not computed."""
    row: Row = {}
    for prefix, lowest, highest in (
        ("", "lowest", "highest"),
        ("accuracy_", "accuracy_lowest", "accuracy_highest"),
    ):
        low, high = (getattr(verdict.bounds, name, _NOTHING) for name in (lowest, highest))
        row |= {f"{prefix}lowest": low.value, f"{prefix}highest": high.value}
        row |= {f"{prefix}bounds_low": low.low, f"{prefix}bounds_high": high.high}
    return row | {"survives_bounds": verdict.survives_bounds if verdict.bounds else None}


def _tests(verdict: Verdict) -> Row:
    """Columns of what is shown, and of how much that rests on single people."""
    return {
        "skewness": verdict.basis.skewness,
        "largest_share": verdict.basis.largest_share,
        "survives_each": verdict.survives_each,
        "test": verdict.test,
        "p": verdict.p,
        "p_adjusted": verdict.p_adjusted,
        "p_equivalent": np.nan if verdict.withheld else verdict.p_equivalent,
        "p_equivalent_adjusted": verdict.equivalence_p,
        "smallest": verdict.smallest,
    }


def _columns(name: str, estimate: Estimate) -> Row:
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def _identified(found: Identification | None) -> Row:
    """Columns of an identification; without one all are NaN."""
    return (
        _columns("information_of_all", found.information if found else _NOTHING)
        | _columns("auc", found.auc if found else _NOTHING)
        | _columns("top_1", found.top if found else _NOTHING)
        | {"top_1_chance": found.top_by_chance if found else np.nan}
        | _columns("reciprocal_rank", found.reciprocal_rank if found else _NOTHING)
        | {"reciprocal_rank_chance": found.reciprocal_rank_by_chance if found else np.nan}
    )
