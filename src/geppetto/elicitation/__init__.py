"""How an answer is read.

The central noun is the `Elicitation`: it makes requests of a `Question`, and a `Reading` of what
came back, or lets a model score the options exactly. Each has a module, named in `registry`.
"""

from geppetto._util.lazy import lazily

__all__ = ["Elicitation", "Question", "Reading"]

__getattr__ = lazily(__name__, {"Elicitation": "base", "Question": "base", "Reading": "base"})
