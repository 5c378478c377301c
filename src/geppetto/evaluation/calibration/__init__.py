"""How far probabilities can be believed, and contrasts at one temperature a model.

A model that is too sure, or not sure enough, pays for that in every arm. Here is how far it is, and
what is left of contrasts once each model has the temperature that fits other people best.
"""

from geppetto.evaluation.calibration.reliability import Reliability, reliability

__all__ = ["Reliability", "reliability"]
