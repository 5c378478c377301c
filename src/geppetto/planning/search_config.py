"""The `search` section of an experiment file."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from geppetto._util.errors import unknown
from geppetto._util.named import Named
from geppetto.prompts.survey import Layout

Sampler = Literal["tpe", "random", "grid", "nsga2"]

POPULATION = 20
"""Trials of a generation of the sampler nsga2; those of the first are drawn at random."""

DIRECTIONS: dict[str, Literal["maximize", "minimize"]] = {
    "information": "maximize",
    "tokens": "minimize",
    "accuracy": "maximize",
    "brier": "minimize",
    "nll": "minimize",
    "nll_full": "minimize",
    "option_mass": "maximize",
    "pseudo_r2": "maximize",
    "rps": "minimize",
    "score_error": "minimize",
}
"""What can be searched for, and which way is better.

`nll` is what people's responses cost under their own personas. `information` is what they cost
less than under strangers': it grows with how surely a persona's facts are used, also where that
makes predictions worse, since strangers' personas then cost still more. So a strategy with much
information may predict people worse than none.
"""

BUDGETS = {"trials", "minutes", "tokens", "storage"}
"""What says how long a search may go on and where it is kept, and not what it is."""


class Search(BaseModel):
    """Which strategies are tried, on whom, and what the best one is best at.

    Attributes
    ----------
    strategies
        Candidates. A parameter that is given a value has it; one that is given
        `{low: 4, high: 24}` (and `log: true`), `{choices: [...]}` or, of traits,
        `{subset: [...]}` is searched there; any other is searched by its type.
    trials
        How many candidates are tried in all.
    layout
        Names of the layout's fields that are searched; the others are the experiment's.
    objective
        What a strategy is to be good at, see `DIRECTIONS`; several make a Pareto front.
    sampler
        "tpe" learns where candidates are good, "nsga2" breeds them, "random" does neither, and
        "grid" tries every one.
    test
        Share of the participants who are kept for confirming the winner.
    batch
        People who are scored, at least, between two looks at whether a trial is hopeless.
    prune
        A trial is given up when a Wilcoxon test of its people against the best trial's has a
        p-value below this; None never gives up.
    minutes
        No trial is begun when this process has searched for so long; None sets no limit.
    tokens
        No trial is begun when the search has computed so many distinct tokens; None sets no limit.
    seed
        Seed of the split, the batches and every suggestion.
    storage
        Optuna's URL of a database; None is `mlruns/searches.db` in the workspace.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    strategies: tuple[Named, ...] = Field(min_length=1, strict=False)
    trials: int = Field(ge=1)
    layout: tuple[str, ...] = Field((), strict=False)
    objective: tuple[str, ...] = Field(("nll",), min_length=1, strict=False)
    sampler: Sampler = "tpe"
    test: float = Field(0.5, gt=0, lt=1)
    batch: int = Field(10, ge=2)
    prune: float | None = Field(0.1, gt=0, lt=1)
    minutes: float | None = Field(None, gt=0)
    tokens: int | None = Field(None, ge=1)
    seed: int = Field(0, ge=0)
    storage: str | None = None

    @field_validator("objective", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _known_and_distinct(self) -> Self:
        for what, names, known in (
            ("strategies", [each.name for each in self.strategies], None),
            ("layout", self.layout, Layout.model_fields),
            ("objective", self.objective, DIRECTIONS),
        ):
            for name in names:
                if names.count(name) > 1:
                    raise ValueError(f"{what}: {name!r} is listed twice; keep one of them")
                if known is not None and name not in known:
                    raise ValueError(str(unknown("name", name, known, what)))
        return self

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if len(self.objective) > 1 and self.prune is not None:
            raise ValueError(
                "prune: no trial can be given up early when there are several objectives; add "
                "`prune: null`, or keep one objective"
            )
        if self.sampler == "nsga2" and self.trials <= POPULATION:
            raise ValueError(
                f"trials: nsga2 draws its first {POPULATION} trials at random, so {self.trials} "
                "would be no search; give more trials, or take another sampler"
            )
        if any(each.name == "layout" for each in self.strategies):
            raise ValueError("strategies: 'layout' has another meaning here; rename its file")
        return self
