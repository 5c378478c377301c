"""Files as survey tools export them, known by their columns, and what in them is no answer."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from geppetto.studies.drafting.columns import Column
from geppetto.studies.drafting.orders import order


@dataclass(frozen=True)
class Tool:
    """A survey tool, by what its exports have in common.

    Attributes
    ----------
    signs
        Columns of which two show that it is this tool.
    kept
        Names of the columns that it adds, as a pattern.
    ids
        Its own ids of people, the best first.
    tried
        Column and values of rows that are no participants but somebody trying the survey.
    unfinished
        Column and value of those who did not finish.
    """

    name: str
    signs: frozenset[str]
    kept: re.Pattern[str]
    ids: tuple[str, ...]
    tried: tuple[str, tuple[str, ...]] | None = None
    unfinished: tuple[str, tuple[str, ...]] | None = None


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(words, re.IGNORECASE)


_TOOLS = (
    Tool(
        "Qualtrics",
        frozenset(("startdate", "enddate", "recordeddate", "responseid", "distributionchannel")),
        _pattern(
            r"startdate|enddate|recordeddate|status|progress|finished|responseid|q_.*"
            r"|duration(?: ?\(in seconds\)|__in_seconds_?)|externalreference|userlanguage"
            r"|distributionchannel|.*_do(?:_.*)?|.*[_ ](?:first|last)[_ ]click"
            r"|.*_page[_ ]submit|.*_click[_ ]count|sc\d+"
        ),
        ("ResponseId", "ResponseID"),
        ("Status", ("Survey Preview", "1", "Survey Test", "2", "Spam", "8")),
        ("Finished", ("False", "FALSE", "0")),
    ),
    Tool(
        "LimeSurvey",
        frozenset(("submitdate", "lastpage", "startlanguage", "seed", "date submitted",
                   "last page", "start language", "response id")),
        _pattern(
            r"id|response id|submitdate|date submitted|lastpage|last page|startlanguage"
            r"|start language|seed|startdate|date started|datestamp|date last action|refurl"
            r"|referrer url|token|access code|interviewtime|total time|.*time(?:r)?$|questiontime.*"
        ),
        ("id", "Response ID", "seed"),
    ),
    Tool(
        "REDCap",
        frozenset(("record_id", "redcap_event_name", "redcap_survey_identifier",
                   "redcap_repeat_instance", "redcap_data_access_group")),
        _pattern(r"record_id|redcap_.*|.*_timestamp|.*_complete"),
        ("record_id",),
    ),
    Tool(
        "SoSci Survey",
        frozenset(("case", "serial", "ref", "questnnr", "mode", "started", "lastdata", "time_sum")),
        _pattern(
            r"case|serial|ref|questnnr|mode|language|started|time\d+|time_.*|mailsent|lastdata"
            r"|status|finished|q_viewer|lastpage|maxpage|missing|missrel|deg_time"
        ),
        ("CASE", "SERIAL"),
        ("MODE", ("pretest", "admin", "debug")),
        ("FINISHED", ("0",)),
    ),
)  # fmt: skip

_PERSONAL = _pattern(
    r"(?:^|[\W_])(?:e-?mail|recipient\w*|(?:first|last|sur|full|nick|user|family|given)[\W_]?name"
    r"|name|vorname|nachname|familienname|phone|telefon|mobile|handy|street|stra(?:ss|ß)e|address"
    r"|adresse|anschrift|zip(?:[\W_]?code)?|plz|postcode|postal|latitude|longitude|iban|ssn"
    r"|matrikel\w*|student[\W_]?(?:id|number)|twitter|instagram|facebook|linkedin"
    r"|ip(?:addr|address|_?addr(?:ess)?)?)(?:$|[\W_])"
)
_PLATFORM = _pattern(r".*(?:prolific|mturk|worker|amazon|sona|panel)[\W_]?(?:p?id)?.*|(?:rid|psid)")
_SESSIONS = _pattern(
    r"(?:study|session|assignment|hit|submission|batch)[\W_]?id|comments?|remarks?"
)
_ID = _pattern(
    r"(?:.*[\W_])?(?:id|ids|pid|case|caseid|idno|participant|subject|subj|person|respondent|resp|vp"
    r"|vpn|proband|code|nr|no|number|row|index|uuid|key|rownames)"
    r"|(?:participant|respondent|subject|person|case|response|sub|user|resp|vp|vpn)[\W_]?"
    r"(?:id|nr|no|code|number)|unnamed.*"
)
_MAIL = re.compile(r"\S+@\S+\.\S+|(?:[0-9]{1,3}\.){3}[0-9]{1,3}|https?://\S+")
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T].*)?|[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{2,4}(?: .*)?"
    r"|[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?"
)


def tool_of(names: Collection[str]) -> Tool | None:
    """The survey tool that a file with these columns is from.

    Examples
    --------
    >>> tool_of(["StartDate", "EndDate", "ResponseId", "Q1"]).name
    'Qualtrics'
    """
    lower = {name.casefold() for name in names}
    found = [(len(tool.signs & lower), tool) for tool in _TOOLS]
    most, tool = max(found, key=lambda each: each[0])
    return tool if most > 1 else None


def no_answer_because(column: Column, tool: Tool | None) -> str:
    """Why a column is neither an answer nor something that may be known of people; empty if not."""
    if is_personal(column):
        return "says who somebody is"
    if tool and tool.kept.fullmatch(column.name):
        return f"{tool.name} keeps it of every response"
    if _PLATFORM.fullmatch(column.name):
        return "says who somebody is on a platform"
    if _SESSIONS.fullmatch(column.name):
        return "about the study or what was remarked on it"
    if not column.counts:
        return "empty"
    if _share(column, _DATE) > 0.9:
        return "a date or a time"
    return ""


def is_personal(column: Column) -> bool:
    """Whether a column names people, or where they can be reached."""
    asked = re.search(
        r"\b(?:your (?:full |first |last )?name|ihr name|heißen sie|e-?mail)\b", column.text, re.I
    )
    if asked or _share(column, _MAIL) > 0.1:
        return True
    answers = order(column.counts) is not None or (column.numbers and column.numbers[-1] < 12)
    return bool(_PERSONAL.search(column.name)) and not answers


def id_column(columns: Sequence[Column], tool: Tool | None, rows: int) -> Column | None:
    """The column that names each person once, the tool's own before others."""
    unique = {c.name: c for c in columns if len(c.counts) == c.answered == rows}
    for name in tool.ids if tool else ():
        if name in unique:
            return unique[name]
    free = [column for column in unique.values() if not is_personal(column)]
    fitting = [column for column in free if _ID.fullmatch(column.name)]
    own = [column for column in fitting if not _PLATFORM.fullmatch(column.name)]
    return next(iter(own or fitting), None)


def repeated_ids(columns: Sequence[Column]) -> str:
    """The name of a column of people's ids that are in several rows each; empty if none is."""
    repeated = (c for c in columns if _ID.fullmatch(c.name) and 1 < len(c.counts) < c.answered / 2)
    return next((column.name for column in repeated if len(column.counts) > 5), "")


def _share(column: Column, pattern: re.Pattern[str]) -> float:
    """The share of people whose cell begins like this."""
    found = sum(count for cell, count in column.counts.items() if pattern.match(cell))
    return found / column.answered if column.answered else 0.0
