"""Pairs of models among what was answered: what post-training lost, and what of it is won back."""

from __future__ import annotations

from dataclasses import replace

from geppetto._util.errors import GeppettoError
from geppetto.evaluation.arrays import nanmean
from geppetto.evaluation.compared import everything
from geppetto.evaluation.losses import cell_cost, mean_cost, possible_savings
from geppetto.evaluation.measures import Measure
from geppetto.evaluation.pairs.gap import PairDifferences, pair_differences, published_d
from geppetto.evaluation.pairs.recovery import PersonaRecovery, recoveries
from geppetto.evaluation.scored import Scored
from geppetto.models.lineage import CHAT_TEMPLATE, PLAIN_TEXT, Pair, pairs
from geppetto.planning.plan import NO_STRATEGY, Condition


def pairs_found(found: Scored) -> list[Pair]:
    """The pairs of whom both models were asked without a persona, and what each of them read."""
    wanted = set(found.conditions)
    return [
        replace(pair, read=(_read(found, pair.post), _read(found, pair.base)))
        for pair in pairs(found.lineages)
        if {_without_persona(pair.post), _without_persona(pair.base)} <= wanted
    ]


def pair_gaps(found: Scored, measure: Measure | None = None) -> list[PairDifferences]:
    """The gap of every pair, person by person, by default in the measure that decides for it.

    Calibrated measures take temperatures as given.

    Raises
    ------
    GeppettoError
        If there is no pair.
    """
    wanted = pairs_found(found)
    if not wanted:
        raise GeppettoError(_reason(found))
    responses = found.responses
    made = []
    for pair in wanted:
        of = measure or _decides(found, pair)
        counted = responses.answered if of == "nll_full" else responses.choices > 0
        by_condition = {one.condition: one for one in found.predicted(of)}
        post, base = (by_condition[_without_persona(name)] for name in (pair.post, pair.base))
        made.append(
            pair_differences(
                pair,
                nanmean(mean_cost(post, of), 0),
                nanmean(mean_cost(base, of), 0),
                of,
                trials=counted.sum(1),
                sampled=any(one.counts is not None for one in (post, base)),
                published_d=published_d(cell_cost(post, of), cell_cost(base, of)),
                possible=possible_savings(post, base, of),
                mass=1.0 if of == "nll_full" else min(post.mass, base.mass),
            )
        )
    return made


def pair_recoveries(found: Scored, measure: Measure | None = None) -> list[PersonaRecovery]:
    """What every contrast of personas wins back of the gap of its model; see `recoveries`."""
    lost = pair_gaps(found, measure)
    measures: set[Measure] = {measure or _decides(found, one.pair) for one in lost}
    saved = [one for of in sorted(measures) for one in everything(found, of)]
    return recoveries(lost, saved, found.resampling, found.analysis)


def _decides(found: Scored, pair: Pair) -> Measure:
    """Brier if either model was sampled, since both must be of one measure."""
    decides = {found.decided_by[pair.post], found.decided_by[pair.base]}
    return "brier" if "brier" in decides else decides.pop()


def _without_persona(model: str) -> Condition:
    return Condition(model, NO_STRATEGY, "none")


def _read(found: Scored, model: str) -> str:
    if found.of_sessions:
        presented = found.presentation or found.presentations[model][0]
        return CHAT_TEMPLATE if presented == "turns" else PLAIN_TEXT
    return CHAT_TEMPLATE if model in found.in_template else PLAIN_TEXT


def _reason(found: Scored) -> str:
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
