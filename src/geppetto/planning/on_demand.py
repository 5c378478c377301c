"""Texts that are made when they are looked at, so that memory does not grow with them."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from typing import Generic, TypeVar

from geppetto.personas.base import Persona

Text = TypeVar("Text")


class OnDemand(Mapping[str, Text], Generic[Text]):
    """What is asked by request id, of which nothing is kept but what it is made of.

    Parameters
    ----------
    write
        Makes it of the name of an item, a persona, and for whom it is drawn if it is.
    """

    def __init__(self, write: Callable[[str, Persona | None, str], Text]) -> None:
        self._write = write
        self._made_of: dict[str, tuple[str, Persona | None, str]] = {}

    def add(self, request: str, item: str, persona: Persona | None, drawn_for: str) -> None:
        """Remember what a request is made of."""
        self._made_of[request] = item, persona, drawn_for

    def only(self, requests: Container[str]) -> OnDemand[Text]:
        """The same, of some requests."""
        chosen = OnDemand(self._write)
        chosen._made_of = {name: of for name, of in self._made_of.items() if name in requests}
        return chosen

    def __getitem__(self, request: str) -> Text:
        return self._write(*self._made_of[request])

    def __iter__(self) -> Iterator[str]:
        return iter(self._made_of)

    def __len__(self) -> int:
        return len(self._made_of)
