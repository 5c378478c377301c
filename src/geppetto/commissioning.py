"""Having personas written that a language model writes, before a plan is made of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from geppetto.experiment import Experiment, Prepared, prepare_each
from geppetto.models.speaker import Speaker
from geppetto.models.spec import ModelSpec, open_model, open_speaker
from geppetto.personas.written import Commission, NotWrittenError


def prepare_written(
    experiment: Experiment,
    workspace: Path,
    on_written: Callable[[Commission], None] = lambda *_: None,
) -> list[Prepared]:
    """The plan of each study of an experiment, whose personas are written first if need be.

    Raises
    ------
    GeppettoError
        As `prepare_each`; or if something cannot be written.
    """
    speakers: dict[str, Speaker] = {}

    def speaker(name: str) -> Speaker:
        if name not in speakers:
            speakers[name] = _speaker(name, experiment, workspace)
        return speakers[name]

    def prepare() -> list[Prepared]:
        return prepare_each(experiment, workspace)

    try:
        return prepare()
    except NotWrittenError:
        from geppetto.answers.writings import WritingStore
        from geppetto.personas.writing import having_written

        store = WritingStore.of_workspace(workspace)
        return having_written(prepare, speaker, store, lambda what, _: on_written(what))


def _speaker(name: str, experiment: Experiment, workspace: Path) -> Speaker:
    """The model of this name: one of the experiment's, or any other."""
    listed = {spec.name: spec for spec in experiment.models}
    spec = listed.get(name) or ModelSpec.model_validate(name)
    if spec.model is not None:
        return open_speaker(spec, workspace)
    from geppetto.models.local_speaker import LocalSpeaker

    return LocalSpeaker(open_model(spec, experiment.precision))
