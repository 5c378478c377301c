"""Having personas written that a language model writes, before a plan is made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from geppetto.models.base import Model
from geppetto.personas.generated import GenerationRequest

if TYPE_CHECKING:
    from geppetto.models.budget import BudgetTracker
    from geppetto.planning.config import Experiment


class Planned(Protocol):
    """A plan, or what has one."""

    @property
    def pending(self) -> tuple[GenerationRequest, ...]:
        """What a language model has still to write for it."""


Made = TypeVar("Made", bound=Planned)


class Writers:
    """The models that write personas, each opened when it first has something to write.

    Parameters
    ----------
    experiment
        Whose models strategies can name as their `writer`; they can also name any other as an
        experiment would. It says too how many writings are traced.
    workspace
        Where what they write is kept.
    tracker
        What the run has spent so far, and may.
    """

    def __init__(self, experiment: Experiment, workspace: Path, tracker: BudgetTracker) -> None:
        self._experiment = experiment
        self._workspace = workspace
        self.tracker = tracker
        self._untraced = experiment.sample_traces
        self._opened: dict[str, Model] = {}

    def complete(
        self,
        plan: Callable[[], Sequence[Made]],
        on_written: Callable[[GenerationRequest], None] = lambda *_: None,
    ) -> list[Made]:
        """What `plan` gives once nothing of it is pending.

        What the average of people is, for one, is known only when it is known of whom a text could
        be written: so it may take several rounds, each of which writes all that is missing so far.

        Raises
        ------
        BudgetReached
            If the budget is; what was written until then is stored.
        GeppettoError
            As `plan`; or if something cannot be written.
        """
        made = list(plan())
        while pending := {each.id: each for one in made for each in one.pending}:
            self._write(tuple(pending.values()), on_written)
            made = list(plan())
        return made

    def _write(
        self,
        generations: tuple[GenerationRequest, ...],
        on_written: Callable[[GenerationRequest], None],
    ) -> None:
        from geppetto.answers.completions import CompletionStore
        from geppetto.answers.generated_texts import GeneratedTextStore
        from geppetto.experiment.persona_generation import refuse_without_dspy, write

        refuse_without_dspy()
        names = dict.fromkeys(each.strategy.writer for each in generations)
        models = {name: self.model(name) for name in names}
        generated_texts = GeneratedTextStore.of_workspace(self._workspace)
        completions = CompletionStore.of_workspace(self._workspace)
        first, self._untraced = (
            generations[: self._untraced],
            max(0, self._untraced - len(generations)),
        )
        if first:
            from geppetto.tracking.traces import generation_traced

            with generation_traced(self._experiment.name, self._workspace):
                write(first, models, generated_texts, completions, self.tracker, on_written)
        write(generations, models, generated_texts, completions, self.tracker, on_written)

    def model(self, name: str) -> Model:
        """The model of that name, opened once.

        Raises
        ------
        GeppettoError
            If there is none, or it cannot be opened.
        """
        if name not in self._opened:
            self._opened[name] = self._open(name)
        return self._opened[name]

    def _open(self, name: str) -> Model:
        from geppetto.models.by_name import named
        from geppetto.models.spec import open_model

        spec = named(name, self._experiment.models)
        return open_model(spec, self._experiment.precision)
