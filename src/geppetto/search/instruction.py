"""Better instructions for writers of personas: DSPy's optimisers on geppetto's own measure."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from geppetto._util.errors import GeppettoError
from geppetto.answers.client import STOPPING, clients
from geppetto.answers.completions import CompletionStore
from geppetto.answers.store import AnswerStore
from geppetto.experiment.persona_generation import program, refuse_without_dspy, writer_of
from geppetto.models.base import Model
from geppetto.models.budget import BudgetTracker
from geppetto.models.endpoint.litellm_provider import PROVIDER, Service, drawing_for, serving
from geppetto.models.gate import RequestGate
from geppetto.personas.arms import demographics
from geppetto.personas.compiled import TrainedOn, with_training
from geppetto.personas.generated import GeneratedStrategy
from geppetto.personas.visibility import visible_study
from geppetto.search.metric import Metric
from geppetto.search.optimisers import Optimiser, compiled
from geppetto.search.prepare import PreparedSearch
from geppetto.search.split import split
from geppetto.search.strict_client import all_completions
from geppetto.search.worth import Case, Worth, cases
from geppetto.studies import Study

if TYPE_CHECKING:
    import dspy


@dataclass(frozen=True)
class Optimised:
    """What an optimiser made of a strategy's instruction.

    Attributes
    ----------
    state
        File of the compiled program, to be named as a strategy's `program`.
    before, after
        What personas save over no persona, the mean over cases of that half of search people who
        say which change is kept, with the strategy's own instruction and with the compiled
        program, in nats per response.
    failed_before, failed_after
        How many of them had a text that could not be used, which counts as no persona: it saves
        0. Where personas cost more than none, that is better than a text that can be used.
    cases
        How many there are.
    optimistic
        Whether the program was chosen by these cases, so that `after` is too high by the luck of
        the best: GEPA and MIPROv2 choose so, BootstrapFewShot does not.
    changed
        Whether the program is another than the strategy's own; else it is worth the same.
    """

    state: Path
    before: float
    after: float
    failed_before: int
    failed_after: int
    cases: int
    optimistic: bool
    changed: bool

    @property
    def sentence(self) -> str:
        """What search people say, in words."""
        unusable = (
            " A text that could not be used counts as 0, as no persona does, which pays where "
            "personas cost more than none; test people of whom there is one are left out."
        ) * bool(self.failed_before or self.failed_after)
        optimistic = ", which is optimistic, since the program was chosen by them" * self.optimistic
        return (
            f"On {self.cases:,} cases of people of the search, what own personas saved over no "
            f"persona was {self.before:+.4f} nats a response with the strategy's own instruction "
            f"({self.failed_before:,} texts could not be used) and {self.after:+.4f} with the "
            f"optimised program ({self.failed_after:,}){optimistic}.{unusable}"
        )


def optimise(  # noqa: PLR0913  parts of a search that are made elsewhere
    prepared: PreparedSearch,
    strategy: GeneratedStrategy,
    optimiser: Optimiser,
    models: Mapping[str, Model],
    store: AnswerStore,
    completions: CompletionStore,
    tracker: BudgetTracker,
    to: Path,
    *,
    reflector: str,
    calls: int,
) -> Optimised:
    """Improve a strategy's instruction on the people of a search, and save the compiled program.

    Half of the search's people say how to change it, the other half which change is kept; nobody
    else is looked at. To confirm it, compare the strategy with `program` to the one without on the
    search's test people. Demonstrations, which all but "gepa" add, are data of search people, and
    stand in the file, as do the ids of all search people: no plan predicts them with it.

    Every reply is stored before anything follows from it, and drawn for this strategy and the
    search's seed. So an optimisation that was interrupted goes on from there and ends the same, and
    one with more calls or another optimiser pays for what is new.

    Parameters
    ----------
    models
        The strategy's writer and the reflector, by name.
    completions
        Where the replies of the writer and the reflector are kept.
    to
        A JSON file to write; a hash of what is in it becomes part of its name, so that no program
        takes the place of another.
    reflector
        Name of the model that proposes instructions; "bootstrap" does not ask it.
    calls
        About how many personas are written and scored while looking for a better instruction: DSPy
        ends what it has begun, so that MIPROv2 tries all cases at least twice. What it is worth
        before and after comes on top.

    Raises
    ------
    BudgetReached
        If the budget is; what was told until then is stored.
    GeppettoError
        If the strategy is asked for another wording than its first or has a program already, a
        search person cannot be described, or a request got no reply.
    KeyboardInterrupt
        If it is interrupted: the first time once the reply under way is stored, the second at once.
    """
    refuse_without_dspy()
    import dspy

    refuse(strategy)
    sides = split(
        [prepared.study.people[name] for name in prepared.split.search],
        demographics(prepared.study),
        0.5,
        prepared.settings.seed,
    )
    seed = prepared.settings.seed
    train = cases(strategy, prepared.study, sides.search, prepared.items)
    kept = cases(strategy, prepared.study, sides.test, prepared.items)
    worth = Worth(
        prepared.study,
        prepared.experiment.layout,
        prepared.model,
        store,
        prepared.experiment.normalisation,
    )
    examples = [
        dspy.Example(case=number, facts=_inputs(strategy, prepared.study, case)).with_inputs(
            "facts"
        )
        for number, case in enumerate([*train, *kept])
    ]
    metric = Metric(strategy, worth, (*train, *kept))
    to_learn, to_keep = examples[: len(train)], examples[len(train) :]
    student = program(strategy)
    own = student.dump_state()
    gate = RequestGate(tracker)
    with clients(models, completions, gate, keeps_errors=False) as asking:
        asked = {name: client.completion for name, client in asking.items()}
        with (
            all_completions(asked) as strict,
            serving(strict) as service,
            writer_of(strategy),
            drawing_for(f"optimising {strategy.made_of} {seed}"),
        ):
            reflecting = dspy.LM(
                f"{PROVIDER}/{reflector}",
                engine="litellm",
                temperature=1.0,
                max_tokens=4096,
                cache=False,
                num_retries=0,
            )
            with _finishing(service, gate):
                before = metric.mean(student, to_keep)
                better = compiled(
                    optimiser, student, metric, to_learn, to_keep, reflecting, calls, seed
                )
                changed = better.dump_state() != own
                after = metric.mean(better, to_keep) if changed else before
    return Optimised(
        _saved(better, to, TrainedOn(study=prepared.study.name, people=prepared.split.search)),
        *(before[0], after[0]),
        *(before[1], after[1]),
        cases=len(kept),
        optimistic=optimiser != "bootstrap",
        changed=changed,
    )


@contextmanager
def _finishing(service: Service, gate: RequestGate) -> Iterator[None]:
    """Let the first interrupt wait for what is under way, which is stored then.

    Raises
    ------
    KeyboardInterrupt
        If it is interrupted.
    """
    try:
        yield
    except KeyboardInterrupt:
        print(STOPPING, file=sys.stderr)
        service.loop.call_soon_threadsafe(gate.end, GeppettoError("it was interrupted"))
        wait(tuple(service.under_way))
        raise


def refuse(strategy: GeneratedStrategy) -> None:
    """Refuse a strategy that is asked for another wording than its first, or has a program already.

    That may hold answers of the people that it would be tried on.
    """
    if strategy.program is not None:
        raise GeppettoError("the strategy has a program already; leave `program` out to make one")
    if strategy.paraphrase:
        raise GeppettoError(
            f"a compiled program has instructions of its own, so it cannot be one of paraphrase "
            f"{strategy.paraphrase}; leave paraphrase out"
        )


def _saved(better: dspy.Module, to: Path, by: TrainedOn) -> Path:
    """The file of a program with whom it was made from; its name has a hash of what is in it."""
    to.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=to.parent) as folder:
        file = Path(folder) / to.name
        better.save(file)
        file.write_text(with_training(file.read_text("utf-8"), [by]), "utf-8")
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        return file.rename(to.with_stem(f"{to.stem}-{content[:8]}"))


def _inputs(strategy: GeneratedStrategy, study: Study, case: Case) -> dict[str, dict[str, Any]]:
    """What the modules are told in a case; an error if the strategy could show nothing."""
    if inputs := strategy.inputs(case.seen, visible_study(study, case.block)):
        return dict(inputs)
    raise GeppettoError(
        f"nothing is known of participant {case.person.id} that the strategy could show; take only "
        "people of whom everything is known (`participants: {complete: true}`)"
    )
