"""All elicitations by requests, by name."""

from __future__ import annotations

from geppetto.elicitation.echoed_likelihood import EchoedLikelihood
from geppetto.elicitation.elicitation import Elicitation
from geppetto.elicitation.named import named_elicitation
from geppetto.elicitation.next_token import NextToken
from geppetto.elicitation.reasoned import Reasoned
from geppetto.elicitation.samples import Samples
from geppetto.elicitation.stated import Stated
from geppetto.named import Named

ELICITATIONS: dict[str, type[Elicitation]] = {
    kind.name: kind for kind in (EchoedLikelihood, NextToken, Samples, Stated, Reasoned)
}


def elicitation(spec: Named) -> Elicitation:
    """The elicitation that an experiment file names.

    Raises
    ------
    GeppettoError
        If there is none of this name, or its parameters are wrong.
    """
    return named_elicitation(spec, ELICITATIONS)
