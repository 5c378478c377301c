"""What a persona changed: paired differences between arms, person by person."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from geppetto.evaluation.baselines import BASELINE
from geppetto.evaluation.inference import (
    Estimate,
    mean,
    participant_bootstrap,
    saved_share,
    share_positive,
    standardised_mean,
)
from geppetto.evaluation.metrics import MEASURES, by_condition
from geppetto.plan import NO_STRATEGY, Condition


@dataclass(frozen=True)
class Contrast:
    """Two arms whose difference has a meaning: L(worse) - L(better), L the mean NLL."""

    name: str
    worse: str
    better: str
    meaning: str


CONTRASTS = (
    Contrast("total", "none", "own", "what the persona saves over no persona"),
    Contrast("length", "none", "filler", "what as much neutral text saves"),
    Contrast("format", "none", "shuffled", "what a stranger's persona saves"),
    Contrast("information", "shuffled", "own", "what knowing this person saves"),
)


@dataclass(frozen=True)
class Effect:
    """One contrast of one strategy under one model.

    Attributes
    ----------
    measure
        "nll" over the legal options, or "nll_full" over everything the model could say.
    nats
        Mean over participants of the difference in nats a response; positive is better.
    d_z
        That mean over the standard deviation of participants' differences.
    improved
        Share of participants whose difference is positive.
    """

    model: str
    strategy: str
    contrast: Contrast
    measure: str
    participants: int
    nats: Estimate
    d_z: Estimate
    improved: Estimate


def condition_metrics(people: pd.DataFrame) -> pd.DataFrame:
    """Metrics of each condition over participants, each with the ends of its 95% interval.

    Parameters
    ----------
    people
        As from `participant_metrics`.

    Returns
    -------
    pandas.DataFrame
        A row a model, strategy and arm; columns NAME, NAME_low and NAME_high for each of
        accuracy, nll, nll_full, option_mass and pseudo_r2, and `participants`.
    """
    rows = []
    for condition, group in by_condition(people):
        row: dict[str, str | float] = {**condition._asdict(), "participants": len(group)}
        for measure in MEASURES:
            estimate = (
                participant_bootstrap(saved_share, group["nll"], group["nll_uniform"])
                if measure == "pseudo_r2"
                else participant_bootstrap(mean, group[measure])
            )
            row[measure] = estimate.value
            row[f"{measure}_low"] = estimate.low
            row[f"{measure}_high"] = estimate.high
        rows.append(row)
    return pd.DataFrame(rows)


def effects(people: pd.DataFrame) -> list[Effect]:
    """Every contrast that the arms allow, for every model and strategy and both measures.

    Parameters
    ----------
    people
        As from `participant_metrics`.
    """
    arms = {condition: rows.set_index("participant") for condition, rows in by_condition(people)}
    pairs = dict.fromkeys(
        (condition.model, condition.strategy)
        for condition in arms
        if condition.strategy != NO_STRATEGY and condition.model != BASELINE
    )
    found = []
    for model, strategy in pairs:
        for contrast in CONTRASTS:
            worse, better = (
                arms.get(Condition(model, NO_STRATEGY if arm == "none" else strategy, arm))
                for arm in (contrast.worse, contrast.better)
            )
            if worse is None or better is None:
                continue
            for measure in ("nll", "nll_full"):
                differences = (worse[measure] - better[measure].loc[worse.index]).to_numpy()
                found.append(
                    Effect(
                        model,
                        strategy,
                        contrast,
                        measure,
                        len(differences),
                        nats=participant_bootstrap(mean, differences),
                        d_z=participant_bootstrap(standardised_mean, differences),
                        improved=participant_bootstrap(share_positive, differences),
                    )
                )
    return found
