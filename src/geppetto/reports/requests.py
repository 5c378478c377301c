"""What the terminal shows of models that are asked by requests, before they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.table import Table

from geppetto.answers.status import AnswerStatus
from geppetto.personas.arms import Filler
from geppetto.planning.cost import estimate
from geppetto.planning.prepared import Prepared


def notes(prepared: Prepared) -> Iterator[str]:
    """How models are asked that do not score options exactly."""
    fillers = any(isinstance(arm, Filler) for arm in prepared.arms)
    for identity in dict.fromkeys(one.model.identity for one in prepared.by_requests):
        reads = "its chat template" if identity.kind == "chat" else "plain text"
        if identity.is_local:
            yield f"{identity.name} is asked on this machine, in {reads}"
            continue
        where = f" at {identity.api_base}" if identity.api_base else ""
        yield f"{identity.name} is asked{where}, in {reads}"
        if fillers:
            yield (
                f"the filler for {identity.name} has as many words as the persona, since its "
                "tokens are not known"
            )
    if budget := prepared.experiment.budget.model_dump(exclude_none=True):
        most = ", ".join(f"{value:,g} {what}" for what, value in budget.items())
        yield f"this run ends at {most}, and the next goes on from there"


def table(prepared: Prepared, statuses: Mapping[tuple[str, str], AnswerStatus]) -> Table:
    """What is left to ask by requests."""
    shown = Table(box=None, header_style="dim", pad_edge=False)
    shown.add_column("to ask by requests", no_wrap=True)
    for column in ("questions", "requests", "tokens\nsent", "tokens said\nat most", "dollars"):
        shown.add_column(column, justify="right", no_wrap=True)
    for elicited in prepared.by_requests:
        left, questions = statuses[elicited.key].open, prepared.plan.questions[elicited.key]
        first = f"{len(left):,} of {len(questions):,}"
        if elicited.model.identity.is_local:
            shown.add_row(" · ".join(elicited.key), first, "", "", "", "")
            continue
        open_ones = [questions[name] for name in left]
        foreseen = estimate(elicited.model, elicited.elicitation, open_ones)
        shown.add_row(
            " · ".join(elicited.key),
            first,
            f"{foreseen.requests:,}",
            f"about {foreseen.prompt_tokens:,}",
            f"{foreseen.completion_tokens:,}",
            "price unknown" if foreseen.dollars is None else f"{foreseen.dollars:.2f}",
        )
    return shown
