"""What was answered.

The central noun is the answer, one scored cell under one condition: an `AnswerRow` of the tidy
table. `AnswerStore` keeps scores, `completions` what was generated; `client` and `local` ask what
is missing, each request once, however many processes share a store.
"""

from geppetto.answers.store import AnswerStore
from geppetto.answers.table import AnswerRow

__all__ = ["AnswerRow", "AnswerStore"]
