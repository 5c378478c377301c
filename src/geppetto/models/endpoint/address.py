"""Where a model behind an interface is: known from what is declared of it, or from LiteLLM.

An address that the environment gives would change which server answers, and answers would still be
kept as the provider's. So LiteLLM is asked where it would send a request, and what it says must not
be an address of the environment.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from geppetto._util.errors import GeppettoError
from geppetto.models.endpoint.litellm_setup import library
from geppetto.models.endpoint.secrets import without_secrets

_LONGEST = 10.0
"""Seconds that LiteLLM may take to say where it would send a request."""

_UNWATCHED = frozenset({"aiohttp_openai"})
"""Providers that LiteLLM does not reach by httpx; see `geppetto.models.endpoint.wire`."""

_HOST = re.compile(r"(?:\w+://)?(?:[^/@\s]*@)?([^/?#\s]+?)(?::80|:443)?(?:[/?#\s]|$)")


def refuse_unknown_address(name: str, sent: Mapping[str, Any]) -> None:
    """Refuse a model of which it is not known who serves it, and where.

    Parameters
    ----------
    name
        What the model is called.
    sent
        What LiteLLM is told with every request: its `model`, `api_base` and other parameters.

    Raises
    ------
    GeppettoError
        If LiteLLM does not know its provider, an address is not one, or the environment would
        give another address than the one that answers are kept under.
    """
    litellm = library()
    model, api_base = sent["model"], sent.get("api_base", "")
    try:
        _, provider, _, found = litellm.get_llm_provider(model)
    except litellm.exceptions.BadRequestError as error:
        raise GeppettoError(
            f"model {name}: LiteLLM knows no provider {model.partition('/')[0]!r}; write "
            f"hf:{model} if it is a model of the Hugging Face hub to be computed here, "
            f"openai/{model.rpartition('/')[2]} with an api_base for a server of your own"
        ) from error
    if provider in _UNWATCHED:
        raise GeppettoError(
            f"model {name}: {provider} follows redirects with the prompt and the key, which "
            f"cannot be kept from it; write openai/{model.rpartition('/')[2]}"
        )
    if api_base:
        if not api_base.startswith(("http://", "https://")):
            raise GeppettoError(
                f"model {name}: api_base {api_base!r} must begin with http:// or https://"
            )
        return
    who = _letters(provider)
    for variable, value in sorted(os.environ.items()):
        if value and _letters(variable) in (f"{who}APIBASE", f"{who}BASEURL"):
            raise _refusal(name, variable)
    given = sorted(variable for variable, value in os.environ.items() if "://" in value)
    told = [found or "", *_resolved(sent)] if given else []
    for address in told:
        refuse_address_of_environment(name, address)
    family = _letters(provider.partition("_")[0])  # vertex_ai_beta and vertex_ai share theirs
    for variable in given:
        if not any(told) and family in _letters(variable):
            raise _refusal(name, variable)


def refuse_address_of_environment(name: str, address: str) -> None:
    """Refuse to send to an address whose host and port a variable of the environment gives.

    Raises
    ------
    GeppettoError
        If one does; the message names it.
    """
    host = _host(address)
    for variable, value in sorted(os.environ.items()):
        if host and host == _host(value):
            raise _refusal(name, variable)


def address_in(details: Mapping[str, Any]) -> str:
    """Where LiteLLM is about to send a request, by what it tells loggers; empty if it does not.

    What could be a credential is left out.
    """
    told = (details.get("additional_args") or {}).get("api_base")  # a text, or an URL of httpx
    address = urlsplit(str(told or ""))
    host = address.netloc.rpartition("@")[2]
    return without_secrets(address._replace(netloc=host, query="", fragment="").geturl())


def _resolved(sent: Mapping[str, Any]) -> list[str]:
    """Where LiteLLM would send a chat and a text to continue; empty where it does not say.

    It makes the request and stops before it sends it. It does not say where a library that it uses
    looks into the environment itself, or where it asks for a token first and has no credentials,
    which some look for in the network for minutes.
    """
    from litellm.types.utils import CallTypes
    from litellm.utils import return_raw_request

    contents: dict[CallTypes, dict[str, Any]] = {
        CallTypes.completion: {"messages": [{"role": "user", "content": "?"}]},
        CallTypes.text_completion: {"prompt": "?"},
    }
    told: list[str] = []

    def ask() -> None:
        for call, content in contents.items():
            raw = return_raw_request(call, {**sent, **content})
            told.append(raw.get("raw_request_api_base") or "")

    log = logging.getLogger("LiteLLM")
    before = log.level
    log.setLevel(logging.CRITICAL)  # that there are no credentials is said when something is sent
    asking = Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_LONGEST)
    log.setLevel(before)
    return list(told)


def _host(address: str) -> str:
    """The host and port of an address, however it is written; ports by default are left out."""
    found = _HOST.match(address.strip().lower())
    return found[1] if found else ""


def _letters(name: str) -> str:
    return name.replace("_", "").upper()


def _refusal(name: str, variable: str) -> GeppettoError:
    return GeppettoError(
        f"model {name}: {variable} is set, but answers are kept by where they come from; "
        "write it as `api_base` of the model, or unset it"
    )
