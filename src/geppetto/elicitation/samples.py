"""How often a model answers with each option when it is asked many times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from geppetto.elicitation.base import Elicitation, Question, Reading, unreachable
from geppetto.elicitation.outcomes import outcome
from geppetto.elicitation.parsing import option_in, said
from geppetto.models.identity import Kind
from geppetto.models.requests import Capabilities, Completion, Request

SMOOTHING = 0.5
"""Answers that each option is given before the first sample.

Half an answer is Jeffreys' prior, whose loss in nats is near the least that is possible in the
worst case (Krichevsky and Trofimov 1981); an option that no sample named keeps a finite NLL.
"""

_ONLY = "Reply with your answer only."
_TOKENS = 64
_MARKS = 4


def answering(
    question: Question, max_tokens: int = 0, temperature: float = 0.0, top_logprobs: int = 0
) -> Request:
    """The request to answer: to a chat, which would explain itself, without anything else.

    Parameters
    ----------
    question
        What is asked.
    max_tokens
        The most that may be said; 0 for what an answer of any model needs.
    temperature, top_logprobs
        See `Request`.
    """
    chat = question.kind == "chat"
    needed = _TOKENS if chat else max(map(len, question.answers)) + _MARKS
    return question.request(
        max_tokens or needed,
        instruction=_ONLY if chat else "",
        temperature=temperature,
        top_logprobs=top_logprobs,
    )


class Samples(Elicitation):
    """The same question `k` times, for each person anew.

    Smoothing draws the distribution towards a uniform one, the more the smaller `k` is: it caps
    what a model loses that is too sure, so that effects on its NLL may even have the other sign.
    They are shown and not tested. Its Brier score, of at least two samples, is neither smoothed nor
    biased, and decides.

    Attributes
    ----------
    k
        How often it is asked.
    temperature
        1 samples what the model says as it is.
    """

    name: ClassVar[str] = "samples"

    k: int = Field(10, ge=1, le=1000)
    temperature: float = Field(1.0, ge=0, le=2)

    @model_validator(mode="after")
    def _repetitions_differ(self) -> Self:
        if self.k > 1 and self.temperature == 0:
            raise ValueError(
                "at temperature 0 all samples are one; use `k: 1` or another temperature"
            )
        return self

    @property
    def draws(self) -> bool:
        return self.temperature > 0

    def lacks(self, can: Capabilities, kind: Kind) -> str:
        if lacking := unreachable(can, kind, self.temperature):
            return lacking
        if self.draws and not can.varies:
            return (
                "it says the same however often it is asked, so that samples, and the draws of "
                "people who are put the same question, would be copies"
            )
        return ""

    def requests(
        self, question: Question, completions: Sequence[Completion]
    ) -> tuple[Request, ...]:
        return tuple(self.draw(question, sample) for sample in range(len(completions), self.k))

    def draw(self, question: Question, sample: int) -> Request:
        """The request for one of the samples."""
        once = answering(question, temperature=self.temperature)
        return once.model_copy(update={"sample": sample})

    def read(self, question: Question, completions: Sequence[Completion]) -> Reading:
        """The share of each option among the samples that answered.

        The option mass is the share of samples that answered. An option is lowest if all others
        had answered with other options, and highest if they had with this one.
        """
        texts = [said(completion, question.kind) for completion in completions]
        options = [option_in(text, question) for text in texts]
        outcomes = tuple(
            outcome(completion, question.kind, text, option is not None, question.wordings)
            for completion, text, option in zip(completions, texts, options, strict=True)
        )
        named = [
            option
            for option, became in zip(options, outcomes, strict=True)
            if option is not None and became == "answered"
        ]
        said_so = np.bincount(named, minlength=len(question.options))
        counts = said_so + SMOOTHING
        answered = len(named)
        most = self.k + SMOOTHING * len(counts)
        low = np.log(counts / most)
        high = np.log((counts + self.k - answered) / most)
        log_probs = np.log(counts / counts.sum()) + np.log(answered / self.k) if answered else ()
        return Reading(
            tuple(map(float, log_probs)),
            tuple(low.tolist()),
            tuple(high.tolist()),
            outcomes,
            counts=tuple(said_so.tolist()),
            floored=tuple((said_so == 0).tolist()),
        )
