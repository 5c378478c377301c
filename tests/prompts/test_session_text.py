"""What a model reads of a session, word for word."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geppetto.models.local.llama_cpp import LlamaCppModel
from geppetto.personas.base import Persona
from geppetto.prompts.chat import ChatTemplate
from geppetto.prompts.session import Window, transcripts
from geppetto.prompts.session_layout import History, SessionLayout
from geppetto.prompts.transcript import Transcript
from geppetto.prompts.windows import Reader, fit
from geppetto.studies.sessions.session import CLOSING, OPENING, Session
from sessions import BANDIT, TEMPLATES, marked, sessions
from workspaces import ROOT

GOLDEN = ROOT / "tests" / "golden" / "sessions"
PERSONA = Persona("You are a 30-year-old woman.\nYou worry a lot.")


def as_read(made: Transcript) -> str:
    """A transcript in which the scored responses and what announces them are bracketed."""
    text, place = "", 0
    for response in made.responses:
        text += made.text[place : response.opening]
        text += f"⟦{made.text[response.opening : response.start]}"
        text += f"|{made.text[response.start : response.end]}⟧"
        place = response.end
    return text + made.text[place:]


@pytest.mark.parametrize("history", ["all", 0, 1])
@pytest.mark.parametrize("how", ["text", "turns"])
def test_transcripts_are_the_golden_ones(
    how: str, history: History, smollm2: LlamaCppModel
) -> None:
    """Delete a golden file and run the test to record it anew; then read it."""
    template = smollm2.template if how == "turns" else None
    layout = SessionLayout(history=(history,))
    shown = fit(BANDIT, {Reader("smollm2", template, len, 10_000): [PERSONA]}, layout)
    made = transcripts(PERSONA, BANDIT, shown.windows[history], template)
    parts = [
        f"=== transcript {number} of {len(made)}; shared: {one.head} characters\n{as_read(one)}"
        for number, one in enumerate(made, 1)
    ]
    text = "\n\n".join(parts) + "\n"
    path = GOLDEN / f"{how}_history_{history}.txt"
    if not path.exists():
        path.write_text(text, "utf-8")
        pytest.fail(f"{path.name} was missing and has been recorded; read it and run again")
    assert text == path.read_text("utf-8")


def reference(persona: Persona | None, session: Session, window: Window) -> str:
    """The text of a window, from the definition: source text, cut once or twice."""
    before = f"{persona.text}\n\n" if persona else ""
    end = session.spans[window.stop - 1].end
    return before + session.instructions + session.text[session.trials[window.trial] : end]


@given(data=st.data(), session=sessions(), persona=st.sampled_from([None, PERSONA]))
@settings(max_examples=50)
def test_text_is_the_source_and_every_response_is_where_it_says(
    data: st.DataObject, session: Session, persona: Persona | None
) -> None:
    trial = data.draw(st.integers(0, len(session.trials) - 2))
    first = session.first_response(trial)
    start = data.draw(st.integers(first, len(session.spans) - 1))
    window = Window(trial, start, data.draw(st.integers(start + 1, len(session.spans))))
    for template in (None, *TEMPLATES.values()):
        (made,) = transcripts(persona, session, [window], template)
        if template is None:
            assert made.text == reference(persona, session, window)
        assert [r.number for r in made.responses] == list(range(window.start, window.stop))
        assert [made.text[r.start : r.end] for r in made.responses] == list(
            session.responses[window.start : window.stop]
        )
        assert [r.options for r in made.responses] == [
            span.options for span in session.spans[window.start : window.stop]
        ]
        assert made.text.endswith(session.responses[window.stop - 1])
        check_breaks(made, session, window, template)


def check_breaks(
    made: Transcript, session: Session, window: Window, template: ChatTemplate | None
) -> None:
    """There is one after persona and instructions, and two for every response that is shown."""
    assert list(made.breaks) == sorted(set(made.breaks))
    bounds = list(made.breaks)
    if len(bounds) % 2:
        assert made.text[: bounds.pop(0)].endswith(session.instructions) or template is not None
    shown = session.responses[session.first_response(window.trial) : window.stop]
    pairs = zip(bounds[::2], bounds[1::2], strict=True)
    assert [made.text[start:end] for start, end in pairs] == list(shown)
    for response in made.responses:
        assert {response.start, response.end} <= set(bounds)
        assert response.opening < response.start
        if template is None:
            assert made.text[response.opening : response.start] == OPENING


def test_transcripts_of_one_person_and_persona_share_their_head() -> None:
    windows = [Window(0, 0, 3), Window(1, 3, 5)]
    for template in (None, *TEMPLATES.values()):
        first, second = transcripts(PERSONA, BANDIT, windows, template)
        assert first.head == second.head > 0
        assert first.text[: first.head] == second.text[: second.head]
        assert PERSONA.text in first.text[: first.head]
        assert "two machines" in first.text[: first.head]
        assert "Round" not in first.text[: first.head]
        assert first.breaks[0] == first.head
        (alone,) = transcripts(PERSONA, BANDIT, windows[:1], template)
        assert alone.head == 0
        assert (alone.text, alone.breaks) == (first.text, first.breaks)


def test_marks_that_are_part_of_the_text_stay_in_it() -> None:
    session = marked("If a << b, press 1.\n", "2 << 3? <<1>>\n", "3 >> 2? <<0>>\n")
    session = Session(session.text, session.spans[-1:], session.trials[1:])
    (made,) = transcripts(None, session, [Window(0, 0, 1)], None)
    assert made.text == f"If a << b, press 1.\n2 << 3? <<1>>\n3 {CLOSING} 2? {OPENING}0"
