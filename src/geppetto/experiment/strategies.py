"""Strategies as an experiment uses them: with the models that write for them, and their texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geppetto.personas.base import PersonaStrategy
from geppetto.personas.generated import GeneratedStrategy
from geppetto.personas.library import load_strategy

if TYPE_CHECKING:
    from geppetto.models.spec import ModelSpec


def open_strategy(
    name: str, parameters: Mapping[str, Any], workspace: Path, models: Sequence[ModelSpec] = ()
) -> PersonaStrategy:
    """A strategy with its parameters, and with its stored texts if a language model writes them.

    Parameters
    ----------
    name, parameters
        Which, and what it is told.
    workspace
        Folder with `personas/` and with what was written.
    models
        Those of an experiment, which a strategy may name as its writer.

    Raises
    ------
    GeppettoError
        As `load_strategy`; or if there is no such writer.
    """
    rule = load_strategy(name, parameters, workspace)
    if not isinstance(rule, GeneratedStrategy):
        return rule
    from geppetto.answers.generated_texts import GeneratedTextStore
    from geppetto.models.by_name import identity_of, named

    by = identity_of(named(rule.writer, models)).of_completions
    return rule.reading(GeneratedTextStore.of_workspace(workspace), by)
