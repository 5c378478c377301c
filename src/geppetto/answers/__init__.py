"""What was answered.

The central noun is the answer, one scored cell under one condition: an `AnswerRow` of the tidy
table. `AnswerStore` keeps scores, `completions` what was generated; `client` and `local` ask what
is missing, each request once, however many processes share a store.
"""

from geppetto._util.lazy import lazily

__all__ = ["AnswerRow", "AnswerStore"]

__getattr__ = lazily(__name__, {"AnswerRow": "table", "AnswerStore": "store"})
