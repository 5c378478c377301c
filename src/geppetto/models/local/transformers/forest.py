"""Trees with one head as one row of tokens, of which each is known to be on which paths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geppetto.models.token_tree import TokenTree

_Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Forest:
    """What has to be computed of some trees after the head that they share.

    A node is numbered in the order in which a walk enters it, and knows the number after the last
    node below it: it is on the path of another if that one's number is between the two.

    Attributes
    ----------
    tokens
        Token id of each node that something follows, shape (nodes,); parents precede children.
    positions
        How many tokens stand before each node on its path, shape (nodes,).
    enter, until
        Number of each node, and the first number that is not below it, shape (nodes,).
    after, said
        For each log-probability that is asked for, the node that it is given, and its token,
        shape (asked,).
    homes
        For each tree, how many nodes it has, and which of them the log-probabilities belong to.

    Examples
    --------
    >>> tree = TokenTree.build([((1, 2), [(7,), (8, 9)])])
    >>> forest = Forest.of([tree])
    >>> forest.tokens.tolist(), forest.after.tolist(), forest.said.tolist()
    ([1, 2, 8], [1, 1, 2], [7, 8, 9])
    """

    tokens: _Integers
    positions: _Integers
    enter: _Integers
    until: _Integers
    after: _Integers
    said: _Integers
    homes: tuple[tuple[int, _Integers], ...]

    @classmethod
    def of(cls, trees: Sequence[TokenTree]) -> Forest:
        """The forest of trees with the same head."""
        columns: list[tuple[_Integers, ...]] = []
        homes, before = [], 0
        for tree in trees:
            nodes, asked = tree.inner(), np.flatnonzero(tree.scored())
            number = np.full(len(tree.tokens) + 1, -1, np.int64)  # the last is of no parent
            number[nodes] = np.arange(len(nodes))
            enter, until = _intervals(number[tree.parents[nodes]])
            columns.append(
                (
                    tree.tokens[nodes].astype(np.int64),
                    tree.depths()[nodes].astype(np.int64),
                    enter + before,
                    until + before,
                    number[tree.parents[asked]] + before,
                    tree.tokens[asked].astype(np.int64),
                )
            )
            homes.append((len(tree.tokens), asked))
            before += len(nodes)
        joined = [np.concatenate(column) for column in zip(*columns, strict=True)]
        tokens, positions, enter, until, after, said = joined
        return cls(tokens, positions, enter, until, after, said, tuple(homes))

    @classmethod
    def line(cls, tokens: Sequence[int], before: int = 0) -> Forest:
        """One path that nothing is asked of, after so many tokens."""
        numbers = np.arange(len(tokens))
        none = np.array([], np.int64)
        return cls(
            tokens=np.array(tokens, np.int64),
            positions=numbers + before,
            enter=numbers,
            until=np.full(len(tokens), len(tokens)),
            after=none,
            said=none,
            homes=(),
        )

    def parts(self, tokens: int, rows: int) -> Iterator[slice]:
        """Stretches of at most so many nodes, after at most so many of which something is asked."""
        asked = np.zeros(len(self.tokens), np.int64)
        asked[self.after] = 1
        rows_before = np.concatenate([[0], np.cumsum(asked)])
        start = 0
        while start < len(self.tokens):
            end = int(np.searchsorted(rows_before, rows_before[start] + rows, side="right")) - 1
            yield slice(start, min(end, start + tokens))
            start = min(end, start + tokens)

    def by_tree(self, log_probs: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """The log-probabilities asked for as each tree's nodes have them, NaN elsewhere."""
        found, start = [], 0
        for size, asked in self.homes:
            of_tree = np.full(size, np.nan)
            of_tree[asked] = log_probs[start : start + len(asked)]
            start += len(asked)
            found.append(of_tree)
        return found


def _intervals(parents: _Integers) -> tuple[_Integers, _Integers]:
    """Numbers in the order of a walk, and those after the last below; -1 is no parent."""
    above = parents.tolist()
    sizes = [1] * len(above)
    for node in range(len(above) - 1, -1, -1):
        if above[node] >= 0:
            sizes[above[node]] += sizes[node]
    enter = [0] * len(above)
    free = [0] * (len(above) + 1)  # the next number below each node; the last is of roots
    for node, parent in enumerate(above):
        enter[node] = free[parent]
        free[parent] += sizes[node]
        free[node] = enter[node] + 1
    entered = np.array(enter, np.int64)
    return entered, entered + np.array(sizes, np.int64)
