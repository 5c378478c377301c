"""How an answer is read.

The central noun is the `Elicitation`: it makes requests of a `Question`, and a `Reading` of what
came back, or lets a model score the options exactly. Each has a module, named in `registry`.
"""

from geppetto.elicitation.base import Elicitation, Question, Reading

__all__ = ["Elicitation", "Question", "Reading"]
