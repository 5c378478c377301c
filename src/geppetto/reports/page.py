"""One HTML page of what an experiment found: to read on a phone, to print, and to send on.

Nothing on it is fetched from elsewhere. What is shown, from top to bottom:

    the question and the answer
    effects               a table and a figure of what answers the question
    from none to own      what changes at each step
    people                how each is predicted, and who gains
    prompts               what was sent of a few, and what came back where texts were written
    levels                every condition, baselines and ceilings among them
    data                  where they come from, who was left out, how often they were looked at
    verdicts              a sentence each, with what would undo it
    methods               a paragraph to paste
    tables                as CSV and LaTeX
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from jinja2 import Environment, StrictUndefined
from rich.console import Console, RenderableType

from geppetto._util.errors import Failures
from geppetto.evaluation.results import Results
from geppetto.evaluation.words import number, probability, ranged
from geppetto.planning.plan import BASELINE, Condition
from geppetto.planning.prepared import Prepared
from geppetto.planning.samples import first_sent
from geppetto.reports import studies
from geppetto.reports.methods import methods
from geppetto.reports.terminal import part
from geppetto.reports.text import conclusion

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TEMPLATE = Path(__file__).with_name("page.html")
_EXAMPLES = 6
"""Completions that are shown."""


@dataclass(frozen=True)
class Table:
    """A table as it is read, and as it is taken elsewhere."""

    read: pd.DataFrame
    whole: pd.DataFrame

    @property
    def csv(self) -> str:
        return self.whole.to_csv(index=False)

    @property
    def latex(self) -> str:
        return self.read.to_latex(index=False, escape=True)


@dataclass
class Section:
    """A part of the page, and what of it could not be made."""

    title: str
    lead: str = ""
    figure: str = ""
    alternative: str = ""
    table: Table | None = None
    texts: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Article:
    """What one experiment, or one study of it, has on the page."""

    name: str
    question: str
    answer: str
    sections: tuple[Section, ...]


def page(found: Sequence[tuple[Prepared, Results]], failures: Failures | None = None) -> str:
    """The page of some experiments; of several, what answers their questions stands side by side.

    A part that cannot be made fails alone, with a sentence in its place and among `failures`.
    Prompts and completions are shown of as many people as `sample_prompts` says.
    """
    failures = failures or Failures()
    before = len(failures.sentences)
    articles = [_article(prepared, results, failures) for prepared, results in found]
    together = None
    if len(found) > 1:
        with failures.alone("the comparison"):
            together = Section(
                "Side by side",
                "What answers the question of each.",
                table=_answering([results for _, results in found], [one.name for one in articles]),
            )
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.from_string(_TEMPLATE.read_text("utf-8")).render(
        articles=articles, together=together, failed=failures.sentences[before:]
    )


def _article(prepared: Prepared, results: Results, failures: Failures) -> Article:
    made = []
    for what, make in _sections(prepared, results).items():
        section = Section(what)
        with failures.alone(f"the page's {what.lower()}"):
            section = make()
        if section.figure or section.table is not None or section.texts or section.lines:
            made.append(section)
    answer = ""
    with failures.alone("the answer"):
        answer = conclusion(results.verdicts())
    experiment = prepared.experiment
    name = (
        experiment.name
        if experiment.name == results.study.name
        else (f"{experiment.name} · {results.study.name}")
    )
    return Article(name, experiment.question, answer, tuple(made))


def _sections(prepared: Prepared, results: Results) -> dict[str, Callable[[], Section]]:
    """The parts of the page by their titles."""
    return {
        "Effects": lambda: _effects(results),
        "From no persona to their own": lambda: _steps(results),
        "People": lambda: _people(results),
        "Prompts": lambda: _prompts(prepared, results),
        "Completions": lambda: _completions(prepared, results),
        "Levels": lambda: _levels(results),
        "Data": lambda: _data(prepared, results),
        "Verdicts, and what would undo them": lambda: _verdicts(results),
        "Methods, to paste": lambda: Section(
            "Methods, to paste", lines=[methods(prepared, results)]
        ),
    }


def _effects(results: Results) -> Section:
    verdicts = results.verdicts()
    return Section(
        "Effects",
        "Information: what the own persona saves over a stranger's. Benefit: what it saves over "
        "the best prediction that knows nothing of the person. Above zero is better.",
        image(results.plot.effects) if verdicts else "",
        "Every contrast with its interval",
        _answering([results]) if verdicts else None,
    )


def _answering(found: Sequence[Results], names: Sequence[str] = ()) -> Table:
    """What answers the question of each, a row a contrast."""
    rows: list[dict[str, str]] = []
    wholes = []
    for place, results in enumerate(found):
        whole = results.effects()
        named = {"experiment": names[place]} if names else {}
        wholes.append(whole.assign(**named))
        for verdict in (one for one in results.verdicts() if one.confirmatory):
            effect = verdict.effect
            rows.append(
                named
                | {
                    "model": effect.model,
                    "persona": effect.strategy,
                    "effect": effect.contrast.name,
                    "verdict": verdict.outcome,
                    f"{verdict.unit_of_measure.removeprefix('of ')} [{verdict.confidence} CI]": (
                        ranged(effect.nats, "+z.4f")
                    ),
                    "improved": number(effect.improved.value, ".0%"),
                    "p": probability(verdict.p_adjusted),
                    "people": f"{effect.participants:,}",
                }
            )
    return Table(pd.DataFrame(rows).fillna(""), pd.concat(wholes, ignore_index=True))


def _steps(results: Results) -> Section:
    if "own" not in {condition.arm for condition in results.conditions}:
        return Section("From no persona to their own")
    return Section(
        "From no persona to their own",
        "How surprising people's real responses are (mean NLL in nats a response; less is better).",
        image(results.plot.steps),
        "Levels of the arms of each strategy",
    )


def _people(results: Results) -> Section:
    lines = [
        f"{effect.model} · {effect.strategy}, {effect.contrast.name}: "
        f"{number(effect.improved.value, '.0%')} of {effect.participants:,} people are predicted "
        f"better; the worst tenth of them: {number(effect.worst_tenth.value, '+.3f')}"
        for effect in (one.effect for one in results.verdicts() if one.confirmatory)
    ]
    return Section(
        "People",
        "Each dot is a person under a condition.",
        image(results.plot.participants),
        "Every participant's NLL under each condition",
        lines=lines,
    )


def _prompts(prepared: Prepared, results: Results) -> Section:
    texts: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    for condition in results.conditions:
        of = condition.model, condition.strategy
        if condition.model != BASELINE and condition.arm == "own" and of not in seen:
            seen.add(of)
            for (person, item, _), text in first_sent(prepared, condition).items():
                texts[f"{condition.label}: participant {person}, {item}"] = text
    return Section("Prompts", "As they were sent.", texts=texts)


def _completions(prepared: Prepared, results: Results) -> Section:
    """What models said, where they were sent requests; of as few people as prompts are shown of."""
    people = prepared.plan.participants[: prepared.experiment.sample_prompts]
    said = results.completions
    if not len(said) or not people:
        return Section("Completions")
    said = said[said["participant"].isin(people) & (said["text"] != "")]
    columns = ["model", "strategy", "arm", "participant", "item", "outcome", "text"]
    some = said.groupby("outcome", sort=False).head(_EXAMPLES)[columns].head(_EXAMPLES * 2)
    table = Table(some, some) if len(some) else None
    return Section("Completions", "Some of them, with what became of each.", table=table)


def _levels(results: Results) -> Section:
    metrics = results.metrics()
    shown = [name for name in ("accuracy", "nll", "nll_full", "option_mass") if name in metrics]
    read = pd.DataFrame(
        [
            {"condition": Condition(row["model"], row["strategy"], row["arm"]).label}
            | {
                name: f"{number(row[name], '.3f')} "
                f"[{number(row[f'{name}_low'], '.3f')}, {number(row[f'{name}_high'], '.3f')}]"
                for name in shown
            }
            for row in metrics.to_dict("records")
        ]
    )
    left_out = {"skill", "ceilings"} if results.of_sessions else set(results.left_out)
    told = [name for name in ("skill", "ceilings") if name not in left_out]
    return Section(
        "Levels",
        "Every condition. Baselines are no language models: they learn from other people.",
        table=Table(read, metrics),
        texts={name: text for name in told if (text := _plain(part(results, name, 40)))},
    )


def _data(prepared: Prepared, results: Results) -> Section:
    study, plan = results.study, prepared.plan
    lines = [f"not used: {count:,} people {why}" for why, count in study.excluded.items() if count]
    dropped = pd.Series(list(plan.dropped.values()), dtype=object).value_counts()
    lines += [
        f"left out of every arm: {count:,} participants {why}" for why, count in dropped.items()
    ]
    lines += [f"{count:,} cells were left out: {why}" for why, count in results.unscored.items()]
    lines += [results.looks.sentence] if results.looks.sentence else []
    if results.followed:
        lines += [results.followed.heading, *results.followed.departures]
    lines.append(f"plan {prepared.sha256[:12]}, data {study.sha256[:12]}")
    return Section("Data", lines=lines, texts={"data card": _plain(studies.study(study))})


def _verdicts(results: Results) -> Section:
    verdicts = results.verdicts()
    return Section(
        "Verdicts, and what would undo them",
        lines=[one.sentence for one in verdicts if one.confirmatory] + list(results.flat),
    )


def _plain(shown: RenderableType) -> str:
    """What the terminal would show, as text."""
    console = Console(width=100, record=True, file=io.StringIO(), color_system=None)
    console.print(shown)
    return console.export_text().strip("\n")


def image(draw: Callable[[], Figure]) -> str:
    """A figure as an address that holds all of it."""
    import matplotlib.pyplot as plt

    figure, drawn = draw(), io.BytesIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    plt.close(figure)
    return "data:image/svg+xml;base64," + base64.b64encode(drawn.getvalue()).decode()
