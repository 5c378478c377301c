"""Whether an analysis is the one that was said before."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Followed:
    """A plan that was frozen before, and a sentence for everything that was done otherwise."""

    text: str
    departures: tuple[str, ...]

    @property
    def heading(self) -> str:
        if not self.departures:
            return "The frozen plan was followed."
        number = len(self.departures)
        respects = "one respect" if number == 1 else f"{number:,} respects"
        return f"The frozen plan was not followed in {respects}."

    @property
    def sentence(self) -> str:
        """The same, and if it was not followed, in what."""
        return " ".join((self.heading, *self.departures))
