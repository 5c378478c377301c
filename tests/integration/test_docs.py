"""The README and all pages are executed: files are written, commands run, links followed."""

from __future__ import annotations

import importlib.util
import os
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
import yaml

import geppetto as package
from command import geppetto
from geppetto._util.yaml_file import read_yaml
from geppetto.cli import app
from geppetto.evaluation.results import Results
from geppetto.planning.config import Experiment
from workspaces import ROOT, folds_of_two, with_store, without_figures

DOCS = ROOT / "docs"
TEXTS = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
}
ELSEWHERE = {
    "docs/own_survey.md": "studies/test_survey_files.py",
    "docs/own_sessions.md": "studies/test_session_files.py",
    "docs/endpoints.md": "integration/test_endpoints_page.py",
}
"""Pages whose snippets need data or servers, and the tests that run them."""

PRINTED = {"docs/results/demo.md", "docs/architecture.md"}
"""Pages whose text blocks are no output of commands on them."""

SHORTER = {
    "README.md": {"sample: 24": "sample: 4", "[A4, C5, N3, N5]": "[A4, N3]"},
    "docs/search.md": {"sample: 40": "sample: 12", "[A4, N3]": "[N3]"},
    "docs/strategies.md": {"sample: 24": "sample: 4", "[A4, C5, N3, N5]": "[A4, N3]"},
    "docs/tutorial.md": {"sample: 60": "sample: 4", "[A4, C5, E4, N3, O5]": "[N3]"},
}
"""What is changed in experiments after their plans are compared, so that tests are not slow."""

SAID = {
    "README.md": (
        "You are an older adult.",
        "24 participants find a paired difference of d_z",
        "interview(traits=['age'])",
    ),
    "docs/strategies.md": (
        "personas/generation.py",
        "You are a person whose",
        "You are a young adult.",
        "You are an older adult.",
    ),
    "docs/search.md": ("Winner of 5 trials", "By the NLL of own personas"),
    "docs/tutorial.md": ("geppetto 0.", "undecided: with smollm2-135m-instruct"),
    "docs/notebook.md": ("with smollm2-135m-instruct and generation",),
    "docs/preregistration.md": ("followed",),
}
"""What commands of a page print, among other things."""


@dataclass(frozen=True)
class Block:
    """What stands between two fences: a language, a text, and the file that it names, if any."""

    language: str
    text: str

    @property
    def path(self) -> str | None:
        named = re.match(r"# (\S+\.(?:py|yaml|csv))\n", self.text)
        return named.group(1) if named else None

    @property
    def content(self) -> str:
        return self.text.split("\n", 1)[1]


def blocks(page: str) -> list[Block]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", TEXTS[page], re.DOTALL | re.MULTILINE)
    return [Block(*each) for each in found]


RUN = [page for page in TEXTS if page not in ELSEWHERE and blocks(page)]


# Snippets


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[Path]:
    """A workspace of all pages, with the README's files, so that nothing is asked twice."""
    made = with_store(tmp_path_factory.mktemp("pages"), empty_store)
    for name in ("personas", "experiments"):
        (made / name).mkdir()
    for block in blocks("README.md"):
        if block.path:
            (made / block.path).write_text(block.content)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.delenv("GEPPETTO_ANSWERS", raising=False)
        folds_of_two(patch)
        without_figures(patch)
        yield made


@pytest.mark.parametrize("page", RUN)
def test_files_and_commands_work(
    page: str, shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, everything, ran = "", "", False
    for block in blocks(page):
        if block.path:
            assert (shared / block.path).parent.is_dir(), block.path
            (shared / block.path).write_text(block.content)
            if block.language == "python" and "/" not in block.path:
                with expected_warning(block.path):
                    runpy.run_path(block.path, run_name="__main__")
                everything += capsys.readouterr().out
        elif block.language == "sh":
            output, ran = "", False
            for command in block.text.splitlines():
                program, *words = shlex.split(command, comments=True) or [""]
                if program == "geppetto" and words != ["ui"]:
                    ran = ran or words[0] in ("run", "show")
                    output += printed(words, page, shared)
                    everything += output
                else:
                    check_other(program, words, shared)
        elif block.language == "text" and page not in PRINTED:
            check_text(block.text, output, whole=not ran)
        else:
            assert block.language == "text", f"a snippet that names no file:\n{block.text}"
    for words in SAID.get(page, ()):
        assert words in everything, words
    for name in re.findall(r'(?:savefig|to_csv|to_parquet)\("([^"]+)"', TEXTS[page]):
        assert (shared / name).stat().st_size > 0, name


def expected_warning(name: str) -> AbstractContextManager[object]:
    """What a snippet warns of: the notebook compares groups in a sample made small for tests."""
    if name != "notebook.py":
        return nullcontext()
    return pytest.warns(UserWarning, match="fewer than 10 people, too few to compare")


def printed(words: list[str], page: str, workspace: Path) -> str:
    """What a command prints; it must go well."""
    if words[:2] == ["personas", "new"]:
        (workspace / "personas" / f"{words[2]}.py").unlink(missing_ok=True)
    if words[0] in ("run", "search"):
        path = workspace / words[1]
        for long, short in SHORTER.get(page, {}).items():
            assert long in path.read_text()
            path.write_text(path.read_text().replace(long, short))
    done = geppetto(*words, cwd=workspace)
    assert done.returncode == 0, f"geppetto {shlex.join(words)}\n{done.stderr}"
    return done.stdout


def check_other(program: str, words: list[str], workspace: Path) -> None:
    """Commands that are not run: what they name exists."""
    if program == "make":
        assert words[0] in targets()
    elif program.endswith("pip"):
        (extra,) = re.findall(r"\[(\w+)\]", words[-1])
        assert f"\n{extra} = [" in (ROOT / "pyproject.toml").read_text()
    elif program == ".venv/bin/geppetto":
        assert words[0] == "run" and Experiment.from_file(ROOT / words[1])
    elif program == "python":
        assert (workspace / words[0]).exists() or (ROOT / words[0]).exists()
    else:
        known = (["geppetto", "ui"], ["source", ".venv/bin/activate"])
        assert [program, *words] in (*known, ["python3", "-m", "venv", ".venv"])


def check_text(text: str, output: str, whole: bool) -> None:
    """Lines that are shown were printed; of results, which are of more people, their names."""
    said = [line.strip() for line in output.splitlines()]
    for line in filter(None, map(str.rstrip, text.splitlines())):
        if whole:
            assert line.strip() in said
        elif line.startswith("  "):
            assert any(one.startswith(re.split(r"\s{2,}", line.strip())[0]) for one in said), line


def test_other_pages_are_run_by_other_tests() -> None:
    for page, test in ELSEWHERE.items():
        assert Path(page).name in (ROOT / "tests" / test).read_text("utf-8")


@pytest.mark.parametrize("page", TEXTS)
def test_experiments_are_some(page: str, tmp_path: Path) -> None:
    for block in blocks(page):
        if block.path and block.path.startswith("experiments/"):
            path = tmp_path / Path(block.path).name
            path.write_text(block.content)
            assert Experiment.from_file(path).each


def test_every_key_of_an_experiment_is_documented() -> None:
    text = TEXTS["docs/experiment.md"]
    table = text[text.index("## Every key") : text.index("## Arms")]
    documented = re.findall(r"^\| `(\w+)`", table, re.MULTILINE)
    assert documented == [name for name in Experiment.model_fields if name != "name"]


def test_the_demo_shown_is_the_one_that_ships() -> None:
    demo = read_yaml(ROOT / "experiments" / "bfi_personas.yaml", Experiment, name="bfi_personas")
    assert {arm.name for arm in demo.arms} >= {"none", "filler", "shuffled", "own"}
    assert {strategy.name for strategy in demo.strategies} == {"interview", "known_answers"}
    shown = TEXTS["docs/results/demo.md"]
    for text in (TEXTS["README.md"], shown):
        assert f"{demo.participants.sample} people" in text
    assert demo.question in shown


def test_the_numbers_of_the_readme_are_the_demo_s() -> None:
    rows = re.findall(r"^\| (?:SmolLM2|Gemma).*$", TEXTS["README.md"], re.MULTILINE)
    assert len(rows) == 4
    for row in rows:
        for effect, verdict in re.findall(r"([+-]\S+ \[[^]]+\]) (\w+)", row):
            shown = rf"{re.escape(effect)} .* {verdict}$"
            assert re.search(shown, TEXTS["docs/results/demo.md"], re.MULTILINE), effect


@pytest.mark.parametrize("page", TEXTS)
def test_names_that_pages_use_exist(page: str) -> None:
    text = TEXTS[page]
    group = typer.main.get_command(app)
    commands = group.commands  # type: ignore[attr-defined]  # of a group of commands
    for first, second in re.findall(r"`geppetto ([a-z]+)(?: ([a-z]+))?", text):
        assert first in commands, first
        if second and hasattr(commands[first], "commands"):
            assert second in commands[first].commands, second
    for name in re.findall(r"(?<!tag )`geppetto\.(\w+)", text):
        assert name in package.__all__ or importlib.util.find_spec(f"geppetto.{name}"), name
    for name in re.findall(r"`results\.(\w+)", text):
        assert hasattr(Results, name) or name in Results.__dataclass_fields__, name
    for name in re.findall(r"`(test_\w+\.py)`", text):
        assert list((ROOT / "tests").rglob(name)), name
    for target in re.findall(r"`make ([a-z-]+)`", text):
        assert target in targets()


def test_the_architecture_names_every_package() -> None:
    source = ROOT / "src" / "geppetto"
    rooms = {path.parent.name for path in source.glob("*/__init__.py")}
    page = TEXTS["docs/architecture.md"]
    table = page[: page.index("The one exception")]
    assert set(re.findall(r"^\| `([\w.]+)` \|", table, re.MULTILINE)) == rooms | {"api.py"}


def targets() -> set[str]:
    """What make can be told."""
    return set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


# Links and the site


@pytest.mark.parametrize("page", [*TEXTS, "CHANGELOG.md"])
def test_links_lead_somewhere(page: str) -> None:
    text = TEXTS.get(page) or (ROOT / page).read_text("utf-8")
    assert "<!--" not in text and "@@" not in text
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        target, _, anchor = link.partition("#")
        if target.startswith("https://"):
            continue
        path = (ROOT / page).parent / target if target else ROOT / page
        assert path.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.MULTILINE)
            assert anchor in map(slug, headings), link


def slug(heading: str) -> str:
    """The anchor of a heading."""
    return re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower())


def test_every_page_is_in_the_navigation() -> None:
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text())

    def pages(entry: object) -> Iterator[str]:
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict):
            for each in entry.values():
                yield from pages(each)
        elif isinstance(entry, list):
            for each in entry:
                yield from pages(each)

    listed = list(pages(site["nav"]))
    assert sorted(listed) == sorted(p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md"))


OFFLINE = """
import socket, sys

def refuse(*arguments, **named):
    raise OSError("the documentation is built without a network")

socket.getaddrinfo = socket.create_connection = socket.socket.connect = refuse
from mkdocs.__main__ import cli
cli(["build", "--strict", "--site-dir", sys.argv[1]])
"""


@pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("mkdocs", "material", "mkdocstrings"))),
    reason="MkDocs Material and mkdocstrings, of the extra `dev`, are not installed",
)
def test_the_site_is_built_without_a_warning_and_without_a_network(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-c", OFFLINE, str(tmp_path)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) > len(list(DOCS.rglob("*.md")))
    for page in pages:
        fetched = re.findall(
            r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=\"?((?:https?:)?//[^\s\">]+)",
            page.read_text("utf-8"),
        )
        assert fetched == [], page.name
    reference = (tmp_path / "api.html").read_text("utf-8")
    for name in package.__all__:
        assert f'id="geppetto.{name}"' in reference
