"""The tidy table of answers: one row an answer, the interface of everything that follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from geppetto.answers.parsed import NOT_FINITE, ParsedAnswer, same
from geppetto.elicitation.hits import hit, hit_bounds
from geppetto.elicitation.option_likelihood import Normalisation, OptionScores
from geppetto.planning.plan import Plan, PlannedAnswer
from geppetto.studies import Scale, Study


class AnswerRow(NamedTuple):
    """One answer: a participant's response to an item, and what a model said of it.

    Participants with the same `pool` are those of whom a strategy knows the same things (of
    supervised baselines: those who were predicted from the same people); items with the same
    `block` were predicted from one persona. `paraphrase` is the number of the wording, from 0.

    `log_prob` is the log-probability of the real response in nats, `log_prob_of_options` the same
    renormalised over the legal options, `nll_low` and `nll_high` the least and the most that minus
    this could be given what is not known (equal to it where all is known; from 0 to infinity if
    nothing is), `hit_low` and `hit_high` the same of whether the real response is the most probable
    option (1/m if it is one of m that tie; from 0 to 1 if nothing is known).

    `elicitation` is the label of how the answer was read, empty of baselines; `ordinal` says
    whether the options' order has a meaning, `outside` which options are outside of it.
    `option_log_probs` has one number an option in the
    order of `options`, `counts` how many samples named each option where answers were sampled (then
    the log-probabilities are smoothed estimates) and is empty elsewhere; `floored` says whether the
    real response was given nothing (no sample named it, or 0 per cent were stated), so that its
    log-probability is a convention. `option_mass` is the probability of all legal options together,
    `tokens` the length of the prompt, or of all that was sent for the answer, `cost` in dollars,
    NaN if a price is not known. An answer that is not "scored" is "unscorable", for a `reason`.

    In a session `item` is the response's number from "1", `options` are the participant's own, none
    if the response is open, and then there are no numbers about options. `history` is "all" or how
    many trials before its own the model read, `presentation` how it read them ("text" or "turns"),
    both empty in a survey, and `announcing` the log-probability of the text that announces the
    response, NaN in a survey.

    Examples
    --------
    >>> AnswerRow._fields[:5]
    ('study', 'experiment', 'participant', 'cluster', 'weight')
    """

    study: str
    experiment: str
    participant: str
    cluster: str | None
    weight: float
    trial: int
    item: str
    model: str
    strategy: str
    arm: str
    donor: str
    pool: int
    block: int
    paraphrase: int
    history: str
    presentation: str
    elicitation: str
    normalisation: Normalisation
    sample: int
    options: tuple[str, ...]
    ordinal: bool
    outside: tuple[str, ...]
    response: str
    log_prob: float
    log_prob_of_options: float
    nll_low: float
    nll_high: float
    hit_low: float
    hit_high: float
    option_log_probs: tuple[float, ...]
    counts: tuple[int, ...]
    floored: bool
    option_mass: float
    announcing: float
    tokens: int
    cost: float
    status: Literal["scored", "unscorable"]
    reason: str
    request: str


_SOME = 10_000
"""Rows that are in memory at a time."""

COLUMNS = AnswerRow._fields
"""Columns of the table; see `AnswerRow`."""


@dataclass(frozen=True)
class Said:
    """The columns of an answer that say what the model said; see `AnswerRow`.

    `hit` are its `hit_low` and `hit_high`. It is scored unless there is a `reason`.
    """

    log_prob: float
    log_prob_of_options: float
    nll_low: float
    nll_high: float
    hit: tuple[float, float]
    option_log_probs: tuple[float, ...]
    option_mass: float
    tokens: int
    reason: str
    cost: float = 0.0
    normalisation: Normalisation = "sum"
    counts: tuple[int, ...] = ()
    floored: bool = False
    announcing: float = np.nan


def row(
    planned: PlannedAnswer,
    study: Study,
    experiment: str,
    trial: int,
    options: tuple[str, ...],
    said: Said,
    scale: Scale | None = None,
) -> AnswerRow:
    """A planned answer with what the model said."""
    person = study.people[planned.participant]
    return AnswerRow(
        study=study.name,
        experiment=experiment,
        participant=planned.participant,
        cluster=person.cluster,
        weight=person.weight,
        trial=trial,
        item=planned.item,
        model=planned.model,
        strategy=planned.strategy,
        arm=planned.arm,
        donor=planned.donor,
        pool=planned.pool,
        block=planned.block,
        paraphrase=planned.paraphrase,
        history=planned.history,
        presentation=planned.presentation,
        elicitation=planned.elicitation,
        normalisation=said.normalisation,
        sample=0,
        options=options,
        ordinal=scale is not None and scale.ordinal,
        outside=(scale.outside if scale else None) or (),
        response=planned.response,
        log_prob=said.log_prob,
        log_prob_of_options=said.log_prob_of_options,
        nll_low=said.nll_low,
        nll_high=said.nll_high,
        hit_low=said.hit[0],
        hit_high=said.hit[1],
        option_log_probs=said.option_log_probs,
        counts=said.counts,
        floored=said.floored,
        option_mass=said.option_mass,
        announcing=said.announcing,
        tokens=said.tokens,
        cost=said.cost,
        status="unscorable" if said.reason else "scored",
        reason=said.reason,
        request=planned.request,
    )


def answers_table(
    plan: Plan,
    scores: Mapping[str, OptionScores | ParsedAnswer],
    study: Study,
    experiment: str,
    normalisation: Normalisation = "sum",
) -> pd.DataFrame:
    """The answers of a plan whose every request has been scored or parsed.

    With `normalisation` "mean" each option's log-probability is divided by its number of tokens
    before options are compared: in `option_log_probs` and `log_prob_of_options`. `log_prob` and
    `option_mass` are always of the sums, since only those are probabilities. What was parsed of a
    model is not normalised so: it is a distribution over options already.

    Raises
    ------
    KeyError
        If a request has no scores.
    ValueError
        If what was parsed is of another number of options.
    """
    scales = {name: study.scale(item) for name, item in study.items.items()}
    codes = {name: tuple(scale.options) for name, scale in scales.items()}
    positions = {name: number for number, name in enumerate(study.items)}

    @lru_cache(_SOME)  # many people are asked the same
    def scored(answer: OptionScores) -> Sequence[Said]:
        return _scored(answer, normalisation)

    def rows() -> Iterator[AnswerRow]:
        for planned in plan.answers:
            answer, legal = scores[planned.request], codes[planned.item]
            response = legal.index(planned.response)
            if isinstance(answer, ParsedAnswer):
                said = _parsed(answer, response, len(legal))
            else:
                said = scored(answer)[response]
            trial, scale = positions[planned.item], scales[planned.item]
            yield row(planned, study, experiment, trial, legal, said, scale)

    return table_of(rows(), COLUMNS)


def table_of(rows: Iterator[tuple[Any, ...]], names: Sequence[str]) -> pd.DataFrame:
    """The table of these rows, of which only some are in memory at a time beside its columns."""
    columns: list[list[Any]] = [[] for _ in names]
    while some := list(islice(rows, _SOME)):
        for column, values in zip(columns, zip(*some, strict=True), strict=True):
            column.extend(values)
    return pd.DataFrame(dict(zip(names, columns, strict=True)))


def _scored(answer: OptionScores, normalisation: Normalisation) -> list[Said]:
    """What is said of each option, were it the response."""
    sums = np.array(answer.log_probs)
    options = sums if normalisation == "sum" else sums / np.array(answer.tokens)
    finite = bool(np.isfinite(sums).all())
    listed = answer.log_probs if options is sums else tuple(options.tolist())
    mass = float(np.exp(sums).sum())
    return [
        Said(
            log_prob=log_prob,
            log_prob_of_options=over,
            nll_low=-over if finite else 0.0,
            nll_high=-over if finite else np.inf,
            hit=(hit(listed, response),) * 2 if finite else (0.0, 1.0),
            option_log_probs=listed,
            option_mass=mass,
            tokens=answer.prompt_tokens,
            reason="" if finite else NOT_FINITE,
            normalisation=normalisation,
        )
        for response, (log_prob, over) in enumerate(
            zip(sums.tolist(), (options - np.logaddexp.reduce(options)).tolist(), strict=True)
        )
    ]


def _parsed(answer: ParsedAnswer, response: int, options: int) -> Said:
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
    return Said(
        log_prob=float(sums[response]) if len(sums) else np.nan,
        log_prob_of_options=over,
        nll_low=low,
        nll_high=high,
        hit=(surely, possibly),
        option_log_probs=reading.log_probs,
        option_mass=float(np.exp(sums).sum()) if len(sums) else np.nan,
        tokens=answer.prompt_tokens,
        reason="" if finite else answer.reason,
        cost=answer.cost,
        counts=reading.counts,
        floored=finite and bool(reading.floored) and reading.floored[response],
    )
