"""Results of invented surveys with two kinds of people."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geppetto.evaluation.baselines.rows import baseline_answers
from geppetto.evaluation.results import Results
from geppetto.planning.analysis_config import Analysis
from geppetto.studies import Participant, Study
from invented import as_table, codebook, two_types


def study_of(table: pd.DataFrame, name: str) -> Study:
    """The study that these answers could be from."""
    yes = codebook(
        name=name,
        scales={"two": {"options": {"1": "No", "2": "Yes"}}},
        items=[
            {"name": item, "text": item, "scale": "two", "measures": "yes"}
            for item in table["item"].unique()
        ],
    )
    first = table.drop_duplicates(["participant", "item"])
    people = {
        str(person): Participant(str(person), {}, dict(zip(r["item"], r["response"], strict=True)))
        for person, r in first.groupby("participant")
    }
    return Study(yes, people, {})


def results_of(
    name: str,
    seed: int,
    known: float,
    people: int = 40,
    analysis: Analysis | None = None,
    items: int = 6,
) -> Results:
    """Results of an invented study with two kinds of people."""
    table = as_table(two_types(np.random.default_rng(seed), people, items, known))
    study = study_of(table, name)
    every = pd.concat([table, baseline_answers(table, study, [])], ignore_index=True)
    return Results("Is it so?", study, analysis or Analysis(draws=300), every, {"s": ()})
