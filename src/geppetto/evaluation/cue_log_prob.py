"""Whether a model expected a response where it stands: what announces it costs little."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def flagged(announcing: NDArray[np.float64], responses: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which responses cost less than what announces them, if that is less likely than not.

    Their probability says little: the model would have written something else at that place. What
    is announced with even odds or more is not flagged: a response may be more predictable than
    that, above all with a persona that tells it, and arms would be flagged for what they predict.
    Odds alone would flag nearly every turn, since where a user ends is for nobody to predict.

    A model that expects something else after what announces a response, such as reasoning, is not
    told by this but by next to no option mass, and NLL of 14 to 25 nats (Binz et al. 2026).

    Parameters
    ----------
    announcing
        Log-probability of the text that announces each response, in nats.
    responses
        Log-probability of each response, in nats, of the same shape.
    """
    found: NDArray[np.bool_] = (announcing < responses) & (announcing < np.log(0.5))
    return found


def summary(condition: str, announcing: NDArray[np.float64], responses: NDArray[np.float64]) -> str:
    """A sentence on how many responses of a condition are flagged."""
    found = flagged(announcing, responses)
    return (
        f"{condition}: {found.sum():,} of {found.size:,} responses ({found.mean():.1%}) cost less "
        f"than what announces them (medians {-np.median(responses):.2f} and "
        f"{-np.median(announcing):.2f} nats)"
    )
