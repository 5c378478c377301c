"""What the terminal shows before a run: whom it asks what, how, and how long that takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from geppetto.answers.local import Unanswered
from geppetto.answers.status import AnswerStatus
from geppetto.personas.donors import MatchQuality
from geppetto.planning.prepared import Prepared
from geppetto.reports import reading, requests


@dataclass(frozen=True)
class Work:
    """What is left to ask one model, and how many tokens a second it takes, if that is known."""

    left: Unanswered
    tokens_per_second: float | None

    @property
    def seconds(self) -> float:
        """How long it takes."""
        speed = self.tokens_per_second
        return self.left.distinct_tokens / speed if speed else 0.0


def overview(
    prepared: Prepared,
    work: Mapping[str, Work],
    statuses: Mapping[tuple[str, str], AnswerStatus] | None = None,
) -> RenderableType:
    """What will be asked, of whom, and how long it takes."""
    planned, study = prepared.plan, prepared.study
    wordings = prepared.experiment.paraphrases
    lines: list[RenderableType] = [
        Text(prepared.experiment.question, style="bold"),
        Text(
            f"study {study.name}: {len(planned.participants):,} participants, "
            f"{planned.cells:,} cells, each under {len(planned.conditions)} conditions"
            + (f" in {wordings} wordings" if wordings > 1 else "")
        ),
    ]
    said = reading.sessions if study.has_sessions else reading.answers
    lines += (Text(f"  {line}") for line in said(prepared))
    for reason, count in study.excluded.items():
        if not count:
            continue
        who = "person" if count == 1 else "people"
        lines.append(Text(f"  not used: {count:,} {who} {reason}"))
    for reason, count in Counter(planned.dropped.values()).items():
        lines.append(Text(f"  left out of every arm: {count:,} participants {reason}", "yellow"))
    for (strategy, trait), items in planned.withheld.items():
        lines.append(
            Text(
                f"  {strategy} does not show {trait} to predict {', '.join(items)}, from which it "
                "was computed"
            )
        )
    for strategy, quality in planned.matches.items():
        lines.append(Text(f"  {strategy}, {match(quality)}"))
    for (strategy, arm), share in planned.identical_strangers.items():
        if share > 0:
            lines.append(
                Text(
                    f"  {share:.1%} of the strangers' {strategy} · {arm} personas are the "
                    "participant's own, word for word: what own saves over them is that much "
                    "smaller",
                    "yellow",
                )
            )
    layout = prepared.experiment.session if study.has_sessions else None
    declared = {spec.name for spec in prepared.experiment.models if spec.kind is not None}
    lines += (
        Text(f"  {reading.model(model, model.identity.name in declared, layout)}")
        for model in prepared.scorers
    )
    lines += (Text(f"  {line}") for line in requests.notes(prepared))
    lines += (Text(f"  {line}") for line in reading.pairs_of(prepared))
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("to ask", no_wrap=True)
    for column in ("prompts", "tokens\none by one", "distinct\ntokens", "estimate"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, each in work.items():
        table.add_row(
            name,
            f"{each.left.answers:,} of {len(planned.scored(name)):,}",
            f"{each.left.prompt_tokens:,}",
            f"{each.left.distinct_tokens:,}",
            _estimate(each),
        )
    left_to_ask = [table] if work else []
    left_to_ask += [requests.table(prepared, statuses)] if statuses else []
    return Group(*lines, "", *left_to_ask, f"plan {planned.sha256[:12]}")


def match(quality: MatchQuality) -> str:
    """Who has matched strangers and how much like them these are, in one line."""
    return (
        f"matched: {quality.sentence}; {quality.donors:,} people stand in, {quality.outside:,} of "
        "whom do not take part"
    )


def _estimate(work: Work) -> str:
    """How long it takes to ask what is left, if that was measured."""
    if not work.left:
        return "nothing"
    return _duration(work.seconds) if work.tokens_per_second else "not measured"


def _duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
