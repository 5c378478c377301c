"""Many turns under a model's chat template, every answer of which is scored in one pass."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import takewhile

from geppetto._util.errors import GeppettoError
from geppetto.prompts.chat import ChatTemplate, Turn, answer_prefix, refuse_open_reasoning

_SYSTEM, *_REST = map(chr, range(0xE000, 0xE007))
_SENTINELS = re.compile("[\ue000-\ue006]")


@dataclass(frozen=True)
class Glue:
    """What a template writes around the contents of a conversation.

    `opening` stands before an answer that is still open, `reopening` before one that others follow:
    without the reasoning block, where the template takes that out of answers of the past. `between`
    stands between an answer and the next user turn's content.
    """

    before_system: str
    before_user: str
    opening: str
    reopening: str
    between: str

    @property
    def restores_reasoning(self) -> bool:
        """Whether answers of the past are given back a block that the template takes out."""
        return self.opening != self.reopening


@cache
def glue(template: ChatTemplate, with_system: bool) -> Glue:
    """What a template writes around contents, found by rendering sentinels.

    A GeppettoError is raised if it writes turns in another way when more turns follow, leaves
    reasoning open, or ends what stands before an answer with a space.
    """
    turns = [
        Turn(role="assistant" if number % 2 else "user", content=content)
        for number, content in enumerate(_REST)
    ]
    if with_system:
        turns.insert(0, Turn(role="system", content=_SYSTEM))
    first = template.rendered(turns[:-5], open_ended=True)
    whole = template.rendered(turns[:-1], open_ended=True)
    finished = template.rendered(turns, open_ended=False)
    for text, written in ((first, turns[:-5]), (whole, turns[:-1]), (finished, turns)):
        if _SENTINELS.findall(text) != [turn.content for turn in written]:
            raise GeppettoError(
                "the chat template does not write every turn once and in order; use "
                "`presentation: text`"
            )
    *start, reopening, between, later, later_between, opening = _SENTINELS.split(whole)
    if (reopening, between) != (later, later_between) or _SENTINELS.split(first) != [
        *start,
        opening,
    ]:
        raise GeppettoError(
            "the chat template writes a turn in another way when more turns follow, so a session "
            "cannot be scored in its turns; use `presentation: text`"
        )
    opening = answer_prefix(opening, reopening, _SENTINELS.split(finished)[-2])
    refuse_open_reasoning("".join(start), opening)
    if opening.endswith(" "):
        raise GeppettoError(
            "the chat template writes a space before an answer, which tokenizers join with it, so "
            "answers would be read in tokens that the model does not write; use "
            "`presentation: text`"
        )
    return Glue(
        before_system="".join(start[:-1]),
        before_user=start[-1],
        opening=opening,
        reopening=reopening,
        between=between,
    )


def remark(template: ChatTemplate) -> str:
    """What is to be said of sessions in turns under a template; empty if nothing."""
    if not glue(template, with_system=False).restores_reasoning:
        return ""
    return (
        "the chat template takes the empty reasoning block out of answers of the past; in sessions "
        "it stands before every answer, as it does before one that is still open"
    )


def own_system(template: ChatTemplate) -> str:
    """What a template writes as a system turn where none is given; empty if nothing."""
    if not template.has_system_role:
        return ""
    given, absent = glue(template, with_system=True), glue(template, with_system=False).before_user
    start, end = given.before_system, given.before_user
    if len(absent) < len(start + end) or not (absent.startswith(start) and absent.endswith(end)):
        return ""
    return absent[len(start) : len(absent) - len(end)]


def around(turns: Sequence[Turn], template: ChatTemplate) -> tuple[str, ...]:
    """What stands before the content of each turn, where every answer is scored in one pass.

    Before every answer stands what the template writes where it opens one, since a model that
    expects to reason first gives an answer without the empty reasoning block next to no
    probability. Templates that take the block out of answers of the past are given it back there:
    in one pass each answer must follow what announces an answer. Nothing else may differ from the
    template's own rendering, which is checked: a GeppettoError says where it does.

    The turns are a system's or none, then a user's and an assistant's in turn.
    """
    pieces = glue(template, with_system=turns[0].role == "system")
    before = {
        "system": pieces.before_system,
        "user": pieces.between,
        "assistant": pieces.opening,
    }
    standing = [before[turn.role] for turn in turns]
    standing[[turn.role for turn in turns].index("user")] = pieces.before_user
    expected = "".join(
        (pieces.reopening if turn.role == "assistant" else text) + turn.content
        for turn, text in zip(turns[:-1], standing[:-1], strict=True)
    )
    written = template.rendered(turns[:-1], open_ended=True)
    if not written.startswith(expected) or not pieces.opening.startswith(written[len(expected) :]):
        pairs = zip(expected, written, strict=False)
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        near = slice(max(0, same - 30), same + 30)
        raise GeppettoError(
            f"the chat template does not write the turns as given: {expected[near]!r} became "
            f"{written[near]!r}; use `presentation: text`"
        )
    return tuple(standing)
