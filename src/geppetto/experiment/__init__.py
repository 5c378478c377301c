"""One question, from its file to what was found.

`prepare` finds every part and makes the plan, `persona_generation` has models write what personas
are made of, `run` asks and logs, and `results` says what was answered. What an earlier plan
promised is in `preregistration`.
"""

from geppetto._util.lazy import lazily

__all__ = ["evaluate", "prepare_each"]

__getattr__ = lazily(__name__, {"evaluate": "results", "prepare_each": "prepare"})
