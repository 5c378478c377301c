"""Does a persona prompt make a language model predict this person, or only sound like one?"""

from geppetto.api import pool, run, run_each, run_search

__all__ = ["pool", "run", "run_each", "run_search"]
