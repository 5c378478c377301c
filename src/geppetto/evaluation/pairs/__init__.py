"""Pairs of a base model and what was post-trained from it: what is lost, what personas win back.

The gap is how much worse people are predicted after post-training; a recovery is the part of it
that a persona wins back, where that can be told.
"""

from geppetto.evaluation.pairs.gap import published_d
from geppetto.evaluation.pairs.recovery import recovery

__all__ = ["published_d", "recovery"]
