"""Behavioural sessions: what one person read and did in order, each context going on from the last.

The central noun is a `Session`: a text, where in it the responses stand (`Span`), and where trials
begin. `file` finds the lines, `parsing` makes sessions of them, `offered` says which responses were
legal at each, and `study` puts it all together.
"""

from geppetto.studies.sessions.parsing import parsed
from geppetto.studies.sessions.session import Session, Span

__all__ = ["Session", "Span", "parsed"]
