"""A template that goes on without end, or makes a text without measure, is refused."""

from __future__ import annotations

import pytest

from fake_model import CHATML
from geppetto._util.errors import GeppettoError
from geppetto.prompts.chat import ChatTemplate, Turn
from sessions import GEMMA, LLAMA3, MISTRAL, QWEN3

TURNS = [Turn(role="user", content="How are you?")]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}", "rounds"),
        ("{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}", "measure"),
        ("{% for a in range(999999999) %}{% endfor %}", "measure"),
        ("{% set x = 'xx' * 9999999999 %}", "letters"),
        ("{% set x = 9 ** 9 ** 9 %}", "measure"),
        ("{{ messages[0].content * 99999999 }}", "letters"),
    ],
)
def test_what_does_not_end_is_refused(source: str, why: str) -> None:
    with pytest.raises(GeppettoError, match=why):
        ChatTemplate(source=source + CHATML).render(TURNS)


def test_rounds_are_counted_anew_each_time() -> None:
    source = "{% for a in range(60000) %}{% endfor %}" + CHATML
    template = ChatTemplate(source=source)
    for _ in range(20):
        assert template.render(TURNS) == ChatTemplate(source=CHATML).render(TURNS)


@pytest.mark.parametrize("source", [CHATML, QWEN3, LLAMA3, GEMMA, MISTRAL])
def test_a_bounded_template_writes_what_it_always_did(
    source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    turns = [*TURNS, Turn(role="assistant", content="Well."), Turn(role="user", content="Why?")]
    bounded = ChatTemplate(source=source).rendered(turns, open_ended=True)
    plain = type("Plain", (ImmutableSandboxedEnvironment,), {"begin": lambda self: None})
    monkeypatch.setattr("geppetto.prompts.bounded.BoundedEnvironment", plain)
    assert bounded == ChatTemplate(source=source).rendered(turns, open_ended=True)


def test_loops_know_where_they_are() -> None:
    source = (
        "{% for m in messages if m.role != 'x' %}{{ loop.index }}/{{ loop.length }}"
        "{{ '.' if loop.last else ',' }}{% else %}none{% endfor %}"
    )
    assert ChatTemplate(source=source).rendered(TURNS * 2, open_ended=True) == "1/2,2/2."
    assert ChatTemplate(source=source).rendered([], open_ended=True) == "none"
