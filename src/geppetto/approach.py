"""How models are asked: exactly, option by option, or by requests and what is read of replies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from geppetto.elicitation import option_likelihood
from geppetto.elicitation.elicitation import Elicitation, Question
from geppetto.elicitation.registry import ELICITATIONS
from geppetto.errors import GeppettoError
from geppetto.models.base import LanguageModel, Precision
from geppetto.models.speaker import Speaker
from geppetto.models.spec import ModelSpec, open_model, open_speaker
from geppetto.named import Named

if TYPE_CHECKING:
    from geppetto.models.llama_cpp import LlamaCppModel

LIKELIHOOD = option_likelihood.LABEL
"""Label of the elicitation of local models that scores every option exactly."""


@dataclass(frozen=True)
class ByRequests:
    """A model that is asked by requests.

    Attributes
    ----------
    speaker
        Who is asked.
    elicitation, label
        How, and its label in tables.
    count
        How long a text is for the model: in its tokens if they are known, else in words.
    most_at_once
        How many requests it is sent at once, at most.
    """

    speaker: Speaker
    elicitation: Elicitation
    label: str
    count: Callable[[str], int]
    most_at_once: int = 1

    @property
    def key(self) -> tuple[str, str]:
        """The model's name and the label."""
        return self.speaker.identity.name, self.label

    def sent(self, question: Question) -> str:
        """What is sent first to have a question answered; several texts stand below each other."""
        requests = self.elicitation.requests(question, ())
        return "\n\n[next request]\n\n".join(dict.fromkeys(one.shown for one in requests))


Approach = LanguageModel | ByRequests
"""A model that scores options exactly, or one that is asked by requests."""


def open_approaches(
    models: Sequence[ModelSpec],
    elicitations: Sequence[Named],
    precision: Precision,
) -> list[Approach]:
    """Every model with every elicitation, each model opened once; nothing is asked yet.

    Raises
    ------
    GeppettoError
        If a model or an elicitation does not exist, or its parameters do not fit.
    """
    made: list[Approach] = []
    ways = [(named, named.one_of(ELICITATIONS, "elicitation")) for named in elicitations]
    for (one, way), (other, same) in combinations(ways, 2):
        if way == same:
            raise GeppettoError(
                f"elicitations {one.label} and {other.label} are the same; keep one of them"
            )
    for spec in models:
        if spec.model is not None:
            speaker = open_speaker(spec)
            made += [
                ByRequests(speaker, way, named.label, _words, spec.most_at_once)
                for named, way in ways
            ]
        else:
            model = open_model(spec, precision)
            made += [_locally(model, named, way) for named, way in ways]
    return made


def _locally(model: LlamaCppModel, named: Named, way: Elicitation) -> Approach:
    if named.name == LIKELIHOOD:
        return model
    from geppetto.models.local_speaker import LocalSpeaker

    return ByRequests(LocalSpeaker(model), way, named.label, lambda text: len(model.tokenize(text)))


def _words(text: str) -> int:
    return len(text.split())
