"""Whether a persona that a language model wrote says how a predicted item is answered."""

from __future__ import annotations

import re

from geppetto.studies import Item, Study

NEAR = 12
"""So many words after an item's text, an answer to it is looked for."""


def leaked(text: str, study: Study) -> str | None:
    """Name of the first asked item whose text stands in a persona with an answer to it.

    Only words count, whatever their case and what stands between them. An answer is the code or
    the label of one of the item's options among the `NEAR` words after its text. Whether it is the
    participant's own answer makes no difference: a writer who was not told it may guess it.
    """
    words = f" {' '.join(_words(text))} "
    return next((name for name in study.asked if _tells(words, study.items[name], study)), None)


def _tells(words: str, item: Item, study: Study) -> bool:
    asked = f" {' '.join(_words(item.text))} "
    options = study.scale(item).options
    answers = [f" {' '.join(_words(each))} " for pair in options.items() for each in pair]
    _, *after = words.split(asked) if asked.strip() else [words]
    return any(
        answer in f" {' '.join(rest.split()[:NEAR])} " for rest in after for answer in answers
    )


def _words(text: str) -> list[str]:
    return re.findall(r"\w+(?:['’]\w+)*", text.casefold())
