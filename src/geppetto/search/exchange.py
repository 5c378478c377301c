"""What a written persona is worth, by exchanging whose answers it is to predict.

A persona is worth as much as it makes the answers of the person it is of likelier, less what it
makes those of a stranger likelier of whom the same is known, per item and in nats. Each stranger is
one person's only, so over people the mean is the information of the arms `own` and `shuffled`, and
what is true of everybody cancels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geppetto.answers.store import AnswerStore
from geppetto.answers.table import Normalisation
from geppetto.asking import answer
from geppetto.elicitation.option_likelihood import request_id, units
from geppetto.errors import GeppettoError
from geppetto.evaluation.arrays import Floats
from geppetto.models.base import LanguageModel
from geppetto.personas.arms import Shuffled
from geppetto.personas.known import Block, blocks, view
from geppetto.personas.strategy import Persona, PersonaStrategy
from geppetto.prompts.layout import Layout, render
from geppetto.studies import Participant, Study


@dataclass(frozen=True)
class Exchange:
    """Measures what a persona is worth; see this module.

    Attributes
    ----------
    study, layout, normalisation
        As of an experiment.
    model
        Who predicts.
    store
        Where its answers are kept.
    """

    study: Study
    layout: Layout
    model: LanguageModel
    store: AnswerStore
    normalisation: Normalisation = "sum"

    def gains(
        self, persona: Persona, person: Participant, stranger: Participant, items: Sequence[str]
    ) -> dict[str, float]:
        """By how many nats more a persona helps to predict the person than the stranger, by item.

        Only items that both have answered count.
        """
        both = [i for i in items if i in person.responses and i in stranger.responses]
        given, without = self._options(persona, both), self._options(None, both)
        found = {}
        for item in both:
            codes = list(self.study.scale(self.study.items[item]).options)
            more = given[item] - without[item]
            own, other = (codes.index(who.responses[item]) for who in (person, stranger))
            found[item] = float(more[own] - more[other])
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
    """A persona that an instruction is tried on.

    Attributes
    ----------
    person, stranger
        Whose persona it is, and whose answers it must not fit as well.
    seen
        The person as the strategy may see them.
    block
        The items that are predicted.
    """

    person: Participant
    stranger: Participant
    seen: Participant
    block: Block


def cases(
    strategy: PersonaStrategy, study: Study, people: Sequence[str], items: Sequence[str], seed: int
) -> list[Case]:
    """A case for each person and block of items; the stranger is who would get their persona.

    Raises
    ------
    GeppettoError
        If somebody has no stranger of whom the same is known.
    """
    split_items = blocks(strategy, study, items)
    persons = {name: study.people[name] for name in people}
    known = {
        name: frozenset[str]().union(
            *(view(strategy, person, study, block).known for block in split_items)
        )
        for name, person in persons.items()
    }
    drawn = Shuffled(seed=seed).draw(persons, known)
    strangers = {donor: name for name, donors in drawn.items() for donor in donors}
    found = []
    for name, person in persons.items():
        if name not in strangers:
            raise GeppettoError(
                f"participant {name} has no stranger of whom the same is known; take only people "
                "of whom everything is known (`participants: {complete: true}`)"
            )
        for block in split_items:
            seen = view(strategy, person, study, block)
            stranger = persons[strangers[name]]
            found.append(Case(person, stranger, seen, block))
    return found
