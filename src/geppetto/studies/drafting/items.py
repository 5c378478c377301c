"""Which columns are answers on scales, and which of them share one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

from geppetto.studies.drafting.columns import Column
from geppetto.studies.drafting.orders import Order, family_of, is_undisclosed, order, plain
from geppetto.studies.no_answer import says_no_answer
from geppetto.studies.table import number

MOST = 12
"""Different answers that a scale may have."""


@dataclass(frozen=True)
class Drafted:
    """A scale and its items.

    Attributes
    ----------
    options
        Codes and their words in order.
    wordless
        Whether its numbers have no words.
    """

    name: str
    options: Mapping[str, str]
    items: tuple[Column, ...]
    ordinal: bool = True
    outside: tuple[str, ...] = ()
    undisclosed: tuple[str, ...] = ()
    wordless: bool = False

    @property
    def steps(self) -> dict[str, str]:
        """Its options without those that tell nothing."""
        return {code: words for code, words in self.options.items() if code not in self.undisclosed}

    @property
    def guessed(self) -> list[str]:
        """Codes of "no answer" that only their values suggest."""
        codes = {code: None for column in self.items if column.guessed for code in column.missing}
        return [*codes]


def asked(columns: Sequence[Column]) -> dict[str, tuple[str, str]]:
    """What stands before an item in its text for several items, and the item, by column.

    Examples
    --------
    >>> import pandas as pd
    >>> texts = "I agree: - I sleep.", "I agree: - I wake.", "Age? - Selected Choice"
    >>> asked([Column(f"q{n}", pd.Series(), text) for n, text in enumerate(texts)])
    {'q0': ('I agree:', 'I sleep.'), 'q1': ('I agree:', 'I wake.'), 'q2': ('', 'Age?')}
    """
    parts = {column.name: _parts(column.words) for column in columns}
    stems = Counter(stem for stem, _ in parts.values())
    return {
        name: (stem, item) if stem and stems[stem] > 1 else ("", f"{stem} {item}".strip())
        for name, (stem, item) in parts.items()
    }


def _parts(text: str) -> tuple[str, str]:
    text = re.sub(r"\s+- (?:Selected Choice|Ausgewählte Option)$", "", text)
    found = re.fullmatch(r"(.*?)\s*\[(.+)\]", text)
    if found and len(text.split()) > 2:
        return found[1], found[2]
    stem, _, item = text.rpartition(" - ")
    return stem.strip(), item.strip()


def block_of(column: Column, stem: str) -> str:
    """What columns have in common that stand together in a questionnaire."""
    if stem:
        return stem
    if found := re.fullmatch(r"(.*\w)[\W_]+[a-zA-Z]{0,3}\d+[a-z]?\W*", column.name):
        return found[1]
    found = re.fullmatch(r"(.*[a-zA-Z])\d+[a-z]?", column.name)
    named = found is not None and found[1].casefold() not in _ANY
    return found[1] if found and named else column.name


_ANY = frozenset(("q", "v", "f", "x", "var", "item", "question", "frage"))
"""What stands before the number of any question, and says nothing of those with the same."""


def is_answer(column: Column) -> bool:
    """Whether a column may hold answers on a scale."""
    if len(column.meanings) > 1:
        return all(code in column.labels or number(code) == number(code) for code in column.counts)
    different = len(column.counts)
    if not 2 <= different <= MOST:
        return False
    if values := column.numbers:
        return all(one % 1 == 0 for one in values) and values[-1] - values[0] < MOST
    few = different <= max(2, column.answered / 2) and all(
        len(cell) <= 80 for cell in column.counts
    )
    return few or order(column.counts) is not None


def without_codes(column: Column) -> Column:
    """A column of numbers in which those that read like "no answer" are missing.

    They are negative where no other is, or stand far above the others, all digits alike; or they
    are the few words in a column of many numbers.
    """
    if column.labels or column.missing:
        return column
    if not column.numbers:
        words = [cell for cell in column.counts if _value(cell) != _value(cell)]
        measured = len(column.counts) - len(words) > MOST
        few = len(words) < 10 and sum(column.counts[w] for w in words) < column.answered / 10
        return replace(column, missing=tuple(words), guessed=True) if measured and few else column
    values = column.numbers
    found = (
        [v for v in values if v < 0]
        if values[-1] > 0 and 0 < sum(v < 0 for v in values) < 4
        else []
    )
    if found and -min(found) <= values[-1] and min(found) > -9:  # from -3 to 3, say
        found = []
    rest = [v for v in values if v not in found]
    while len(rest) > 2 and rest[-1] in _ABOVE and rest[-1] > rest[-2] + 1 and rest[-2] <= MOST:
        found.append(rest.pop())
    codes = tuple(code for code in column.counts if _value(code) in found)
    return replace(column, missing=codes, guessed=True) if codes else column


_ABOVE = frozenset((8, 9, 77, 88, 97, 98, 99, 777, 888, 997, 998, 999, 9999))


def _value(code: str) -> float:
    return number(code.replace(",", ".", 1))


def scales(columns: Sequence[Column], blocks: Mapping[str, str]) -> list[Drafted]:
    """The scales on which columns were answered, each with its items."""
    by_block: dict[tuple[str, str], list[Column]] = {}
    for column in columns:
        kind = "labels" if column.meanings else "numbers" if column.numbers else "words"
        by_block.setdefault((kind, blocks[column.name]), []).append(column)
    found: list[Drafted] = []
    for (kind, _), together in by_block.items():
        one = _shared(kind, together)
        for scale in [one] if one else [_shared(kind, [column]) for column in together]:
            if scale is not None:
                _add(found, _with_missing(scale))
    return _named(found)


def _with_missing(scale: Drafted) -> Drafted:
    """A scale with the codes of "no answer" of its items, by their words if they have some."""
    codes = {code: None for column in scale.items for code in column.missing}
    words = {
        code: column.labels[code]
        for column in scale.items
        for code in codes
        if code in column.labels
    }
    return replace(
        scale,
        options={**scale.options, **{c: w for c, w in words.items() if c not in scale.options}},
        undisclosed=tuple(
            dict.fromkeys((*scale.undisclosed, *(c for c in codes if c not in scale.options)))
        ),
    )


def _shared(kind: str, columns: list[Column]) -> Drafted | None:
    """The scale that columns share; None if they have none in common."""
    if kind == "labels":
        first, *others = [_completed(column) for column in columns]
        return None if any(one != first for one in others) else _labelled(columns, first)
    if kind == "numbers":
        low = int(min(column.numbers[0] for column in columns))
        high = int(max(column.numbers[-1] for column in columns))
        if high - low >= MOST:
            return None
        steps = {str(n): str(n) for n in range(low, high + 1)}
        name = f"{low}_to_{high}".replace("-", "minus_")
        return Drafted(name, steps, tuple(columns), wordless=True)
    cells = {cell: None for column in columns for cell in column.counts}
    if found := order(list(cells)):
        return _ordered(found, columns)
    if len(columns) > 1 and any(set(c.counts) != set(columns[0].counts) for c in columns):
        return None
    silent = [cell for cell in cells if says_no_answer(cell)]
    unsaid = tuple(cell for cell in silent if is_undisclosed(cell))
    if len(cells) - len(unsaid) < 2:
        return None
    own = {cell: cell for cell in cells}
    return Drafted(_called(columns), own, tuple(columns), False, (), unsaid)


def _called(columns: Sequence[Column]) -> str:
    """What the names of columns begin with."""
    return re.sub(r"(?<=\w)[\W_]*\d+$", "", plain(columns[0].name))


def _completed(column: Column) -> dict[str, str]:
    """Words of all codes; of a scale of which only the ends have some, the numbers between."""
    words = column.meanings
    codes = {**words, **{code: code for code in column.counts if code not in words}}
    values = sorted(number(code) for code in codes if not says_no_answer(codes[code]))
    whole = bool(values) and all(v == v and v % 1 == 0 for v in values)
    if whole and len(words) < len(codes) and values[-1] - values[0] < MOST:
        codes = {
            str(n): codes.get(str(n), str(n)) for n in range(int(values[0]), int(values[-1]) + 1)
        } | codes
    return dict(sorted(codes.items(), key=lambda one: (number(one[0]), one[0])))


def _labelled(columns: list[Column], options: dict[str, str]) -> Drafted | None:
    silent = [code for code, words in options.items() if says_no_answer(words)]
    unsaid = tuple(code for code in silent if is_undisclosed(options[code]))
    outside = tuple(code for code in silent if code not in unsaid)
    steps = [words for code, words in options.items() if code not in silent]
    if len(steps) < 2:
        return None
    family = family_of(steps)
    numbered = any(words.lstrip("-").isdigit() for words in steps)
    ordinal = family != "answers" or numbered or len(steps) == 2
    name = family if family != "answers" else _called(columns)
    if not ordinal:
        outside = ()
    return Drafted(name, options, tuple(columns), ordinal, outside, unsaid)


def _ordered(found: Order, columns: list[Column]) -> Drafted:
    aside = {option: option for option in (*found.outside, *found.undisclosed)}
    name = found.family if found.family != "numbers" else "answers"
    return Drafted(
        name, found.labels | aside, tuple(columns), True, found.outside, found.undisclosed
    )


def _add(found: list[Drafted], scale: Drafted) -> None:
    """Put items to a scale that has their options, or to one of which they lack an end only."""
    for place, other in enumerate(found):
        if (scale.ordinal, scale.outside) != (other.ordinal, other.outside):
            continue
        short, long = sorted((scale, other), key=lambda one: len(one.steps))
        codes = [*long.steps]
        lacks_an_end = [*short.steps] in (codes[1:], codes[:-1]) and len(codes) > 3
        shares = lacks_an_end and short.name == long.name and not scale.wordless
        if scale.steps == other.steps or shares:
            found[place] = replace(
                long,
                options={**long.options, **short.options},
                items=(*other.items, *scale.items),
                undisclosed=tuple(dict.fromkeys((*other.undisclosed, *scale.undisclosed))),
            )
            return
    found.append(scale)


def _named(found: list[Drafted]) -> list[Drafted]:
    """Scales with a name of their own each."""
    taken: set[str] = set()
    named = []
    for scale in found:
        base = re.sub(r"\W+", "_", scale.name).strip("_")[:40] or "answers"
        tries = (base if n == 1 else f"{base}_{n}" for n in count(1))
        name = next(one for one in tries if one not in taken)
        taken.add(name)
        named.append(replace(scale, name=name))
    return named


def again(scales: Sequence[Drafted]) -> tuple[str, list[Drafted]]:
    """The ending of items that were asked a second time, and the scales without these."""
    names = {column.name for scale in scales for column in scale.items}
    endings = Counter(
        found[2]
        for name in names
        if (found := re.fullmatch(r"(.+?)([\W_](?:t|w|wave|time)?2|[\W_](?:retest|post))", name))
        and found[1] in names
    )
    if not endings or endings.most_common(1)[0][1] < 2:
        return "", list(scales)
    ending = endings.most_common(1)[0][0]
    twice = {name for name in names if name.endswith(ending) and name[: -len(ending)] in names}
    kept = [
        replace(scale, items=tuple(column for column in scale.items if column.name not in twice))
        for scale in scales
    ]
    return ending, [scale for scale in kept if scale.items]


def lacking(scale: Drafted) -> str:
    """The option that a scale seems to lack at one end, "Strongly disagree" say; empty if none."""
    found = order(list(scale.options.values()))
    if found is None or scale.wordless:
        return ""
    low, high = min(found.steps.values()), max(found.steps.values())
    if low < 0 < high and abs(low) != high:
        return found.ordered[-1] if high > -low else found.ordered[0]
    return ""
