"""Who the model is told it is."""

from geppetto.personas.strategy import Persona, PersonaStrategy

__all__ = ["Persona", "PersonaStrategy"]
