"""Everything that is wrong with a data file, at once: pure functions from a table to problems."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from itertools import chain, takewhile

import pandas as pd

from geppetto.studies.ages import ages
from geppetto.studies.codebook import Codebook
from geppetto.studies.leaks import leaks
from geppetto.studies.no_answer import no_answers
from geppetto.studies.problems import Problem, in_cells
from geppetto.studies.table import (
    Tidy,
    answers,
    checked_columns,
    exclude,
    fact_columns,
    item_columns,
    known,
    number,
    numbers,
    occurrence,
    predicted_rows,
    structure,
    tidy,
)

_FEW = 20
"""Values that any `kind: category` may have."""

_DECLARE = "to use it, declare it among the `traits` of a codebook with `layout: sessions`"


def check(codebook: Codebook, frame: pd.DataFrame) -> list[Problem]:
    """All that is wrong with a table, be it in its cells or in what its columns say together.

    Its cells are text, indexed by the row of the file, as from `read_table`.
    """
    problems = check_cells(codebook, frame)
    if not readable(codebook, frame):
        return problems
    people, _ = exclude(tidy(codebook, frame))
    lacking = {p.column for p in problems if p.row == 1}
    found = (
        _unused(codebook, frame),
        _unsaid(codebook),
        _responses(people, lacking),
        _outside(people),
    )
    return [*problems, *chain(*found), *leaks(people)]


def check_cells(codebook: Codebook, frame: pd.DataFrame) -> list[Problem]:
    """What is wrong with single cells: those without which there are no participants to speak of.

    Codes are checked in every row, what numbers mean only for people who are not excluded.
    """
    problems = [*_columns(codebook, frame), *no_answers(codebook)]
    if not readable(codebook, frame):
        return problems
    for part in (_ids, _codes, _disagreements):
        problems += part(codebook, frame)
    problems = [*_without_headers(codebook, frame, problems)]
    people, _ = exclude(tidy(codebook, frame))
    problems += [*ages(people), *_ranges(people), *_categories(people)]
    if codebook.weight_column and codebook.weight_column in frame:
        problems += _weights(people, codebook.weight_column)
    return problems


def readable(codebook: Codebook, frame: pd.DataFrame) -> bool:
    """Whether the file has the columns without which nothing else can be checked or counted."""
    return set(structure(codebook)) <= set(frame.columns)


def _columns(codebook: Codebook, frame: pd.DataFrame) -> Iterator[Problem]:
    """Columns that the codebook names and the file lacks, and the other way round."""
    named = [*structure(codebook), *fact_columns(codebook)]
    named += item_columns(codebook, retest=False).values()
    optional = list(item_columns(codebook, retest=True).values())
    undeclared = [name for name in frame.columns if name not in {*named, *optional}]
    alike = {name.strip().lower(): name for name in undeclared}
    for name in dict.fromkeys(named):
        if name not in frame:
            near = get_close_matches(name.strip().lower(), alike, n=1)
            hint = f"; did you mean {alike[near[0]]!r}?" if near else ""
            yield Problem("error", name, f"the codebook names it and the file has none{hint}", 1)
    if optional and not any(name in frame for name in optional):
        message = "the file has no retest column; correct `retest` in `waves`, or take it out"
        yield Problem("error", optional[0], message, 1)
    else:
        for name in optional:
            if name not in frame:
                yield Problem("note", name, "the item has no retest", 1)
    for name in undeclared:
        if codebook.layout == "sessions":
            yield Problem("note", name, "not a trait that is known, so not used; " + _DECLARE)
        else:
            yield Problem("note", name, "not in the codebook, so not used", 1)


def _ids(codebook: Codebook, frame: pd.DataFrame) -> Iterator[Problem]:
    """Rows of nobody, of somebody met before, or of an item answered before."""
    people = codebook.participant_column
    for name in structure(codebook):
        if name != codebook.response_column or codebook.layout != "long":
            yield from in_cells("error", frame[name][frame[name].isna()], "the cell is empty")
    ids = frame[people]
    if codebook.layout != "long":
        message = "the participant has an earlier row; keep one, or declare `layout: long`"
        yield from in_cells("error", ids[ids.notna() & ids.duplicated()], message)
        return
    known_items = frame[codebook.item_column].isin([item.name for item in codebook.items])
    rows = frame[ids.notna() & known_items]
    again = occurrence(codebook, rows)
    for item, of_item in rows[again > 0].groupby(codebook.item_column, sort=False):
        repeated = of_item[people]
        if codebook.repeats_are_retest:
            message = f"a third or later response to {item}, so not used"
            yield from in_cells("note", repeated[again[repeated.index] > 1], message)
        else:
            message = (
                f"an earlier row is of this participant and {item}; keep one, or declare "
                "`waves` or `repeats_are_retest: true`"
            )
            yield from in_cells("error", repeated, message)


def _codes(codebook: Codebook, frame: pd.DataFrame) -> Iterator[Problem]:
    rows = predicted_rows(codebook, frame)
    for trait in codebook.traits:
        if trait.name in frame:
            cells = _once(codebook, rows, trait.name)
            if trait.is_number:
                yield from _no_numbers(cells)
            elif trait.values is not None:
                place = f"`values` of trait {trait.name}"
                yield from _no_codes(cells, trait.values, trait.name, place)
    checked = {trait.name for trait in codebook.traits if trait.is_number}
    for exclusion in codebook.exclusions:
        name = exclusion.column
        if not exclusion.codes and name in frame and name not in checked:
            yield from _no_numbers(_once(codebook, rows, name))
    for item, name, _, cells in answers(codebook, frame):
        place = f"the options of scale {item.scale}"
        options = codebook.scales[item.scale].options
        cells = known(codebook, cells, item.name).rename(name)
        yield from _no_codes(cells, options, item.name, place)


def _without_headers(
    codebook: Codebook, frame: pd.DataFrame, problems: Sequence[Problem]
) -> Iterator[Problem]:
    """The problems, with one in place of those of rows that read like more headers.

    They are the first rows, in which every column of codes or numbers is wrong, while each of these
    columns has something right below.
    """
    wrong = {(p.row, p.column) for p in problems if p.level == "error" and p.row}
    columns = [name for name in checked_columns(codebook) if name in frame]
    rows = [int(row) for row in frame.index[:3]]
    headers = list(takewhile(lambda row: all((row, name) in wrong for name in columns), rows))
    below = frame.index[len(headers)] if len(headers) < len(frame) else None
    if len(columns) < 2 or not headers or any((below, name) in wrong for name in columns):
        yield from problems
        return
    message = (
        f"the {len(headers)} row{'s' * (len(headers) > 1)} below the header read like headers too; "
        f"say `skip_rows: {len(headers)}` in the codebook"
    )
    yield Problem("error", codebook.participant_column, message, headers[0])
    yield from (problem for problem in problems if problem.row not in headers)


def _once(codebook: Codebook, rows: pd.DataFrame, name: str) -> pd.Series:
    """A column about participants, each of their different cells once, without missing ones."""
    cells = known(codebook, rows[name], name).dropna()
    repeated = pd.DataFrame({"who": rows[codebook.participant_column], "what": cells}).duplicated()
    return cells[~repeated.reindex(cells.index)]


def _no_numbers(cells: pd.Series) -> Iterator[Problem]:
    wrong = cells[cells.notna() & numbers(cells).isna()]
    comma = wrong.str.fullmatch(r"[+-]?[0-9]+,[0-9]+").astype(bool)
    message = (
        'a comma is no decimal point; say `decimal: ","` in the codebook, if it is meant as one'
    )
    yield from in_cells("error", wrong[comma], message)
    message = "not a number; correct it, or add it to `missing`"
    yield from in_cells("error", wrong[~comma], message)


def _no_codes(cells: pd.Series, codes: Collection[str], name: str, place: str) -> Iterator[Problem]:
    def message(text: str) -> str:
        if text.strip() in codes:
            return "there are spaces around the code; remove them"
        if text.endswith(".0") and text[:-2] in codes:
            return f"{name} is coded in whole numbers; write 1, not 1.0"
        return f"not among {place}; add it there, or to `missing`"

    wrong = cells[cells.notna() & ~cells.isin(list(codes))]
    said = wrong.map({text: message(text) for text in wrong.unique()})
    for words in said.unique():
        yield from in_cells("error", wrong[said == words], words)


def _disagreements(codebook: Codebook, frame: pd.DataFrame) -> Iterator[Problem]:
    """Rows of a long file that say something else of a participant than an earlier row did."""
    if codebook.layout != "long":
        return
    rows = predicted_rows(codebook, frame)
    who = rows[codebook.participant_column]
    for name in fact_columns(codebook):
        if name in rows:
            cells = known(codebook, rows[name], name)
            first = cells.groupby(who, sort=False).transform("first")
            wrong = cells[cells.notna() & first.notna() & (cells != first)]
            message = "an earlier row of the same participant says something else; correct one"
            yield from in_cells("error", wrong, message)


def _ranges(people: Tidy) -> Iterator[Problem]:
    """Impossible numbers among the people who are used."""
    for trait in people.codebook.traits:
        if trait.limits:
            cells = people.facts[trait.name].set_axis(people.rows.to_numpy())
            values = numbers(cells)
            low, high = trait.limits
            message = f"outside the trait's range, {low:g} to {high:g}"
            yield from in_cells("error", cells[(values < low) | (values > high)], message)


def _categories(people: Tidy) -> Iterator[Problem]:
    """Categories that are hardly shared by anybody: they may name people."""
    for trait in people.codebook.traits:
        cells = people.facts[trait.name].dropna()
        if trait.kind == "category" and cells.nunique() > max(_FEW, len(cells) / 2):
            message = (
                f"{cells.nunique():,} values of {len(cells):,} people are no categories; say "
                "`kind: text` if they are people's own words, and leave names of people out"
            )
            yield Problem("error", trait.name, message)


def _weights(people: Tidy, name: str) -> Iterator[Problem]:
    cells = people.facts[name].set_axis(people.rows.to_numpy())
    values = numbers(cells)
    yield from in_cells("error", cells[values.isna()], "not a weight; exclude the person")
    yield from in_cells("error", cells[values < 0], "a negative weight; correct it")
    if len(values) and (values == 0).all():
        yield Problem("error", name, "every weight is 0")


def _unused(codebook: Codebook, frame: pd.DataFrame) -> Iterator[Problem]:
    """Rows and people of a long file that the codebook does not speak of."""
    if codebook.layout == "wide":
        return
    yield from _not_named(
        "an item", frame[codebook.item_column], [item.name for item in codebook.items]
    )
    if codebook.waves is None or codebook.waves.column is None:
        return
    waves = frame[codebook.waves.column]
    both = (codebook.waves.predict, codebook.waves.retest)
    yield from _not_named("a wave", waves, both)
    for wave in both:
        if not (waves == wave).any():
            message = "no row is of this wave; correct `waves`"
            yield Problem("error", codebook.waves.column, message, value=wave)
    everybody = frame[codebook.participant_column]
    gone = set(everybody.dropna()) - set(everybody[waves == codebook.waves.predict])
    if gone:
        message = f"{len(gone):,} people have no row of wave {codebook.waves.predict!r}: not used"
        yield Problem("note", codebook.participant_column, message)


def _not_named(what: str, cells: pd.Series, named: Collection[str]) -> Iterator[Problem]:
    for value, count in cells.value_counts().items():
        if value not in named:
            message = f"{count:,} rows are of {what} that is not in the codebook, so not used"
            yield Problem("note", str(cells.name), message, value=str(value))


def _responses(people: Tidy, lacking: Collection[str]) -> Iterator[Problem]:
    """Items and options that tell nobody from anybody, among the people who are used.

    Columns that the file is lacking have been reported before.
    """
    codebook = people.codebook
    if people.rows.empty:
        yield Problem("error", codebook.participant_column, "nobody is left to take part")
        return
    used: dict[str, set[str]] = {scale: set() for scale in codebook.scales}
    columns = item_columns(codebook, retest=False)
    for item in codebook.items:
        found = people.responses[item.name].dropna().unique()
        used[item.scale] |= set(found)
        if len(found) == 0 and columns.get(item.name, item.name) not in lacking:
            yield Problem("error", item.name, "nobody answered it; take it out of the codebook")
        elif len(found) == 1:
            message = "everybody answered it the same; take it out of the codebook"
            yield Problem("error", item.name, message, value=str(found[0]))
    for name, scale in codebook.scales.items():
        for code in scale.options:
            if code not in used[name]:
                yield Problem("note", f"scale {name}", "nobody ever chose this option", value=code)
    silent = int(people.responses.isna().all(axis=1).sum())
    if silent:
        message = f"people who answered none of the items: {silent:,}"
        yield Problem("note", codebook.participant_column, message)


def _unsaid(codebook: Codebook) -> Iterator[Problem]:
    """What no model is told: items and options without words."""
    bare = [item.name for item in codebook.items if item.text.strip() == item.name]
    if bare:
        message = (
            f"{len(bare):,} items have their names as `text`; write there what was asked, since "
            "no model is told anything else of them"
        )
        yield Problem("note", "items", message, value=", ".join(bare[:3]) + ", …" * (len(bare) > 3))
    for name, scale in codebook.scales.items():
        codes = scale.ordered
        if scale.ordinal and all(
            code == scale.options[code] and number(code) == number(code) for code in codes
        ):
            message = (
                "its options are numbers without words, so no model is told what they mean; say it "
                f"in `options`, at least for {codes[0]} and {codes[-1]}"
            )
            yield Problem("note", f"scale {name}", message)


def _outside(people: Tidy) -> Iterator[Problem]:
    """How many responses are outside the order of a scale."""
    codebook = people.codebook
    for name, scale in codebook.scales.items():
        items = [item.name for item in codebook.items if item.scale == name]
        for code in scale.outside or ():
            count = int((people.responses[items] == code).to_numpy().sum())
            if count:
                message = (
                    f"{count:,} responses say {scale.options[code]!r}, outside the order: they "
                    "count in no score, median, correlation or ceiling"
                )
                yield Problem("note", f"scale {name}", message, value=code)
