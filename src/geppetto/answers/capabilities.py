"""Whether models can be asked as an experiment wants, found out before anything else is asked."""

from __future__ import annotations

from geppetto.answers.probes import ProbeStore, probe_of
from geppetto.models.budget import BudgetTracker
from geppetto.planning.elicited import Elicited, refuse_lacking


def refuse_unable(elicited: Elicited, probes: ProbeStore, tracker: BudgetTracker) -> None:
    """Refuse to ask a model for what it does not give; one behind an interface is probed once.

    What a probe takes is counted as spent.

    Raises
    ------
    GeppettoError
        If it does not give what the elicitation needs; says which others it can be asked by.
    """
    model, identity = elicited.model, elicited.model.identity
    if not identity.is_local:
        probed = probe_of(model, probes, tracker)
        priced = model.price(1, 1) is not None
        model.capabilities = probed.capabilities.model_copy(update={"priced": priced})
    probe = f"geppetto models probe {identity.name} --experiment"
    refuse_lacking(
        elicited,
        model.capabilities,
        f" (to see what it gives, run `{probe}` with this file's path behind it)",
    )
