"""Commands that plan and run an experiment."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from geppetto._util.errors import Failures, GeppettoError, errors_in
from geppetto.cli.terminal import WORKSPACE, console, done, going_on_later

if TYPE_CHECKING:
    from rich.progress import Progress

    from geppetto.answers.local import Unanswered
    from geppetto.answers.status import AnswerStatus
    from geppetto.answers.store import AnswerStore
    from geppetto.evaluation.results import Results
    from geppetto.models.base import Scorer
    from geppetto.models.budget import BudgetTracker
    from geppetto.planning.prepared import Prepared

app = typer.Typer()

_EVERYTHING = "Show every table, and a sentence an effect."


@app.command()
def run(
    experiment: Annotated[Path, typer.Argument(help="An experiment file.")],
    retry_errors: Annotated[
        bool, typer.Option(help="Ask again what failed for good, such as time-outs.")
    ] = False,
    frozen: Annotated[
        Path | None,
        typer.Option(help="A frozen plan to compare with; the one beside the file if not given."),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help=_EVERYTHING)] = False,
) -> None:
    """Run an experiment: plan, ask, evaluate, log."""
    from geppetto.experiment.preregistration import plan_to_follow
    from geppetto.models.budget import BudgetTracker
    from geppetto.planning.config import Experiment
    from geppetto.reports.planned import Work, overview
    from geppetto.reports.progress import Asking, bars

    to_follow = plan_to_follow(experiment, frozen)
    tracker = BudgetTracker(Experiment.from_file(experiment).budget)
    with going_on_later():
        store, planned = plans_of(experiment, tracker, retry_errors)
    found, unsaid, said = [], list[str](), list[str]()
    for prepared, missing, statuses in planned:
        work = {}
        for model in prepared.scorers:
            left = missing[model.identity.name]
            with console.status(Text(f"reading the weights of {model.identity.name}")):
                work[model.identity.name] = Work(left, _speed(model, left))
        console.print(overview(prepared, work, statuses))
        with console.status("opening MLflow"):
            from geppetto.experiment import run as running
            from geppetto.reports import terminal
        with going_on_later(), bars(console) as progress, _Shown(progress, full) as shown:
            asking = Asking(progress, work, statuses)
            try:
                result, tracked = running.run(
                    prepared,
                    missing,
                    store,
                    WORKSPACE,
                    asking.answered,
                    asking.parsed,
                    shown,
                    tracker=tracker,
                    frozen=to_follow,
                )
            except running.NotEvaluatedError as error:
                unsaid.append(f"{prepared.study.name}: {error}")
                continue
        found.append(result)
        if tracked.run_id:
            console.print(
                f"MLflow run {tracked.run_id}"
                + (" (logged before)" if tracked.finished else "")
                + "; see it with: geppetto ui"
            )
        else:
            console.print("The workspace cannot be written: nothing is logged.")
        if not full:
            console.print(f"all tables: geppetto show {experiment} --full")
        console.print()
        said += shown.failed.sentences
        unsaid += tracked.failures
    if len(found) > 1:
        with (pooled := Failures()).alone("all studies together"):
            console.print(terminal.pooled(found))
        unsaid += pooled.sentences
    done(unsaid, said)


class _Shown:
    """What was found, shown before it is logged: a tracking server may be slow, or never answer."""

    def __init__(self, progress: Progress, full: bool) -> None:
        self.failed = Failures()
        self._full = full
        self._progress = progress
        self._logging = console.status("logging to MLflow")
        self._refused: OSError | None = None

    def __call__(self, result: Results) -> None:
        self._progress.stop()
        try:
            self._show(result)
        except OSError as error:  # an output that takes no more; it is logged all the same
            self._refused = error
        self._logging.start()

    def _show(self, result: Results) -> None:
        from geppetto.reports import summary, terminal

        unread = result.completions[result.completions["error"] != ""]
        if errors := unread["completion"].nunique():
            console.print(f"{errors:,} replies are errors; --retry-errors asks them again")
        console.print()
        console.print((terminal.result if self._full else summary.summary)(result, self.failed))
        console.print()

    def __enter__(self) -> _Shown:
        return self

    def __exit__(self, *_: object) -> None:
        self._logging.stop()
        if self._refused:
            raise self._refused


@app.command()
def show(
    experiment: Annotated[Path, typer.Argument(help="An experiment file that was run.")],
    full: Annotated[bool, typer.Option("--full", help=_EVERYTHING)] = False,
    table: Annotated[
        str | None, typer.Option(help="One part of it: conditions, effects, individuation, ...")
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="Rows of that table at most.")] = 25,
) -> None:
    """Show what an experiment found that was run. Asks and logs nothing."""
    from geppetto.experiment import run as running
    from geppetto.experiment.preregistration import plan_to_follow
    from geppetto.reports import summary, terminal

    to_follow = plan_to_follow(experiment, None)
    store, planned = plans_of(experiment, None)
    found, said = [], list[str]()
    for prepared, missing, _ in planned:
        result = running.stored(prepared, missing, store, WORKSPACE, frozen=to_follow)
        found.append(result)
        failed = Failures()
        if len(planned) > 1:
            console.print(Text(f"study {prepared.study.name}", style="bold"))
        if table is not None:
            console.print(terminal.part(result, table, rows))
        else:
            console.print((terminal.result if full else summary.summary)(result, failed))
        said += failed.sentences
    if len(found) > 1 and table is None:
        console.print(terminal.pooled(found))
    done((), said)


@app.command()
def plan(
    experiment: Annotated[Path, typer.Argument(help="An experiment file.")],
    sd: Annotated[
        list[float] | None,
        typer.Option(help="SD of participants' differences in nats; may be given again."),
    ] = None,
    freeze: Annotated[
        bool, typer.Option(help="Write the plan beside the file, to be posted before it is run.")
    ] = False,
) -> None:
    """Show what an experiment would ask, and what its people could find. Asks nothing."""
    from geppetto.experiment import preregistration as freezing
    from geppetto.experiment.looks import earlier, standing
    from geppetto.reports.planned import Work, overview
    from geppetto.reports.power import power

    if any(spread <= 0 for spread in sd or ()):
        raise GeppettoError("--sd must be more than 0 nats")
    planned = plans_of(experiment, None)[1]
    for prepared, missing, statuses in planned:
        work = {name: Work(left, None) for name, left in missing.items()}
        console.print(overview(prepared, work, statuses))
        if looks := standing(earlier(prepared, WORKSPACE)).sentence:
            console.print(f"If it was not run before: {looks}")
        console.print()
        people = [prepared.study.people[name] for name in prepared.plan.participants]
        groups = {person.cluster or person.id for person in people}
        smallest = prepared.experiment.analysis.smallest_effect
        spreads = sd or (0.05, 0.1, 0.2, 0.4)
        console.print(power(len(people), len(groups), smallest, spreads))
    if freeze:
        target = freezing.frozen_file(experiment)
        freezing.freeze([prepared for prepared, *_ in planned], target, WORKSPACE)
        console.print(f"frozen in {target}; post it before you run the experiment")


_Planned = tuple["Prepared", "dict[str, Unanswered]", "dict[tuple[str, str], AnswerStatus]"]


def plans_of(
    experiment: Path, tracker: BudgetTracker | None, retry_errors: bool = False
) -> tuple[AnswerStore, list[_Planned]]:
    """The plan of each study of an experiment, and what of it is not answered yet.

    With `tracker`, personas that a language model writes are written first, within its budget.
    With `retry_errors`, what failed for good is not answered.
    """
    from geppetto.answers.completions import CompletionStore
    from geppetto.answers.local import unanswered
    from geppetto.answers.status import answer_statuses, forget_errors
    from geppetto.answers.store import AnswerStore
    from geppetto.experiment.persona_writers import Writers
    from geppetto.experiment.prepare import draft_each, prepare_each
    from geppetto.planning.config import Experiment

    wanted = Experiment.from_file(experiment)
    store, completions = (
        AnswerStore.of_workspace(WORKSPACE),
        CompletionStore.of_workspace(WORKSPACE),
    )
    with console.status("making the plan") as status, errors_in(experiment):
        if tracker:
            writers, texts = Writers(wanted, WORKSPACE, tracker), itertools.count(1)
            prepared = writers.complete(
                lambda: draft_each(wanted, WORKSPACE),
                lambda _: status.update(f"personas: {next(texts):,} texts written"),
            )
        else:
            prepared = prepare_each(wanted, WORKSPACE)
        for each in prepared if retry_errors else ():
            forget_errors(each, completions)
        return store, [
            (each, unanswered(each, store), answer_statuses(each, completions)) for each in prepared
        ]


def _speed(model: Scorer, left: Unanswered) -> float | None:
    """Distinct tokens a second, measured on the first unit once the weights are read.

    None if nothing is to be asked.
    """
    for first in left:
        model.score([first.tree])
        start = time.perf_counter()
        model.score([first.tree])
        return first.distinct_tokens / (time.perf_counter() - start)
    return None
