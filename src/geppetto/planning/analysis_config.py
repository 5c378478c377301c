"""How answers are analysed: what an experiment file says under `analysis`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Method = Literal["studentised", "percentile", "bca"]
"""Kind of a bootstrap interval."""

DRAWS = 2000
"""Resamples of an interval."""

PERMUTATIONS = 4999
"""Permutations of a test; the smallest p it can give is one in 5,000."""

LEVEL = 0.05
"""Probability with which an interval may miss, and a test find what is not there."""


class Analysis(BaseModel):
    """Settings of the inference, stated before anything is asked.

    Attributes
    ----------
    smallest_effect
        The smallest effect of interest in nats a response: what is shown to be smaller counts as
        nothing. The default, 0.005, is half a percent of the probability of each response.
    intervals
        "studentised", "percentile" or "bca" bootstrap intervals; see
        `geppetto.evaluation.inference.resampling`. Of skewed differences the first, which is
        the default, misses least; it is of contrasts, and levels of conditions, such as an accuracy
        of few people, then have percentiles.
    draws
        Resamples of an interval.
    seed
        Seed of resampling and permutation.
    weighted
        Whether participants count by the study's survey weights.
    looks
        How many times these people's answers have been looked at to answer or to choose a
        question where this workspace cannot know of it, this time included. With k looks the
        p-values of contrasts are multiplied by k, and their intervals miss with 5%/k: k analyses
        that are all corrected by the same k are wrong somewhere with 5% probability at most
        (Bonferroni). Looks that the workspace knows of multiply it; see `evaluation.looks.Looks`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    smallest_effect: float = Field(0.005, ge=0.0001, strict=False)
    intervals: Method = "studentised"
    draws: int = Field(DRAWS, ge=200)
    seed: int = 0
    weighted: bool = False
    looks: int = Field(1, ge=1)

    @property
    def intervals_of_levels(self) -> Method:
        """Kind of intervals of what is no contrast, such as an accuracy.

        A bootstrap-t would have an infinite end where many people have the same.
        """
        return "percentile" if self.intervals == "studentised" else self.intervals
