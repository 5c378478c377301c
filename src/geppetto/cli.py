"""The command line."""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from geppetto.errors import GeppettoError, errors_in
from geppetto.search.optimisers import Optimiser

if TYPE_CHECKING:
    from geppetto.answers.store import AnswerStore
    from geppetto.asking import Unit
    from geppetto.experiment import Prepared
    from geppetto.hearing import Hearing
    from geppetto.models.base import LanguageModel
    from geppetto.spending import Spending

app = typer.Typer(
    help="Does a persona make a language model predict this person?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
studies_app = typer.Typer(help="What people did.", invoke_without_command=True)
personas_app = typer.Typer(help="Who the model is told it is.", invoke_without_command=True)
models_app = typer.Typer(help="What answers.", invoke_without_command=True)
app.add_typer(studies_app, name="studies")
app.add_typer(personas_app, name="personas")
app.add_typer(models_app, name="models")

_TERMINAL = sys.stdout.isatty()
console = Console(highlight=False, soft_wrap=not _TERMINAL, width=None if _TERMINAL else 120)
WORKSPACE = Path()


@app.command()
def run(
    experiment: Annotated[Path, typer.Argument(help="An experiment file.")],
    retry_errors: Annotated[
        bool, typer.Option(help="Ask again what failed for good, such as time-outs.")
    ] = False,
) -> None:
    """Run an experiment: plan, ask, evaluate, log."""
    from geppetto.experiment import Experiment
    from geppetto.reports import terminal
    from geppetto.reports.progress import Asking, bars
    from geppetto.spending import Spending

    spending = Spending(Experiment.from_file(experiment).budget)
    with _going_on_later():
        store, planned = _planned(experiment, spending, retry_errors)
    found = []
    for prepared, missing, hearings in planned:
        work = {}
        for model in prepared.models:
            units = missing[model.identity.name]
            with console.status(f"reading the weights of {model.identity.name}"):
                work[model.identity.name] = terminal.Work(units, _speed(model, units))
        console.print(terminal.plan(prepared, work, hearings))
        with console.status("opening MLflow"):
            from geppetto import running
        with _going_on_later(), bars(console) as progress:
            asking = Asking(progress, work, hearings)
            result, tracked = running.run(
                prepared,
                missing,
                store,
                WORKSPACE,
                asking.answered,
                asking.heard,
                spending=spending,
            )
        found.append(result)
        failed = result.replies[result.replies["error"] != ""]
        if errors := len(failed.drop_duplicates(["request", "sample"])):
            console.print(f"{errors:,} replies are errors; --retry-errors asks them again")
        console.print()
        console.print(terminal.result(result))
        console.print()
        console.print(
            f"MLflow run {tracked.run_id}"
            + (" (logged before)" if tracked.finished else "")
            + "; see it with: geppetto ui\n"
        )
    if len(found) > 1:
        console.print(terminal.pooled(found))


@contextmanager
def _going_on_later() -> Iterator[None]:
    """Say that the next run goes on from here, if this one is interrupted or its budget reached."""
    from geppetto.spending import BudgetReached

    try:
        yield
    except KeyboardInterrupt:
        console.print("stopped; every answer so far is kept, run again to go on")
        raise typer.Exit(130) from None
    except BudgetReached as reached:
        console.print(Text(f"stopped: {reached}"))
        raise typer.Exit(3) from None


_Planned = tuple["Prepared", "dict[str, list[Unit]]", "dict[tuple[str, str], Hearing]"]


def _planned(
    experiment: Path, spending: Spending | None, retry_errors: bool = False
) -> tuple[AnswerStore, list[_Planned]]:
    """The plan of each study of an experiment, and what of it is not answered yet.

    With `spending`, personas that a language model writes are written first, within its budget.
    With `retry_errors`, what failed for good is not answered.
    """
    from geppetto.answers.replies import ReplyStore
    from geppetto.answers.store import AnswerStore
    from geppetto.asking import unanswered
    from geppetto.commissioning import Writers
    from geppetto.experiment import Experiment, prepare_each
    from geppetto.hearing import forget_errors, hear_all

    asked = Experiment.from_file(experiment)
    store, replies = AnswerStore.of_workspace(WORKSPACE), ReplyStore.of_workspace(WORKSPACE)
    with console.status("making the plan") as status, errors_in(experiment):
        if spending:
            writers, texts = Writers(asked, WORKSPACE, spending), itertools.count(1)
            prepared = writers.having_written(
                lambda: prepare_each(asked, WORKSPACE),
                lambda _: status.update(f"personas: {next(texts):,} texts written"),
            )
        else:
            prepared = prepare_each(asked, WORKSPACE)
        for each in prepared if retry_errors else ():
            forget_errors(each, replies)
        return store, [
            (each, unanswered(each, store), hear_all(each, replies)) for each in prepared
        ]


@app.command()
def plan(
    experiment: Annotated[Path, typer.Argument(help="An experiment file.")],
    sd: Annotated[
        list[float] | None,
        typer.Option(help="SD of participants' differences in nats; may be given again."),
    ] = None,
) -> None:
    """Show what an experiment would ask, and what its people could find. Asks nothing."""
    from geppetto.reports import terminal

    if any(spread <= 0 for spread in sd or ()):
        raise GeppettoError("--sd must be more than 0 nats")
    for prepared, missing, hearings in _planned(experiment, None)[1]:
        work = {name: terminal.Work(units, None) for name, units in missing.items()}
        console.print(terminal.plan(prepared, work, hearings))
        console.print()
        people = [prepared.study.people[name] for name in prepared.plan.participants]
        groups = {person.cluster or person.id for person in people}
        smallest = prepared.experiment.analysis.smallest_effect
        spreads = sd or (0.05, 0.1, 0.2, 0.4)
        console.print(terminal.power(len(people), len(groups), smallest, spreads))


@app.command()
def search(experiment: Annotated[Path, typer.Argument(help="A file with a `search`.")]) -> None:
    """Search the best strategy on some people and confirm it on the others."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from geppetto.reports import terminal as results
    from geppetto.search import terminal
    from geppetto.search.prepare import search_of_file
    from geppetto.spending import BudgetReached

    with console.status("preparing the search"):
        prepared = search_of_file(experiment, WORKSPACE)
    console.print(terminal.plan(prepared))
    with console.status("opening MLflow"):
        from geppetto import searching
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    try:
        with errors_in(experiment), Progress(*columns, console=console) as progress:
            trials = progress.add_task("trials", total=prepared.settings.trials)
            answers = progress.add_task("answers of test people", total=None, visible=False)
            confirmation = searching.search(
                prepared,
                on_trial=lambda trial: progress.update(
                    trials, completed=trial.user_attrs["place"] + 1
                ),
                on_found=lambda found: progress.console.print(terminal.result(found)),
                on_answers=lambda done, total: progress.update(
                    answers, completed=done, total=total, visible=True
                ),
            )
    except KeyboardInterrupt:
        console.print("stopped; every trial and answer so far is kept, run again to go on")
        raise typer.Exit(130) from None
    except BudgetReached as reached:
        console.print(Text(f"stopped: {reached}"))
        raise typer.Exit(3) from None
    console.print()
    console.print(results.result(confirmation.results))
    console.print()
    console.print(terminal.confirmation(confirmation))
    console.print("see it with: geppetto ui")


@app.command()
def optimise(
    experiment: Annotated[Path, typer.Argument(help="A file with a `search`.")],
    strategy: Annotated[str, typer.Argument(help="A strategy whose personas a model writes.")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter of it, as writer=openai/gpt-4o.")
    ] = None,
    optimiser: Annotated[Optimiser, typer.Option(help="Of DSPy.")] = "gepa",
    reflector: Annotated[
        str, typer.Option(help="Who thinks of better instructions; the writer if not given.")
    ] = "",
    calls: Annotated[int, typer.Option(help="How many personas may be tried.", min=1)] = 200,
) -> None:
    """Improve what a writer of personas is told, on some people, and confirm it on the others."""
    from geppetto import api
    from geppetto.reports import terminal
    from geppetto.settings import settings

    with _going_on_later(), console.status("optimising"):
        found = api.optimise(
            experiment,
            strategy,
            settings("--set", set_ or [], "k=5"),
            WORKSPACE,
            optimiser=optimiser,
            reflector=reflector,
            calls=calls,
        )
    console.print(Text(found.optimised.sentence))
    console.print()
    console.print(terminal.result(found.results))
    console.print()
    console.print(Text(found.sentence))
    console.print(Text(f"name it in an experiment: {found.compiled.in_yaml}"), soft_wrap=True)


def _speed(model: LanguageModel, units: Sequence[Unit]) -> float | None:
    """Distinct tokens a second, measured on the first unit once the weights are read.

    None if nothing is to be asked.
    """
    if not units:
        return None
    first = units[0]
    model.log_probs(first.tree, first.head)
    start = time.perf_counter()
    model.log_probs(first.tree, first.head)
    return first.distinct_tokens / (time.perf_counter() - start)


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port on loopback.")] = 5000,
) -> None:
    """Open the MLflow UI of this workspace on loopback."""
    from geppetto.tracking.store import local_uri, tracking_uri

    uri = tracking_uri(WORKSPACE)
    if uri == local_uri(WORKSPACE) and not (WORKSPACE / "mlruns" / "mlflow.db").exists():
        raise GeppettoError(
            "nothing has been run here yet; run: geppetto run experiments/NAME.yaml"
        )
    console.print(f"MLflow UI on http://127.0.0.1:{port} (stop with Ctrl-C)")
    command = [sys.executable, "-m", "mlflow", "ui"]
    options = ["--backend-store-uri", uri, "--host", "127.0.0.1", "--port", str(port)]
    os.execv(sys.executable, [*command, *options, "--workers", "1"])


@studies_app.callback()
def list_studies(context: typer.Context) -> None:
    """List the studies that ship with geppetto; `show` or `check` one."""
    if context.invoked_subcommand is not None:
        return
    from geppetto.studies import bundled_studies, load_study, terminal

    console.print(terminal.studies([load_study(name) for name in bundled_studies()]))


@studies_app.command("show")
def show_study(
    name: Annotated[
        str, typer.Argument(help="A study's name, a codebook file, or a file of sessions.")
    ],
) -> None:
    """Describe a study: where it comes from, its people, their traits and what they did."""
    from geppetto.studies import load_study, terminal

    console.print(terminal.study(load_study(name, WORKSPACE)))


@studies_app.command("check")
def check_survey(
    file: Annotated[
        str, typer.Argument(help="A codebook file, a file of sessions, or a study's name.")
    ],
) -> None:
    """List everything that is wrong with a study's data; exit code 1 if anything is."""
    from geppetto.studies import terminal
    from geppetto.studies.problems import errors
    from geppetto.studies.survey_file import check_study

    checked = check_study(file, WORKSPACE)
    console.print(terminal.check(checked))
    if errors(checked.problems):
        raise typer.Exit(1)


@personas_app.callback()
def list_personas(context: typer.Context) -> None:
    """List the strategies, or `preview` one."""
    if context.invoked_subcommand is not None:
        return
    from geppetto.personas import Format, PersonaStrategy
    from geppetto.personas.library import choices, strategy_class, strategy_files

    strategies = {name: strategy_class(name, WORKSPACE) for name in strategy_files(WORKSPACE)}
    table = Table("strategy", "what it does", "parameters of its own", box=None, header_style="dim")
    for name, strategy in sorted(strategies.items()):
        summary = (strategy.__doc__ or "").strip().split("\n\n")[0]
        base = Format if issubclass(strategy, Format) else PersonaStrategy
        own = choices(strategy, strategy.model_fields.keys() - base.model_fields.keys())
        table.add_row(name, " ".join(summary.split()), "\n".join(own))
    console.print(table)
    plain = sorted(n for n, strategy in strategies.items() if not issubclass(strategy, Format))
    said = Format.model_fields.keys() - PersonaStrategy.model_fields.keys()
    shared = Table(box=None, show_header=False)
    shared.add_row("every strategy takes", "\n".join(choices(PersonaStrategy)))
    shared.add_row(f"all but {', '.join(plain)} can also show", "\n".join(choices(Format, said)))
    console.print()
    console.print(shared)


@personas_app.command("new")
def new_strategy(
    name: Annotated[str, typer.Argument(help="What the strategy is to be called.")],
) -> None:
    """Write a strategy to start from, which runs as it is, to `personas/`."""
    from geppetto.personas import new

    console.print(Text(f"wrote {new.new_strategy(name, WORKSPACE)}; see what a model will read:"))
    console.print(Text(f"geppetto personas preview {name} --study bfi"))


@personas_app.command("preview")
def preview(
    name: Annotated[str, typer.Argument(help="A strategy's name.")],
    study: Annotated[str, typer.Option(help="A study's name, or a codebook file.")],
    participant: Annotated[
        list[str] | None,
        typer.Option(help="A participant's id; may be given again. Three are drawn if not given."),
    ] = None,
    item: Annotated[
        str | None, typer.Option(help="Item to ask; the first one if not given.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Show it in this model's own template, with its tokens.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter of the strategy, as k=5.")
    ] = None,
    layout: Annotated[
        list[str] | None, typer.Option(help="How the item is put, as answer=letter.")
    ] = None,
) -> None:
    """Print exactly what a model will read: of one participant, or of several side by side.

    An elicitation by requests adds at the end in what form to answer.
    """
    from geppetto.preview import preview as previewed
    from geppetto.reports import preview as terminal
    from geppetto.settings import settings

    found = previewed(
        name,
        settings("--set", set_ or [], "k=5"),
        study,
        WORKSPACE,
        participants=participant or [],
        item_name=item,
        layout=settings("--layout", layout or [], "answer=letter"),
        model_name=model,
    )
    console.print(terminal.preview(found))


@models_app.callback()
def list_models(context: typer.Context) -> None:
    """List the models that are installed, or `probe` any."""
    if context.invoked_subcommand is not None:
        return
    from geppetto.models.gguf import PACKAGED
    from geppetto.models.llama_cpp import LlamaCppModel
    from geppetto.reports import models as terminal

    console.print(terminal.models([LlamaCppModel(name, PACKAGED[name]()) for name in PACKAGED]))


@models_app.command("probe")
def probe_model(
    name: Annotated[
        str, typer.Argument(help="A LiteLLM name, an installed model's name, or a GGUF file.")
    ],
    api_base: Annotated[
        str, typer.Option(help="Where it is reached, if not at its provider's.")
    ] = "",
    kind: Annotated[
        Literal["chat", "base"] | None,
        typer.Option(help="Send it turns, or plain text."),
    ] = None,
    experiment: Annotated[
        Path | None,
        typer.Option(help="A file that declares the model: its parameters, prices and limits."),
    ] = None,
) -> None:
    """Ask a model a handful of cheap questions, and report what its interface gives."""
    from geppetto.answers.probes import ProbeStore
    from geppetto.models.named_speaker import declared_speaker, named_speaker
    from geppetto.models.probe import probed
    from geppetto.reports import models as terminal

    if experiment is None:
        speaker = named_speaker(name, api_base, kind)
    else:
        from geppetto.experiment import Experiment

        if api_base or kind:
            raise GeppettoError(f"{experiment} says what {name} is; leave out the other options")
        with errors_in(experiment):
            asked = Experiment.from_file(experiment)
            speaker = declared_speaker(name, asked.models, asked.precision)
    with console.status(f"asking {name}"):
        found = probed(speaker)
    ProbeStore.of_workspace(WORKSPACE).put(found)
    console.print(terminal.probe(found))


def main() -> None:
    """Run the command line; an error that a user can mend is one sentence and exit code 2."""
    from geppetto.models.secrets import read_keys

    try:
        read_keys(WORKSPACE)
        app()
    except GeppettoError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(Text(f"error: {error}"))
        sys.exit(2)
