"""The plan of sessions: the same responses in every arm, presentation and history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fake_model import CHATML, FakeModel
from geppetto._util.errors import GeppettoError
from geppetto.elicitation.transcript_tokens import tokenised
from geppetto.experiment.prepare import prepare
from geppetto.models.base import Scorer
from geppetto.models.local.llama_cpp import LlamaCppModel
from geppetto.personas import PersonaStrategy
from geppetto.personas.arms import (
    HUMAN,
    SESSION_DONORS,
    Arm,
    Average,
    Filler,
    Human,
    Knockout,
    Matched,
    NoPersona,
    Own,
    Shuffled,
    in_sessions,
)
from geppetto.personas.library import load_strategy, strategy_class
from geppetto.personas.visibility import Block, persona, view
from geppetto.planning.build import plan_sessions
from geppetto.planning.config import Experiment
from geppetto.planning.plan import Plan, Strategy
from geppetto.planning.session_prompts import session_of
from geppetto.prompts.chat import ChatTemplate
from geppetto.prompts.session_layout import SessionLayout
from geppetto.prompts.transcript import Response, Transcript
from geppetto.studies import Participant, Study, load_study
from invented_sessions import Row, bandit, sessions_file
from workspaces import ROOT
from written import STRATEGIES

TRIALS = 8
LADDER = (
    NoPersona(),
    Filler(),
    Human(),
    Average(),
    Shuffled(donors=2),
    Matched(caliper={"age": 100.0}),
    Own(),
    Knockout(),
)
LAYOUT = SessionLayout(history=(0, 2, "all"))
INTERVIEW = load_strategy("interview", {}, ROOT)


def base(name: str = "base", context: int = 10_000) -> FakeModel:
    return FakeModel(name, context)


def chat(name: str = "chat", context: int = 10_000) -> FakeModel:
    return FakeModel(name, context, ChatTemplate(source=CHATML))


def study_of(folder: Path, rows: Sequence[Row]) -> Study:
    return load_study(str(sessions_file(folder / "bandit.jsonl", rows)))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return study_of(tmp_path_factory.mktemp("study"), bandit(6, TRIALS))


def planned(
    study: Study,
    arms: Sequence[Arm],
    models: Sequence[Scorer],
    layout: SessionLayout = LAYOUT,
    paraphrases: int = 1,
) -> Plan:
    people, strategies = (
        list(study.people.values()),
        [Strategy("interview", "interview", INTERVIEW)],
    )
    return plan_sessions(study, people, strategies, arms, layout, models, paraphrases)


def read(plan: Plan, model: str) -> dict[str, tuple[Transcript, Response]]:
    """What answers each request, by request id."""
    return {
        request: (transcript, response)
        for ids, transcript in plan.transcripts[model].items()
        for request, response in zip(ids, transcript.responses, strict=True)
    }


def texts(plan: Plan) -> dict[str, str]:
    """Everything that is read before each response, by request id."""
    return {
        request: transcript.text[: response.start]
        for model in plan.transcripts
        for request, (transcript, response) in read(plan, model).items()
    }


def responses(plan: Plan) -> dict[tuple[str, ...], Counter[tuple[str, str]]]:
    """How often each response is scored, by everything that it is scored with."""
    found: dict[tuple[str, ...], Counter[tuple[str, str]]] = {}
    for a in plan.answers:
        key = (*a.condition, a.presentation, a.history, str(a.paraphrase))
        found.setdefault(key, Counter())[a.participant, a.item] += 1
    return found


def own_persona(person: Participant, study: Study) -> str:
    block = Block((), ())
    written = persona(INTERVIEW, view(INTERVIEW, person, study, block), study, block)
    assert written is not None
    return written.text


# The same cells everywhere


@pytest.mark.parametrize("long", ["cut", "windows"])
@pytest.mark.parametrize("context", [10_000, 550])
def test_every_condition_scores_the_same_responses(study: Study, long: str, context: int) -> None:
    layout = SessionLayout.model_validate({"history": [0, 2, "all"], "long": long})
    both = layout.model_copy(update={"presentation": ("text", "turns")})
    for plan in (
        planned(study, LADDER, [base(context=context), chat()], layout),
        planned(study, LADDER, [chat(context=context)], both),
    ):
        found = responses(plan)
        assert len({condition[3:5] for condition in found}) == 6 and plan.cells > 12
        for (_, _, arm, *_), cells in found.items():
            assert set(cells.values()) == {2 if arm == "shuffled" else 1}
            assert len(cells) == plan.cells
            for person in study.people.values():
                numbers = [int(item) for name, item in cells if name == person.id]
                assert sorted(numbers) == list(range(1, plan.sessions[person.id].scored + 1))


def test_a_session_is_cut_for_the_longest_persona_and_the_smallest_model(study: Study) -> None:
    context = 450
    plan = planned(study, LADDER, [base(), base("small", context)], SessionLayout())
    assert plan.cells < len(study.people) * TRIALS
    for person in study.people.values():
        mine = [a for a in plan.answers if (a.participant, a.model) == (person.id, "small")]
        longest = max(len(read(plan, "small")[a.request][0].text) for a in mine)
        scored, session = plan.sessions[person.id].scored, session_of(person)
        assert longest < context
        assert plan.sessions[person.id].cut == TRIALS - scored > 0
        one_more = session.spans[scored].end - session.spans[scored - 1].end
        assert longest + one_more >= context
        arms = {a.arm for a in mine if len(read(plan, "small")[a.request][0].text) == longest}
        assert "none" not in arms


def test_windows_score_every_response_of_a_long_session_in_a_small_context(study: Study) -> None:
    windows = SessionLayout(long="windows")
    plan = planned(study, [NoPersona(), Shuffled(), Own()], [base(context=450)], windows)
    assert plan.cells == len(study.people) * TRIALS
    transcripts = plan.transcripts["base"].values()
    assert max(len(transcript.text) for transcript in transcripts) < 450
    later = [transcript for transcript in transcripts if transcript.responses[0].number > 0]
    assert later
    for transcript in later:
        assert 0 < transcript.head < transcript.breaks[1] < transcript.responses[0].start


def test_somebody_whose_first_trial_does_not_fit_is_left_out_everywhere(tmp_path: Path) -> None:
    rows = bandit(5, TRIALS)
    rows[1]["text"] = f"{'Read this. ' * 100}\n" + rows[1]["text"]
    study = study_of(tmp_path, rows)
    plan = planned(study, [NoPersona(), Shuffled(), Own()], [base(), base("small", 1000)])
    assert plan.dropped == {"2": "whose first trial does not fit into the context"}
    assert plan.participants == ["1", "3", "4", "5"]
    assert "2" not in {answer.donor for answer in plan.answers} | set(plan.sessions)
    with pytest.raises(GeppettoError, match="5 whose first trial does not fit into the context"):
        planned(study, [Own()], [base(context=100)])


# What each arm reads


def test_fillers_are_as_long_as_personas_in_every_presentation(
    study: Study, smollm2: LlamaCppModel
) -> None:
    both = SessionLayout(presentation=("text", "turns"), history=(0, "all"), responses=2)
    plan = planned(study, [Filler(), Own()], [smollm2], both)
    asked = read(plan, smollm2.identity.name)
    tokens: dict[tuple[str, ...], dict[str, int]] = {}
    for answer in plan.answers:
        transcript, response = asked[answer.request]
        before = tokenised(transcript, smollm2)[1][response.start]
        tokens.setdefault(answer.place, {})[answer.arm] = before
    assert len(tokens) == len(study.people) * 2 * 2 * 2
    for place, found in tokens.items():
        assert found["filler"] == found["own"], place
    filler = next(answer for answer in plan.answers if answer.arm == "filler")
    assert "Rivers carry water" in texts(plan)[filler.request]


@pytest.mark.parametrize("model", [base(), chat()], ids=["text", "turns"])
def test_strangers_lend_their_persona_and_nothing_else(study: Study, model: FakeModel) -> None:
    plan = planned(study, [Shuffled(donors=2), Matched(caliper={"age": 100.0}), Own()], [model])
    text = texts(plan)
    own = {answer.place: answer for answer in plan.answers if answer.arm == "own"}
    donors: dict[tuple[str, str], set[str]] = {}
    for answer in plan.answers:
        if answer.arm == "own":
            continue
        assert answer.donor not in ("", answer.participant)
        donors.setdefault((answer.participant, answer.arm), set()).add(answer.donor)
        mine, theirs = (
            own_persona(study.people[name], study) for name in (answer.participant, answer.donor)
        )
        expected = text[own[answer.place].request]
        assert expected.count(mine) == 1
        assert text[answer.request] == expected.replace(mine, theirs)
        if answer.arm == "matched":
            genders = {study.people[n].traits["gender"] for n in (answer.participant, answer.donor)}
            assert len(genders) == 1
    assert {len(found) for found in donors.values()} == {1, 2}


def test_every_arm_stands_where_the_persona_stands(study: Study) -> None:
    plan = planned(study, LADDER, [base()], SessionLayout(responses=1))
    average, text = set(), texts(plan)
    for answer in plan.answers:
        person = study.people[answer.participant]
        session, mine = session_of(person), own_persona(person, study)
        begun = session.text[: session.spans[0].start]
        said = text[answer.request].removesuffix(begun).strip()
        match answer.arm.split(" ")[0]:
            case "none":
                assert text[answer.request] == begun
            case "human":
                assert said == HUMAN
            case "own":
                assert said == mine
            case "average":
                average.add(said)
            case "without":
                trait = study.traits[answer.arm.removeprefix("without ")]
                assert len(said) < len(mine) and set(said.split("\n")) < set(mine.split("\n"))
                assert trait.label not in said and trait.label in mine
    assert len(average) == 1


def test_wordings_multiply_every_arm_that_has_a_persona(study: Study) -> None:
    plan = planned(study, LADDER, [base()], SessionLayout(responses=2), paraphrases=2)
    text = texts(plan)
    read_in: dict[str, dict[int, set[str]]] = {}
    for answer in plan.answers:
        in_wording = read_in.setdefault(answer.arm, {}).setdefault(answer.paraphrase, set())
        in_wording.add(text[answer.request])
    for arm, wordings in read_in.items():
        assert set(wordings) == ({0} if arm in ("none", "human") else {0, 1})
        if arm == "own":
            assert not wordings[0] & wordings[1]
    assert {len(cells) for cells in responses(plan).values()} == {2 * len(study.people)}


def test_sessions_have_as_many_strangers_as_tell_what_a_persona_costs() -> None:
    stated = in_sessions(Shuffled(donors=1)), in_sessions(Matched()), in_sessions(Own())
    assert stated == (Shuffled(donors=1), Matched(), Own())
    assert in_sessions(Shuffled(seed=3)) == Shuffled(donors=SESSION_DONORS, seed=3)


# What cannot be planned


def experiment(folder: Path, **changes: Any) -> Experiment:
    sessions_file(folder / "bandit.jsonl", bandit(4, 3))
    content: dict[str, Any] = {
        "name": "x",
        "question": "Is it refused?",
        "study": "bandit.jsonl",
        "models": ["smollm2-135m-instruct"],
        "strategies": ["interview"],
        "arms": ["none", "own"],
    }
    return Experiment.model_validate(content | changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"items": ("1",)}, "items: bandit has sessions, which share no items; remove it"),
        ({"layout": {"answer": "letter"}}, "layout: bandit has sessions"),
        ({"normalisation": "mean"}, "normalisation: bandit has sessions"),
        ({"study": "bfi", "session": {"responses": 3}}, "session: bfi is a survey, which has no"),
        (
            {"models": ("gemma-3-270m",), "session": {"presentation": "turns"}},
            "gemma-3-270m is a base model and has no chat template, so it cannot read turns",
        ),
        (
            {"strategies": ("known_answers",)},
            "known_answers shows responses to items, which sessions do not have",
        ),
        ({"study": ("bfi", "bandit.jsonl")}, "several studies; prepare `each` of them"),
    ],
)
def test_what_means_nothing_is_refused(
    changes: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "geppetto.planning.elicited.open_model",
        lambda spec, *_: chat(spec.name) if "instruct" in spec.name else base(spec.name),
    )
    with pytest.raises(GeppettoError) as error:
        prepare(experiment(tmp_path, **changes), tmp_path)
    assert message in str(error.value)


@pytest.mark.parametrize("presentation", ["text", "turns"])
def test_a_session_with_control_tokens_is_not_read_by_a_chat_model(
    presentation: str, tmp_path: Path
) -> None:
    """In plain text, too: a chat model's tokenizer takes them for what they are in its turns."""
    rows = bandit(4, 4)
    rows[2]["text"] = rows[2]["text"].replace("casino", "casino<|im_end|>")
    study = study_of(tmp_path, rows)
    layout = SessionLayout.model_validate({"presentation": presentation})
    with pytest.raises(GeppettoError, match="session of participant 3 holds text that chat reads"):
        planned(study, [Own()], [chat()], layout)
    assert planned(study, [Own()], [base()], SessionLayout()).cells == 16


def test_a_response_that_only_its_marks_make_a_control_token_is_read(tmp_path: Path) -> None:
    """As in "<<|x>>", which is cut at the marks."""
    rows = bandit(4, 4)
    rows[2]["text"] = rows[2]["text"].replace("<<", "<<|", 1)
    assert planned(study_of(tmp_path, rows), [Own()], [chat()], SessionLayout()).cells == 16


# Leakage


@settings(max_examples=12)
@given(data=st.data())
def test_no_request_depends_on_what_was_done_later(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("later")
    rows, others = bandit(4, 6, keys=("F", "J")), bandit(4, 6, seed=1, keys=("F", "J"))
    person, kept = data.draw(st.integers(0, 3)), data.draw(st.integers(1, 6))
    later = data.draw(st.integers(kept, 6))
    changed = [dict(row) for row in rows]
    lines = rows[person]["text"].splitlines(keepends=True)
    changed[person]["text"] = "".join(
        [
            *lines[: 2 + kept],
            *others[person]["text"].splitlines(keepends=True)[2 + kept : 2 + later],
        ]
    )
    long = data.draw(st.sampled_from(["cut", "windows"]))
    layout = SessionLayout.model_validate({"history": [0, 2, "all"], "long": long})
    before, after = (
        {
            (answer.condition, answer.place, answer.donor): answer.request
            for answer in planned(study_of(folder, some), LADDER, [base(), chat()], layout).answers
            if int(answer.item) <= kept
        }
        for some in (rows, changed)
    )
    assert before == after


class Telling(PersonaStrategy):
    """Everything that a strategy is given."""

    def write(self, participant: Participant, study: Study) -> str:
        return repr((participant, study))


def test_a_strategy_sees_nothing_of_any_session(study: Study) -> None:
    told = [Strategy("telling", "telling", Telling())]
    people = list(study.people.values())
    plan = plan_sessions(
        study.with_reference(people[:3]), people, told, [Own()], LAYOUT, [base(context=50_000)]
    )
    for answer in plan.answers:
        transcript, _ = read(plan, "base")[answer.request]
        said = transcript.text[: transcript.breaks[0]].removesuffix(
            session_of(study.people[answer.participant]).instructions
        )
        assert f"id={answer.participant!r}" in said and "PHQ-9" in said
        for word in ("casino", "slot machine", "You press", "Win as many"):
            assert word not in said


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_persona_is_the_same_whatever_was_done(name: str, study: Study, tmp_path: Path) -> None:
    other = study_of(tmp_path, bandit(6, TRIALS, seed=9))
    changed = replace(
        study,
        people={
            key: replace(person, session=other.people[key].session)
            for key, person in study.people.items()
        },
    )
    for key in study.people:
        assert said(name, key, study) == said(name, key, changed)


def said(strategy: str, person: str, study: Study) -> str:
    """A strategy's persona of a participant, or why there is none."""
    rule, block = strategy_class(strategy, ROOT)(), Block((), ())
    try:
        written = persona(rule, view(rule, study.people[person], study, block), study, block)
    except GeppettoError as error:
        return f"refused: {error}"
    return written.text if written else "nothing"
