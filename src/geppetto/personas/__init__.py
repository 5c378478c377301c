"""Who the model is told it is.

The central noun is a `PersonaStrategy`: how what is known of a participant becomes a `Persona`, a
text. Most strategies are a `Format`: they word facts (`Fact`), which are traits and, if asked for,
`Scores` and `Answers` to items that are not predicted (`Content`). A language model writes those of
`generated`. `arms` and `donors` say whose persona stands in whose place, `visibility` what it may
know, and `library` finds strategies by the name of their file.
"""

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
