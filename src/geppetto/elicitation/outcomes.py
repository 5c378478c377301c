"""What became of a reply, by rules in this order; the first that holds decides.

1. error: there is no reply, or not what was asked for with it.
2. filtered: the interface took the reply away.
3. truncated: it ended at the most tokens before all was said.
4. answered: it is an answer (see `geppetto.elicitation.parsing`). A distribution whose options
   together have less than `ENOUGH_MASS` is scored all the same, but low option mass, unless the
   text that goes on from it is one of the next two.
5. refusal: it says that it cannot, will not or prefers not to do what was asked.
6. out of role: it speaks as a program, of which no person's answer can be had.
7. no probabilities: what came as log-probabilities cannot be any (positive, -9999, twice there).
8. unparseable: anything else.

The rules are of English: what is refused in another language is unparseable. What a reply says in
the words of an option does not count as a refusal, since an option may be "Prefer not to say".
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from geppetto.elicitation.base import Outcome
from geppetto.elicitation.parsing import is_cut
from geppetto.models.identity import Kind
from geppetto.models.requests import Completion

ENOUGH_MASS = 0.5
"""Option mass below which a model rather says something else than an option."""

_TASKS = (
    r"(?:(?:answer|respond|reply|assist|fulfil+|proceed|participate|engage|select|pick|rank|assign|"
    r"express|disclose|discuss|speculate|predict|guess|assume|adopt|role-?play|pretend|"
    r"impersonate)(?:ing)?|comply|help(?! \w+ing\b| but\b| it\b)|continue|"
    r"(?:provid|giv|choos|rat|shar|generat|creat|produc|simulat|complet)(?:e|ing)|offer|"
    r"act as|take part|do (?:that|this))\b"
)
_UNWILLING = (
    r"(?:cannot|can't|can not|could not|couldn't|won't|will not|wouldn't|would not|unable to|"
    r"not able to|not going to|not willing to|not allowed to|not permitted to|"
    r"not (?:be )?(?:appropriate|possible) (?:for me )?to|refuse to|decline to|"
    r"must decline|have to decline|prefer not to|rather not|don't want to|do not want to|"
    r"(?:won't|will not|shan't|shall not|not going to) be|prevents? me from|keeps? me from)"
)
_ENDS = r"(?=\W*$|[.,;:!]| to\b| this\b| that\b| and\b| as\b| because\b)"
_REFUSAL = re.compile(
    rf"\b{_UNWILLING}(?:\W+\w+){{0,2}}?\W+{_TASKS}"
    r"|\bi(?:'m| am) (?:so |very |really )?(?:sorry|afraid),? (?:but|i can|i'm|i am)\b"
    r"|\bi (?:must |have to |respectfully |politely |will have to |would )*(?:decline|refuse)"
    rf"{_ENDS}"
    r"|\bi (?:must |have to |will |would )(?:have to )?(?:respectfully |politely )?pass"
    rf"(?: on (?:this|that|it)\b|{_ENDS})"
    r"|\b(?:i(?:'d| would)? (?:prefer not|rather not)|prefer not to (?:say|answer))\b"
    r"|(?:\bnot|n't)(?: an?)?(?: \w+)? i(?:'m| am) (?:comfortable|able|willing|allowed|permitted)\b"
    r"|(?:\bnot|n't) something (?:that )?i (?:can|could|will|would|am|do)\b"
    r"|\bnot comfortable (?:answering|sharing|providing|giving|responding|discussing)\b"
    r"|\b(?:outside|beyond) (?:of )?what i(?:'m| am| can| may)\b"
    r"|\b(?:inappropriate|unethical|irresponsible) (?:for me )?to\b"
    r"|(?:\bnot|n't|\bwithout) enough (?:information|context|details?)\b"
    r"|\b(?:talk about|discuss) something else\b|\bchange the (?:subject|topic)\b"
    r"|\binsufficient (?:information|context|details?)\b"
    r"|\bno comment\b|\bi apologi[sz]e\b|\bi can't help(?! \w+ing\b| but\b| it\b)\b"
)
_PROGRAM = (
    r"(?:ai|a\.i\.|artificial intelligence|(?:large )?language model|llm|chatbot|virtual assistant|"
    r"ai assistant|digital assistant|computer program)\b"
)
_OUT_OF_ROLE = re.compile(
    rf"\b(?:as|being) (?:just |only |merely )?an? (?:\w+ )?{_PROGRAM}"
    rf"|\bi(?:'m| am) (?:just |only |merely |actually )?an? (?:\w+ )?{_PROGRAM}"
    r"|\bi(?:'m| am) not (?:a|an actual|a real) (?:person|human)\b"
    r"|\bi (?:don't|do not|cannot|can't) (?:actually |really )?(?:have|possess|hold) "
    r"(?:any |a |the ability to have )?"
    r"(?:personal|subjective|(?:feelings|emotions)(?! (?:of|about))|"
    r"opinions|beliefs|preferences|consciousness|a physical|a personality|human)"
    r"|\bi was (?:created|developed|trained|programmed) (?:by|on)\b"
    r"|\bmy (?:training data|programming|knowledge cutoff)\b"
)
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "´": "'"})


def outcome(
    completion: Completion, kind: Kind, text: str, answered: bool, wordings: Iterable[str] = ()
) -> Outcome:
    """What became of a reply whose text was or was not understood as an answer.

    `wordings` are those of the options.
    """
    return undelivered(completion, kind) or ("answered" if answered else unanswered(text, wordings))


def undelivered(completion: Completion, kind: Kind) -> Outcome | None:
    """Why a reply cannot be read, if it cannot."""
    if completion.finish == "error":
        return "error"
    if completion.finish == "filter":
        return "filtered"
    return "truncated" if is_cut(completion, kind) else None


def unanswered(text: str, wordings: Iterable[str] = ()) -> Outcome:
    """What a text says instead of an answer; the wordings of options are no refusals in it."""
    text = _plain(text)
    for wording in map(_plain, wordings):
        if _REFUSAL.search(wording):
            text = text.replace(wording, " ")
    if _REFUSAL.search(text):
        return "refusal"
    return "out of role" if _OUT_OF_ROLE.search(text) else "unparseable"


def _plain(text: str) -> str:
    return " ".join(text.translate(_APOSTROPHES).casefold().split())


def of_reasoning(completion: Completion, kind: Kind, text: str) -> Outcome:
    """What became of reasoning, of which it matters only that it is there."""
    return undelivered(completion, kind) or ("answered" if text else "unparseable")


def of_mass(mass: float) -> Outcome:
    """What became of a distribution whose options have this much probability together."""
    return "answered" if mass >= ENOUGH_MASS else "low option mass"
