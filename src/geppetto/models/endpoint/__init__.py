"""Models behind an interface, by LiteLLM.

The central noun is the `Endpoint`. Around it are addresses, faults, limits and prices, a probe of
what an interface really gives, and the way in which DSPy asks any model of geppetto.
"""

from geppetto._util.lazy import lazily

__all__ = ["Endpoint"]

__getattr__ = lazily(__name__, {"Endpoint": "client"})
