"""From lines of sessions to a study, and all that is wrong with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from numbers import Real
from typing import Any

import pandas as pd

from geppetto.studies.build import Checked, participants_of
from geppetto.studies.check import check_cells
from geppetto.studies.codebook import Codebook
from geppetto.studies.problems import Problem
from geppetto.studies.sessions.codebook import bare_codebook, completed, trait_notes
from geppetto.studies.sessions.file import Line, SessionFile
from geppetto.studies.sessions.offered import Offered, offered
from geppetto.studies.sessions.parsing import Defect, parsed
from geppetto.studies.sessions.published import published_tasks
from geppetto.studies.sessions.session import Session
from geppetto.studies.study import Participant, Study
from geppetto.studies.table import exclude, fact_columns, tidy, with_categories
from geppetto.studies.table_file import code_text

_OF_THE_HUB = frozenset(
    ("study", "is_psych101", "is_psych101_test", "participant_reindexed", "in_eval")
)
"""Fields that its authors added to the data set on the hub."""
_PATCHED = {"<< -": "<<-", "<< think>>": "<<think>>"}
"""What its authors wrote into the texts there, and what stood there before."""


def check_sessions(file: SessionFile, declared: Codebook | None = None) -> Checked:
    """The study that a file of sessions is, and all that is wrong with it.

    A file may come without a codebook, in which a user declares what to know of it.
    """
    codebook = declared or bare_codebook(file.task)
    problems = [*file.problems, *_same_texts(file.lines)]
    lines, repeated = _by_key(file.lines)
    problems += repeated
    sessions: dict[str, Session] = {}
    silent = 0
    for key, line in lines.items():
        session = parsed(_unpatched(line), codebook.first_trial)
        if isinstance(session, Session):
            sessions[key] = session
            problems += _response_times(line, len(session.spans))
        elif isinstance(session, Defect):
            problems.append(Problem("error", "text", session.reason, line.number, session.excerpt))
        else:
            silent += 1
    used = {key: lines[key] for key in sessions}
    frame, no_cells = _frame(used)
    codebook, no_traits = completed(codebook, file.task, frame)
    codebook = with_categories(codebook, frame)
    for name in [name for name in codebook.missing_in if name not in frame]:
        problems.append(Problem("error", name, "`missing_in` names it and no line has it"))
    said = {problem.column for problem in no_traits} - set(fact_columns(codebook))
    frame = frame.drop(columns=sorted(said))
    problems += [*no_cells, *no_traits, *check_cells(codebook, frame)]
    left, removed = exclude(tidy(codebook, frame))
    people = participants_of(left)
    options = offered(codebook, used, {key: sessions[key] for key in people})
    problems += options.problems
    excluded = {"without a response in their session": silent} if silent else {}
    if not people:
        problems.append(Problem("error", "participant", "nobody is left to take part"))
    study = Study(
        codebook,
        dict(_with_sessions(people, used, sessions, options, codebook)),
        excluded | removed,
        left.missing,
        notes=tuple(_notes(file, codebook, options, [sessions[key] for key in people])),
    )
    return Checked(codebook, study, tuple(problems))


def _goes_on(session: Session) -> bool:
    """Whether anything is read in a line after that of the last response."""
    return bool(session.text[session.spans[-1].end :].partition("\n")[2].strip())


def _by_key(lines: Sequence[Line]) -> tuple[dict[str, Line], list[Problem]]:
    """Lines by a participant id that is unique, and those of somebody met before."""
    ids = [line.participant for line in lines]
    if len(set(ids)) < len(ids):
        short = _short_names(sorted({line.experiment for line in lines}))
        ids = [f"{short[line.experiment]}/{line.participant}" for line in lines]
    found: dict[str, Line] = {}
    problems = []
    for key, line in zip(ids, lines, strict=True):
        if key in found:
            message = (
                "an earlier line has this participant and this experiment; keep one, or give the "
                "session an `experiment` of its own"
            )
            problems.append(Problem("error", "participant", message, line.number, key))
        else:
            found[key] = line
    return found, problems


def _short_names(experiments: Sequence[str]) -> dict[str, str]:
    """Paths by what they differ in: the last such part if that tells them apart."""
    parts = [experiment.split("/") for experiment in experiments]
    while all(len(path) > 1 for path in parts) and len({path[0] for path in parts}) == 1:
        parts = [path[1:] for path in parts]
    while all(len(path) > 1 for path in parts) and len({path[-1] for path in parts}) == 1:
        parts = [path[:-1] for path in parts]
    last = [path[-1] for path in parts]
    names = last if len(set(last)) == len(parts) else ["/".join(path) for path in parts]
    return dict(zip(experiments, names, strict=True))


def _unpatched(line: Line) -> str:
    """The text as it was before its authors put it on the hub."""
    text = line.text
    if "study" in line.fields:
        for now, before in _PATCHED.items():
            text = text.replace(now, before)
    return text


def _same_texts(lines: Sequence[Line]) -> Iterator[Problem]:
    """Sessions that cannot be told from others."""
    seen: set[str] = set()
    for line in lines:
        if line.text in seen:
            message = "the same text as an earlier session; both are kept"
            yield Problem("note", "text", message, line.number)
        seen.add(line.text)


def _response_times(line: Line, responses: int) -> Iterator[Problem]:
    """What is wrong with response times, which are not used for anything."""
    times = line.fields.get("RTs")
    if not isinstance(times, list) or not times:
        return
    values = pd.to_numeric(pd.Series(times, dtype=object), errors="coerce")
    unread = [time for time, value in zip(times, values, strict=True) if _no_time(time, value)]
    if len(times) != responses:
        message = "as many response times as responses are expected; they are not used"
        yield Problem("note", "RTs", message, line.number, f"{len(times)} for {responses}")
    if unread:
        message = "no number of milliseconds; response times are not used"
        yield Problem("note", "RTs", message, line.number, str(unread[0]))
    for value in values[values < 0]:
        message = "a negative response time; response times are not used"
        yield Problem("note", "RTs", message, line.number, f"{value:g}")


def _no_time(time: Any, value: float) -> bool:
    """Whether a response time is no number; one that is not known is no mistake."""
    unknown = time is None or (isinstance(time, Real) and time != time)
    return value != value and not unknown


def _frame(lines: Mapping[str, Line]) -> tuple[pd.DataFrame, list[Problem]]:
    """Fields of each participant as text, and those that are no fields of a participant."""
    names = dict.fromkeys(name for line in lines.values() for name in line.fields)
    cells: dict[str, list[str | None]] = {
        "participant": list(lines),
        "experiment": [line.experiment for line in lines.values()],
    }
    problems = []
    for name in names:
        values = [line.fields.get(name) for line in lines.values()]
        if any(isinstance(value, list | dict) for value in values):
            if name != "RTs":
                message = "a list, as of something in each trial: no trait, so not used"
                problems.append(Problem("note", name, message))
        elif name not in _OF_THE_HUB:
            cells[name] = [code_text(value) for value in values]
    rows = [line.number for line in lines.values()]
    return pd.DataFrame(cells, index=rows, dtype=object), problems


def _with_sessions(
    people: Mapping[str, Participant],
    lines: Mapping[str, Line],
    sessions: Mapping[str, Session],
    options: Offered,
    codebook: Codebook,
) -> Iterator[tuple[str, Participant]]:
    for key, person in people.items():
        session = sessions[key]
        if key in options.of:
            each = zip(session.spans, options.of[key], strict=True)
            spans = tuple(replace(span, options=legal) for span, legal in each)
            session = replace(session, spans=spans)
        same = codebook.cluster_column == codebook.participant_column
        cluster = lines[key].participant if same else person.cluster
        yield key, replace(person, session=session, cluster=cluster)


def _notes(
    file: SessionFile, codebook: Codebook, options: Offered, sessions: Sequence[Session]
) -> Iterator[str]:
    """What was decided and cannot be seen in the data."""
    yield from options.notes
    further = sum(_goes_on(session) for session in sessions)
    if further and codebook.first_trial is None:
        yield (
            f"{further:,} sessions go on after the line of their last response; if trials end with "
            "lines of feedback, declare in a codebook what they begin with (`first_trial`), or "
            "feedback counts as part of the next trial, which a history of 0 then shows"
        )
    experiments = Counter(line.experiment for line in file.lines)
    if len(experiments) > 1:
        yield f"{len(experiments):,} values of `experiment`"
    repeated = Counter(line.participant for line in file.lines)
    again = sum(count > 1 for count in repeated.values())
    task = published_tasks().get(file.task)
    if codebook.cluster_column:
        yield f"sessions with the same `{codebook.cluster_column}` belong together, as clusters"
    elif again and task and task.repeated_ids == "different people":
        yield f"{again:,} ids have several sessions; they are of different people"
    elif again:
        yield (
            f"{again:,} ids have several sessions, which are taken for those of different people; "
            "if they are the same people, declare `cluster_column: participant` in a codebook"
        )
    patched = sum(_unpatched(line) != line.text for line in file.lines)
    if patched:
        yield f"{patched:,} texts as they were before spaces were put into their marks"
    yield from trait_notes(codebook)
