"""What is not answered yet is asked unit by unit, and nothing of it is kept in memory."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from fake_model import FakeModel
from geppetto.answers.local import Unanswered, Unit, answer, score, unanswered_of
from geppetto.answers.store import AnswerStore
from geppetto.elicitation.option_likelihood import units
from geppetto.models.token_tree import TokenTree
from geppetto.personas.arms import NoPersona, Own
from geppetto.prompts.survey import Prompt
from geppetto.studies import Study
from invented_arms import plan, strategy


def test_a_unit_is_stored_before_the_next_is_made(tmp_path: Path) -> None:
    store, model = AnswerStore.at(tmp_path / "answers.db"), FakeModel()
    options = (("1", "yes"), ("2", "no"))
    prompts = {f"r{n}": Prompt(f"{n}: ", "", f"{n}", options) for n in range(5)}
    made: list[tuple[int, int]] = []

    def work() -> Iterator[Unit]:
        for number, unit in enumerate(units(prompts, model)):
            made.append((number, len(store.get(prompts))))
            yield unit

    assert len(list(answer(model, work(), store))) == 5
    assert made == [(n, n) for n in range(5)]
    assert store.missing([*prompts, "another"]) == {"another"}


def test_units_are_asked_together_but_for_those_that_another_process_has(tmp_path: Path) -> None:
    store, model = AnswerStore.at(tmp_path / "answers.db"), FakeModel()
    options = (("1", "yes"), ("2", "no"))
    prompts = {f"r{n}": Prompt(f"{n}: ", "", f"{n}", options) for n in range(7)}
    work = list(units(prompts, model))
    model.trees_at_once = 3
    sizes: list[int] = []
    one_by_one = score(work, model)
    asked = model.score

    def counted(trees: Sequence[TokenTree]) -> list[NDArray[np.float64]]:
        sizes.append(len(trees))
        return asked(trees)

    with patch.object(model, "score", counted), store.claim(["r4"]):
        found = answer(model, work, AnswerStore.at(tmp_path / "answers.db"))
        done = [next(found) for _ in range(6)]
        assert [unit.ids for unit, here in done if here] == [(f"r{n}",) for n in (0, 1, 2, 3, 5, 6)]
        store.put("fake", {"r4": one_by_one["r4"]})
        assert next(found) == (work[4], None)
        assert next(found, None) is None
    assert sizes == [3, 1, 1, 1]
    assert store.get(prompts) == one_by_one


def test_a_plan_keeps_no_prompts_and_work_no_units(small_study: Study, tmp_path: Path) -> None:
    store, model = AnswerStore.at(tmp_path / "answers.db"), FakeModel()
    planned = plan(small_study, strategy("interview"), [NoPersona(), Own()], people="abcd")
    left = unanswered_of(planned, model, store)
    gc.collect()
    assert not [each for each in gc.get_objects() if issubclass(type(each), Prompt | Unit)]
    assert left.answers == len(planned.scored("fake")) > 0
    assert left.distinct_tokens == sum(unit.distinct_tokens for unit in left)
    for _ in answer(model, left, store):
        pass
    again = unanswered_of(planned, model, store)
    assert not again and list(again) == []
    assert (again.prompt_tokens, again.distinct_tokens) == (0, 0)


def test_what_cannot_be_asked_is_refused_before_anything_is(tmp_path: Path) -> None:
    """All units are gone through once when they are counted."""
    gone_through: list[int] = []

    def work() -> Iterator[Unit]:
        gone_through.append(1)
        yield from ()

    assert not Unanswered.of(work)
    assert gone_through == [1]
