"""Ages and years of birth are declared or suspected, and checked; what people wrote is shown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

import invented
from geppetto._util.errors import GeppettoError
from geppetto.personas.average import average
from geppetto.personas.content import trait_facts
from geppetto.studies import Codebook, Trait
from geppetto.studies.ages import is_age, is_birth_year, may_be_minor
from geppetto.studies.build import study_from_table
from geppetto.studies.check import check
from geppetto.studies.problems import Problem, errors


def book(trait: dict[str, Any], **keys: Any) -> Codebook:
    """One trait and two items."""
    described = {"name": "t", "label": "t", "question": "t?"} | trait
    return invented.codebook(
        traits=[described],
        scales={"s": {"options": {1: "No", 2: "Yes"}}},
        items=[{"name": f"q{n}", "text": f"{n}.", "scale": "s"} for n in "12"],
        **keys,
    )


def table(values: list[Any], name: str = "t") -> pd.DataFrame:
    random = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "id": [f"p{n}" for n in range(len(values))],
            name: values,
            **{f"q{n}": random.integers(1, 3, len(values)) for n in "12"},
        }
    )
    frame = frame.astype(str).astype(object)
    return frame.set_axis(range(2, len(values) + 2), axis=0)


def found(trait: dict[str, Any], values: list[Any], **keys: Any) -> list[Problem]:
    frame = table(values, trait.get("name", "t"))
    return [p for p in check(book(trait, **keys), frame) if p.column == trait.get("name", "t")]


def trait(name: str, label: str = "x", question: str = "x?", **keys: Any) -> Trait:
    return Trait(name=name, label=label, question=question, **keys)


# fmt: off
AGES = [
    trait("AGE"), trait("resp_age"), trait("respAge"), trait("D1", "age in years"),
    trait("v1", "Alter"), trait("idade"), trait("v2", "Âge"), trait("v3", "Возраст"),
    trait("v4", "年龄"), trait("v5", "年齢"), trait("v6", "나이"), trait("yaş"), trait("العمر"),
    trait("v7", question="How old are you?"), trait("v8", question="Wie alt sind Sie?"),
    trait("agegrp", "age group", values={1: "18-24"}), trait("d2", kind="age"),
]
NO_AGES = [
    trait("wage"), trait("language"), trait("message"), trait("stage"), trait("villages"),
    trait("manager", "manager"), trait("agency"), trait("age", kind="number"), trait("usage"),
    trait("marriage"), trait("yob"), trait("average", "average grade"),
]
BORN = [
    trait("yob"), trait("birth_year"), trait("v1", "Geburtsjahr"),
    trait("v2", "année de naissance"), trait("v3", question="In what year were you born?"),
    trait("v4", "出生年份"), trait("födelseår"),
    trait("v5", "год рождения"), trait("v6", kind="birth_year", survey_year=2015),
]
# fmt: on


def test_ages_and_years_of_birth_are_known_in_many_languages() -> None:
    assert [one.name for one in AGES if not is_age(one) or is_birth_year(one)] == []
    assert [one.name for one in NO_AGES if is_age(one)] == []
    assert [one.name for one in BORN if not is_birth_year(one) or is_age(one)] == []
    assert not is_birth_year(trait("yob", kind="number"))


def test_an_age_by_any_name_is_checked() -> None:
    values = [30, 40, 17, 999]
    for declared in ({"kind": "age"}, {"label": "Alter"}, {"name": "age"}):
        problems = errors(found(declared, values))
        assert [(p.row, p.value) for p in problems] == [(5, "999"), (4, "17")]
        suspected = "label" in declared
        assert all(("`kind: number`" in p.message) == suspected for p in problems)
    assert found({"label": "Alter", "kind": "number"}, values) == []
    allowed = found({"kind": "age"}, [30, 17], includes_minors=True)
    assert [(p.level, p.message[-1]) for p in allowed] == [("note", "1")]
    out = [{"column": "t", "below": 18, "reason": "under 18 years"}]
    assert found({"kind": "age"}, [30, 17, 40], exclusions=out) == []


def test_a_year_of_birth_is_checked_by_the_year_of_the_survey() -> None:
    (unknown,) = errors(found({"label": "year of birth"}, [1980, 1999]))
    assert "`survey_year: YEAR`" in unknown.message and unknown.row is None
    born = {"kind": "birth_year", "survey_year": 2015}
    problems = errors(found(born, [1980, 1999, 2016, 80, 1997]))
    assert [p.value for p in problems] == ["2016", "80", "1999"]
    assert "above: 1997" in problems[-1].message
    out = [{"column": "t", "above": 1997, "reason": "under 18 years"}]
    assert found(born, [1980, 1999, 1985], exclusions=out) == []
    with pytest.raises(ValidationError, match="belong together"):
        book({"kind": "birth_year"})
    with pytest.raises(ValidationError, match="belong together"):
        book({"survey_year": 2015})


def test_minors_in_groups_of_ages_are_found() -> None:
    groups = {1: "Under 18", 2: "16-24", 3: "18-24", 4: "25 to 64", 5: "65+"}
    problems = errors(found({"label": "age group", "values": groups}, [1, 2, 3, 4, 5]))
    assert [p.value for p in problems] == ["1", "2"]
    assert "equals: 1" in problems[0].message


@pytest.mark.parametrize("label", ["12-17", "under 18", "<18", "17", "unter 20", "15 or younger"])
def test_words_of_the_young(label: str) -> None:
    assert may_be_minor(label)


@pytest.mark.parametrize("label", ["18-24", "18+", "over 65", "21", "Old", "18 to 29", "80 and up"])
def test_words_of_adults(label: str) -> None:
    assert not may_be_minor(label)


def test_what_only_looks_like_an_age_is_noted() -> None:
    ages, years = [*range(16, 80)], [*range(1940, 2000)]
    (note,) = found({}, ages)
    assert note.level == "note" and "`kind: age`" in note.message
    (note,) = found({}, years)
    assert note.level == "note" and "`kind: birth_year`" in note.message
    for values in ([*range(18, 80)], [*range(101)], [1, 2, 3] * 20, [n / 2 for n in years]):
        assert found({}, values) == []
    assert found({"kind": "number"}, years) == []


WORDS = {"kind": "text", "label": "own words"}


def test_own_words_are_shown_as_they_were_written() -> None:
    frame = table(["I Work NIGHTS.", "Nothing; really", "x"])
    frame.loc[4, "t"] = None
    assert errors(check(book(WORDS), frame)) == []
    study = study_from_table(book(WORDS), frame)
    first, _, third = study.people.values()
    (fact,) = trait_facts(first, study, None)
    assert (fact.value, fact.inline) == ("I Work NIGHTS.", '"I Work NIGHTS."')
    assert list(trait_facts(third, study, None)) == []
    assert average(list(study.people.values()), study).traits == {}
    assert not study.trait("t").demographic and not study.trait("t").is_number


@pytest.mark.parametrize(
    "wrong", [{"values": {1: "x"}}, {"range": [0, 1]}, {"demographic": True}, {"caliper": 1}]
)
def test_own_words_are_no_category_and_no_demographic(wrong: dict[str, Any]) -> None:
    with pytest.raises((ValidationError, GeppettoError)):
        book(WORDS | wrong)
