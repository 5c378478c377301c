"""Strategies whose supervised twins are asked about invented and real people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import pandas as pd

from geppetto.evaluation.baselines.rows import baseline_answers
from geppetto.personas import PersonaStrategy
from geppetto.planning.plan import Strategy
from geppetto.studies import Participant, Study

ITEMS = ("q0", "q1", "q2", "q3", "q4")


class Shown(PersonaStrategy):
    def write(self, participant: Participant, study: Study) -> str:
        return "x"


class Reading(Shown):
    reads_responses: ClassVar[bool] = True


TRAITS = Strategy("shown", "shown", Shown())


ANSWERS = Strategy("reading", "reading", Reading(traits=()))


def cells(study: Study, people: Iterable[str], items: Iterable[str] = ITEMS) -> pd.DataFrame:
    """Rows of the tidy table, as far as baselines read it."""
    rows = []
    for person in people:
        for item in items:
            if (response := study.people[person].responses.get(item)) is None:
                continue
            scale = study.scale(study.items[item])
            rows.append(
                {
                    "participant": person,
                    "item": item,
                    "trial": list(study.items).index(item),
                    "model": "m",
                    "strategy": "none",
                    "arm": "none",
                    "history": "",
                    "options": tuple(scale.options),
                    "ordinal": scale.ordinal,
                    "response": response,
                }
            )
    return pd.DataFrame(rows)


def losses(study: Study, *strategies: Strategy, items: Iterable[str] = ITEMS) -> dict[str, float]:
    rows = baseline_answers(cells(study, study.people, items), study, strategies)
    return dict(-rows.groupby("strategy")["log_prob"].mean())
