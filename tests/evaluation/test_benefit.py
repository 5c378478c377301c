"""Benefit: what a persona saves over the best prediction that knows nothing of the person."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from geppetto.evaluation.baselines.rows import MARGINALS
from geppetto.evaluation.baselines.uninformed import Uninformed, best_uninformed, candidates
from geppetto.evaluation.contrasts import BENEFIT, INFORMATION, UNINFORMED
from geppetto.evaluation.differences import Differences, differences
from geppetto.evaluation.inference.infer import infer
from geppetto.evaluation.inference.resampling import Resampling
from geppetto.evaluation.pooling import pooled_comparison
from geppetto.planning.analysis_config import Analysis
from geppetto.planning.plan import BASELINE, Condition
from geppetto.reports.text import conclusion
from invented_benefit import PEOPLE, believers


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
    pooled = pooled_comparison(studies, [drawn] * 7, Analysis(draws=300))
    best, rivals = pooled.effect.differences.uninformed, pooled.effect.differences.rivals
    assert best is not None and rivals is not None
    assert best.names == ["b", "a"] and (best.chosen == 1).all()
    assert np.allclose(rivals[:, 1], 0.5, atol=0.1)
    assert np.allclose(rivals[80:120, 0], 0.5, atol=0.1)  # without "b" it is over the chosen one
    assert pooled.effect.nats.value > 0.4 and pooled.p == 1  # "b" is better than the persona
    beaten = [of_study("a", rng) for _ in range(7)]
    assert pooled_comparison(beaten, [drawn] * 7, Analysis(draws=300)).p == 2 / 2**7


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
