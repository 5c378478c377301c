"""The plan: which cells every arm answers, with which prompts, before anything is asked."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter
from typing import NamedTuple

from geppetto.elicitation.base import Question
from geppetto.personas.arms import Own
from geppetto.personas.base import PersonaStrategy
from geppetto.personas.donors import MatchQuality
from geppetto.personas.generated import GenerationRequest
from geppetto.planning.on_demand import OnDemand
from geppetto.prompts.survey import Prompt
from geppetto.prompts.transcript import Transcript
from geppetto.prompts.windows import Shown

_HASHED_TOGETHER = 10_000
"""Answers of a plan that are hashed at once."""

NO_STRATEGY = "none"
"""Name of the strategy of the arm without a persona."""

BASELINE = "baseline"
"""What stands for the model in the rows of predictions that no language model made."""


class Condition(NamedTuple):
    """What a model is asked with: everything about an answer but the participant and the item.

    An arm that makes several conditions of a strategy has a name for each: "without age".

    Examples
    --------
    >>> Condition("gemma-3-270m", NO_STRATEGY, "none").label
    'gemma-3-270m · none'
    """

    model: str
    strategy: str
    arm: str

    @property
    def label(self) -> str:
        """The condition in one line, without saying "none" twice."""
        return " · ".join(dict.fromkeys(self))


@dataclass(frozen=True)
class Strategy:
    """A strategy by the name of its file, and under the label that it has in tables.

    Examples
    --------
    >>> from pathlib import Path
    >>> from geppetto.personas.library import load_strategy
    >>> first = Strategy("interview", "interview", load_strategy("interview", {}, Path()))
    >>> first.is_the_same_as(Strategy("interview", "again", first.rule))
    True
    """

    name: str
    label: str
    rule: PersonaStrategy

    def is_the_same_as(self, other: Strategy) -> bool:
        """Whether both write the same personas, whatever they are called."""
        mine, theirs = self.rule.model_dump(), other.rule.model_dump()
        return (self.name, mine) == (other.name, theirs)


class PlannedAnswer(NamedTuple):
    """One cell under one condition, and the request that answers it.

    Participants with the same `pool` are those of whom the strategy may know the same things:
    only their personas can stand in for one another's. Items with the same `block` are predicted
    from one persona. `paraphrase` is the number of the persona's wording; the request has its text.
    `elicitation` is the label of how the answer is read.
    In a session `item` is the response's number from 1, `history` is "all" or how many trials
    before its own the model reads, and `presentation` how it reads them.

    Examples
    --------
    >>> PlannedAnswer("p1", "A1", "4", "gemma", "interview", "own", "p1", "5f3a").condition.label
    'gemma · interview · own'
    """

    participant: str
    item: str
    response: str
    model: str
    strategy: str
    arm: str
    donor: str
    request: str
    pool: int = 0
    block: int = 0
    paraphrase: int = 0
    elicitation: str = "likelihood"
    history: str = ""
    presentation: str = ""

    @property
    def condition(self) -> Condition:
        return Condition(self.model, self.strategy, self.arm)

    @property
    def place(self) -> tuple[object, ...]:
        """What the answers of all arms to one cell in one wording have in common."""
        place: tuple[object, ...] = _PLACE(self)
        return place

    @property
    def hashed(self) -> str:
        """What of it the hash of a plan has: what is not here stands in the request."""
        participant, item, response, model, strategy, arm, donor, request, pool, block, *_ = self
        return (
            f"PlannedAnswer(participant={participant!r}, item={item!r}, response={response!r}, "
            f"model={model!r}, strategy={strategy!r}, arm={arm!r}, donor={donor!r}, "
            f"request={request!r}, pool={pool!r}, block={block!r})"
        )


def _getting(*names: str) -> itemgetter[tuple[object, ...]]:
    return itemgetter(*map(PlannedAnswer._fields.index, names))


_CELL = _getting("participant", "item")
_CONDITION = _getting(*Condition._fields)
_READ = ("model", "strategy", "paraphrase", "elicitation", "history", "presentation")
_PLACE = _getting(*_READ, "participant", "item")
_IN_ARM = _getting("strategy", "arm")
_OF_PERSON = _getting("strategy", "participant", "request")


@dataclass(frozen=True)
class Plan:
    """Everything that will be asked, and of whom nothing can be asked and why.

    Attributes
    ----------
    answers
        Every cell under every condition; all conditions have the same cells, but for people
        without a match, of whom the arm `matched` has none.
    dropped
        Why a participant is left out of every arm, by participant id.
    prompts
        The distinct prompts of each model, by model name and request id.
    questions
        The distinct questions of each model that is asked by requests, by model name, label of the
        elicitation and request id.
    transcripts
        In a study of sessions, the distinct transcripts of each model, by model name and the
        request ids of the responses that are scored in it.
    matches
        Who has matched strangers, and how much like them these are, by the label of the strategy.
    withheld
        Items for which a trait is not shown because it was computed from them, by the label of
        the strategy and the name of the trait.
    sessions
        How much of each participant's session is shown and scored, by participant id.
    generations
        Ids of the requests of all texts that a language model wrote for it.
    pending
        Texts that a language model has still to write before there can be a plan: a plan with any
        has no answers, and is made anew once they are written.

    Examples
    --------
    >>> one = PlannedAnswer("p1", "A1", "4", "gemma", "interview", "own", "p1", "5f3a")
    >>> Plan((one,), dropped={"p2": "without a response to any of the items"}).cells
    1
    """

    answers: tuple[PlannedAnswer, ...]
    dropped: Mapping[str, str]
    prompts: Mapping[str, OnDemand[Prompt]] = field(default_factory=dict)
    questions: Mapping[tuple[str, str], OnDemand[Question]] = field(default_factory=dict)
    transcripts: Mapping[str, Mapping[tuple[str, ...], Transcript]] = field(default_factory=dict)
    matches: Mapping[str, MatchQuality] = field(default_factory=dict)
    withheld: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    sessions: Mapping[str, Shown] = field(default_factory=dict)
    generations: frozenset[str] = frozenset()
    pending: tuple[GenerationRequest, ...] = ()

    @cached_property
    def participants(self) -> list[str]:
        return list(dict.fromkeys(map(itemgetter(0), self.answers)))

    @cached_property
    def items(self) -> list[str]:
        """Names of the items; in sessions, numbers of the responses."""
        return list(dict.fromkeys(map(itemgetter(1), self.answers)))

    @cached_property
    def cells(self) -> int:
        return len(set(map(_CELL, self.answers)))

    @cached_property
    def conditions(self) -> list[Condition]:
        return [Condition(*each) for each in dict.fromkeys(map(_CONDITION, self.answers))]

    def scored(self, model: str) -> frozenset[str]:
        """Ids of the requests to a model that scores exactly what may be answered."""
        return frozenset(self.prompts.get(model, ())).union(*self.transcripts.get(model, ()))

    def read(self, model: str, requests: Collection[str]) -> dict[str, str]:
        """What such a model reads, by request id, of some of its requests."""
        prompts: Mapping[str, Prompt] = self.prompts.get(model, {})
        texts = {request: prompts[request].text for request in requests if request in prompts}
        for ids, transcript in self.transcripts.get(model, {}).items():
            texts |= dict.fromkeys(set(ids).intersection(requests), transcript.text)
        return texts

    @cached_property
    def identical_strangers(self) -> dict[tuple[str, str], float]:
        """Share of strangers' answers whose prompt is the participant's own, by strategy and arm.

        A stranger of whom the same is known can have the very same persona; that answer says
        nothing on information and pulls its mean towards zero.
        """
        own = {_OF_PERSON(one) for one in self.answers if one.arm == Own.name}
        strangers = [one for one in self.answers if one.donor] if own else []
        same = Counter(_IN_ARM(one) for one in strangers if _OF_PERSON(one) in own)
        return {arm: same[arm] / count for arm, count in Counter(map(_IN_ARM, strangers)).items()}

    @cached_property
    def sha256(self) -> str:
        """Hex digest of all that is asked: cells, conditions, donors and prompts."""
        digest = hashlib.sha256()
        for start in range(0, len(self.answers), _HASHED_TOGETHER):
            some = self.answers[start : start + _HASHED_TOGETHER]
            digest.update("".join([answer.hashed for answer in some]).encode())
        return digest.hexdigest()
