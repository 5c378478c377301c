"""Models on this machine.

The central noun is the `LocalModel`, which says tokens one by one and scores trees of them exactly.
Of its engines, llama.cpp and transformers, one is imported when a model of it is opened.
"""

from geppetto._util.lazy import lazily

__all__ = ["LocalModel"]

__getattr__ = lazily(__name__, {"LocalModel": "base"})
