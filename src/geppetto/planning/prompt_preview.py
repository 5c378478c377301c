"""What a model reads of one person, and how long it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Passage:
    """A text that a model reads, with a title that it does not."""

    title: str
    text: str


@dataclass(frozen=True)
class Length:
    """How long a text is. Tokens are a model's, so they are None without one."""

    words: int
    characters: int
    tokens: int | None

    @classmethod
    def of(cls, text: str, tokens: int | None = None) -> Length:
        return cls(len(text.split()), len(text), tokens)

    def __str__(self) -> str:
        if self.tokens is not None:
            return f"{self.tokens:,} tokens"
        return f"{self.words:,} words, {self.characters:,} characters"


@dataclass(frozen=True)
class Reading:
    """What a model reads of one participant.

    Attributes
    ----------
    persona
        What the strategy writes of them.
    passages
        Everything, exactly. Without a model: plain text, which base models read, and the turns
        that a chat template is filled with. With one: the very text that it reads. Of a session,
        the beginning, as text and, with a chat model, in its turns.
    persona_length, prompt_length
        Of the persona, and of everything: all of a session. A persona's tokens are those that a
        prompt has more than without it, and in a session those of its text.
    """

    persona: str
    passages: tuple[Passage, ...]
    persona_length: Length
    prompt_length: Length
