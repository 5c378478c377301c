"""What `geppetto studies show` and `check` print of sessions, and what is known of their fields."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from geppetto.cli import app
from geppetto.studies.sessions.published import PublishedTrait, published_tasks, published_traits
from invented_sessions import bandit, sessions_file

TRAITS = {trait.name: trait for trait in published_traits().values()}


def printed(*command: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["studies", *command])
    assert result.exit_code == code, result.output
    return " ".join(result.output.split())


def test_show_says_who_takes_part_what_they_did_and_where_the_first_trial_begins(
    workspace: Path,
) -> None:
    rows = bandit(10, 20)
    rows[0]["age"], rows[1]["age"] = "9", "nan"
    sessions_file(workspace / "task.zip", rows)
    shown = printed("show", "task.zip")
    for words in (
        "10 people in the data",
        "not used: 1 person under 18 years; 9 left",
        "age 1 (1 coded nan)",
        "responses of a person: 20 to 20, median 20; 180 in all",
        "options: inferred for 9 of 9 people (9 of their own)",
        "a number, 0 to 27 (mean 2.91, sd 3.52; Kocalevent",
        "end so: You are in a casino",
        "codebook): You press <<",
    ):
        assert words in shown


def test_the_data_card_of_a_published_task_has_its_licence(workspace: Path) -> None:
    sessions_file(workspace / "dezfouli2019.zip")
    shown = printed("show", "dezfouli2019.zip")
    assert "Psych-201" in shown and "Apache-2.0" in shown and "Binz et al." in shown
    sessions_file(workspace / "ours.jsonl")
    assert "Apache" not in printed("show", "ours.jsonl")


def test_check_lists_errors_and_notes_and_fails(workspace: Path) -> None:
    rows = bandit(10, 20)
    sessions_file(workspace / "task.jsonl", [*rows, rows[0], "no JSON"])
    shown = printed("check", "task.jsonl", code=1)
    assert "error participant 11 exp1.csv/1 an earlier line has this participant" in shown
    assert "error line 12" in shown and "not a line of JSON" in shown
    assert "note text 11 the same text as an earlier session" in shown
    assert "2 errors, 1 note" in shown
    sessions_file(workspace / "task.jsonl", rows)
    assert "no errors, 0 notes" in printed("check", "task.jsonl")


def test_every_field_of_the_published_persona_study_is_known() -> None:
    """The 25 fields that its authors show to models, and the three of FACSIMILE."""
    assert len(TRAITS) == 28
    assert {name for name, trait in TRAITS.items() if trait.demographic} == {
        "age",
        "gender",
        "nationality",
        "education",
    }
    assert all(name in published_traits() for name in TRAITS)
    assert len(published_traits()) == sum(len(set(trait.spellings)) for trait in TRAITS.values())
    assert len(published_tasks()) == 24


@pytest.mark.parametrize("trait", TRAITS.values(), ids=TRAITS)
def test_a_range_is_said_and_a_norm_lies_in_it_and_names_its_source(trait: PublishedTrait) -> None:
    said = re.findall(r"(\d+) to (\d+)", f"{trait.label} {trait.question}")
    limits = trait.limits
    assert said == ([] if limits is None else [tuple(f"{end:g}" for end in limits)] * 2)
    if trait.norm:
        assert limits is not None and limits[0] <= trait.norm.mean <= limits[1]
        assert re.search(r" \(\d{4}\)", trait.norm.source)
    elif not limits and not trait.demographic and trait.words is None:
        assert trait.note.startswith("no range and no norm, as")
