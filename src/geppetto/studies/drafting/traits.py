"""Which columns are known of people, and not answered on a scale: age, gender, country and such."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from geppetto.studies.ages import ADULT, OLDEST, is_age, is_birth_year, may_be_minor
from geppetto.studies.drafting.columns import Column
from geppetto.studies.drafting.entry import Entry
from geppetto.studies.drafting.orders import family_of
from geppetto.studies.no_answer import says_no_answer
from geppetto.studies.table import number
from geppetto.studies.trait import Trait

_FEW = 12
"""Values that a codebook lists; of more, `kind: category` takes them from the data."""

_WORDS = 12
"""Words that a label has at most: what is longer may speak of other things too."""


class _Known(NamedTuple):
    label: str
    question: str
    pattern: re.Pattern[str]
    demographic: bool = True


def _known(label: str, question: str, words: str, demographic: bool = True) -> _Known:
    return _Known(label, question, re.compile(rf"\b(?:{words})\b"), demographic)


_KNOWN = (
    _known("gender", "What is your gender?", r"gender|sex|geschlecht|geschl"),
    _known("highest level of education", "What is your highest level of education?",
           r"edu\w*|bildung\w*|school\w*|schulabschluss|abschluss|degree|isced|qualification|schule"),
    _known("country", "In which country do you live?",
           r"country|countries|land|nationality|nation|staatsangehörigkeit|cntry|citizenship"),
    _known("region", "In which region do you live?",
           r"region|bundesland|province|county|city|town|state|urban\w*|wohnort"),
    _known("household income", "What is your household income?",
           r"income|einkommen|hinc\w*|salary|wage|gehalt"),
    _known("employment status", "What is your employment status?",
           r"employ\w*|occupation\w*|job|beruf\w*|erwerb\w*|work ?status|profession|student"),
    _known("marital status", "What is your marital status?",
           r"marital|married|relationship|familienstand|civil status"),
    _known("ethnicity", "What is your ethnicity?", r"ethnic\w*|race|racial|hispanic|ethnie"),
    _known("religion", "What is your religion?", r"relig\w*|denomination|konfession|faith"),
    _known("party", "Which party do you prefer?",
           r"party|partei|partyid|vote\w*|voting|wahl\w*", False),
    _known("political orientation", "What is your political orientation?",
           r"ideolog\w*|left[ -]?right|links[ -]?rechts|politic\w*|polviews|politik\w*", False),
    _known("native language", "What is your native language?",
           r"(?:native|mother|first) (?:tongue|language)|muttersprache|language|sprache"),
    _known("number of children", "How many children do you have?", r"children|kids|kinder"),
)  # fmt: skip


def trait_of(column: Column, answered_on_a_scale: bool, survey_year: int | None) -> Entry | None:
    """A column as a trait; None if it does not read like one.

    Parameters
    ----------
    answered_on_a_scale
        Whether it is one of several columns with the same options, or its words agree, approve or
        say how often: such a column is a trait only by its name.
    """
    asked = column.text if column.text.endswith("?") else ""
    short = column.text if len(column.text.split()) <= _WORDS else ""
    as_trait = Trait(name=column.name, label=short, question=column.text)
    if is_birth_year(as_trait) and column.numbers and min(column.numbers) > 1880:
        return _born(column, asked, survey_year)
    if is_age(as_trait) and not answered_on_a_scale:
        return _age(column, asked or "How old are you?")
    name = re.sub(r"(?<=[a-zäöü])(?=[A-Z])|[\W_\d]+", " ", column.name).casefold()
    said = column.text.casefold() if len(column.text.split()) <= 2 * _WORDS else ""
    for known in _KNOWN:
        if known.pattern.search(name) or (known.pattern.search(said) and not answered_on_a_scale):
            return _categories(column, known, asked or known.question)
    return None


def reads_like_a_scale(column: Column) -> bool:
    """Whether its words are those of an answer, and not of a group."""
    words = [*column.meanings.values()] or [*column.counts]
    if 0 < len(column.meanings) < len({*column.meanings, *column.counts}) / 2:
        return True  # only its ends have words
    return family_of(words) not in ("answers", "yes_no", "truth", "quantity", "quality")


def minors(column: Column, trait: Mapping[str, Any]) -> Entry | None:
    """The exclusion of people under 18; None if nobody is, or may be."""
    reason = f"under {ADULT} years"
    if trait.get("kind") == "age" and "values" not in trait:
        young = sum(n for cell, n in column.counts.items() if 0 <= _number(cell) < ADULT)
        rule: dict[str, Any] = {"below": ADULT}
    elif trait.get("kind") == "birth_year":
        first = int(trait["survey_year"]) - ADULT
        young = sum(n for cell, n in column.counts.items() if _number(cell) > first)
        rule = {"above": first}
    elif trait.get("kind") == "age":
        listed = trait["values"]
        words = listed if isinstance(listed, dict) else {word: word for word in listed}
        codes = [code for code, label in words.items() if may_be_minor(str(label))]
        young = sum(column.counts.get(str(code), 0) for code in codes)
        rule = {"in": codes}
    else:
        return None
    if not young:
        return None
    return Entry(
        {"column": column.name, **rule, "reason": reason},
        f"People who are, or may be, {reason} are left out: {young:,}. If they may take part, "
        "delete the next line and write `includes_minors: true`.",
    )


def _age(column: Column, question: str) -> Entry:
    entry = {"name": column.name, "label": "age", "question": question}
    if not column.numbers or (column.meanings and len(column.counts) <= _FEW):
        return Entry(entry | {"kind": "age"} | _values(column))
    impossible = [cell for cell in column.counts if not 0 <= _number(cell) <= OLDEST]
    unlike = [*(column.missing if column.guessed else ()), *impossible]
    ask = f"{', '.join(unlike[:5])}: no age, so counted as not known. Is that so?"
    silent = {"undisclosed": [*column.missing, *impossible]}
    told = silent if silent["undisclosed"] else {}
    return Entry(entry | {"kind": "age"} | told, ask if unlike else "")


def _born(column: Column, asked: str, survey_year: int | None) -> Entry:
    content = {
        "name": column.name,
        "label": "year of birth",
        "question": asked or "In which year were you born?",
        "kind": "birth_year",
        "survey_year": survey_year or "?",
    }
    if survey_year:
        return Entry(content)
    ask = "In which year were people asked? Write it as `survey_year` and take off the #."
    return Entry(content, ask, off=True)


def _categories(column: Column, known: _Known, question: str) -> Entry:
    content: dict[str, Any] = {"name": column.name, "label": known.label, "question": question}
    if not known.demographic:
        content["demographic"] = False
    if column.meanings or not column.numbers:
        return Entry(content | _values(column))
    silent = {"undisclosed": [*column.missing]} if column.missing else {}
    if len(column.counts) > _FEW:
        return Entry(content | {"kind": "number"} | silent)
    codes = sorted(column.counts, key=_number)
    return Entry(
        content | {"values": dict.fromkeys(codes, "?")} | silent,
        f"The file does not say what {', '.join(codes)} mean. Write the words in place of ? and "
        "take off the #.",
        off=True,
    )


def _values(column: Column) -> dict[str, Any]:
    """The values of a trait and those of them that tell nothing."""
    words = {**column.labels, **{code: code for code in column.counts if code not in column.labels}}
    listed: Any = words if column.labels else sorted(words, key=lambda w: (_first_number(w), w))
    silent = [code for code, label in words.items() if says_no_answer(label)]
    silent = [*dict.fromkeys((*silent, *column.missing))]
    told = {"undisclosed": silent} if silent else {}
    if not column.labels and len(listed) > _FEW:
        return {"kind": "category", **told}
    return {"values": listed, **told}


def _first_number(word: str) -> float:
    found = re.search(r"[0-9]+", word)
    return float(found[0]) - 0.5 * (not word[0].isdigit()) if found else float("inf")


def _number(cell: str) -> float:
    return number(cell.replace(",", ".", 1))
