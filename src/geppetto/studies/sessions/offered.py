"""What was on offer at each response of sessions: declared, announced or inferred."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from geppetto.studies.codebook import Codebook
from geppetto.studies.problems import Problem
from geppetto.studies.sessions.announced import Offer, compiled, offers
from geppetto.studies.sessions.file import Line
from geppetto.studies.sessions.options import inferred
from geppetto.studies.sessions.session import Session
from geppetto.studies.sessions.stretches import doubt

REMEDY = (
    "say in a codebook how the text announces options (`announced`), or `options: all` if all were "
    "on offer all the time, or `options: open`"
)


@dataclass(frozen=True)
class Offered:
    """The options of each response, how they were found, and what is wrong with them.

    They are by person; who is not among them has open responses.
    """

    of: Mapping[str, Sequence[tuple[str, ...]]]
    notes: tuple[str, ...]
    problems: tuple[Problem, ...] = ()


def offered(
    codebook: Codebook, lines: Mapping[str, Line], sessions: Mapping[str, Session]
) -> Offered:
    """What was on offer to the people of a study, whose lines and sessions these are."""
    if codebook.announced:
        return _announced(codebook.announced, lines, sessions)
    if codebook.options == "open":
        return Offered({}, ("options: none; every response is open, as declared",))
    if isinstance(codebook.options, tuple):
        return _declared(tuple(sorted(codebook.options)), lines, sessions)
    groups = _groups(lines, sessions)
    found = inferred(
        {name: {key: one.responses for key, one in group.items()} for name, group in groups.items()}
    )
    if codebook.options == "all":
        return Offered(_throughout(found.of, sessions), (f"{found.summary}; all the time",))
    doubts = _doubts(groups, found.of)
    if not doubts:
        return Offered(_throughout(found.of, sessions), (found.summary,))
    withheld = {key for name in doubts for key in groups[name] if found.of[key]}
    kept = {key: options for key, options in found.of.items() if key not in withheld}
    said = "; ".join(f"{name}: {reason}" for name, reason in doubts.items())
    note = (
        f"options of {len(withheld):,} of these people are withheld, as some were not always on "
        "offer: their responses are open and have a full NLL only, no NLL over options, chance "
        f"or R² ({said})"
    )
    return Offered(
        _throughout(kept, sessions),
        (found.summary, note),
        tuple(_notes(doubts, lines, f"so no options are inferred; {REMEDY}")),
    )


def _groups(
    lines: Mapping[str, Line], sessions: Mapping[str, Session]
) -> dict[str, dict[str, Session]]:
    """Sessions of people who did the same, by experiment."""
    groups: dict[str, dict[str, Session]] = {}
    for key, session in sessions.items():
        groups.setdefault(lines[key].experiment, {})[key] = session
    return groups


def _throughout(
    of: Mapping[str, tuple[str, ...]], sessions: Mapping[str, Session]
) -> dict[str, list[tuple[str, ...]]]:
    """The same options at every response of a person."""
    return {key: [options] * len(sessions[key].spans) for key, options in of.items() if options}


def _doubts(
    groups: Mapping[str, Mapping[str, Session]], of: Mapping[str, tuple[str, ...]]
) -> dict[str, str]:
    """Why options were not all on offer all the time, by experiment."""
    found = {name: doubt(group, of) for name, group in groups.items()}
    return {name: reason for name, reason in found.items() if reason}


def _notes(doubts: Mapping[str, str], lines: Mapping[str, Line], so: str) -> Iterator[Problem]:
    for name, reason in doubts.items():
        row = next(line.number for line in lines.values() if line.experiment == name)
        yield Problem("note", "text", f"{reason}; {so}", row, name)


def _declared(
    options: tuple[str, ...], lines: Mapping[str, Line], sessions: Mapping[str, Session]
) -> Offered:
    message = (
        "a response that is not among `options`; add it there, or leave `options` out, so that "
        "they are inferred"
    )
    problems = [
        Problem("error", "text", message, lines[key].number, response)
        for key, session in sessions.items()
        for response in sorted(set(session.responses) - set(options))
    ]
    of = dict.fromkeys(sessions, options)
    if not problems:
        doubts = _doubts(_groups(lines, sessions), of)
        advice = (
            "they are scored as if all `options` were on offer all the time, as declared; say how "
            "the text announces others (`announced`)"
        )
        problems += _notes(doubts, lines, advice)
    summary = f"options: {', '.join(options)} for everybody, as declared"
    return Offered(_throughout(of, sessions), (summary,), tuple(problems))


def _announced(
    patterns: Sequence[str], lines: Mapping[str, Line], sessions: Mapping[str, Session]
) -> Offered:
    made = [compiled(pattern) for pattern in patterns]
    found = {key: offers(session, made) for key, session in sessions.items()}
    problems = [
        Problem("error", "announced", "no text has it; correct the pattern", value=pattern)
        for pattern, one in zip(patterns, made, strict=True)
        if not any(one.search(session.text) for session in sessions.values())
    ]
    problems += [
        problem
        for key, session in sessions.items()
        for problem in _not_on_offer(session, found[key], lines[key].number)
    ]
    each = [offer for made in found.values() for offer in made]
    several = [offer for offer in each if offer and len(offer.options) > 1]
    sizes = sorted({len(offer.options) for offer in several})
    numbers = f"{sizes[0]} to {sizes[-1]}" if len(sizes) > 1 else f"{sizes[0] if sizes else 0}"
    counts = {
        "open, as announced": sum(offer is not None and not offer.options for offer in each),
        "open, as only one option is announced and there is no choice": sum(
            offer is not None and len(offer.options) == 1 for offer in each
        ),
        "open, as nothing is announced before them": sum(offer is None for offer in each),
    }
    details = "".join(f"; {count:,} {way}" for way, count in counts.items() if count)
    summary = (
        f"options: as the text announces them for {len(several):,} of {len(each):,} responses, "
        f"{numbers} each{details}"
    )
    of = {
        key: [offer.options if offer and len(offer.options) > 1 else () for offer in offers]
        for key, offers in found.items()
    }
    return Offered(of, (summary,), tuple(problems))


def _not_on_offer(session: Session, found: Sequence[Offer | None], row: int) -> Iterator[Problem]:
    """Responses that are not among what the text before them announces."""
    message = (
        "a response that is not among what the text announces before it; correct the text, or "
        "`announced`: a further pattern for other announcements, one without `{option}` for "
        "responses that are open"
    )
    for number, (response, offer) in enumerate(zip(session.responses, found, strict=True), 1):
        if offer and offer.options and response not in offer.options:
            value = f"response {number:,}: {response} after {offer.said!r}"
            yield Problem("error", "text", message, row, value)
