"""What the answers of an experiment say."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from geppetto.answers.completions_table import completions_table
from geppetto.answers.parsed import ParsedAnswer
from geppetto.answers.session_table import session_answers_table
from geppetto.answers.store import AnswerStore
from geppetto.answers.table import answers_table
from geppetto.elicitation.option_likelihood import OptionScores
from geppetto.evaluation.baselines.rows import Keep, anew, baseline_answers, supervised_names
from geppetto.evaluation.results import Results
from geppetto.planning.prepared import Prepared


def evaluate(
    prepared: Prepared,
    store: AnswerStore,
    parsed: Mapping[str, ParsedAnswer] | None = None,
    keep: Keep = anew,
) -> Results:
    """What the answers of a finished experiment say.

    Parameters
    ----------
    prepared
        The experiment.
    store
        The answers of the models that score options exactly.
    parsed
        What others replied, by request id.
    keep
        Where what baselines learned is kept.

    Examples
    --------
    >>> evaluate(prepared, AnswerStore.of_workspace(Path()))  # doctest: +SKIP
    """
    requests = {planned.request for planned in prepared.plan.answers}
    experiment, study, plan = prepared.experiment, prepared.study, prepared.plan
    scores = store.get(requests)
    answered: dict[str, OptionScores | ParsedAnswer] = {**scores, **(parsed or {})}
    if study.has_sessions:
        table = session_answers_table(plan, scores, study, experiment.name)
    else:
        table = answers_table(plan, answered, study, experiment.name, experiment.normalisation)
    baselines = baseline_answers(table, study, prepared.strategies, keep)
    return Results(
        question=experiment.question,
        study=study,
        analysis=experiment.analysis,
        answers=pd.concat([table, baselines], ignore_index=True),
        supervised=supervised_names(prepared.strategies, study),
        lineages=experiment.lineages,
        in_template=prepared.in_template,
        matches=plan.matches,
        completions=completions_table(plan, answered, study, experiment.name),
    )
