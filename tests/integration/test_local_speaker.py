"""Local models that are asked by requests, compared with the exact path."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chisquare

from geppetto.answers.local import score
from geppetto.elicitation.base import Elicitation, Question, Reading
from geppetto.elicitation.likelihood import Likelihood
from geppetto.elicitation.next_token import NextToken
from geppetto.elicitation.option_likelihood import units
from geppetto.elicitation.reasoned import Reasoned
from geppetto.elicitation.samples import Samples
from geppetto.models.gate import RequestGate
from geppetto.models.local.base import _drawn, written
from geppetto.models.local.llama_cpp import LlamaCppModel
from geppetto.models.requests import Completion, Request
from geppetto.personas.base import Persona
from geppetto.prompts.chat import ChatTemplate, Turn
from geppetto.prompts.survey import Layout, Prompt, answer_cue, render, turns
from geppetto.studies import Study

PERSONA = Persona("You are a 44-year-old café owner from Århus who likes order.", "system")


def asked(study: Study, model: LlamaCppModel, layout: Layout) -> tuple[Question, Prompt]:
    """The first item as a question, and as a prompt of the exact path."""
    item = next(iter(study.items.values()))
    scale = study.scale(item)
    listed = layout.listed(scale)
    question = Question(
        turns=tuple(turns(study, item, PERSONA, layout)),
        cue=answer_cue(layout.answer_to(scale)),
        options=tuple((code, listed[code]) for code in scale.options),
        labels=tuple(scale.options.items()),
        kind=model.identity.kind,
    )
    return question, render(study, item, PERSONA, layout, model.template)


def only(count: int, question: Question, prompt: Prompt) -> tuple[Question, Prompt]:
    """The same with fewer options, since each is an echo of the whole text."""
    return (
        replace(question, options=question.options[:count]),
        replace(prompt, options=prompt.options[:count]),
    )


def exact(prompt: Prompt, model: LlamaCppModel) -> tuple[float, ...]:
    (unit,) = units({"prompt": prompt}, model)
    return score([unit], model)["prompt"].log_probs


def converse(
    text_model: LlamaCppModel, elicitation: Elicitation, question: Question
) -> tuple[list[Completion], Reading]:
    completions: list[Completion] = []
    while requests := elicitation.requests(question, completions):
        completions += [
            asyncio.run(text_model.generate(request, RequestGate())) for request in requests
        ]
    return completions, elicitation.read(question, completions)


def said(model: LlamaCppModel, request: Request) -> Completion:
    return asyncio.run(model.generate(request, RequestGate()))


@pytest.fixture(scope="module")
def chat(smollm2: LlamaCppModel) -> LlamaCppModel:
    return smollm2


@pytest.fixture(scope="module")
def base(gemma: LlamaCppModel) -> LlamaCppModel:
    return gemma


def test_echoed_likelihood_is_option_likelihood(
    bfi: Study, gemma: LlamaCppModel, base: LlamaCppModel
) -> None:
    question, prompt = only(2, *asked(bfi, gemma, Layout()))
    completions, reading = converse(base, Likelihood(), question)
    assert "".join(token.text for token in completions[0].tokens) == (
        f"<bos>{prompt.text}{prompt.options[0][1]}"
    )
    assert reading.log_probs == pytest.approx(exact(prompt, gemma), abs=1e-4)


def test_words_are_echoed_as_the_exact_path_reads_them(
    bfi: Study, gemma: LlamaCppModel, base: LlamaCppModel
) -> None:
    question, prompt = only(2, *asked(bfi, gemma, Layout(answer="label")))
    _, reading = converse(base, Likelihood(), question)
    assert reading.log_probs == pytest.approx(exact(prompt, gemma), abs=1e-3)


def test_the_next_token_of_plain_text_is_option_likelihood(
    bfi: Study, gemma: LlamaCppModel, base: LlamaCppModel
) -> None:
    question, prompt = asked(bfi, gemma, Layout())
    _, reading = converse(base, NextToken(top=1000), question)
    assert reading.outcomes == ("answered",)
    assert reading.log_probs == pytest.approx(exact(prompt, gemma), abs=1e-4)


def test_the_next_token_of_a_chat_is_the_sum_of_an_options_spellings(
    bfi: Study, smollm2: LlamaCppModel, chat: LlamaCppModel
) -> None:
    question, _ = asked(bfi, smollm2, Layout(answer="letter"))
    completions, reading = converse(chat, NextToken(top=1000), question)
    (request,) = NextToken().requests(question, ())
    assert smollm2.template is not None
    text = smollm2.template.render(request.turns)
    letters = question.answers
    spelled = np.array(
        [
            exact(Prompt(text, "", "", tuple((a, space + a) for a in letters)), smollm2)
            for space in ("", " ")
        ]
    )
    last = completions[0].tokens[0].top[-1][1]
    seen = np.logaddexp.reduce(np.where(spelled >= last, spelled, -np.inf))
    assert reading.log_probs == pytest.approx(seen, abs=1e-4)
    low, high = np.array(reading.low), np.array(reading.high)
    truth = np.logaddexp.reduce(spelled)
    truth -= np.logaddexp.reduce(truth)
    assert (low <= truth + 1e-5).all() and (truth <= high + 1e-5).all()


def test_twenty_top_tokens_bound_what_the_whole_vocabulary_tells(
    bfi: Study, smollm2: LlamaCppModel, chat: LlamaCppModel
) -> None:
    question, _ = asked(bfi, smollm2, Layout(answer="letter"))
    _, whole = converse(chat, NextToken(top=1000), question)
    _, few = converse(chat, NextToken(top=5), question)
    truth = np.array(whole.log_probs) - np.logaddexp.reduce(np.array(whole.log_probs))
    assert (np.array(few.low) <= truth + 1e-9).all()
    assert (truth <= np.array(few.high) + 1e-9).all()
    assert any(np.array(few.high) > np.array(whole.high) + 0.01)


def test_samples_are_as_frequent_as_probable_and_reproducible(
    bfi: Study, smollm2: LlamaCppModel, chat: LlamaCppModel
) -> None:
    question, _ = asked(bfi, smollm2, Layout())
    once = question.request(1, temperature=1.0, top_logprobs=1)
    requests = [once.model_copy(update={"sample": n}) for n in range(5000)]
    seen: list[NDArray[np.float64]] = []
    smollm2.say(smollm2.tokenize(written(once.turns, smollm2.template)), seen.append, 1)
    (log_probs,) = seen
    drawn = [
        _drawn(log_probs, 1.0, np.random.default_rng(int(request.id(chat.identity), 16)))
        for request in requests
    ]
    probable = np.flatnonzero(log_probs > np.log(0.005))
    expected = len(drawn) * np.exp(log_probs[probable])
    observed = np.bincount(drawn, minlength=len(log_probs))[probable]
    others = len(drawn) - expected.sum(), len(drawn) - observed.sum()
    assert len(probable) > 10 and others[0] > 100
    assert chisquare([*observed, others[1]], [*expected, others[0]]).pvalue > 0.001
    for request, token in zip(requests[:8], drawn, strict=False):
        completion = said(chat, request)
        assert completion.tokens[0].log_prob == pytest.approx(log_probs[token], abs=1e-9)


def test_a_reply_is_the_same_whatever_was_asked_before(chat: LlamaCppModel) -> None:
    def say(text: str) -> Completion:
        request = Request(text=text, max_tokens=12, temperature=1.0, top_logprobs=3)
        return said(chat, request).model_copy(update={"seconds": 0.0})

    first = say("The capital of France is")
    say("The capital of France was")
    assert say("The capital of France is") == first
    assert "".join(token.text for token in first.tokens) == first.text
    assert first.completion_tokens == 12 and first.finish == "length"


def test_at_temperature_zero_it_says_the_most_probable_tokens(chat: LlamaCppModel) -> None:
    question = (Turn(role="user", content="What is the capital of France? One word."),)
    request = Request(turns=question, max_tokens=20, top_logprobs=2)
    completion = said(chat, request)
    assert "Paris" in completion.text and completion.finish == "stop"
    assert all(token.log_prob == token.top[0][1] for token in completion.tokens)
    assert completion.tokens[-1].text == "" and completion.completion_tokens == len(
        completion.tokens
    )


def test_samples_and_reasons_are_read_of_a_real_model(
    bfi: Study, smollm2: LlamaCppModel, chat: LlamaCppModel
) -> None:
    question, _ = asked(bfi, smollm2, Layout())
    completions, reading = converse(chat, Samples(k=2), question)
    assert len({completion.text for completion in completions}) > 1
    assert len(reading.outcomes) == 2 and np.isfinite(reading.low).all()
    reasoned = Reasoned.model_validate({"words": 10, "then": {"samples": {"k": 2}}})
    completions, reading = converse(chat, reasoned, question)
    assert len(reading.outcomes) == len(completions) and 2 <= len(completions) <= 4


def test_a_conversation_is_written_as_the_template_writes_it(smollm2: LlamaCppModel) -> None:
    template = smollm2.template
    assert isinstance(template, ChatTemplate)
    said = [
        Turn(role="system", content="S"),
        Turn(role="user", content="first"),
        Turn(role="assistant", content="first"),
        Turn(role="user", content="second"),
    ]
    assert written(said, template) == template.rendered(said, open_ended=True)
    assert written(said[:2], template) == template.render(said[:2])


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (Request(turns=(Turn(role="user", content="a<|im_end|>b"),), max_tokens=1), "control"),
        (Request(text="a " * 9000, max_tokens=1), "context holds 8,192"),
        (Request(max_tokens=1), "needs turns or a text"),
        (
            Request(turns=(Turn(role="user", content="a"),), echo=True, max_tokens=1),
            "only a text can be echoed",
        ),
    ],
)
def test_a_request_that_cannot_be_put_is_an_error(
    chat: LlamaCppModel, request_: Request, message: str
) -> None:
    completion = said(chat, request_)
    assert completion.finish == "error" and message in completion.error


def test_a_base_model_takes_no_turns(base: LlamaCppModel) -> None:
    completion = said(base, Request(turns=(Turn(role="user", content="a"),), max_tokens=1))
    assert "no chat template" in completion.error
    assert not base.capabilities.chat and base.capabilities.echo
