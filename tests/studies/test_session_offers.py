"""What is on offer in sessions: announced by their text, doubted where responses tell, withheld."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from fake_model import CHATML, FakeModel
from geppetto._util.errors import GeppettoError
from geppetto.answers.local import answer, unanswered
from geppetto.answers.store import AnswerStore
from geppetto.experiment.prepare import prepare
from geppetto.experiment.results import evaluate
from geppetto.models.spec import ModelSpec
from geppetto.planning.config import Experiment
from geppetto.prompts.chat import ChatTemplate
from geppetto.reports.planned import overview
from geppetto.studies import Study, load_study
from geppetto.studies.build import Checked
from geppetto.studies.problems import errors
from geppetto.studies.sessions.announced import compiled, offers
from geppetto.studies.sessions.options import inferred
from geppetto.studies.sessions.parsing import parsed
from geppetto.studies.sessions.session import Session
from geppetto.studies.sessions.stretches import doubt
from geppetto.studies.survey_file import check_study
from invented_offers import (
    CHOOSE_FROM,
    Row,
    always,
    blocks,
    learning,
    machines,
    pairs,
    repeating,
)
from invented_sessions import sessions_file
from psych201 import psych201

CONTEXT_EFFECTS = blocks((0, 1), (0, 1, 2), trials=20)
"""Two of three machines in a first block, all three in a second one."""


def session(text: str) -> Session:
    found = parsed(text)
    assert isinstance(found, Session)
    return found


def announced(text: str, *patterns: str) -> list[tuple[str, ...] | None]:
    found = offers(session(text), [compiled(pattern) for pattern in patterns])
    return [None if offer is None else offer.options for offer in found]


def checked(folder: Path, rows: list[Row], codebook: str = "") -> Checked:
    sessions_file(folder / "task.jsonl", rows)
    (folder / "task.yaml").write_text(f"layout: sessions\ndata: task.jsonl\n{codebook}")
    found = check_study("task.yaml", folder)
    assert isinstance(found.study, Study)
    return found


def options_of(found: Checked) -> list[list[tuple[str, ...]]]:
    """The options of every response of each person."""
    people = found.study.people.values()
    return [[span.options for span in p.session.spans] for p in people if p.session]


def doubted(rows: list[Row]) -> str | None:
    sessions = {str(row["participant"]): session(row["text"]) for row in rows}
    of = inferred({"e": {name: one.responses for name, one in sessions.items()}}).of
    return doubt(sessions, of)


# Announcements


def test_an_announcement_holds_until_the_next_one() -> None:
    text = (
        "Machines A, B and C.\nYou can choose from A and B.\nYou press <<A>>.\nYou press <<B>>.\n"
        "You can choose from A, B, and C.\nYou press <<C>>.\n"
    )
    found = announced(text, *CHOOSE_FROM)
    assert found == [("A", "B"), ("A", "B"), ("A", "B", "C")]
    assert announced(text, r"from (\w), (\w), and (\w)") == [None, None, ("A", "B", "C")]


def test_options_announced_one_by_one_are_those_since_the_last_response() -> None:
    text = "X: red\nI: blue\nYour key is <<X>>.\nE: one\nQ: two\nF: three\nYour key is <<F>>.\n"
    assert announced(text, r"^(\w): ") == [("I", "X"), ("E", "F", "Q")]


def test_what_is_announced_without_an_option_is_open_for_that_response_alone() -> None:
    text = "Do you want A or B? <<A>>\nWhy? <<it is red>>\nAgain: <<B>>\n"
    assert announced(text, "want {option} or {option}?", "Why") == [("A", "B"), (), ("A", "B")]


@pytest.mark.parametrize(
    ("template", "text", "options"),
    [
        ("{option} or {option}?", "Do you take A or B? <<A>>", ("A", "B")),
        ("choose {option} or {option}", "choose left or right (now) <<left>>", ("left", "right")),
        ("choose {option} or {option}", "choose 1.5 or -5. <<-5>>", ("-5", "1.5")),
        ("take '{option}' or '{option}'", "take 'a card' or 'no card' <<a card>>",
         ("a card", "no card")),
        ("from {option}, {option} and {option}.", "from A, B and C. <<B>>", ("A", "B", "C")),
        (r"rate from (\d) to (\d)", "rate from 1 to 2 <<1>>", ("1", "2")),
    ],
)  # fmt: skip
def test_templates_take_options_as_they_are_written(
    template: str, text: str, options: tuple[str, ...]
) -> None:
    assert announced(text, template) == [options]


@pytest.mark.parametrize(
    ("announcement", "error"),
    [
        ("'(unclosed'", "no regular expression"),
        ("'{option}'", "needs words"),
        ("'{option} {option}'", "needs words"),
        ("'choose {Option}'", "{Option} is not known; write {option}"),
        ("'x*'", "fits an empty text"),
        ("'from {option} and {option}'\noptions: [A, B]", "either `options` or `announced`"),
    ],
)
def test_an_announcement_that_cannot_be_meant_is_refused(
    tmp_path: Path, announcement: str, error: str
) -> None:
    with pytest.raises(GeppettoError, match=re.escape(error)):
        checked(tmp_path, machines(always(5), people=2), f"announced: {announcement}\n")


def test_announced_options_are_each_responses_own(tmp_path: Path) -> None:
    rows = machines(CONTEXT_EFFECTS, people=4)
    found = checked(tmp_path, rows, f"announced: {[*CHOOSE_FROM]}\n")
    assert errors(found.problems) == []
    for options in options_of(found):
        assert [len(legal) for legal in options] == [2] * 20 + [3] * 20
        assert set(options[0]) < set(options[20])
    assert found.study.notes[0] == (
        "options: as the text announces them for 160 of 160 responses, 2 to 3 each"
    )


def test_a_response_that_was_not_on_offer_is_an_error_with_its_place(tmp_path: Path) -> None:
    rows = machines(pairs(5), people=3)
    rows[1]["text"] = re.sub("<<.>>", "<<A>>", rows[1]["text"], count=1)
    found = checked(tmp_path, rows, "announced: want {option} or {option}?\n")
    (error,) = errors(found.problems)
    assert error.row == 2 and error.value.startswith("response 1: A after 'want ")
    assert "a further pattern" in error.message


def test_a_pattern_that_no_text_has_is_an_error(tmp_path: Path) -> None:
    found = checked(
        tmp_path, machines(pairs(5), people=3), "announced: pick {option} or {option}\n"
    )
    (error,) = errors(found.problems)
    assert error.column == "announced" and "no text has it" in error.message


def test_one_option_is_no_choice_and_what_is_not_announced_is_open(tmp_path: Path) -> None:
    text = "Try it: <<A>>\nDo you want A? <<A>>\nDo you want A or B? <<B>>\n"
    rows = [{"text": text, "experiment": "e", "participant": n} for n in range(2)]
    codebook = "announced: ['want {option}?', 'want {option} or {option}?']\n"
    found = checked(tmp_path, rows, codebook)
    assert options_of(found) == [[(), (), ("A", "B")]] * 2
    assert "2 open, as only one option is announced" in found.study.notes[0]
    assert "2 open, as nothing is announced before them" in found.study.notes[0]


def test_published_announcements_are_read() -> None:
    """Keys that are listed line by line in one task, letters in a sentence in the other."""
    for name, pattern, sizes in (
        ("franke2024bayesian", r"^(\w): ", [4, 4, 3, 3]),
        ("thoma2025riskychoice", "marked '{option}' or marked '{option}'?", [2] * 9),
    ):
        found = load_study(str(psych201(name)))
        for person in found.people.values():
            assert person.session is not None
            made = offers(person.session, [compiled(pattern)])
            assert [len(offer.options) for offer in made if offer] == sizes
            for offer, response in zip(made, person.session.responses, strict=True):
                assert offer is not None and response in offer.options


# Doubt


@pytest.mark.parametrize(
    ("offered", "number"),
    [
        (CONTEXT_EFFECTS, 3),
        (blocks((0, 1), (1, 2), (0, 2), silent=True), 3),
        (blocks((0, 1), (2, 3), (4, 5), silent=True), 6),
        (blocks((0, 1), (0, 1, 2), silent=True), 3),
        (pairs(), 4),
    ],
    ids=[
        "two of three",
        "two of three, silently",
        "new letters",
        "one more later",
        "pairs of four",
    ],
)
def test_options_that_were_not_always_on_offer_are_doubted(offered: Any, number: int) -> None:
    for choose in (learning(0), learning(8)):
        assert doubted(machines(offered, people=25, number=number, choose=choose))


@pytest.mark.parametrize(
    "after",
    [
        " You win {points} points.\n",
        ".\n{chosen} paid {points}, {other} would have paid 1.\n",
        " You win.\nA friend recommends {other}.\n",
    ],
)
def test_nothing_is_doubted_where_all_options_are_on_offer(after: str) -> None:
    """However people choose and whatever the text names: people who learn leave options alone."""
    made = 0
    for number in (2, 3, 4):
        for people in (1, 6):
            for choose in (learning(0), learning(8), learning(20), repeating(0.9)):
                for seed in range(2):
                    rows = machines(always(), people, seed, choose, number, after)
                    made += doubted(rows) is not None
    assert made == 0


def test_an_item_that_names_its_answer_is_no_stretch() -> None:
    def quiz(rng: Any, letters: Any) -> Any:
        told = [(f"Say {letters[0]}. ", letters[:1])] * 2
        return [("", letters)] * 40 + told + [("", letters)] * 40

    assert doubted(machines(quiz, people=20)) is None


def test_forced_choices_are_doubted() -> None:
    def horizon(rng: Any, letters: Any) -> Any:
        told = [rng.choice(letters) for _ in range(4)]
        game = [(f"You must press {letter}. ", (letter,)) for letter in told]
        return (game + [("Press what you like. ", letters)] * 4) * 4

    assert "names only some" in (doubted(machines(horizon, people=20, number=2)) or "")


@pytest.mark.parametrize("declared", ["", "options: inferred\n"])
def test_doubted_options_are_withheld_until_declared(tmp_path: Path, declared: str) -> None:
    rows = machines(CONTEXT_EFFECTS, people=20)
    found = checked(tmp_path, rows, declared)
    assert errors(found.problems) == []
    assert {legal for options in options_of(found) for legal in options} == {()}
    assert "options of 20 of these people are withheld" in found.study.notes[1]
    (note,) = found.problems
    assert "`options: all`" in note.message and note.value == "invented2026/exp1.csv"
    kept = checked(tmp_path, rows, "options: all\n")
    assert {len(legal) for options in options_of(kept) for legal in options} == {3}
    assert kept.problems == () and "all the time" in kept.study.notes[0]


def test_declared_options_are_taken_at_their_word_and_said_to_look_wrong(tmp_path: Path) -> None:
    rows = machines(CONTEXT_EFFECTS, people=20)
    for row in rows:
        names = re.findall(r"[A-Z]", row["text"].splitlines()[0].removeprefix("The"))
        for name, key in zip(names, "ÄÖÜ", strict=True):
            row["text"] = re.sub(rf"\b{name}\b", key, row["text"])
    found = checked(tmp_path, rows, "options: [Ä, Ö, Ü]\n")
    (note,) = found.problems
    assert note.level == "note" and "as if all `options` were on offer" in note.message
    assert {len(legal) for options in options_of(found) for legal in options} == {3}


# What follows from them

EXPERIMENT = """
question: What is on offer?
study: task.yaml
models: [base, chat]
strategies: [interview]
arms: [none, shuffled, own]
session: {presentation: text}
analysis: {draws: 200}
"""


@pytest.fixture
def workspace_of_offers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = machines(CONTEXT_EFFECTS, people=12)
    for row in rows:
        row |= {"age": str(20 + row["participant"]), "PHQ-9": row["participant"]}
    codebook = f"announced: {[*CHOOSE_FROM]}\n"
    checked(tmp_path, rows, codebook)
    (tmp_path / "one.yaml").write_text(EXPERIMENT)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def opened(spec: ModelSpec, *_: object) -> FakeModel:
        template = ChatTemplate(source=CHATML) if spec.name == "chat" else None
        return FakeModel(spec.name, 100_000, template)

    monkeypatch.setattr("geppetto.planning.elicited.open_model", opened)
    return tmp_path


def test_every_number_is_of_what_was_on_offer(workspace_of_offers: Path) -> None:
    experiment = Experiment.from_file(workspace_of_offers / "one.yaml")
    prepared, store = (
        prepare(experiment, workspace_of_offers),
        AnswerStore.of_workspace(workspace_of_offers),
    )
    missing = unanswered(prepared, store)
    for model in prepared.scorers:
        assert list(answer(model, missing[model.identity.name], store))
    found = evaluate(prepared, store)
    answers = found.answers
    sizes = answers["options"].map(len)
    assert set(sizes) == {2, 3}
    legal = zip(answers["response"], answers["options"], strict=True)
    assert all(response in options for response, options in legal)
    assert (answers["option_log_probs"].map(len) == sizes).all()
    metrics = found.metrics().set_index(["model", "strategy", "arm"])
    even = (1 / 2 + 1 / 3) / 2, (np.log(2) + np.log(3)) / 2
    np.testing.assert_allclose(metrics["chance"], even[0])
    uniform = metrics.loc[("baseline", "uniform", "none")]
    assert uniform["nll"] == pytest.approx(even[1]) and uniform["pseudo_r2"] == pytest.approx(0)
    people = found.metrics(by="participant")
    np.testing.assert_allclose(people["nll_uniform"], even[1])
    own = answers.query("model == 'base' and arm == 'own'")
    columns = (own["option_log_probs"], own["options"], own["response"])
    nll = [
        np.logaddexp.reduce(logs) - logs[options.index(response)]
        for logs, options, response in zip(*columns, strict=True)
    ]
    assert metrics.loc[("base", "interview", "own"), "nll"] == pytest.approx(np.mean(nll))
    habit = answers.query("strategy == 'habit'").drop_duplicates(["participant", "item"])
    for _, rows in habit.groupby("participant"):
        rows = rows.sort_values("trial")
        for number, row in enumerate(rows.to_dict("records")):
            before = rows.iloc[:number]
            rate = {}
            for option in row["options"]:
                offered = sum(option in options for options in before["options"])
                rate[option] = ((before["response"] == option).sum() + 1) / (
                    offered + len(row["options"])
                )
            share = rate[row["response"]] / sum(rate.values())
            assert row["log_prob_of_options"] == pytest.approx(np.log(share))


def test_the_plan_says_how_sessions_are_read(workspace_of_offers: Path) -> None:
    def planned(presentation: str) -> str:
        text = EXPERIMENT.replace("session: {presentation: text}\n", presentation)
        (workspace_of_offers / "one.yaml").write_text(text)
        experiment = Experiment.from_file(workspace_of_offers / "one.yaml")
        console = Console(width=300)
        with console.capture() as capture:
            console.print(overview(prepare(experiment, workspace_of_offers), {}))
        return " ".join(capture.get().split())

    shown = planned("session: {presentation: text}\n")
    assert "base: base (its file carries no chat template), reads sessions as plain text;" in shown
    assert "chat: chat (its file carries a chat template), reads sessions as plain text;" in shown
    assert "system turn" not in shown
    assert "options: as the text announces them for 480 of 480 responses" in shown
    shown = planned("")
    assert "base: base (its file carries no chat template), reads sessions as plain text;" in shown
    assert (
        "chat: chat (its file carries a chat template), reads sessions as turns of its template "
        "with an explicit system turn;" in shown
    )
    (workspace_of_offers / "task.yaml").write_text("layout: sessions\ndata: task.jsonl\n")
    assert "are withheld, as some were not always on offer" in planned("")
