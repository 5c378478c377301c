"""Benefit: what a persona saves over the best prediction that knows nothing of the person."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from geppetto.evaluation.analysis import Analysis
from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.baselines import BASELINE, MARGINALS
from geppetto.evaluation.best_of import chosen_elsewhere, folds_of
from geppetto.evaluation.conclusions import conclusion
from geppetto.evaluation.contrasts import BENEFIT, INFORMATION, UNINFORMED
from geppetto.evaluation.differences import Differences, differences
from geppetto.evaluation.inference import infer
from geppetto.evaluation.predictions import Predictions
from geppetto.evaluation.resampling import Resampling
from geppetto.evaluation.uninformed import Uninformed, best_uninformed, candidates
from geppetto.evaluation.verdicts import Verdict
from geppetto.plan import Condition
from geppetto.pooling import _tested
from invented import circle, predicted, responses

PEOPLE, ITEMS = 300, 20


def believers(strength: float, seed: int = 0) -> list[Predictions]:
    """People with a tendency to say yes, whose personas tell it, used so many times too strongly.

    Each says yes with probability 1 / (1 + exp(-x)), x normal; a model that is told x expects
    strength * x. Others answer yes half of the time, which is what item marginals know.
    """
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 0.8, (PEOPLE, 1)) * np.ones((1, ITEMS))
    said = (rng.random(x.shape) < 1 / (1 + np.exp(-x))).astype(int)
    given = responses(said)
    yes = 1 / (1 + np.exp(-strength * x))
    personas = np.stack([1 - yes, yes], axis=-1)
    half, bad = np.full(personas.shape, 0.5), np.broadcast_to([0.8, 0.2], personas.shape)
    uniform, others = predicted(given, "none", half), predicted(given, "none", half)
    return [
        predicted(given, "none", bad),
        predicted(given, "shuffled", personas, circle(PEOPLE, (1, 7), rng)),
        predicted(given, "own", personas),
        replace(uniform, condition=Condition(BASELINE, "uniform", "none")),
        replace(others, condition=Condition(BASELINE, MARGINALS, "none")),
    ]


def test_information_grows_while_prediction_gets_worse_and_benefit_says_so() -> None:
    found = {
        strength: {
            one.contrast.name: one.persons.mean() for one in differences(believers(strength))
        }
        for strength in (1, 2, 3, 4)
    }
    information, benefit = (
        [of[name] for of in found.values()] for name in ("information", "benefit")
    )
    assert information == pytest.approx(np.arange(1, 5) * information[0], rel=0.01)
    assert benefit[0] > 0.03 and information[0] > 1.7 * benefit[0]
    assert benefit == sorted(benefit, reverse=True) and benefit[3] < -0.1


@pytest.mark.parametrize(
    ("strength", "findings", "said"),
    [
        (1, ("matters", "helps"), "people are predicted better than with a stranger's persona"),
        (4, ("matters", "hurts"), "it matters whose persona it is, but what knows nothing"),
    ],
)
def test_people_are_predicted_better_only_if_own_beats_both(
    strength: float, findings: tuple[str, str], said: str
) -> None:
    people = Resampling.of(PEOPLE, draws=400)
    verdicts = infer(differences(believers(strength)), people, Analysis(draws=400), {})
    by_name = {one.effect.contrast.name: one for one in verdicts}
    assert tuple(by_name[c.name].found for c in (INFORMATION, BENEFIT)) == findings
    assert [one.effect.contrast for one in verdicts if one.confirmatory] == [INFORMATION, BENEFIT]
    assert said in conclusion(verdicts)
    others = [one.sentence for one in verdicts]
    assert not any("predicted better" in sentence for sentence in others)
    assert (
        "under a uniform guess, the best that knows nothing of them" in by_name["benefit"].sentence
    )


def test_the_rival_is_chosen_on_other_people_and_named() -> None:
    found = believers(1)
    none = found[0]
    rivals = candidates(found, "m")
    assert [one.condition.strategy for one in rivals] == ["uniform", MARGINALS, "none"]
    favoured = none.option_log_probs.copy()
    favoured[:, : PEOPLE // 2] = -100.0  # the model is hopeless for half of the people
    favoured[:, PEOPLE // 2 :] = np.log(0.999)
    changed = replace(none, option_log_probs=favoured)
    best = best_uninformed([*rivals[:2], changed], "nll", np.ones(PEOPLE))
    assert best is not None and set(best.chosen) == {0} and best.name == "a uniform guess"
    costs = best.of([one.nll[0] for one in rivals])
    assert costs == pytest.approx(rivals[0].nll[0])
    assert len(best.beyond(PEOPLE + 3).chosen) == PEOPLE + 3
    assert best_uninformed([], "nll", np.ones(PEOPLE)) is None


def test_what_does_not_predict_everybody_is_no_rival() -> None:
    found = believers(1)
    rivals = candidates(found, "m")
    open_ones = rivals[0].option_log_probs.copy()
    open_ones[:, 3] = np.nan
    rivals[0] = replace(rivals[0], option_log_probs=open_ones)
    best = best_uninformed(rivals, "nll", np.ones(PEOPLE))
    assert best is not None and Condition(BASELINE, "uniform", "none") not in best.conditions


def against(costs: Floats, own: Floats, people: Resampling) -> Verdict:
    """The verdict on what own personas save over rivals, of what each costs each participant."""
    rows = np.arange(len(own))
    chosen = chosen_elsewhere(costs, folds_of(rows), np.ones(len(own)))
    names = [Condition(BASELINE, f"rival {number}", "none") for number in range(len(costs))]
    best = Uninformed(tuple(names), chosen)
    persons = best.of(list(costs)) - own
    one = Differences(
        *("m", "s", BENEFIT, "nll", "", rows, persons, persons, persons),
        uninformed=best,
        rivals=(costs - own).T,
    )
    (verdict,) = infer([one], people, Analysis(draws=300), {})
    return verdict


def test_where_rivals_are_about_equally_good_the_choice_is_not_taken_for_a_gain() -> None:
    """Own and three rivals are equally good; an interval of the chosen alone misses 8 to 10%."""
    rng, runs, helped, missed = np.random.default_rng(3), 400, 0, 0
    drawn = Resampling.of(60, draws=300)
    for _ in range(runs):
        verdict = against(rng.normal(size=(3, 60)), rng.normal(size=60), drawn)
        helped += verdict.finding == "positive"
        missed += verdict.effect.nats.excludes_zero()
        rival = verdict.effect.differences.uninformed
        assert rival is not None
        assert rival.is_one or "several predictions" in verdict.withheld
    assert helped / runs <= 0.035 and missed / runs <= 0.065


def of_study(names: str, rng: np.random.Generator) -> Differences:
    """What 40 people save over what was chosen for them, "a", which is worse than "b"."""
    saved = rng.normal([0.5 if name == "a" else -0.5 for name in names], 0.01, (40, len(names)))
    conditions = tuple(Condition(BASELINE, name, "none") for name in names)
    chosen = np.full(40, names.index("a"))
    persons = saved[:, chosen[0]]
    return Differences(
        *("m", "s", BENEFIT, "nll", "", np.arange(40), persons, persons, persons),
        uninformed=Uninformed(conditions, chosen),
        rivals=saved,
    )


def test_pooled_it_is_over_every_rival_of_any_study_by_its_name() -> None:
    rng, drawn = np.random.default_rng(5), Resampling.of(40, draws=300)
    studies = [of_study(names, rng) for names in ("ba", "ab", "a", "ab", "ba", "ba", "a")]
    pooled = _tested(studies, [drawn] * 7, Analysis(draws=300))
    best, rivals = pooled.effect.differences.uninformed, pooled.effect.differences.rivals
    assert best is not None and rivals is not None
    assert best.names == ["b", "a"] and (best.chosen == 1).all()
    assert np.allclose(rivals[:, 1], 0.5, atol=0.1)
    assert np.allclose(rivals[80:120, 0], 0.5, atol=0.1)  # without "b" it is over the chosen one
    assert pooled.effect.nats.value > 0.4 and pooled.p == 1  # "b" is better than the persona
    beaten = [of_study("a", rng) for _ in range(7)]
    assert _tested(beaten, [drawn] * 7, Analysis(draws=300)).p == 2 / 2**7


def test_a_persona_that_loses_to_one_rival_helps_nobody() -> None:
    rng = np.random.default_rng(6)
    (verdict,) = infer([of_study("ab", rng)], Resampling.of(40, draws=300), Analysis(draws=300), {})
    assert verdict.effect.nats.value > 0.4 and verdict.p == 1 and verdict.finding != "positive"


def test_it_is_in_the_ladder_beside_information() -> None:
    names = [one.contrast.name for one in differences(believers(2))]
    assert names == ["total", "format", "information", "benefit"]
    (one,) = (d for d in differences(believers(2)) if d.contrast == BENEFIT)
    assert one.conditions == (Condition("m", "s", UNINFORMED), Condition("m", "s", "own"))
    assert not one.people_share_personas and one.influence == pytest.approx(one.persons)
