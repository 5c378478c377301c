"""Models of the Hugging Face hub, scored in process by transformers.

A `TransformersModel` reads a `checkpoint`, a folder with its config, weights and tokenizer. Trees
become one row of tokens (`forest`) of which each attends to its own path (`masks`); `forward`
computes it in parts that fit into memory; `faithful` compares a tree with its paths before any
number is believed.
"""

from geppetto._util.lazy import lazily

__all__ = ["TransformersModel"]

__getattr__ = lazily(__name__, {"TransformersModel": "model"})
