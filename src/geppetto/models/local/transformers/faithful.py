"""A tree against its paths: what shares tokens must say what each text alone says.

With masks that are not what an architecture means by them numbers are plausible and wrong, by up to
1.7 nats where a layer has a window. So before any number of a model is believed, a small tree is
compared with its paths, each read alone as transformers reads any text: causal, without a mask of
ours, without a cache and by the plain form of attention. Both with windows shorter than the paths.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from geppetto._util.errors import GeppettoError
from geppetto.models.identity import Precision
from geppetto.models.local.transformers.forward import Forward
from geppetto.models.token_tree import Tokens, TokenTree

TEXT = (
    "Below is an interview with a person, then a statement. Answer with one number: 1 = No, 2 = "
    "Yes. What do you do all day? I teach children to swim, and I shout a lot. What else is there?"
)
"""What the trees are made of."""

TOLERANCE: dict[Precision, float] = {"exact": 1e-4, "fast": 0.4}
"""Mean difference in nats that the precision explains; a wrong mask makes a larger one.

Of single improbable tokens bfloat16 is off by as much as a wrong mask is.
"""

_WINDOW = 6
_LENGTH = 24


def refuse_unfaithful(network: Any, forward: Forward, tokens: Tokens, precision: Precision) -> None:
    """Refuse a model whose trees are not what its paths say.

    Parameters
    ----------
    network
        transformers' model.
    forward
        Computes its trees.
    tokens
        Of `TEXT`.
    precision
        How it is computed.

    Raises
    ------
    GeppettoError
        If log-probabilities differ by more than the tolerance.
    """
    trees = _trees(tokens)
    kind = network.config.model_type
    try:
        with _short_windows(network.config.get_text_config(decoder=True)):
            found = forward.log_probs(trees)
            expected = _path_by_path(network, trees)
            forward.forget()
    except GeppettoError:
        raise
    except Exception as error:  # of many kinds, by what an architecture does with a mask
        raise GeppettoError(
            f"{kind}: texts that share a beginning cannot be scored together "
            f"({' '.join(str(error).split())[:200]}); use another model, or a server"
        ) from error
    differences = [
        np.abs(one - other)[tree.scored()]
        for one, other, tree in zip(found, expected, trees, strict=True)
    ]
    seen = np.concatenate(differences)
    if not seen.mean() <= TOLERANCE[precision]:  # nor if it is not a number
        raise GeppettoError(
            f"{kind}: texts that share a beginning are scored otherwise than "
            f"one by one, by {seen.mean():.2g} nats on average and up to {seen.max():.2g}, where "
            f"{TOLERANCE[precision]:g} is noise; "
            "its attention cannot branch: use another model, or a server"
        )


def _trees(tokens: Tokens) -> list[TokenTree]:
    """Two trees with one head, with branches at several depths and longer than a short window."""
    text = (tokens * _LENGTH)[:_LENGTH]
    others = (tokens[::-1] * _LENGTH)[:_LENGTH]
    head = _LENGTH // 4
    first = [(head + 2, [text[1:3], others[:4]]), (_LENGTH - 2, [text[:1], others[3:5]])]
    second = text[: head + 1] + others[: _LENGTH // 2]
    return [
        TokenTree.along([(text, first), (second, [(len(second), [text[:2]])])], head=head),
        TokenTree.along([(second, [(len(second) - 1, [others[5:8], text[:1]])])], head=head),
    ]


def _path_by_path(network: Any, trees: Sequence[TokenTree]) -> list[NDArray[np.float64]]:
    """Log-probability of each tree's nodes by a pass for every leaf."""
    fast_form = network.config._attn_implementation
    network.set_attn_implementation("eager")
    try:
        return [_one_by_one(network, tree) for tree in trees]
    finally:
        network.set_attn_implementation(fast_form)


def _one_by_one(network: Any, tree: TokenTree) -> NDArray[np.float64]:
    log_probs = np.full(len(tree.tokens), np.nan)
    for leaf in set(range(len(tree.tokens))) - set(tree.parents.tolist()):
        path = [leaf]
        while (parent := int(tree.parents[path[0]])) >= 0:
            path.insert(0, parent)
        tokens = torch.tensor(tree.tokens[path].astype(np.int64), device=network.device)
        with torch.inference_mode():
            logits = network(input_ids=tokens[None], use_cache=False).logits[0].float()
        said = torch.log_softmax(logits[:-1], dim=-1)[torch.arange(len(path) - 1), tokens[1:]]
        log_probs[path[1:]] = said.double().cpu().numpy()
    return log_probs


@contextmanager
def _short_windows(config: Any) -> Iterator[None]:
    """Let layers that have a window have one that is shorter than the trees."""
    window = getattr(config, "sliding_window", None)
    if window is not None:
        config.sliding_window = _WINDOW
    try:
        yield
    finally:
        if window is not None:
            config.sliding_window = window
