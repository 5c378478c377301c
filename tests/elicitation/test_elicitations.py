"""What each elicitation asks, and what it reads from scripted replies."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geppetto._util.errors import GeppettoError
from geppetto._util.named import Named
from geppetto.elicitation.base import Elicitation, Question
from geppetto.elicitation.bounds import Pool, bounds
from geppetto.elicitation.hits import hit_bounds
from geppetto.elicitation.likelihood import Likelihood
from geppetto.elicitation.next_token import NextToken
from geppetto.elicitation.reasoned import Reasoned
from geppetto.elicitation.registry import ELICITATIONS
from geppetto.elicitation.samples import Samples
from geppetto.elicitation.stated import Stated, percentages
from geppetto.models.identity import Kind
from geppetto.models.requests import Capabilities, Completion, Token
from geppetto.prompts.chat import Turn
from geppetto.prompts.survey import Layout, answer_cue
from geppetto.studies import Scale

EVERYTHING = Capabilities(
    chat=True, completion=True, system_role=True, top_logprobs=20, echo=True, varies=True
)


TURNS = (Turn(role="system", content="Choose."), Turn(role="user", content="I am calm."))


def question(*answers: str, kind: Kind = "chat", cue: str = "Answer:") -> Question:
    pairs = tuple((answer, answer) for answer in answers)
    return Question(turns=TURNS, cue=cue, options=pairs, labels=pairs, kind=kind)


def first(*top: tuple[str, float], text: str = "A") -> Completion:
    """A reply whose first token has these alternatives, by probability."""
    logged = tuple((spelled, float(np.log(p))) for spelled, p in top)
    return Completion(
        text=text, tokens=(Token(text=logged[0][0], log_prob=logged[0][1], top=logged),)
    )


def test_next_token_adds_an_options_spellings_and_nothing_else() -> None:
    ask = question("A", "B")
    completion = first(("A", 0.5), (" A", 0.2), ("a", 0.1), ("B", 0.1), ("As", 0.05), ("A.", 0.04))
    reading = NextToken().read(ask, [completion])
    assert np.exp(reading.log_probs) == pytest.approx([0.7, 0.1])
    assert reading.outcomes == ("answered",)
    words = question("Agree", "Disagree")
    reading = NextToken().read(words, [first(("agree", 0.4), (" AGREE", 0.1), ("Disagree", 0.3))])
    assert np.exp(reading.log_probs) == pytest.approx([0.5, 0.3])
    raw = NextToken().read(ask, [first(("Ġ" + "A", 0.6), ("▁B", 0.3))])
    assert np.exp(raw.log_probs) == pytest.approx([0.6, 0.3])


def test_next_token_never_credits_one_with_ten() -> None:
    reading = NextToken().read(question("1", "2"), [first(("10", 0.7), ("1", 0.2), ("2", 0.05))])
    assert np.exp(reading.log_probs) == pytest.approx([0.2, 0.05])
    assert reading.outcomes == ("low option mass",)


def test_an_option_beyond_the_top_tokens_has_bounds_and_not_zero() -> None:
    ask = question("1", "2", "3")
    reading = NextToken().read(ask, [first(("1", 0.7), ("2", 0.2), ("x", 0.04))])
    assert reading.log_probs[2] == pytest.approx(np.log(0.04))
    assert reading.low[2] == -np.inf
    assert reading.high[2] == pytest.approx(np.log(0.06 / 0.96))
    assert reading.low[0] == pytest.approx(np.log(0.7 / 0.96))
    assert reading.high[0] == pytest.approx(np.log(0.76 / 0.96))


words = ("A", " A", "a", "B", " B", "C", "c", " C", " ", "x", "y", "As")


@given(st.lists(st.floats(1e-6, 1), min_size=len(words), max_size=len(words)), st.integers(1, 12))
def test_the_truth_is_within_the_bounds_whatever_the_top_tokens_show(
    weights: list[float], shown: int
) -> None:
    chances = np.array(weights) / sum(weights)
    truth = np.array(
        [sum(p for w, p in zip(words, chances, strict=True) if w.strip() == o) for o in "ABC"]
    )
    top = sorted(zip(words, chances.tolist(), strict=True), key=lambda pair: -pair[1])[:shown]
    reading = NextToken().read(question("A", "B", "C"), [first(*top)])
    log_truth = np.log(truth / truth.sum())
    assert (np.array(reading.low) <= log_truth + 1e-9).all()
    assert (log_truth <= np.array(reading.high) + 1e-9).all()
    assert np.exp(reading.log_probs).sum() <= 1 + 1e-4
    for option in range(3):
        surely, possibly = hit_bounds(reading.low, reading.high, option)
        assert surely <= (truth[option] == truth.max()) <= possibly


def test_the_article_a_is_no_answer_while_the_letter_is() -> None:
    letters = [(f" {letter}", 0.1) for letter in "ABCDEF"]
    top = [*letters, (" a", 0.15), (" the", 0.1), ("I", 0.05)]
    reading = NextToken().read(question(*"ABCDEF"), [first(*top)])
    assert np.exp(reading.log_probs) == pytest.approx([0.1] * 6)
    assert reading.low[0] <= np.log(1 / 6) <= reading.high[0]


@pytest.mark.parametrize("token", ["<think>", "Well", " "])
def test_where_no_option_is_among_the_top_tokens_nothing_is_said_of_any(token: str) -> None:
    reading = NextToken().read(question("1", "2"), [first((token, 0.9), ("x", 0.05), text="1")])
    assert reading.log_probs == () and reading.outcomes == ("unparseable",)
    assert reading.low == (-np.inf, -np.inf) and reading.high == (0.0, 0.0)
    seen = NextToken().read(question("1", "2"), [first((token, 0.9), ("1", 0.05))])
    assert len(seen.log_probs) == 2 and seen.outcomes == ("low option mass",)


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=4), st.data())
def test_bounds_are_reached_and_never_passed(known: list[float], data: st.DataObject) -> None:
    count = len(known)
    most = data.draw(st.lists(st.floats(0.01, 1), min_size=count, max_size=count))
    mass = data.draw(st.floats(0.01, 1))
    low, high = bounds(np.log(known).tolist(), [Pool(np.log(mass), tuple(np.log(most).tolist()))])
    shares = np.array(data.draw(st.lists(st.floats(0, 1), min_size=count, max_size=count)))
    added = np.minimum(shares * most, most)
    added *= mass / max(mass, added.sum())
    possible = np.log((known + added) / (known + added).sum())
    assert (np.array(low) <= possible + 1e-9).all() and (possible <= np.array(high) + 1e-9).all()
    best = np.array(known)
    best[0] += min(mass, most[0])
    assert high[0] == pytest.approx(np.log(best[0] / best.sum()))


@pytest.mark.parametrize(
    ("answers", "completions", "message"),
    [
        (("1", "10"), [], "cannot tell answer '1' from the beginning of '10'"),
        (("Very much", "Little"), [], "'Very much' is several"),
        (("Agree", "Disagree"), [first(("Dis", 0.9), ("Agree", 0.1))], "'disagree' with 'dis'"),
    ],
)
def test_next_token_refuses_answers_of_several_tokens(
    answers: tuple[str, ...], completions: list[Completion], message: str
) -> None:
    with pytest.raises(GeppettoError, match=f"{message}.*letter"):
        NextToken().requests(question(*answers), completions)


def test_a_reply_without_log_probabilities_is_an_error_and_a_refusal_is_one() -> None:
    ask = question("A", "B")
    assert NextToken().read(ask, [Completion(text="A")]).outcomes == ("error",)
    refused = first(("I", 0.9), ("A", 0.01), text="I'm sorry, but I can't answer")
    reading = NextToken().read(ask, [refused.model_copy(update={"finish": "length"})])
    assert reading.outcomes == ("refusal",) and reading.log_probs == ()
    filtered = NextToken().read(ask, [Completion(finish="filter")])
    assert filtered.outcomes == ("filtered",) and filtered.high == (0.0, 0.0)


def test_samples_are_different_requests_and_only_the_missing_are_asked() -> None:
    ask = question("A", "B")
    requests = Samples(k=5).requests(ask, [])
    assert [request.sample for request in requests] == [0, 1, 2, 3, 4]
    assert len({request.model_copy(update={"sample": 0}) for request in requests}) == 1
    left = Samples(k=5).requests(ask, [Completion(text="A")] * 3)
    assert left == requests[3:]


def test_samples_are_counted_with_half_an_answer_each_and_the_rest_bounds_them() -> None:
    texts = ["A", "A", "B", "I can't answer that.", "what?"]
    reading = Samples(k=5).read(question("A", "B"), [Completion(text=text) for text in texts])
    assert reading.outcomes == ("answered",) * 3 + ("refusal", "unparseable")
    assert np.exp(reading.log_probs) == pytest.approx([0.6 * 2.5 / 4, 0.6 * 1.5 / 4])
    assert np.exp(reading.low) == pytest.approx([2.5 / 6, 1.5 / 6])
    assert np.exp(reading.high) == pytest.approx([4.5 / 6, 3.5 / 6])
    nothing = Samples(k=2).read(question("A", "B"), [Completion(finish="error", error="x")] * 2)
    assert nothing.log_probs == ()
    assert np.exp(nothing.low) == pytest.approx([0.5 / 3] * 2)
    assert np.exp(nothing.high) == pytest.approx([2.5 / 3] * 2)


def test_a_truncated_sample_is_not_counted_although_it_names_an_option() -> None:
    reading = Samples(k=2).read(
        question("A", "B"), [Completion(text="A"), Completion(text="B", finish="length")]
    )
    assert reading.outcomes == ("answered", "truncated")
    assert np.exp(reading.log_probs) == pytest.approx([0.5 * 0.75, 0.5 * 0.25])


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ('{"A": 30, "B": 70}', (30, 70)),
        ('{"B": 70.5, "A": 29.5}', (29.5, 70.5)),
        ('```json\n{"A": 0, "B": 100}\n```', (0, 100)),
        ('{"A": 48, "B": 48}', (48, 48)),
        ('{"A": 30, "B": 60}', None),
        ('{"A": 0.3, "B": 0.7}', None),
        ('{"A": 30}', None),
        ('{"A": 30, "B": 70, "C": 0}', None),
        ('{"A": 30, "A": 30, "B": 70}', None),
        ('{"A": -10, "B": 110}', None),
        ('{"A": "30", "B": "70"}', None),
        ('{"A": true, "B": 99}', None),
        ('{"A": NaN, "B": 100}', None),
        ('{"a": 30, "b": 70}', None),
        ('Sure: {"A": 30, "B": 70}', None),
        ("[30, 70]", None),
        ("", None),
    ],
)
def test_percentages_are_read_strictly(text: str, stated: tuple[float, ...] | None) -> None:
    assert percentages(text, ("A", "B")) == stated


@given(st.text())
def test_wild_texts_state_nothing(text: str) -> None:
    assert percentages(text, ("A", "B")) is None


def test_a_stated_zero_counts_as_half_a_per_cent_of_the_total() -> None:
    ask = question("A", "B", "C")
    reading = Stated().read(ask, [Completion(text='{"A": 0, "B": 48, "C": 48}')])
    assert np.exp(reading.log_probs) == pytest.approx(np.array([0.5, 50, 50]) / 100.5)
    assert reading.low == reading.high == reading.log_probs
    assert reading.floored == (True, False, False)
    silent = Stated().read(ask, [Completion(text="I refuse to answer.")])
    assert silent.outcomes == ("refusal",) and silent.log_probs == ()
    assert np.exp(silent.low[0]) == pytest.approx(0.5 / 101)
    assert np.exp(silent.high[0]) == pytest.approx(100 / 101)
    (request,) = Stated().requests(ask, [])
    assert '{"A": ..., "B": ..., "C": ...}' in request.turns[-1].content


def test_what_is_floored_counts_as_half_a_per_cent_and_nothing_else_does() -> None:
    ask = question("A", "B", "C")
    for least, rest in ((0.4, 47.6), (0.5, 52.0), (0.49, 47.4), (0.5, 49.75)):
        reading = Stated().read(
            ask, [Completion(text=f'{{"A": {least}, "B": {rest}, "C": {rest}}}')]
        )
        share = 100 * least / (least + 2 * rest)
        odds = np.exp(reading.log_probs[0] - reading.log_probs[1])
        counted = odds * 100 * rest / (least + 2 * rest)
        assert reading.floored[0] == (share < 0.5)
        assert counted == pytest.approx(max(share, 0.5))


def test_reasons_come_first_and_the_answer_follows_in_the_same_conversation() -> None:
    ask, reasoned = question("A", "B"), Reasoned(words=50, then=Stated())
    (reason,) = reasoned.requests(ask, [])
    assert reason.temperature == 0
    assert reason.max_tokens == 200 and "at most 50 words" in reason.turns[-1].content
    why = Completion(text="She is calm, so A.")
    later = reasoned.requests(ask, [why])
    assert [turn.role for turn in later[0].turns] == ["system", "user", "assistant", "user"]
    assert later[0].turns[:2] == reason.turns and later[0].turns[2].content == why.text
    told = Completion(text='{"A": 60, "B": 40}')
    assert reasoned.requests(ask, [why, told]) == ()
    reading = reasoned.read(ask, [why, told])
    assert reading.outcomes == ("answered",) * 2
    assert np.exp(reading.log_probs) == pytest.approx([0.6, 0.4])
    plain, *_ = Reasoned().requests(question("A", "B", kind="base"), [])
    assert plain.text.endswith("Do not answer yet.\nReasons:")


def test_every_sample_has_reasons_of_its_own_and_one_without_them_is_not_asked() -> None:
    ask = replace(question("A", "B"), drawn_for="p1")
    reasoned = Reasoned.model_validate({"then": {"samples": {"k": 3, "temperature": 0.7}}})
    chains = reasoned.requests(ask, [])
    assert [chain.sample for chain in chains] == [0, 1, 2]
    assert {(chain.temperature, chain.drawn_for) for chain in chains} == {(0.7, "p1")}
    reasons = [
        Completion(text="So A."),
        Completion(text="She", finish="length"),
        Completion(text="So B."),
    ]
    assert reasoned.requests(ask, reasons[:1]) == chains[1:]
    answers = reasoned.requests(ask, reasons)
    assert [answer.sample for answer in answers] == [0, 2]
    assert [answer.turns[2].content for answer in answers] == ["So A.", "So B."]
    assert reasoned.requests(ask, [*reasons, Completion(text="A")]) == answers[1:]
    completions = [*reasons, Completion(text="A"), Completion(text="B")]
    assert reasoned.requests(ask, completions) == ()
    reading = reasoned.read(ask, completions)
    assert reading.outcomes == ("answered", "truncated", "answered", "answered", "answered")
    assert reading.counts == (1, 1)
    assert np.exp(reading.log_probs).sum() == pytest.approx(2 / 3)


def test_an_option_that_was_given_nothing_is_told_apart() -> None:
    ask = question("A", "B", "C")
    stated = Stated().read(ask, [Completion(text='{"A": 98, "B": 2, "C": 0}')])
    assert stated.floored == (False, False, True)
    sampled = Samples(k=2).read(ask, [Completion(text="A"), Completion(text="B")])
    assert sampled.floored == (False, False, True) and sampled.counts == (1, 1, 0)


@pytest.mark.parametrize("way", [*(kind() for kind in ELICITATIONS.values()), Samples(k=1)])
def test_what_is_drawn_has_counts_by_which_it_is_known_to_be(way: Elicitation) -> None:
    ask = question("A", "B")
    completions: tuple[Completion, ...] = ()
    while asked := way.requests(ask, completions):
        top = (Token(text="A", log_prob=-0.1, top=(("A", -0.1), ("B", -3.0))),)
        completions += tuple(
            Completion(text="A", tokens=top if one.top_logprobs else ()) for one in asked
        )
    assert bool(way.read(ask, completions).counts) == way.draws


def test_nothing_more_is_asked_after_reasons_that_were_cut() -> None:
    ask, reasoned = question("A", "B"), Reasoned(then=NextToken())
    cut = Completion(text="She is", finish="length")
    assert reasoned.requests(ask, [cut]) == ()
    reading = reasoned.read(ask, [cut])
    assert reading.outcomes == ("truncated",) and reading.log_probs == ()
    assert reading.low == (-np.inf, -np.inf)


def echo(text: str, *tokens: tuple[str, float | None]) -> Completion:
    return Completion(tokens=tuple(Token(text=spelled, log_prob=p) for spelled, p in tokens))


def test_an_echoed_option_is_what_stands_after_the_cue() -> None:
    ask = question("Yes", "No", kind="base")
    head = ask.plain()
    requests = Likelihood().requests(ask, [])
    assert [request.text for request in requests] == [f"{head} Yes", f"{head} No"]
    completions = [
        echo("", ("<s>", None), (head, -9.0), (" Y", -1.0), ("es", -0.5), ("!", -3.0)),
        echo("", (head, None), (" No", -2.0)),
    ]
    assert Likelihood().requests(ask, completions) == ()
    reading = Likelihood().read(ask, completions)
    assert reading.log_probs == (-1.5, -2.0)
    assert reading.outcomes == ("low option mass",) * 2
    assert reading.low == reading.high


def test_an_echo_that_does_not_spell_the_text_is_an_error_that_bounds_its_option() -> None:
    ask = question("Yes", "No", kind="base")
    head = ask.plain()
    good = echo("", (head, None), (" Yes", float(np.log(0.6))))
    reading = Likelihood().read(ask, [good, echo("", (head, None), (" Na", -1.0))])
    assert reading.outcomes == ("answered", "error") and reading.log_probs == ()
    assert np.exp(reading.low) == pytest.approx([0.6, 0])
    assert np.exp(reading.high) == pytest.approx([1.0, 0.4])


def test_a_token_on_both_sides_of_the_cues_end_is_refused() -> None:
    ask = question("Yes", "No", kind="base")
    head = ask.plain()
    joined = echo("", (head[:-1], None), (": Yes", -1.0))
    with pytest.raises(GeppettoError, match="joins the end of the prompt with option 'Yes'"):
        Likelihood().requests(ask, [joined])


def nested_echoes(ask: Question) -> list[Completion]:
    return [
        echo("", (ask.plain(), None), ("1", -1.0)),
        echo("", (ask.plain(), None), ("1", -1.0), ("0", -1.0)),
    ]


def test_options_that_begin_one_another_are_sent_again_with_their_end() -> None:
    ten = question("1", "10", kind="base", cue="Answer: ")
    plain, ended = Likelihood().requests(ten, ()), Likelihood().requests(ten, nested_echoes(ten))
    assert [one.text + "\n" for one in plain] == [one.text for one in ended]
    completions = [
        *nested_echoes(ten),
        echo("", (ten.plain(), None), ("1", -1.0), ("\n", -2.0)),
        echo("", (ten.plain(), None), ("1", -1.0), ("0\n", -1.5)),
    ]
    assert Likelihood().requests(ten, completions) == ()
    reading = Likelihood().read(ten, completions)
    assert reading.log_probs == pytest.approx([-3.0, -2.5])
    assert len(reading.outcomes) == 4 and sum(reading.parts) == pytest.approx(1)
    lost = Likelihood().read(ten, [*completions[:3], Completion(finish="error", error="lost")])
    assert lost.log_probs == () and lost.outcomes[-1] == "error"


def test_one_token_each_needs_no_end() -> None:
    ten = question("1", "10", kind="base", cue="Answer: ")
    whole = [echo("", (ten.plain(), None), (answer, -1.0)) for answer in ("1", "10")]
    assert Likelihood().requests(ten, whole) == ()
    assert Likelihood().read(ten, whole).log_probs == (-1.0, -1.0)


def test_requests_for_ends_are_foreseen() -> None:
    ten = question("1", "10", kind="base", cue="Answer: ")
    assert len(Likelihood().requests(ten, [Completion(text=""), Completion(text="")])) == 2
    assert Likelihood().requests(question("1", "2", kind="base"), [Completion(text="")] * 2) == ()


@pytest.mark.parametrize("count", [2, 5, 9, 10, 11, 26, 27, 101])
@pytest.mark.parametrize("labels", ["Yes {}", "word{:03}", "{}"])
def test_advice_of_next_token_is_never_refused_itself(count: int, labels: str) -> None:
    scale = Scale(options={str(n): labels.format(n) for n in range(count)})
    refused = {
        answer: why for answer in ("number", "label", "letter") if (why := refusal(scale, answer))
    }
    for why in refused.values():
        if advised := re.search(r"use `layout: {answer: (\w+)}`", why):
            assert advised[1] not in refused
        elif "use the elicitation" in why:
            assert len(refused) == 3
        else:
            assert "does not fit" in why


def refusal(scale: Scale, answer: str) -> str:
    """Why a scale cannot be asked in a layout; empty if it can."""
    try:
        NextToken().requests(laid_out(scale, answer), ())
    except GeppettoError as error:
        return str(error)
    return ""


def laid_out(scale: Scale, answer: str) -> Question:
    """A question of a scale in a layout."""
    layout = Layout.model_validate({"answer": answer})
    listed = layout.listed(scale)
    options = tuple((code, listed[code]) for code in scale.options)
    labels = tuple(scale.options.items())
    return Question(TURNS, answer_cue(layout.answer), options, labels, "chat")


@pytest.mark.parametrize(
    ("asked", "can", "kind", "message"),
    [
        (NextToken(), {"top_logprobs": 5}, "chat", "use `next_token: {top: 5}`"),
        (NextToken(), {"top_logprobs": 0}, "chat", "does not give usable log-probabilities"),
        (NextToken(), {"reasons": True}, "chat", "reasons before it answers"),
        (Reasoned(then=NextToken()), {"top_logprobs": 0}, "chat", "does not give"),
        (Likelihood(), {"echo": False}, "base", "of a text it is sent"),
        (Likelihood(), {}, "chat", "turns is not echoed"),
        (Samples(), {"chat": False}, "chat", "kind: base"),
        (Stated(), {"completion": False}, "base", "kind: chat"),
        (Stated(), {"any_temperature": False}, "chat", "temperature 1 only, and this asks at 0"),
        (Samples(temperature=0.7), {"any_temperature": False}, "chat", "temperature 1 only"),
        (Samples(), {"thinking_cut": True}, "chat", "more `thinking_tokens`"),
    ],
)
def test_what_a_model_lacks_is_said_in_words(
    asked: Elicitation, can: dict[str, object], kind: Kind, message: str
) -> None:
    assert message in asked.lacks(EVERYTHING.model_copy(update=can), kind)
    others = (NextToken(), Samples(), Stated(), Reasoned())
    assert not any(other.lacks(EVERYTHING, "chat") for other in others)


def named(spec: object) -> Elicitation:
    return Named.model_validate(spec).one_of(ELICITATIONS, "elicitation")


def test_elicitations_are_named_in_an_experiment_file() -> None:
    assert sorted(ELICITATIONS) == ["likelihood", "next_token", "reasoned", "samples", "stated"]
    assert Named.model_validate({"samples": {"k": 3}}).one_of(
        ELICITATIONS, "elicitation"
    ) == Samples(k=3)
    nested = Named.model_validate({"reasoned": {"then": {"next_token": {"top": 5}}}}).one_of(
        ELICITATIONS, "elicitation"
    )
    assert nested == Reasoned(then=NextToken(top=5))
    assert nested.model_dump()["then"] == {"next_token": {"top": 5}}
    assert Reasoned.model_validate({"then": "stated"}) == Reasoned(then=Stated())


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("sample", "unknown elicitation 'sample'; did you mean 'samples'"),
        ({"samples": {"n": 3}}, "unknown parameter 'n' in elicitation 'samples'"),
        ({"samples": {"k": 0}}, "elicitation 'samples': k: "),
        ({"samples": {"temperature": 0}}, "at temperature 0 all samples are one"),
        ({"reasoned": {"then": "likelihood"}}, "unknown elicitation 'likelihood'"),
        ({"reasoned": {"then": {"samples": {"k": 0}}}}, "elicitation 'samples': k: "),
    ],
)
def test_a_wrong_elicitation_is_a_sentence(spec: object, message: str) -> None:
    with pytest.raises(GeppettoError, match=message):
        named(spec)
