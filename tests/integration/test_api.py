"""Results from a notebook: the same numbers as the command line, as tables, figures and words."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import geppetto
from fake_model import invent_scores
from geppetto._util.errors import GeppettoError
from geppetto.evaluation.inference.verdicts import Verdict
from geppetto.evaluation.results import MEASURES, Results
from workspaces import folds_of_two, tracked, with_store, without_figures

EXPERIMENT = """
question: Does it run from a notebook?
study: bfi
participants: {sample: 8, seed: 3, complete: true}
items: [A2, A3, N3, N4]
models: [smollm2-135m-instruct]
strategies: [interview, {known_answers: {k: 4}}]
arms: [none, filler, human, average, {shuffled: {donors: 2}}, own]
analysis: {draws: 200, smallest_effect: 0.02}
"""


def quick(patch: pytest.MonkeyPatch) -> None:
    """Let a run have no server, no figures and a model that is none: tables are tested."""
    patch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folds_of_two(patch)
    without_figures(patch)
    invent_scores(patch)


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    folder = with_store(tmp_path_factory.mktemp("notebook"), empty_store)
    (folder / "small.yaml").write_text(EXPERIMENT)
    return folder


@pytest.fixture(scope="module")
def results(notebook: Path) -> Results:
    with pytest.MonkeyPatch.context() as patch:
        quick(patch)
        found = geppetto.run(notebook / "small.yaml", notebook)
        assert "MLFLOW_TRACKING_URI" not in os.environ, "the next workspace has a store of its own"
    return found


def test_a_second_run_asks_nothing_and_finds_the_same(notebook: Path, results: Results) -> None:
    with pytest.MonkeyPatch.context() as patch:
        quick(patch)
        again = geppetto.run(notebook / "small.yaml", notebook)
    pd.testing.assert_frame_equal(again.answers, results.answers)
    pd.testing.assert_frame_equal(again.effects(), results.effects())


def test_effects_are_rows_with_intervals_and_verdicts(results: Results) -> None:
    effects = results.effects()
    names = ["total", "length", "human", "average", "format", "information", "benefit"]
    assert effects["effect"].tolist() == names * 2
    assert (effects["nats_low"] <= effects["nats"]).all()
    assert (effects["nats"] <= effects["nats_high"]).all()
    assert effects["confirmatory"].tolist() == [n in ("information", "benefit") for n in names] * 2
    assert set(effects["verdict"]) <= {
        "matters",
        "misleads",
        "helps",
        "hurts",
        "saves",
        "costs",
        "equivalent to nothing",
        "undecided",
    }
    for _, of_strategy in effects.groupby("strategy"):
        nats = of_strategy.set_index("effect")["nats"]
        assert nats["total"] == pytest.approx(nats["format"] + nats["information"])
    assert effects["nats_per_person"].tolist() == pytest.approx((4 * effects["nats"]).tolist())


def test_effects_by_item_and_by_group_of_people(results: Results) -> None:
    whole = results.effects().set_index(["strategy", "effect"])["nats"]
    by_item = results.effects(by="item")
    assert by_item["among"].nunique() == 4
    means = by_item.groupby(["strategy", "effect"])["nats"].mean()
    assert means.loc[whole.index].to_numpy() == pytest.approx(whole.to_numpy())
    by_gender = results.effects(by="gender")
    assert set(by_gender["among"]) <= {"gender Male", "gender Female"}
    for key, rows in by_gender.groupby(["strategy", "effect"]):
        assert np.average(rows["nats"], weights=rows["participants"]) == pytest.approx(whole[key])
    assert results.effects(by="age")["among"].str.contains("up to|above").all()
    with pytest.raises(GeppettoError, match="unknown by 'agee' in study bfi; did you mean 'age'"):
        results.effects(by="agee")


def test_metrics_by_condition_participant_and_item(results: Results) -> None:
    conditions, people = results.metrics(), results.metrics(by="participant")
    assert len(people) == 8 * len(conditions)
    means = people.groupby(["model", "strategy", "arm"], sort=False)["nll"].mean()
    assert conditions["nll"].to_numpy() == pytest.approx(means.to_numpy())
    items = results.metrics(by="item")
    assert len(items) == 4 * len(conditions)
    with pytest.raises(GeppettoError, match="unknown by 'person'"):
        results.metrics(by="person")  # type: ignore[arg-type] # which is what is tested


def test_every_table_has_what_it_says(results: Results) -> None:
    individuation = results.individuation().set_index(["strategy", "arm"])
    own = individuation.loc[("known_answers(k=4)", "own")]
    assert own["top_1_chance"] == pytest.approx(1 / 8)
    assert 0 <= own["auc_low"] <= own["auc"] <= own["auc_high"] <= 1
    assert np.isnan(individuation.loc[("none", "none"), "item_correlation"])
    assert individuation.loc[("none", "none"), "variance_ratio"] == pytest.approx(0, abs=1e-9)
    calibration = results.calibration()
    assert calibration["ece"].between(0, 1).all()
    assert results.skill()["best_baseline"].str.contains("given|marginals").all()
    ceilings = results.ceilings()
    assert ceilings["r_ceiling"].to_numpy() == pytest.approx(
        np.sqrt(ceilings["reliability"].clip(0))
    )
    opinion = results.second_opinion().set_index(["strategy", "effect"])
    effects = results.effects().query("confirmatory").set_index(["strategy", "effect"])
    assert opinion.index.tolist() == effects.index.tolist()
    assert opinion["reason"].tolist() == ["it takes 15 items, not 4"] * 4


def test_measures_are_kept_apart(results: Results) -> None:
    tables = {measure: results.effects(measure=measure) for measure in MEASURES}
    assert [set(t["measure"]) for t in tables.values()] == [{measure} for measure in MEASURES]
    assert not tables["nll"]["confirmatory"].eq(tables["nll_full"]["confirmatory"]).all()
    assert tables["nll"]["nats"].tolist() != tables["nll_calibrated"]["nats"].tolist()


@pytest.mark.parametrize("name", ["effects", "participants", "calibration"])
def test_figures_are_drawn(results: Results, name: str) -> None:
    figure = getattr(results.plot, name)()
    figure.canvas.draw()
    assert figure.axes


def test_mlflow_has_the_verdicts(notebook: Path, results: Results) -> None:
    _, parent, children = tracked(notebook, "small")
    confirmatory: list[Verdict] = [v for v in results.verdicts() if v.confirmatory]
    for verdict in confirmatory:
        contrast = verdict.effect.contrast.name
        name = f"{contrast}.smollm2-135m-instruct {verdict.effect.strategy}"
        tags = {key.replace("_", ""): value for key, value in parent.data.tags.items()}
        assert tags[name.replace("_", "").replace("(", "").replace(")", "").replace("=", "")] == (
            verdict.outcome
        )
        assert verdict.sentence in parent.data.tags["mlflow.note.content"]
        (own,) = [
            run
            for run in children
            if run.data.params["strategy"] == verdict.effect.strategy
            and run.data.params["arm"] == "own"
        ]
        assert own.data.tags[f"verdict.{contrast}"] == verdict.outcome
        assert own.data.metrics[f"saved/{contrast}"] == pytest.approx(verdict.effect.nats.value)
        assert own.data.metrics["tells_apart/auc"] == pytest.approx(
            results.identified[verdict.effect.model, verdict.effect.strategy].auc.value
        )


def test_pooling_needs_different_studies(results: Results) -> None:
    with pytest.raises(GeppettoError, match="at least two different studies"):
        geppetto.pool([results, results])
