"""Does a persona prompt make a language model predict this person, or only sound like one?"""

from geppetto.api import pool, pool_gaps, run, run_each, run_search

__all__ = ["pool", "pool_gaps", "run", "run_each", "run_search"]
