"""The README is short, and says first what one wants to know; `test_docs` runs what it shows."""

from __future__ import annotations

import re
import tomllib

import pytest
import yaml

from geppetto.studies import bundled_studies, data_card
from workspaces import ROOT

README = (ROOT / "README.md").read_text("utf-8")
LINES = README.splitlines()
COMMANDS = [
    line
    for text in re.findall(r"^```sh\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    for line in text.splitlines()
]


def test_it_is_short_and_begins_with_the_question_and_the_answer() -> None:
    assert len(LINES) <= 130
    first = " ".join(LINES[:12])
    assert "Does a persona prompt make a language model predict _this_ person" in first
    answer = first[first.index("**The answer:") :]
    assert answer.count("**") == 2 and "was not decided by 100 people" in answer


def test_it_has_one_table_and_one_figure() -> None:
    assert sum(bool(re.fullmatch(r"\|[-:|]+\|", line)) for line in LINES) == 1
    assert re.findall(r"!\[.*\]\((.*)\)", README) == ["docs/effects.png"]


def test_a_strategy_of_ones_own_is_a_dozen_lines() -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    written = code[code.index("class ") :].splitlines()
    assert 9 <= len(written) <= 13


def test_the_two_commands_come_first_and_ci_calls_the_second() -> None:
    assert COMMANDS[:2] == ["make demo", "make test"]
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"demo", "test"} <= set(targets)
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith("make test")


def test_every_page_but_the_index_is_linked_from_it_or_named_in_the_site() -> None:
    linked = set(re.findall(r"\]\(docs/([\w/]+\.md)\)", README))
    pages = {p.relative_to(ROOT / "docs").as_posix() for p in (ROOT / "docs").rglob("*.md")}
    assert pages - linked == {"index.md", "api.md"}


# What makes it a project that others can join


def test_what_pip_installs_is_pinned() -> None:
    lines = (ROOT / "constraints.txt").read_text().split()
    assert all("==" in line for line in lines)
    assert lines == sorted(lines, key=str.lower)
    project = (ROOT / "pyproject.toml").read_text()
    needed = re.findall(r'^    "([A-Za-z0-9-]+)[^ ]*",$', project.split("[tool.")[0], re.MULTILINE)
    assert {name.lower() for name in needed} <= {line.split("==")[0].lower() for line in lines}


def test_the_licence_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert project["license"] == cited["license"] == "Apache-2.0"
    assert project["version"] == cited["version"]
    assert "urls" not in project and "authors" not in project
    for name in project["license-files"]:
        assert (ROOT / name).exists()
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text and "END OF TERMS AND CONDITIONS" in text


@pytest.mark.parametrize("study", bundled_studies())
def test_the_notice_names_every_table_and_its_licence(study: str) -> None:
    notice = (ROOT / "NOTICE").read_text()
    for path in (ROOT / "src/geppetto/studies/data").glob(f"{study}.*.xz"):
        assert path.name in notice
    assert "**Licence.**" in data_card(study)
    for licence in ("GPL (>= 2)", "Public domain"):
        if licence in data_card(study):
            assert licence in notice[notice.index(f"\n{study}\n") :]
