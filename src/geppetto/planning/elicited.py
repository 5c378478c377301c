"""Models and how each of them is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from geppetto._util.errors import GeppettoError
from geppetto._util.named import Named
from geppetto.elicitation.base import Elicitation, Question
from geppetto.elicitation.likelihood import Likelihood
from geppetto.elicitation.registry import ELICITATIONS
from geppetto.models.base import Model, Scorer
from geppetto.models.identity import Precision
from geppetto.models.spec import ModelSpec, open_model


@dataclass(frozen=True)
class Elicited:
    """A model, and one way of reading its answers.

    Attributes
    ----------
    model
        Who is asked.
    elicitation, label
        How, and its label in tables.
    """

    model: Model
    elicitation: Elicitation
    label: str

    @property
    def key(self) -> tuple[str, str]:
        """The model's name and the label."""
        return self.model.identity.name, self.label

    @property
    def scorer(self) -> Scorer | None:
        """The model, if it is not asked by requests but scores what may be answered exactly."""
        return self.elicitation.scorer(self.model)

    def sent(self, question: Question) -> str:
        """What is sent first to have a question answered; several texts stand below each other."""
        requests = self.elicitation.requests(question, ())
        return "\n\n[next request]\n\n".join(dict.fromkeys(one.shown for one in requests))


def by_likelihood(model: Model) -> Elicited:
    """A model, of which the likelihood of what may be answered is read."""
    return Elicited(model, Likelihood(), Likelihood.name)


def open_elicited(
    models: Sequence[ModelSpec], elicitations: Sequence[Named], precision: Precision
) -> list[Elicited]:
    """Every model with every elicitation, each model opened once; nothing is asked yet.

    Raises
    ------
    GeppettoError
        If a model or an elicitation does not exist, or its parameters do not fit.
    """
    ways = [(named, named.one_of(ELICITATIONS, "elicitation")) for named in elicitations]
    for (one, way), (other, same) in combinations(ways, 2):
        if way == same:
            raise GeppettoError(
                f"elicitations {one.label} and {other.label} are the same; keep one of them"
            )
    return [
        Elicited(model, way, named.label)
        for model in [open_model(spec, precision) for spec in models]
        for named, way in ways
    ]
