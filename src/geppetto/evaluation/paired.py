"""Pairs of models among what was answered: what post-training lost, and what of it is won back."""

from __future__ import annotations

from dataclasses import replace

from geppetto.errors import GeppettoError
from geppetto.evaluation.arrays import nanmean
from geppetto.evaluation.asked import cell_cost, mean_cost
from geppetto.evaluation.compared import everything
from geppetto.evaluation.gap import PairDifferences, pair_differences, published_d
from geppetto.evaluation.measures import Measure
from geppetto.evaluation.recovery import PersonaRecovery, recoveries
from geppetto.evaluation.scored import Scored
from geppetto.models.lineage import CHAT_TEMPLATE, PLAIN_TEXT, Pair, pairs
from geppetto.plan import NO_STRATEGY, Condition


def asked_pairs(found: Scored) -> list[Pair]:
    """The pairs of whom both models were asked without a persona, and what each of them read."""
    asked = set(found.conditions)
    return [
        replace(pair, read=(_read(found, pair.post), _read(found, pair.base)))
        for pair in pairs(found.lineages)
        if {_without_persona(pair.post), _without_persona(pair.base)} <= asked
    ]


def pair_gaps(found: Scored, measure: Measure) -> list[PairDifferences]:
    """The gap of every pair, person by person.

    Calibrated measures take temperatures as given.

    Raises
    ------
    GeppettoError
        If there is no pair.
    """
    asked = asked_pairs(found)
    if not asked:
        raise GeppettoError(_reason(found))
    by_condition = {one.condition: one for one in found.predicted(measure)}
    responses = found.responses
    counted = responses.answered if measure == "nll_full" else responses.choices > 0
    made = []
    for pair in asked:
        post, base = (by_condition[_without_persona(name)] for name in (pair.post, pair.base))
        made.append(
            pair_differences(
                pair,
                nanmean(mean_cost(post, measure), 0),
                nanmean(mean_cost(base, measure), 0),
                measure,
                trials=counted.sum(1),
                sampled=any(one.counts is not None for one in (post, base)),
                published_d=published_d(cell_cost(post, measure), cell_cost(base, measure)),
            )
        )
    return made


def pair_recoveries(found: Scored, measure: Measure) -> list[PersonaRecovery]:
    """What every contrast of personas wins back of the gap of its model; see `recoveries`.

    Raises
    ------
    GeppettoError
        If there is no pair.
    """
    lost = pair_gaps(found, measure)
    return recoveries(lost, everything(found, measure), found.resampling, found.analysis)


def _without_persona(model: str) -> Condition:
    return Condition(model, NO_STRATEGY, "none")


def _read(found: Scored, model: str) -> str:
    if found.of_sessions:
        presented = found.presentation or found.presentations[model][0]
        return CHAT_TEMPLATE if presented == "turns" else PLAIN_TEXT
    return CHAT_TEMPLATE if model in found.in_template else PLAIN_TEXT


def _reason(found: Scored) -> str:
    """Why there is no gap."""
    declared = pairs(found.lineages)
    if not declared:
        return (
            "there is no pair of models, so there is no gap; give a post-trained model a `lineage` "
            "that names its `base`, another model of the experiment with a `lineage`"
        )
    names = "; ".join(f"{pair.post} and {pair.base}" for pair in declared)
    if found.presentation:
        return (
            f"no pair ({names}) has both of its models presented sessions as {found.presentation}, "
            "so there is no gap; ask both so"
        )
    return f"the gap ({names}) is between answers without a persona; add the arm none"
