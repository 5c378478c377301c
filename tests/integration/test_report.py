"""One page of what was found: it fetches nothing, and shows no prompt without leave."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from command import geppetto, refused
from fake_model import invent_scores
from workspaces import tracked

FILE = """
question: Is <b>it</b> so, or "not"?
study: bfi
participants: {sample: 12, seed: 3, complete: true}
items: [A1, C1]
models: [smollm2-135m-instruct]
strategies: [interview]
arms: [none, shuffled, own]
"""


@pytest.fixture
def ran(ready: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    invent_scores(monkeypatch)
    (ready / "one.yaml").write_text(FILE)
    (ready / "two.yaml").write_text(FILE.replace("interview", "biography") + "sample_prompts: 0")
    for name in ("one", "two"):
        assert geppetto("run", f"{name}.yaml", cwd=ready).returncode == 0
    return ready


@pytest.mark.usefixtures("few_folds", "no_decoding")
def test_the_page_says_everything_and_is_the_first_file_in_mlflow(ran: Path) -> None:
    done = geppetto("report", "one.yaml", "--out", "page.html", cwd=ran)
    assert (done.returncode, done.stdout) == (0, "written: page.html\n"), done.stderr
    page = (ran / "page.html").read_text("utf-8")
    assert "<h1>Is &lt;b&gt;it&lt;/b&gt; so, or &#34;not&#34;?</h1>" in page
    titles = re.findall("<h2>(.*)</h2>", page)
    assert titles[:4] == ["Effects", "From no persona to their own", "People", "Prompts"]
    assert titles[4:] == [
        "Levels",
        "Data",
        "Verdicts, and what would undo them",
        "Methods, to paste",
    ]
    assert page.count('src="data:image/svg+xml;base64,') == 3
    assert not re.search(r"(src|href)=\"(?!data:)", page) and "@import" not in page
    assert "12 participants of the study bfi under the arms none, shuffled, own" in page
    assert "not used: 248 people under 18 years" in page and "Interviewee:" in page
    assert "model,strategy,effect,worse,better" in page and "\\begin{tabular}" in page
    client, parent, _ = tracked(ran, "one")
    first, *_ = client.list_artifacts(parent.info.run_id)
    assert first.path == "_report.html"
    logged = Path(client.download_artifacts(parent.info.run_id, first.path)).read_text("utf-8")
    assert re.findall("<h2>(.*)</h2>", logged) == titles


@pytest.mark.usefixtures("few_folds", "no_decoding", "no_figures")
def test_several_stand_side_by_side_and_no_prompt_is_shown_without_leave(ran: Path) -> None:
    assert geppetto("report", "one.yaml", "two.yaml", cwd=ran).returncode == 0
    page = (ran / "report.html").read_text("utf-8")
    assert page.count("<article>") == 2
    assert re.findall("<h2>(.*)</h2>", page)[0] == "Side by side"
    side_by_side = page[: page.index("<article>")]
    for name in ("one · bfi", "two · bfi"):
        assert f"<td>{name}</td>" in side_by_side
    assert "Interviewee:" in page.split("<article>")[1]
    assert "<h2>Prompts</h2>" not in page.split("<article>")[2]


@pytest.mark.usefixtures("few_folds", "no_decoding", "no_figures")
def test_what_fails_of_it_fails_alone(ran: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("no room")

    monkeypatch.setattr("geppetto.reports.page.methods", broken)
    done = geppetto("report", "one.yaml", cwd=ran)
    assert done.returncode == 1 and "no room" in done.stderr + done.stdout
    page = (ran / "report.html").read_text("utf-8")
    assert "no room" in page and "<h2>Effects</h2>" in page and "<h2>Methods" not in page


def test_what_was_not_run_is_refused(ready: Path) -> None:
    (ready / "one.yaml").write_text(FILE)
    assert "answers are missing; run it first" in refused(geppetto("report", "one.yaml", cwd=ready))
