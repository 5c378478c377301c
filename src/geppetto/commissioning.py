"""Having personas written that a language model writes, before a plan is made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar

from geppetto.models.base import Precision
from geppetto.models.speaker import Speaker
from geppetto.models.spec import ModelSpec, open_model, open_speaker
from geppetto.personas.written import Commission, NotWrittenError

Made = TypeVar("Made")


class Writers:
    """The models that write personas, each opened when it first has something to write.

    Parameters
    ----------
    models
        Those of an experiment, which strategies can name as their `writer`; they can also name any
        other as an experiment would.
    precision
        Of local ones.
    workspace
        Where what they write is kept.
    """

    def __init__(self, models: Sequence[ModelSpec], precision: Precision, workspace: Path) -> None:
        self._listed = {spec.name: spec for spec in models}
        self._precision = precision
        self._workspace = workspace
        self.speaker = cache(self._open)

    def having_written(
        self,
        prepare: Callable[[], Made],
        on_written: Callable[[Commission], None] = lambda *_: None,
    ) -> Made:
        """What `prepare` gives, once everything is written that it needs.

        Raises
        ------
        GeppettoError
            As `prepare`; or if something cannot be written.
        """
        try:
            return prepare()
        except NotWrittenError:
            from geppetto.answers.writings import WritingStore
            from geppetto.personas.writing import having_written

            store = WritingStore.of_workspace(self._workspace)
            return having_written(prepare, self.speaker, store, lambda what, _: on_written(what))

    def _open(self, name: str) -> Speaker:
        spec = self._listed.get(name) or ModelSpec.model_validate(name)
        if spec.model is not None:
            return open_speaker(spec, self._workspace)
        from geppetto.models.local_speaker import LocalSpeaker

        return LocalSpeaker(open_model(spec, self._precision))
