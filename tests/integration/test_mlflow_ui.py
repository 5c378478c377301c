"""The MLflow UI, opened by `geppetto ui`, shows the runs and compares them."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

import geppetto
from command import geppetto as geppetto_command
from command import refused
from fake_model import invent_scores
from invented_search import confirmed
from workspaces import folds_of_two, tracked, with_store, without_figures

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt install chromium")

EXPERIMENT = """
question: Does the browser see it?
study: bfi
participants: {sample: 6, seed: 3, complete: true}
items: [A2, C3, E4, N3]
models: [smollm2-135m-instruct]
strategies: [{known_answers: {k: 4}}]
arms: [none, shuffled, own]
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    folder = with_store(tmp_path_factory.mktemp("ui"), empty_store)
    (folder / "seen.yaml").write_text(EXPERIMENT)
    for name in ("mlflow", "queue", "uvicorn"):  # no code of a workspace is run
        (folder / f"{name}.py").write_text("raise SystemExit(3)")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.delenv("GEPPETTO_ANSWERS", raising=False)
        folds_of_two(patch)
        without_figures(patch)
        invent_scores(patch)
        geppetto.run(folder / "seen.yaml", folder)
        confirmed(folder, 0, 8)
    return folder


@pytest.fixture(scope="module")
def address(workspace: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-P", "-m", "geppetto", "ui", "--port", str(port)]
    fresh = {name: value for name, value in os.environ.items() if not name.startswith("LITELLM")}
    log = workspace / "ui.log"
    with log.open("w") as said:
        server = subprocess.Popen(command, cwd=workspace, env=fresh, stdout=said, stderr=said)
    url = f"http://127.0.0.1:{port}"
    try:
        while not answers(url):
            assert server.poll() is None, log.read_text()
            time.sleep(0.5)
        yield url
    finally:
        server.terminate()
        server.wait()


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=60).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def page(address: str) -> Iterator[sync_api.Page]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page(viewport={"width": 1500, "height": 6000})
        page.set_default_timeout(60_000)
        yield page
        browser.close()


def test_a_port_in_use_is_refused_with_another_and_the_last_run_is_named(
    address: str, workspace: Path
) -> None:
    port = int(address.rpartition(":")[2])
    said = refused(geppetto_command("ui", "--port", str(port), cwd=workspace))
    (other,) = re.findall(rf"port {port} is in use; use another: geppetto ui --port (\d+)", said)
    assert int(other) > port
    client = MlflowClient(f"sqlite:///{workspace}/mlruns/mlflow.db")
    searched = client.get_experiment_by_name("invented")
    assert searched is not None
    shown = (workspace / "ui.log").read_text()
    assert f"invented: {address}/#/experiments/{searched.experiment_id}/runs" in shown


def test_the_compare_view_shows_conditions_and_their_metrics(
    page: sync_api.Page, address: str, workspace: Path
) -> None:
    _, _, every = tracked(workspace, "seen")
    runs = [run for run in every if run.data.params["model"] != "baseline"]
    ids = json.dumps([run.info.run_id for run in runs])
    experiments = json.dumps([runs[0].info.experiment_id])
    page.goto(f"{address}/#/compare-runs?runs={ids}&experiments={experiments}")
    page.get_by_text(f"Comparing {len(runs)} Runs from 1 Experiment").wait_for()
    for text in ("Parallel Coordinates Plot", "Box Plot", "own", "shuffled", "known_answers(k=4)"):
        page.get_by_text(text, exact=True).first.wait_for()
    for metric in ("accuracy", "nll", "nll_low", "nll_high"):
        page.get_by_role("link", name=metric, exact=True).wait_for()
    (own,) = [run for run in runs if run.data.params["arm"] == "own"]
    value = f"{own.data.metrics['nll']:.3f}".rstrip("0")
    page.get_by_text(value, exact=True).first.wait_for()


def test_a_run_shows_each_participant_and_the_prompt(
    page: sync_api.Page, address: str, workspace: Path
) -> None:
    client, _, runs = tracked(workspace, "seen")
    (own,) = [run for run in runs if run.data.params["arm"] == "own"]
    base = f"{address}/#/experiments/{own.info.experiment_id}/runs/{own.info.run_id}"
    page.goto(f"{base}/artifacts/participants.json")
    for text in ("participant", "accuracy", "nll"):
        page.get_by_text(text, exact=True).first.wait_for()
    page.goto(f"{base}/model-metrics")
    page.get_by_text("nll_by_rank").first.wait_for()
    (prompt,) = client.list_artifacts(own.info.run_id, "prompts")
    page.goto(f"{base}/artifacts/{prompt.path}")
    page.get_by_text("Indicate how accurately").first.wait_for()


def test_the_trials_of_a_search_are_compared(
    page: sync_api.Page, address: str, workspace: Path
) -> None:
    client = MlflowClient(f"sqlite:///{workspace}/mlruns/mlflow.db")
    searched = client.get_experiment_by_name("invented")
    assert searched is not None
    runs = client.search_runs([searched.experiment_id], "tags.geppetto.trial != ''")
    ids = json.dumps([run.info.run_id for run in runs])
    page.goto(f'{address}/#/compare-runs?runs={ids}&experiments=["{searched.experiment_id}"]')
    page.get_by_text("Comparing 8 Runs from 1 Experiment").wait_for()
    plot = page.locator(".parcoords, .js-plotly-plot").first
    plot.wait_for()
    for axis in ("answer", "k", "paraphrase", "nll"):  # those the UI shows at first
        plot.get_by_text(axis, exact=True).first.wait_for()
    page.get_by_text("Contour Plot", exact=True).first.click()
    choose(page, "X-axis", "k")
    choose(page, "Y-axis", "paraphrase")
    page.locator(".contourlayer .contour, g.contour").first.wait_for(state="attached")
    titles = page.locator(".g-xtitle, .g-ytitle")
    assert titles.all_text_contents() == ["k", "paraphrase"]
    page.get_by_text("nll", exact=True).first.wait_for()


def choose(page: sync_api.Page, label: str, option: str) -> None:
    """Choose in one of the selects of the contour plot."""
    after = "xpath=following::*[@role='combobox'][1]"
    page.locator(f"label:has-text('{label}')").locator(after).click(force=True)
    page.get_by_role("option", name=option, exact=True).first.click(force=True)


def test_a_search_shows_what_came_out(page: sync_api.Page, address: str, workspace: Path) -> None:
    client = MlflowClient(f"sqlite:///{workspace}/mlruns/mlflow.db")
    searched = client.get_experiment_by_name("invented")
    assert searched is not None
    (run,) = client.search_runs([searched.experiment_id], "attributes.run_name LIKE 'search %'")
    page.goto(f"{address}/#/experiments/{searched.experiment_id}/runs/{run.info.run_id}")
    for text in ("search_score", "test_score", "confirmation", "invented-winner (v1)"):
        page.get_by_text(text, exact=True).first.wait_for()
    page.get_by_text("Winner of 8 trials").first.wait_for()
