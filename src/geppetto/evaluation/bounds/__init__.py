"""How far a contrast could be from what was found, given what models did not say.

One idea: what is not known is between two ends, and so is all that follows from it. An elicitation
gives the two ends of an answer (`geppetto.elicitation.bounds`); `conditions` makes of them how much
less and how much more a condition could have cost each person, and `bounds` the lowest and the
highest that a contrast could be. Nothing is assumed of why something was not said.
"""

from geppetto.evaluation.bounds.bounds import Bounds

__all__ = ["Bounds"]
