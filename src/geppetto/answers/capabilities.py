"""Whether models can be asked as an experiment wants, found out before anything else is asked."""

from __future__ import annotations

from geppetto._util.errors import GeppettoError
from geppetto.answers.probes import ProbeStore, probe_of
from geppetto.elicitation.registry import ELICITATIONS
from geppetto.models.budget import BudgetTracker
from geppetto.planning.elicited import Elicited


def refuse_unable(elicited: Elicited, probes: ProbeStore, tracker: BudgetTracker) -> None:
    """Refuse to ask a model for what it does not give; one behind an interface is probed once.

    What a probe takes is counted as spent.

    Raises
    ------
    GeppettoError
        If it does not give what the elicitation needs; says which others it can be asked by.
    """
    model, elicitation = elicited.model, elicited.elicitation
    identity = model.identity
    if not identity.is_local:
        probed = probe_of(model, probes, tracker)
        priced = model.price(1, 1) is not None
        model.capabilities = probed.capabilities.model_copy(update={"priced": priced})
    can = model.capabilities
    if lacking := elicitation.lacks(can, identity.kind):
        others = [name for name, way in ELICITATIONS.items() if not way().lacks(can, identity.kind)]
        instead = (
            f"it can be asked by {', '.join(others)}" if others else "nothing else fits it as it is"
        )
        raise GeppettoError(
            f"elicitations: {elicited.label} does not fit {identity.name}: {lacking}; {instead} "
            f"(to see what it gives, run `geppetto models probe {identity.name} --experiment` with "
            "this file's path behind it)"
        )
