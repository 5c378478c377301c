"""All elicitations by requests, by name."""

from __future__ import annotations

from geppetto.elicitation.base import Elicitation
from geppetto.elicitation.likelihood import Likelihood
from geppetto.elicitation.next_token import NextToken
from geppetto.elicitation.reasoned import Reasoned
from geppetto.elicitation.samples import Samples
from geppetto.elicitation.stated import Stated

ELICITATIONS: dict[str, type[Elicitation]] = {
    kind.name: kind for kind in (Likelihood, NextToken, Samples, Stated, Reasoned)
}
