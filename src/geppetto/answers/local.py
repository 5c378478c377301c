"""Asking models for the exact answers of an experiment that are not stored yet."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from geppetto.answers.store import UNTIL_LOOKING_AGAIN, AnswerStore
from geppetto.elicitation import option_likelihood, transcript_likelihood
from geppetto.elicitation.option_likelihood import OptionScores
from geppetto.models.base import Scorer
from geppetto.planning.plan import Plan
from geppetto.planning.prepared import Prepared

Unit = option_likelihood.Unit | transcript_likelihood.Unit
"""Requests to one model that are computed together."""


@dataclass(frozen=True)
class Unanswered:
    """What one model has not answered yet, in units of work that are made as they are gone through.

    Attributes
    ----------
    units
        Makes the units; each of them is tokens of a few texts, and none is kept.
    answers
        Number of answers.
    prompt_tokens
        Tokens that asking for the answers one by one would compute.
    distinct_tokens
        Tokens that have to be computed.
    """

    units: Callable[[], Iterator[Unit]]
    answers: int
    prompt_tokens: int
    distinct_tokens: int

    @classmethod
    def of(cls, units: Callable[[], Iterator[Unit]]) -> Unanswered:
        """What some units hold, which are gone through once.

        Raises
        ------
        GeppettoError
            If a prompt does not fit its model.
        """
        answers = prompt_tokens = distinct_tokens = 0
        for unit in units():
            answers += len(unit.ids)
            prompt_tokens += unit.prompt_tokens
            distinct_tokens += unit.distinct_tokens
        return cls(units, answers, prompt_tokens, distinct_tokens)

    def __iter__(self) -> Iterator[Unit]:
        return self.units()

    def __bool__(self) -> bool:
        return self.answers > 0


def unanswered(prepared: Prepared, store: AnswerStore) -> dict[str, Unanswered]:
    """What the store does not hold yet, by model name.

    Raises
    ------
    GeppettoError
        If a prompt does not fit its model.
    """
    return {
        model.identity.name: unanswered_of(prepared.plan, model, store)
        for model in prepared.scorers
    }


def unanswered_of(plan: Plan, model: Scorer, store: AnswerStore) -> Unanswered:
    """What one model has not answered yet of a plan; see `unanswered`."""
    name = model.identity.name
    prompts, transcripts = plan.prompts.get(name), plan.transcripts.get(name, {})
    missing = store.missing(plan.scored(name))

    def units() -> Iterator[Unit]:
        if prompts is not None:
            yield from option_likelihood.units(prompts.only(missing), model)
        responses = {
            request: (transcript, response)
            for ids, transcript in transcripts.items()
            for request, response in zip(ids, transcript.responses, strict=True)
            if request in missing
        }
        yield from transcript_likelihood.units(responses, model)

    return Unanswered.of(units)


def answer(
    model: Scorer, work: Iterable[Unit], store: AnswerStore
) -> Iterator[tuple[Unit, Unit | None]]:
    """Ask a model; every unit is yielded once its answers are in the store.

    With it comes the part of it that was computed here; None if another process did it all.

    What another process is computing is left to it: other units come first, and when there are
    none, this waits until its answers are stored or its claim has ended.
    """
    left_to_others: list[Unit] = []
    left = iter(work)
    while some := list(islice(left, model.trees_at_once)):
        for unit, found in zip(some, _answered(some, model, store), strict=True):
            if found is None:
                left_to_others.append(unit)
            else:
                yield found
    while left_to_others:
        time.sleep(UNTIL_LOOKING_AGAIN)
        for unit in tuple(left_to_others):
            (found,) = _answered([unit], model, store)
            if found:
                left_to_others.remove(unit)
                yield found


def _answered(
    units: Sequence[Unit], model: Scorer, store: AnswerStore
) -> list[tuple[Unit, Unit | None] | None]:
    """Each unit and the part of it that is computed now; None where another process has some."""
    with store.claim([name for unit in units for name in unit.ids]) as ids:
        if ids is not None:
            own = [ids.intersection(unit.ids) for unit in units]
            here = [
                unit.only(mine) if mine else None for unit, mine in zip(units, own, strict=True)
            ]
            if ids:
                store.put(model.identity.name, score([unit for unit in here if unit], model))
            return list(zip(units, here, strict=True))
    if len(units) == 1:
        return [None]
    return [found for unit in units for found in _answered([unit], model, store)]


def score(units: Sequence[Unit], model: Scorer) -> dict[str, OptionScores]:
    """What a model says of all that some units hold, by request id."""
    trees = [unit.tree for unit in units]
    scored: dict[str, OptionScores] = {}
    for unit, tree, log_probs in zip(units, trees, model.score(trees), strict=True):
        scored |= unit.scores(tree, log_probs)
    return scored
