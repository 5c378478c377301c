"""Other answers of the same person (Hwang et al. 2023): the positive control."""

import random
from typing import ClassVar, Literal

from pydantic import Field

from geppetto.personas import PersonaStrategy
from geppetto.studies import Participant, Study


class KnownAnswers(PersonaStrategy):
    """Up to `k` items that are not being predicted, each with the participant's own answer.

    Which items are shown, and in what order, is drawn from `seed`: the same for all participants
    who answered the same items. A person's answers to similar items are the best that is known
    of them, so an instrument that finds no information here could not find any elsewhere.
    Use the same `answer` as the experiment's layout does.
    """

    reads_responses: ClassVar[bool] = True

    traits: tuple[()] = ()  # it shows none
    k: int = Field(12, ge=1, le=200)
    seed: int = 0
    answer: Literal["number", "label"] = "number"

    def write(self, participant: Participant, study: Study) -> str:
        known = study.known_responses(participant)
        random.Random(self.seed).shuffle(known)
        statements = []
        for item, code in known[: self.k]:
            answer = code if self.answer == "number" else study.scale(item).options[code]
            statements.append(f"Statement: {item.text}\nAnswer: {answer}")
        return "\n\n".join(statements)
