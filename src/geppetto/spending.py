"""What a run may spend, what it has spent, and what happens when that is reached."""

from __future__ import annotations

import time

from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt

from geppetto.errors import GeppettoError
from geppetto.models.speaker import Reply


class Budget(BaseModel):
    """The most that one run may spend on models behind an interface; nothing said is no limit.

    Attributes
    ----------
    dollars
        At the providers' prices.
    tokens
        Sent and said together.
    minutes
        Of wall time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dollars: PositiveFloat | None = None
    tokens: PositiveInt | None = None
    minutes: PositiveFloat | None = None


class BudgetReached(GeppettoError):  # noqa: N818  # reaching it is no error
    """A run has spent what it may; what it was told is stored."""


class Spending:
    """What one run has spent so far, of its budget.

    Attributes
    ----------
    dollars, tokens
        Of all replies so far, failed attempts not counted.
    """

    def __init__(self, budget: Budget | None = None) -> None:
        self.budget = budget or Budget()
        self.dollars = 0.0
        self.tokens = 0
        self._began = time.monotonic()

    def add(self, reply: Reply) -> None:
        """Count a reply that was paid for in this run."""
        self.dollars += reply.cost or 0.0
        self.tokens += reply.prompt_tokens + reply.completion_tokens

    @property
    def minutes(self) -> float:
        """Since this began."""
        return (time.monotonic() - self._began) / 60

    @property
    def reached(self) -> str:
        """What of the budget is spent; empty if there is some left of everything."""
        limits = [
            (self.dollars, self.budget.dollars, "dollars"),
            (self.tokens, self.budget.tokens, "tokens"),
            (self.minutes, self.budget.minutes, "minutes"),
        ]
        return " and ".join(
            f"{limit:,g} {what}" for spent, limit, what in limits if limit and spent >= limit
        )
