"""The prefix tree and what is read from it."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_model import CHATML, FakeModel
from geppetto._util.errors import GeppettoError
from geppetto.answers.local import score
from geppetto.elicitation.option_likelihood import request_id, units
from geppetto.models.token_tree import TokenTree
from geppetto.prompts.chat import ChatTemplate
from geppetto.prompts.survey import Prompt

sequences = st.lists(st.integers(0, 3), min_size=1, max_size=6).map(tuple)


def prompt(text: str, options: tuple[str, ...] = ("1", "2"), stem: str = "") -> Prompt:
    return Prompt(text, head=stem[:1], stem=stem, options=tuple((o, o) for o in options))


@given(st.lists(st.tuples(sequences, st.lists(sequences, min_size=1, max_size=4)), max_size=8))
def test_tree_spells_every_option_after_its_prompt(
    prompts: list[tuple[tuple[int, ...], list[tuple[int, ...]]]],
) -> None:
    tree = TokenTree.build(prompts)
    depths = tree.depths()
    for (text, options), nodes in zip(prompts, tree.options, strict=True):
        for option, path in zip(options, nodes, strict=True):
            assert tuple(tree.tokens[list(path)]) == option
            before = []
            node = tree.parents[path[0]]
            while node >= 0:
                before.append(int(tree.tokens[node]))
                node = tree.parents[node]
            assert tuple(reversed(before)) == text
            assert depths[path[0]] == len(text)
            assert tree.scored()[list(path)].all()


@given(st.lists(st.tuples(sequences, st.lists(sequences, min_size=1, max_size=4)), max_size=8))
def test_tree_holds_each_distinct_prefix_once(
    prompts: list[tuple[tuple[int, ...], list[tuple[int, ...]]]],
) -> None:
    tree = TokenTree.build(prompts)
    whole = [text + option for text, options in prompts for option in options]
    prefixes = {path[:end] for path in whole for end in range(1, len(path) + 1)}
    assert len(tree.tokens) == len(prefixes)
    assert (tree.parents < np.arange(len(tree.tokens))).all()


def test_empty_prompts_and_options_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one token"):
        TokenTree.build([((), [(1,)])])
    with pytest.raises(ValueError, match="at least one token"):
        TokenTree.build([((1,), [()])])


def test_scores_are_sums_of_conditional_log_probabilities() -> None:
    model = FakeModel()
    options = ("yes", "no", "perhaps")
    prompts = {text: prompt(text, options, stem="ab") for text in ("abc ", "abd ", "ab ")}
    (unit,) = units(prompts, model)
    scores = score([unit], model)
    for text in prompts:
        for option, total in zip(options, scores[text].log_probs, strict=True):
            assert total == pytest.approx(by_hand(model, text, option), abs=1e-12)
        assert scores[text].tokens == (3, 2, 7)
        assert scores[text].prompt_tokens == len(text)


def by_hand(model: FakeModel, text: str, option: str) -> float:
    """Sum of the log-probabilities of an option's bytes, each given all before it."""
    spelled = [f"{text}{option[:end]}".encode() for end in range(1, len(option) + 1)]
    return sum(map(model.log_prob, spelled))


@pytest.mark.parametrize(
    ("template", "end"), [(None, "\n"), (ChatTemplate(source=CHATML), "<")], ids=["base", "chat"]
)
@pytest.mark.parametrize(
    "options", [("1", "10"), tuple(map(str, range(101))), ("no", "not at all")]
)
def test_options_that_begin_one_another_are_scored_with_their_end(
    options: tuple[str, ...], template: ChatTemplate | None, end: str
) -> None:
    model = FakeModel(template=template)
    (unit,) = units({"p": prompt("rate: ", options)}, model)
    scores = score([unit], model)["p"]
    assert scores.log_probs == pytest.approx(
        [by_hand(model, "rate: ", option + end) for option in options], abs=1e-12
    )
    assert scores.tokens == tuple(len(option) + 1 for option in options)


def test_an_end_that_is_joined_with_an_option_still_ends_it() -> None:
    class Joining(FakeModel):
        def tokenize(self, text: str) -> tuple[int, ...]:
            return tuple(text.replace("0\n", "\x01").encode())

        def detokenize(self, tokens: Sequence[int]) -> bytes:
            return bytes(tokens).replace(b"\x01", b"0\n")

    (unit,) = units({"p": prompt("rate: ", ("1", "10"))}, Joining())
    assert unit.options == (((ord("1"), ord("\n")), (ord("1"), 1)),)


def test_two_options_with_the_same_words_are_refused() -> None:
    with pytest.raises(GeppettoError, match="'Yes' from the beginning of option 'Yes'"):
        list(units({"p": prompt("rate: ", ("Yes", "Yes"))}, FakeModel()))


def test_an_option_that_the_tokenizer_joins_with_the_prompt_is_refused() -> None:
    class Joining(FakeModel):
        def tokenize(self, text: str) -> tuple[int, ...]:
            return tuple(text.replace(" 1", "\x01").encode())

    with pytest.raises(GeppettoError, match="joins the end of the prompt with option '1'"):
        list(units({"p": prompt("rate: ")}, Joining()))


def test_units_are_stems_and_cost_their_distinct_tokens() -> None:
    texts = ["head:ann q1 ", "head:ann q2 ", "head:bob q1 "]
    prompts = {
        text: Prompt(text, head="head:", stem=text[:-3], options=(("1", "1"), ("2", "2")))
        for text in texts
    }
    model = FakeModel()
    ann, bob = units(prompts, model)
    assert ann.ids == tuple(texts[:2]) and bob.ids == (texts[2],)
    assert ann.head == bob.head == len("head:")
    assert ann.distinct_tokens == len("ann q1 ") + len("2 ")
    score([ann], model)
    assert model.decoded == ann.distinct_tokens


@pytest.mark.parametrize(
    ("options", "sizes"),
    [(("1", "2", "3"), [256, 44]), (("yes", "no", "perhaps"), [85, 85, 85, 45])],
)
def test_a_unit_is_split_before_it_has_too_many_branches(
    options: tuple[str, ...], sizes: list[int]
) -> None:
    prompts = {f"s{n:03} ": prompt(f"s{n:03} ", options, stem="s") for n in range(300)}
    found = list(units(prompts, FakeModel()))
    assert [len(unit.ids) for unit in found] == sizes
    for unit in found:
        parents = set(unit.tree.parents.tolist()) - {-1}
        decoded_leaves = parents - {int(unit.tree.parents[node]) for node in parents}
        assert len(decoded_leaves) <= 256


def test_a_prompt_that_does_not_fit_is_refused_with_its_size() -> None:
    with pytest.raises(GeppettoError, match="needs 31 tokens, but the model's context holds 30"):
        list(units({"p": prompt("x" * 30)}, FakeModel(context=30)))


def test_identity_changes_with_everything_that_changes_an_answer() -> None:
    model = FakeModel().identity
    one = prompt("abc")
    others = [
        request_id(prompt("abd"), model),
        request_id(prompt("abc", ("1", "3")), model),
        request_id(one, model.model_copy(update={"weights": "bf16"})),
        request_id(one, model.model_copy(update={"sha256": "1"})),
        request_id(one, model.model_copy(update={"engine": "other"})),
    ]
    assert len({request_id(one, model), *others}) == 6
    assert request_id(one, model) == request_id(prompt("abc"), model)
