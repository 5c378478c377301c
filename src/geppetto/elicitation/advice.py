"""What an error may advise: another layout, after it was tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from geppetto._util.errors import GeppettoError
from geppetto.elicitation.base import Question
from geppetto.prompts.survey import Answer, Layout, answer_cue
from geppetto.studies import Scale

_TRIED: tuple[Answer, ...] = ("letter", "number", "label")


def other_layout(question: Question, works: Callable[[Question], bool] = lambda _: True) -> str:
    """Advice to ask a question in another layout that works, if one does.

    Examples
    --------
    >>> labels = (("1", "Yes"), ("2", "No"))
    >>> other_layout(Question((), "Answer: ", (("1", "1"), ("2", "2")), labels, "base"))
    'use `layout: {answer: letter}`'
    """
    scale = Scale(options=dict(question.labels), ordinal=False)
    for answer in _TRIED:
        try:
            listed = Layout(answer=answer).listed(scale)
        except GeppettoError:
            continue
        options = tuple((code, listed[code]) for code in scale.options)
        other = replace(question, cue=answer_cue(answer), options=options)
        if other.options != question.options and works(other):
            return f"use `layout: {{answer: {answer}}}`"
    return "no other `layout` helps; use the elicitation `samples` or `stated`"
