"""One pass over a session: what it asks, what it reads and what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fake_model import FakeModel
from geppetto._util.errors import GeppettoError
from geppetto.answers.local import score
from geppetto.elicitation.transcript_likelihood import request_ids, units
from geppetto.elicitation.transcript_tokens import merges
from geppetto.models.local.llama_cpp import LlamaCppModel
from geppetto.models.token_tree import Tokens
from transcripts import bandit, plain, published, requests, scores

words = st.text("ab é🤷\n", max_size=6)
sessions = st.lists(st.tuples(words, st.sampled_from(["left", "right", "é"])), min_size=1).map(
    lambda trials: "Press a key." + "".join(f"{said}<<{key}>>" for said, key in trials)
)
OPTIONS = ("left", "right", "é")


def log_prob_of(begin: str, end: str, model: FakeModel) -> float:
    """Log-probability of a text after another, from the definition."""
    whole = (begin + end).encode()
    spelled = range(len(begin.encode()) + 1, len(whole) + 1)
    return sum(model.log_prob(whole[:until]) for until in spelled)


@given(sessions, st.booleans())
@settings(max_examples=50)
def test_each_response_is_scored_given_all_before_it(text: str, is_open: bool) -> None:
    model = FakeModel()
    transcript = plain(text, () if is_open else OPTIONS)
    for response, found in zip(transcript.responses, scores(transcript, model), strict=True):
        before = text[: response.start]
        options = [text[response.start : response.end]] if is_open else OPTIONS
        expected = [log_prob_of(before, option, model) for option in options]
        assert found.log_probs == pytest.approx(expected, abs=1e-9)
        assert found.tokens == tuple(len(option.encode()) for option in options)
        assert found.prompt_tokens == len(before.encode())
        assert found.announcing == pytest.approx(log_prob_of(before[:-2], "<<", model), abs=1e-9)
    assert model.decoded <= len(text.encode()) + len(transcript.responses) * 12


@given(sessions, st.data())
@settings(max_examples=50)
def test_an_answer_depends_on_nothing_after_it(text: str, data: st.DataObject) -> None:
    model = FakeModel()
    whole = plain(text, OPTIONS)
    last = data.draw(st.integers(0, len(whole.responses) - 1))
    part = plain(text[: whole.responses[last].end] + ">> and so on", OPTIONS)
    ids = request_ids(part, model.identity)
    assert ids == request_ids(whole, model.identity)[: last + 1]
    assert scores(part, model) == scores(whole, model)[: last + 1]


def test_a_request_is_everything_that_can_change_its_answer() -> None:
    model = FakeModel().identity
    one = plain("Go. <<a>> then <<b>>.", ("a", "b"))
    first, second = one.responses
    others = [
        plain("Go! <<a>> then <<b>>.", ("a", "b")),
        plain("Go. <<a>> then <<b>>.", ("b", "a")),
        plain("Go. <<a>> then <<b>>."),
        replace(one, breaks=one.breaks[1:]),
        replace(one, responses=(first, replace(second, opening=second.opening - 1))),
        replace(one, responses=(first, replace(second, start=second.start - 1))),
    ]
    ids = [request_ids(transcript, model)[-1] for transcript in [one, *others]]
    ids.append(request_ids(one, model.model_copy(update={"weights": "other"}))[-1])
    assert len(set(ids)) == len(ids)
    assert request_ids(replace(one, responses=(second,)), model) == (ids[0],)


def test_what_is_stored_is_not_read_again_after_the_last_missing_response() -> None:
    model = FakeModel()
    transcript = plain(bandit(20), ("J", "K"))
    asked = requests(transcript, model=model)
    (unit,) = units(asked, model)
    everything = score([unit], model)
    assert tuple(everything) == unit.ids == tuple(asked)
    some = list(asked)[3:5]
    part = unit.only(frozenset(some))
    model.decoded = 0
    assert score([part], model) == {request: everything[request] for request in some}
    assert model.decoded == part.distinct_tokens == transcript.responses[4].start
    assert part.prompt_tokens == sum(r.start for r in transcript.responses[3:5])
    (again,) = units({request: asked[request] for request in some}, model)
    assert again.ids == part.ids and again.distinct_tokens == part.distinct_tokens


def test_short_transcripts_of_one_person_are_read_together_over_their_head() -> None:
    model = FakeModel()
    head = "Ann. Choose a machine. " * 20
    texts = [f"{head}Round {n}: <<{'JK'[n % 2]}>>." for n in range(100)]
    transcripts = [plain(text, ("J", "K"), head=len(head)) for text in texts]
    alone = plain(texts[0].replace("Ann", "Bob"), ("J", "K"))
    asked = requests(*transcripts, alone, model=model)
    work = list(units(asked, model))
    assert [request for unit in work for request in unit.ids] == list(asked)
    assert len(work) < 5 and work[-1].head == 0
    assert {unit.head for unit in work[:-1]} == {len(f"{head}Round ")}
    assert sum(unit.distinct_tokens for unit in work[:-1]) < sum(map(len, texts)) / 20
    found = {key: s for unit in work for key, s in score([unit], model).items()}
    for transcript, request in zip([*transcripts, alone], asked, strict=True):
        (expected,) = scores(replace(transcript, head=0), model)
        assert found[request] == expected


def test_a_session_with_more_branches_than_a_tree_may_have_is_read_in_parts() -> None:
    model = FakeModel()
    model.most_branches = 10
    transcript = plain(bandit(30, ("left", "right", "middle")), ("left", "middle", "right"))
    asked = requests(transcript, model=model)
    work = list(units(asked, model))
    assert [len(unit.ids) for unit in work] == [4] * 7 + [2]
    found = {key: s for unit in work for key, s in score([unit], model).items()}
    model.most_branches = 1000
    assert [found[request] for request in asked] == scores(transcript, model)


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(GeppettoError, match=r"'1' from .* '10', .*`options: open`"):
        scores(plain("Rate: <<1>>.", ("1", "10")), FakeModel())
    with pytest.raises(GeppettoError, match=r"needs 15 tokens, but .* holds 14; let long sessions"):
        scores(plain("Press a: <<left>>.", ("left",)), FakeModel(context=14))
    with pytest.raises(GeppettoError, match="begins with a response"):
        scores(plain("<<left>>.", ("left",)), FakeModel())
    with pytest.raises(ValueError, match="response 0 is not among its options"):
        scores(plain("Press: <<left>>.", ("right",)), FakeModel())

    class Spacing(FakeModel):
        def tokenize_on(self, text: str) -> Tokens:
            return tuple(f" {text}".encode())

    with pytest.raises(GeppettoError, match="fake does not give a session's text back"):
        scores(plain("Press: <<left>>."), Spacing())


MISSED = "Press a key:<<J>>. Then press <<K>>."
OVERRUN = "You press <<J>>, then it rains. You press <<K>>."


def test_runs_of_tokens_miss_and_overrun_responses_that_offsets_find(
    base_models: dict[str, LlamaCppModel],
) -> None:
    for model in base_models.values():
        assert published("You press <<J>>. You press <<K>>.", model) == ["J", "K"]
        assert published(MISSED, model) == ["K"]
        for text in (MISSED, OVERRUN):
            spelled = [model.tokenize_on(key) for key in "JK"]
            (unit,) = units(requests(plain(text), model=model), model)
            assert [place.options for place in unit.places] == [(key,) for key in spelled]
    assert published("You write <<code>>.", base_models["gemma-3-270m"]) == []
    assert published("You write <<code>>.", base_models["smollm2-135m-instruct"]) == ["code"]
    assert published(OVERRUN, base_models["smollm2-135m-instruct"]) == ["J", "K"]
    assert published(OVERRUN, base_models["gemma-3-270m"]) == [
        "J>>, then it rains. You press <<K",
    ]


def test_breaks_at_which_the_tokenizer_would_join_are_counted(
    base_models: dict[str, LlamaCppModel],
) -> None:
    smollm2, gemma = base_models.values()
    for text, joined in ((OVERRUN, 0), ("é🤷 <<-3>>.", 1), ("Say <<code>>", 2)):
        assert merges(plain(text), gemma) == joined
    assert merges(plain("é🤷 <<-3>>."), smollm2) == 0


def test_the_announcing_text_is_the_tokens_that_spell_it(
    base_models: dict[str, LlamaCppModel],
) -> None:
    for model in base_models.values():
        (unit,) = units(requests(plain("You press <<J>>."), model=model), model)
        (place,) = unit.places
        announcing = unit.lines[0].tokens[place.opening : place.start].tolist()
        assert model.detokenize(announcing) == b" <<"
