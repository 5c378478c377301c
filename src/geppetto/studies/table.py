"""One form for all data files: a row a person, whatever layout the file has."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import pandas as pd

from geppetto.studies.codebook import Codebook, Exclusion, Item

_WHOLE = re.compile(r"-?[0-9]+([.]0*)?")
_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def number(text: object) -> float:
    """The number that a text is; NaN if it is none."""
    if isinstance(text, str) and _NUMBER.fullmatch(text):
        value = float(text)
        return value if math.isfinite(value) else math.nan
    return math.nan


def numbers(cells: pd.Series) -> pd.Series:
    """The number in each cell; NaN where there is none."""
    return cells.map({text: number(text) for text in cells.dropna().unique()}).astype(float)


class Answers(NamedTuple):
    """All responses to an item on one occasion, by row of the file; empty cells are NaN."""

    item: Item
    column: str
    retest: bool
    cells: pd.Series


@dataclass(frozen=True)
class Tidy:
    """A data file with a row for each participant; cells are still codes, missing ones are NaN.

    Attributes
    ----------
    rows
        The row of the file in which each participant is first met.
    facts
        Columns about participants: traits, what excludes, weights, clusters.
    missing
        How many cells of each column hold each missing code; "" is an empty cell.
    """

    codebook: Codebook
    rows: pd.Series
    facts: pd.DataFrame
    responses: pd.DataFrame
    retest: pd.DataFrame
    missing: Mapping[str, Mapping[str, int]]


def fact_columns(codebook: Codebook) -> list[str]:
    """Columns about participants that are no responses, each once."""
    items = {item.name for item in codebook.items}
    names = [trait.name for trait in codebook.traits]
    names += [exclusion.column for exclusion in codebook.exclusions]
    names += [name for name in (codebook.weight_column, codebook.cluster_column) if name]
    return [name for name in dict.fromkeys(names) if name not in items]


def structure(codebook: Codebook) -> list[str]:
    """Columns that say what a row is."""
    names = [codebook.participant_column]
    if codebook.layout == "sessions":
        names.append("experiment")
    if codebook.layout == "long":
        names += [codebook.item_column, codebook.response_column]
        if codebook.waves and codebook.waves.column:
            names.append(codebook.waves.column)
    return names


def named_columns(codebook: Codebook) -> frozenset[str]:
    """All columns that a codebook names."""
    names = [*structure(codebook), *fact_columns(codebook)]
    for retest in (False, True):
        names += item_columns(codebook, retest).values()
    return frozenset(names)


def checked_columns(codebook: Codebook) -> list[str]:
    """Columns whose cells are codes or numbers."""
    names = [trait.name for trait in codebook.traits if trait.kind != "text"]
    names += [codebook.response_column] if codebook.layout == "long" else []
    return [*names, *item_columns(codebook, retest=False).values()]


def item_columns(codebook: Codebook, retest: bool) -> dict[str, str]:
    """Column of each item on an occasion; none where a column holds several items."""
    waves = codebook.waves
    if codebook.layout == "long" or (retest and waves is None):
        return {}
    ending = "" if waves is None else waves.retest if retest else waves.predict
    return {item.name: f"{item.name}{ending}" for item in codebook.items}


def predicted_rows(codebook: Codebook, frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of the occasion that is predicted; only long files have other ones."""
    waves = codebook.waves
    if waves is None or waves.column is None:
        return frame
    return frame[frame[waves.column] == waves.predict]


def known(codebook: Codebook, cells: pd.Series, name: str) -> pd.Series:
    """A column's cells with NaN for its missing codes."""
    return cells.mask(cells.isin(list(codebook.missing_codes(name))))


def answers(codebook: Codebook, frame: pd.DataFrame) -> Iterator[Answers]:
    """The responses to each item on each occasion, missing codes among them."""
    if codebook.layout != "long":
        for retest in (False, True):
            columns = item_columns(codebook, retest)
            for item in codebook.items:
                column = columns.get(item.name)
                if column is not None and column in frame:
                    yield Answers(item, column, retest, frame[column])
        return
    for retest, rows in _occasions(codebook, frame).items():
        by_item = dict(iter(rows.groupby(codebook.item_column, sort=False)))
        for item in codebook.items:
            cells = by_item.get(item.name, rows.iloc[:0])[codebook.response_column]
            yield Answers(item, codebook.response_column, retest, cells)


def _occasions(codebook: Codebook, frame: pd.DataFrame) -> dict[bool, pd.DataFrame]:
    """The rows of a long file that are predicted, and those of the retest."""
    first = predicted_rows(codebook, frame)
    if codebook.waves:
        return {False: first, True: frame[frame[codebook.waves.column] == codebook.waves.retest]}
    if codebook.repeats_are_retest:
        trial = occurrence(codebook, frame)
        return {False: frame[trial == 0], True: frame[trial == 1]}
    return {False: first}


def occurrence(codebook: Codebook, frame: pd.DataFrame) -> pd.Series:
    """How often a row's person has responded to its item before, on the same occasion."""
    keys = [codebook.participant_column, codebook.item_column]
    if codebook.waves and codebook.waves.column:
        keys.append(codebook.waves.column)
    return frame.groupby(keys, sort=False, dropna=False).cumcount()


def tidy(codebook: Codebook, frame: pd.DataFrame) -> Tidy:
    """A data file with a row for each participant.

    A column that the file lacks is empty. Of rows that say the same of the same person the first
    is used; in a long file, the first known cell.
    """
    people, items = codebook.participant_column, [item.name for item in codebook.items]
    met = predicted_rows(codebook, frame)
    met = met[met[people].notna()]
    first = met.drop_duplicates(people)
    ids = pd.Index(first[people])
    missing: dict[str, dict[str, int]] = {}
    facts = {}
    for name in fact_columns(codebook):
        cells = met[name] if name in met else pd.Series(None, met.index, dtype=object)
        missing[name] = _missing(codebook, cells, name)
        cells = known(codebook, cells, name)
        facts[name] = cells.groupby(met[people], sort=False).first().reindex(ids)
    occasions: dict[bool, dict[str, pd.Series]] = {False: {}, True: {}}
    for item, column, retest, cells in answers(codebook, frame):
        label = column if codebook.layout == "wide" else f"{item.name}{' (retest)' * retest}"
        missing[label] = _missing(codebook, cells, item.name)
        responses = known(codebook, cells, item.name).set_axis(frame.loc[cells.index, people])
        responses = responses[responses.index.notna() & ~responses.index.duplicated()]
        occasions[retest][item.name] = responses.reindex(ids)
    return Tidy(
        codebook=codebook,
        rows=pd.Series(first.index, ids),
        facts=pd.DataFrame(facts, ids, dtype=object),
        responses=pd.DataFrame(occasions[False], ids, items, dtype=object),
        retest=pd.DataFrame(occasions[True], ids, dtype=object),
        missing={name: counts for name, counts in missing.items() if counts},
    )


def _missing(codebook: Codebook, cells: pd.Series, name: str) -> dict[str, int]:
    counts = {code: int((cells == code).sum()) for code in sorted(codebook.missing_codes(name))}
    counts[""] = int(cells.isna().sum())
    return {code: count for code, count in counts.items() if count}


def exclude(data: Tidy) -> tuple[Tidy, dict[str, int]]:
    """The people who are used, and how many each exclusion removed after those before it."""
    removed: dict[str, int] = {}
    kept = pd.Series(True, data.rows.index)
    for exclusion in data.codebook.exclusions:
        out = kept & _matches(exclusion, column(data, exclusion.column))
        removed[exclusion.reason] = removed.get(exclusion.reason, 0) + int(out.sum())
        kept &= ~out
    columns = ("rows", "facts", "responses", "retest")
    return replace(data, **{name: getattr(data, name)[kept] for name in columns}), removed


def column(data: Tidy, name: str) -> pd.Series:
    """What is known of everybody in a column, be it about them or a response of theirs."""
    return data.facts[name] if name in data.facts else data.responses[name]


def _matches(exclusion: Exclusion, cells: pd.Series) -> pd.Series:
    if exclusion.codes:
        found = cells.isin(list(exclusion.codes))
        return cells.notna() & ~found if exclusion.spares_codes else found
    if exclusion.below is not None:
        return numbers(cells) < exclusion.below
    return numbers(cells) > exclusion.above


def as_coded(codebook: Codebook, frame: pd.DataFrame) -> pd.DataFrame:
    """A table whose cells are the codes that the codebook gives a meaning.

    In a column of codes, "1.0" is "1" where every cell is a whole number, and an empty cell is the
    code "" where the codebook says what that means. Decimal commas are points, where it says so.
    """
    if codebook.decimal == ",":
        measured = [name for name in _measured(codebook) if name in frame]
        frame = frame.assign(**{name: frame[name].map(_pointed) for name in measured})
    changed = {
        name: cells
        for name, codes in _coded(codebook).items()
        if name in frame and (cells := _as_codes(frame[name], codes)) is not None
    }
    return frame.assign(**changed) if changed else frame


def _measured(codebook: Codebook) -> set[str]:
    """Columns that hold numbers, and no codes."""
    names = {trait.name for trait in codebook.traits if trait.is_number}
    names |= {exclusion.column for exclusion in codebook.exclusions if not exclusion.codes}
    return names | ({codebook.weight_column} if codebook.weight_column else set())


def _pointed(cell: Any) -> Any:
    return cell.replace(",", ".") if isinstance(cell, str) and _COMMA.fullmatch(cell) else cell


def with_categories(codebook: Codebook, frame: pd.DataFrame) -> Codebook:
    """A codebook in which each `kind: category` has the words of the data as its values."""
    found = []
    for trait in codebook.traits:
        if trait.kind == "category" and trait.name in frame:
            cells = known(codebook, predicted_rows(codebook, frame)[trait.name], trait.name)
            words = sorted(cells.dropna().unique(), key=_place)
            trait = trait.model_copy(update={"values": {word: word for word in words}})
        found.append(trait)
    return codebook.model_copy(update={"traits": tuple(found)})


def _place(words: str) -> tuple[float, bool, str]:
    """Where words stand in a list: by the number in them, as groups of ages do, or the alphabet."""
    digits = re.search(r"[0-9]+", words)
    return float(digits[0]) if digits else math.inf, words[:1].isdigit(), words


def _coded(codebook: Codebook) -> dict[str, frozenset[str]]:
    """The codes of each column that holds some."""
    found: dict[str, set[str]] = {
        trait.name: {*(trait.values or ()), *(trait.undisclosed or ())} for trait in codebook.traits
    }
    for exclusion in codebook.exclusions:
        if exclusion.codes:
            found.setdefault(exclusion.column, set()).update(exclusion.codes)
    for item in codebook.items:
        scale = codebook.scales[item.scale]
        columns = {item_columns(codebook, retest).get(item.name) for retest in (False, True)}
        for name in columns if codebook.layout == "wide" else {codebook.response_column}:
            if name is not None:
                found.setdefault(name, set()).update(scale.options, scale.undisclosed)
    return {name: frozenset(codes) for name, codes in found.items() if codes}


def _as_codes(cells: pd.Series, codes: frozenset[str]) -> pd.Series | None:
    """A column as codes; None if nothing of it changes."""
    known = cells if any("." in code for code in codes) else whole(cells)
    if "" in codes and known.isna().any():
        return known.where(known.notna(), "")
    return None if known is cells else known


def whole(cells: pd.Series) -> pd.Series:
    """A column with "1.0" as "1", if every cell of it is a whole number; else the same column."""
    known = cells.dropna().drop_duplicates()
    if not known.map(_is_whole).all() or not known.str.contains(".", regex=False).any():
        return cells
    return cells.where(cells.isna(), cells.str.partition(".")[0])


def _is_whole(text: object) -> bool:
    return isinstance(text, str) and bool(_WHOLE.fullmatch(text))
