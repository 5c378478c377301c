"""The exact log-probability of every response of a session, by one teacher-forced pass.

A transcript is cut at its breaks and tokenised piece by piece, so that a response is a run of
whole tokens wherever it stands: it is found by its offsets, never by looking for tokens.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geppetto._util.errors import GeppettoError
from geppetto.elicitation.option_likelihood import OptionScores
from geppetto.elicitation.transcript_tokens import last_tokens, tokenised
from geppetto.models.base import Scorer
from geppetto.models.identity import ModelIdentity
from geppetto.models.token_tree import Tokens, TokenTree
from geppetto.prompts.transcript import Response, Transcript

NAME = "transcript_likelihood"
VERSION = 1
"""Raised when a change here or in an engine changes answers to the same transcripts."""

_TOGETHER = 1024
"""Most tokens of several transcripts in one tree, their shared head aside.

More would be attended to in vain: every token of a tree is compared with all of them."""


def request_ids(transcript: Transcript, model: ModelIdentity) -> tuple[str, ...]:
    """For each response, the content hash of everything that changes its answer.

    Nothing after a response changes it, so transcripts that begin alike share answers.
    """
    read = hashlib.sha256(json.dumps([NAME, VERSION, model.of_scores]).encode())
    cuts = hashlib.sha256()
    ids, text_read, breaks_read = [], 0, 0
    for response in transcript.responses:
        read.update(transcript.text[text_read : response.end].encode())
        text_read = response.end
        until = bisect_right(transcript.breaks, response.end)
        cuts.update("".join(f"{at} " for at in transcript.breaks[breaks_read:until]).encode())
        breaks_read = until
        place = [cuts.hexdigest(), response.opening, response.start, response.options]
        request = read.copy()
        request.update(json.dumps(place).encode())
        ids.append(request.hexdigest())
    return tuple(ids)


@dataclass(frozen=True)
class Place:
    """A response among the tokens of its transcript.

    Attributes
    ----------
    id
        Request id.
    opening, start, end
        How many tokens stand before the text that announces it, before it, and before what
        follows it. The token in which the announcing text begins counts as part of it.
    options
        Tokens of each option; of an open response, its own.
    """

    id: str
    opening: int
    start: int
    end: int
    options: tuple[Tokens, ...]


@dataclass(frozen=True)
class Line:
    """The tokens of a transcript up to the last response that is asked for.

    Attributes
    ----------
    tokens
        Token ids.
    places
        Responses, in order.
    """

    tokens: NDArray[np.int32]
    places: tuple[Place, ...]

    def branches(self, place: Place) -> int:
        """Branches of a tree that a response's other options need."""
        real = tuple(self.tokens[place.start : place.end - 1].tolist())
        return len({option[:-1] for option in place.options} - {(), real})

    def only(self, places: Sequence[Place]) -> Line:
        """The line without its other responses."""
        return Line(self.tokens[: places[-1].end], tuple(places))


@dataclass(frozen=True)
class Unit:
    """Transcripts that are read in one pass: one, or short ones with the same beginning.

    Attributes
    ----------
    lines
        Their tokens and responses.
    head
        Number of leading tokens that they share and that are kept for the next unit.
    """

    lines: tuple[Line, ...]
    head: int

    @property
    def places(self) -> tuple[Place, ...]:
        return tuple(place for line in self.lines for place in line.places)

    @property
    def ids(self) -> tuple[str, ...]:
        """Request id of each response."""
        return tuple(place.id for place in self.places)

    @property
    def tree(self) -> TokenTree:
        """The transcripts, and at each response its options and the text that announces it."""
        texts = []
        for line in self.lines:
            tokens = tuple(line.tokens.tolist())
            places: list[tuple[int, Sequence[Tokens]]] = []
            for place in line.places:
                places.append((place.start, place.options))
                places.append((place.opening, [tokens[place.opening : place.start]]))
            texts.append((tokens[: line.places[-1].start], places))
        return TokenTree.along(texts, self.head)

    @cached_property
    def distinct_tokens(self) -> int:
        """Tokens that have to be computed: without the head, without what nothing follows."""
        return len(set(self.tree.parents.tolist()) - {-1}) - self.head

    @property
    def prompt_tokens(self) -> int:
        """Tokens that asking for the responses one by one would compute."""
        return sum(place.start for place in self.places)

    def scores(self, tree: TokenTree, log_probs: NDArray[np.float64]) -> dict[str, OptionScores]:
        """What the log-probabilities of its tree's nodes say of every response, by request id."""
        sums = [
            tuple(float(np.sum(log_probs[list(nodes)])) for nodes in options)
            for options in tree.options
        ]
        return {
            place.id: OptionScores(
                log_probs=options,
                tokens=tuple(map(len, place.options)),
                prompt_tokens=place.start,
                announcing=announcing,
            )
            for place, options, (announcing,) in zip(
                self.places, sums[::2], sums[1::2], strict=True
            )
        }

    def only(self, ids: Collection[str]) -> Unit:
        """The unit without its other responses; nothing is read after the last one."""
        if set(self.ids) <= set(ids):
            return self
        kept = [(line, [place for place in line.places if place.id in ids]) for line in self.lines]
        return replace(self, lines=tuple(line.only(places) for line, places in kept if places))


def units(requests: Mapping[str, tuple[Transcript, Response]], model: Scorer) -> Iterator[Unit]:
    """Group responses by what is read together, and tokenise each transcript once.

    Parameters
    ----------
    requests
        Transcript and response by request id; the responses of a transcript in their order.
    model
        Whose tokens to use.

    Raises
    ------
    GeppettoError
        If a transcript does not fit the model's context, the tokenizer does not give its text
        back, or one option begins another.
    """
    wanted: dict[int, dict[str, Response]] = {}
    transcripts: dict[int, Transcript] = {}
    for request, (transcript, response) in requests.items():
        transcripts[id(transcript)] = transcript
        wanted.setdefault(id(transcript), {})[request] = response
    alike: dict[str | int, list[int]] = {}
    for key, transcript in transcripts.items():
        alike.setdefault(transcript.text[: transcript.head] or key, []).append(key)
    for keys in alike.values():
        lines = [
            part
            for key in keys
            for part in _parts(_line(transcripts[key], wanted[key], model), model.most_branches)
        ]
        yield from _together(lines, model.most_branches)


def _line(transcript: Transcript, wanted: Mapping[str, Response], model: Scorer) -> Line:
    tokens, tokens_at = tokenised(transcript, model)
    spelled: dict[tuple[str, ...], tuple[Tokens, ...]] = {}
    places = []
    for request, response in wanted.items():
        start, end = tokens_at[response.start], tokens_at[response.end]
        if response.options and response.options not in spelled:
            spelled[response.options] = _options(response.options, model)
        opening = start - last_tokens(
            transcript.text[response.opening : response.start], tokens, start, model
        )
        if opening < 1:
            raise GeppettoError(
                f"a transcript for {model.identity.name} begins with a response, which has no "
                "probability without anything before it; let the session begin with instructions"
            )
        options = spelled.get(response.options, (tokens[start:end],))
        if tokens[start:end] not in options:
            raise ValueError(f"response {response.number} is not among its options")
        places.append(Place(request, opening, start, end, options))
    _refuse_longer_than_context(places, model)
    return Line(np.array(tokens, np.int32), ()).only(places)


def _options(options: tuple[str, ...], model: Scorer) -> tuple[Tokens, ...]:
    spelled = tuple(model.tokenize_on(option) for option in options)
    for short, tokens in zip(options, spelled, strict=True):
        for long, others in zip(options, spelled, strict=True):
            if short != long and others[: len(tokens)] == tokens:
                raise GeppettoError(
                    f"{model.identity.name} cannot tell option {short!r} from the beginning of "
                    f"option {long!r}, since nothing ends a response of a session that would be "
                    "the same for both; declare `options: open` in the study's codebook"
                )
    return spelled


def _refuse_longer_than_context(places: Sequence[Place], model: Scorer) -> None:
    needed = max(place.start + max(map(len, place.options)) for place in places)
    if needed > model.context:
        raise GeppettoError(
            f"a transcript for {model.identity.name} needs {needed:,} tokens, but the model's "
            f"context holds {model.context:,}; let long sessions be cut or read in windows, or "
            "shorten the persona"
        )


def _parts(line: Line, most_branches: int) -> Iterator[Line]:
    """Split a line whose options need more branches than a tree may have."""
    places: list[Place] = []
    branches = 1
    for place in line.places:
        if places and branches + line.branches(place) > most_branches:
            yield line.only(places)
            places, branches = [], 1
        places.append(place)
        branches += line.branches(place)
    yield line.only(places)


def _together(lines: Sequence[Line], most_branches: int) -> Iterator[Unit]:
    """Group lines with the same beginning so that each group is one tree of bearable size."""
    head = 0 if len(lines) == 1 else _common(lines)
    group: list[Line] = []
    branches = tokens = 0
    for line in lines:
        more_branches = 1 + sum(map(line.branches, line.places))
        more_tokens = len(line.tokens) - head
        if group and (branches + more_branches > most_branches or tokens + more_tokens > _TOGETHER):
            yield Unit(tuple(group), head)
            group, branches, tokens = [], 0, 0
        group.append(line)
        branches += more_branches
        tokens += more_tokens
    yield Unit(tuple(group), head)


def _common(lines: Sequence[Line]) -> int:
    """Length of the longest common beginning that is context for every response."""
    until = min(line.places[0].opening - 1 for line in lines)
    first = lines[0].tokens[:until]
    same = np.all([line.tokens[:until] == first for line in lines], axis=0)
    return until if same.all() else int(np.argmin(same))
