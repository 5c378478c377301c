"""Everything that is known before anything is asked.

The central noun is the `Plan`: which cells are answered under which conditions, with which
prompts, hashed before anything is asked. `config` is the schema of the experiment file, `build`
makes the plan.
"""

from geppetto._util.lazy import lazily

__all__ = ["Condition", "Plan", "PlannedAnswer", "Strategy"]

__getattr__ = lazily(
    __name__, {"Condition": "plan", "Plan": "plan", "PlannedAnswer": "plan", "Strategy": "plan"}
)
