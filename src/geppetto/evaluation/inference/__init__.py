"""From differences between arms, person by person, to intervals, tests and verdicts.

Whole people are drawn again, or have their signs flipped, with their clusters and within their
studies: responses of one person are never taken for independent ones.
"""

from geppetto.evaluation.inference.permutation import sign_flip_p
from geppetto.evaluation.inference.resampling import Estimate, Resampling, estimate, mean

__all__ = ["Estimate", "Resampling", "estimate", "mean", "sign_flip_p"]
