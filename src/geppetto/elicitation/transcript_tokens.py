"""A transcript as tokens that begin and end where its responses do."""

from __future__ import annotations

from itertools import accumulate, pairwise

from geppetto._util.errors import GeppettoError
from geppetto.models.base import Scorer
from geppetto.models.token_tree import Tokens
from geppetto.prompts.transcript import Transcript


def tokenised(transcript: Transcript, model: Scorer) -> tuple[Tokens, dict[int, int]]:
    """A transcript's tokens, and at each break how many of them stand before it.

    Raises
    ------
    GeppettoError
        If the tokens do not spell the transcript.
    """
    cuts = sorted({0, *transcript.breaks, len(transcript.text)})
    pieces = [transcript.text[begin:end] for begin, end in pairwise(cuts)]
    tokens = model.tokenize(pieces[0])
    added = len(tokens) - len(model.tokenize_on(pieces[0]))
    tokens_at = {cuts[1]: len(tokens)}
    rest: list[int] = []
    for piece, end in zip(pieces[1:], cuts[2:], strict=True):
        rest += model.tokenize_on(piece)
        tokens_at[end] = len(tokens) + len(rest)
    tokens += tuple(rest)
    if model.detokenize(tokens[added:]) != transcript.text.encode():
        raise GeppettoError(
            f"the tokenizer of {model.identity.name} does not give a session's text back when it "
            "is cut at the responses, so it cannot be told where they stand; use another model"
        )
    return tokens, tokens_at


def merges(transcript: Transcript, model: Scorer) -> int:
    """At how many breaks the tokenizer would join the text before with the text after.

    There a model reads other tokens than of the uncut text, but each response is whole tokens.
    """
    tokens = model.tokenize(transcript.text)
    added = len(tokens) - len(model.tokenize_on(transcript.text))
    boundaries = set(accumulate(len(model.detokenize([token])) for token in tokens[added:]))
    cuts = [0, *transcript.breaks]
    sizes = (len(transcript.text[begin:end].encode()) for begin, end in pairwise(cuts))
    return sum(at > 0 and at not in boundaries for at in accumulate(sizes))


def last_tokens(text: str, tokens: Tokens, end: int, model: Scorer) -> int:
    """How many tokens before some place spell the text there; the first may begin before it."""
    missing = len(text.encode())
    count = 0
    while missing > 0:
        count += 1
        missing -= len(model.detokenize([tokens[end - count]]))
    return count
