"""Codebooks that say what people mean: words as codes, undisclosed answers, rules, categories."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

import invented
from geppetto._util.errors import GeppettoError
from geppetto.personas.library import load_strategy
from geppetto.prompts.survey import Layout, render, turns
from geppetto.studies import Codebook, Exclusion, Scale, Study, Trait
from geppetto.studies.build import study_from_table
from geppetto.studies.check import check
from geppetto.studies.problems import Problem, errors
from geppetto.studies.survey_file import check_study
from workspaces import ROOT

SCALE = {"s": {"options": ["Never", "Often"]}}
ITEMS = [{"name": "q", "text": "I sleep.", "scale": "s"}]


def book(**keys: Any) -> Codebook:
    return invented.codebook(**{"scales": SCALE, "items": ITEMS} | keys)


def frame(**columns: list[str | None]) -> pd.DataFrame:
    length = len(next(iter(columns.values())))
    cells = {"id": [f"p{n}" for n in range(length)], "q": ["Never", "Often"] * length} | columns
    return pd.DataFrame(
        {name: column[:length] for name, column in cells.items()},
        index=range(2, length + 2),
        dtype=object,
    )


def trait(**keys: Any) -> dict[str, Any]:
    return {"name": "t", "label": "t", "question": "What is it?"} | keys


def test_a_list_holds_words_that_are_their_own_codes() -> None:
    assert Scale(options=["Never", "Often"]) == Scale(options={"Never": "Never", "Often": "Often"})
    assert [*Scale(options=[1, 2, 3]).options] == ["1", "2", "3"]
    given = Trait.model_validate(trait(values=["Male", "Female"]))
    assert given.values == {"Male": "Male", "Female": "Female"}
    study = study_from_table(book(), frame(q=["Often", "Never"]))
    assert study.people["p0"].responses == {"q": "Often"}
    assert Layout().answer_to(study.codebook.scales["s"]) == "label"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["a", "a"], "'a' is listed twice"),
        ([{"1": "a"}, "b"], "a list holds words"),
        ([True, False], "put it in quotes"),
        (["a"], "at least 2"),
    ],
)
def test_lists_that_are_none_are_refused(options: list[Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Scale(options=options)  # type: ignore[arg-type]  # as YAML gives it


RULES = [
    ({"equals": "a"}, "bcd"),
    ({"not_equals": "a"}, "ad"),
    ({"in": ["a", "b"]}, "cd"),
    ({"not_in": ["a", "b"]}, "abd"),
]


@pytest.mark.parametrize(("rule", "left"), RULES)
def test_rules_of_exclusion(rule: dict[str, Any], left: str) -> None:
    """An empty cell, as d's is, excludes nobody."""
    excluded = [{"column": "x", **rule, "reason": "who are out"}]
    study = study_from_table(
        book(exclusions=excluded), frame(id=[*"abcd"], x=["a", "b", "c", None])
    )
    assert [*study.people] == [*left]
    assert study.excluded == {"who are out": 4 - len(left)}


def test_rules_take_codes_as_the_data_have_them_and_one_at_a_time() -> None:
    rules = [{"column": "x", "not_in": [1, 2], "reason": "r"}]
    study = study_from_table(book(exclusions=rules), frame(x=["1.0", "2.0", "3.0"]))
    assert [*study.people] == ["p0", "p1"]
    with pytest.raises(ValidationError, match="`not_equals`, `in` and `not_in`"):
        Exclusion.model_validate({"column": "x", "in": ["1"], "equals": "2", "reason": "r"})


def test_two_rules_may_have_the_same_reason() -> None:
    rules = [{"column": c, "not_equals": "ok", "reason": "who did not attend"} for c in "xy"]
    study = study_from_table(
        book(exclusions=rules), frame(x=["ok", "no", "ok"], y=["ok", "no", "no"])
    )
    assert study.excluded == {"who did not attend": 2}


def test_an_unknown_rule_is_told_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(
        "title: x\nsource: {origin: x}\ninstruction: x\ndata: x.csv\nparticipant_column: id\n"
        "traits: []\nscales: {s: {options: [a, b]}}\nitems: [{name: q, text: q, scale: s}]\n"
        "exclusions: [{column: x, equal: 1, reason: r}]\n"
    )
    with pytest.raises(GeppettoError, match=r"unknown key 'equal'.*did you mean 'equals'"):
        check_study(str(tmp_path / "s.yaml"))


def silent(**keys: Any) -> Study:
    values = {"1": "Male", "2": "Female", "3": "Prefer not to say"}
    one = trait(name="g", label="gender", values=values, **keys)
    return study_from_table(book(traits=[one]), frame(g=["1", "3", "2", "3"]))


def test_what_is_undisclosed_is_as_if_missing_and_counted() -> None:
    study = silent(undisclosed=[3])
    assert [p.traits.get("g") for p in study.people.values()] == ["Male", None, "Female", None]
    assert study.missing["g"] == {"3": 2}
    assert study.traits["g"].values == {"1": "Male", "2": "Female"}
    with pytest.raises(ValidationError, match="is what '3' means; write the code"):
        silent(undisclosed=["Prefer not to say"])
    with pytest.raises(ValidationError, match="none of the `values` is left"):
        silent(undisclosed=[1, 2, 3])


def test_no_persona_says_what_is_undisclosed() -> None:
    """Not even among what else could have been chosen, with any shipped strategy of traits."""
    study = silent(undisclosed=[3])
    for name in ("biography", "interview", "profile", "questionnaire"):
        rule = load_strategy(name, {}, ROOT)
        for person in study.people.values():
            assert "prefer not" not in (rule.write(person, study) or "").lower()


def test_a_check_asks_about_values_that_tell_nothing() -> None:
    def notes(**keys: Any) -> list[Problem]:
        one = trait(name="g", values={"1": "M", "2": "No answer"}, **keys)
        found = check(book(traits=[one]), frame(g=["1", "2"] * 5))
        return [problem for problem in found if problem.column == "g"]

    (note,) = notes()
    assert note.level == "note" and "`undisclosed: [2]`" in note.message
    assert notes(undisclosed=[]) == notes(undisclosed=[2]) == []


def test_options_that_are_undisclosed_are_no_options() -> None:
    scale = {"options": {1: "Never", 2: "Often", 9: "Prefer not to say"}, "undisclosed": [9]}
    study = study_from_table(book(scales={"s": scale}), frame(q=["1", "9", "2"]))
    assert study.people["p1"].responses == {} and study.missing["q"] == {"9": 1}
    assert [*study.codebook.scales["s"].options] == ["1", "2"]


def test_categories_take_their_words_from_the_data() -> None:
    ages = ["25-34", "18-24", "under 18", "65+", None, "18-24", "NA"]
    one = trait(name="age group", label="age", kind="category")
    keys = book(traits=[one], missing=["NA"], includes_minors=True)
    study = study_from_table(keys, frame(**{"age group": ages}))
    assert [*(study.traits["age group"].values or ())] == ["under 18", "18-24", "25-34", "65+"]
    assert study.people["p4"].traits == study.people["p6"].traits == {}
    young = book(traits=[one], missing=["NA"])
    (error,) = errors(
        check(keys_of(young, frame(**{"age group": ages})), frame(**{"age group": ages}))
    )
    assert "under 18" in error.message
    with pytest.raises(ValidationError, match="takes its values from the data"):
        Trait.model_validate(trait(kind="category", values=["a"]))


def keys_of(codebook: Codebook, table: pd.DataFrame) -> Codebook:
    from geppetto.studies.table import with_categories

    return with_categories(codebook, table)


def test_names_are_no_categories() -> None:
    table = frame(t=[f"person {n}" for n in range(40)])
    found = check(keys_of(book(traits=[trait(kind="category")]), table), table)
    assert "40 values of 40 people are no categories" in errors(found)[0].message


def test_items_are_put_behind_their_prefix() -> None:
    items = [{"name": "q", "text": "Do you sleep?", "scale": "s"}]

    def text(keys: Codebook) -> str:
        study = Study(keys, {}, {})
        prompt = render(study, study.items["q"], None, Layout(), None).text
        assert turns(study, study.items["q"], None, Layout())[1].content in prompt
        return prompt

    assert "\n\nStatement: Do you sleep?\nAnswer:" in text(book(items=items))
    asked = book(items=items, item_prefix="Question:")
    assert "\n\nQuestion: Do you sleep?\nAnswer:" in text(asked)
    bare = book(items=[items[0] | {"prefix": ""}], item_prefix="Question:")
    assert "\n\nDo you sleep?\nAnswer:" in text(bare)


def test_what_is_not_said_changes_no_hash() -> None:
    """The digest of a study as it was before these keys were known."""
    study = Study(book(traits=[trait(values={"1": "a"})]), {}, {})
    written = study.codebook.model_dump_json(exclude={"data"}, exclude_defaults=True)
    for key in ("prefix", "decimal", "undisclosed", "among", "not_in", "not_equals"):
        assert key not in written


def test_models_are_told_what_numbers_mean() -> None:
    """A check says where they are not."""
    rng = random.Random(0)
    cells = [str(rng.randint(1, 3)) for _ in range(30)]
    bare = book(scales={"s": {"options": [1, 2, 3]}}, items=[ITEMS[0] | {"text": "q"}])
    said = "\n".join(problem.message for problem in check(bare, frame(q=cells)))
    assert "numbers without words" in said and "have their names as `text`" in said
    ends = {1: "never", 2: "2", 3: "always"}
    said = "\n".join(
        p.message for p in check(book(scales={"s": {"options": ends}}), frame(q=cells))
    )
    assert "numbers without words" not in said
