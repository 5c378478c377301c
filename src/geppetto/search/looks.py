"""Every look at people is remembered, since a claim on them has to pay for all of them."""

from __future__ import annotations

from collections.abc import Iterable

import optuna
from pydantic import BaseModel, ConfigDict

LOOKS = "looks"
"""The attribute of Optuna's study under which its looks are kept."""


class Look(BaseModel):
    """One use of people's answers: to choose a winner, or to confirm one.

    Attributes
    ----------
    question
        Hash of what was asked and how it was analysed, or the name of the search that chose; the
        same question again is the same look.
    of
        Name of the study that the people are from.
    people
        Their ids.
    """

    model_config = ConfigDict(frozen=True)

    question: str
    of: str
    people: tuple[str, ...]


def remember(study: optuna.Study, question: str, of: str, people: Iterable[str]) -> None:
    """Keep a look, before anything is seen; the same one again changes nothing."""
    mine = study.user_attrs.get(LOOKS, [])
    new = Look(question=question, of=of, people=tuple(people)).model_dump(mode="json")
    if new not in mine:
        study.set_user_attr(LOOKS, [*mine, new])


def count(
    storage: optuna.storages.RDBStorage, question: str, of: str, people: Iterable[str]
) -> int:
    """How many looks there have been at any of these people, one to answer this question included.

    Looks of all searches of the storage count, earlier and later ones: whoever evaluates an older
    claim again corrects it for what was looked at since.
    """
    asked = set(people)
    others = {
        one.question
        for study in optuna.get_all_study_summaries(storage, include_best_trial=False)
        for one in map(Look.model_validate, study.user_attrs.get(LOOKS, []))
        if one.of == of and asked & set(one.people)
    }
    return len(others | {question})
