"""Prompts and their options as one prefix tree, so that shared tokens are computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Tokens = tuple[int, ...]


@dataclass(frozen=True)
class TokenTree:
    """A forest of tokens in which every path from a root is a prefix of some continuation.

    Nodes are numbered so that a parent precedes its children.

    Attributes
    ----------
    tokens
        Token id of each node, shape (nodes,).
    parents
        Index of each node's parent, -1 for a root, shape (nodes,).
    options
        For each place where options stand, for each of them, the nodes that spell it.
    head
        Number of leading nodes, an unbranched path before the first option, that are kept so that
        a next tree that starts with them is cheaper.

    Examples
    --------
    Two options of one prompt, of which the second takes two tokens:

    >>> tree = TokenTree.build([((1, 2), [(7,), (8, 9)])])
    >>> tree.tokens.tolist(), tree.parents.tolist()
    ([1, 2, 7, 8, 9], [-1, 0, 1, 1, 3])
    >>> tree.options
    (((2,), (3, 4)),)
    """

    tokens: NDArray[np.int32]
    parents: NDArray[np.int32]
    options: tuple[tuple[Tokens, ...], ...]
    head: int = 0

    @classmethod
    def build(cls, prompts: Sequence[tuple[Tokens, Sequence[Tokens]]], head: int = 0) -> TokenTree:
        """The tree of (prompt tokens, options' tokens) pairs.

        Raises
        ------
        ValueError
            If a prompt or an option has no tokens.
        """
        return cls.along([(prompt, [(len(prompt), options)]) for prompt, options in prompts], head)

    @classmethod
    def along(
        cls, texts: Sequence[tuple[Tokens, Sequence[tuple[int, Sequence[Tokens]]]]], head: int = 0
    ) -> TokenTree:
        """The tree of texts with options at several places of each.

        Parameters
        ----------
        texts
            Each text's tokens, and its places: how many of them stand before it, and the tokens
            of its options. Every place becomes one of the tree's `options`.
        head
            See `TokenTree`.

        Raises
        ------
        ValueError
            If a place has no tokens before it, or an option has no tokens.
        """
        tokens: list[int] = []
        parents: list[int] = []
        children: dict[tuple[int, int], int] = {}

        def walk(node: int, path: Tokens) -> list[int]:
            nodes = []
            for token in path:
                child = children.get((node, token))
                if child is None:
                    child = children[node, token] = len(tokens)
                    tokens.append(token)
                    parents.append(node)
                nodes.append(child)
                node = child
            return nodes

        options = []
        for text, places in texts:
            path = walk(-1, text)
            for before, continuations in places:
                if not 0 < before <= len(path) or not all(continuations):
                    raise ValueError("a prompt and its options need at least one token each")
                end = path[before - 1]
                options.append(tuple(tuple(walk(end, option)) for option in continuations))
        return cls(np.array(tokens, np.int32), np.array(parents, np.int32), tuple(options), head)

    def scored(self) -> NDArray[np.bool_]:
        """Which nodes belong to an option and so need a log-probability, shape (nodes,)."""
        scored = np.zeros(len(self.tokens), bool)
        for prompt in self.options:
            for option in prompt:
                scored[list(option)] = True
        return scored

    def depths(self) -> NDArray[np.int32]:
        """Number of tokens before each node on its path, shape (nodes,)."""
        depths = np.zeros(len(self.tokens), np.int32)
        for node, parent in enumerate(self.parents):
            if parent >= 0:
                depths[node] = depths[parent] + 1
        return depths

    def inner(self) -> NDArray[np.intp]:
        """Nodes after the head that something follows, which are those to be computed.

        Raises
        ------
        ValueError
            If an option has no prompt before it, or the head does not end before an option's
            parent.
        """
        scored = self.scored()
        if np.any(scored & (self.parents < 0)):
            raise ValueError("an option needs a prompt before it")
        if np.any(self.parents[scored] < self.head):
            raise ValueError("the head must end before the first option's parent")
        nodes = np.unique(self.parents[self.parents >= 0])
        return np.asarray(nodes[nodes >= self.head], np.intp)
