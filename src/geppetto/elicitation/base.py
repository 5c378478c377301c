"""What every elicitation by requests has in common: questions in, requests out, replies read."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from geppetto.models.base import Model, Scorer
from geppetto.models.identity import Kind, ModelIdentity
from geppetto.models.requests import Capabilities, Completion, Request
from geppetto.prompts.chat import Turn

Outcome = Literal[
    "answered",
    "low option mass",
    "no probabilities",
    "refusal",
    "out of role",
    "unparseable",
    "truncated",
    "filtered",
    "error",
]
"""What became of a reply; see `geppetto.elicitation.outcomes` for the rules."""


@dataclass(frozen=True)
class Question:
    """An item as it is put before a model that is asked by requests.

    Attributes
    ----------
    turns
        Its system turn and its user turn, in which the persona stands.
    cue
        How an answer is begun for a model that reads plain text.
    options
        What may be answered, by code of the option: `("1", "1")`, `("1", "Agree")`, `("1", "A")`.
    labels
        What each option means, by code.
    kind
        Whether the model is sent turns or plain text.
    drawn_for
        See `Request`.

    Examples
    --------
    >>> asked = (Turn(role="user", content="How often?"),)
    >>> labels = (("1", "never"), ("2", "often"))
    >>> question = Question(asked, "Answer: ", (("1", "1"), ("2", "2")), labels, "base")
    >>> question.request(max_tokens=1).text
    'How often?\\nAnswer: '
    """

    turns: tuple[Turn, ...]
    cue: str
    options: tuple[tuple[str, str], ...]
    labels: tuple[tuple[str, str], ...]
    kind: Kind
    drawn_for: str = ""

    @property
    def answers(self) -> tuple[str, ...]:
        """What may be answered, in the order of the options."""
        return tuple(answer for _, answer in self.options)

    @property
    def wordings(self) -> tuple[str, ...]:
        """What may be answered, and what it means."""
        return (*self.answers, *(label for _, label in self.labels))

    def put(self, instruction: str = "") -> tuple[Turn, ...]:
        """The turns, with something more to do at the end of the last one."""
        *before, last = self.turns
        content = f"{last.content}\n\n{instruction}" if instruction else last.content
        return (*before, Turn(role=last.role, content=content))

    def plain(self, instruction: str = "", cue: str | None = None) -> str:
        """The turns as one plain text up to where the answer begins."""
        text = "\n\n".join(turn.content for turn in self.put(instruction))
        return f"{text}\n{self.cue if cue is None else cue}"

    def request(
        self,
        max_tokens: int,
        instruction: str = "",
        cue: str | None = None,
        temperature: float = 0.0,
        top_logprobs: int = 0,
    ) -> Request:
        """The request to reply to it, as turns or as plain text."""
        chat = self.kind == "chat"
        return Request(
            turns=self.put(instruction) if chat else (),
            text="" if chat else self.plain(instruction, cue),
            temperature=temperature,
            max_tokens=max_tokens,
            top_logprobs=top_logprobs,
            drawn_for=self.drawn_for,
        )


@dataclass(frozen=True)
class Reading:
    """What the replies to one question say of its options.

    Attributes
    ----------
    log_probs
        Log-probability of answering with each option at all, in nats: they sum to the option mass.
        Empty if nothing can be said.
    low, high
        Bounds of each option's log-probability among the options, in nats: what it could be given
        all that is not known (options beyond the top tokens; samples that were not answers). Equal
        to each other where everything is known. They exist even if nothing can be said.
    outcomes
        What became of each reply, in the order of the replies.
    counts
        How many samples named each option, of which `log_probs` are a smoothed estimate; empty if
        the answer was not sampled.
    floored
        Whether each option was given nothing, so that its probability is a convention: an option
        that no sample named, or that was stated to have less than half a per cent. Empty if there
        is no such convention.
    reasons
        How many of the replies, which come first, are no answers but reasons for one.

    Examples
    --------
    Of two samples, one was refused:

    >>> half = (-0.7, -0.7)
    >>> Reading(half, half, half, ("answered", "refusal"), counts=(1, 0)).parts
    (0.5, 0.5)
    """

    log_probs: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    outcomes: tuple[Outcome, ...]
    counts: tuple[int, ...] = ()
    floored: tuple[bool, ...] = ()
    reasons: int = 0

    @property
    def parts(self) -> tuple[float, ...]:
        """What share of the answer each reply decides: together they are 1.

        Reasons that were given decide nothing. Every sample decides as much as another, and so do
        reasons without which one could not be drawn. Elsewhere the answer is lost with the first
        reply that is none, which decides all, or else the last does.
        """
        failed = [outcome != "answered" for outcome in self.outcomes]
        if self.counts:
            decide = [fails or n >= self.reasons for n, fails in enumerate(failed)]
        else:
            decisive = failed.index(True) if any(failed) else len(failed) - 1
            decide = [n == decisive for n in range(len(failed))]
        return tuple(each / sum(decide) for each in decide)


class Elicitation(BaseModel, ABC):
    """A way to read a distribution over the options from a model that is asked by requests.

    One without state: what to ask next follows from the replies so far, so that an interrupted
    run asks exactly what it had not been told.

    Examples
    --------
    >>> from geppetto.elicitation.registry import ELICITATIONS
    >>> sorted(ELICITATIONS)
    ['likelihood', 'next_token', 'reasoned', 'samples', 'stated']
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ClassVar[str]
    version: ClassVar[int] = 1
    """Raised when a change of it changes replies' meaning."""

    @property
    def draws(self) -> bool:
        """Whether replies are drawn by chance, and not what the model says of the question.

        A draw that several people shared would be an error that no number of people averages out.
        What is drawn has `counts`, by which whoever reads the answers knows that the same persona
        predicts anew for each person.
        """
        return False

    def scorer(self, model: Model) -> Scorer | None:
        """The model, if it is not asked by requests but scores the options exactly."""
        return None

    @abstractmethod
    def lacks(self, can: Capabilities, kind: Kind) -> str:
        """What the model would have to give and does not; empty if it can be asked like this."""

    @abstractmethod
    def requests(
        self, question: Question, completions: Sequence[Completion]
    ) -> tuple[Request, ...]:
        """What to ask next, given the replies so far; nothing once all is asked."""

    @abstractmethod
    def read(self, question: Question, completions: Sequence[Completion]) -> Reading:
        """What all replies together say."""

    def id(self, question: Question, model: ModelIdentity) -> str:
        """Content hash of a question that is asked of a model like this."""
        content = [
            self.name,
            self.version,
            self.model_dump(),
            [turn.model_dump() for turn in question.turns],
            question.cue,
            question.options,
            question.labels,
            question.drawn_for,
            model.of_completions,
        ]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def unreachable(can: Capabilities, kind: Kind, temperature: float) -> str:
    """What a model lacks to be asked anything at all at a temperature; empty if nothing."""
    if kind == "chat" and not can.chat:
        return "it does not answer turns; declare it `kind: base`, if it continues plain text"
    if kind == "chat" and not can.system_role:
        return "it takes no system turns, in which instructions and personas stand"
    if kind == "base" and not can.completion:
        return "it does not continue plain text; declare it `kind: chat`, if it answers turns"
    if can.thinking_cut:
        return (
            "the limit ended it while it was thinking, before it said anything; let the model have "
            "more `thinking_tokens`, as in `thinking_tokens: 4000`, or less `reasoning_effort` "
            "among its parameters"
        )
    if temperature != 1 and not can.any_temperature:
        return f"it may be asked at temperature 1 only, and this asks at {temperature:g}"
    return ""
