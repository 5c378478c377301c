"""Everything that is known before anything is asked.

The central noun is the `Plan`: which cells are answered under which conditions, with which
prompts, hashed before anything is asked. `config` is the schema of the experiment file, `build`
makes the plan.
"""

from geppetto.planning.plan import Condition, Plan, PlannedAnswer, Strategy

__all__ = ["Condition", "Plan", "PlannedAnswer", "Strategy"]
