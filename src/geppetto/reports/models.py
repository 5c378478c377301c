"""Models in the terminal: which there are, and what an interface was seen to give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from geppetto.models.endpoint.probe import Probe

if TYPE_CHECKING:
    from geppetto.models.local.llama_cpp import LlamaCppModel

_OTHERS = """\
Any other GGUF file, or a folder of the Hugging Face hub: its path. A downloaded model of the hub:
hf:OWNER/NAME. Any other model: its LiteLLM name, as openai/NAME, anthropic/NAME or
hosted_vllm/NAME, with an api_base if it is not at its provider's. What one of those gives:
geppetto models probe NAME"""


def models(local: Sequence[LlamaCppModel]) -> RenderableType:
    """The models that are installed as packages, and how to name others."""
    table = Table("model", "kind", "context, tokens", box=None, header_style="dim")
    for model in local:
        table.add_row(model.identity.name, model.identity.kind, f"{model.context:,}")
    files = [Text(f"{model.identity.name}: {model.file}", "dim") for model in local]
    return Group(table, Text(), *files, Text(), Text(_OTHERS))


def probe(found: Probe) -> RenderableType:
    """What an interface was asked for and what it did, and what that took."""
    model = found.identity
    where = f" at {model.api_base}" if model.api_base else ""
    table = Table("", "gives", "asked", "seen", box=None, header_style="dim")
    for finding in found.findings:
        table.add_row(*map(Text, (finding.what, finding.found, finding.wanted, finding.seen)))
    cost = "price not known" if found.cost is None else f"${found.cost:.6f}"
    return Group(
        Text(f"{model.name} ({model.model}{where}), asked as `kind: {model.kind}`"),
        table,
        Text(
            f"{found.requests} requests, {found.prompt_tokens:,} tokens read and "
            f"{found.completion_tokens:,} said, {cost}"
        ),
    )
