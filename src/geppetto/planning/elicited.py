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
from geppetto.models.requests import EVERYTHING, Capabilities
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
        If a model or an elicitation does not exist, its parameters do not fit, or whatever the
        model's interface gave, it could not be asked like this.
    """
    ways = [(named, named.one_of(ELICITATIONS, "elicitation")) for named in elicitations]
    for (one, way), (other, same) in combinations(ways, 2):
        if way == same:
            raise GeppettoError(
                f"elicitations {one.label} and {other.label} are the same; keep one of them"
            )
    found = [
        Elicited(model, way, named.label)
        for model in [open_model(spec, precision) for spec in models]
        for named, way in ways
    ]
    for each in found:
        if each.scorer is None:
            refuse_lacking(each, EVERYTHING)
    return found


def refuse_lacking(elicited: Elicited, can: Capabilities, more: str = "") -> None:
    """Refuse to ask a model that gives no more than this for what it does not give.

    Parameters
    ----------
    more
        What is said after the reason.

    Raises
    ------
    GeppettoError
        If the elicitation needs more; it names the others that would do.
    """
    identity = elicited.model.identity
    if lacking := elicited.elicitation.lacks(can, identity.kind):
        others = [name for name, way in ELICITATIONS.items() if not way().lacks(can, identity.kind)]
        instead = (
            f"it can be asked by {', '.join(others)}" if others else "nothing else fits it as it is"
        )
        raise GeppettoError(
            f"elicitations: {elicited.label} does not fit {identity.name}: {lacking}; {instead}"
            f"{more}"
        )
