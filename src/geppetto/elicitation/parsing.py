"""Which option a reply names: the whole reply must be the option, and nothing is guessed.

A reply names an option if, once it is trimmed, it is one of the `FORMS` of the option's answer and
label and of no other option's; "10" never names "1". An answer comes before a label that reads the
same. To trim is to fold case, to take asterisks and backticks for spaces, to leave out space,
quotes and underscores around, one final period, and what announces it ("Answer:", "The final answer
is"). A longer reply names an option if its last line is "Answer:" with an option, and no other
such line says anything else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from geppetto._util.reasoning import split
from geppetto.elicitation.base import Question
from geppetto.models.identity import Kind
from geppetto.models.requests import Completion

FORMS = (
    ("{answer}", "({answer})", "[{answer}]", "{answer})"),
    ("{label}",),
    (
        "{answer} = {label}",
        "{answer}={label}",
        "{answer}. {label}",
        "{answer}: {label}",
        "{answer}) {label}",
        "({answer}) {label}",
        "{answer} - {label}",
        "{answer} – {label}",
        "{answer} — {label}",
        "{answer}, {label}",
        "{answer} ({label})",
        "{label} ({answer})",
    ),
)
"""How an option is named; where forms of two options are the same, the first row decides."""

_AROUND = " _\"'´‘’‚“”„«»‹›"
_MARKUP = str.maketrans({"*": " ", "`": " "})
_ANNOUNCED = re.compile(r"(?:(?:my|the|final) )*answer(?: is\b:?| ?:) ?")
_LAST_LINE = re.compile(r"(?:(?:my|the|final) )*answer ?: ?")

Pairs = tuple[tuple[str, str], ...]


def said(completion: Completion, kind: Kind) -> str:
    """What a reply says: without reasoning; of plain text its first line with a text."""
    text = split(completion.text)[1]
    text = text.strip()
    return text if kind == "chat" else text.partition("\n")[0].rstrip()


def is_cut(completion: Completion, kind: Kind) -> bool:
    """Whether a reply ended at the most tokens before all was said."""
    return completion.finish == "length" and (kind == "chat" or "\n" not in completion.text.strip())


def option_in(text: str, question: Question) -> int | None:
    """Number of the one option that a text names; None if it names none, or several."""
    names = _names(question.options, question.labels)
    whole = _trimmed(text)
    for form in (whole, _without(_ANNOUNCED, whole)):
        if form in names:
            return names[form]
    lines = [_trimmed(line) for line in text.splitlines() if line.strip()]
    if not lines or not _LAST_LINE.match(lines[-1]):
        return None
    named = {names.get(_without(_LAST_LINE, line)) for line in lines if _LAST_LINE.match(line)}
    return named.pop() if len(named) == 1 else None


def _trimmed(text: str) -> str:
    text = " ".join(text.casefold().translate(_MARKUP).split()).strip(_AROUND)
    return text.removesuffix(".").strip(_AROUND)


def _without(announced: re.Pattern[str], text: str) -> str:
    return _trimmed(announced.sub("", text, count=1)) if announced.match(text) else text


@lru_cache(maxsize=256)
def _names(options: Pairs, labels: Pairs) -> Mapping[str, int | None]:
    """Number of the option by form; None for a form of two options."""
    label_of = dict(labels)
    names: dict[str, int | None] = {}
    for forms in FORMS:
        found: dict[str, set[int]] = {}
        for number, (code, answer) in enumerate(options):
            texts = {"answer": _trimmed(answer), "label": _trimmed(label_of.get(code, ""))}
            for form in forms:
                if all(texts[part] for part in texts if f"{{{part}}}" in form):
                    found.setdefault(_trimmed(form.format(**texts)), set()).add(number)
        for form, numbers in found.items():
            names.setdefault(form, numbers.pop() if len(numbers) == 1 else None)
    return names
