"""The codebook of sessions: what a user declared, and what is known of published fields."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from geppetto.studies.ages import ADULT, is_age
from geppetto.studies.codebook import Codebook, Exclusion, Source
from geppetto.studies.problems import Problem
from geppetto.studies.sessions.published import (
    PSYCH_201,
    PublishedTask,
    PublishedTrait,
    published_tasks,
    published_traits,
)
from geppetto.studies.table import known, number
from geppetto.studies.trait import Trait

MISSING = ("N/A", "NA", "NaN", "nan", "CONSENT_REVOKED", "DATA_EXPIRED")
"""Values of fields that stand for no value, the last two in exports of Prolific."""

SHARED = 5
"""People with the very same score of three decimals or more from whom on a note is made."""


def bare_codebook(task: str) -> Codebook:
    """The codebook of sessions that come without one."""
    content = {"name": task, "layout": "sessions", "source": source_of(task)}
    return Codebook.model_validate(content)


def source_of(task: str) -> Source:
    """Where sessions of a task come from."""
    if task in published_tasks():
        return PSYCH_201
    return Source(origin="sessions in the format of Psych-201")


def completed(codebook: Codebook, task: str, frame: pd.DataFrame) -> tuple[Codebook, list[Problem]]:
    """A codebook with what is known of published fields, and the fields that say nothing.

    Published traits that the data have are added to the declared ones. People under 18 are
    excluded unless they may take part or the codebook excludes by age itself. What is known of a
    published task decides on clusters if the codebook does not. In the table are the fields of each
    participant as text, with `experiment` and `participant`.
    """
    published = published_tasks().get(task, PublishedTask())
    meant = {code for trait in codebook.traits for code in trait.values or ()}
    unmeant = [code for code in MISSING if code not in meant]
    changes = {name: getattr(codebook, name) for name in codebook.model_fields_set}
    changes["missing"] = tuple(dict.fromkeys((*codebook.missing, *unmeant)))
    changes["missing_in"] = codebook.missing_in | dict(_defaults(published, frame))
    with_missing = Codebook.model_validate(changes)
    declared = {trait.name for trait in codebook.traits}
    found, problems = _traits(with_missing, frame, declared)
    problems += [note for trait in found for note in _shared_score(with_missing, trait, frame)]
    changes["traits"] = (*codebook.traits, *found)
    by_age = {rule.column for rule in codebook.exclusions}
    changes["exclusions"] = codebook.exclusions + tuple(
        Exclusion(column=name, below=ADULT, reason=f"under {ADULT} years")
        for name in _ages(with_missing, frame)
        if name not in by_age and not codebook.includes_minors
    )
    if codebook.cluster_column is None:
        changes["cluster_column"] = _cluster(published, frame)
    if not codebook.source.origin:
        changes["source"] = source_of(task)
    return Codebook.model_validate(changes), problems


def _ages(codebook: Codebook, frame: pd.DataFrame) -> list[str]:
    """Fields with ages, be they traits or, as everybody has the same, none."""
    declared = {trait.name: trait for trait in codebook.traits}
    traits = {name: declared.get(name) or published_traits().get(name) for name in map(str, frame)}
    spelled = {trait.name: name for name, trait in reversed(traits.items()) if trait}
    return [
        name
        for name, trait in traits.items()
        if trait
        and spelled[trait.name] == name
        and is_age(trait)
        and known(codebook, frame[name], name).notna().any()
    ]


def _defaults(task: PublishedTask, frame: pd.DataFrame) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Codes that are scores of people who have none, by field."""
    for name, default in task.defaults.items():
        if name in frame:
            codes = frame[name].dropna().unique()
            same = tuple(code for code in codes if abs(number(code) - default) < 0.0005 + 1e-9)
            if same:
                yield name, same


def _cluster(task: PublishedTask, frame: pd.DataFrame) -> str | None:
    """The field whose people belong together; one value for everybody is no field of groups."""
    column = "participant" if task.repeated_ids == "same people" else task.cluster
    if column == "participant" or (column in frame and frame[column].nunique() > 1):
        return column
    return None


def _traits(
    codebook: Codebook, frame: pd.DataFrame, declared: set[str]
) -> tuple[list[Trait], list[Problem]]:
    """Published traits among fields that are not declared, and fields that are no traits."""
    traits: dict[str, Trait] = {}
    spelled: dict[str, str] = {}
    problems = []
    for name in frame:
        published = published_traits().get(str(name))
        if published is None or str(name) in declared:
            continue
        if (first := spelled.setdefault(published.name, str(name))) != name:
            message = f"it is called {first!r}, too; call it the same on every line"
            problems.append(Problem("error", str(name), message))
            continue
        codes = known(codebook, frame[name], str(name)).dropna().unique().tolist()
        words = _words(published, codes)
        reason = _no_trait(published, codes, words, len(frame))
        if reason:
            problems.append(Problem("note", str(name), reason))
        else:
            traits[published.name] = published.trait(str(name), words)
    order = list(dict.fromkeys(trait.name for trait in published_traits().values()))
    return [traits[name] for name in sorted(traits, key=order.index)], problems


def _no_trait(
    trait: PublishedTrait, codes: list[str], words: dict[str, str] | None, people: int
) -> str | None:
    """Why a field tells nothing of participants."""
    if not codes:
        return "nobody has a value, so not used"
    if len(set(words.values() if words else codes)) == 1 and people > 1:
        return "everybody who has a value has the same, so not used"
    if trait.words and any(number(code) == number(code) for code in codes):
        return (
            "its values are numbers whose meaning is not known, so not used; declare it with its "
            "`values` in a codebook with `layout: sessions`"
        )
    return None


def _shared_score(codebook: Codebook, trait: Trait, frame: pd.DataFrame) -> Iterator[Problem]:
    """A score to three decimals that several people share by chance hardly ever."""
    cells = known(codebook, frame[trait.name], trait.name).dropna()
    people = frame["participant"].str.split("/").str[-1]
    exact = cells[cells.str.fullmatch(r"-?\d*\.\d{3,}")]
    shared = people[exact.index].groupby(exact).nunique()
    for code, count in shared[shared >= SHARED].items():
        message = (
            f"{count} people have exactly this score; if it stands for no score, say so with "
            "`missing_in` in a codebook"
        )
        yield Problem("note", trait.name, message, value=str(code))


def _words(trait: PublishedTrait, codes: list[str]) -> dict[str, str] | None:
    if trait.words is None:
        return None
    return {code: code.lower() if trait.words == "lower" else code for code in sorted(codes)}


def trait_notes(codebook: Codebook) -> Iterator[str]:
    """Why traits of a codebook have no range or norm."""
    for trait in codebook.traits:
        published = published_traits().get(trait.name)
        if published and published.note and trait == published.trait(trait.name, trait.values):
            yield f"{trait.name}: {published.note}"
