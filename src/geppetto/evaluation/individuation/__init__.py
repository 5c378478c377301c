"""Whether predictions tell people apart, and whether people are found by their personas.

A model may predict everybody well and nobody in particular. `statistics` compares predictions and
responses across people; `matching` everybody's persona with everybody.
"""

from geppetto.evaluation.individuation.matching import MatchingMatrix, identification

__all__ = ["MatchingMatrix", "identification"]
