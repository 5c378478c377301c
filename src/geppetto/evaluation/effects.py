"""What a persona changed: paired differences between arms, person by person."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from geppetto.evaluation.inference import (
    Estimate,
    mean,
    participant_bootstrap,
    saved_share,
    share_positive,
    standardised_mean,
)
from geppetto.evaluation.metrics import CONDITION, MEASURES
from geppetto.plan import NO_STRATEGY


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
        Indexed by model, strategy and arm; columns NAME, NAME_low and NAME_high for each of
        accuracy, nll, nll_full, option_mass and pseudo_r2, and `participants`.
    """
    rows = {}
    for condition, group in people.groupby(CONDITION, sort=False):
        row: dict[str, float] = {"participants": len(group)}
        for measure in MEASURES:
            if measure == "pseudo_r2":
                estimate = participant_bootstrap(saved_share, group["nll"], group["nll_uniform"])
            else:
                estimate = participant_bootstrap(mean, group[measure])
            row[measure] = estimate.value
            row[f"{measure}_low"] = estimate.low
            row[f"{measure}_high"] = estimate.high
        rows[condition] = row
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index = pd.MultiIndex.from_tuples(rows, names=CONDITION)
    return table


def paired_differences(
    people: pd.DataFrame, model: str, strategy: str, contrast: Contrast, measure: str
) -> pd.Series[float] | None:
    """Each participant's difference between two arms; None where an arm was not run."""
    arms = []
    for arm in (contrast.worse, contrast.better):
        condition = (model, NO_STRATEGY if arm == "none" else strategy, arm)
        if condition not in people.index.droplevel("participant"):
            return None
        arms.append(people.loc[condition, measure])
    worse, better = arms
    return worse - better.loc[worse.index]


def effects(people: pd.DataFrame) -> list[Effect]:
    """Every contrast that the arms allow, for every model and strategy and both measures."""
    conditions = people.index.droplevel("participant").unique()
    pairs = dict.fromkeys(
        (model, strategy) for model, strategy, arm in conditions if arm not in ("none",)
    )
    found = []
    for model, strategy in pairs:
        for contrast in CONTRASTS:
            for measure in ("nll", "nll_full"):
                differences = paired_differences(people, model, strategy, contrast, measure)
                if differences is not None:
                    found.append(
                        Effect(
                            model,
                            strategy,
                            contrast,
                            measure,
                            len(differences),
                            participant_bootstrap(mean, differences),
                            participant_bootstrap(standardised_mean, differences),
                            participant_bootstrap(share_positive, differences),
                        )
                    )
    return found
