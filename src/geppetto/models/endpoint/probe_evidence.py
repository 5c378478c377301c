"""What replies to known questions show of the interface that gave them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy.special import logsumexp

from geppetto._util.reasoning import split
from geppetto.models.identity import Kind
from geppetto.models.local.echo import of_text
from geppetto.models.log_probs import fault, fault_of_alternatives
from geppetto.models.requests import Completion, Token

LIKELIER = 0.5
"""Nats a token by which a known text must be likelier than its words in another order."""

SAME_PLACE = 0.5
"""Nats by which an echoed token may differ from the same token when it was said: more than the
noise of quantised weights, less than what the token has at any other place."""

SAME = 1e-4
"""Nats by which two log-probabilities may differ and still be called the same."""

_FRAME = 2
"""Tokens that may stand around a plain text."""

_SHARPENED = 1e-9
_WHOLE = 1 - 1e-4


class Finding(BaseModel):
    """One thing that an interface was asked for, and what it did.

    Attributes
    ----------
    what
        What was to be found out.
    found
        The answer in a word or a number.
    asked
        What was sent.
    seen
        What came back and shows it.
    """

    model_config = ConfigDict(frozen=True)

    what: str
    found: str
    wanted: str
    seen: str


def only_kind(text: str, plain: Completion, chat: Completion) -> Kind | None:
    """What a text is sent as both plain and in a turn, if it is sent as the same; else None.

    In a turn it costs the tokens of a template too. If it costs the same as plain, whoever stands
    between makes one of the other: turns of it if that is more than a token a word.
    """
    if not chat.prompt_tokens or chat.prompt_tokens != plain.prompt_tokens:
        return None
    return "base" if plain.prompt_tokens <= len(text.split()) + _FRAME else "chat"


def alternatives(completion: Completion, wanted: int) -> tuple[int, str]:
    """How many alternatives can be used at the first token that was said, and why.

    0 if they stand at another text than the reply's, are no probabilities (see
    `geppetto.models.log_probs`), or are those after a temperature of 0, which leaves nothing to any
    but one; or if they are fewer than asked for and have all probability together, as after a cut
    (top-k, top-p) that leaves nothing to what it cuts off. A vocabulary of so few tokens looks the
    same, and is not used either.
    """
    if completion.error:
        return 0, completion.error
    if not completion.tokens or not completion.tokens[0].top:
        return 0, "they were left out without an error" if completion.text else "nothing was said"
    first = completion.tokens[0]
    said = "".join(token.text for token in completion.tokens)
    if not said.strip().startswith(completion.text.strip()) or not completion.text:
        return 0, f"they are of {said!r}, but what was said is {completion.text!r}"
    log_probs = np.array([log_prob for _, log_prob in first.top])
    if len(log_probs) > 1 and np.sort(log_probs)[-2] < np.log(_SHARPENED):
        return 0, f"{first.text!r} has all probability: they are those after the temperature of 0"
    if wrong := fault_of_alternatives(first):
        return 0, wrong
    total = float(np.exp(logsumexp(log_probs)))
    if len(log_probs) < wanted and total > _WHOLE:
        return 0, (
            f"{len(log_probs)} of {wanted} came at {first.text!r}, with a probability of "
            f"{total:.4f} together: the others were cut off, and their probability was given to "
            "these; ask the server for no top-k, top-p or min-p"
        )
    return min(len(log_probs), wanted), (
        f"{len(log_probs)} at {first.text!r}, the first token of {completion.text!r}, with a "
        f"probability of {total:.3f} together"
    )


def unfaithful(text: str, echo: Completion) -> str:
    """What shows that a reply does not hold the log-probabilities of a text; empty if it may."""
    if echo.error:
        return echo.error
    if not echo.tokens:
        return "no log-probabilities came back, and no error: the flag is ignored"
    tokens = of_text(echo.tokens, text)
    spelled = "".join(token.text for token in tokens)
    if spelled != text:
        return f"the log-probabilities are of {spelled!r}, not of what was sent: it is ignored"
    log_probs = [token.log_prob for token in tokens[1:]]
    if not log_probs or fault(log_probs):
        return f"not every token has a log-probability: {log_probs}"
    if len(set(log_probs)) == 1:
        return f"every token has the log-probability {log_probs[0]}"
    return ""


def echo(
    known: str, said: Token | None, likely: Completion, shuffled: str, unlikely: Completion
) -> tuple[bool, str]:
    """Whether echoed log-probabilities are those of the text, and what shows it.

    Parameters
    ----------
    known, shuffled
        A text that anyone can continue, and its words in another order.
    said
        The token with which the model continued `known`; None if it gave no log-probability.
    likely
        Echo of `known` and the token that was said.
    unlikely
        Echo of `shuffled`.
    """
    if said is None or said.log_prob is None:
        return False, "they cannot be verified: what it says has no log-probabilities"
    for text, completion in ((known + said.text, likely), (shuffled, unlikely)):
        if fault := unfaithful(text, completion):
            return False, fault
    *before, last = of_text(likely.tokens, known + said.text)
    apart = abs((last.log_prob or 0.0) - said.log_prob)
    if last.text != said.text or apart > SAME_PLACE:
        return False, (
            f"{said.text!r} has {said.log_prob:.2f} nats when it is said after {known!r}, but "
            f"{last.log_prob:.2f} when it is echoed there: they are of another place in the text"
        )
    better = _mean(before) - _mean(of_text(unlikely.tokens, shuffled))
    if better < LIKELIER:
        return False, (
            f"{known!r} is {better:.2f} nats a token likelier than {shuffled!r}, less than "
            f"{LIKELIER}"
        )
    return True, (
        f"its tokens spell the text; {said.text!r} has {said.log_prob:.4f} nats said and "
        f"{last.log_prob:.4f} echoed; the text is {better:.2f} nats a token likelier than its "
        "words in another order"
    )


def repeats(one: Completion, other: Completion) -> tuple[bool, str]:
    """Whether two replies to one question are the same, and how far they are apart."""
    if error := one.error or other.error:
        return False, error
    if one.text != other.text:
        return False, f"{one.text!r}, then {other.text!r}"
    if not one.tokens or len(one.tokens) != len(other.tokens):
        return True, f"{one.text!r} twice, without log-probabilities to compare"
    apart = max(
        abs((a.log_prob or 0.0) - (b.log_prob or 0.0))
        for a, b in zip(one.tokens, other.tokens, strict=True)
    )
    return apart <= SAME, f"{one.text!r} twice; its log-probabilities differ by {apart:.1g} nats"


def varies(one: Completion, other: Completion) -> tuple[bool, str]:
    """Whether two samples of one question differ, and what they are.

    Some servers draw every reply with one seed, so that samples are copies of the first.
    """
    if error := one.error or other.error:
        return False, error
    if thinking_cut(one) or thinking_cut(other):
        return False, "nothing was said: the limit ended it while it was thinking"
    if one.text == other.text:
        return False, f"{one.text!r} twice: samples are copies"
    return True, f"{one.text!r}, then {other.text!r}"


def takes_system(
    password: str, short: Completion, long: Completion, more_words: int
) -> tuple[bool, str]:
    """Whether a system turn reaches the model, and what shows it.

    A small model may read it and not obey: then the tokens that a longer one costs show it.

    Parameters
    ----------
    password
        What the reply to the longer system turn must hold.
    short, long
        Replies to the same question after a short and a longer system turn.
    more_words
        How many words longer that is.
    """
    if error := long.error or short.error:
        return False, error
    if password.casefold() in long.text.casefold():
        return True, f"the reply holds the password: {long.text!r}"
    grown = long.prompt_tokens - short.prompt_tokens
    if not long.prompt_tokens:
        return False, f"the reply does without the password, and no tokens are told: {long.text!r}"
    if grown < more_words:
        return False, f"{more_words} words more cost {grown} tokens more: it is dropped"
    return True, f"not obeyed ({long.text!r}), but {more_words} words more cost {grown} tokens more"


def thinking_cut(completion: Completion) -> bool:
    """Whether the limit ended a reply before anything but thoughts was said."""
    return completion.finish == "length" and not split(completion.text)[1].strip()


def reasons(completion: Completion) -> tuple[bool, str]:
    """Whether something was thought before something was said, and what shows it."""
    if completion.reasoning_tokens or completion.reasoning:
        tokens = completion.reasoning_tokens or "some"
        return True, f"{tokens} tokens of reasoning: {completion.reasoning!r}"
    if split(completion.text)[1] != completion.text:
        return True, f"the reply begins with {completion.text[:40]!r}"
    return False, f"it said {completion.text[:40]!r} at once"


def _mean(tokens: Sequence[Token]) -> float:
    return float(np.mean([token.log_prob for token in tokens[1:]]))
