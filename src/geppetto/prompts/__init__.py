"""What the model reads.

The central noun is a `Prompt`, which puts one item of a survey after a persona, or a `Transcript`,
which puts part of a session there; both as plain text or as turns of a model's own
`ChatTemplate`. `Layout` and `SessionLayout` are what an experiment file says of them, and `windows`
decides how much of a session fits for every arm and model alike.
"""

from geppetto.prompts.chat import ChatTemplate
from geppetto.prompts.session import transcripts
from geppetto.prompts.session_layout import SessionLayout
from geppetto.prompts.survey import Layout, Prompt, render
from geppetto.prompts.transcript import Transcript

__all__ = [
    "ChatTemplate",
    "Layout",
    "Prompt",
    "SessionLayout",
    "Transcript",
    "render",
    "transcripts",
]
