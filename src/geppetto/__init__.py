"""Does a persona prompt make a language model predict this person, or only sound like one?"""

import os

from geppetto.api import freeze, optimise, pool, pool_gaps, run, run_each, run_search

__all__ = ["freeze", "optimise", "pool", "pool_gaps", "run", "run_each", "run_search"]

# LiteLLM, which MLflow's server and DSPy import as well, would fetch prices while it is imported,
# and never end doing so where that address is out of reach.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
