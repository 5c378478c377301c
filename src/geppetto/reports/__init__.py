"""How it is shown: what results say as text, tables, figures and in the terminal.

Nothing is computed here. `terminal` is what a command prints before and after a run, with a module
for each part of it; `Plots` are the figures of results by name, drawn by `figures`, `pairs`
and `comparison` in one `style`.
"""

from geppetto._util.lazy import lazily

__all__ = ["Plots"]

__getattr__ = lazily(__name__, {"Plots": "plots"})
