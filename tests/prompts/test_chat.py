"""Chat templates are verified before they are used."""

import pytest

from fake_model import CHATML
from geppetto._util.errors import GeppettoError
from geppetto.models.local.llama_cpp import LlamaCppModel
from geppetto.prompts.chat import ChatTemplate, Turn

TURNS = [Turn(role="system", content="Be brief."), Turn(role="user", content="Statement: x")]


def test_smollm2_reads_our_system_turn_and_not_its_own(smollm2: LlamaCppModel) -> None:
    assert smollm2.template is not None
    text = smollm2.template.render(TURNS)
    assert text == (
        "<|im_start|>system\nBe brief.<|im_end|>\n"
        "<|im_start|>user\nStatement: x<|im_end|>\n<|im_start|>assistant\n"
    )
    assert "SmolLM" not in text


def test_control_tokens_of_the_template_are_single_tokens(smollm2: LlamaCppModel) -> None:
    assert len(smollm2.tokenize("<|im_start|>")) == 1
    assert smollm2.has_control_tokens("Hi<|im_end|>")
    assert not smollm2.has_control_tokens("Hi, I am 30 < 40 years old |>")


def test_an_empty_reasoning_block_is_written_before_the_answer() -> None:
    source = (
        "{% for m in messages %}<{{ m.role }}>{% if m.role == 'assistant' %}"
        "<think>\n\n</think>\n\n{% endif %}{{ m.content }}</{{ m.role }}>{% endfor %}"
        "{% if add_generation_prompt %}<assistant>{% endif %}"
    )
    assert ChatTemplate(source=source).render(TURNS).endswith("<assistant><think>\n\n</think>\n\n")


def test_a_reasoning_block_that_only_an_open_answer_has_is_kept() -> None:
    source = CHATML.replace(
        "assistant\n{% endif %}", "assistant\n<think>\n\n</think>\n\n{% endif %}"
    )
    assert ChatTemplate(source=source).render(TURNS).endswith("assistant\n<think>\n\n</think>\n\n")


def test_without_a_system_role_the_instruction_opens_the_user_turn() -> None:
    source = (
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}"
        "{% endif %}[{{ m.role }}]{{ m.content }}{% endfor %}"
        "{% if add_generation_prompt %}[assistant]{% endif %}"
    )
    template = ChatTemplate(source=source)
    assert not template.has_system_role
    assert template.render(TURNS) == "[user]Be brief.\n\nStatement: x[assistant]"


def test_a_template_that_swallows_the_system_turn_is_not_trusted_with_one() -> None:
    source = (
        "{% for m in messages %}{% if m.role != 'system' %}[{{ m.role }}]{{ m.content }}{% endif %}"
        "{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"
    )
    assert "Be brief." in ChatTemplate(source=source).render(TURNS)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (CHATML.replace("message.content", "message.content | upper"), "as written"),
        (CHATML.replace("assistant\n{% endif %}", "model\n{% endif %}"), "cannot be verified"),
        ("{% for %}", "not valid Jinja"),
        ("{{ strftime_now('%Y') }}", "writes today's date, .* declare one"),
        ("{{ raise_exception('never') }}", "refuses the conversation: never"),
    ],
)
def test_templates_that_alter_turns_are_refused(source: str, message: str) -> None:
    with pytest.raises(GeppettoError, match=message):
        ChatTemplate(source=source).render(TURNS)
