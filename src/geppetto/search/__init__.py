"""Which strategy is best: searched on some people, to be confirmed on others.

A `Space` is every candidate, read from the types of strategies' fields (`build`); `search` draws
candidates by Optuna, scores them on the people of a `split` who may be looked at (`scoring`), and
asks the others about the winner. What was found is a `SearchResult`, what the others say of it a
`Confirmation`. `instruction` does the same for what a writer of personas is told, by optimisers of
DSPy; `tracking`, `figures` and `terminal` show both.
"""

from geppetto._util.lazy import lazily

__all__ = ["Confirmation", "SearchResult", "Space", "search"]

__getattr__ = lazily(
    __name__,
    {"Confirmation": "confirm", "SearchResult": "result", "Space": "space", "search": "run"},
)
