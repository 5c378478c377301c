"""Invented answers of models that are asked by requests, in several elicitations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.baselines.rows import baseline_answers
from geppetto.evaluation.results import Results
from geppetto.planning.analysis_config import Analysis
from invented import as_table, two_types
from invented_results import study_of


def unread(answers: pd.DataFrame, rows: pd.Series, reason: str = "refusal") -> pd.DataFrame:
    """The answers, some of which could not be read."""
    made = answers.copy()
    made.loc[rows, "status"], made.loc[rows, "reason"] = "unscorable", reason
    made.loc[rows, "nll_low"], made.loc[rows, "nll_high"] = 0.0, np.inf
    made.loc[rows, "hit_low"], made.loc[rows, "hit_high"] = 0.0, 1.0
    for name in ("log_prob", "log_prob_of_options", "option_mass"):
        made.loc[rows, name] = np.nan
    made["option_log_probs"] = [
        () if out else values for out, values in zip(rows, made["option_log_probs"], strict=True)
    ]
    return made


def sharpened(answers: pd.DataFrame, power: float) -> pd.DataFrame:
    """The answers with option probabilities raised to a power."""
    return predicting(answers, [power * np.array(each) for each in answers["option_log_probs"]])


def nearer(answers: pd.DataFrame, nats: float) -> pd.DataFrame:
    """The answers with what people really say likelier against each other option by so much."""
    logs = []
    for row in answers.to_dict("records"):
        right = np.array([option == row["response"] for option in row["options"]])
        logs.append(np.array(row["option_log_probs"]) + nats * right)
    return predicting(answers, logs)


def predicting(answers: pd.DataFrame, logs: Sequence[Floats]) -> pd.DataFrame:
    """The answers with other log-probabilities of options, up to a constant."""
    made = answers.copy()
    logs = [values - np.logaddexp.reduce(values) for values in logs]
    made["option_log_probs"] = [tuple(values.tolist()) for values in logs]
    place = [o.index(r) for o, r in zip(made["options"], made["response"], strict=True)]
    said = np.array([values[at] for values, at in zip(logs, place, strict=True)])
    return made.assign(log_prob=said, log_prob_of_options=said, nll_low=-said, nll_high=-said)


def replies_of(answers: pd.DataFrame, seconds: float = 0.5) -> pd.DataFrame:
    """A reply an answer: a refusal where it could not be read."""
    made = answers.copy()
    made["outcome"] = made["reason"].where(made["reason"] != "", "answered")
    made["request"] = [f"r{n}" for n in range(len(made))]
    return made.assign(
        sample=0,
        completion=made["request"],
        part=1.0,
        prompt_tokens=10,
        completion_tokens=2,
        reasoning_tokens=0,
        cost=0.001,
        seconds=seconds,
        attempts=1,
        error="",
        finish="stop",
        text="I would rather not.",
    )


def results_of(
    read: dict[str, pd.DataFrame], analysis: Analysis | None = None, name: str = "invented"
) -> Results:
    """Results of answers in each elicitation, with baselines and replies."""
    answers = pd.concat([rows.assign(elicitation=label) for label, rows in read.items()])
    answers = answers.assign(cost=0.001, tokens=10).reset_index(drop=True)
    study = study_of(answers, name)
    every = pd.concat([answers, baseline_answers(answers, study, [])], ignore_index=True)
    found = Results("Is it so?", study, analysis or Analysis(draws=300), every, {"s": ()})
    return replace(found, completions=replies_of(answers))


def answers_of(seed: int, people: int = 40, items: int = 6, known: float = 0.2) -> pd.DataFrame:
    """Answers about two kinds of people, with and without their personas."""
    return as_table(two_types(np.random.default_rng(seed), people, items, known))
