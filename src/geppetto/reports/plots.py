"""The figures of results by name: `results.plot.effects()`."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.figure import Figure

from geppetto.reports import figures
from geppetto.results import Measure, Results

ALONG = ("position", "history", "presentation")


@dataclass(frozen=True)
class Plots:
    """Figures of results, as matplotlib figures that notebooks show by themselves."""

    results: Results

    def effects(self, by: str | None = None, measure: Measure | None = None) -> Figure:
        """Every contrast with its interval and verdict; parameters as of `Results.effects`.

        By position, history or presentation, contrasts are lines from one to the next.
        """
        verdicts = self.results.verdicts(by, measure)
        return figures.along(verdicts, by) if by in ALONG else figures.effects(verdicts)

    def participants(self) -> Figure:
        """Every participant's NLL under each condition."""
        measure = "nll_full" if self.results.measure == "nll_full" else "nll"
        return figures.participants(self.results.metrics(by="participant"), measure)

    def calibration(self) -> Figure:
        """How often the most probable option was the response, against its probability."""
        return figures.reliability(self.results.reliability)
