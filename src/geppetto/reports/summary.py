"""What a run shows unless everything is asked for: the answer, on one screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from geppetto._util.errors import Failures
from geppetto.evaluation.contrasts import BENEFIT, INFORMATION
from geppetto.evaluation.inference.verdicts import Verdict
from geppetto.evaluation.results import Results
from geppetto.evaluation.words import interval, number, probability
from geppetto.reports import sessions
from geppetto.reports.columns import Columns
from geppetto.reports.terminal import Parts, concluded, conditions, group, hidden, parts
from geppetto.reports.text import scale


def summary(found: Results, failures: Failures | None = None) -> RenderableType:
    """The answer: what answers the question in one table, what to know of it, and sentences.

    What cannot be computed fails alone, with a sentence at the end and among `failures`.
    """
    return group(_first_screen(found), failures or Failures())


def _first_screen(found: Results) -> Parts:
    """What a run shows unless everything is asked for."""
    of_all = ("matched strangers", "pairs", "calibration", "what was left out", "the frozen plan")
    return {
        "answers": lambda: _answers(found),
        "effects that noise hides": lambda: hidden(found),
        **{name: told for name, told in parts(found).items() if name in of_all},
        "verdicts": lambda: concluded(found),
    }


def _answers(found: Results) -> Iterator[RenderableType]:
    """What answers the question, a row an effect; conditions where nothing does."""
    verdicts = [verdict for verdict in found.verdicts() if verdict.confirmatory]
    if not verdicts:
        yield sessions.conditions(found) if found.of_sessions else conditions(found.metrics())
        yield ""
        return
    for measure in dict.fromkeys(verdict.effect.measure for verdict in verdicts):
        yield from (_answers_in([one for one in verdicts if one.effect.measure == measure]), "")


def _answers_in(verdicts: Sequence[Verdict]) -> Columns:
    named = f"{verdicts[0].unit_of_measure.removeprefix('of ')} saved a response"
    of = f"mean [{verdicts[0].confidence} CI]"
    table = Columns(named, of, "improved", "p", "verdict", words=1)
    shown = ""
    for verdict in verdicts:
        effect, nats = verdict.effect, verdict.effect.nats
        if f"{effect.model} · {effect.strategy}" != shown:
            shown = f"{effect.model} · {effect.strategy}"
            table.heading(shown)
        table.row(
            f"  {effect.contrast.name}",
            Text(interval(nats), "bold" if nats.excludes_zero() else ""),
            number(effect.improved.value, ".0%"),
            probability(verdict.p_adjusted),
            verdict.outcome,
        )
    table.caption = _caption(verdicts)
    return table


_MEANT = {
    INFORMATION.name: "own persona against a stranger's",
    BENEFIT.name: "own persona against the best prediction that knows nothing of the person",
}


def _caption(verdicts: Sequence[Verdict]) -> str:
    names = {verdict.effect.contrast.name for verdict in verdicts}
    told = [f"{name}: {words}" for name, words in _MEANT.items() if name in names]
    people = {verdict.effect.participants for verdict in verdicts}
    of = f"of {people.pop():,} people " if len(people) == 1 else ""
    return (
        f"{'; '.join(told)}. improved: share {of}whom the own persona predicts better; p: after "
        f"{verdicts[0].correction}. {scale(verdicts[0])}"
    )
