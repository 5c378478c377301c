"""The tidy table of answers: one row an answer, the interface of everything that follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

from geppetto.elicitation.option_likelihood import NAME, OptionScores
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
    "option_log_probs",
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
renormalised over the legal options, `ordinal` says whether their order has a meaning,
`option_log_probs` one number an option in the order of
`options`, `option_mass` the probability of all legal options together, `tokens` the length of the
prompt, `cost` in dollars.

In a session `item` is the response's number from "1", `options` are the participant's own, none if
the response is open, and then there are no numbers about options. `history` is "all" or how many
trials before its own the model read, `presentation` how it read them ("text" or "turns"), both
empty in a survey, and `announcing` the log-probability of the text that announces the response.
"""


def answers_table(
    plan: Plan,
    scores: Mapping[str, OptionScores],
    study: Study,
    experiment: str,
    normalisation: Normalisation = "sum",
) -> pd.DataFrame:
    """The answers of a plan whose every request has been scored.

    With `normalisation` "mean" each option's log-probability is divided by its number of tokens
    before options are compared: in `option_log_probs` and `log_prob_of_options`. `log_prob` and
    `option_mass` are always of the sums, since only those are probabilities.

    Raises
    ------
    KeyError
        If a request has no scores.
    """
    codes = {name: tuple(study.scale(item).options) for name, item in study.items.items()}
    ordinal = {name: study.scale(item).ordinal for name, item in study.items.items()}
    positions = {name: number for number, name in enumerate(study.items)}
    rows = []
    for planned in plan.answers:
        answer = scores[planned.request]
        sums = np.array(answer.log_probs)
        options = sums if normalisation == "sum" else sums / np.array(answer.tokens)
        legal = codes[planned.item]
        finite = bool(np.isfinite(sums).all())
        response = legal.index(planned.response)
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
                NAME,
                normalisation,
                0,
                legal,
                ordinal[planned.item],
                planned.response,
                float(sums[response]),
                float(options[response] - np.logaddexp.reduce(options)),
                tuple(options.tolist()),
                float(np.exp(sums).sum()),
                np.nan,
                answer.prompt_tokens,
                0.0,
                "scored" if finite else "unscorable",
                "" if finite else "an option's log-probability is not finite",
                planned.request,
            )
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))
