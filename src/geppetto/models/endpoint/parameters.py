"""What an experiment says of a model behind an interface, by who reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from geppetto._util.errors import GeppettoError
from geppetto.models.endpoint.secrets import names_in, refuse_secrets

_OURS = frozenset(
    [
        *("model", "messages", "prompt", "temperature", "n", "best_of", "stream", "echo"),
        *("max_tokens", "max_completion_tokens", "logprobs", "top_logprobs", "timeout"),
        *("num_retries", "max_retries", "api_base", "base_url", "drop_params", "ssl_verify"),
        *("fallbacks", "mock_response", "caching", "cache"),
    ]
)
_THINKS = (
    " (a model that thinks before it answers may have `thinking_tokens` beside its parameters)"
)
_INSTEAD = {
    "max_tokens": _THINKS,
    "max_completion_tokens": _THINKS,
    "temperature": " (`samples` have one of their own: `samples: {temperature: 0.7}`)",
}
"""What does what a parameter is to do, by its name."""

_SEEDS = frozenset(("seed", "random_seed"))
_PRICES = ("input_cost_per_token", "output_cost_per_token")
_RATES = ("rpm", "tpm")


@dataclass(frozen=True)
class Parameters:
    """The parameters of a model.

    Attributes
    ----------
    sent
        What goes with every request, and so can change its reply.
    prices
        Dollars per token by LiteLLM's names: of what is sent and of what is said, or none.
    rpm, tpm
        The most requests, and tokens, in a minute; None if they are not limited.
    """

    sent: Mapping[str, JsonValue]
    prices: Mapping[str, JsonValue]
    rpm: int | None
    tpm: int | None

    @property
    def text(self) -> str:
        """What is sent, as JSON."""
        return json.dumps(self.sent, sort_keys=True)


def parameters_of(name: str, api_base: str, stated: Mapping[str, JsonValue]) -> Parameters:
    """The parameters that are given of a model.

    Raises
    ------
    GeppettoError
        If one is a credential, not the model's to say, or not what it should be.
    """
    refuse_secrets(name, api_base, dict(stated))
    if ours := sorted(_OURS & stated.keys()):
        raise GeppettoError(
            f"model {name}: {ours[0]!r} may not be a parameter, since the elicitation or "
            f"geppetto itself says it; take it out{_INSTEAD.get(ours[0], '')}"
        )
    if seeds := sorted(_SEEDS & set(names_in(dict(stated)))):
        raise GeppettoError(
            f"model {name}: {seeds[0]!r} may not be a parameter, since a server with a seed draws "
            "the same whenever it is asked the same, so that samples are copies and people who are "
            "put the same question share a draw; take it out (every reply is kept, so nothing is "
            "drawn twice)"
        )
    prices = {price: stated[price] for price in _PRICES if price in stated}
    if 0 < len(prices) < len(_PRICES):
        raise GeppettoError(f"model {name}: give both {' and '.join(_PRICES)}, or neither")
    for price, dollars in prices.items():
        if not isinstance(dollars, int | float):
            raise GeppettoError(
                f"model {name}: {price} is a number of dollars, not {dollars!r} (YAML reads "
                "1e-6 as text: write 0.000001)"
            )
    rpm, tpm = (_rate(name, rate, stated.get(rate)) for rate in _RATES)
    sent = {key: value for key, value in stated.items() if key not in (*_PRICES, *_RATES)}
    made = Parameters(sent, prices, rpm, tpm)
    try:
        _ = made.text
    except TypeError as error:
        raise GeppettoError(
            f"model {name}: parameters must be numbers, texts, lists and mappings: {error}"
        ) from error
    return made


def _rate(name: str, rate: str, value: JsonValue) -> int | None:
    if value is not None and (type(value) is not int or value < 1):
        raise GeppettoError(
            f"model {name}: {rate} is a whole number a minute, 1 or more, not {value!r}"
        )
    return value if isinstance(value, int) else None
