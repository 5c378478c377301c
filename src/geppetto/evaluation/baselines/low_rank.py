"""A low-rank model of people's responses: a few dimensions of the person serve all items.

The logits of an item's options are an intercept for each option and the product of an embedding
of the person with one of the option. A person's embedding is linear in what is known of them, so
that it exists for people whose responses to these items were never seen. This is the reduced-rank
multinomial logistic regression of Yee & Hastie (2003, Statistical Modelling 3, 15-41); for one item
and one dimension the stereotype model of ordered categories (Anderson 1984, JRSS B 46, 1-30).
A learned embedding of the person leads the published comparison of language models with
statistical ones on a panel of the General Social Survey (github.com/umaraslam66/mirror).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from geppetto.evaluation.arrays import Floats, Integers

_DIMENSIONS = 8
"""Most dimensions of a person; the penalty leaves fewer."""

_STEPS = 100


def low_rank(
    known: Floats, responses: Integers, options: int, wanted: Floats, strength: float
) -> Floats:
    """Probabilities of every item's options, from people whose items share their embedding.

    Minimises the NLL of the training people plus the squared length of all embeddings over
    2 x `strength`. That penalty is the least of all that have the same product, its nuclear norm
    (Srebro, Rennie & Jaakkola 2005, NIPS 17): it takes whole dimensions away, so the strength also
    chooses the rank. Missing responses do not count, and an option that nobody chose has
    probability 0.

    Parameters
    ----------
    known, wanted
        Standardised fields of training people and of those asked about, shape (people, fields).
    responses
        Positions of training people's responses among the options, shape (people, items), -1
        without one.
    """
    observed = _Features.of(known, responses, options)
    start = observed.start
    ends = np.cumsum([part.size for part in start])[:-1]

    def parts(values: Floats) -> list[Floats]:
        flat = zip(np.split(values, ends), start, strict=True)
        return [part.reshape(like.shape) for part, like in flat]

    def penalised(values: Floats) -> tuple[float, Floats]:
        loss, slopes = observed.loss(*parts(values), strength=strength)
        return loss, np.concatenate([slope.ravel() for slope in slopes])

    fitted = optimize.minimize(
        penalised,
        np.concatenate([part.ravel() for part in start]),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": _STEPS, "ftol": 1e-6},
    )
    return np.moveaxis(observed.probabilities(wanted, *parts(fitted.x)), 0, 2)


@dataclass(frozen=True, eq=False)
class _Features:
    """What the model is fitted to: fields of people, shape (people, fields), and their responses.

    `position` among the options and `answered` are of shape (people, items), `chosen` of (options,
    people, items); an option is `possible` if anybody chose it, shape (options, 1, items), and all
    are where nobody responded.
    """

    known: Floats
    position: Integers
    answered: NDArray[np.bool_]
    chosen: NDArray[np.bool_]
    possible: NDArray[np.bool_]

    @classmethod
    def of(cls, known: Floats, responses: Integers, options: int) -> _Features:
        answered = responses >= 0
        chosen = responses == np.arange(options)[:, None, None]
        possible = chosen.any(axis=1, keepdims=True) | ~answered.any(axis=0)
        return cls(known, np.maximum(responses, 0), answered, chosen, possible)

    @property
    def start(self) -> tuple[Floats, Floats, Floats]:
        """Weights of fields, embeddings of options and intercepts to begin from.

        Intercepts are those of the item marginals, and embeddings the largest singular vectors
        of the slope there.
        """
        counts = self.chosen.sum(axis=1, keepdims=True)
        share = counts / np.maximum(self.answered.sum(axis=0), 1)
        slope = self.known.T @ (self.chosen - share * self.answered)
        left, sizes, right = np.linalg.svd(np.hstack(list(slope)), full_matrices=False)
        scale = np.sqrt(sizes[:_DIMENSIONS] / len(self.known))
        embeddings = (right[:_DIMENSIONS] * scale[:, None]).reshape(len(scale), len(slope), -1)
        intercepts = np.log(np.where(counts > 0, share, 1.0))
        return left[:, :_DIMENSIONS] * scale, embeddings.transpose(1, 0, 2), intercepts

    def probabilities(
        self, known: Floats, weights: Floats, embeddings: Floats, intercepts: Floats
    ) -> Floats:
        """Shape (options, people, items)."""
        logits = np.where(self.possible, known @ weights @ embeddings + intercepts, -np.inf)
        odds = np.exp(logits - logits.max(axis=0))
        return np.asarray(odds / odds.sum(axis=0))

    def loss(
        self, weights: Floats, embeddings: Floats, intercepts: Floats, *, strength: float
    ) -> tuple[float, tuple[Floats, Floats, Floats]]:
        """The penalised NLL in nats and its slopes."""
        probability = self.probabilities(self.known, weights, embeddings, intercepts)
        of_chosen = np.take_along_axis(probability, self.position[None], axis=0)[0]
        length = float((weights**2).sum() + (embeddings**2).sum())
        over = probability * self.answered - self.chosen
        slopes = (
            self.known.T @ (over @ embeddings.transpose(0, 2, 1)).sum(axis=0) + weights / strength,
            (self.known @ weights).T @ over + embeddings / strength,
            over.sum(axis=1, keepdims=True),
        )
        return -float(np.log(of_chosen[self.answered]).sum()) + length / (2 * strength), slopes
