"""Real experiments of Psych-201, with counts that were made independently of the reader."""

import json
import re
import zipfile

import pytest

from geppetto.studies import Study, load_study
from geppetto.studies.build import Checked
from geppetto.studies.problems import errors
from geppetto.studies.survey_file import check_study
from psych201 import psych201

COUNTS = {
    "busch2024_stroop": (125, 125, 84, 120),
    "franke2024bayesian": (302, 302, 4, 4),
    "guenther2023grammaticality": (80, 80, 110, 110),
    "guenther2024comprehension": (417, 417, 66, 66),
    "guenther2024substitutions": (878, 878, 48, 108),
    "thoma2025riskychoice": (301, 100, 9, 9),
}
"""People in the data, adults or people of unknown age, fewest and most responses."""


@pytest.fixture(scope="module", params=COUNTS)
def checked(request: pytest.FixtureRequest) -> Checked:
    found = check_study(str(psych201(request.param)))
    assert isinstance(found.study, Study)
    return found


def real(name: str) -> Study:
    return load_study(str(psych201(name)))


def test_nothing_is_wrong_with_published_sessions_and_everybody_is_counted(
    checked: Checked,
) -> None:
    study = checked.study
    everybody, used, fewest, most = COUNTS[study.name]
    assert errors(checked.problems) == []
    assert len(study.people) == used
    assert used + sum(study.excluded.values()) == everybody
    responses = [len(p.session.spans) for p in study.people.values() if p.session]
    assert len(responses) == used and (min(responses), max(responses)) == (fewest, most)


def test_responses_are_those_of_the_source(checked: Checked) -> None:
    """Against an independent reading with a regular expression."""
    with zipfile.ZipFile(psych201(checked.study.name)) as archive:
        texts = [json.loads(line)["text"] for line in archive.open("prompts.jsonl")]
    expected = {text: tuple(re.findall("<<(.*?)>>", text)) for text in texts}
    for person in checked.study.people.values():
        session = person.session
        assert session is not None
        assert session.responses == expected[session.text]
        assert all(
            not span.options or r in span.options
            for span, r in zip(session.spans, session.responses, strict=True)
        )


@pytest.mark.parametrize(
    ("name", "ending", "lines"),
    [
        ("busch2024_stroop", "right for blue LETTERS. \n\n", 1),
        ("franke2024bayesian", "indicates the answer.\n\n", 16),
        ("guenther2023grammaticality", "not correct.\n", 1),
        ("guenther2024comprehension", "whenever you want to.\n", 1),
        ("thoma2025riskychoice", "as you can.\n", 2),
    ],
)
def test_instructions_end_where_the_first_trial_begins(name: str, ending: str, lines: int) -> None:
    for person in real(name).people.values():
        session = person.session
        assert session is not None
        assert session.instructions.endswith(ending)
        assert session.text[session.trials[0] : session.trials[1]].count("\n") == lines


@pytest.mark.parametrize("name", [*COUNTS, "dezfouli2019"])
def test_options_of_published_sessions_are_not_withheld(name: str) -> None:
    """All were on offer all the time there, or responses are open anyway."""
    assert not any("withheld" in note for note in real(name).notes)


def test_options_are_those_of_the_task_or_of_the_person() -> None:
    def options(name: str) -> set[tuple[str, ...]]:
        sessions = [person.session for person in real(name).people.values()]
        return {session.spans[0].options for session in sessions if session}

    assert options("busch2024_stroop") == {("down", "left", "right")}
    assert {len(pair) for pair in options("guenther2023grammaticality")} == {2}
    assert options("guenther2024comprehension") == {()}
    assert options("guenther2024substitutions") == {()}
    assert options("franke2024bayesian") == {()}


def test_one_key_presses_and_changing_letters_stay_open_in_risky_choice() -> None:
    study = real("thoma2025riskychoice")
    for person in study.people.values():
        assert person.session is not None
        distinct = set(person.session.responses)
        expected = tuple(sorted(distinct)) if len(distinct) == 2 else ()
        assert person.session.spans[0].options == expected
    assert "25 open, as they always chose the same" in study.notes[0]
    assert study.missing == {} and study.excluded == {"under 18 years": 201}
    assert {person.traits["gender"] for person in study.people.values()} == {"female", "male"}


def test_repeated_ids_of_different_people_get_the_experiment_before_them() -> None:
    study = real("guenther2024substitutions")
    assert {name.split("/")[0] for name in study.people} == {
        "experiment1",
        "experiment2",
        "replication",
    }
    assert study.missing == {"age": {"": 1}}
    assert "age" not in study.people["experiment2/68"].traits
    assert study.codebook.source.licence == "Apache-2.0"
