"""What the terminal shows of a search: its plan before, its best trials after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from geppetto.evaluation.words import number
from geppetto.prompts.survey import Layout
from geppetto.search.confirm import Confirmation, described
from geppetto.search.prepare import PreparedSearch
from geppetto.search.result import SearchResult

SHOWN = 10
"""Trials in the table."""


def plan(prepared: PreparedSearch) -> RenderableType:
    """Who is searched on, among how many candidates, and what ends the search."""
    settings, study = prepared.settings, prepared.study
    people = len(prepared.split.search)
    size = "infinitely many" if prepared.space.size is None else f"{prepared.space.size:,}"
    limits = [f"{settings.trials:,} trials"]
    if settings.minutes is not None:
        limits.append(f"{settings.minutes:g} minutes")
    if settings.tokens is not None:
        limits.append(f"{settings.tokens:,} tokens")
    early = "every trial is finished"
    if settings.prune is not None:
        early = (
            f"a trial is given up when a Wilcoxon test finds it worse than the best so far "
            f"(p < {settings.prune:g})"
        )
    only_write = [spec.name for spec in prepared.experiment.models if spec.model is not None]
    return Group(
        Text(prepared.experiment.question, style="bold"),
        Text(
            f"study {study.name}: {people:,} people to search on, {len(prepared.split.test):,} "
            f"kept for confirmation; {len(prepared.items):,} items; "
            f"{prepared.model.identity.name}"
        ),
        Text(
            f"{size} candidates of {len(prepared.space.strategies)} strategies "
            f"({', '.join(prepared.space.strategies)}), by {', '.join(settings.objective)}; "
            f"sampler {settings.sampler}, at most {' or '.join(limits)}"
        ),
        Text(f"{len(prepared.batches):,} batches a trial; {early}"),
        *(Text(f"{name} answers nothing: it may only write personas") for name in only_write),
        Text(f"search {prepared.name}", style="dim"),
    )


def result(found: SearchResult) -> RenderableType:
    """The best trials and the winner."""
    objectives = list(found.objectives)
    ascending = found.objectives[objectives[0]] == "minimize"
    complete = found.trials[found.trials["state"] == "complete"]
    ranked = complete.sort_values(objectives[0], ascending=ascending, kind="stable")
    table = Table(
        "trial", "strategy", *objectives, "people", "computed", box=None, header_style="dim"
    )
    for column in table.columns[2:]:
        column.justify = "right"
    for row in ranked.head(SHOWN).to_dict("records"):
        table.add_row(
            f"{'*' if row['number'] in found.best else ' '}{row['number']}",
            Text(_described(row)),
            *(number(row[name], "+.4f") for name in objectives),
            f"{row['people']:,}",
            f"{row['computed']:,}",
        )
    states = Counter(found.trials["state"])
    counts = ", ".join(f"{count:,} {state}" for state, count in states.items())
    lines: list[RenderableType] = [table, Text(f"{found.ended}: {counts}")]
    for reason, count in Counter(found.trials["reason"]).items():
        if reason:
            lines.append(Text(f"  infeasible: {count:,} because {reason}", "yellow"))
    effort = f"{found.anew:,} answers asked, {found.tokens:,} distinct tokens"
    if found.exhaustive is not None:
        effort += f"; all candidates on everybody would need {found.exhaustive:,} answers"
    (winner,) = found.trials[found.trials["number"] == found.best[0]].to_dict("records")
    lines += [
        Text(effort),
        Text(f"best: {_described(winner)}", "bold"),
        Text(
            f"It was chosen for being the best on these {len(found.search):,} people, so its value "
            f"here flatters it; {len(found.test):,} others have not been looked at.",
            style="dim",
        ),
    ]
    return Group(*lines)


def confirmation(inputs: Confirmation) -> RenderableType:
    """What test people say of the winner."""
    return Group(*(Text(sentence) for sentence in inputs.sentences))


def _described(trial: Mapping[Hashable, Any]) -> str:
    layout = Layout.model_validate(trial["parameters"]["layout"])
    return described(trial["strategy"], layout)
