"""Having personas written that a language model writes, before a plan is made of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from geppetto.models.speaker import Speaker
from geppetto.personas.written import Commission, NotWrittenError

if TYPE_CHECKING:
    from geppetto.experiment import Experiment
    from geppetto.spending import Spending

Made = TypeVar("Made")


class Writers:
    """The models that write personas, each opened when it first has something to write.

    Parameters
    ----------
    experiment
        Whose models strategies can name as their `writer`; they can also name any other as an
        experiment would. It says too how many writings are traced.
    workspace
        Where what they write is kept.
    spending
        What the run has spent so far, and may.
    """

    def __init__(self, experiment: Experiment, workspace: Path, spending: Spending) -> None:
        self._experiment = experiment
        self._workspace = workspace
        self.spending = spending
        self._untraced = experiment.sample_traces
        self.speaker = cache(self._open)

    def having_written(
        self,
        prepare: Callable[[], Made],
        on_written: Callable[[Commission], None] = lambda *_: None,
    ) -> Made:
        """What `prepare` gives once nothing is left to be written for it.

        What the average of people is, for one, is known only when it is known of whom a text could
        be written: so it may take several rounds, each of which writes all that is missing so far.

        Raises
        ------
        BudgetReached
            If the budget is; what was told until then is stored.
        GeppettoError
            As `prepare`; or if something cannot be written.
        """
        while True:
            try:
                return prepare()
            except NotWrittenError as missing:
                self._write(missing.commissions, on_written)

    def _write(
        self, commissions: tuple[Commission, ...], on_written: Callable[[Commission], None]
    ) -> None:
        from geppetto.answers.replies import ReplyStore
        from geppetto.answers.writings import WritingStore
        from geppetto.personas.writing import write

        names = dict.fromkeys(each.strategy.writer for each in commissions)
        speakers = {name: self.speaker(name) for name in names}
        writings = WritingStore.of_workspace(self._workspace)
        replies = ReplyStore.of_workspace(self._workspace)
        first, self._untraced = (
            commissions[: self._untraced],
            max(0, self._untraced - len(commissions)),
        )
        if first:
            from geppetto.tracking.traces import writings_traced

            with writings_traced(self._experiment.name, self._workspace):
                write(first, speakers, writings, replies, self.spending, on_written)
        write(commissions, speakers, writings, replies, self.spending, on_written)

    def _open(self, name: str) -> Speaker:
        from geppetto.models.named_speaker import named, speaker_of

        spec = named(name, self._experiment.models)
        return speaker_of(spec, self._experiment.precision)
