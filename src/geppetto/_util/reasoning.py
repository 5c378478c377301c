"""Reasoning before an answer, however it is delimited: in replies, and where templates open it.

Models put it in tags, in channels, or after words of announcement. It may be closed without having
been opened, since the template opened it; and it may be open at the end, where a reply was cut.
"""

from __future__ import annotations

import re

_NAMES = r"(?:think(?:ing)?|thoughts?|reason(?:ing)?|analysis|reflection|scratchpad)"
_TAG = rf"(?:\w+:)?{_NAMES}(?::\w+)?"
_OPENS = "|".join(
    [
        rf"<{_TAG}>|<\|{_NAMES}\|>|\[THINK\]|◁think▷|<\|open\|>think<\|sep\|>",
        r"<\|START_THINKING\|>|<\|begin_of_thought\|>|<\|inner_prefix\|>|<\|channel>thought",
        r"<\|channel\|>(?!final).{1,120}?<\|message\|>",
        r"\A\s*(?-i:analysis(?=[A-Z]))",  # channels whose marks a server left out
        r"\A\s*Here (?:is my thought process|are my reasoning steps)\b:?",
    ]
)
_CLOSES = "|".join(
    [
        rf"</{_TAG}>|\[/THINK\]|◁/think▷|<\|close\|>think<\|sep\|>",
        r"<\|END_THINKING\|>|<\|end_of_thought\|>|<\|inner_suffix\|>|<channel\|>",
        r"<\|channel\|>final.{0,120}?<\|message\|>|assistantfinal|<\|content\|>",
        r"\[BEGIN FINAL RESPONSE\]|<\|begin_of_solution\|>",
    ]
)
_ENDS = r"Here is my response:"
"""What closes reasoning that was opened, and else is said."""

_MARKS = re.compile(
    rf"(?P<opens>{_OPENS})|(?P<closes>{_CLOSES})|(?P<ends>{_ENDS})", re.IGNORECASE | re.DOTALL
)
_AROUND = re.compile(
    r"<\|(?:start\|>assistant|return\||end\||START_RESPONSE\||END_RESPONSE\||end_of_solution\|)>?"
    r"|\[END FINAL RESPONSE\]|</?(?:answer|response)>|<\|(?:open|close)\|>\w+<\|sep\|>"
)
_FINAL = re.compile(r"\[BEGIN FINAL RESPONSE\]|<\|begin_of_solution\|>")
_WORDS = re.compile(
    r"\b(?:think(?:ing)?|thoughts?|reason(?:s|ing)?|analy[sz]\w+|reflect\w*|deliberat\w*|scratchpad"
    r"|step[ -]by[ -]step|steps|work (?:it|this) out|let me|let's)\b",
    re.IGNORECASE,
)


def split(text: str) -> tuple[str, str]:
    """The reasoning in a reply, and what is said without it.

    Examples
    --------
    >>> split("<think>Rather calm.</think>4")
    ('Rather calm.', '4')
    >>> split("They seem calm. Yes.</think>4")
    ('They seem calm. Yes.', '4')
    >>> split("<think>They seem")
    ('They seem', '')
    >>> split("4")
    ('', '4')
    """
    reasoning: list[str] = []
    said: list[str] = []
    begin, inside, seen = 0, False, False
    for mark in _MARKS.finditer(text):
        if mark["ends"] and not inside:
            continue
        part, seen = text[begin : mark.start()], True
        if mark["closes"] and not inside:  # what was said so far had been opened by the template
            reasoning, said = [*reasoning, *said, part], []
        else:
            (reasoning if inside else said).append(part)
        begin, inside = mark.end(), mark["opens"] is not None
    (reasoning if inside else said).append(text[begin:])
    if not seen:
        return "", text
    return "".join(reasoning), _AROUND.sub("", "".join(said))


def opened(before: str, opening: str) -> str:
    """What opens reasoning in what a template writes, or asks for it; empty if nothing does.

    Parameters
    ----------
    before, opening
        What it writes before the last turn, and between that and the answer.
    """
    inside = ""
    for mark in _MARKS.finditer(opening):
        inside = mark[0] if mark["opens"] else ""
    if inside:
        return inside.strip()
    if (final := _FINAL.search(before)) and final[0] not in opening:
        return f"the answer is to stand after {final[0]}"
    if _WORDS.search(words := split(opening)[1]):
        return words.strip()
    return ""
