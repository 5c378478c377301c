"""What is sent of an experiment, as it is sent: for the first of its people."""

from __future__ import annotations

from geppetto.planning.plan import Condition
from geppetto.planning.prepared import Prepared

Sample = tuple[str, str, str]
"""A participant, an item and the label of an elicitation."""


def first_sent(prepared: Prepared, condition: Condition) -> dict[Sample, str]:
    """What is sent first for each of the first participants in each elicitation.

    As many people are shown as the experiment's `sample_prompts` says; with 0 nobody is.
    """
    plan = prepared.plan
    first = set(plan.participants[: prepared.experiment.sample_prompts])
    by_requests = {elicited.key: elicited for elicited in prepared.by_requests}
    shown: set[tuple[str, str]] = set()
    sent: dict[Sample, str] = {}
    for planned in plan.answers if first else ():
        of = planned.participant, planned.elicitation
        if planned.condition != condition or planned.participant not in first or of in shown:
            continue
        shown.add(of)
        label = planned.participant, planned.item, planned.elicitation
        key = planned.model, planned.elicitation
        if key in by_requests:
            sent[label] = by_requests[key].sent(plan.questions[key][planned.request])
        else:
            sent[label] = plan.read(condition.model, [planned.request])[planned.request]
    return sent
