"""Whether models can be asked as an experiment wants, found out before anything else is asked."""

from __future__ import annotations

from geppetto.answers.probes import ProbeStore, probe_of
from geppetto.approach import ByRequests
from geppetto.elicitation.registry import ELICITATIONS
from geppetto.errors import GeppettoError
from geppetto.models.endpoint import Endpoint
from geppetto.models.probe import PATIENCE
from geppetto.spending import Spending


def refuse_unable(approach: ByRequests, probes: ProbeStore, spending: Spending) -> None:
    """Refuse to ask a model for what it does not give; one behind an interface is probed once.

    What a probe takes is counted as spent.

    Raises
    ------
    GeppettoError
        If it does not give what the elicitation needs; says which others it can be asked by.
    """
    speaker, elicitation = approach.speaker, approach.elicitation
    identity = speaker.identity
    if isinstance(speaker, Endpoint):
        probed = probe_of(speaker.with_patience(PATIENCE), probes, spending)
        priced = speaker.price(1, 1) is not None
        speaker.capabilities = probed.capabilities.model_copy(update={"priced": priced})
    can = speaker.capabilities
    if lacking := elicitation.lacks(can, identity.kind):
        others = [name for name, way in ELICITATIONS.items() if not way().lacks(can, identity.kind)]
        instead = f"it can be asked by {', '.join(others)}" if others else "nothing else fits it"
        raise GeppettoError(
            f"elicitations: {approach.label} does not fit {identity.name}: {lacking}; {instead} "
            f"(`geppetto models probe {identity.name} --experiment FILE` shows what was seen)"
        )
