"""A tokenizer of the hub as scoring needs it: whole tokens, exact bytes, no control by accident."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from geppetto._util.errors import GeppettoError
from geppetto.models.token_tree import Tokens


class Tokenizer:
    """What turns texts into tokens and back.

    Parameters
    ----------
    folder
        Of the model.

    Attributes
    ----------
    leading
        Tokens that it puts before a text from its beginning.
    template
        Source of the chat template; None if there is none.
    bos, eos
        Texts of the tokens that begin and end a text; empty if there is none.
    """

    def __init__(self, folder: Path) -> None:
        from transformers import AutoTokenizer

        try:
            whole = AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
            self._backend = whole.backend_tokenizer
        except Exception as error:  # of many kinds, by what the files lack
            raise GeppettoError(
                f"{folder}: the tokenizer cannot be read: {' '.join(str(error).split())[:200]}"
            ) from error
        self._backend.no_truncation()
        self._backend.no_padding()
        plain = self.tokens("a", control=True)
        begun = tuple(self._backend.encode("a", add_special_tokens=True).ids)
        self.leading: Tokens = begun[
            : next(at for at in range(len(begun)) if begun[at : at + len(plain)] == plain)
        ]
        self.template = _template(whole.chat_template, folder)
        self.bos: str = whole.bos_token or ""
        self.eos: str = whole.eos_token or ""
        self.eos_id: int | None = whole.eos_token_id

    def tokens(self, text: str, control: bool) -> Tokens:
        """Tokens of a text; `control` reads the texts of control tokens as such."""
        self._backend.encode_special_tokens = not control
        return tuple(self._backend.encode(text, add_special_tokens=False).ids)

    def spell(self, tokens: Sequence[int]) -> bytes:
        """What tokens spell, which may begin or end within a character."""
        return b"".join(self._spelled(int(token)) for token in tokens)

    def _spelled(self, token: int) -> bytes:
        if (added := self._added.get(token)) is not None:
            return added
        text = self._backend.id_to_token(token)
        if text is None:  # rows of the output beyond the vocabulary
            return b""
        if self._bytes:
            return bytes(self._bytes[letter] for letter in text)
        if self._has_bytes and len(text) == 6 and text.startswith("<0x"):
            return bytes([int(text[3:5], 16)])
        return str(text).replace("\u2581", " ").encode()

    @cached_property
    def _added(self) -> dict[int, bytes]:
        added = self._backend.get_added_tokens_decoder()
        return {number: token.content.encode() for number, token in added.items()}

    @cached_property
    def _decoders(self) -> set[str]:
        """Kinds of what spells tokens, by its own description."""
        told = json.loads(self._backend.to_str())["decoder"] or {}
        return {one["type"] for one in (told, *told.get("decoders", ())) if one}

    @cached_property
    def _bytes(self) -> dict[str, int]:
        """The letters that stand for bytes, if they do."""
        return _letters_of_bytes() if "ByteLevel" in self._decoders else {}

    @cached_property
    def _has_bytes(self) -> bool:
        return "ByteFallback" in self._decoders


def _template(source: Any, folder: Path) -> str | None:
    """The chat template; of several the one by default."""
    if isinstance(source, dict):
        if "default" not in source:
            raise GeppettoError(
                f"{folder} has chat templates for {', '.join(map(str, source))} and none by "
                "default; declare the model `kind: base`, or keep one as chat_template.jinja"
            )
        source = source["default"]
    return source or None


def _letters_of_bytes() -> dict[str, int]:
    """The byte of each letter of tokenizers that work on bytes, as GPT-2's first did.

    Those that can be printed stand for themselves, the others for letters from 256 on.
    """
    printed = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printed]
    letters = {chr(byte): byte for byte in printed}
    return letters | {chr(256 + number): byte for number, byte in enumerate(others)}
