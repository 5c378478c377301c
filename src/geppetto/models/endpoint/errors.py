"""What went wrong with a request to an endpoint, and what follows from it.

- *Passing*: it may go well if it is sent again. Too many requests (429), no answer in time,
  a cut connection, 5xx, and replies that are broken.
- *Filtered*: the provider did not let the question or the answer through. That is a reply.
- *Hopeless*: this request cannot go well, others may. It is longer than the model's context.
- *Final*: no request goes well. The key (401, 403), the model's name (404), a parameter (other
  4xx), the server's certificate. It ends the run.

An error that is none of the network's or the server's is a fault of this program or of LiteLLM,
which sending again does not mend: it is raised as it is.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Literal

from geppetto._util.errors import causes
from geppetto.models.endpoint.litellm_setup import library
from geppetto.models.endpoint.secrets import without_secrets

_OVERLOADED = frozenset({408, 429, 503, 504, 529})
_PASSING = frozenset({408, 409, 425, 429})
_FILTERED = ("content_filter", "content_policy", "content management policy")
_NO_KEY = ("Missing credentials", "api_key client option must be set")
_CERTIFICATE = "CERTIFICATE_VERIFY_FAILED"
_UNTRUSTED = (
    "its certificate is not trusted: name the file of its authority in SSL_CERT_FILE "
    "(certificates are always checked)"
)
_REDIRECTED = (
    "that is not followed, since prompts and keys stay where they are sent: write the address "
    "that is right as the model's api_base"
)
_PROGRAM = "Traceback (most recent call last)"
"""Begins what LiteLLM adds of its own program to what went wrong."""
_ADVICE = {
    400: "it refuses a parameter: change the model's parameters or the elicitation",
    401: "set its provider's key in the environment or the workspace's .env file",
    403: "see that the key may use this model",
    404: "see that the model's name and its api_base are right",
    422: "it refuses a parameter: change the model's parameters or the elicitation",
}
_REFUSED = {
    "temperature": (
        "it refuses the temperature: `samples` ask at 1, and a strategy whose texts it writes can "
        "have `temperature: 1`"
    ),
    "max_tokens": "it refuses how much it may say: lower `thinking_tokens` or `longest`",
    "reasoning_effort": "it refuses the reasoning effort: change it among the model's parameters",
}
"""What to change where a parameter is refused, by a word of the refusal."""

_DROPPING = re.compile(r"\W*(?:To drop (?:these|unsupported)|set\W+litellm\.drop_params).*")
"""Advice of LiteLLM to drop parameters in silence, which geppetto does not do."""


_LONGEST_SAID = 31 * 24 * 3600.0
"""Seconds: whoever asks to come back later than in a month means nothing by it."""


class BrokenCompletionError(Exception):
    """A reply that is not what was asked for: a fault of the network or of the server.

    Attributes
    ----------
    status
        Of the error that stands in its place, as HTTP would have it, if it says one.
    """

    def __init__(self, said: str, status: object = None) -> None:
        super().__init__(said)
        self.status = status


class RedirectedError(Exception):
    """A server that sends what it is asked to another address."""


@dataclass(frozen=True)
class Fault:
    """What went wrong with a request.

    Attributes
    ----------
    kind
        What follows from it; see this module.
    said
        What the endpoint or the library said, without secrets.
    advice
        What to change, if it ends the run.
    overload
        Whether fewer requests at once could help.
    retry_after
        Seconds that the endpoint asks to wait; 0 if it does not.
    charged
        Whether the request may have been paid for: all are but those that were refused, or to
        which no connection was made.
    """

    kind: Literal["passing", "filtered", "hopeless", "final"]
    said: str
    advice: str = ""
    overload: bool = False
    retry_after: float = 0.0
    charged: bool = True


def fault(error: Exception) -> Fault:
    """The fault that a call of LiteLLM, or the reading of what it gave, ended with.

    Raises
    ------
    Exception
        The error itself, if it is neither the network's nor the server's.
    """
    return replace(_fault(error), charged=not _is_free(error))


def _fault(error: Exception) -> Fault:
    import httpx

    litellm = library()
    said = " ".join(without_secrets(str(error)).partition(_PROGRAM)[0].split())[:500]
    status = getattr(error, "status_code", None)
    if isinstance(error, BrokenCompletionError):
        is_filtered = any(mark in said for mark in _FILTERED)
        overload = error.status in _OVERLOADED
        return Fault("filtered" if is_filtered else "passing", said, overload=overload)
    if isinstance(error, RedirectedError):
        return Fault("final", said, _REDIRECTED)
    if _is_certificate(error):
        return Fault("final", said, _UNTRUSTED)
    if any(mark in said for mark in _NO_KEY):
        return Fault("final", said, _ADVICE[401])
    if isinstance(error, litellm.ContextWindowExceededError):
        return Fault("hopeless", said)
    is_filtered = isinstance(error, litellm.ContentPolicyViolationError)
    if is_filtered or (status == 400 and any(mark in said for mark in _FILTERED)):
        return Fault("filtered", said)
    if isinstance(status, int) and 400 <= status < 500 and status not in _PASSING:
        refused = next((why for word, why in _REFUSED.items() if word in said), "")
        advice = _ADVICE.get(status, "it refuses the request")
        of_parameter = status in (400, 422) and refused
        return Fault("final", _DROPPING.split(said)[0], of_parameter or advice)
    of_network = (TimeoutError, ConnectionError, httpx.TransportError)
    if not isinstance(status, int) and not isinstance(error, of_network):
        raise error
    overload = status in _OVERLOADED or isinstance(error, TimeoutError)
    return Fault(
        "passing",
        said or type(error).__name__,
        overload=overload,
        retry_after=_retry_after(_headers(error)),
    )


def _is_certificate(error: BaseException) -> bool:
    return any(
        isinstance(cause, ssl.SSLCertVerificationError) or _CERTIFICATE in str(cause)
        for cause in causes(error)
    )


def _is_free(error: Exception) -> bool:
    import httpx

    if isinstance(error, RedirectedError):
        return True
    refused = (httpx.HTTPStatusError, httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
    return getattr(error, "status_code", None) == 429 or any(
        isinstance(cause, refused) for cause in causes(error)
    )


def _headers(error: Exception) -> Mapping[str, str]:
    response = getattr(error, "response", None)
    own = getattr(error, "litellm_response_headers", None)
    return own or getattr(response, "headers", None) or {}


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that a server asks to wait; 0 if it does not say, or says what nobody can mean."""
    seconds = _seconds(str(headers.get("retry-after", "")))
    return seconds if 0 < seconds <= _LONGEST_SAID else 0.0


def _seconds(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(value).timestamp() - time.time()
    except (ValueError, OverflowError, OSError):
        return 0.0
