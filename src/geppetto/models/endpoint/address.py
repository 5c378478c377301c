"""Where a model behind an interface is: known from what is declared of it, or from its provider."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from geppetto._util.errors import GeppettoError
from geppetto.models.endpoint.litellm_setup import library

_OPENAI = ("OPENAI_API_BASE", "OPENAI_BASE_URL")
_WATSONX = ("WATSONX_API_BASE", "WATSONX_URL", "WX_URL", "WML_URL")
_VARIABLES: Mapping[str, tuple[str, ...]] = {
    "ai21": _OPENAI,
    "aiohttp_openai": _OPENAI,
    "anthropic_text": ("ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"),
    "azure": ("AZURE_OPENAI_ENDPOINT",),
    "azure_text": ("AZURE_API_BASE",),
    "bedrock": ("AWS_BEDROCK_RUNTIME_ENDPOINT",),
    "codestral": ("MISTRAL_AZURE_API_BASE",),
    "cohere_chat": ("COHERE_API_BASE",),
    "custom_openai": _OPENAI,
    "databricks": ("DATABRICKS_HOST",),
    "datarobot": ("DATAROBOT_ENDPOINT",),
    "featherless_ai": ("FEATHERLESS_API_BASE",),
    "fireworks_ai": ("FIREWORKS_API_BASE",),
    "friendliai": ("FRIENDLI_API_BASE",),
    "gradient_ai": ("GRADIENT_AI_AGENT_ENDPOINT",),
    "hosted_vllm": _OPENAI,
    "huggingface": ("HF_API_BASE",),
    "lambda_ai": ("LAMBDA_API_BASE",),
    "litellm_proxy": _OPENAI,
    "lm_studio": _OPENAI,
    "meta_llama": ("LLAMA_API_BASE",),
    "mistral": ("MISTRAL_AZURE_API_BASE",),
    "ollama_chat": ("OLLAMA_API_BASE",),
    "sap": ("AICORE_BASE_URL",),
    "scx-ai": ("SCX_API_BASE",),
    "tensormesh": ("TENSORMESH_SERVERLESS_BASE_URL",),
    "text-completion-codestral": ("CODESTRAL_API_BASE",),
    "text-completion-inception": ("INCEPTION_API_BASE",),
    "text-completion-openai": _OPENAI,
    "vertex_ai": ("VERTEXAI_API_BASE",),
    "vertex_ai_beta": ("VERTEXAI_API_BASE", "GEMINI_API_BASE"),
    "watsonx": _WATSONX,
    "watsonx_text": _WATSONX,
    "xinference": _OPENAI,
}
"""What LiteLLM 1.106 takes addresses from, by provider, that is not called after the provider."""


def refuse_unknown_address(name: str, model: str, api_base: str) -> None:
    """Refuse a model of which it is not known who serves it, and where.

    Raises
    ------
    GeppettoError
        If LiteLLM does not know its provider, an address is not one, or the environment would
        give another address than the one that answers are kept under.
    """
    litellm = library()
    try:
        _, provider, _, found = litellm.get_llm_provider(model)
    except litellm.exceptions.BadRequestError as error:
        raise GeppettoError(
            f"model {name}: LiteLLM knows no provider {model.partition('/')[0]!r}; write "
            f"openai/{model.rpartition('/')[2]} with an api_base for a server of your own"
        ) from error
    if api_base:
        if not api_base.startswith(("http://", "https://")):
            raise GeppettoError(
                f"model {name}: api_base {api_base!r} must begin with http:// or https://"
            )
        return
    for variable in _giving_address(provider, found):
        raise GeppettoError(
            f"model {name}: {variable} is set, but answers are kept by where they come from; "
            "write it as `api_base` of the model, or unset it"
        )


def _giving_address(provider: str, found: str | None) -> Iterator[str]:
    """Variables that are set and give an address: by their names, or as LiteLLM found it there."""
    named = (f"{provider.upper()}_{end}" for end in ("API_BASE", "BASE_URL"))
    known = {*named, *_VARIABLES.get(provider, ())}
    for variable, value in sorted(os.environ.items()):
        if value and (variable in known or value == found):
            yield variable
