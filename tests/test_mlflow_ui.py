"""The MLflow UI, opened by `geppetto ui`, shows the runs and compares them."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import tracked

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
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ui")
    (folder / "seen.yaml").write_text(EXPERIMENT)
    command = [sys.executable, "-m", "geppetto", "run", "seen.yaml"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def address(workspace: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "geppetto", "ui", "--port", str(port)]
    server = subprocess.Popen(
        command, cwd=workspace, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(url, timeout=2).close()
                break
            except OSError:
                assert server.poll() is None, server.communicate()[0]
                time.sleep(0.5)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=30)


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
