"""Files of sessions with anything in them: they are read or refused, and never crash."""

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from geppetto._util.errors import GeppettoError
from geppetto.studies import Study, load_study
from geppetto.studies.problems import errors
from geppetto.studies.survey_file import check_study

TEXTS = st.sampled_from(
    [
        "",
        "Rules.\n",
        "You press <<A>>.\n",
        "You press <<B>>.\n",
        "You press <<-5>>",
        "<<",
        ">>",
        "\n",
    ]
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 130),
    st.floats(),
    st.sampled_from(["", "N/A", "nan", "23", "Female", "male", "37.5", "9.31", "a/b", "::"]),
    st.lists(st.one_of(st.integers(-1, 9), st.sampled_from(["1", "x"])), max_size=3),
    st.dictionaries(st.sampled_from("ab"), st.integers(), max_size=1),
)
FIELDS = ("age", "gender", "sex", "PHQ-9", "RTs", "condition", "", "FACSIMILE SW", "experiment")
LINES = st.builds(
    lambda text, participant, experiment, fields: (
        {"text": text, "participant": participant, "experiment": experiment} | fields
    ),
    st.one_of(st.lists(TEXTS, max_size=6).map("".join), VALUES),
    st.one_of(st.integers(0, 4), VALUES),
    st.sampled_from(["e/1.csv", "e/2.csv", "e/2.csv", "e"]),
    st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=4),
)


@settings(max_examples=150)
@given(st.lists(st.one_of(LINES, LINES, st.binary(max_size=8)), max_size=8))
def test_any_file_is_read_or_refused_with_a_sentence(lines: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        written = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
        (Path(folder) / "e.jsonl").write_bytes(b"\n".join(written))
        try:
            checked = check_study("e.jsonl", Path(folder))
        except GeppettoError as error:
            assert str(error)
            return
        assert isinstance(checked.study, Study)
        for person in checked.study.people.values():
            assert person.session is not None and person.session.spans
            assert person.traits.get("age", 18) >= 18  # type: ignore[operator]  # ages are numbers
        if not errors(checked.problems):
            study = load_study("e.jsonl", Path(folder))
            assert study.people == checked.study.people
            rows = sum(isinstance(line, dict) for line in lines)
            assert len(study.people) + sum(study.excluded.values()) == rows
