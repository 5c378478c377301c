"""What answers.

The central noun is the `Model`: it generates completions of requests, and a `Scorer` also gives the
log-probabilities of given continuations. Models on this machine are in `local`, those that LiteLLM
reaches in `endpoint`; everything above this package knows the contract and no engine.
"""

from geppetto.models.base import Model, Scorer
from geppetto.models.identity import ModelIdentity
from geppetto.models.requests import Capabilities, Completion, Request
from geppetto.models.token_tree import TokenTree

__all__ = [
    "Capabilities",
    "Completion",
    "Model",
    "ModelIdentity",
    "Request",
    "Scorer",
    "TokenTree",
]
