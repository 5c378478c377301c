"""Who the model is told it is."""

from geppetto.personas.base import Persona, PersonaStrategy
from geppetto.personas.content import Answers, Content, Fact, Scores
from geppetto.personas.formats import Format, Wording

__all__ = [
    "Answers",
    "Content",
    "Fact",
    "Format",
    "Persona",
    "PersonaStrategy",
    "Scores",
    "Wording",
]
