"""Small plans of arms, and what is read under each."""

from __future__ import annotations

from collections.abc import Sequence

from fake_model import FakeModel
from geppetto.personas.arms import Arm
from geppetto.personas.base import PersonaStrategy
from geppetto.personas.library import load_strategy
from geppetto.planning.build import make_plan
from geppetto.planning.elicited import by_likelihood
from geppetto.planning.plan import Plan, Strategy
from geppetto.prompts.survey import Layout
from geppetto.studies import Participant, Study
from workspaces import ROOT


class Everything(PersonaStrategy):
    """Traits, then answers, in short lines."""

    reads_responses = True

    def write(self, participant: Participant, study: Study) -> str:
        lines = [f"{trait.name}={value}" for trait, value in study.known_traits(participant)]
        lines += [f"{item.name}={code}" for item, code in study.known_responses(participant)]
        return "\n".join(lines)


def plan(
    study: Study,
    rule: PersonaStrategy,
    arms: Sequence[Arm],
    people: str = "abcdefgh",
    label: str = "s",
) -> Plan:
    return make_plan(
        study,
        [study.people[name] for name in people],
        list(study.items),
        [Strategy(label, label, rule)],
        arms,
        Layout(),
        [by_likelihood(FakeModel())],
    )


def strategy(name: str, **parameters: object) -> PersonaStrategy:
    return load_strategy(name, parameters, ROOT)


def prompts(planned: Plan, arm: str) -> dict[tuple[str, str], str]:
    """What is read under an arm of one donor or none, by participant and item."""
    return {
        (answer.participant, answer.item): planned.prompts["fake"][answer.request].text
        for answer in planned.answers
        if answer.arm == arm
    }
