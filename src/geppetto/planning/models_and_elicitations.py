"""How models are asked: exactly, option by option, or by requests and what is read of replies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from geppetto._util.errors import GeppettoError
from geppetto._util.named import Named
from geppetto.elicitation import likelihood as option_likelihood
from geppetto.elicitation.base import Elicitation, Question
from geppetto.elicitation.registry import ELICITATIONS
from geppetto.models.base import LanguageModel, Precision
from geppetto.models.requests import TextModel
from geppetto.models.spec import ModelSpec, open_model, open_text_model

if TYPE_CHECKING:
    from geppetto.models.local.llama_cpp import LlamaCppModel

LIKELIHOOD = option_likelihood.LABEL
"""Label of the elicitation of local models that scores every option exactly."""


@dataclass(frozen=True)
class ByRequests:
    """A model that is asked by requests.

    Attributes
    ----------
    text_model
        Who is asked.
    elicitation, label
        How, and its label in tables.
    count
        How long a text is for the model: in its tokens if they are known, else in words.
    most_at_once
        How many requests it is sent at once, at most.
    """

    text_model: TextModel
    elicitation: Elicitation
    label: str
    count: Callable[[str], int]
    most_at_once: int = 1

    @property
    def key(self) -> tuple[str, str]:
        """The model's name and the label."""
        return self.text_model.identity.name, self.label

    def sent(self, question: Question) -> str:
        """What is sent first to have a question answered; several texts stand below each other."""
        requests = self.elicitation.requests(question, ())
        return "\n\n[next request]\n\n".join(dict.fromkeys(one.shown for one in requests))


Elicited = LanguageModel | ByRequests
"""A model that scores options exactly, or one that is asked by requests."""


def open_elicited(
    models: Sequence[ModelSpec],
    elicitations: Sequence[Named],
    precision: Precision,
) -> list[Elicited]:
    """Every model with every elicitation, each model opened once; nothing is asked yet.

    Raises
    ------
    GeppettoError
        If a model or an elicitation does not exist, or its parameters do not fit.
    """
    made: list[Elicited] = []
    ways = [(named, named.one_of(ELICITATIONS, "elicitation")) for named in elicitations]
    for (one, way), (other, same) in combinations(ways, 2):
        if way == same:
            raise GeppettoError(
                f"elicitations {one.label} and {other.label} are the same; keep one of them"
            )
    for spec in models:
        if spec.model is not None:
            text_model = open_text_model(spec)
            made += [
                ByRequests(text_model, way, named.label, _words, spec.most_at_once)
                for named, way in ways
            ]
        else:
            model = open_model(spec, precision)
            made += [_locally(model, named, way) for named, way in ways]
    return made


def _locally(model: LlamaCppModel, named: Named, way: Elicitation) -> Elicited:
    if named.name == LIKELIHOOD:
        return model
    from geppetto.models.local.local_text_model import LocalTextModel

    return ByRequests(
        LocalTextModel(model), way, named.label, lambda text: len(model.tokenize(text))
    )


def _words(text: str) -> int:
    return len(text.split())
