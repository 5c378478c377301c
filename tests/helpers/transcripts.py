"""Transcripts of marked text, what is asked of them, and how others have found responses."""

from __future__ import annotations

import random
import re

from geppetto.answers.local import score
from geppetto.elicitation.option_likelihood import OptionScores
from geppetto.elicitation.transcript_likelihood import request_ids, units
from geppetto.models.base import Scorer
from geppetto.models.token_tree import Tokens
from geppetto.prompts.transcript import Response, Transcript


def plain(text: str, options: tuple[str, ...] = (), head: int = 0) -> Transcript:
    """The transcript of a session's text, of which every marked response is scored."""
    found = list(re.finditer(r"<<(.*?)>>", text))
    return Transcript(
        text=text,
        responses=tuple(
            Response(number, match.start(), match.start(1), match.end(1), options)
            for number, match in enumerate(found)
        ),
        breaks=tuple(at for match in found for at in match.span(1)),
        head=head,
    )


def requests(*transcripts: Transcript, model: Scorer) -> dict[str, tuple[Transcript, Response]]:
    """Everything that transcripts ask of a model."""
    return {
        request: (transcript, response)
        for transcript in transcripts
        for request, response in zip(
            request_ids(transcript, model.identity), transcript.responses, strict=True
        )
    }


def scores(transcript: Transcript, model: Scorer) -> list[OptionScores]:
    """The answer to each response of a transcript."""
    asked = requests(transcript, model=model)
    found = {key: s for unit in units(asked, model) for key, s in score([unit], model).items()}
    return [found[request] for request in asked]


def published(text: str, model: Scorer) -> list[str]:
    """What is scored where responses are found as runs of tokens between those of the marks.

    The rule of the published evaluation of Psych-201: the text is cut at 32,768 characters and
    patched, its tokens are searched for those of " <<" and ">>", and what stands between is a
    response, up to the end of the text if the second is not found.
    """
    text = text[:32768]
    if text.rfind("<<") > text.rfind(">>"):
        text = text[: text.rfind("<<")]
    for before, after in (
        ("<<skip>>", "<<skip>>."),
        ("<<-", "<< -"),
        ("<<think>>", "<< think>>"),
        ("More Details >>", "More Details ->"),
    ):
        text = text.replace(before, after)
    tokens = model.tokenize(re.sub(r"\s+>>", ">>", text))
    opening, closing = model.tokenize_on(" <<"), model.tokenize_on(">>")
    found, begin = [], _find(opening, tokens, 0)
    while begin < len(tokens):
        begin += len(opening)
        end = _find(closing, tokens, begin)
        found.append(model.detokenize(tokens[begin:end]).decode())
        begin = _find(opening, tokens, end)
    return found


def _find(wanted: Tokens, tokens: Tokens, start: int) -> int:
    places = range(start, len(tokens) - len(wanted) + 1)
    return next((at for at in places if tokens[at : at + len(wanted)] == wanted), len(tokens))


def bandit(trials: int, keys: tuple[str, ...] = ("J", "K"), seed: int = 0) -> str:
    """An invented session with as many responses."""
    draw = random.Random(seed)
    return "Choose a machine in every round.\n" + "".join(
        f"Round {n}: you press <<{draw.choice(keys)}>> and win {draw.randrange(100)} points.\n"
        for n in range(trials)
    )
