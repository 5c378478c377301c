"""The tidy table of answers: one row an answer, the interface of everything that follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from geppetto.answers.heard import NOT_FINITE, Heard, same
from geppetto.elicitation.hits import hit, hit_bounds
from geppetto.elicitation.option_likelihood import OptionScores
from geppetto.plan import Plan
from geppetto.studies import Study

Normalisation = Literal["sum", "mean"]

COLUMNS = (
    "study",
    "experiment",
    "participant",
    "cluster",
    "weight",
    "trial",
    "item",
    "model",
    "strategy",
    "arm",
    "donor",
    "pool",
    "block",
    "paraphrase",
    "history",
    "presentation",
    "elicitation",
    "normalisation",
    "sample",
    "options",
    "ordinal",
    "response",
    "log_prob",
    "log_prob_of_options",
    "nll_low",
    "nll_high",
    "hit_low",
    "hit_high",
    "option_log_probs",
    "counts",
    "floored",
    "option_mass",
    "announcing",
    "tokens",
    "cost",
    "status",
    "reason",
    "request",
)
"""Columns of the table.

Participants with the same `pool` are those of whom a strategy knows the same things (of supervised
baselines: those who were predicted from the same people); items with the same `block` were
predicted from one persona. `paraphrase` is the number of the wording, from 0.
`log_prob` is the log-probability of the real response in nats, `log_prob_of_options` the same
renormalised over the legal options, `nll_low` and `nll_high` the least and the most that minus this
could be given what is not known (equal to it where all is known; from 0 to infinity if nothing is),
`hit_low` and `hit_high` the same of whether the real response is the most probable option (1/m if
it is one of m that tie; from 0 to 1 if nothing is known),
`elicitation` the label of how the answer was read, empty of baselines,
`ordinal` says whether the options' order has a meaning,
`option_log_probs` one number an option in the order of
`options`, `counts` how many samples named each option where answers were sampled (then the
log-probabilities are smoothed estimates) and empty elsewhere, `floored` whether the real response
was given nothing (no sample named it, or 0 per cent were stated), so that its log-probability is a
convention, `option_mass` the probability of all
legal options together, `tokens` the length of the prompt, or of all that was sent for the answer,
`cost` in dollars, NaN if a price is not known.
An answer that is not "scored" is "unscorable", for a `reason`.

In a session `item` is the response's number from "1", `options` are the participant's own, none if
the response is open, and then there are no numbers about options. `history` is "all" or how many
trials before its own the model read, `presentation` how it read them ("text" or "turns"), both
empty in a survey, and `announcing` the log-probability of the text that announces the response.
"""


def answers_table(
    plan: Plan,
    scores: Mapping[str, OptionScores | Heard],
    study: Study,
    experiment: str,
    normalisation: Normalisation = "sum",
) -> pd.DataFrame:
    """The answers of a plan whose every request has been scored or heard.

    With `normalisation` "mean" each option's log-probability is divided by its number of tokens
    before options are compared: in `option_log_probs` and `log_prob_of_options`. `log_prob` and
    `option_mass` are always of the sums, since only those are probabilities. What was heard from a
    model is not normalised so: it is a distribution over options already.

    Raises
    ------
    KeyError
        If a request has no scores.
    ValueError
        If what was heard is of another number of options.
    """
    codes = {name: tuple(study.scale(item).options) for name, item in study.items.items()}
    ordinal = {name: study.scale(item).ordinal for name, item in study.items.items()}
    positions = {name: number for number, name in enumerate(study.items)}
    rows = []
    for planned in plan.answers:
        answer, legal = scores[planned.request], codes[planned.item]
        response = legal.index(planned.response)
        if isinstance(answer, Heard):
            told = _heard(answer, response, len(legal))
        else:
            told = _scored(answer, response, normalisation)
        rows.append(
            (
                study.name,
                experiment,
                planned.participant,
                study.people[planned.participant].cluster,
                study.people[planned.participant].weight,
                positions[planned.item],
                planned.item,
                planned.model,
                planned.strategy,
                planned.arm,
                planned.donor,
                planned.pool,
                planned.block,
                planned.paraphrase,
                "",
                "",
                planned.elicitation,
                told.normalisation,
                0,
                legal,
                ordinal[planned.item],
                planned.response,
                told.log_prob,
                told.of_options,
                told.nll_low,
                told.nll_high,
                *told.hit,
                told.options,
                told.counts,
                told.floored,
                told.mass,
                np.nan,
                told.tokens,
                told.cost,
                "unscorable" if told.reason else "scored",
                told.reason,
                planned.request,
            )
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


class _Told(NamedTuple):
    """The columns of an answer that say what the model said."""

    normalisation: Normalisation
    log_prob: float
    of_options: float
    nll_low: float
    nll_high: float
    hit: tuple[float, float]
    options: tuple[float, ...]
    counts: tuple[int, ...]
    floored: bool
    mass: float
    tokens: int
    cost: float
    reason: str


def _scored(answer: OptionScores, response: int, normalisation: Normalisation) -> _Told:
    sums = np.array(answer.log_probs)
    options = sums if normalisation == "sum" else sums / np.array(answer.tokens)
    finite = bool(np.isfinite(sums).all())
    over = float(options[response] - np.logaddexp.reduce(options))
    return _Told(
        normalisation,
        float(sums[response]),
        over,
        -over if finite else 0.0,
        -over if finite else np.inf,
        (hit(options.tolist(), response),) * 2 if finite else (0.0, 1.0),
        tuple(options.tolist()),
        (),
        False,
        float(np.exp(sums).sum()),
        answer.prompt_tokens,
        0.0,
        "" if finite else NOT_FINITE,
    )


def _heard(answer: Heard, response: int, options: int) -> _Told:
    reading = answer.reading
    if {len(reading.low), len(reading.high), len(reading.log_probs) or options} != {options}:
        raise ValueError(f"a reading is not of {options} options: {reading}")
    sums = np.array(reading.log_probs)
    finite = bool(reading.log_probs) and bool(np.isfinite(sums).all())
    over = float(sums[response] - np.logaddexp.reduce(sums)) if finite else np.nan
    low, high = 0.0 - reading.high[response], 0.0 - reading.low[response]
    surely, possibly = hit_bounds(reading.low, reading.high, response)
    if finite:  # an estimate from samples may be outside of what they allow
        found = hit(reading.log_probs, response)
        if same(low, high):
            low = high = -over
        if all(map(same, reading.low, reading.high)):
            surely = possibly = found
        low, high = min(low, -over), max(high, -over)
        surely, possibly = min(surely, found), max(possibly, found)
    return _Told(
        "sum",
        float(sums[response]) if len(sums) else np.nan,
        over,
        low,
        high,
        (surely, possibly),
        reading.log_probs,
        reading.counts,
        finite and bool(reading.floored) and reading.floored[response],
        float(np.exp(sums).sum()) if len(sums) else np.nan,
        answer.prompt_tokens,
        answer.cost,
        "" if finite else answer.reason,
    )
