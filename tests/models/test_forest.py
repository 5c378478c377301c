"""Trees in one row: each node is on the paths that the trees have it on, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geppetto.models.local.transformers.forest import Forest
from geppetto.models.token_tree import Tokens, TokenTree

few = st.integers(0, 3)
texts = st.lists(few, min_size=2, max_size=8).map(tuple)
places = st.tuples(st.integers(1, 2), st.lists(texts, min_size=1, max_size=3))
trees = st.lists(
    st.lists(st.tuples(texts, st.lists(places, min_size=1, max_size=2)), min_size=1, max_size=3),
    min_size=1,
    max_size=3,
).map(lambda told: [TokenTree.along(one) for one in told])


def path(tree: TokenTree, node: int) -> Tokens:
    tokens: Tokens = ()
    while node >= 0:
        tokens = (int(tree.tokens[node]), *tokens)
        node = int(tree.parents[node])
    return tokens


def seen(forest: Forest, node: int) -> Tokens:
    """What a node attends to, in the order of positions."""
    number = forest.enter[node]
    on_path = np.flatnonzero((forest.enter <= number) & (number < forest.until))
    order = on_path[np.argsort(forest.positions[on_path])]
    assert forest.positions[order].tolist() == list(range(len(order)))
    assert order.max() == node, "so that it can be computed with what comes before it"
    return tuple(forest.tokens[order].tolist())


@given(trees)
def test_a_node_attends_to_its_path(several: list[TokenTree]) -> None:
    forest = Forest.of(several)
    found = [
        (seen(forest, node), said) for node, said in zip(forest.after, forest.said, strict=True)
    ]
    expected = [
        (path(tree, int(tree.parents[node])), int(tree.tokens[node]))
        for tree in several
        for node in np.flatnonzero(tree.scored())
    ]
    assert found == expected


@given(trees, st.integers(1, 5), st.integers(1, 3))
def test_parts_are_small_and_all_there(several: list[TokenTree], tokens: int, rows: int) -> None:
    forest = Forest.of(several)
    parts = list(forest.parts(tokens, rows))
    ends = [0, *(part.stop for part in parts)]
    assert [part.start for part in parts] == ends[:-1] and ends[-1] == len(forest.tokens)
    for part in parts:
        assert part.stop - part.start <= tokens
        assert (
            len({node for node in forest.after.tolist() if part.start <= node < part.stop}) <= rows
        )


def test_log_probabilities_go_home_to_their_trees() -> None:
    one, two = TokenTree.build([((1,), [(2, 3)])]), TokenTree.build([((1,), [(4,)])])
    found = Forest.of([one, two]).by_tree(np.array([-1.0, -2.0, -3.0]))
    np.testing.assert_array_equal(found[0], [np.nan, -1, -2])
    np.testing.assert_array_equal(found[1], [np.nan, -3])


def test_a_head_is_not_computed_again() -> None:
    tree = TokenTree.build([((5, 6, 7), [(8,)]), ((5, 6, 9), [(8,)])], head=2)
    forest = Forest.of([tree])
    assert forest.tokens.tolist() == [7, 9] and forest.positions.tolist() == [2, 2]


def test_an_option_needs_a_prompt_that_is_computed() -> None:
    with pytest.raises(ValueError, match="head must end before"):
        TokenTree.build([((5, 6), [(8,)])], head=2).inner()
