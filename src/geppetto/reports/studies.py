"""Studies and what is wrong with them, as a terminal shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from rich.console import Group, RenderableType
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

from geppetto.studies.build import Checked
from geppetto.studies.bundled import bundled_studies, data_card
from geppetto.studies.codebook import Codebook, Scale
from geppetto.studies.problems import SameProblem, errors, grouped
from geppetto.studies.sessions.session import Session
from geppetto.studies.study import Study
from geppetto.studies.trait import Trait

_SHOWN = 240
"""Characters of instructions and of a trial that are shown."""


def studies(found: Sequence[Study]) -> RenderableType:
    """A line for each study."""
    table = _table("study", "title")
    for column in ("participants", "items", "traits"):
        table.add_column(column, justify="right")
    for one in found:
        counts = (f"{len(one.people):,}", str(len(one.items)), str(len(one.traits)))
        table.add_row(one.name, one.codebook.title, *counts)
    return table


def study(one: Study) -> RenderableType:
    """Where a study comes from, who takes part, and everything that is known of them."""
    people = one.people.values()
    traits = _table("trait", "label", "values")
    traits.add_column("known of", justify="right")
    for trait in one.traits.values():
        known = sum(trait.name in person.traits for person in people)
        traits.add_row(trait.name, _label(trait), _values(trait), f"{known:,}")
    total = len(people) + sum(one.excluded.values())
    counts_of_people = _counts(total, one.excluded, one.missing)
    parts: list[RenderableType] = [_origin(one.codebook), "", counts_of_people, "", traits, ""]
    if one.has_sessions:
        return Group(*parts, sessions(one))
    items = _table("item", "text", "measures")
    items.add_column("answered by", justify="right")
    retested = any(person.retest for person in people)
    if retested:
        items.add_column("retest", justify="right")
    for item in one.items.values():
        counts = [sum(item.name in person.responses for person in people)]
        if retested:
            counts.append(sum(item.name in person.retest for person in people))
        measures = f"{item.measures}{' (reversed)' if item.key == -1 else ''}"
        items.add_row(item.name, item.text, measures, *(f"{count:,}" for count in counts))
    scales = [
        Text(f"scale {name}: " + _options(scale)) for name, scale in one.codebook.scales.items()
    ]
    return Group(*parts, items, "", *scales)


def check(checked: Checked) -> RenderableType:
    """What is wrong with a study's data, and what is counted in them."""
    parts: list[RenderableType] = [Text(f"study {checked.codebook.name}", "bold")]
    one = checked.study
    if one is not None:
        total = len(one.people) + sum(one.excluded.values())
        parts.append(_counts(total, one.excluded, one.missing))
        parts += ["", sessions(one)] if one.has_sessions else []
    if checked.problems:
        table = _table("", "column", "row", "value", "what to know or change")
        for columns, problem in _together(grouped(checked.problems)):
            level = problem.first.level
            style = "bold red" if level == "error" else ""
            cells = (columns, problem.where, problem.what, problem.first.message)
            table.add_row(Text(level, style), *map(Text, cells))
        parts += ["", table]
    wrong, all_found = len(errors(checked.problems)), len(checked.problems)
    verdict = f"{wrong:,} error{'s' * (wrong != 1)}" if wrong else "no errors"
    notes = all_found - wrong
    parts += ["", Text(f"{verdict}, {notes:,} note{'s' * (notes != 1)}", "bold")]
    return Group(*parts)


def _together(problems: Sequence[SameProblem]) -> list[tuple[str, SameProblem]]:
    """Problems with the names of their columns; notes on headers that say the same make one."""
    groups: dict[tuple[str, str], list[SameProblem]] = {}
    for one in problems:
        alike = one.first.level == "note" and one.rows == (1,) and not one.what
        groups.setdefault((one.first.message, "" if alike else one.first.column), []).append(one)
    found = []
    for group in groups.values():
        names = [one.first.column for one in group]
        more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
        found.append((", ".join(names[:3]) + more, group[0]))
    return found


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _origin(codebook: Codebook) -> RenderableType:
    """A bundled study's data card, or what the codebook says of a study's origin."""
    if codebook == bundled_studies().get(codebook.name):
        return Markdown(data_card(codebook.name))
    said = (
        ("", codebook.title),
        ("Source: ", codebook.source.origin),
        ("Licence: ", codebook.source.licence),
        ("Citation: ", codebook.source.citation),
        ("Category: ", codebook.category),
        ("", codebook.notes),
    )
    return Text("\n".join(f"{name}{words}" for name, words in said if words))


def _counts(
    total: int, excluded: Mapping[str, int], missing: Mapping[str, Mapping[str, int]]
) -> RenderableType:
    """People before and after each exclusion, and cells that were read as missing."""
    lines = [f"{total:,} people in the data"]
    left = total
    for reason, count in excluded.items():
        left -= count
        who = "person" if count == 1 else "people"
        lines.append(f"  not used: {count:,} {who} {reason}; {left:,} left")
    if missing:
        cells = ", ".join(_unanswered(column, codes) for column, codes in missing.items())
        lines.append(f"cells without an answer: {cells}")
    return Text("\n".join(lines))


def _unanswered(column: str, codes: Mapping[str, int]) -> str:
    coded = ", ".join(f"{count:,} coded {code}" for code, count in codes.items() if code)
    return f"{column} {sum(codes.values()):,}" + (f" ({coded})" if coded else "")


def _options(scale: Scale) -> str:
    steps = " · ".join(f"{code} {scale.options[code]}" for code in scale.ordered)
    out = " · ".join(f"{code} {scale.options[code]}" for code in scale.outside or ())
    return f"{steps}; outside the order: {out}" if out else steps


def _label(trait: Trait) -> str:
    return trait.label if trait.demographic else f"{trait.label} (not a demographic)"


def _values(trait: Trait) -> str:
    if trait.values is not None:
        return " · ".join(dict.fromkeys(trait.values.values()))
    if not trait.is_number:
        return "people's own words"
    limits = f", {trait.limits[0]:g} to {trait.limits[1]:g}" if trait.limits else ""
    if trait.norm is None:
        return f"a number{limits}"
    source = f"; {trait.norm.source}" if trait.norm.source else ""
    return f"a number{limits} (mean {trait.norm.mean:g}, sd {trait.norm.sd:g}{source})"


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
