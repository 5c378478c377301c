"""The probability of each option as the first token of the answer, from the top tokens there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field
from scipy.special import logsumexp

from geppetto._util.errors import GeppettoError
from geppetto._util.reasoning import split
from geppetto.elicitation.advice import other_layout
from geppetto.elicitation.base import Elicitation, Outcome, Question, Reading, unreachable
from geppetto.elicitation.bounds import Pool, bounds
from geppetto.elicitation.outcomes import of_mass, unanswered, undelivered
from geppetto.elicitation.parsing import said
from geppetto.elicitation.samples import answering
from geppetto.models.identity import Kind
from geppetto.models.log_probs import fault_of_alternatives
from geppetto.models.requests import Capabilities, Completion, Request, Token
from geppetto.prompts.survey import nested

_TOKENS = {"chat": 16, "base": 1}
"""The most that is said: a chat's first words tell a refusal from another answer."""

_FEWEST = 2
"""Alternatives that are read at least."""

_ROUNDING = 1e-6
"""Log-probabilities arrive rounded, so that what the top tokens leave is not known better."""

_SPACES = ("▁", "Ġ")
"""How vocabularies write the space before a word, where an interface does not spell it out."""


class NextToken(Elicitation):
    """One reply, of which only the alternatives to its first token are read.

    An option is spelled by its answer as written, in lower or upper case or capitalised, each with
    a space before it or without. A single letter is spelled as written only: "a" is a word, and
    would be counted for A and for no other letter. The probabilities of these tokens are added; any
    other token is not the option: "1" is never "10", nor "Dis" "Disagree".

    What is not among the top tokens is bounded. They leave a mass to all other tokens, each of
    which has at most the probability of the last top token. A space alone, or a token with which
    an answer begins, may go on to that option or not. The estimate gives none of this to options
    that were seen; one that was not seen gets as much as the last top token, together not more
    than there is: a point between the bounds. Where no option is among the top tokens there is no
    estimate: the reply is unparseable, and anything between its bounds. A reply that goes on to
    refuse, or out of its role, is no answer, whatever its first token is.

    Attributes
    ----------
    top
        How many alternatives are asked for.
    """

    name: ClassVar[str] = "next_token"

    top: int = Field(20, ge=_FEWEST, le=1000)

    def lacks(self, can: Capabilities, kind: Kind) -> str:
        if lacking := unreachable(can, kind, 0.0):
            return lacking
        if can.reasons:
            return "it reasons before it answers, so its first token is not its answer"
        if can.top_logprobs < _FEWEST:
            return "it does not give usable log-probabilities of its top tokens"
        if can.top_logprobs < self.top:
            return (
                f"it gives {can.top_logprobs} top tokens, not {self.top}; use "
                f"`next_token: {{top: {can.top_logprobs}}}`"
            )
        return ""

    def requests(
        self, question: Question, completions: Sequence[Completion]
    ) -> tuple[Request, ...]:
        """One request.

        Raises
        ------
        GeppettoError
            If answers are more than one token, or one begins another.
        """
        _refuse_unless_one_token_tells(question, completions)
        if completions:
            return ()
        return (answering(question, _TOKENS[question.kind], top_logprobs=self.top),)

    def read(self, question: Question, completions: Sequence[Completion]) -> Reading:
        count = len(question.options)
        nothing = Reading((), (-np.inf,) * count, (0.0,) * count, ())
        if not completions:
            return nothing
        (completion,) = completions
        became = _became(completion, question.kind)
        if became is not None:
            return Reading((), nothing.low, nothing.high, (became,))
        says = unanswered(said(completion, question.kind), question.wordings)
        if says in ("refusal", "out of role"):
            return Reading((), nothing.low, nothing.high, (says,))
        if fault_of_alternatives(completion.tokens[0]):
            return Reading((), nothing.low, nothing.high, ("no probabilities",))
        top = _top(completion.tokens[0])
        spellings = [_spellings(answer) for answer in question.answers]
        known = [
            float(logsumexp([-np.inf, *(top[text] for text in texts if text in top)]))
            for texts in spellings
        ]
        last = min(log_prob for _, log_prob in completion.tokens[0].top)
        left = float(np.log(max(1 - np.exp(list(top.values())).sum(), _ROUNDING)))
        unseen = [sum(text not in top for text in _with_beginnings(texts)) for texts in spellings]
        hidden = [last + np.log(number) if number else -np.inf for number in unseen]
        low, high = bounds(known, [Pool(left, tuple(map(float, hidden))), *_begun(top, spellings)])
        if max(known) == -np.inf:
            return Reading((), low, high, (says,))
        log_probs = _estimate(known, last, left)
        mass = float(np.exp(logsumexp(log_probs)))
        return Reading(log_probs, low, high, (of_mass(mass),))


def _refuse_unless_one_token_tells(question: Question, completions: Sequence[Completion]) -> None:
    why = _untold(question) or _begun_with(question, completions)
    if why:
        advice = other_layout(question, lambda other: not _untold(other))
        raise GeppettoError(f"next_token {why}; {advice}")


def _untold(question: Question) -> str:
    """Why one token cannot tell these answers, whatever the model; empty if it can."""
    if pair := nested([answer.casefold() for answer in question.answers]):
        return f"cannot tell answer {pair[0]!r} from the beginning of {pair[1]!r}"
    for answer in question.answers:
        if answer == "I":
            return "cannot tell the answer 'I' from the word with which replies begin"
        if len(answer.split()) != 1:
            return f"reads answers of one token, but {answer!r} is several"
    return ""


def _begun_with(question: Question, completions: Sequence[Completion]) -> str:
    """Which answer the model begins with a token that is not the answer; empty if none."""
    for completion in completions:
        first = _spelled(completion.tokens[0].text).strip().casefold() if completion.tokens else ""
        for answer in map(str.casefold, question.answers):
            if first and first != answer and answer.startswith(first):
                return f"reads answers of one token, but the model begins {answer!r} with {first!r}"
    return ""


def _became(completion: Completion, kind: Kind) -> Outcome | None:
    """Why the first token cannot be read, if it cannot; that the reply goes on does not matter."""
    became = undelivered(completion, kind)
    if became in ("error", "filtered"):
        return became
    if completion.reasoning or split(completion.text)[0]:  # which its first token begins
        return became or "unparseable"
    if not completion.tokens and not completion.text:
        return "unparseable"
    return None if completion.tokens and completion.tokens[0].top else "error"


def _top(token: Token) -> dict[str, float]:
    """Log-probability of each text that may stand at a token's place, itself among them."""
    top: dict[str, float] = {}
    for text, log_prob in token.top:
        text = _spelled(text)
        top[text] = float(np.logaddexp(top.get(text, -np.inf), log_prob))
    if token.log_prob is not None:
        top.setdefault(_spelled(token.text), token.log_prob)
    return top


def _spelled(text: str) -> str:
    return f" {text[1:]}" if text.startswith(_SPACES) else text


def _spellings(answer: str) -> tuple[str, ...]:
    cases = {answer: None}
    if len(answer) > 1:
        cases |= dict.fromkeys((answer.lower(), answer.upper(), answer.capitalize()))
    return tuple(space + case for space in ("", " ") for case in cases)


def _with_beginnings(spellings: Sequence[str]) -> set[str]:
    """The spellings of an answer, and what each of them can begin with as a token of its own."""
    return {text[:end] for text in spellings for end in range(1, len(text) + 1)}


def _begun(top: Mapping[str, float], spellings: Sequence[Sequence[str]]) -> list[Pool]:
    """The mass of each token with which some options begin, and which they are."""
    pools = []
    for text, log_prob in top.items():
        begins = [
            any(text and spelled != text and spelled.startswith(text) for spelled in texts)
            for texts in spellings
        ]
        if any(begins):
            pools.append(Pool(log_prob, tuple(log_prob if b else -np.inf for b in begins)))
    return pools


def _estimate(known: Sequence[float], last: float, left: float) -> tuple[float, ...]:
    unseen = sum(log_prob == -np.inf for log_prob in known)
    most = min(last, left - np.log(unseen)) if unseen else -np.inf
    return tuple(float(most) if log_prob == -np.inf else log_prob for log_prob in known)
