"""What supervised twins find, in invented and real people."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from geppetto.evaluation.baselines.learners import LEARNERS
from geppetto.evaluation.baselines.rows import MARGINALS, baseline_answers
from geppetto.evaluation.baselines.skill import saved_part
from geppetto.evaluation.baselines.uninformed import folds_of
from geppetto.evaluation.individuation.statistics import individuation
from geppetto.evaluation.inference.resampling import Resampling, estimate
from geppetto.evaluation.predictions import predictions
from geppetto.planning.plan import Strategy
from geppetto.studies import Participant, Study
from invented import codebook
from invented_twins import ANSWERS, TRAITS, Reading, Shown, losses


def test_known_answers_predict_personality_and_demographics_a_little(bfi: Study) -> None:
    traits = Strategy("interview", "interview", Shown())
    known = Strategy("known_answers", "known_answers", Reading(traits=()))
    found = losses(bfi, traits, known, items=("C2", "E4", "N1"))
    assert found["logistic given interview"] < found[MARGINALS] - 0.005
    for learner in LEARNERS:
        assert found[f"{learner.name} given known_answers"] < found[MARGINALS] - 0.1


def of_two_dimensions(people: int, items: int, seed: int) -> Study:
    """Half of the items are known; all follow two dimensions of the person, and a tenth is NA."""
    names = [f"q{n}" for n in range(items)]
    four = {"options": {str(n): f"{n}" for n in range(1, 5)}, "ordinal": False}
    made = codebook(
        traits=[{"name": "age", "label": "age", "question": "How old?"}],
        scales={"four": four},
        items=[{"name": name, "text": name, "scale": "four"} for name in names],
    )
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(people, 2)) @ rng.normal(size=(2, items * 4)) * 1.5
    chosen = (logits + rng.gumbel(size=logits.shape)).reshape(people, items, 4).argmax(axis=2)
    persons = {}
    for number, codes in enumerate(chosen):
        said = {q: str(1 + code) for q, code in zip(names, codes, strict=True)}
        said = {name: code for name, code in said.items() if rng.random() > 0.1}
        persons[f"p{number:03}"] = Participant(f"p{number:03}", {}, said)
    return Study(made, persons, {})


def test_what_all_items_have_in_common_is_found_together() -> None:
    study = of_two_dimensions(300, 24, seed=3)
    found = losses(study, ANSWERS, items=study.items)
    assert found["low-rank given reading"] < found["logistic given reading"] - 0.04
    assert found["logistic given reading"] < found[MARGINALS] - 0.1


def test_settings_of_items_that_are_learned_together_suit_all_of_them(bfi: Study) -> None:
    """A penalty that suits five items lets 25 overfit, by .012 nats a response."""
    chosen = np.random.default_rng(0).choice(sorted(bfi.people), 400, replace=False)
    some = replace(bfi, people={person: bfi.people[person] for person in chosen})
    traits = Strategy("interview", "interview", Shown())
    found = losses(some, traits, items=bfi.items)
    assert found["low-rank given interview"] < found[MARGINALS] + 0.004


def test_the_best_of_equal_rivals_does_not_make_skill_smaller() -> None:
    """With a rival chosen in the sample the median is .43, of a true .5."""
    rng, folds = np.random.default_rng(5), folds_of(np.arange(100))
    shares, held = [], 0
    for run in range(300):
        none = np.full(100, 2.0)
        own = none - 0.05 + rng.normal(0, 0.15, 100)
        rivals = none[:, None] - 0.1 + rng.normal(0, 0.15, (100, 4))
        people = Resampling.of(100, draws=400, seed=run)
        share = estimate(saved_part, none, own, rivals, folds, people=people)
        shares.append(share.value)
        held += share.low <= 0.5 <= share.high
    assert abs(np.median(shares) - 0.5) < 0.035
    assert 0.925 < held / 300 < 0.995


def test_twins_that_learn_nothing_do_not_look_as_if_they_knew_the_opposite() -> None:
    """Whom a fold leaves out moves the mean that is predicted of them the other way."""
    raw, within = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        noise = codebook(
            traits=[{"name": "age", "label": "age", "question": "?"}],
            scales={"five": {"options": {str(n): str(n) for n in range(1, 6)}}},
            items=[{"name": f"q{n}", "text": "?", "scale": "five"} for n in range(6)],
        )
        people = {
            f"p{n:03}": Participant(
                f"p{n:03}",
                {"age": float(rng.integers(18, 90))},
                {f"q{item}": str(rng.integers(1, 6)) for item in range(6)},
            )
            for n in range(100)
        }
        study = Study(noise, people, {})
        rows = [
            {
                "participant": person.id,
                "item": item,
                "trial": place,
                "history": "",
                "options": tuple("12345"),
                "ordinal": True,
                "response": code,
                "cluster": None,
                "weight": 1.0,
            }
            for person in people.values()
            for place, (item, code) in enumerate(person.responses.items())
        ]
        made = predictions(baseline_answers(pd.DataFrame(rows), study, [TRAITS]))
        sample = Resampling.of(100, draws=100)
        for found in made:
            if "given" in found.condition.strategy:
                raw.append(individuation(found, sample).item_correlation.value)
                within.append(individuation(found, sample, found.pool).item_correlation.value)
    assert np.nanmean(raw) < -0.08
    assert abs(np.nanmean(within)) < 0.04
