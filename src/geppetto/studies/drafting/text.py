"""A guessed codebook as YAML that a reader can follow: each doubt is a question above its line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

import yaml

from geppetto.studies.drafting.columns import Column
from geppetto.studies.drafting.entry import Entry
from geppetto.studies.drafting.guess import Guess
from geppetto.studies.drafting.items import Drafted, lacking

_WIDTH = 88
_CODED = frozenset(("values", "options", "undisclosed", "outside", "in", "not_in", "not_equals"))
_INSTRUCTIONS = {
    "agreement": "How much do you agree with this statement?",
    "frequency": "How often is this the case?",
    "likelihood": "How likely is this?",
    "satisfaction": "How satisfied are you?",
    "importance": "How important is this to you?",
    "accuracy": "How well does this describe you?",
}


def codebook_text(guessed: Guess, data: str) -> str:
    """The draft of a codebook, whose `data` are in a file of this name.

    What cannot be read of a file is asked: `# ?` begins each question.

    Examples
    --------
    >>> import pandas as pd
    >>> from geppetto.studies.drafting.columns import Source
    >>> from geppetto.studies.drafting.guess import guess
    >>> people = Column("id", pd.Series([*"abcd"]))
    >>> often = Column("q1", pd.Series(["Often", "Never", "Always", "Often"]), "I sleep well.")
    >>> text = codebook_text(guess(Source("own.csv", (people, often), 4, {}, ())), "own.csv")
    >>> text.splitlines()[-1]
    '  - {name: q1, scale: frequency, text: I sleep well.}'
    """
    instruction, common = _instruction(guessed)
    parts = [
        _top(guessed),
        _basics(guessed, data, instruction),
        _waves(guessed),
        _missing(guessed),
        _exclusions(guessed.exclusions),
        _traits(guessed.traits),
        _scales(guessed.scales),
        _items(guessed, common),
        _unused(guessed),
    ]
    return "\n".join("\n".join(part) + "\n" for part in map(list, parts) if part)


def questions(text: str) -> int:
    """How many questions a draft asks."""
    return len(re.findall(r"^ *# \?", text, re.MULTILINE))


def _top(guessed: Guess) -> Iterator[str]:
    source = guessed.source
    known = [f"an export of {guessed.tool}"] if guessed.tool else []
    about = [*known, *source.said, f"{source.rows:,} rows", f"{len(source.columns):,} columns"]
    yield from _comment(f"Drafted by geppetto from {source.name}: {', '.join(about)}.")
    yield from _comment(
        "A line with # ? asks you something: change the line below it if need be, and delete the "
        "question."
    )


def _basics(guessed: Guess, data: str, instruction: str) -> Iterator[str]:
    yield from _ask("What is the study about, in a line? Where do the data come from?")
    yield from _pairs({"title": data.partition(".")[0], "source": {"origin": f"the file {data}"}})
    yield from _ask("Is this what people were told before they answered? Models are told the same.")
    yield from _pairs({"instruction": instruction})
    prefix = _prefix(guessed)
    yield from _pairs({"item_prefix": prefix} if prefix else {})
    for question in guessed.source.questions:
        yield from _ask(question)
    reading = {key: value for key, value in guessed.source.keys.items() if key != "missing"}
    yield from _pairs({"data": data, **reading, "participant_column": guessed.participant})
    if guessed.weight:
        yield from _ask("Are these survey weights? If not, delete the line.")
        yield from _pairs({"weight_column": guessed.weight})


def _waves(guessed: Guess) -> Iterator[str]:
    if guessed.retest:
        yield from _ask(
            f"Columns that end in {guessed.retest} were taken for the same items, asked again. If "
            "they are others, delete the line and add them to `items`."
        )
        yield from _pairs({"waves": {"retest": guessed.retest}})


def _missing(guessed: Guess) -> Iterator[str]:
    shared = guessed.source.keys.get("missing", ())
    single = {name: _coded(list(codes)) for name, codes in guessed.missing.items()}
    if shared or single:
        yield from _comment('What means "no answer": in every column, or in single ones.')
    yield from _pairs({"missing": [*shared]} if shared else {})
    yield from _pairs({"missing_in": single} if single else {})


def _exclusions(entries: Sequence[Entry]) -> Iterator[str]:
    if not entries:
        return
    yield from _comment("Who is not used, and why. An empty cell excludes nobody.")
    yield from _key("exclusions", entries)
    for entry in entries:
        yield from _ask(entry.question, "  ") if entry.question else ()
        content = {k: _coded(v) if k in _CODED else v for k, v in entry.content.items()}
        yield f"  {'# ' * entry.off}- {_flow(content)}"


def _traits(entries: Sequence[Entry]) -> Iterator[str]:
    yield from _comment("What is known of people. Personas are made of it.")
    if not entries:
        yield from _ask("None was found. Which columns say something of people?")
        yield "traits: []"
        return
    yield from _key("traits", entries)
    for entry in entries:
        yield from _ask(entry.question, "  ") if entry.question else ()
        lines = [line for key in entry.content.items() for line in _block(*key)]
        begun = (f"{'  ' if n else '- '}{line}" for n, line in enumerate(lines))
        yield from (f"  {'# ' * entry.off}{line}" for line in begun)


def _key(key: str, entries: Sequence[Entry]) -> Iterator[str]:
    """The key of a list, which is a comment too as long as all of the list is."""
    if all(entry.off for entry in entries):
        needed = key == "traits"  # a codebook has the key
        yield f"{key}: []" if needed else f"# {key}:"
        first = "delete the [] above" if needed else "take off the # above"
        yield from _comment(f"When you take off a # below, {first}.", "  ")
    else:
        yield f"{key}:"


def _scales(scales: Iterable[Drafted]) -> Iterator[str]:
    yield from _comment(
        "What people could answer, in order; a list holds words that are their own codes."
    )
    yield "scales:"
    for scale in scales:
        yield f"  {_flow(scale.name)}:"
        if scale.wordless:
            ends = [*scale.options]
            yield from _ask(
                f"What do {ends[0]} and {ends[-1]} mean? No model is told unless you write it, as "
                f"in {{{ends[0]}: Never, {ends[1]}: {ends[1]}, ..., {ends[-1]}: Always}}.",
                "    ",
            )
        elif not scale.ordinal:
            yield from _ask("Are these in an order? If so, sort them and delete `ordinal`.", "    ")
        if end := lacking(scale):
            yield from _ask(
                f'"{end}" has no opposite here. Was there one that nobody chose? Add it.', "    "
            )
        if scale.guessed:
            yield from _ask(
                f'{", ".join(scale.guessed)}: taken for "no answer", since no other answer is '
                "near. Is that so?",
                "    ",
            )
        own = all(code == words for code, words in scale.options.items())
        options = [*scale.options] if own else dict(scale.options)
        yield from (f"    {line}" for line in _block("options", options))
        yield from ("    ordinal: false",) if not scale.ordinal else ()
        for key, codes in (("outside", scale.outside), ("undisclosed", scale.undisclosed)):
            yield from _pairs({key: _coded(list(codes))} if codes else {}, "    ")


def _block(key: str, value: Any) -> Iterator[str]:
    """A key with its value on a line, or with a line for each part of a long one."""
    value = _coded(value) if key in _CODED else value
    line = f"{key}: {_flow(value)}"
    if len(line) <= _WIDTH - 8 or not isinstance(value, dict | list):
        yield line
        return
    yield f"{key}:"
    for one in value:
        yield (
            f"  {_flow(one)}: {_flow(value[one])}"
            if isinstance(value, dict)
            else f"  - {_flow(one)}"
        )


def _items(guessed: Guess, common: str) -> Iterator[str]:
    yield from _comment(
        "What is predicted. Items that measure the same may say so: `measures: trust`, and "
        "`key: -1` where agreeing means less of it."
    )
    columns = [column for scale in guessed.scales for column in scale.items]
    silent = [column.name for column in columns if not column.text and len(column.name.split()) < 3]
    if silent:
        yield from _ask(
            f"The file does not say what was asked in {_some(silent)}. Write it as `text`: it is "
            "all that a model reads of an item."
        )
    yield "items:"
    for scale in guessed.scales:
        for column in scale.items:
            content: dict[str, Any] = {"name": column.name, "scale": scale.name}
            if not _prefix(guessed) and _is_question(guessed, column):
                content["prefix"] = "Question:"
            content["text"] = _said(guessed, column, common)
            yield f"  - {_flow(content)}"


def _said(guessed: Guess, column: Column, common: str) -> str:
    """The text of an item, behind what stands before it where that is not the instruction."""
    stem, item = guessed.texts[column.name]
    return item if not stem or stem == common else f"{stem} {item}"


def _is_question(guessed: Guess, column: Column) -> bool:
    return guessed.texts[column.name][1].endswith("?")


def _prefix(guessed: Guess) -> str:
    """What is to stand before items, if most of them are questions."""
    columns = [column for scale in guessed.scales for column in scale.items]
    asked = sum(_is_question(guessed, column) for column in columns)
    return "Question:" if asked == len(columns) else ""


def _instruction(guessed: Guess) -> tuple[str, str]:
    """What people were told, and what of it stands before which items in their text."""
    columns = [column for scale in guessed.scales for column in scale.items]
    stems = Counter(stem for column in columns if (stem := guessed.texts[column.name][0]))
    if stems:
        stem, times = stems.most_common(1)[0]
        if times > len(columns) / 2:
            return stem, stem
    families = Counter(re.sub(r"_\d+$", "", s.name) for s in guessed.scales for _ in s.items)
    family = families.most_common(1)[0][0] if len(families) == 1 else ""
    return _INSTRUCTIONS.get(family, "Please give your answer."), ""


def _unused(guessed: Guess) -> Iterator[str]:
    by_reason: dict[str, list[str]] = {}
    for name, reason in guessed.unused:
        by_reason.setdefault(reason, []).append(name)
    if by_reason:
        yield from _comment("Columns that are not used:")
    for reason, names in by_reason.items():
        yield from _comment(f"  {reason}: {', '.join(names)}")


def _some(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4:,} more" if len(names) > 4 else "")


def _ask(question: str, indent: str = "") -> Iterator[str]:
    for number, line in enumerate(wrap(_shown(question), _WIDTH - 8)):
        yield f"{indent}# {'  ' if number else '? '}{line}"


def _comment(text: str, indent: str = "") -> Iterator[str]:
    inner = re.match(r" *", text)
    begin = inner[0] if inner else ""
    for number, line in enumerate(wrap(_shown(text.strip()), _WIDTH - 4)):
        yield f"{indent}# {begin}{'  ' * (number > 0 and bool(begin))}{line}"


def _shown(text: str) -> str:
    """A text without what no comment may hold."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _pairs(content: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    for key, value in content.items():
        yield f"{indent}{key}: {_flow(_coded(value) if key in _CODED else value)}"


def _flow(value: Any) -> str:
    """A value on one line of YAML."""
    inside = isinstance(value, dict | list)
    text = yaml.safe_dump(
        value if inside else [value],
        default_flow_style=True,
        allow_unicode=True,
        width=float("inf"),
        sort_keys=False,
    ).strip()
    return text if inside else text[1:-1]


def _coded(value: Any) -> Any:
    if isinstance(value, dict):
        return {_code(code): _code(words) for code, words in value.items()}
    return [*map(_code, value)] if isinstance(value, list | tuple) else _code(value)


def _code(code: Any) -> Any:
    whole = isinstance(code, str) and re.fullmatch(r"0|-?[1-9][0-9]{0,15}", code)
    return int(code) if whole else code
