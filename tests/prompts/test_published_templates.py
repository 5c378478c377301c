"""Templates as published models have them: rendered as written, or refused for what they ask."""

from __future__ import annotations

import datetime

import pytest

from geppetto._util.errors import GeppettoError
from geppetto.models.identity import ModelIdentity
from geppetto.models.spec import ModelSpec
from geppetto.prompts.chat import ChatTemplate, Turn
from geppetto.prompts.turns import glue

TURNS = [Turn(role="system", content="Be brief."), Turn(role="user", content="Statement: <x> & y")]
BODY = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"
OPEN = "{% if add_generation_prompt %}[assistant]{% endif %}"
WRITTEN = "[system]Be brief.[user]Statement: <x> & y[assistant]"
TODAY = datetime.date(2026, 1, 31)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (BODY.replace("[{{", "{% if loop.index > 9 %}{% break %}{% endif %}[{{") + OPEN, WRITTEN),
        (
            BODY.replace("{{ m.content }}", "{% generation %}{{ m.content }}{% endgeneration %}")
            + OPEN,
            WRITTEN,
        ),
        (
            "Tools: {{ {'a': '<b>'} | tojson }} " + BODY + OPEN,
            'Tools: {"a": "<b>"} ' + WRITTEN,
        ),
        (  # a system turn is written in the user's, where that is the last of all
            "{% for m in messages %}{% if m.role != 'system' %}[{{ m.role }}]"
            "{% if loop.last and messages[0].role == 'system' %}{{ messages[0].content }}\n\n"
            "{% endif %}{{ m.content }}{% endif %}{% endfor %}" + OPEN,
            "[user]Be brief.\n\nStatement: <x> & y[assistant]",
        ),
        (BODY + OPEN + "{% if add_generation_prompt %}</think>{% endif %}", WRITTEN + "</think>"),
        (
            BODY.replace("]{{ m.c", "]{% if m.role == 'assistant' %}<|channel|>final<|message|>"
            "{% endif %}{{ m.c") + OPEN,
            WRITTEN + "<|channel|>final<|message|>",
        ),
    ],
)  # fmt: skip
def test_what_published_templates_use_is_rendered(source: str, text: str) -> None:
    template = ChatTemplate(source=source)
    assert template.render(TURNS) == text
    assert glue(template, with_system=False).opening


@pytest.mark.parametrize(
    "words", ["I think first:\n", "Here are my reasoning steps:\n", "<seed:think>"]
)
def test_reasoning_that_is_opened_in_words_is_refused_as_in_tags(words: str) -> None:
    source = BODY.replace(
        "]{{ m.c", "]{% if m.role == 'assistant' %}" + words + "{% endif %}{{ m.c"
    )
    template = ChatTemplate(source=source + OPEN.replace("[assistant]", "[assistant]" + words))
    for refused in (lambda: template.render(TURNS), lambda: glue(template, with_system=True)):
        with pytest.raises(GeppettoError, match=rf"opens reasoning \(.*{words.strip()}\)"):
            refused()


def test_a_date_is_the_declared_one_and_part_of_the_identity() -> None:
    source = "Today is {{ strftime_now('%d %B %Y') }}. " + BODY + OPEN
    dated = ChatTemplate(source=source, date=TODAY)
    assert dated.render(TURNS) == f"Today is 31 January 2026. {WRITTEN}"
    assert dated.written_date == "2026-01-31"
    assert ChatTemplate(source=BODY + OPEN, date=TODAY).written_date == ""
    with pytest.raises(GeppettoError, match="as in `date: 2026-01-31`"):
        ChatTemplate(source=source).render(TURNS)
    plain = ModelIdentity(name="m", sha256="0")
    assert "date" not in plain.of_scores | plain.of_completions
    other = plain.model_copy(update={"date": dated.written_date})
    assert other.of_scores["date"] == other.of_completions["date"] == "2026-01-31"


def test_a_template_with_a_date_of_its_own_keeps_it_unless_one_is_declared() -> None:
    own = "{% if strftime_now is defined %}{{ strftime_now('%Y') }}{% else %}2024{% endif %} "
    assert ChatTemplate(source=own + BODY + OPEN).render(TURNS).startswith("2024 ")
    assert ChatTemplate(source=own + BODY + OPEN, date=TODAY).render(TURNS).startswith("2026 ")


def test_a_date_is_declared_of_a_model_on_this_machine() -> None:
    assert ModelSpec.model_validate({"path": "m.gguf", "date": TODAY}).date == TODAY
    with pytest.raises(ValueError, match="date: it is of models on this machine"):
        ModelSpec.model_validate({"name": "openai/m", "date": TODAY})
    assert "date" not in ModelSpec(name="gemma-3-270m").model_dump()


@pytest.mark.parametrize("source", ["{{ 1 / 0 }}", "{{ 'a' + 1 }}", "{{ messages['x'][9].y.z }}"])
def test_whatever_a_template_does_wrong_is_one_sentence(source: str) -> None:
    with pytest.raises(GeppettoError, match="cannot be rendered"):
        ChatTemplate(source=source + BODY + OPEN).render(TURNS)
