"""Sessions as turns: exactly what the template writes, and every response where it is expected."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from fake_model import CHATML
from geppetto._util.errors import GeppettoError
from geppetto.models.local.llama_cpp import LlamaCppModel
from geppetto.personas.base import Persona, Placement
from geppetto.prompts.chat import ChatTemplate, Turn
from geppetto.prompts.session import Window, transcripts
from geppetto.prompts.transcript import Transcript
from geppetto.prompts.turns import remark
from geppetto.studies.sessions.session import Session
from sessions import BANDIT, GEMMA, MISTRAL, TEMPLATES, marked, sessions

BLOCK = "<think>\n\n</think>\n\n"
WHOLE = Window(0, 0, len(BANDIT.spans))
SYSTEM = "You play with two machines, F and J.\nWin as much as you can."
CONTENTS = [
    "You are 30.\n\nRound 1. You press",
    "F",
    "You win 3 points.\nRound 2. You press",
    "J",
    "and lose 1 point. How sure are you? You say",
    "very",
    "Round 3. You press",
    "F\nF",
    "You win 0 points.\nRound 4. You press",
    "J",
    "Round 5. You press",
    "F",
]
"""What the turns of the bandit session contain, written by hand."""


def in_turns(
    session: Session,
    template: ChatTemplate,
    window: Window | None = None,
    persona: Persona | None = None,
) -> Transcript:
    (made,) = transcripts(persona, session, [window or whole(session)], template)
    return made


def whole(session: Session) -> Window:
    return Window(0, 0, len(session.spans))


def by_hand(template: ChatTemplate) -> list[Turn]:
    said = [
        Turn(role="assistant" if number % 2 else "user", content=content)
        for number, content in enumerate(CONTENTS)
    ]
    if template.has_system_role:
        return [Turn(role="system", content=SYSTEM), *said]
    return [Turn(role="user", content=f"{SYSTEM}\n\n{said[0].content}"), *said[1:]]


@pytest.mark.parametrize("name", ["ChatML", "Llama 3", "Gemma", "Mistral", "SmolLM2"])
def test_each_response_is_read_after_what_the_template_opens_an_answer_with(
    name: str, smollm2: LlamaCppModel
) -> None:
    template = smollm2.template if name == "SmolLM2" else TEMPLATES[name]
    assert template is not None
    made = in_turns(BANDIT, template, persona=Persona("You are 30."))
    turns = by_hand(template)
    answers = [number for number, turn in enumerate(turns) if turn.role == "assistant"]
    first_of_each = [made.responses[number] for number in (0, 1, 2, 3, 5, 6)]
    for number, response in zip(answers, first_of_each, strict=True):
        read = template.rendered(turns[:number], open_ended=True)
        finished = template.rendered(turns[: number + 1], open_ended=False)
        assert made.text[: response.start] == read
        assert finished.startswith(made.text[: response.end])


def test_a_block_that_a_template_takes_out_of_past_answers_stands_before_every_answer() -> None:
    template = TEMPLATES["Qwen3"]
    made = in_turns(BANDIT, template, persona=Persona("You are 30."))
    turns = by_hand(template)
    read = template.rendered(turns[:-1], open_ended=True)
    assert read.count(BLOCK) == 1
    last = made.responses[-1].start
    assert made.text[:last].replace(BLOCK, "") == read.replace(BLOCK, "")
    for response in made.responses:
        announced = made.text[response.opening : response.start]
        assert announced == "\n" or announced.endswith(f"assistant\n{BLOCK}")
    assert "before every answer" in remark(template)
    assert not any(remark(other) for name, other in TEMPLATES.items() if name != "Qwen3")


def test_a_first_response_has_nothing_before_it_that_differs_from_the_template() -> None:
    template = TEMPLATES["Qwen3"]
    for number, trial in enumerate((0, 3, 4)):
        first = BANDIT.first_response(trial)
        made = in_turns(BANDIT, template, Window(trial, first, first + 1))
        question = ["Round 1. You press", "Round 4. You press", "Round 5. You press"][number]
        turns = [Turn(role="system", content=SYSTEM), Turn(role="user", content=question)]
        assert made.text[: made.responses[0].start] == template.render(turns)


@pytest.mark.parametrize("placement", ["task", "system"])
@pytest.mark.parametrize("name", TEMPLATES)
def test_the_persona_stands_where_it_is_placed(name: str, placement: Placement) -> None:
    template = TEMPLATES[name]
    made = in_turns(BANDIT, template, persona=Persona("You are 30.", placement))
    assert made.text.count("You are 30.") == 1
    told, asked = made.text.index("You are 30."), made.text.index("Round 1.")
    if placement == "system" or not template.has_system_role:
        assert f"{SYSTEM}\n\nYou are 30." in made.text
    else:
        assert made.text[told:asked] == "You are 30.\n\n"
    assert told < asked


@given(session=sessions())
@settings(max_examples=25)
@pytest.mark.parametrize("name", TEMPLATES)
def test_no_response_needs_anything_after_it(name: str, session: Session) -> None:
    template = TEMPLATES[name]
    made = in_turns(session, template)
    assert [made.text[r.start : r.end] for r in made.responses] == list(session.responses)
    for stop in range(1, len(session.spans), 3):
        shorter = in_turns(session, template, Window(0, 0, stop))
        assert made.text.startswith(shorter.text)
        assert shorter.responses == made.responses[:stop]
        assert shorter.breaks == made.breaks[: len(shorter.breaks)]


def test_responses_that_follow_one_another_are_lines_of_one_answer() -> None:
    session = marked("Go.\n", "Two keys: <<F>>, <<J>>.\n", "One key: <<F>>.\n")
    made = in_turns(session, TEMPLATES["ChatML"])
    assert "assistant\nF\nJ<|im_end|>" in made.text
    second = made.responses[1]
    assert made.text[second.opening : second.start] == "\n"
    assert made.text.endswith("user\nOne key:<|im_end|>\n<|im_start|>assistant\nF")


def test_punctuation_goes_only_where_it_ends_the_sentence_of_the_response() -> None:
    session = marked(
        "Go.\n", "Key (<<F>>). Right!\n", "Key <<J>>, wrong.\n", "Key <<F>> -5\n", "Key <<F>>.5\n",
        "Key <<J>>"
    )  # fmt: skip
    text = in_turns(session, TEMPLATES["ChatML"]).text
    dots = marked("Go.\n", "... now <<F>>.\n")
    assert "user\n... now<|im_end|>" in in_turns(dots, TEMPLATES["ChatML"]).text
    for content in ("Right!\nKey", "wrong.\nKey", "-5\nKey", ".5\nKey"):
        assert f"user\n{content}<|im_end|>" in text


def test_a_templates_own_persona_is_never_read(smollm2: LlamaCppModel) -> None:
    assert smollm2.template is not None
    bare = marked("", "Press: <<F>>.\n")
    with pytest.raises(GeppettoError, match=r"persona of its own \('You are a helpful AI assi"):
        in_turns(bare, smollm2.template)
    assert "SmolLM" not in in_turns(bare, smollm2.template, persona=Persona("I", "system")).text
    assert "SmolLM" not in in_turns(BANDIT, smollm2.template).text
    assert in_turns(bare, TEMPLATES["ChatML"]).text.startswith("<|im_start|>user\nPress:")


def test_a_trial_with_nothing_to_read_has_no_turn() -> None:
    silent = marked("Keep pressing.\n", "<<F>>\n", "<<J>>\n")
    with pytest.raises(GeppettoError, match="trial 1 of a session has nothing to read before"):
        in_turns(silent, TEMPLATES["ChatML"])
    (plain,) = transcripts(None, silent, [whole(silent)], None)
    assert plain.text == "Keep pressing.\n<<F>>\n<<J"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (CHATML.replace("message.content", "message.content | upper"), "as given: .*became"),
        (CHATML.replace("message.content", "message.content[:30]"), "as given"),
        (CHATML.replace("assistant\n{% endif %}", "model\n{% endif %}"), "cannot be verified"),
        (CHATML.replace("assistant\n{% endif", "assistant\n<think>\n{% endif"), "opens reasoning"),
        (CHATML.replace("<|im_start|>{{", "<|im_start|>{{ loop.revindex }}{{"), "in another way"),
        (CHATML.replace("in messages", "in messages[:4]"), "once and in order"),
        (GEMMA.replace("['content']", "['content'].replace('Round', '')"), "as given"),
        (MISTRAL.replace("message['content'] + eos", "' ' + message['content'] + eos"), "a space"),
    ],
)
def test_templates_that_would_not_write_the_session_are_refused(source: str, message: str) -> None:
    with pytest.raises(GeppettoError, match=message):
        in_turns(BANDIT, ChatTemplate(source=source))


def test_reasoning_left_open_is_refused_for_a_single_answer_too() -> None:
    source = CHATML.replace("assistant\n{% endif", "assistant\n<think>\n{% endif")
    with pytest.raises(GeppettoError, match="an answer would be read as reasoning"):
        ChatTemplate(source=source).render([Turn(role="user", content="x")])
