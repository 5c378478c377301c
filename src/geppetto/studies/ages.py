"""Ages and years of birth: which traits are some, whether they can be, and who is a minor.

A trait is one if the codebook says so, or if its name, label or question does in one of many
languages. What only looks like one by its values is noted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

import pandas as pd

from geppetto.studies.codebook import Codebook
from geppetto.studies.problems import Problem, in_cells
from geppetto.studies.table import Tidy, numbers
from geppetto.studies.trait import Trait

ADULT = 18
OLDEST = 120
_YEARS = (1880, 2100)
_ENOUGH = 15
"""Different values from which on a column can look like ages or years of birth."""

# fmt: off
_AGE = frozenset((
    "age", "aged", "ages", "agegroup", "alter", "lebensalter", "altersgruppe", "leeftijd",
    "ålder", "âge", "edad", "edat", "idade", "età", "eta", "wiek", "věk", "vek", "életkor",
    "vârsta", "varsta", "ikä", "vanus", "yaş", "yas", "возраст", "вік", "ηλικία", "גיל", "عمر",
    "العمر", "سن", "आयु", "उम्र", "tuổi", "umur", "usia",
))
# fmt: on
_AGE_ANYWHERE = re.compile(
    r"years? old|how old|(?:jahre|jaar) alt|wie alt|hoe oud|cuántos años|quantos anos|quel âge"
    r"|quanti anni|сколько вам лет|年龄|年齡|岁|歲|年齢|나이|연령|ile lat"
)
_BORN = re.compile(
    r"birth|\byob\b|\bborn\b|\bdob\b|geburt|geboren|geboorte|naissance|nacimiento|naciste|nascimento"
    r"|nascita|naixement|född|födelse|født|fødsel|urodz|naroz|narod|syntym|születés|nașter|naşter"
    r"|doğum|рожд|народж|γέννησ|لادة|ميلاد|לידה|जन्म|出生|生年|誕生|출생|생년|lahir"
)
_OTHERWISE = "if it is no {what}, say `kind: number`"
_RANGE = re.compile(r"([0-9]+)\s*(?:-|–|—|to|bis|à|a|al|до|～|~|至|から)\s*([0-9]+)")
_BELOW = re.compile(
    r"(?:under|below|less than|younger than|up to|unter|bis|moins de|menos de|meno di|<=?|до|未満"
    r"|以下|不满)\s*([0-9]+)|([0-9]+)\s*(?:or younger|and under|and younger|未満|以下|岁以下)"
)
_ALONE = re.compile(r"^\D*([0-9]+)\D*$")
_OLDER = re.compile(r"[0-9]\s*\+|over|above|older|and up|or more|über|plus|más|>|старше|以上")


def _words(trait: Trait) -> set[str]:
    """Words of a trait's name and label, also of names that join them."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", f"{trait.name} {trait.label}")
    plain = unicodedata.normalize("NFC", spaced).casefold()
    return set(re.findall(r"[^\W\d_]+", plain)) | set(re.findall(r"\w+", plain))


def _text(trait: Trait) -> str:
    said = f"{trait.name} {trait.label} {trait.question}"
    return unicodedata.normalize("NFC", said).casefold()


def is_birth_year(trait: Trait) -> bool:
    """Whether a trait says when people were born, by its kind, name, label or question."""
    return trait.kind == "birth_year" or (
        trait.kind is None and trait.values is None and bool(_BORN.search(_text(trait)))
    )


def is_age(trait: Trait) -> bool:
    """Whether a trait is an age, by its kind, name, label or question.

    Examples
    --------
    >>> is_age(Trait(name="v12", label="Alter", question="Wie alt sind Sie?"))
    True
    >>> is_age(Trait(name="wage", label="wage", question="What do you earn?"))
    False
    """
    if trait.kind not in (None, "category"):
        return trait.kind == "age"
    if trait.norm is not None or is_birth_year(trait):
        return False
    return not _AGE.isdisjoint(_words(trait)) or bool(_AGE_ANYWHERE.search(_text(trait)))


def ages(people: Tidy) -> Iterator[Problem]:
    """Impossible ages and minors among the people who are used, and what looks like an age."""
    codebook = people.codebook
    for trait in codebook.traits:
        cells = people.facts[trait.name].set_axis(people.rows.to_numpy())
        if is_birth_year(trait):
            yield from _born(codebook, trait, cells)
        elif is_age(trait):
            yield from (_old if trait.values is None else _grouped)(codebook, trait, cells)
        elif trait.kind is None and trait.is_number and trait.norm is None:
            yield from _alike(trait, numbers(cells))


def _old(codebook: Codebook, trait: Trait, cells: pd.Series) -> Iterator[Problem]:
    values = numbers(cells)
    message = "not an age in years; correct it, or add it to `missing`" + _if_not(trait, "age")
    yield from in_cells("error", cells[(values < 0) | (values > OLDEST)], message)
    rule = f"column: {trait.name}, below: {ADULT}"
    yield from _minors(codebook, trait, cells[(values >= 0) & (values < ADULT)], rule)


def _born(codebook: Codebook, trait: Trait, cells: pd.Series) -> Iterator[Problem]:
    if trait.survey_year is None:
        message = (
            "reads like a year of birth, from which nobody's age is known; say `kind: birth_year` "
            "and `survey_year: YEAR`, the year in which people were asked; "
            + _OTHERWISE.format(what="year of birth")
        )
        yield Problem("error", trait.name, message)
        return
    values = trait.survey_year - numbers(cells)
    message = (
        f"no year of birth of people who were asked in {trait.survey_year}; correct it, or add it "
        "to `missing`"
    )
    yield from in_cells("error", cells[(values < 0) | (values > OLDEST)], message)
    rule = f"column: {trait.name}, above: {trait.survey_year - ADULT}"
    yield from _minors(codebook, trait, cells[(values >= 0) & (values < ADULT)], rule)


def _grouped(codebook: Codebook, trait: Trait, cells: pd.Series) -> Iterator[Problem]:
    """Minors among groups of ages, as their words say."""
    young = [code for code, label in (trait.values or {}).items() if may_be_minor(label)]
    for code in young:
        rule = f"column: {trait.name}, equals: {code}"
        yield from _minors(codebook, trait, cells[cells == code], rule)


def may_be_minor(label: str) -> bool:
    """Whether the words of an age group are of people who may be under 18.

    Examples
    --------
    >>> may_be_minor("16-24"), may_be_minor("Under 18"), may_be_minor("18-24"), may_be_minor("65+")
    (True, True, False, False)
    """
    plain = label.casefold()
    if found := _RANGE.search(plain):
        return int(found[1]) < ADULT
    if found := _BELOW.search(plain):
        return True
    found = _ALONE.search(plain)
    return found is not None and not _OLDER.search(plain) and int(found[1]) < ADULT


def _alike(trait: Trait, values: pd.Series) -> Iterator[Problem]:
    """A note on a number whose values look like ages, some impossible ones, or years of birth."""
    known = values.dropna()
    if known.nunique() < _ENOUGH or (known % 1 != 0).any():
        return
    years = known.between(*_YEARS)
    if years.mean() > 0.9 and known[years].max() - known[years].min() > _ENOUGH:
        message = (
            "its values may be years of birth; if so, say `kind: birth_year` and `survey_year`, "
            "the year in which people were asked, so that their age is checked"
        )
        yield Problem("note", trait.name, message)
    adults = known.between(ADULT, OLDEST - 20)
    if 0.85 < adults.mean() < 1 and known[adults].max() - known[adults].min() > 2 * _ENOUGH:
        message = (
            f"its values may be ages, some under {ADULT} or impossible; if so, say `kind: age`"
        )
        yield Problem("note", trait.name, message)


def _minors(codebook: Codebook, trait: Trait, cells: pd.Series, rule: str) -> Iterator[Problem]:
    if codebook.includes_minors:
        if len(cells):
            message = f"people under {ADULT}, whom `includes_minors` allows: {len(cells):,}"
            yield Problem("note", trait.name, message)
        return
    message = (
        f"under {ADULT}; exclude them (`exclusions: [{{{rule}, reason: under {ADULT} years}}]`) "
        "or, if they may take part, say `includes_minors: true`" + _if_not(trait, "age")
    )
    yield from in_cells("error", cells, message)


def _if_not(trait: Trait, what: str) -> str:
    """What to say of a trait that only reads like something."""
    surely = trait.kind is not None or "age" in (trait.name.lower(), trait.label.lower())
    if surely or trait.values is not None:
        return ""
    return "; " + _OTHERWISE.format(what=what)
