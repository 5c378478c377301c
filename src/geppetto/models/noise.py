"""By how much rounding changes an answer, measured on the prompts that are asked.

The same log-probability comes out a little different when its tokens are computed in another order.
An effect that is no larger than that may be nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geppetto.models.base import Scorer
from geppetto.models.token_tree import Tokens, TokenTree


@dataclass(frozen=True)
class Noise:
    """How far answers from trees are from those of one path at a time.

    Attributes
    ----------
    answers
        Number of answers that were computed both ways.
    mean, largest
        Absolute difference of their log-probabilities, in nats.

    Examples
    --------
    >>> from geppetto.models.noise import Noise
    >>> Noise(answers=8, mean=2e-5, largest=4e-5).mean < 0.005
    True
    """

    answers: int
    mean: float
    largest: float


def noise(model: Scorer, trees: Sequence[TokenTree], most: int = 4) -> Noise:
    """Score options of trees again, those of each prompt on a path of their own.

    Parameters
    ----------
    model
        What answers.
    trees
        What it is asked.
    most
        How many prompts are scored again; they are taken evenly from all.
    """
    prompts = [
        (tree, scores, options)
        for tree, scores in zip(trees, model.score(trees), strict=True)
        for options in tree.options
    ]
    chosen = np.unique(np.linspace(0, len(prompts) - 1, min(most, len(prompts))).astype(int))
    differences: list[float] = []
    for tree, scores, options in (prompts[number] for number in chosen):
        spelled = [tuple(tree.tokens[list(nodes)].tolist()) for nodes in options]
        alone = TokenTree.build([(_before(tree, options[0][0]), spelled)])
        (again,) = model.score([alone])
        differences += [
            abs(scores[list(nodes)].sum() - again[list(same)].sum())
            for nodes, same in zip(options, alone.options[0], strict=True)
        ]
    return Noise(len(differences), float(np.mean(differences)), float(np.max(differences)))


def _before(tree: TokenTree, node: int) -> Tokens:
    """The tokens before a node, from the beginning."""
    path = []
    while (node := int(tree.parents[node])) >= 0:
        path.append(int(tree.tokens[node]))
    return tuple(reversed(path))
