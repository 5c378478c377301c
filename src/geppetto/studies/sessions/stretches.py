"""Whether all of somebody's options were on offer all the time, as far as sessions tell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from geppetto.studies.sessions.session import CLOSING, OPENING, Session

SURELY = 0.001
"""Probability of what was seen if all options were on offer, below which they were not."""
FEW = 0.05
"""Share of the responses of which less is no stretch: an item that names its answer, say."""
_EXCERPT = 80

Floats = NDArray[np.float64]


def doubt(sessions: Mapping[str, Session], of: Mapping[str, Sequence[str]]) -> str | None:
    """Say why some options of people who did the same were not always on offer; None if they were.

    Options are told from the responses of a whole session. Two things show that a stretch of it
    offered fewer:

    - *Names.* The last line before a response that names options names only some of them, and not
      one such response of anybody is another. (A line that names one option may tell what to do,
      unless nearly all do: then it is what people respond to.)
    - *Stretches.* Over the same responses of all people, nobody used all of theirs; or half of the
      people have such a stretch of their own.

    Either must be improbable (p < `SURELY`) if a person's changes from one response to another
    stand in any order. Whoever stays with one option for long makes few changes, and of two options
    a change can only be to the other, so nothing is concluded from that. Nobody whose responses are
    open is looked at.
    """
    closed = {person: session for person, session in sessions.items() if of.get(person)}
    if not closed:
        return None
    return _by_names(closed, of) or _by_stretches(
        [(session.responses, of[person]) for person, session in closed.items()]
    )


@dataclass(frozen=True)
class _Names:
    """The options that a line of text names."""

    options: frozenset[str]
    line: str


_NONE = _Names(frozenset(), "")


@dataclass(frozen=True)
class _Stretch:
    """A response and what texts before it name.

    Attributes
    ----------
    response, before, share
        What it was, what the one before it was ("" if it is the first), and how often each option
        was the response in its session.
    own
        What the text since the last response names last.
    held
        The last two options or more that any text before it named in a line.
    """

    response: str
    before: str
    share: Mapping[str, float]
    own: _Names
    held: _Names

    def limited(self, names: _Names) -> bool:
        """Whether some of the options are named and others are not."""
        return 0 < len(names.options) < len(self.share)


def _by_names(sessions: Mapping[str, Session], of: Mapping[str, Sequence[str]]) -> str | None:
    told = [each for person, one in sessions.items() for each in _stretches(one, of[person])]
    alone = [(each, each.own) for each in told if len(each.own.options) == 1]
    ways = [
        [(each, each.held) for each in told],
        [(each, each.own) for each in told if len(each.own.options) > 1],
        alone if len(alone) <= (1 - FEW) * len(told) else [],
    ]
    for way in ways:
        limited = [(each, names) for each, names in way if each.limited(names)]
        if (
            len(limited) >= FEW * len(told)
            and all(each.response in names.options for each, names in limited)
            and sum(map(_log_chance, limited)) < log(SURELY)
        ):
            return (
                f"the text before {len(limited):,} of {len(told):,} responses names only some of "
                f"the options, as in {limited[0][1].line[:_EXCERPT]!r}, and all of these responses "
                "are among those named"
            )
    return None


def _log_chance(limited: tuple[_Stretch, _Names]) -> float:
    """Log-probability of a response to be among those named, whatever is named.

    Where the response before it is named, as it is by what came of it, whoever stays is among them
    anyway, and a change is to any other option.
    """
    each, names = limited
    among = sum(each.share[option] for option in names.options)
    if each.before not in names.options:
        return log(among)
    stays = each.share[each.before]
    return 0.0 if each.response == each.before else log((among - stays) / (1 - stays))


def _stretches(session: Session, options: Sequence[str]) -> Iterator[_Stretch]:
    """Each response with what texts before it name."""
    longest_first = sorted(options, key=len, reverse=True)
    name = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
    said = session.responses
    counts = Counter(said)
    share = {option: counts[option] / len(said) for option in options}
    held, before, end = _NONE, "", 0
    for span, response in zip(session.spans, said, strict=True):
        text = session.text[end : span.start - len(OPENING)]
        # the rest of a response's line is what came of it
        own = _last_named(text.partition("\n")[2] if end and "\n" in text else text, name)
        held = own if len(own.options) > 1 else held
        yield _Stretch(response, before, share, own, held)
        before, end = response, span.end + len(CLOSING)


def _last_named(text: str, name: re.Pattern[str]) -> _Names:
    """The options in the last line that names any."""
    for line in reversed(text.splitlines()):
        if named := frozenset(name.findall(line)):
            return _Names(named, line.strip())
    return _NONE


def _by_stretches(people: Sequence[tuple[Sequence[str], Sequence[str]]]) -> str | None:
    several = [_Changes.of(*person) for person in people if len(person[1]) > 2]
    if not several:
        return None
    found, begin, end = _stretch(several)
    if found < log(SURELY):
        return (
            f"nobody used all of their options in responses {begin + 1:,} to {end:,}, which "
            f"{len(several):,} people did"
        )
    alone = sum(_stretch([one])[0] < log(SURELY) for one in several)
    if 2 * alone >= len(several):
        return f"{alone:,} of {len(several):,} people have a long stretch without one of theirs"
    return None


@dataclass(frozen=True)
class _Changes:
    """Where somebody's responses are of each option, and where they begin to be.

    Attributes
    ----------
    following
        Number of the next response that is of each option, shape (options, responses + 1); as many
        as there are responses if none follows.
    begun
        How many runs of the same response have begun before each response, shape (responses + 1,).
    runs
        How many runs are of each option, shape (options,).
    """

    following: NDArray[np.int64]
    begun: NDArray[np.int64]
    runs: NDArray[np.int64]

    @classmethod
    def of(cls, responses: Sequence[str], options: Sequence[str]) -> _Changes:
        said = np.array([options.index(response) for response in responses])
        count = len(said)
        places = np.where(said == np.arange(len(options))[:, None], np.arange(count), count)
        places = np.hstack([places, np.full((len(options), 1), count)])
        begins = np.r_[True, said[1:] != said[:-1]]
        return cls(
            np.minimum.accumulate(places[:, ::-1], axis=1)[:, ::-1],
            np.r_[0, np.cumsum(begins)],
            np.bincount(said[begins], minlength=len(options)),
        )


def _stretch(people: Sequence[_Changes]) -> tuple[float, int, int]:
    """The least probable stretch in which nobody used all options; log p, beginning and end.

    Of R runs, c are of an option. If they stand in any order, a stretch in which L of them begin
    has none of that option with probability C(R - L, c) / C(R, c), and lacks any of the options at
    most with the sum of these. People are independent, and there are T (T + 1) / 2 stretches of T
    responses, by which p is multiplied (Bonferroni).
    """
    length = max(one.begun.size - 1 for one in people)
    starts = np.arange(length)
    ends = np.full(length, length)
    for one in people:
        inside = min(length, one.begun.size - 1)
        last = one.following[:, :inside].max(0)
        ends[:inside] = np.minimum(ends[:inside], np.where(last < inside, last, length))
    longest = np.r_[True, ends[1:] > ends[:-1]]
    starts, ends = starts[longest], ends[longest]
    total = np.full(len(starts), log(length * (length + 1) / 2))
    for one in people:
        total += np.minimum(0, _lacking(one, starts, ends))
    least = int(total.argmin())
    return float(total[least]), int(starts[least]), int(ends[least])


def _lacking(one: _Changes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Floats:
    """Log of the most that the probability can be of lacking an option in each stretch."""
    last = one.begun.size - 1
    within = one.begun[np.minimum(ends, last)] - one.begun[np.minimum(starts, last)]
    every = int(one.runs.sum())
    log_factorial = np.r_[0, np.cumsum(np.log(np.arange(1, every + 1)))]
    outside = every - within[:, None] - one.runs
    ratio = (
        log_factorial[every - within][:, None]
        - log_factorial[np.maximum(outside, 0)]
        - log_factorial[every]
        + log_factorial[every - one.runs]
    )
    return np.asarray(np.logaddexp.reduce(np.where(outside < 0, -np.inf, ratio), axis=1))
