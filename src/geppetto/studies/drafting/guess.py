"""From columns to a codebook: what each of them seems to be. Pure functions, no file is read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Never

from geppetto._util.errors import GeppettoError
from geppetto.studies.drafting.columns import Column, Source
from geppetto.studies.drafting.entry import Entry
from geppetto.studies.drafting.exports import (
    Tool,
    id_column,
    no_answer_because,
    repeated_ids,
    tool_of,
)
from geppetto.studies.drafting.items import (
    MOST,
    Drafted,
    again,
    asked,
    block_of,
    is_answer,
    scales,
    without_codes,
)
from geppetto.studies.drafting.orders import plain
from geppetto.studies.drafting.traits import minors, reads_like_a_scale, trait_of
from geppetto.studies.survey_file import ROW_NUMBER


def _named(words: str) -> re.Pattern[str]:
    """Names of columns that end in one of these, be it numbered."""
    return re.compile(rf"(?:.*[\W_])?(?:{words})[\W_]?\d*", re.IGNORECASE)


_CHECK_NAME = _named(
    r"(?:attn|attention|imc|catch|bogus|instructed|aufmerksam\w*)(?:[\W_]?(?:check|item|q))?"
    r"|(?:att|control)[\W_]?check"
)
_CHECK_TEXT = re.compile(
    r"\b(?:please|bitte|to show|attention|aufmerksam\w*)\b.*\b(?:select|choose|click|mark|tick|pick"
    r"|wählen|klicken|kreuzen|markieren|answer with)\b|\b(?:select|choose|click|mark|wählen sie)\b"
    r".*\b(?:for this (?:item|statement|question)|to show|attention|paying|aufmerksam|lesen)\b",
    re.IGNORECASE,
)
_WEIGHT = _named(r"weights?|wt|wgt|gewicht|(?:psp|an|d|p)?w(?:ei)?ght|wtss\w*")
_CONDITION = _named(
    r"condition|cond|treatment|group|arm|version|block|order|random\w*|bedingung|gruppe"
)
_SCORE = _named(r"score|sum|mean|total|avg|average|index|factor|fac\d.*|zscore|mittelwert|summe")
_TICKED = re.compile(r".*___\w+")
_OTHER = re.compile(r".*(?:_TEXT|\[other\]|_other|- Text)$", re.I)


@dataclass(frozen=True)
class Guess:
    """A codebook as it was guessed.

    Attributes
    ----------
    tool
        The survey tool that exported the file, if it is known.
    retest
        How the columns of items end that were asked a second time; empty if none were.
    texts
        What stood before each item for several of them, and the item itself, by column.
    unused
        Columns that are not used, with the reason.
    missing
        Codes of "no answer" in columns that are neither traits nor items.
    """

    source: Source
    tool: str
    participant: str
    weight: str | None
    retest: str
    traits: tuple[Entry, ...]
    exclusions: tuple[Entry, ...]
    scales: tuple[Drafted, ...]
    texts: Mapping[str, tuple[str, str]]
    unused: tuple[tuple[str, str], ...]
    missing: Mapping[str, tuple[str, ...]]


def guess(source: Source) -> Guess:
    """What the columns of a data file seem to be.

    Raises
    ------
    GeppettoError
        If none of them has answers on a scale, or each person has several rows.

    Examples
    --------
    >>> import pandas as pd
    >>> people = Column("id", pd.Series([*"abcd"]))
    >>> often = Column("q1", pd.Series(["Often", "Never", "Always", "Often"]), "I sleep well.")
    >>> (scale,) = guess(Source("own.csv", (people, often), 4, {}, ())).scales
    >>> scale.name, [*scale.options]
    ('frequency', ['Never', 'Often', 'Always'])
    """
    tool = tool_of([column.name for column in source.columns])
    person = id_column(source.columns, tool, source.rows)
    unused: list[tuple[str, str]] = []
    left: list[Column] = []
    for column in source.columns:
        because = no_answer_because(column, tool)
        if because and column is not person:
            unused.append((column.name, because))
        elif column is not person:
            left.append(without_codes(column))
    exclusions = [*_of_tool(source, tool)] if tool else []
    texts = asked(left)
    weight = next((column.name for column in left if _is_weight(column)), None)
    checks = [column for column in left if is_check(column, texts[column.name][1])]
    exclusions += [_check(column, texts[column.name][1]) for column in checks]
    rest = [c for c in left if c not in checks and c.name != weight]
    blocks = {column.name: block_of(column, texts[column.name][0]) for column in rest}
    sizes = Counter(blocks[c.name] for c in rest if is_answer(c))
    traits, answers = [], []
    for column in rest:
        if because := _no_use_because(column, source.rows):
            unused.append((column.name, because))
            continue
        on_a_scale = sizes[blocks[column.name]] > 2 or reads_like_a_scale(column)
        trait = trait_of(column, on_a_scale, _year(source))
        if trait is not None:
            traits.append(trait)
            young = minors(column, trait.content) if not trait.off else None
            exclusions += [young] if young else []
        elif is_answer(column):
            answers.append(column)
        else:
            unused.append((column.name, _what_else(column)))
    found = scales(answers, blocks)
    repeated = "" if person else repeated_ids(source.columns)
    if repeated or not found:
        _refuse(source, repeated)
    placed = {column.name for scale in found for column in scale.items}
    retest, found = again(found)
    unused += [(c.name, "its answers make no scale") for c in answers if c.name not in placed]
    excluding = {str(entry.content["column"]) for entry in exclusions if not entry.off}
    excluding -= placed | {str(trait.content["name"]) for trait in traits}
    return Guess(
        source,
        tool.name if tool else "",
        person.name if person else ROW_NUMBER,
        weight,
        retest,
        tuple(_distinct(traits)),
        tuple(sorted(exclusions, key=lambda entry: entry.off)),
        tuple(found),
        texts,
        tuple(unused),
        {c.name: c.missing for c in left if c.missing and c.name in {*excluding, weight}},
    )


def _distinct(traits: Sequence[Entry]) -> Iterator[Entry]:
    """Traits with a label of their own each."""
    taken: set[object] = set()
    for entry in traits:
        label = entry.content["label"]
        if label in taken:
            label = f"{label} ({entry.content['name']})"
            entry = replace(entry, content={**entry.content, "label": label})
        taken.add(label)
        yield entry


def _refuse(source: Source, repeated: str) -> Never:
    if repeated:
        raise GeppettoError(
            f"{source.name}: {repeated} names people in several rows, and a draft is of a file "
            "with one row for each person; write the codebook with `layout: long` (see the page 'A "
            "survey of your own'), or reshape the file"
        )
    raise GeppettoError(
        f"{source.name}: no column reads like answers on a scale (the same 2 to {MOST} words or "
        "numbers of many people), so there is nothing to predict; is it the right file?"
    )


def is_check(column: Column, text: str) -> bool:
    """Whether a column is an item that only tests whether people read it."""
    named = _CHECK_NAME.fullmatch(column.name) and len(column.counts) <= MOST
    return bool(named or (column.text and _CHECK_TEXT.search(text) and len(column.counts) <= MOST))


def _check(column: Column, text: str) -> Entry:
    """The exclusion of those who did not answer as they were asked to."""
    reason = "who failed the attention check"
    words = column.labels or {cell: cell for cell in column.counts}
    said = plain(text)
    right = [
        code
        for code, word in words.items()
        if re.search(rf"(?<!\w){re.escape(plain(word))}(?!\w)", said)
    ]
    if right:
        code = max(right, key=lambda one: len(words[one]))
        wrong = sum(n for cell, n in column.counts.items() if cell != code)
        ask = (
            f'An attention check: {wrong:,} people did not answer "{words[code]}". Is that the '
            "right answer?"
        )
        return Entry({"column": column.name, "not_equals": code, "reason": reason}, ask)
    code = next(iter(column.counts))
    ask = (
        "An attention check? Write the right answer in place of what most people said, and take "
        "off the #."
    )
    return Entry({"column": column.name, "not_equals": code, "reason": reason}, ask, off=True)


def _of_tool(source: Source, tool: Tool) -> Iterator[Entry]:
    """Rows of nobody, and of those who did not finish."""
    columns = {column.name.casefold(): column for column in source.columns}
    for rule, reason, off in (
        (tool.tried, "who only tried the survey", False),
        (tool.unfinished, "who did not finish", True),
    ):
        column = columns.get(rule[0].casefold()) if rule else None
        if rule is None or column is None:
            continue
        codes = [cell for cell in column.counts if cell in rule[1]]
        many = sum(column.counts[code] for code in codes)
        if many:
            ask = (
                f"{many:,} people did not finish; what they answered is used. To leave them out, "
                "take off the #."
                if off
                else ""
            )
            yield Entry({"column": column.name, "in": codes, "reason": reason}, ask, off)


def _no_use_because(column: Column, rows: int) -> str:
    if _OTHER.fullmatch(column.name) or column.text.endswith("- Text"):
        return "what people wrote beside an option"
    if (len(column.counts) == 1 and not column.labels) or _TICKED.fullmatch(column.name):
        if column.answered < rows or _TICKED.fullmatch(column.name):
            return "one option of a question with several answers; see the documentation"
        return "the same for everybody"
    if _CONDITION.fullmatch(column.name):
        return "reads like the condition that people were in"
    if _SCORE.fullmatch(column.name):
        return "reads like a score that was computed from answers"
    return ""


def _what_else(column: Column) -> str:
    if column.numbers:
        return "a number, and no answer on a scale; if it is known of people, a trait"
    long = sum(map(len, column.counts)) > 20 * len(column.counts)
    if long or len(column.counts) > max(MOST, column.answered / 2):
        return "people's own words; as a trait: `kind: text`"
    return "neither a trait that is known nor answers on a scale"


def _is_weight(column: Column) -> bool:
    """Whether a column is how many people somebody stands for: about 1 on average, and no mass."""
    if not _WEIGHT.fullmatch(column.name) or not column.numbers or column.numbers[0] < 0:
        return False
    total = sum(float(cell.replace(",", ".", 1)) * n for cell, n in column.counts.items())
    return 0.5 < total / column.answered < 2


def _year(source: Source) -> int | None:
    """The last year in which people were asked, by the dates in the file."""
    years = [
        int(found)
        for column in source.columns
        if re.search(r"date|datum|started|timestamp", column.name, re.I)
        for cell in column.counts
        for found in re.findall(r"\b(?:19|20)[0-9]{2}\b", cell)
    ]
    return max(years, default=None)
