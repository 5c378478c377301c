"""Every look at people who confirm is remembered, since a claim has to pay for earlier ones."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import optuna
from pydantic import BaseModel, ConfigDict

LOOKS = "looks"
"""The attribute of Optuna's study under which its looks are kept."""


class Look(BaseModel):
    """One confirmation: whose answers were looked at, and to which question.

    Attributes
    ----------
    plan
        Hash of all that was asked; the same plan again is the same look.
    data
        Hash of the study that the people are from.
    people
        Their ids.
    began
        When, in ISO 8601.
    """

    model_config = ConfigDict(frozen=True)

    plan: str
    data: str
    people: tuple[str, ...]
    began: str


def look(
    study: optuna.Study,
    storage: optuna.storages.RDBStorage,
    plan: str,
    data: str,
    people: Iterable[str],
) -> int:
    """Remember a look before anything is seen, and say which one it is at any of these people.

    Parameters
    ----------
    study
        Of the search whose winner is confirmed.
    storage
        Where all searches are kept whose looks count.
    plan, data, people
        See `Look`.

    Returns
    -------
    int
        1 if nobody of them was looked at before by a search of this storage.
    """
    if not any(one.plan == plan for one in looks(storage)):
        new = Look(plan=plan, data=data, people=tuple(people), began=datetime.now(UTC).isoformat())
        mine = study.user_attrs.get(LOOKS, [])
        study.set_user_attr(LOOKS, [*mine, new.model_dump(mode="json")])
    earlier = looks(storage)  # after this one was written: two that begin at once see each other
    known = [one for one in earlier if one.plan == plan]
    this = min(known, key=lambda one: one.began)
    shared = {
        one.plan
        for one in looks(storage)  # again: others may have looked meanwhile
        if one.data == data and one.began < this.began and set(one.people) & set(this.people)
    }
    return 1 + len(shared - {plan})


def looks(storage: optuna.storages.RDBStorage) -> list[Look]:
    """Every look of every search of a storage, in the order in which they began."""
    found = [
        Look.model_validate(each)
        for study in optuna.get_all_study_summaries(storage, include_best_trial=False)
        for each in study.user_attrs.get(LOOKS, [])
    ]
    return sorted(found, key=lambda one: one.began)
