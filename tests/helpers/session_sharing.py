"""Sessions that several processes answer; see `sharing`."""

from __future__ import annotations

from dataclasses import dataclass

from fake_model import FakeModel
from geppetto.elicitation.transcript_likelihood import Unit, units
from invented_sessions import bandit
from transcripts import plain, requests


@dataclass(frozen=True)
class SessionTask:
    """The whole session of each of some people, of whose responses some are asked for."""

    people: range
    responses: range
    places = 2
    """The response, and what announces it."""

    def units(self) -> list[Unit]:
        """A unit for each person."""
        model, rows = FakeModel(), bandit(self.people.stop, 6, keys=("F", "J"))
        read = [plain(rows[person]["text"], ("F", "J")) for person in self.people]
        asked = {
            request: (transcript, response)
            for request, (transcript, response) in requests(*read, model=model).items()
            if response.number in self.responses
        }
        return list(units(asked, model))
