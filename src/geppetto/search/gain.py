"""How much more an optimised program tells of people than what it was made of, person by person."""

from __future__ import annotations

from dataclasses import dataclass, replace

from geppetto.evaluation.changes import between
from geppetto.evaluation.contrasts import INFORMATION, Contrast
from geppetto.evaluation.effects import Differences
from geppetto.evaluation.inference import infer
from geppetto.evaluation.verdicts import Finding, Verdict, interval, p_value
from geppetto.results import Results

GAIN = "gain"
"""Name of the contrast of two strategies' information."""

_SAID: dict[Finding, str] = {
    "positive": "better: personas by the optimised program tell more",
    "negative": "worse: personas by the optimised program tell less",
    "equivalent": "as good: personas by the optimised program tell no more and no less",
    "undecided": "undecided: it is open whether personas by the optimised program tell more",
}


@dataclass(frozen=True)
class Gain:
    """The information of an optimised program less that of the strategy's own instruction.

    Attributes
    ----------
    verdict
        The difference of the two, person by person, with its interval and tests; positive in it
        says that the program tells more.
    """

    verdict: Verdict

    @property
    def sentence(self) -> str:
        """What came out, in words, with its numbers."""
        verdict, effect = self.verdict, self.verdict.effect
        looks = f"; {verdict.looks} looks at these people corrected for" * (verdict.looks > 1)
        few = f" ({verdict.too_few})" if verdict.too_few else ""
        return (
            f"{_SAID[verdict.finding]} of people who took no part than those by the strategy's own "
            f"instruction{few}. {interval(effect.nats)} nats a response ({verdict.confidence}), "
            f"d_z {effect.d_z.value:+.2f}, {effect.improved.value:.0%} of {effect.participants:,} "
            f"people improved; {p_value(verdict.p_adjusted)} ({verdict.test}), "
            f"equivalence {verdict.equivalence}{looks}."
        )


def gain(results: Results, program: str, own: str) -> Gain:
    """What a program is worth beyond the strategy's own instruction, on the same people.

    Parameters
    ----------
    results
        Of both, with the arms own and shuffled.
    program, own
        Labels of the two strategies.
    """
    informations = {
        verdict.effect.strategy: verdict.effect.differences
        for verdict in results.verdicts()
        if verdict.confirmatory and verdict.effect.contrast == INFORMATION
    }
    contrast = Contrast(GAIN, own, program, "what the optimised program tells beyond its origin")
    made = replace(_between(informations[own], informations[program]), contrast=contrast)
    (verdict,) = infer([made], results.resampling, results.analysis, {}, results.measure)
    return Gain(verdict)


def _between(first: Differences, second: Differences) -> Differences:
    pairs = zip(first.wordings, second.wordings, strict=True)
    wordings = tuple(between(a, b, a.among) for a, b in pairs)
    return replace(between(first, second, ""), wordings=wordings)
