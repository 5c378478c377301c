"""Behavioural sessions, as a terminal shows them."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from rich.console import Group, RenderableType
from rich.text import Text

from geppetto.studies.sessions.session import Session
from geppetto.studies.study import Study

_SHOWN = 240
"""Characters of instructions and of a trial that are shown."""


def sessions(study: Study) -> RenderableType:
    """How long sessions are, what was decided about them, and where one of them begins."""
    found = [person.session for person in study.people.values() if person.session]
    if not found:
        return Text("no sessions")
    lines = [
        _spread("responses", [len(session.spans) for session in found]),
        _spread("trials", [len(session.trials) - 1 for session in found]),
        _spread("characters", [len(session.text) for session in found]),
        *study.notes,
    ]
    return Group(Text("\n".join(lines)), "", _beginning(next(iter(study.people)), found[0]))


def _spread(what: str, counts: Sequence[int]) -> str:
    """The smallest, the middle and the largest of some numbers, each of a person."""
    return (
        f"{what} of a person: {min(counts):,} to {max(counts):,}, median {median(counts):,g}; "
        f"{sum(counts):,} in all"
    )


def _beginning(name: str, session: Session) -> RenderableType:
    """The end of the instructions and the first trial: what the reader took for them."""
    instructions = session.instructions
    trial = session.text[session.trials[0] : session.trials[1]]
    told = f"…{instructions[-_SHOWN:]}" if len(instructions) > _SHOWN else instructions
    begun = f"{trial[:_SHOWN]}…" if len(trial) > _SHOWN else trial
    return Text.assemble(
        (f"instructions of {name} end so:\n", "dim"),
        f"{told.strip() or '(there are none)'}\n",
        ("first trial (if it begins elsewhere, declare `first_trial` in a codebook):\n", "dim"),
        begun.strip(),
    )
