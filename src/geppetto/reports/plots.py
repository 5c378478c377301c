"""The figures of results by name: `results.plot.effects()`."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.figure import Figure

from geppetto.reports import figures
from geppetto.results import Measure, Results


@dataclass(frozen=True)
class Plots:
    """Figures of results, as matplotlib figures that notebooks show by themselves."""

    results: Results

    def effects(self, by: str | None = None, measure: Measure = "nll") -> Figure:
        """Every contrast with its interval and verdict; parameters as of `Results.effects`."""
        return figures.effects(self.results.verdicts(by, measure))

    def participants(self) -> Figure:
        """Every participant's NLL under each condition."""
        return figures.participants(self.results.metrics(by="participant"))

    def calibration(self) -> Figure:
        """How often the most probable option was the response, against its probability."""
        return figures.reliability(self.results.reliability)
