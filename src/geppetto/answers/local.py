"""Asking models for the answers of an experiment that are not stored yet."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from geppetto.answers.store import UNTIL_LOOKING_AGAIN, AnswerStore
from geppetto.elicitation import option_likelihood, transcript_likelihood
from geppetto.elicitation.option_likelihood import OptionScores
from geppetto.models.base import Scorer
from geppetto.planning.plan import Plan
from geppetto.planning.prepared import Prepared

Unit = option_likelihood.Unit | transcript_likelihood.Unit
"""Requests to one model that are computed together."""


def unanswered(prepared: Prepared, store: AnswerStore) -> dict[str, list[Unit]]:
    """The units of work that the store does not hold yet, by model name.

    Raises
    ------
    GeppettoError
        If a prompt does not fit its model.
    """
    return {
        model.identity.name: _missing(prepared.plan, model, store) for model in prepared.scorers
    }


def _missing(plan: Plan, model: Scorer, store: AnswerStore) -> list[Unit]:
    name = model.identity.name
    if name in plan.transcripts:
        responses = {
            request: (transcript, response)
            for ids, transcript in plan.transcripts[name].items()
            for request, response in zip(ids, transcript.responses, strict=True)
        }
        stored = store.get(responses)
        open_ones = {key: what for key, what in responses.items() if key not in stored}
        return list(transcript_likelihood.units(open_ones, model))
    prompts = plan.prompts[name]
    stored = store.get(prompts)
    open_prompts = {key: prompt for key, prompt in prompts.items() if key not in stored}
    return list(option_likelihood.units(open_prompts, model))


def answer(
    model: Scorer, work: Sequence[Unit], store: AnswerStore
) -> Iterator[tuple[Unit, Unit | None]]:
    """Ask a model; every unit is yielded once its answers are in the store.

    With it comes the part of it that was computed here; None if another process did it all.

    What another process is computing is left to it: other units come first, and when there are
    none, this waits until its answers are stored or its claim has ended.
    """
    remaining = list(work)
    while remaining:
        for number, unit in enumerate(remaining):
            with store.claim(unit.ids) as ids:
                if ids is None:
                    continue
                here = unit.only(ids) if ids else None
                if here is not None:
                    store.put(model.identity.name, score([here], model))
            del remaining[number]
            yield unit, here
            break
        else:
            time.sleep(UNTIL_LOOKING_AGAIN)


def score(units: Sequence[Unit], model: Scorer) -> dict[str, OptionScores]:
    """What a model says of all that some units hold, by request id."""
    trees = [unit.tree for unit in units]
    scored: dict[str, OptionScores] = {}
    for unit, tree, log_probs in zip(units, trees, model.score(trees), strict=True):
        scored |= unit.scores(tree, log_probs)
    return scored
