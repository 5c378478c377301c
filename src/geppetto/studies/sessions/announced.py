"""Options that the text of a session announces, by patterns: pure functions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from geppetto.studies.sessions.session import CLOSING, OPENING, Session, options_of

OPTION = "{option}"
_FIRST = r"""(?<![^\s('"\[])([^\s,;]+?)"""
_LAST = r"""([^\s,;]+?)(?=[.,;:!?'")\]]*(?:\s|$))"""
"""An option at an end of a template: one word."""


def _within(before: str) -> str:
    """An option between words of a template: of one sentence, without the words before it."""
    return rf"(?=\S)((?:(?!{before}|[.!?]\s)[^\n,;])+?)(?<=\S)"


@dataclass(frozen=True)
class Offer:
    """What the text of a session says is on offer, and the words that say so.

    The options stand in the order of the alphabet; there are none if an open response is announced.
    """

    options: tuple[str, ...]
    said: str


def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern as a regular expression, whose every group is an option.

    A pattern with `{option}` is a template and everything else in it is meant literally; any
    other is a regular expression. One that captures nothing announces open responses.

    Raises
    ------
    ValueError
        If it is neither, or announces something everywhere.
    """
    if OPTION not in pattern:
        if wrong := re.search(r"\{[A-Za-z_]\w*\}", pattern):
            raise ValueError(f"announced: {wrong[0]} is not known; write {OPTION}")
        try:
            found = re.compile(pattern, re.MULTILINE)
        except re.error as error:
            raise ValueError(
                f"announced: {pattern!r} is no regular expression ({error}); for a template, "
                f"write {OPTION} where an option stands"
            ) from None
        if found.match(""):
            raise ValueError(f"announced: {pattern!r} fits an empty text; add the words around it")
        return found
    first, *between, last = (re.escape(words) for words in pattern.split(OPTION))
    if not all(words.strip("\\ ") for words in between) or not (first + last + "".join(between)):
        raise ValueError(f"announced: {pattern!r} needs words between options and around them")
    kinds = [_within(words) for words in (first, *between)]
    if not first:
        kinds[0] = _FIRST
    if not last:
        kinds[-1] = _LAST
    rest = zip(kinds, (*between, last), strict=True)
    return re.compile(first + "".join(kind + words for kind, words in rest), re.MULTILINE)


def offers(session: Session, patterns: Sequence[re.Pattern[str]]) -> list[Offer | None]:
    """What is on offer at each response; None before anything is announced.

    What is announced between two responses holds until something else is; an announcement of an
    open response holds for that response alone.
    """
    found: list[Offer | None] = []
    held: Offer | None = None
    end = 0
    for span in session.spans:
        made = _announcement(session.text[end : span.start - len(OPENING)], patterns)
        found.append(made or held)
        held = made if made and made.options else held
        end = span.end + len(CLOSING)
    return found


def _announcement(text: str, patterns: Sequence[re.Pattern[str]]) -> Offer | None:
    """The last announcement of a text, with those before it if each names a single option."""
    made = [match for pattern in patterns for match in pattern.finditer(text)]
    if not made:
        return None
    made.sort(key=lambda match: (match.start(), match.end()))
    last = made[-1]
    listed = [last]
    if last.re.groups == 1:
        listed = [*takewhile(lambda match: match.re is last.re, reversed(made))]
    options = [option for match in listed for option in match.groups() if option]
    said = " ".join(match[0].strip() for match in reversed(listed))
    return Offer(options_of(options), said)
