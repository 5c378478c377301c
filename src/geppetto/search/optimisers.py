"""DSPy's optimisers of instructions, each as it is used here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import dspy

    from geppetto.search.metric import Metric

Optimiser = Literal["gepa", "mipro", "bootstrap"]
"""GEPA reflects on what went wrong and rewrites instructions, MIPROv2 proposes instructions and
demonstrations and searches among them, BootstrapFewShot adds demonstrations that went well."""

_WENT_WELL = 1e-9
"""What a demonstration that went well saves at least: DSPy takes a threshold of 0 for none."""

DEMOS = 2
"""Demonstrations at most, each of them a person's data and the text that was written of them."""


def compiled(  # noqa: PLR0913  what optimisers of DSPy are told
    optimiser: Optimiser,
    student: dspy.Module,
    metric: Metric,
    train: Sequence[Any],
    kept: Sequence[Any],
    reflecting: dspy.LM,
    calls: int,
    seed: int,
) -> dspy.Module:
    """A better program, found in the order that a seed says and by one thread.

    So it asks the same again if it is told the same.

    Parameters
    ----------
    train, kept
        Examples that say how to change the program, and those that say which change is kept.
    reflecting
        The model that proposes instructions.
    calls
        About how many predictions are made.
    """
    import dspy
    from dspy.teleprompt.gepa.instruction_proposal import InstructionProposer

    match optimiser:
        case "gepa":
            return dspy.GEPA(
                metric=metric.with_feedback,
                max_metric_calls=calls,
                reflection_lm=reflecting,
                instruction_proposer=InstructionProposer(
                    adapter=dspy.ChatAdapter(use_json_adapter_fallback=False)
                ),
                skip_perfect_score=False,
                num_threads=1,
                seed=seed,
            ).compile(student, trainset=list(train), valset=list(kept))
        case "mipro":
            trials = max(1, calls // len(kept))
            return dspy.MIPROv2(
                metric=metric,
                prompt_model=reflecting,
                auto=None,
                num_candidates=max(2, trials // 2),
                max_bootstrapped_demos=DEMOS,
                max_labeled_demos=0,
                metric_threshold=_WENT_WELL,
                num_threads=1,
                seed=seed,
            ).compile(
                student,
                trainset=list(train),
                valset=list(kept),
                num_trials=trials,
                minibatch=False,
            )
        case "bootstrap":
            return dspy.BootstrapFewShot(
                metric=metric,
                metric_threshold=_WENT_WELL,
                max_bootstrapped_demos=DEMOS,
                max_labeled_demos=0,
                max_rounds=1,
            ).compile(student, trainset=list(train[:calls]))
