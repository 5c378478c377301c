"""Which responses were legal in sessions, as far as responses can tell: pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from geppetto.studies.sessions.session import options_of

MOST = 10
"""Options that there can be for a response to be a choice among options."""
FEWEST_EACH = 4
"""Responses for each distinct one, on average, without which nothing is inferred of a person."""
NEARLY_ALL = 0.95
"""Share of people who must have used the same number of options."""
RARELY = 0.1
"""Share of the responses that would be those before them by chance, below which they take turns."""


@dataclass(frozen=True)
class Options:
    """The options of each person's responses, none if they are open, and how they were found."""

    of: Mapping[str, tuple[str, ...]]
    summary: str


def inferred(groups: Mapping[str, Mapping[str, Sequence[str]]]) -> Options:
    """What the options are, from everybody's responses by group and person.

    People of a group did the same. If all of their responses are of one small set, which at least
    half of them used in full, these are everybody's options. Otherwise each person may have had
    options of their own, as where letters are drawn for everyone: only how *many* there were can
    then be the same. If nearly all who responded often enough used the same number, and none of
    the options is of another kind (words among letters), those who used as many are taken to have
    used all of theirs. The responses of everybody else are open; nothing is filled in. So are all
    that take turns: a trial of two steps with options of their own has never the same twice in a
    row, and what is legal at one step is not at the other.
    """
    found: dict[str, tuple[str, ...]] = {}
    ways = Counter[str]()
    for people in groups.values():
        sets = {person: options_of(responses) for person, responses in people.items()}
        everyone = options_of([response for options in sets.values() for response in options])
        if _take_turns(people):
            found |= dict.fromkeys(sets, ())
            ways[_TURNS] += len(sets)
            continue
        full = sum(options == everyone for options in sets.values())
        if _closed(everyone) and 2 * full >= len(sets):
            found |= dict.fromkeys(sets, everyone)
            ways["the same for all of their experiment"] += len(sets)
            continue
        number = _number(people, sets)
        for person, options in sets.items():
            own = len(options) == number and _often(people[person], options)
            found[person] = options if own and _closed(options) else ()
            ways["of their own" if found[person] else _why_open(options, number)] += 1
    closed = sum(map(bool, found.values()))
    details = "; ".join(f"{count:,} {way}" for way, count in ways.most_common())
    summary = f"options: inferred for {closed:,} of {len(found):,} people ({details})"
    return Options(found, summary)


_TURNS = "open, as they take turns with options: steps of a trial may have options of their own"


def _take_turns(people: Mapping[str, Sequence[str]]) -> bool:
    """Whether hardly anybody responded the same twice in a row, with two options for each step."""
    repeated = chance = 0.0
    for said in people.values():
        counts = Counter(said)
        if len(counts) >= 4 and _often(said, options_of(said)):
            repeated += sum(one == other for one, other in pairwise(said))
            chance += (len(said) - 1) * sum((n / len(said)) ** 2 for n in counts.values())
    return repeated < RARELY * chance


def _number(people: Mapping[str, Sequence[str]], sets: Mapping[str, tuple[str, ...]]) -> int | None:
    """How many options nearly all used who responded often enough to tell; None if they differ."""
    numbers = Counter(
        len(options)
        for person, options in sets.items()
        if len(options) > 1 and _often(people[person], options)
    )
    if not numbers:
        return None
    number, count = numbers.most_common(1)[0]
    return number if count >= NEARLY_ALL * numbers.total() else None


def _often(responses: Sequence[str], options: Sequence[str]) -> bool:
    return len(responses) >= FEWEST_EACH * len(options)


def _closed(options: Sequence[str]) -> bool:
    """Whether there are a few options, all of a kind."""
    return 2 <= len(options) <= MOST and len({_kind(option) for option in options}) == 1


def _kind(option: str) -> str:
    try:
        float(option)
    except ValueError:
        return "letter" if len(option) == 1 else "words"
    return "number"


def _why_open(options: Sequence[str], number: int | None) -> str:
    if len(options) == 1:
        return "open, as they always chose the same"
    if number is None:
        return "open, as people used different numbers of options"
    if len(options) < number:
        return f"open, as they did not use all of {number} options"
    return "open, as they used too many options, of different kinds, or too seldom"
