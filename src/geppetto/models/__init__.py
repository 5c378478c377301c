"""What answers.

The central noun is the `Model`: it generates completions of requests, and a `Scorer` also gives the
log-probabilities of given continuations. Models on this machine are in `local`, those that LiteLLM
reaches in `endpoint`; everything above this package knows the contract and no engine.
"""

from geppetto._util.lazy import lazily

__all__ = [
    "Capabilities",
    "Completion",
    "Model",
    "ModelIdentity",
    "Request",
    "Scorer",
    "TokenTree",
]

__getattr__ = lazily(
    __name__,
    {
        "Capabilities": "requests",
        "Completion": "requests",
        "Model": "base",
        "ModelIdentity": "identity",
        "Request": "requests",
        "Scorer": "base",
        "TokenTree": "token_tree",
    },
)
