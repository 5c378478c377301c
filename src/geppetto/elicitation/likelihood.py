"""The log-probability of each option: exact where tokens are known, else of an echoed text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, permutations
from typing import ClassVar

import numpy as np

from geppetto._util.errors import GeppettoError
from geppetto.elicitation.advice import other_layout
from geppetto.elicitation.base import Elicitation, Outcome, Question, Reading, unreachable
from geppetto.elicitation.bounds import Pool, bounds
from geppetto.elicitation.outcomes import of_mass
from geppetto.models.base import Model, Scorer
from geppetto.models.identity import Kind
from geppetto.models.local.echo import of_text
from geppetto.models.log_probs import ROUNDING, fault
from geppetto.models.requests import Capabilities, Completion, Request, Token
from geppetto.prompts.survey import nested

END = "\n"
"""What ends an answer in plain text."""

_ROUNDING = 1e-6
"""The options' probabilities arrive rounded, so that what they leave is not known better."""


class Likelihood(Elicitation):
    """Exact scores of all options; or one request an option, of a model that is no `Scorer`.

    Such a request is the question with the option as its answer, to be echoed.

    The option's tokens are those that spell the end of the text from where the answer begins; an
    echo that does not spell the text exactly is an error. Where the tokens of one option begin
    those of another, as "1" begins "10", all are sent once more with the end of the line, which
    ends an answer.
    """

    name: ClassVar[str] = "likelihood"

    def scorer(self, model: Model) -> Scorer | None:
        return model.scorer

    def lacks(self, can: Capabilities, kind: Kind) -> str:
        if lacking := unreachable(can, kind, 0.0):
            return lacking
        if kind == "chat":
            return "the text of its turns is not echoed, so options' likelihoods cannot be read"
        return "" if can.echo else "it does not give the log-probabilities of a text it is sent"

    def requests(
        self, question: Question, completions: Sequence[Completion]
    ) -> tuple[Request, ...]:
        """A request an option; one more with its end, if an option begins another.

        Raises
        ------
        GeppettoError
            If a token stands on both sides of where the answer begins.
        """
        _refuse_joined(question, completions)
        texts = _texts(question)
        if _nested(question, completions):
            texts += [text + END for text in texts]
        return tuple(
            Request(text=text, max_tokens=1, echo=True) for text in texts[len(completions) :]
        )

    def read(self, question: Question, completions: Sequence[Completion]) -> Reading:
        begin, count = len(question.plain()), len(question.options)
        texts, decisive = _texts(question), list(completions)
        before: list[Outcome] = []
        if _nested(question, completions):
            texts, decisive = [text + END for text in texts], decisive[count:]
            before = ["answered"] * count
        found = [
            _option(completion, text, begin)
            for text, completion in zip(texts, decisive, strict=False)
        ]
        outcomes: list[Outcome] = [became for became, _ in found]
        known = [log_prob for _, log_prob in found]
        known += [-np.inf] * (len(question.options) - len(known))
        mass = float(np.exp(known).sum())
        if mass > 1 + ROUNDING:
            outcomes = ["no probabilities"] * len(found)
            low, high = (-np.inf,) * len(known), (0.0,) * len(known)
            return Reading((), low, high, (*before, *outcomes))
        if outcomes == ["answered"] * len(known):
            low, high = bounds(known, [])
            return Reading(tuple(known), low, high, (*before, *(of_mass(mass),) * len(known)))
        left = float(np.log(max(1 - mass, _ROUNDING)))
        unknown = tuple(left if log_prob == -np.inf else -np.inf for log_prob in known)
        low, high = bounds(known, [Pool(left, unknown)])
        return Reading((), low, high, (*before, *outcomes))


def _texts(question: Question) -> list[str]:
    before = question.plain()
    space = "" if before.endswith((" ", "\n")) else " "
    return [before + space + answer for answer in question.answers]


def _echoed(completion: Completion, text: str) -> tuple[Token, ...] | None:
    """The tokens of a reply that spell a text; None if none do."""
    spelling = of_text(completion.tokens, text)
    return spelling if "".join(token.text for token in spelling) == text else None


def _after(tokens: Sequence[Token], begin: int) -> list[Token] | None:
    """The tokens from some place of their text on; None if one stands on both sides of it."""
    starts = list(accumulate((len(token.text) for token in tokens), initial=0))
    return list(tokens[starts.index(begin) :]) if begin in starts else None


def _option(completion: Completion, text: str, begin: int) -> tuple[Outcome, float]:
    """What became of an echo, and the log-probability from some place on, -inf if not known."""
    if completion.finish == "filter":
        return "filtered", -np.inf
    tokens = _after(_echoed(completion, text) or (), begin)
    log_probs = [token.log_prob for token in tokens or ()]
    known = [log_prob for log_prob in log_probs if log_prob is not None]
    if not known or len(known) < len(log_probs):
        return "error", -np.inf
    return ("no probabilities", -np.inf) if fault(known) else ("answered", sum(known))


def _spelled(
    question: Question, completions: Sequence[Completion]
) -> list[tuple[Token, ...] | None]:
    """The tokens that spell each option's text; None if no reply does."""
    return [
        _echoed(completion, text)
        for text, completion in zip(_texts(question), completions, strict=False)
    ]


def _nested(question: Question, completions: Sequence[Completion]) -> bool:
    """Whether the tokens of one option begin another's, as far as replies to all of them tell.

    Where they have no tokens, since they are only foreseen, it is what the options' texts say.
    """
    count = len(question.options)
    if len(completions) < count:
        return False
    if not any(completion.tokens or completion.error for completion in completions[:count]):
        return nested(question.answers) is not None
    begin = len(question.plain())
    options = [_after(tokens or (), begin) for tokens in _spelled(question, completions[:count])]
    if not all(options):
        return False
    texts = [[token.text for token in option or ()] for option in options]
    return any(long[: len(short)] == short for short, long in permutations(texts, 2))


def _refuse_joined(question: Question, completions: Sequence[Completion]) -> None:
    begin, spaced = len(question.plain()), question.cue.endswith(" ")
    spelled = _spelled(question, completions)
    for answer, tokens in zip(question.answers, spelled, strict=False):
        if tokens is not None and _after(tokens, begin) is None:
            advice = other_layout(question, lambda other: other.cue.endswith(" ") != spaced)
            raise GeppettoError(
                f"the model's tokenizer joins the end of the prompt with option {answer!r}, so "
                f"their probabilities cannot be told apart; {advice}"
            )
