"""Reasoning in replies and before answers, however it is delimited."""

import pytest

from geppetto._util.reasoning import opened, split

THOUGHT, ANSWER = "They seem calm, so 2.", "4"

DELIMITED = [
    f"<think>{THOUGHT}</think>{ANSWER}",
    f"<think>\n{THOUGHT}\n</think>\n\n{ANSWER}",
    f"{THOUGHT}\n</think>\n\n{ANSWER}",
    f"<Thinking>{THOUGHT}</Thinking>{ANSWER}",
    f"<reasoning>{THOUGHT}</reasoning><answer>{ANSWER}</answer>",
    f"<seed:think>{THOUGHT}</seed:think>{ANSWER}",
    f"<think:opensource>{THOUGHT}</think:opensource>{ANSWER}",
    f"[THINK]{THOUGHT}[/THINK]{ANSWER}",
    f"◁think▷{THOUGHT}◁/think▷{ANSWER}",
    f"<|START_THINKING|>{THOUGHT}<|END_THINKING|><|START_RESPONSE|>{ANSWER}<|END_RESPONSE|>",
    f"<|channel>thought\n{THOUGHT}<channel|>{ANSWER}",
    f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>final<|message|>"
    f"{ANSWER}<|return|>",
    f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>commentary to=x"
    f"<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>final<|message|>{ANSWER}",
    f"analysis{THOUGHT}assistantfinal{ANSWER}",
    f"<|think|>{THOUGHT}<|end|><|begin|>assistant<|content|>{ANSWER}",
    f"Here are my reasoning steps:\n{THOUGHT}\n[BEGIN FINAL RESPONSE]{ANSWER}[END FINAL RESPONSE]",
    f"<|open|>think<|sep|>{THOUGHT}<|close|>think<|sep|><|open|>response<|sep|>{ANSWER}",
    f"Here is my thought process: {THOUGHT} Here is my response: {ANSWER}",
    f"{THOUGHT}</think>\n<think>{THOUGHT}</think>{ANSWER}",
]


@pytest.mark.parametrize("reply", DELIMITED)
def test_only_what_follows_reasoning_is_said(reply: str) -> None:
    reasoning, said = split(reply)
    assert said.strip() == ANSWER
    assert THOUGHT in reasoning


@pytest.mark.parametrize(
    "reply",
    [
        f"<think>{THOUGHT}",
        f"[THINK]{THOUGHT}",
        f"<|channel|>analysis<|message|>{THOUGHT}",
        f"analysis{THOUGHT}",
        f"{THOUGHT}</think><think>{THOUGHT}",
    ],
)
def test_of_reasoning_that_does_not_end_nothing_is_said(reply: str) -> None:
    reasoning, said = split(reply)
    assert said == "" and THOUGHT in reasoning


@pytest.mark.parametrize(
    "reply",
    [
        "4",
        "Here is my response: 4",
        "I think 4.",
        "My reasoning is that 3 < 4 > 2.",
        "analysis of 4",
        "[Thought] 4",
    ],
)
def test_words_about_thinking_are_said(reply: str) -> None:
    assert split(reply) == ("", reply)


@pytest.mark.parametrize(
    "opening",
    [
        "<|assistant|>\n<think>\n",
        "<|assistant|><think></think><seed:think>",
        "[/INST][THINK]",
        "<|start|>assistant<|channel|>analysis<|message|>",
        "[assistant]I think first:\n",
        "<|assistant|>\nLet's work step by step.\n",
        "<|begin_assistant|>\nHere are my reasoning steps:\n",
    ],
)
def test_what_opens_reasoning_before_an_answer_is_told(opening: str) -> None:
    assert opened("[system]Be brief.", opening)


@pytest.mark.parametrize(
    "opening",
    [
        "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
        "/nothink<|assistant|>\n<think></think>\n",
        "<|assistant|></think>",
        "<|start|>assistant<|channel|>final<|message|>",
        "<turn|>\n<|turn>model\n<|channel>thought\n<channel|>",
        '<|open|>message role="assistant"<|sep|><|open|>think<|sep|><|close|>think<|sep|>',
        "GPT4 Correct Assistant:",
        "### Response:\n",
    ],
)
def test_what_closes_reasoning_or_opens_none_is_no_matter(opening: str) -> None:
    assert opened("[system]Be brief.", opening) == ""


def test_an_answer_that_is_to_stand_after_a_mark_needs_the_mark() -> None:
    asked = "Reason first, then write [BEGIN FINAL RESPONSE]."
    assert opened(asked, "<|assistant|>\n") == "the answer is to stand after [BEGIN FINAL RESPONSE]"
    assert opened(asked, "<|assistant|>\n[BEGIN FINAL RESPONSE]") == ""
