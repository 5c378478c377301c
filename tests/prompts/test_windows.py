"""Every arm and model scores the same responses, each once, within the smallest context."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geppetto._util.errors import GeppettoError
from geppetto.models.local.llama_cpp import LlamaCppModel
from geppetto.personas.base import Persona
from geppetto.prompts.session import Window, transcripts
from geppetto.prompts.session_layout import SessionLayout
from geppetto.prompts.transcript import Transcript
from geppetto.prompts.windows import Reader, Shown, fit
from geppetto.studies.sessions.session import Session
from psych201 import psych201
from sessions import TEMPLATES, marked, sessions

ARMS = [None, Persona("I am 30.", "system"), Persona("You are thirty years old.\nAnd calm.")]
HISTORIES = (0, 1, 5, "all")


def readers(*contexts: int) -> list[Reader]:
    """Models that read characters, in different presentations and contexts."""
    templates = [None, TEMPLATES["Qwen3"], TEMPLATES["Gemma"]]
    return [
        Reader(f"model {n}", template, len, context)
        for n, (template, context) in enumerate(zip(templates, contexts, strict=False))
    ]


def tokens(made: Transcript, count: Callable[[str], int]) -> int:
    """Tokens of a transcript to the end of the longest option of any response, and one before."""
    cuts = [0, *made.breaks]
    ends = list(accumulate(count(made.text[a:b]) for a, b in pairwise(cuts)))
    before = dict(zip(made.breaks, ends, strict=True))
    longest = [before[r.start] + max(map(count, r.options), default=0) for r in made.responses]
    return 1 + max(*ends, *longest)


def all_transcripts(
    shown: Shown, session: Session, given_to: Mapping[Reader, Sequence[Persona | None]]
) -> list[tuple[Reader, list[Transcript]]]:
    """What each reader reads in each arm and history."""
    return [
        (reader, list(transcripts(persona, session, windows, reader.template)))
        for reader, personas in given_to.items()
        for persona in personas
        for windows in shown.windows.values()
    ]


layouts = st.builds(
    SessionLayout,
    long=st.sampled_from(["cut", "windows"]),
    responses=st.none() | st.integers(1, 20),
    history=st.lists(st.sampled_from(HISTORIES), min_size=1, unique=True),
)


@given(
    session=sessions(),
    layout=layouts,
    contexts=st.lists(st.integers(40, 900), min_size=1, max_size=3),
)
@settings(max_examples=70)
def test_every_arm_scores_the_same_responses_once_and_fits(
    session: Session, layout: SessionLayout, contexts: list[int]
) -> None:
    given_to = dict.fromkeys(readers(*contexts), ARMS)
    shown = fit(session, given_to, layout)
    assert shown.scored + shown.cut + shown.beyond == len(session.spans)
    assert shown.beyond == max(0, len(session.spans) - (layout.responses or 10**6))
    assert list(shown.windows) == list(layout.history)
    for reader, made in all_transcripts(shown, session, given_to):
        scored = [response.number for one in made for response in one.responses]
        assert scored == list(range(shown.scored))
        assert all(tokens(one, reader.count) <= reader.context for one in made)


@given(session=sessions(), context=st.integers(300, 1200), further=st.integers(0, 600))
@settings(max_examples=70)
def test_responses_are_given_the_trials_before_them_and_no_fewer_than_declared(
    session: Session, context: int, further: int
) -> None:
    given_to = dict.fromkeys(readers(context, context + further), ARMS)
    shown = fit(session, given_to, SessionLayout(long="windows", history=("all", 0, 2)))
    for history, windows in shown.windows.items():
        for number, window in enumerate(windows):
            for response in range(window.start, window.stop):
                trial = session.trial_of(response)
                before = trial - window.trial
                if history != "all":
                    assert before == min(trial, history)
                elif number == 0:
                    assert before == trial
            if history == "all" and number > 0:
                check_overlap(session, window, windows[number - 1], given_to)


def check_overlap(
    session: Session, window: Window, last: Window, given_to: Mapping[Reader, list[Persona | None]]
) -> None:
    """It begins with as many trials as fill half, or as leave room for the next one.

    Options of responses before a window count, which may end after it if they are long: with them
    it has a few trials less than would fit.
    """
    options = (option for span in session.spans for option in span.options)
    longest = max(map(len, options), default=0)
    next_trial = session.trial_of(window.start)
    assert last.trial < window.trial <= next_trial
    end = session.first_response(next_trial + 1)

    def fill(trial: int, stop: int, share: float, more: int = 0) -> bool:
        """Whether some reader has more than a share of what persona and instructions leave."""
        return any(
            tokens(made, len) + more - made.breaks[0] - 1
            > share * (reader.context - made.breaks[0] - 1)
            for reader, personas in given_to.items()
            for made in transcripts(
                max(personas, key=lambda persona: len(persona.text) if persona else 0),
                session,
                [Window(trial, max(0, stop - 1), stop)],
                reader.template,
            )
        )

    assert window.trial == next_trial or not fill(window.trial, window.start, 0.5)
    before = window.trial - 1
    assert fill(before, window.start, 0.5, longest) or fill(before, end, 1, longest)


@given(session=sessions(), context=st.integers(150, 600))
@settings(max_examples=50)
def test_a_cut_session_keeps_as_many_whole_trials_as_fit(session: Session, context: int) -> None:
    given_to = dict.fromkeys(readers(context, 3 * context), ARMS)
    shown = fit(session, given_to, SessionLayout())
    ends = [session.first_response(trial) for trial in range(len(session.trials))]
    assert shown.scored in ends
    if shown.cut:
        longer = Window(0, 0, ends[ends.index(shown.scored) + 1])
        assert any(
            tokens(made, len) > reader.context
            for reader, personas in given_to.items()
            for persona in personas
            for made in transcripts(persona, session, [longer], reader.template)
        )


def test_windows_score_what_cutting_leaves_out() -> None:
    session = marked("Go.\n", *(f"Round {n}. You press <<F>>.\n" for n in range(100)))
    reader = Reader("model", None, len, 400)
    cut = fit(session, {reader: [None]}, SessionLayout())
    windows = fit(session, {reader: [None]}, SessionLayout(long="windows"))
    assert (cut.scored, cut.cut) == (15, 85)
    assert (windows.scored, windows.cut) == (100, 0)
    first, second, *_ = windows.windows["all"]
    assert first == Window(0, 0, 15)
    assert (second.trial, second.start) == (8, 15)


def test_the_longest_persona_of_any_arm_decides_for_all() -> None:
    session = marked("Go.\n", *(f"Round {n}. You press <<F>>.\n" for n in range(20)))
    reader = Reader("model", None, len, 400)
    scored = [
        fit(session, {reader: personas}, SessionLayout()).scored
        for personas in ([None], [Persona("I" * 100)], [None, Persona("I" * 100)])
    ]
    assert scored == [15, 11, 11]


def test_a_history_that_ends_earlier_ends_every_other_there() -> None:
    rounds = [f"Round {n}. {'long ' * (6 * (n > 7))}You press <<F>>.\n" for n in range(20)]
    session = marked("Go.\n", *rounds)
    layout = SessionLayout(long="windows", history=("all", 1, 3))
    ends = set()
    for context in range(150, 350):
        shown = fit(session, {Reader("model", None, len, context): [None]}, layout)
        ends.add(shown.scored)
        for windows in shown.windows.values():
            scored = [n for window in windows for n in range(window.start, window.stop)]
            assert scored == list(range(shown.scored))
    assert 20 in ends and len(ends) > 2


def test_there_is_room_for_the_longest_option_of_every_response() -> None:
    rounds = [f"Round {n}. You press <<F>>.\n" for n in range(20)]
    scored = []
    for options in ((), ("F", "J"), ("F", "F" * 30), ("F", "F" * 31)):
        session = marked("Go.\n", *rounds, options=options)
        text = session.text[: session.spans[9].start]
        reader = Reader("model", None, len, 1 + len(text) + 30)
        scored.append(fit(session, {reader: [None]}, SessionLayout()).scored)
    assert scored == [11, 11, 10, 9]


def test_a_session_whose_first_trial_does_not_fit_scores_nothing() -> None:
    session = marked("Go.\n", "You press <<F>>.\n", "You press <<F>>.\n")
    reader = Reader("model", None, len, 15)
    for layout in (SessionLayout(), SessionLayout(long="windows", history=(0, "all"))):
        shown = fit(session, {reader: [None]}, layout)
        assert (shown.scored, shown.cut) == (0, 2)
        assert set(shown.windows.values()) == {()}


def test_a_long_trial_ends_a_session_even_in_windows() -> None:
    session = marked("Go.\n", *(f"{'long ' * (n == 9) * 99}Press <<F>>.\n" for n in range(20)))
    layout = SessionLayout(long="windows", history=(0, "all"))
    for context, scored in ((200, 9), (600, 20)):
        shown = fit(session, {Reader("model", None, len, context): [None]}, layout)
        assert (shown.scored, shown.cut) == (scored, 20 - scored)


def test_a_trial_longer_than_half_a_window_is_given_less_context() -> None:
    session = marked("Go.\n", *(f"{'long ' * (n == 9) * 25}Press <<F>>.\n" for n in range(20)))
    reader = Reader("model", None, len, 200)
    shown = fit(session, {reader: [None]}, SessionLayout(long="windows"))
    assert shown.scored == 20
    (window,) = [one for one in shown.windows["all"] if one.start <= 9 < one.stop]
    assert window.trial in (5, 6)


def test_a_session_without_instructions_is_planned_for_personas_in_the_system_turn(
    smollm2: LlamaCppModel,
) -> None:
    session = marked("", "Press: <<F>>.\n", "Press: <<J>>.\n")
    reader = Reader("smollm2", smollm2.template, counter(smollm2), 100)
    layout = SessionLayout(history=(0,))
    assert fit(session, {reader: [Persona("I am 30.", "system")]}, layout).scored == 2
    with pytest.raises(GeppettoError, match="a persona of its own"):
        fit(session, {reader: [Persona("I am 30.", "system"), None]}, layout)


@pytest.mark.parametrize("context", [300, 700])
def test_transcripts_in_real_tokens_fit_and_one_more_trial_would_not(
    context: int, smollm2: LlamaCppModel, gemma: LlamaCppModel
) -> None:
    rounds = [
        f"Round {n}: the offer is {n * 37 % 101} euros.\n\nYou say <<{'yes' if n % 3 else 'no'}>>"
        f" after {n * 7919 % 3001} ms.\n"
        for n in range(200)
    ]
    session = marked("You are offered money.\n\n", *rounds, options=("no", "yes"))
    given_to = {
        Reader(model.identity.name, template, counter(model), context): ARMS
        for model, template in ((smollm2, None), (smollm2, smollm2.template), (gemma, None))
    }
    longest = 0
    for long in ("cut", "windows"):
        shown = fit(session, given_to, SessionLayout(long=long))
        for reader, made in all_transcripts(shown, session, given_to):
            longest = max(longest, *(tokens(one, reader.count) for one in made))
    assert context - 40 < longest <= context


def counter(model: LlamaCppModel) -> Callable[[str], int]:
    """Tokens of a text that continues another."""
    leading = len(model.tokenize(""))
    return lambda text: len(model.tokenize(text)) - leading


def test_the_longest_published_sessions_are_planned_with_few_tokenisations(
    smollm2: LlamaCppModel, gemma: LlamaCppModel
) -> None:
    with zipfile.ZipFile(psych201("dezfouli2019")).open("prompts.jsonl") as file:
        longest = max((json.loads(line)["text"] for line in file), key=len)
    instructions, *blocks = longest.split("\nBlock ")
    trials = [f"Block {text}\n" for text in blocks]
    session = marked(f"{instructions}\n", *trials, options=("L", "R"))
    assert len(session.spans) > 2000
    counted = []

    def counting(model: LlamaCppModel) -> Callable[[str], int]:
        count = counter(model)
        return lambda text: counted.append(len(text)) or count(text)

    given_to = {
        Reader("smollm2", smollm2.template, counting(smollm2), smollm2.context): ARMS,
        Reader("gemma", None, counting(gemma), gemma.context): ARMS,
    }
    shown = fit(session, given_to, SessionLayout(long="windows", history=("all", 5)))
    assert shown.scored == len(session.spans)
    assert sum(counted) < 2 * len(given_to) * len(session.text)
    made = transcripts(ARMS[-1], session, shown.windows["all"], smollm2.template)
    assert [r.number for one in made for r in one.responses] == list(range(shown.scored))
    assert max(tokens(one, counter(smollm2)) for one in made) <= smollm2.context
