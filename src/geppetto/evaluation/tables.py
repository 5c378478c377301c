"""Results as tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from geppetto.evaluation.baselines.skill import Skill
from geppetto.evaluation.calibration.calibrated import Calibrated
from geppetto.evaluation.calibration.reliability import HIGHEST, Reliability
from geppetto.evaluation.ceilings import ConstructFit, Retest
from geppetto.evaluation.changes import Change
from geppetto.evaluation.differences import Differences
from geppetto.evaluation.frames import Row, frame, picked
from geppetto.evaluation.individuation.matching import Identification
from geppetto.evaluation.individuation.statistics import Individuation
from geppetto.evaluation.inference.resampling import Estimate
from geppetto.evaluation.inference.verdicts import Verdict
from geppetto.evaluation.inference.wordings import OverWordings
from geppetto.evaluation.pairs.gap import Gap
from geppetto.evaluation.pairs.recovery import PersonaRecovery
from geppetto.models.noise import Noise
from geppetto.planning.plan import Condition

_NOTHING = Estimate(np.nan, np.nan, np.nan)


def effects_table(
    verdicts: Iterable[Verdict], noise: Mapping[str, Noise] = MappingProxyType({})
) -> pd.DataFrame:
    """A row a contrast, with the noise of its model, NaN if that was not measured."""
    means = {model: of.mean for model, of in noise.items()}
    return frame(
        _effect(verdict) | {"noise": means.get(verdict.effect.model, np.nan)}
        for verdict in verdicts
    )


def gaps_table(gaps: Iterable[Gap]) -> pd.DataFrame:
    """A row a pair of models, with what its models declare of themselves."""
    rows = []
    for gap in gaps:
        effect, lineage = gap.verdict.effect, gap.pair.lineage
        rows.append(
            picked(gap.pair, "post", "base")
            | picked(lineage, "family", "generation", "billions")
            | {"released": pd.Timestamp(lineage.released)}
            | picked(effect, "among", "measure", "participants", "nats", "nats_per_person", "d_z")
            | {"predicted_worse": effect.improved, "published_d": gap.published_d}
            | _tests(gap.verdict)
            | {"outcome": gap.outcome, "note": gap.pair.note}
        )
    return frame(rows)


def recoveries_table(recoveries: Iterable[PersonaRecovery]) -> pd.DataFrame:
    """A row a pair of models, strategy and contrast.

    The interval of `recovery` is from `recovery_low` to `recovery_high`, which are infinite where
    it is not bounded; then it may leave out what is between `excluded_from` and `excluded_to`.
    """
    rows: list[Row] = []
    for found in recoveries:
        part = found.recovery
        excluded = part.excluded or (np.nan, np.nan)
        rows.append(
            picked(found.pair, "post", "base")
            | {"strategy": found.strategy, "effect": found.contrast.name}
            | picked(found, "among", "measure", "participants")
            | picked(part, "saved", "gap")
            | {"recovery": Estimate(part.value, part.low, part.high), "bounded": part.bounded}
            | {"excluded_from": excluded[0], "excluded_to": excluded[1]}
            | {"sentence": found.sentence}
        )
    return frame(rows, None if rows else ["post", "base", "strategy", "effect"])


def individuation_table(
    listed: Iterable[tuple[Condition, Individuation, Identification | None]],
) -> pd.DataFrame:
    """A row a condition; without an identification its columns are NaN."""
    return frame(
        condition._asdict()
        | vars(of_people)
        | {"items_left_out": len(of_people.items_left_out)}
        | _identified(identified)
        for condition, of_people, identified in listed
    )


def identification_table(
    identified: Mapping[tuple[str, str], Identification],
) -> pd.DataFrame:
    """A row a model and strategy, of which the arm `own` is told."""
    rows = [
        Condition(*key, "own")._asdict() | _identified(found) for key, found in identified.items()
    ]
    return frame(rows, None if rows else list(Condition._fields))


def changes_table(changes: Iterable[Change]) -> pd.DataFrame:
    """A row a contrast and change."""
    return frame(
        _contrast(one := change.differences)
        | {"worse": one.contrast.worse, "better": one.contrast.better}
        | {"change": one.among, "measure": one.measure, "participants": len(one.rows)}
        | picked(change, "nats", "p", "p_adjusted")
        for change in changes
    )


def skill_table(skills: Iterable[Skill]) -> pd.DataFrame:
    """A row a model and strategy."""
    return frame(
        picked(one, "model", "strategy")
        | {"skill": one.share, "best_baseline": one.best, "reason": one.reason}
        for one in skills
    )


def ceilings_table(
    fits: Iterable[ConstructFit], repeated: Retest | None, accuracies: Mapping[Condition, Estimate]
) -> pd.DataFrame:
    """A row a condition and construct, then a row a condition if people were asked twice.

    Parameters
    ----------
    accuracies
        Accuracy of each condition over that of people's second responses; empty if nobody was
        asked twice.
    """
    rows: list[Row] = []
    for fit in fits:
        ceiling = fit.reliability
        rows.append(
            fit.condition._asdict()
            | {"construct": ceiling.construct, "items": len(ceiling.items)}
            | {"participants": ceiling.participants}
            | picked(fit, "r", "r_squared", "of_reliable")
            | {"reliability": ceiling.split_half}
            | {"r_ceiling": float(np.sqrt(max(ceiling.split_half.value, 0.0)))}
            | {"alpha": ceiling.alpha}
        )
    if repeated:
        rows += [
            condition._asdict()
            | {"construct": "all items", "participants": repeated.participants}
            | {"retest_accuracy": repeated.same, "accuracy_of_retest": accuracy}
            for condition, accuracy in accuracies.items()
        ]
    return frame(rows)


def calibration_table(
    curves: Mapping[Condition, Reliability], calibrated: Calibrated
) -> pd.DataFrame:
    """A row a condition; baselines have no temperature."""
    rows: list[Row] = []
    for condition, curve in curves.items():
        of_model = calibrated.of_models.get(condition.model, (np.nan,))
        alone = calibrated.of_conditions.get(condition, (np.nan,))
        rows.append(
            condition._asdict()
            | {"ece": curve.error, "temperature": float(np.mean(of_model))}
            | {"own_temperature": float(np.mean(alone))}
            | {"flat": max(*of_model, *alone) > HIGHEST}
        )
    return frame(rows)


def second_opinion_table(verdicts: Iterable[Verdict]) -> pd.DataFrame:
    """A row a contrast, with the reason why there is no model if there is none."""
    rows = []
    for verdict in verdicts:
        assert verdict.items is not None
        model = verdict.items.model
        row = _contrast(verdict.effect.differences)
        row |= {"nats": model.mean if model else _NOTHING, "reason": verdict.items.reason}
        if model:
            row["degrees"] = model.degrees
            row |= {f"variance_of_{name}": value for name, value in model.variances.items()}
        rows.append(row)
    return frame(rows)


def wordings_table(listed: Iterable[tuple[Differences, OverWordings]]) -> pd.DataFrame:
    """A row a contrast."""
    return frame(
        _contrast(differences)
        | {"wordings": len(over.means), "nats": over.value, "sd": over.sd}
        | {"lowest": over.means.min(), "highest": over.means.max(), "same_sign": over.same_sign}
        for differences, over in listed
    )


def _contrast(differences: Differences) -> Row:
    return dict(zip(("model", "strategy", "effect"), differences.key, strict=True))


def _effect(verdict: Verdict) -> Row:
    effect, match = verdict.effect, verdict.match
    return (
        _contrast(effect.differences)
        | picked(effect.contrast, "worse", "better", "meaning")
        | picked(effect, "among", "measure", "participants")
        | picked(effect, "nats", "nats_per_person", "d_z", "improved", "worst_tenth")
        | {"confirmatory": verdict.confirmatory}
        | _tests(verdict)
        | {"verdict": verdict.found, "withheld": verdict.withheld}
        | {"people_needed": None if verdict.incomparable else verdict.people_needed}
        | {"people_needed_as_observed": verdict.people_needed_as_observed}
        | {"without_match": match.participants - match.matched if match else None}
        | {"matched": match.alike if match else ""}
        | _bounds(verdict)
        | {"generalises": verdict.generalises}
    )


def _bounds(verdict: Verdict) -> Row:
    """Columns of what an effect could be; NaN where that was not computed."""
    row: Row = {}
    for prefix in ("", "accuracy_"):
        low, high = (
            getattr(verdict.bounds, prefix + name, _NOTHING) for name in ("lowest", "highest")
        )
        row |= {f"{prefix}lowest": low.value, f"{prefix}highest": high.value}
        row |= {f"{prefix}bounds_low": low.low, f"{prefix}bounds_high": high.high}
    return row | {"survives_bounds": verdict.survives_bounds if verdict.bounds else None}


def _tests(verdict: Verdict) -> Row:
    """Columns of what is shown, and of how much that rests on single people."""
    return (
        picked(verdict.basis, "skewness", "largest_share")
        | picked(verdict, "survives_each", "test", "p", "p_adjusted")
        | {"p_equivalent": np.nan if verdict.withheld else verdict.p_equivalent}
        | {"p_equivalent_adjusted": verdict.equivalence_p, "smallest": verdict.smallest}
    )


def _identified(found: Identification | None) -> Row:
    """Columns of an identification; without one all are NaN."""
    return {
        "information_of_all": found.information if found else _NOTHING,
        "auc": found.auc if found else _NOTHING,
        "top_1": found.top if found else _NOTHING,
        "top_1_chance": found.top_by_chance if found else np.nan,
        "reciprocal_rank": found.reciprocal_rank if found else _NOTHING,
        "reciprocal_rank_chance": found.reciprocal_rank_by_chance if found else np.nan,
    }
