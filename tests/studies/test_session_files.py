"""Files of sessions: what is read, what is refused, and what is only told."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from geppetto._util.errors import GeppettoError
from geppetto.studies import Study, load_study
from geppetto.studies.problems import grouped
from geppetto.studies.survey_file import check_study
from invented_sessions import Row, bandit, sessions_file
from workspaces import ROOT

GUIDE = (ROOT / "docs" / "own_sessions.md").read_text("utf-8")


def row(participant: Any = 1, experiment: str = "task2026", **fields: Any) -> Row:
    text = "Rules.\n" + "You press <<A>>.\nYou press <<B>>.\n" * 5
    return {"text": text, "experiment": experiment, "participant": participant} | fields


def study(tmp_path: Path, rows: list[Row | str], name: str = "task2026.jsonl") -> Study:
    sessions_file(tmp_path / name, rows)
    return load_study(name, tmp_path)


def said(tmp_path: Path, rows: list[Row | str], name: str = "task2026.jsonl") -> str:
    """Everything that checking these rows says."""
    checked = check_study(sessions_file(tmp_path / name, rows).name, tmp_path)
    assert isinstance(checked.study, Study)
    problems = [f"{same.first.level}: {same}" for same in grouped(checked.problems)]
    return "\n".join([*problems, *checked.study.notes])


@pytest.mark.parametrize("name", ["task.jsonl", "task.zip", "task/prompts.jsonl.zip"])
def test_a_file_an_archive_and_a_folder_make_the_same_study(tmp_path: Path, name: str) -> None:
    sessions_file(tmp_path / name, bandit())
    sessions_file(tmp_path / "other" / "task.jsonl", bandit())
    other = load_study("other/task.jsonl", tmp_path)
    read = load_study(name.split("/")[0], tmp_path)
    assert read.name == "task" and read.has_sessions
    assert read.people == other.people and read.sha256 == other.sha256
    first = read.participant("1")
    assert first.session is not None and len(first.session.spans) == 20
    assert first.session.spans[0].options == tuple(sorted(set(first.session.responses)))
    assert set(first.traits) == {"age", "gender", "PHQ-9"}


def test_the_hash_covers_texts_options_and_trials(tmp_path: Path) -> None:
    hashes = set()
    for number, (old, new, declared) in enumerate(
        [
            ("x", "x", ""),
            ("casino", "hall", ""),
            ("x", "x", "options: open"),
            ("x", "x", "first_trial: Win as"),
        ]
    ):
        folder = tmp_path / str(number)
        rows = [line | {"text": line["text"].replace(old, new)} for line in bandit()]
        sessions_file(folder / "task.jsonl", rows)
        (folder / "task.yaml").write_text(f"layout: sessions\ndata: task.jsonl\n{declared}\n")
        hashes.add(load_study("task.yaml", folder).sha256)
    assert len(hashes) == 4


def test_a_folder_with_several_files_is_refused_with_their_names(tmp_path: Path) -> None:
    for name in ("a.zip", "b.jsonl"):
        sessions_file(tmp_path / "tasks" / name)
    with pytest.raises(GeppettoError, match=r"2 files.*tasks/a\.zip, tasks/b\.jsonl"):
        load_study("tasks", tmp_path)


def test_several_tasks_in_a_file_are_refused_with_their_names_and_one_can_be_named(
    tmp_path: Path,
) -> None:
    rows: list[Row | str] = [row(n, f"{task}/exp.csv") for n in range(4) for task in ("one", "two")]
    with pytest.raises(GeppettoError, match=r"2 tasks.*all\.jsonl::one: one \(4\), two \(4\)"):
        study(tmp_path, rows, "all.jsonl")
    two = load_study("all.jsonl::two", tmp_path)
    assert two.name == "two" and len(two.people) == 4
    with pytest.raises(
        GeppettoError, match=r"unknown task 'tow' in all\.jsonl; did you mean 'two'"
    ):
        load_study("all.jsonl::tow", tmp_path)


def test_an_archive_is_one_task_unless_its_lines_name_several(tmp_path: Path) -> None:
    games: list[Row | str] = [row(n, f"game{n // 2}") for n in range(6)]
    assert len(study(tmp_path, games, "games.zip").people) == 6
    with pytest.raises(GeppettoError, match="2 tasks"):
        study(tmp_path, [row(1, study="a"), row(2, study="b")], "hub.zip")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no archive", "is broken"),
        (None, "does not exist"),
    ],
)
def test_a_broken_or_absent_archive_is_refused(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "task.zip").write_bytes(content)
    with pytest.raises(GeppettoError, match=message):
        load_study("task.zip", tmp_path)


def test_an_archive_that_breaks_off_is_refused(tmp_path: Path) -> None:
    path = sessions_file(tmp_path / "task.zip", bandit(200))
    content = bytearray(path.read_bytes())
    content[2000:2400] = bytes(400)
    path.write_bytes(content)
    with pytest.raises(GeppettoError, match=r"is broken .*fetch it again"):
        load_study("task.zip", tmp_path)


def test_everything_that_is_wrong_is_listed_at_once_with_its_line(tmp_path: Path) -> None:
    rows: list[Row | str] = [
        row(1),
        "{broken",
        "[]",
        {"text": "You press <<A>>.", "experiment": "task2026"},
        row(5) | {"text": "You press <<A."},
        row(6) | {"text": "You press <<>>."},
        row(1),
        row(8, age=-3),
        row(9, **{"PHQ-9": 28}),
        row(10, **{"PHQ-9": 3}, age=30),
    ]
    listed = said(tmp_path, rows)
    for line, reason in [
        (2, "not a line of JSON"),
        (3, "not a JSON object"),
        (4, "participant: the field is missing or empty"),
        (5, "is never closed"),
        (6, "an empty response"),
        (7, "an earlier line has this participant and this experiment"),
        (9, "outside the trait's range, 0 to 27"),
    ]:
        assert re.search(rf"^error: row {line}, .*{reason}", listed, re.MULTILINE), reason
    with pytest.raises(GeppettoError, match=r"task2026.jsonl: 7 errors .*geppetto studies check"):
        load_study("task2026.jsonl", tmp_path)


def test_repeated_ids_are_different_people_with_readable_keys(tmp_path: Path) -> None:
    rows: list[Row | str] = [row(n, f"task2026/e{e}/data.csv") for e in (1, 2) for n in (1, "2")]
    read = study(tmp_path, rows)
    assert list(read.people) == ["e1/1", "e1/2", "e2/1", "e2/2"]
    assert {person.cluster for person in read.people.values()} == {None}
    assert "declare `cluster_column: participant`" in "".join(read.notes)
    (tmp_path / "same.yaml").write_text(
        "layout: sessions\ndata: task2026.jsonl\ncluster_column: participant\n"
    )
    same = load_study("same.yaml", tmp_path)
    assert [person.cluster for person in same.people.values()] == ["1", "2", "1", "2"]


def test_a_number_and_its_text_are_the_same_id(tmp_path: Path) -> None:
    assert "an earlier line has this participant" in said(tmp_path, [row(1), row("1"), row(2)])


def test_days_of_known_people_are_their_clusters_and_their_default_scores_are_missing(
    tmp_path: Path,
) -> None:
    default = {"FACSIMILE A/D": 2.1904, "FACSIMILE SW": -1.6507}
    other = {"FACSIMILE A/D": 0.5127, "FACSIMILE SW": 0.2513}
    rows: list[Row | str] = [
        row(n, f"sandbrink2024metacontrol/day{day}.pkl", **(default if n == 1 else other))
        for n in (1, 2)
        for day in (1, 2)
    ]
    rows.append(row(3, "sandbrink2024metacontrol/day1.pkl", **{"FACSIMILE A/D": 1.5}))
    rows.append(row(4, "sandbrink2024metacontrol/day1.pkl", **{"FACSIMILE SW": 1.5}))
    read = study(tmp_path, rows, "sandbrink2024metacontrol.zip")
    assert [person.cluster for person in read.people.values()] == ["1", "1", "2", "2", "3", "4"]
    assert read.people["day1.pkl/1"].traits == {}
    assert read.missing["FACSIMILE A/D"] == {"2.1904": 2, "": 1}
    assert read.codebook.source.licence == "Apache-2.0"


def test_a_score_that_many_share_is_told_where_nothing_is_known(tmp_path: Path) -> None:
    rows: list[Row | str] = [
        row(n, **{"FACSIMILE SW": 1.2345 if n < 6 else n / 7}) for n in range(9)
    ]
    assert "6 people have exactly this score" in said(tmp_path, rows)


def test_people_of_a_known_game_are_clusters(tmp_path: Path) -> None:
    games: list[Row | str] = [row(n, f"game{n // 2}") for n in range(4)]
    read = study(tmp_path, games, "alsobay2025publicGoodsGame.zip")
    assert [person.cluster for person in read.people.values()] == ["game0"] * 2 + ["game1"] * 2
    alike: list[Row | str] = [row(n, "alsobay2025publicGoodsGame/") for n in range(4)]
    read = study(tmp_path, alike, "alsobay2025publicGoodsGame.zip")
    assert {person.cluster for person in read.people.values()} == {None}


def test_ages_genders_and_unknown_values_are_read_as_they_are_meant(tmp_path: Path) -> None:
    rows: list[Row | str] = [
        row(1, age="37.0", gender="Female"),
        row(2, age="3.07", gender="Male"),
        row(3, age="nan", gender="female"),
        row(4, age=float("nan"), gender="N/A"),
        row(5, age=23, gender="male"),
    ]
    read = study(tmp_path, rows)
    assert read.excluded == {"under 18 years": 1}
    assert read.missing == {"age": {"nan": 1, "": 1}, "gender": {"N/A": 1}}
    assert [person.traits for person in read.people.values()] == [
        {"age": 37.0, "gender": "female"},
        {"gender": "female"},
        {},
        {"age": 23.0, "gender": "male"},
    ]
    assert {t.name: v for t, v in read.known_traits(read.people["1"])}["age"] == "37"


def test_children_take_part_only_if_declared(tmp_path: Path) -> None:
    sessions_file(tmp_path / "task.jsonl", [row(1, age="9.31"), row(2, age=40)])
    (tmp_path / "task.yaml").write_text(
        "layout: sessions\ndata: task.jsonl\nincludes_minors: true\n"
    )
    assert load_study("task.yaml", tmp_path).people["1"].traits == {"age": 9.31}
    assert list(load_study("task.jsonl", tmp_path).people) == ["2"]


def test_children_of_one_age_take_no_part_either(tmp_path: Path) -> None:
    with pytest.raises(GeppettoError, match="nobody is left to take part"):
        study(tmp_path, [row(1, age=12), row(2, age=12)])


def test_what_is_not_used_is_told(tmp_path: Path) -> None:
    rows: list[Row | str] = [
        row(
            n,
            condition=f"c{n}",
            anxiety=[1] * 10,
            education=str(n),
            gender=["Female", "female", "N/A"][n],
            IUS="N/A",
        )
        for n in range(3)
    ]
    rows.append(row(9) | {"text": "You left at once."})
    listed = said(tmp_path, rows)
    assert "condition: not a trait that is known" in listed and "`layout: sessions`" in listed
    assert "anxiety: a list, as of something in each trial" in listed
    assert "education: its values are numbers" in listed
    assert "gender: everybody who has a value has the same" in listed
    assert "IUS: nobody has a value" in listed
    assert "rows 2, 3, text: the same text as an earlier session" in listed
    assert load_study("task2026.jsonl", tmp_path).excluded == {
        "without a response in their session": 1
    }


def test_response_times_are_checked_and_not_kept(tmp_path: Path) -> None:
    good = ["1159", 20.5, float("nan"), None, *[700] * 6]
    rows: list[Row | str] = [
        row(1, RTs=good),
        row(2, RTs=[-11500, *[700] * 9]),
        row(3, RTs=[1, 2]),
        row(4, RTs=["fast", *[700] * 9]),
    ]
    listed = said(tmp_path, rows)
    assert "row 2, RTs (-11500): a negative response time" in listed
    assert "row 3, RTs (2 for 10): as many response times" in listed
    assert "row 4, RTs (fast): no number of milliseconds" in listed
    assert "row 1, RTs" not in listed
    assert study(tmp_path, rows).people["1"].traits == {}


def test_scores_go_by_the_spellings_of_the_archives(tmp_path: Path) -> None:
    rows: list[Row | str] = [row(n, stai=30 + n, PHQ=n, sex="FM"[n]) for n in (0, 1)]
    read = study(tmp_path, rows)
    assert read.traits["stai"].label == "score for trait anxiety (STAI-T, 20 to 80)"
    norm = read.traits["PHQ"].norm
    assert norm is not None and norm.range == (0, 27) and norm.source.startswith("Kocalevent")
    assert read.traits["sex"].demographic and not read.traits["PHQ"].demographic


def test_declared_options_are_everybodys_and_must_hold(tmp_path: Path) -> None:
    sessions_file(tmp_path / "task.jsonl", [row(1), row(2)])
    codebook = tmp_path / "task.yaml"
    codebook.write_text("layout: sessions\ndata: task.jsonl\noptions: [C, A, B]\n")
    session = load_study("task.yaml", tmp_path).people["1"].session
    assert session is not None and session.spans[3].options == ("A", "B", "C")
    codebook.write_text("layout: sessions\ndata: task.jsonl\noptions: [A, C]\n")
    with pytest.raises(GeppettoError, match=r"rows 1, 2, text \(B\): a response that is not among"):
        load_study("task.yaml", tmp_path)


def test_the_codebook_of_the_guide_works(tmp_path: Path) -> None:
    blocks = dict(reversed(block) for block in re.findall(r"```(\w*)\n(.*?)```", GUIDE, re.DOTALL))
    example = next(json.loads(text) for text, kind in blocks.items() if not kind)
    fields = {"condition": "a", "experiment": "casino2026/main"}
    rows = [example | fields | {"participant": n} for n in range(3)]
    rows[2] |= {"experiment": "casino2026/pilot", "condition": "b"}
    sessions_file(tmp_path / "casino.jsonl", rows)
    codebook = next(text for text in blocks if text.startswith("layout: sessions"))
    (tmp_path / "casino.yaml").write_text(codebook)
    read = load_study("casino.yaml", tmp_path)
    assert read.excluded == {"of the pilot": 1, "under 18 years": 0}
    assert [person.cluster for person in read.people.values()] == ["0", "1"]
    assert read.people["0"].traits["condition"] == "fast"
    session = read.people["0"].session
    assert session is not None and session.instructions.endswith("N and Z.\n")
    assert session.spans[0].options == ("N", "Z")


def test_a_codebook_of_a_survey_has_items_and_one_of_sessions_has_none(tmp_path: Path) -> None:
    sessions_file(tmp_path / "task.jsonl")
    for declared, message in [
        ("instruction: Do it.", "`instruction` does not belong to `layout: sessions`"),
        ("item_column: q", "`item_column` belongs to `layout: long`"),
        ("participant_column: who", "participants of sessions are in `participant`"),
        ("options: [A]", "name at least two"),
        ("missing_in: {IUS: [0]}", "`missing_in` names it and no line has it"),
    ]:
        (tmp_path / "task.yaml").write_text(f"layout: sessions\ndata: task.jsonl\n{declared}\n")
        with pytest.raises(GeppettoError, match=re.escape(message)):
            load_study("task.yaml", tmp_path)
    survey = "title: T\nsource: {origin: o}\ninstruction: i\nparticipant_column: p\ntraits: []\n"
    for declared, message in [
        ("items: []\nscales: {}", "`items` is empty"),
        (
            "items: [{name: q, text: t, scale: s}]\nscales: {s: {options: {1: a, 2: b}}}\n"
            "options: [A, B]",
            "`options` belongs to `layout: sessions`; this file is wide",
        ),
    ]:
        (tmp_path / "survey.yaml").write_text(f"{survey}data: x.csv\n{declared}\n")
        with pytest.raises(GeppettoError, match=re.escape(message)):
            load_study("survey.yaml", tmp_path)


def test_lines_after_the_last_response_are_told_of_unless_it_is_said_how_trials_begin(
    tmp_path: Path,
) -> None:
    rows = bandit(people=6)
    for row in rows:
        row["text"] = row["text"].replace(" and get", ".\nYou get")
    path = sessions_file(tmp_path / "casino.jsonl", rows)
    assert "6 sessions go on after the line of their last response" in " ".join(
        load_study(str(path)).notes
    )
    assert "go on" not in " ".join(load_study(str(sessions_file(tmp_path / "b.jsonl"))).notes)
