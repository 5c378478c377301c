"""What a run may spend, what it has spent, and what happens when that is reached."""

from __future__ import annotations

import time
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt

from geppetto._util.errors import GeppettoError
from geppetto.models.requests import Completion, Request

_TEMPLATE, _TURN = 100, 10
"""Tokens that a server may add to a prompt, such as a system turn by default, and to each turn."""


class Budget(BaseModel):
    """The most that one run may spend on models behind an interface; nothing said is no limit.

    No request is sent that could go beyond it: what it and those under way can cost at most is
    set apart before. So it is overshot only by what servers say beyond the `max_tokens` that they
    are asked for, or add to a prompt beyond 100 tokens and 10 a turn; and what is left of it at
    the end is less than one request can cost.

    Attributes
    ----------
    dollars
        At the providers' prices.
    tokens
        Sent and said together.
    minutes
        Of wall time, until which requests are sent; those under way then are waited for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dollars: PositiveFloat | None = None
    tokens: PositiveInt | None = None
    minutes: PositiveFloat | None = None


class BudgetReached(GeppettoError):  # noqa: N818  # reaching it is no error
    """A run has spent what it may; what it was told is stored."""


@dataclass(frozen=True)
class Usage:
    """What an attempt at a request takes.

    Attributes
    ----------
    tokens
        Sent and said together.
    dollars
        What they cost.
    """

    tokens: int = 0
    dollars: float = 0.0


class BudgetTracker:
    """What one run has spent so far, of its budget.

    Attributes
    ----------
    dollars, tokens
        Of all that was or may have been charged. An attempt of which nothing came back, nothing
        whole, or not what it took, counts as much as it can have cost; one that was refused counts
        nothing.
    """

    def __init__(self, budget: Budget | None = None) -> None:
        self.budget = budget or Budget()
        self.dollars = 0.0
        self.tokens = 0
        self._under_way: list[Usage] = []
        self._began = time.monotonic()

    def reserve(self, most: Usage) -> bool:
        """Set apart what an attempt can cost at most.

        Returns
        -------
        bool
            Whether that is possible now, whatever those under way turn out to cost.

        Raises
        ------
        BudgetReached
            If it will not be possible, whatever they cost.
        """
        if reached := self._reached(most):
            raise BudgetReached(reached)
        under_way = [*self._under_way, most]
        if self._reached(
            Usage(sum(one.tokens for one in under_way), sum(one.dollars for one in under_way))
        ):
            return False
        self._under_way.append(most)
        return True

    def settle(self, most: Usage, usage: Usage) -> None:
        """Count what an attempt cost in place of what was set apart for it."""
        self._under_way.remove(most)
        self.count(usage)

    def count(self, usage: Usage) -> None:
        """Count what was spent."""
        self.tokens += usage.tokens
        self.dollars += usage.dollars

    @property
    def seconds_left(self) -> float | None:
        """Of the budget's minutes; None if they are not limited."""
        minutes = self.budget.minutes
        return None if minutes is None else 60 * minutes - (time.monotonic() - self._began)

    @property
    def minutes_reached(self) -> BudgetReached:
        """What is said when the minutes are over."""
        return BudgetReached(f"the budget of {self.budget.minutes:,g} minutes is reached")

    def _reached(self, most: Usage) -> str:
        """What of the budget does not suffice for a bill; empty if all does."""
        if self.seconds_left is not None and self.seconds_left <= 0:
            return str(self.minutes_reached)
        for what, spent, more, limit in (
            ("dollars", self.dollars, most.dollars, self.budget.dollars),
            ("tokens", self.tokens, most.tokens, self.budget.tokens),
        ):
            if limit and spent >= limit:
                return f"the budget of {limit:,g} {what} is reached"
            if limit and spent + more > limit:
                return (
                    f"the budget of {limit:,g} {what} is reached, since {limit - spent:,g} are "
                    f"left and the next request can take {more:,g}"
                )
        return ""


def usage_of(completion: Completion, most: Usage | None = None) -> Usage:
    """What a reply took; where it does not say, as much as it can have taken at `most`."""
    most = most or Usage()
    known = completion.prompt_tokens + completion.completion_tokens
    return Usage(
        known if completion.prompt_tokens else most.tokens,
        most.dollars if completion.cost is None else completion.cost,
    )


def longest_prompt(request: Request) -> int:
    """Tokens that a request's prompt can have at most: each spells at least a byte."""
    texts = [turn.content for turn in request.turns] or [request.text]
    return _TEMPLATE + sum(_TURN + len(text.encode()) for text in texts)


def unmeasured(completion: Completion, budget: Budget, name: str) -> str:
    """Why a budget cannot be kept with replies like this one of a model; empty if it can."""
    if completion.finish == "filter":
        return ""
    if (budget.dollars or budget.tokens) and not completion.prompt_tokens:
        return (
            f"{name} does not say how many tokens a reply took, so that a budget in dollars or "
            "tokens cannot be kept; budget minutes instead"
        )
    if budget.dollars and completion.cost is None:
        return f"{name} replied without a price; budget tokens instead"
    return ""
