"""The result in plain sentences."""

from __future__ import annotations

from collections.abc import Sequence

from geppetto.evaluation.effects import Effect
from geppetto.evaluation.inference import Estimate

FEWEST = 20
"""People below whom no verdict is given: the intervals are too narrow there.

In simulations of normal differences the 95% interval covers 93% at 20 people, 90% at 12 and 73%
at 3.
"""


def informations(found: Sequence[Effect]) -> list[Effect]:
    """The effects that answer the question: information, over the legal options."""
    return [e for e in found if e.contrast.name == "information" and e.measure == "nll"]


def sentence(effect: Effect) -> str:
    """What one information effect says, with its interval.

    A persona is said to help or to hurt only if the interval excludes zero. An interval that
    holds zero is not evidence that there is no effect, and is not called that.
    """
    nats = effect.nats
    if effect.participants < FEWEST:
        verdict = f"is not judged, since an interval needs at least {FEWEST} people"
    elif nats.low > 0:
        verdict = "predicts this person better than a stranger's persona does"
    elif nats.high < 0:
        verdict = "predicts this person worse than a stranger's persona does"
    else:
        verdict = "cannot be told from a stranger's persona"
    return (
        f"With {effect.model}, a participant's own {effect.strategy} persona {verdict}: "
        f"{_interval(nats)} nats a response, d_z {effect.d_z.value:+.2f}, "
        f"{effect.improved.value:.0%} of {effect.participants} people improved."
    )


def sentences(found: Sequence[Effect]) -> list[str]:
    """One sentence for each model and strategy whose information was measured."""
    return [sentence(effect) for effect in informations(found)]


def conclusion(found: Sequence[Effect]) -> str:
    """All information effects in one sentence."""
    measured = informations(found)
    if not measured:
        return "Information was not measured: it needs the arms shuffled and own."
    if measured[0].participants < FEWEST:
        return f"{measured[0].participants} people are too few for a verdict: {FEWEST} are needed."
    better = [effect for effect in measured if effect.nats.low > 0]
    worse = [effect for effect in measured if effect.nats.high < 0]
    parts = []
    if better:
        parts.append(
            f"people's own personas predicted them better than strangers' did with {_names(better)}"
        )
    if worse:
        parts.append(f"worse with {_names(worse)}")
    if undecided := [effect for effect in measured if not effect.nats.excludes_zero()]:
        parts.append(f"no difference was found, or excluded, with {_names(undecided)}")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _names(found: Sequence[Effect]) -> str:
    return ", ".join(f"{effect.strategy} ({effect.model})" for effect in found)


def _interval(estimate: Estimate) -> str:
    return f"{estimate.value:+.3f} [{estimate.low:+.3f}, {estimate.high:+.3f}]"
