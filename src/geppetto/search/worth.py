"""What a written persona is worth: what it saves over no persona.

A persona is worth by how much less its person's responses cost a model that has read it than the
same model that has read none, per item and in nats. What it is compared with does not depend on the
persona, so that nothing is won by what it does to the prediction of others. Over people the mean is
the contrast `total`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geppetto.answers.local import answer
from geppetto.answers.store import AnswerStore
from geppetto.elicitation.option_likelihood import Normalisation, request_id, units
from geppetto.evaluation.arrays import Floats
from geppetto.models.base import Scorer
from geppetto.personas.base import Persona, PersonaStrategy
from geppetto.personas.visibility import Block, blocks, view
from geppetto.prompts.survey import Layout, render
from geppetto.studies import Participant, Study


@dataclass(frozen=True)
class Worth:
    """Measures what a persona is worth; see this module."""

    study: Study
    layout: Layout
    model: Scorer
    store: AnswerStore
    normalisation: Normalisation = "sum"

    def saved(
        self, persona: Persona, person: Participant, items: Sequence[str]
    ) -> dict[str, float]:
        """By how many nats a persona makes the person's response likelier, by answered item."""
        answered = [item for item in items if item in person.responses]
        stated, without = self._options(persona, answered), self._options(None, answered)
        found = {}
        for item in answered:
            codes = list(self.study.scale(self.study.items[item]).options)
            response = codes.index(person.responses[item])
            found[item] = float(stated[item][response] - without[item][response])
        return found

    def _options(self, persona: Persona | None, items: Sequence[str]) -> dict[str, Floats]:
        """Log-probabilities of the options among each other, in nats, by item."""
        prompts, ids = {}, {}
        for item in items:
            prompt = render(
                self.study, self.study.items[item], persona, self.layout, self.model.template
            )
            ids[item] = request_id(prompt, self.model.identity)
            prompts[ids[item]] = prompt
        stored = self.store.get(prompts)
        missing = {key: prompt for key, prompt in prompts.items() if key not in stored}
        for _ in answer(self.model, list(units(missing, self.model)), self.store):
            pass
        scores = self.store.get(prompts)
        found = {}
        for item, key in ids.items():
            sums = np.array(scores[key].log_probs)
            if self.normalisation == "mean":
                sums = sums / np.array(scores[key].tokens)
            found[item] = sums - np.logaddexp.reduce(sums)
        return found


@dataclass(frozen=True)
class Case:
    """A persona that an instruction is tried on; `seen` is the person as the strategy may."""

    person: Participant
    seen: Participant
    block: Block


def cases(
    strategy: PersonaStrategy, study: Study, people: Sequence[str], items: Sequence[str]
) -> list[Case]:
    """A case for each person and block of items of which they have answered any."""
    split_items = blocks(strategy, study, items)
    return [
        Case(person, view(strategy, person, study, block), block)
        for person in (study.people[name] for name in people)
        for block in split_items
        if not person.responses.keys().isdisjoint(block.predicted)
    ]
