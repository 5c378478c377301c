"""The figures of results by name: `results.plot.effects()`."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.figure import Figure

from geppetto._util.errors import GeppettoError
from geppetto.evaluation.results import Measure, Results
from geppetto.reports import comparison, figures, pairs

ALONG = ("position", "history", "presentation")


@dataclass(frozen=True)
class Plots:
    """Figures of results, as matplotlib figures that notebooks show by themselves.

    Examples
    --------
    >>> import geppetto
    >>> results = geppetto.run("experiments/bfi_personas.yaml")  # doctest: +SKIP
    >>> results.plot.effects().savefig("effects.png")  # doctest: +SKIP
    """

    results: Results

    def effects(self, by: str | None = None, measure: Measure | None = None) -> Figure:
        """Every contrast with its interval and verdict; parameters as of `Results.effects`.

        By position, history or presentation, contrasts are lines from one to the next.
        """
        verdicts = self.results.verdicts(by, measure)
        return figures.along(verdicts, by) if by in ALONG else figures.effects(verdicts)

    def steps(self) -> Figure:
        """Mean NLL from no persona over a stranger's to their own."""
        return figures.steps(self.results.metrics())

    def participants(self) -> Figure:
        """Every participant's NLL under each condition."""
        measure = "nll_full" if self.results.measure == "nll_full" else "nll"
        return figures.participants(self.results.metrics(by="participant"), measure)

    def calibration(self) -> Figure:
        """How often the most probable option was the response, against its probability."""
        return figures.reliability(self.results.reliability)

    def elicitations(self) -> Figure:
        """Each condition as every elicitation of its model has it; see `Results.by_elicitation`."""
        return comparison.elicitations(self.results.by_elicitation())

    def gaps(self, measure: Measure | None = None) -> Figure:
        """The gap of every pair of models; see `Results.gaps`."""
        return pairs.gaps(self.results.found_gaps(measure))

    def gaps_by_generation(self, measure: Measure | None = None) -> Figure:
        """The same in the order in which the post-trained models were released."""
        return pairs.gaps_by_generation(self.results.found_gaps(measure))

    def recoveries(self, measure: Measure | None = None) -> Figure:
        """What part of each gap personas win back; see `Results.recoveries`."""
        found = self.results.found_recoveries(measure)
        if not found:
            raise GeppettoError("no post-trained model was given personas; add the arm own")
        return pairs.recoveries(found)

    def persona_effects(self, measure: Measure | None = None) -> Figure:
        """What personas save each model, split by the ladder of arms."""
        verdicts = self.results.verdicts(measure=measure)
        if not any(verdict.effect.contrast.name in pairs.LADDER for verdict in verdicts):
            raise GeppettoError("no contrast of the ladder was asked; add the arms none and own")
        return pairs.persona_effects(verdicts, self.results.lineages)
