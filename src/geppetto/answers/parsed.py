"""What was parsed of a model that is asked by requests: its replies, and what they say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geppetto.elicitation.base import Reading
from geppetto.models.requests import Completion

NOT_FINITE = "an option's log-probability is not finite"

_KNOWN = 1e-9


@dataclass(frozen=True)
class ParsedAnswer:
    """One answer to a question, read from all that was replied to it.

    Attributes
    ----------
    reading
        What the replies say of the options.
    completions
        What came back, in the order in which it was asked for.
    ids
        Of the request of each reply, see `Request.id`; other answers may have the same.
    """

    reading: Reading
    completions: tuple[Completion, ...]
    ids: tuple[str, ...]

    @property
    def prompt_tokens(self) -> int:
        """Tokens that were sent, over all replies."""
        return sum(completion.prompt_tokens for completion in self.completions)

    @property
    def cost(self) -> float:
        """Dollars of all replies; NaN if the price of one is not known."""
        return float(sum(np.nan if r.cost is None else r.cost for r in self.completions))

    @property
    def reason(self) -> str:
        """Why nothing can be said of the options: what became of the replies."""
        failed = [outcome for outcome in self.reading.outcomes if outcome != "answered"]
        return ", ".join(dict.fromkeys(failed)) or NOT_FINITE


def same(low: float, high: float) -> bool:
    """Whether two bounds of an NLL leave nothing open but rounding."""
    return low == high or high - low < _KNOWN
