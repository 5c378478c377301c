"""What is known of the tasks and fields of Psych-201, beyond what its files say."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

import yaml
from pydantic import Field, TypeAdapter

from geppetto._util.validation import Declared
from geppetto.studies.bundled import DATA
from geppetto.studies.codebook import Source
from geppetto.studies.trait import Trait

PSYCH_201 = Source(
    origin="Psych-201",
    licence="Apache-2.0",
    citation="Binz et al. (2026). Post-training makes LLMs less human-like.",
)


class PublishedTrait(Trait):
    """A trait, by its name on the hub, and how data spell it.

    Attributes
    ----------
    words
        Whether its values are words, and what is done to them; None for a number.
    note
        Why a range or norm is left away.
    """

    spellings: tuple[str, ...]
    words: Literal["lower", "as written"] | None = None
    note: str = ""

    def trait(self, name: str, values: dict[str, str] | None) -> Trait:
        """The trait under the name of a field, with the meaning of its codes."""
        own = {"spellings", "words", "note", "name", "values"}
        return Trait(**self.model_dump(exclude=own), name=name, values=values)


class PublishedTask(Declared):
    """What the files of a task do not say.

    What several sessions with the same id are of, the field whose people belong together, and
    scores that stand for no score.
    """

    repeated_ids: Literal["same people", "different people", "unknown"] = "unknown"
    cluster: str | None = None
    defaults: dict[str, float] = Field({})


@cache
def published_traits() -> dict[str, PublishedTrait]:
    """Published traits by each of their spellings."""
    text = (DATA / "psych201_traits.yaml").read_text("utf-8")
    traits = TypeAdapter(tuple[PublishedTrait, ...]).validate_python(yaml.safe_load(text))
    return {spelling: trait for trait in traits for spelling in trait.spellings}


@cache
def published_tasks() -> dict[str, PublishedTask]:
    """Tasks that were looked at, by name."""
    text = (DATA / "psych201_tasks.yaml").read_text("utf-8")
    return TypeAdapter(dict[str, PublishedTask]).validate_python(yaml.safe_load(text))


def task_of(fields: Mapping[str, Any], experiment: str) -> str:
    """Task of a session: its `study` as on the hub, or what the path of its experiment begins with.

    Some experiments are called by the path of their author's file.
    """
    study = fields.get("study")
    if isinstance(study, str) and study:
        return study
    parts = [part for part in experiment.split("/") if part not in ("", ".", "..")]
    return parts[0] if parts else experiment
