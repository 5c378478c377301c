"""The result in plain sentences."""

from __future__ import annotations

from collections.abc import Sequence

from geppetto.evaluation.effects import Effect


def sentence(effect: Effect) -> str:
    """What one information effect says, with its interval.

    A persona is said to help or to hurt only if the interval excludes zero. An interval that
    holds zero is not evidence that there is no effect, and is not called that.
    """
    estimate = effect.nats
    numbers = (
        f"{estimate.value:+.3f} nats a response, 95% CI {estimate.low:+.3f} to {estimate.high:+.3f}"
    )
    if estimate.low > 0:
        verdict = "predicts this person better than a stranger's persona does"
    elif estimate.high < 0:
        verdict = "predicts this person worse than a stranger's persona does"
    else:
        verdict = "cannot be told from a stranger's persona"
    return (
        f"With {effect.model}, a participant's own {effect.strategy} persona {verdict} "
        f"({numbers}; {effect.participants} people, {effect.improved.value:.0%} of them improved)."
    )


def sentences(found: Sequence[Effect]) -> list[str]:
    """One sentence for each information effect on legal options."""
    return [
        sentence(effect)
        for effect in found
        if effect.contrast.name == "information" and effect.measure == "nll"
    ]
