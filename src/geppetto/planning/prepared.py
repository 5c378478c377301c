"""An experiment whose every part was found and whose plan is made; nothing is asked yet."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version

from geppetto.models.base import Scorer
from geppetto.personas.arms import Arm
from geppetto.personas.generated import GenerationRequest
from geppetto.planning.config import Experiment
from geppetto.planning.elicited import Elicited
from geppetto.planning.plan import Plan, Strategy
from geppetto.planning.search_config import BUDGETS
from geppetto.studies import Study


@dataclass(frozen=True)
class Prepared:
    """An experiment whose every part was found and whose plan is made; nothing is asked yet."""

    experiment: Experiment
    study: Study
    elicited: tuple[Elicited, ...]
    strategies: tuple[Strategy, ...]
    arms: tuple[Arm, ...]
    plan: Plan

    @cached_property
    def scorers(self) -> tuple[Scorer, ...]:
        """The models that score exactly what may be answered."""
        return tuple(one.scorer for one in self.elicited if one.scorer is not None)

    @cached_property
    def by_requests(self) -> tuple[Elicited, ...]:
        """The models that are asked by requests, and how."""
        return tuple(one for one in self.elicited if one.scorer is None)

    @property
    def pending(self) -> tuple[GenerationRequest, ...]:
        """What a language model has still to write before there is a plan."""
        return self.plan.pending

    @property
    def in_template(self) -> frozenset[str]:
        """Names of the models that are asked in their chat template."""
        asked = (one.model.identity for one in self.elicited)
        return frozenset(identity.name for identity in asked if identity.kind == "chat")

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the plan, the data and every setting: what makes two runs the same.

        The plan has the answers to every wording, so their number is not said again. How long a
        search that it confirms may go on, and what requests may cost, is not part of it.
        """
        content = [
            self.plan.sha256,
            self.study.sha256,
            self.experiment.model_dump_json(
                exclude={"paraphrases": True, "search": BUDGETS, "budget": True}
            ),
            version("geppetto"),
        ]
        return hashlib.sha256("\n".join(content).encode()).hexdigest()
