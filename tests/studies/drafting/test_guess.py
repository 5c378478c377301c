"""What the columns of a data file are taken for, and what is asked of whoever reads the draft."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from exported import qualtrics, spss, write
from geppetto._util.errors import GeppettoError
from geppetto.studies import Codebook
from geppetto.studies.build import Checked
from geppetto.studies.drafting import codebook_text, guess, read_columns
from geppetto.studies.problems import errors
from geppetto.studies.survey_file import check_study

Draft = tuple[dict[str, Any], str, Checked]


def draft(data: Path) -> Draft:
    """The codebook of a file, as keys and as text, and its check."""
    text = codebook_text(guess(read_columns(data)), data.name)
    data.with_suffix(".yaml").write_text(text, "utf-8")
    return yaml.safe_load(text), text, check_study(str(data.with_suffix(".yaml")))


Rows = Callable[[random.Random], Sequence[Any]]


def table(
    path: Path, header: Sequence[str], row: Rows, encoding: str = "utf-8", by: str = ","
) -> Path:
    rng = random.Random(1)
    return write(path, [header, *([n, *row(rng)] for n in range(60))], encoding, by)


def test_qualtrics_is_known_by_sight(tmp_path: Path) -> None:
    keys, text, checked = draft(qualtrics(tmp_path / "q.csv"))
    assert errors(checked.problems) == []
    said = "an export of Qualtrics, UTF-8 text as Excel saves it, commas between cells"
    assert said in " ".join(text.replace("\n#", "").split())
    assert keys["participant_column"] == "ResponseId"
    assert keys["instruction"].startswith("How much do you agree")
    scale, often = keys["scales"].values()
    assert scale["options"][0] == "Strongly disagree" and scale["options"][-1] == "Strongly agree"
    assert often["options"] == ["Never", "Rarely", "Sometimes", "Often"]
    assert [item["name"] for item in keys["items"]][5:8] == ["Q2_6", "Q2_8", "Q2_9"]
    assert keys["items"][0]["text"] == "I lie awake worrying, even when I am tired."
    assert keys["items"][-1]["prefix"] == "Question:"
    traits = {trait["label"]: trait for trait in keys["traits"]}
    assert [*traits] == ["age", "gender", "country"]
    assert traits["age"]["kind"] == "age" and traits["country"]["kind"] == "category"
    assert traits["gender"]["undisclosed"] == ["Prefer not to say"]
    rules = [{key for key in one if key != "reason"} for one in keys["exclusions"]]
    assert rules == [{"column", "in"}, {"column", "not_equals"}, {"column", "below"}]
    assert "# - {column: Finished, in: ['False'], reason: who did not finish}" in text


def test_nothing_that_says_who_somebody_is_becomes_a_trait_or_is_shown(tmp_path: Path) -> None:
    header = ["id", "E-Mail", "vorname", "Q7", "worry", "PROLIFIC_PID"]
    data = table(
        tmp_path / "p.csv",
        header,
        lambda rng: [
            f"a{rng.random()}@b.de",
            "Ana",
            f"ana{rng.random()}@x.org",
            rng.choice("12345"),
            "5f",
        ],
    )
    keys, text, _ = draft(data)
    assert keys["traits"] == [] and "@" not in text and "Ana" not in text
    assert "says who somebody is: E-Mail, vorname, Q7" in text


def test_spss_says_words_missing_codes_and_weights(tmp_path: Path) -> None:
    pytest.importorskip("pyreadstat", reason="reads SPSS files")
    keys, text, checked = draft(spss(tmp_path / "s.sav"))
    assert errors(checked.problems) == []
    assert "a file of SPSS" in text
    assert (keys["participant_column"], keys["weight_column"]) == ("idno", "pspwght")
    agreement, trust = keys["scales"].values()
    assert agreement["options"][5] == "Disagree strongly" and agreement["undisclosed"] == [7, 8]
    assert [*trust["options"]] == [*range(11), 88] and trust["undisclosed"] == [88]
    traits = {trait["name"]: trait for trait in keys["traits"]}
    assert traits["agea"]["kind"] == "age" and traits["agea"]["undisclosed"] == [999]
    assert traits["cntry"]["values"] == {"DE": "Germany", "FR": "France"}
    study = checked.study
    assert study is not None
    assert study.missing["att1"]["8"] > 0 and study.missing["agea"]["999"] == 4
    assert not any(
        "Don't know" in study.codebook.scales[s].options.values() for s in keys["scales"]
    )


LIKERT = ("trifft nicht zu", "trifft eher zu", "trifft voll und ganz zu")


def lime(rng: random.Random) -> list[Any]:
    told = ["2026-02-03", 5, "de", rng.randint(18, 70), rng.choice(LIKERT), rng.choice(LIKERT)]
    return [
        *told,
        rng.choice(("männlich", "weiblich")),
        f"{rng.uniform(0.5, 1.5):.2f}".replace(".", ","),
    ]


LIME = ["id", "submitdate", "lastpage", "startlanguage", "Alter", "Frage [Ich schlafe gut]",
        "Frage [Ich träume viel]", "Geschlecht", "Gewicht"]  # fmt: skip


@pytest.mark.parametrize(
    ("encoding", "by", "said"),
    [
        ("cp1252", ";", "Windows' text (cp1252), semicolons between cells, decimal commas"),
        ("utf-16", "\t", "UTF-16 text, tabs between cells, decimal commas"),
        ("utf-16-le", ";", "UTF-16 text, semicolons between cells, decimal commas"),
        ("utf-8", ",", "UTF-8 text, commas between cells, decimal commas"),
    ],
)
def test_encodings_separators_and_decimal_commas(
    tmp_path: Path, encoding: str, by: str, said: str
) -> None:
    keys, text, checked = draft(table(tmp_path / "l.csv", LIME, lime, encoding, by))
    assert errors(checked.problems) == []
    assert f"an export of LimeSurvey, {said}" in " ".join(text.replace("#", "").split())
    assert keys["decimal"] == "," and keys["weight_column"] == "Gewicht"
    (scale,) = keys["scales"].values()
    assert scale["options"] == [*LIKERT]
    assert (keys["instruction"], keys["items"][1]["text"]) == ("Frage", "Ich träume viel")
    study = checked.study
    assert study is not None and 0.5 <= min(p.weight for p in study.people.values()) < 1
    assert {p.traits["Geschlecht"] for p in study.people.values()} == {"männlich", "weiblich"}
    assert (keys.get("encoding") == "cp1252") == ("is it spelled so?" in text)


def test_sosci_with_a_row_of_labels(tmp_path: Path) -> None:
    header = [
        "CASE",
        "QUESTNNR",
        "MODE",
        "STARTED",
        "SD01",
        "SD02",
        "AB01_01",
        "AB01_02",
        "FINISHED",
    ]
    labels = ["Nummer", "Fragebogen", "Modus", "Beginn", "Geschlecht", "Alter in Jahren",
              "Ich schlafe gut", "Ich träume viel", "Fertig"]  # fmt: skip
    rng = random.Random(2)
    rows: list[Sequence[Any]] = [header, labels]
    for n in range(80):
        mode = "pretest" if n < 2 else "interview"
        some = [rng.choice((1, 2)), rng.randint(18, 80)]
        rows.append(
            [n, "base", mode, "2026-01-05 09:00", *some, rng.choice((1, 2, 4, 5, -9)), 1 + n % 5, 1]
        )
    keys, text, checked = draft(write(tmp_path / "s.csv", rows, "utf-8", ";"))
    assert errors(checked.problems) == [] and "SoSci" in text
    assert keys["skip_rows"] == 1 and keys["items"][0]["text"] == "Ich schlafe gut"
    (scale,) = keys["scales"].values()
    assert scale == {"options": [1, 2, 3, 4, 5], "undisclosed": [-9]}
    assert "What do 1 and 5 mean?" in text and '-9: taken for "no answer"' in text
    assert [trait["name"] for trait in keys["traits"]] == ["SD02"]
    assert (
        "The file does not say what 1, 2 mean." in text and "#   values: {1: '?', 2: '?'}" in text
    )
    assert keys["exclusions"] == [
        {"column": "MODE", "in": ["pretest"], "reason": "who only tried the survey"}
    ]


def test_redcap(tmp_path: Path) -> None:
    header = [
        "record_id",
        "redcap_event_name",
        "gad_1",
        "gad_2",
        "meds___1",
        "phone",
        "gad_complete",
    ]
    days = ("Not at all", "Several days", "Nearly every day")
    data = table(
        tmp_path / "r.csv",
        header,
        lambda rng: ["baseline", rng.choice(days), rng.choice(days), rng.choice("01"), "555", 2],
    )
    keys, text, checked = draft(data)
    assert errors(checked.problems) == [] and "an export of REDCap" in text
    assert keys["participant_column"] == "record_id"
    assert [item["name"] for item in keys["items"]] == ["gad_1", "gad_2"]
    assert "Are these in an order?" in text


def test_codes_with_words_in_some_of_them(tmp_path: Path) -> None:
    codes = ("1 = strongly disagree", "2", "3", "4", "5 = strongly agree")
    data = table(
        tmp_path / "m.tsv", ["id", "a", "b"], lambda r: [r.choice(codes), r.choice(codes)], by="\t"
    )
    keys, _, checked = draft(data)
    assert errors(checked.problems) == []
    assert keys["scales"]["agreement"]["options"] == {
        "1 = strongly disagree": "strongly disagree",
        **{step: step for step in (2, 3, 4)},
        "5 = strongly agree": "strongly agree",
    }


def test_scales_with_other_steps_are_others(tmp_path: Path) -> None:
    five = ("Strongly disagree", "Disagree", "Neutral", "Agree", "Strongly agree")
    four = (*five[:2], *five[3:])
    keys, text, _ = draft(
        table(
            tmp_path / "f.csv",
            ["id", "Q1_1", "Q1_2", "Q2_1", "Q3_1"],
            lambda r: [r.choice(five), r.choice(five), r.choice(four), r.choice(five[:4])],
        )
    )
    assert {item["name"]: item["scale"] for item in keys["items"]} == {
        "Q1_1": "agreement",
        "Q1_2": "agreement",
        "Q3_1": "agreement",
        "Q2_1": "agreement_2",
    }
    assert "has no opposite" not in text
    _, text, _ = draft(table(tmp_path / "g.csv", ["id", "a"], lambda r: [r.choice(five[1:])]))
    assert '"Strongly agree" has no opposite here' in text


def test_files_without_ids_take_the_row(tmp_path: Path) -> None:
    data = table(tmp_path / "n.csv", ["worry", "age"], lambda rng: [rng.randint(18, 60)])
    rows = [
        [1 + n % 4, *row[1:]]
        for n, row in enumerate(csv.reader(data.read_text("utf-8").splitlines()))
    ]
    keys, _, checked = draft(write(data, [["worry", "age"], *rows[1:]], "utf-8"))
    assert keys["participant_column"] == "row number"
    assert checked.study is not None and [*checked.study.people][:2] == ["2", "3"]


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        (["id", "a"], lambda r: [r.random()], "no column reads like answers on a scale"),
        (
            ["n", "person", "item", "answer"],
            lambda r: [r.randint(1, 12), r.choice("abcd"), r.randint(1, 4)],
            "person names people in several rows.*`layout: long`",
        ),
    ],
)
def test_what_cannot_be_drafted_is_said(
    tmp_path: Path, header: list[str], row: Rows, message: str
) -> None:
    data = table(tmp_path / "x.csv", header, row)
    if header[0] == "n":
        rows = [line[1:] for line in csv.reader(data.read_text("utf-8").splitlines())]
        write(data, rows, "utf-8")
    with pytest.raises(GeppettoError, match=message):
        draft(data)


def test_comments_hold_no_sign_that_yaml_refuses(tmp_path: Path) -> None:
    data = table(
        tmp_path / "c.csv", ["id", "a\x00b", "q"], lambda r: ["x y\x1f" * 9, 1 + r.randrange(4)]
    )
    keys, _, _ = draft(data)
    assert Codebook.model_validate({"name": "c", **keys}).items[0].name == "q"


def test_commas_that_part_thousands_are_no_decimal_points(tmp_path: Path) -> None:
    def row(rng: random.Random) -> list[Any]:
        return [f"{rng.randint(20, 90)},{rng.randint(100, 999)}", rng.choice("12345")]

    keys, text, _ = draft(table(tmp_path / "t.csv", ["id", "income", "q"], row))
    assert "decimal" not in keys and "part thousands?" in text


def test_questions_are_read_without_what_the_web_needs(tmp_path: Path) -> None:
    data = qualtrics(tmp_path / "h.csv", people=60)
    marked = data.read_text("utf-8-sig").replace("I wake up", "<p><b>I&nbsp;wake</b> up")
    data.write_text(marked, "utf-8")
    assert draft(data)[0]["items"][1]["text"] == "I wake up rested."
