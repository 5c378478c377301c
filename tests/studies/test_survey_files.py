"""Surveys of users' own: what is read, what is refused, and that the guide to them is true."""

from __future__ import annotations

import csv
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import invented
from command import geppetto
from geppetto._util.errors import GeppettoError
from geppetto.experiment.prepare import prepare
from geppetto.planning.config import Experiment
from geppetto.studies import Codebook, Problem, Study, load_study
from geppetto.studies.build import study_from_table
from geppetto.studies.check import check
from geppetto.studies.problems import errors, grouped
from geppetto.studies.survey_file import check_study
from geppetto.studies.table_file import read_table
from workspaces import ROOT

GUIDE = (ROOT / "docs" / "own_survey.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)


def codebook(**keys: Any) -> Codebook:
    """Two traits and four items of three options, with changes."""
    content: dict[str, Any] = {
        "name": "own",
        "source": {"origin": "tests"},
        "traits": [
            {"name": "age", "label": "age", "question": "How old are you?"},
            {"name": "sex", "label": "sex", "question": "Sex?", "values": {1: "Male", 2: "Female"}},
        ],
        "scales": {"three": {"options": {1: "No", 2: "Somewhat", 3: "Yes"}}},
        "items": [{"name": f"q{n}", "text": f"Item {n}.", "scale": "three"} for n in range(1, 5)],
    }
    return invented.codebook(**content | keys)


def people(count: int = 60, seed: int = 0) -> pd.DataFrame:
    """Random people without any problem, as text cells with the rows of a file."""
    random = np.random.default_rng(seed)
    columns: dict[str, Any] = {
        "id": [f"p{n}" for n in range(count)],
        "age": random.integers(18, 90, count),
        "sex": random.integers(1, 3, count),
    }
    columns |= {f"q{n}": random.integers(1, 4, count) for n in range(1, 5)}
    frame = pd.DataFrame(columns).astype(str).astype(object)
    return frame.set_axis(range(2, count + 2), axis=0)


def long(frame: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    """The same people with a row for each response."""
    melted = frame.melt(["id", "age", "sex"], var_name="item", value_name="response")
    melted = melted.assign(**columns).astype(object)
    return melted.set_axis(range(2, len(melted) + 2), axis=0)


def found(book: Codebook, frame: pd.DataFrame) -> list[tuple[int | None, str, str]]:
    """Row, column and value of each error."""
    return [(p.row, p.column, p.value) for p in errors(check(book, frame))]


def said(book: Codebook, frame: pd.DataFrame, level: str = "error") -> str:
    """All errors, or notes, in one text."""
    return "\n".join(map(str, grouped(p for p in check(book, frame) if p.level == level)))


def write(folder: Path, frame: pd.DataFrame, suffix: str = ".csv", **keys: Any) -> str:
    """A codebook file beside its data; returns the codebook's path."""
    book = codebook(**keys).model_dump(exclude_unset=True, mode="json", exclude={"name"})
    frame.to_csv(folder / "own.csv", index=False)
    if suffix == ".parquet":
        frame.to_parquet(folder / "own.parquet")
    (folder / "own.yaml").write_text(yaml.safe_dump(book | {"data": f"own{suffix}"}))
    return str(folder / "own.yaml")


# What is read


def test_a_table_without_problems_has_none() -> None:
    assert check(codebook(), people()) == []


def test_csv_and_parquet_make_the_same_study(tmp_path: Path) -> None:
    frame = people()
    frame.loc[5, "q2"] = None
    frame.loc[6, "sex"] = None
    studies = [load_study(write(tmp_path, frame)), load_study(write(tmp_path, frame, ".parquet"))]
    typed = frame.assign(
        age=frame["age"].astype("int16"),
        sex=frame["sex"].astype("category"),
        q1=frame["q1"].astype(float).astype("category"),
        q2=frame["q2"].astype("float32"),
        q3=frame["q3"].astype("Int64"),
        q4=frame["q4"].astype(float),
    )
    studies.append(load_study(write(tmp_path, typed, ".parquet")))
    assert len({study.sha256 for study in studies}) == 1
    assert studies[0].people == studies[1].people == studies[2].people
    assert "q2" not in studies[2].people["p3"].responses
    assert set(studies[2].people["p0"].responses.values()) <= {"1", "2", "3"}


CODES = st.one_of(
    st.none(), st.integers(-(2**53), 2**53), st.text(st.characters(codec="utf-8"), min_size=1)
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(CODES, min_size=1, max_size=8))
def test_any_text_survives_a_csv_file(cells: list[Any], tmp_path: Path) -> None:
    texts = [None if cell is None else str(cell) for cell in cells]
    with (tmp_path / "wild.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("id", "cell"), *enumerate(texts)])
    read, problems = read_table(tmp_path / "wild.csv")
    assert problems == []
    assert read["cell"].tolist() == texts
    assert read.index.tolist() == list(range(2, len(texts) + 2))


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.one_of(st.none(), st.integers(-999, 999)), min_size=1, max_size=8))
def test_whole_numbers_are_the_same_text_whatever_their_type(
    cells: list[int | None], tmp_path: Path
) -> None:
    texts = [None if cell is None else str(cell) for cell in cells]
    for kind in ("Int16", "float64", "float32", "category"):
        pd.DataFrame({"cell": pd.Series(cells, dtype=kind)}).to_parquet(tmp_path / "n.parquet")
        assert read_table(tmp_path / "n.parquet")[0]["cell"].tolist() == texts, kind


def test_other_cells_of_parquet_are_their_shortest_text(tmp_path: Path) -> None:
    frame = pd.DataFrame({"big": [2**60 + 1, None]}, dtype="Int64")
    frame["single"] = np.array([0.1, 2.0], dtype="float32")
    frame["double"] = [0.1, -0.0]
    frame["flag"] = [True, False]
    frame["nothing"] = [None, None]
    frame["text"] = ["", "NA"]
    frame.to_parquet(tmp_path / "t.parquet")
    read = read_table(tmp_path / "t.parquet")[0]
    assert read.T.to_numpy().tolist() == [
        [str(2**60 + 1), None],
        ["0.1", "2"],
        ["0.1", "0"],
        ["True", "False"],
        [None, None],
        [None, "NA"],
    ]


def test_a_csv_file_is_read_as_it_is(tmp_path: Path) -> None:
    text = '\ufeffid,q1,q1\r\na,NA\r\n\r\nb, 1,2\r\n"c\r\nc","x,y",\r\nd,1,2,3\r\n'
    (tmp_path / "t.csv").write_bytes(text.encode())
    frame, problems = read_table(tmp_path / "t.csv")
    assert frame["q1"].to_dict() == {2: "NA", 4: " 1", 5: "x,y", 6: "1"}
    assert frame["id"].tolist() == ["a", "b", "c\r\nc", "d"]
    assert [(p.row, p.column) for p in problems] == [(1, "q1"), (2, "id"), (6, "id")]


def test_missing_codes_are_counted_by_column(tmp_path: Path) -> None:
    frame = people()
    frame.loc[[2, 3], "q1"] = "-9"
    frame.loc[4, "q1"] = None
    frame.loc[5, "sex"] = "8"
    study = load_study(write(tmp_path, frame, missing=[-9], missing_in={"sex": [8]}))
    assert study.missing == {"sex": {"8": 1}, "q1": {"-9": 2, "": 1}}
    assert all("q1" not in study.people[f"p{n}"].responses for n in range(3))
    assert "sex" not in study.people["p3"].traits


def test_exclusions_are_counted_one_after_the_other() -> None:
    frame = people().assign(check="3")
    frame.loc[[2, 3], "age"] = ["12", "17"]
    frame.loc[[3, 4, 5], "check"] = ["1", "1", None]
    frame.loc[6, "age"] = "130"
    book = codebook(
        exclusions=[
            {"column": "age", "below": 18, "reason": "under 18 years"},
            {"column": "check", "equals": 1, "reason": "who failed the check"},
            {"column": "age", "above": 120, "reason": "who mistyped their age"},
        ]
    )
    assert errors(check(book, frame)) == []
    study = study_from_table(book, frame)
    assert dict(study.excluded) == {
        "under 18 years": 2,
        "who failed the check": 1,
        "who mistyped their age": 1,
    }
    assert len(study.people) == 56
    assert {"p0", "p1", "p2", "p4"}.isdisjoint(study.people)
    assert "p3" in study.people  # an empty cell excludes nobody
    assert "check" not in study.people["p5"].traits


def test_weights_and_clusters_are_read() -> None:
    frame = people(4).assign(w=["1", "0.5", "2e0", "0"], school=["a", "a", None, "b"])
    study = study_from_table(codebook(weight_column="w", cluster_column="school"), frame)
    assert [person.weight for person in study.people.values()] == [1.0, 0.5, 2.0, 0.0]
    assert [person.cluster for person in study.people.values()] == ["a", "a", None, "b"]


def same_people(one: Study, other: Study) -> bool:
    return dict(one.people) == dict(other.people)


def test_wide_and_long_files_say_the_same() -> None:
    frame = people()
    frame.loc[7, "q3"] = None
    wide = study_from_table(codebook(), frame)
    assert same_people(wide, study_from_table(codebook(layout="long"), long(frame)))


def test_the_second_wave_is_the_retest_in_every_layout() -> None:
    frame, second = people(), people(seed=1)
    items = [f"q{n}" for n in range(1, 5)]
    wide = study_from_table(
        codebook(waves={"predict": "_1", "retest": "_2"}),
        frame.rename(columns={item: f"{item}_1" for item in items}).join(
            second[items].add_suffix("_2")
        ),
    )
    person = wide.people["p0"]
    assert list(person.responses.values()) == frame.loc[2, items].tolist()
    assert list(person.retest.values()) == second.loc[2, items].tolist()
    assert not person.seen_through([], items).retest
    both = pd.concat([long(frame, wave="1"), long(second, wave="2"), long(people(99), wave="3")])
    both = both.set_axis(range(2, len(both) + 2), axis=0)
    waves = {"column": "wave", "predict": 1, "retest": 2}
    book = codebook(layout="long", waves=waves)
    assert same_people(wide, study_from_table(book, both))
    notes = said(book, both, "note")
    assert "wave (3): 396 rows are of a wave" in notes
    assert errors(check(book, both)) == []
    repeated = both[both["wave"] != "3"].assign(age=long(frame)["age"].tolist() * 2)
    repeated["sex"] = long(frame)["sex"].tolist() * 2
    trials = codebook(layout="long", repeats_are_retest=True)
    assert same_people(wide, study_from_table(trials, repeated))


def test_data_decide_the_hash_and_the_file_does_not(tmp_path: Path) -> None:
    frame = people()
    study = load_study(write(tmp_path, frame))
    (tmp_path / "elsewhere").mkdir()
    assert load_study(write(tmp_path / "elsewhere", frame, ".parquet")).sha256 == study.sha256
    waves = codebook(waves={"retest": "_2"})
    retested = frame.assign(q1_2=frame["q1"])
    changed = retested.assign(q1_2=["1", *frame["q1"][1:]])
    changed.loc[2, "q1_2"] = "1" if frame.loc[2, "q1"] != "1" else "2"
    assert study_from_table(waves, retested).sha256 != study_from_table(waves, changed).sha256
    hashes = {
        load_study(write(tmp_path, frame, **keys)).sha256
        for keys in (
            {},
            {"missing_in": {"q1": [9]}},
            {"instruction": "Other words."},
            {"exclusions": [{"column": "q1", "equals": 1, "reason": "who said no"}]},
        )
    }
    assert len(hashes) == 4


def test_what_a_trait_gives_away_is_known(tmp_path: Path) -> None:
    traits = [{"name": "age", "label": "age", "question": "?", "computed_from": ["q1"]}]
    frame = people().drop(columns="sex")
    study = load_study(write(tmp_path, frame, traits=traits))
    assert study.leaks("age", "q1") and not study.leaks("age", "q2")
    with pytest.raises(GeppettoError, match="unknown trait 'agee'"):
        study.leaks("agee", "q1")


# What is refused


def test_everything_is_reported_at_once_with_row_and_column() -> None:
    frame = people()
    frame.loc[2, "id"] = frame.loc[9, "id"]
    frame.loc[3, "id"] = None
    frame.loc[4, ["age", "sex"]] = ["-1", "5"]
    frame.loc[5, ["age", "q1"]] = ["17", "9"]
    frame.loc[6, ["age", "q1"]] = ["old", "2.0"]
    frame.loc[[7, 8], "q2"] = [" 2", "nan"]
    assert sorted(found(codebook(), frame), key=str) == sorted(
        [
            (9, "id", "p7"),
            (3, "id", ""),
            (4, "age", "-1"),
            (4, "sex", "5"),
            (5, "age", "17"),
            (5, "q1", "9"),
            (6, "age", "old"),
            (6, "q1", "2.0"),
            (7, "q2", " 2"),
            (8, "q2", "nan"),
        ],
        key=str,
    )


CELLS = st.sampled_from([None, "1", "2", "3", "4", "", " 1", "1.0", "NA", "-9", "x", "1e400"])


@settings(max_examples=60)
@given(
    cells=st.lists(
        st.tuples(st.integers(2, 31), st.sampled_from(["age", "sex", "q1", "q4"]), CELLS),
        max_size=8,
    )
)
def test_a_wild_table_is_either_reported_or_read_cell_by_cell(
    cells: list[tuple[int, str, str | None]],
) -> None:
    book, frame = codebook(missing=[-9], includes_minors=True), people(30)
    for row, column, cell in cells:
        frame.loc[row, column] = cell or None
    legal = {"q1": set("123"), "q4": set("123"), "sex": set("12")}
    wrong = {
        (row, column)
        for row in frame.index
        for column in ("age", "sex", "q1", "q4")
        if isinstance(cell := frame.loc[row, column], str)
        and cell != "-9"
        and (
            cell not in legal[column]
            if column in legal
            else not re.fullmatch(r"[0-9]+(\.[0-9]+)?", cell)
        )
    }
    problems = [p for p in errors(check(book, frame)) if p.row is not None]
    assert {(p.row, p.column) for p in problems} == wrong
    if not wrong:
        everybody = study_from_table(book, frame).people.values()
        for row, person in zip(frame.index, everybody, strict=True):
            for item in book.items:
                cell = frame.loc[row, item.name]
                known = isinstance(cell, str) and cell != "-9"
                assert person.responses.get(item.name) == (cell if known else None)


def test_columns_that_are_missing_or_undeclared() -> None:
    frame = people().rename(columns={"q1": "Q1"}).drop(columns="age")
    assert [(c, r) for r, c, _ in found(codebook(), frame)][:2] == [("age", 1), ("q1", 1)]
    assert "did you mean 'Q1'?" in said(codebook(), frame)
    assert "row 1, Q1: not in the codebook, so not used" in said(codebook(), frame, "note")
    nobody = people().drop(columns="id")
    assert found(codebook(), nobody) == [(1, "id", "")]
    retest = codebook(waves={"retest": "_2"})
    assert "the file has no retest column" in said(retest, people())
    assert "q2_2: the item has no retest" in said(
        retest, people().assign(q1_2=people()["q1"]), "note"
    )


def test_minors_have_to_be_excluded_or_declared() -> None:
    frame = people()
    frame.loc[2, "age"] = "17"
    assert "exclude them (`exclusions: [{column: age, below: 18" in said(codebook(), frame)
    declared = codebook(includes_minors=True)
    assert errors(check(declared, frame)) == []
    assert "people under 18, whom `includes_minors` allows: 1" in said(declared, frame, "note")


def test_numbers_stay_within_the_range_of_their_norm() -> None:
    norm = {"mean": 20, "sd": 4.8, "range": [10, 40]}
    trait = {"name": "anger", "label": "trait anger", "question": "?", "norm": norm}
    book = codebook(traits=[trait])
    frame = people().assign(anger=["9", "10", "40", "41", *["20"] * 56])
    assert found(book, frame) == [(2, "anger", "9"), (5, "anger", "41")]


def test_weights_are_numbers_from_zero() -> None:
    book = codebook(weight_column="w", missing=[-9])
    frame = people(5).assign(w=["1", "-1", None, "-9", "much"])
    assert found(book, frame)[:4] == [(4, "w", ""), (5, "w", ""), (6, "w", "much"), (3, "w", "-1")]
    assert "every weight is 0" in said(book, people(5).assign(w="0"))


def test_long_files_with_repeats_and_contradictions() -> None:
    book = codebook(layout="long")
    frame = long(people(20))
    again = frame.iloc[[0]].set_axis([500], axis=0)
    other = frame.iloc[[1]].assign(item="q9", age="99").set_axis([501], axis=0)
    both = pd.concat([frame, again, other])
    assert found(book, both) == [(500, "id", "p0"), (501, "age", "99")]
    assert "item (q9): 1 rows are of an item" in said(book, both, "note")
    thrice = pd.concat([frame, again, again.set_axis([501], axis=0)])
    trials = codebook(layout="long", repeats_are_retest=True)
    assert errors(check(trials, thrice)) == []
    assert "row 501, id (p0): a third or later response to q1" in said(trials, thrice, "note")


def test_items_without_variance() -> None:
    frame = people().assign(q1="2", q2=None)
    text = said(codebook(), frame)
    assert "q1 (2): everybody answered it the same" in text
    assert "q2: nobody answered it" in text
    nobody = codebook(exclusions=[{"column": "age", "below": 100, "reason": "young"}])
    assert "nobody is left" in said(nobody, people())


def test_items_that_follow_from_others() -> None:
    frame = people()
    reversed_ = frame.assign(q4=frame["q1"].map({"1": "3", "2": "2", "3": "1"}))
    assert "q4: it follows from q1 without exception" in said(codebook(), reversed_)
    halved = frame.assign(q1=frame["q4"].map({"1": "1", "2": "1", "3": "3"}))
    assert "q1: it follows from q4 without exception" in said(codebook(), halved)
    scales = {
        "three": {"options": {1: "No", 2: "Somewhat", 3: "Yes"}},
        "sum": {"options": {n: f"In total {n}" for n in range(2, 7)}},
    }
    items = [{"name": f"q{n}", "text": "?", "scale": "three"} for n in (1, 2, 3)]
    book = codebook(scales=scales, items=[*items, {"name": "q4", "text": "?", "scale": "sum"}])
    total = (frame["q1"].astype(int) + frame["q2"].astype(int)).astype(str)
    text = said(book, frame.assign(q4=total))
    assert text == "q4: it is an exact sum or difference of q1, q2; take one of them out"
    few = said(book, frame.assign(q4=total).head(15), "note")
    assert "not checked: 15 people answered all items" in few


def test_traits_and_items_that_give_each_other_away() -> None:
    frame = people(200)
    leaking = frame.assign(q1=frame["sex"])
    leaking.loc[2, "q1"] = "3"  # nearly perfect is enough
    assert "q1: trait sex gives the response to it away" in said(codebook(), leaking)
    groups = frame.assign(q2=np.where(frame["age"].astype(int) < 40, "1", "3"))
    assert "q2: trait age gives the response to it away" in said(codebook(), groups)
    score = sum(frame[f"q{n}"].astype(int) for n in (1, 2, 3)) / 3
    trait = {"name": "mood", "label": "mood", "question": "?"}
    scored = frame.assign(mood=score.round(2).astype(str))
    message = "mood: it is computed from q1, q2, q3; declare them as its `computed_from`"
    assert message in said(codebook(traits=[trait]), scored)
    partly = codebook(traits=[trait | {"computed_from": ["q1", "q2"]}])
    assert message in said(partly, scored)
    declared = codebook(traits=[trait | {"computed_from": ["q1", "q2", "q3"]}])
    assert errors(check(declared, scored)) == []
    assert "mood: declared to give away q1, q2, q3" in said(declared, scored, "note")


@pytest.mark.parametrize("seed", range(10))
def test_chance_is_not_taken_for_a_leak(seed: int) -> None:
    for count in (8, 20, 40, 200):
        leaks = [p for p in check(codebook(), people(count, seed)) if p.level == "error"]
        assert [p for p in leaks if "everybody" not in p.message] == []


def test_a_study_with_errors_is_refused_and_says_where(tmp_path: Path) -> None:
    frame = people()
    frame.loc[2:40, "q1"] = "7"
    frame.loc[3, "age"] = "300"
    path = write(tmp_path, frame)
    with pytest.raises(GeppettoError) as refused:
        load_study(path)
    assert str(refused.value) == (
        f"{path}: 40 errors in the data: rows 2, 3, 4 and 36 more, q1 (7): not among the options "
        "of scale three; add it there, or to `missing`; row 3, age (300): not an age in years; "
        f"correct it, or add it to `missing`; see everything: geppetto studies check {path}"
    )
    assert len(errors(check_study(path).problems)) == 40


def test_problems_with_the_same_remedy_are_shown_together() -> None:
    problems = [Problem("error", "q1", "wrong", row, str(row)) for row in range(2, 9)]
    (group,) = grouped(problems)
    assert str(group) == "rows 2, 3, 4 and 4 more, q1 (2, 3, 4, …): wrong"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"scales": {"three": {"options": {False: "a", 1: "b"}}}}, "put it in quotes"),
        ({"scales": {"three": {"options": {1: None, 2: "b"}}}}, "write it in quotes"),
        ({"scales": {"four": {"options": {1: "a", 2: "b"}}}}, "unknown scale 'three'"),
        ({"missing": [2]}, "code '2' has a meaning and is among the missing codes"),
        ({"missing_in": {"q11": [9]}}, "unknown column 'q11' in missing_in; did you mean 'q1'?"),
        ({"item_column": "question"}, "`item_column` belongs to `layout: long`"),
        ({"waves": {"retest": ""}}, "`predict` and `retest` are the same"),
        ({"waves": {"retest": "_2", "column": "t"}}, "`column` belongs to `layout: long`"),
        ({"layout": "long", "waves": {"retest": 2}}, "`column` says where"),
        ({"exclusions": [{"column": "age", "reason": "x"}]}, "give one of `below`, `above`, "),
        (
            {"traits": [{"name": "q1", "label": "x", "question": "x"}]},
            "'q1' is described twice",
        ),
        (
            {"traits": [{"name": "a", "label": "a", "question": "a", "computed_from": ["q9"]}]},
            "unknown item 'q9' in computed_from of trait a",
        ),
    ],
)
def test_a_codebook_that_contradicts_itself_is_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        codebook(**keys)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("gone.csv", "data file .*gone.csv does not exist"),
        ("own.ods", "must end in .csv"),
        ("own.parquet", "cannot be read"),
        ("empty.csv", "it has no header"),
        ("latin.csv", "line 2: not UTF-8 text; .*`encoding: cp1252`"),
    ],
)
def test_data_files_that_are_none(tmp_path: Path, data: str, message: str) -> None:
    path = Path(write(tmp_path, people()))
    path.write_text(path.read_text().replace("own.csv", data))
    for name, content in (
        ("own.ods", b"x"),
        ("own.parquet", b"x"),
        ("empty.csv", b""),
        ("latin.csv", "id\né".encode("latin-1")),
    ):
        (tmp_path / name).write_bytes(content)
    with pytest.raises(GeppettoError, match=message):
        load_study(str(path))


def test_codebook_files_that_are_none(tmp_path: Path) -> None:
    path = Path(write(tmp_path, people()))
    text = path.read_text()
    path.write_text(text.replace("data: own.csv\n", ""))
    with pytest.raises(GeppettoError, match="`data` is missing"):
        load_study(str(path))
    path.write_text(text.replace("participant_column", "participants_column"))
    with pytest.raises(GeppettoError, match="did you mean 'participant_column'"):
        load_study(str(path))
    with pytest.raises(GeppettoError, match=r"codebook file .*other.yaml does not exist"):
        load_study("other.yaml", tmp_path)


def test_json_codebooks_are_read_too(tmp_path: Path) -> None:
    study = load_study(write(tmp_path, people()))
    book = codebook(data="own.csv", name="own").model_dump_json(exclude_unset=True, indent=1)
    (tmp_path / "own.json").write_text(book)
    assert load_study("own.json", tmp_path).sha256 == study.sha256


# What the guide says


def test_the_guide_is_true(workspace: Path) -> None:
    (workspace / "surveys").mkdir()
    for kind, text in BLOCKS:
        if kind in ("csv", "yaml"):
            comment, content = text.split("\n", 1)
            (workspace / comment.removeprefix("# ")).write_text(content)
    asked = Experiment.from_file(workspace / "experiments" / "sleep.yaml")
    prepared = prepare(asked, workspace)
    assert len(prepared.study.people) == 6
    assert {answer.item for answer in prepared.plan.answers} == set(prepared.study.items)
    output, codes = "", []
    for kind, text in BLOCKS:
        if kind == "sh":
            for command in text.splitlines():
                program, *words = shlex.split(command)
                done = (
                    geppetto(*words, cwd=workspace)
                    if program == "geppetto"
                    else subprocess.run(
                        [program, *words], cwd=workspace, capture_output=True, text=True
                    )
                )
                assert not done.stderr
                output, _ = done.stdout, codes.append(done.returncode)
        elif kind == "text":
            shown = [line.rstrip() for line in output.splitlines()]
            assert [line for line in text.splitlines() if line not in shown] == []
    assert codes == [0, 0, 0, 1, 0, 0, 0, 0]


def test_the_guide_documents_every_key() -> None:
    table = GUIDE[GUIDE.index("## What a codebook says") :]
    documented = re.findall(
        r"`(\w+)`", "".join(re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE))
    )
    assert sorted(documented) == sorted(set(Codebook.model_fields) - {"citation"})
