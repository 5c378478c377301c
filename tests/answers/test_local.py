"""What is not answered yet is asked unit by unit, and nothing of it is kept in memory."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

from fake_model import FakeModel
from geppetto.answers.local import Unanswered, Unit, answer, unanswered_of
from geppetto.answers.store import AnswerStore
from geppetto.elicitation.option_likelihood import units
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
