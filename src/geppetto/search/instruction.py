"""Better instructions for writers of personas: DSPy's optimisers on geppetto's own measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from geppetto.answers.store import AnswerStore
from geppetto.errors import GeppettoError
from geppetto.models.litellm_local import PROVIDER, serving
from geppetto.models.speaker import Speaker
from geppetto.personas.arms import demographics
from geppetto.personas.known import told_of
from geppetto.personas.leaked import leaked
from geppetto.personas.strategy import Persona
from geppetto.personas.writing import program, writer_of
from geppetto.personas.written import Taught, WrittenStrategy, taught
from geppetto.search.exchange import Case, Exchange, cases
from geppetto.search.heard import all_heard
from geppetto.search.prepare import PreparedSearch
from geppetto.search.split import split
from geppetto.studies import Study

if TYPE_CHECKING:
    import dspy

Optimiser = Literal["gepa", "mipro", "bootstrap"]
"""GEPA reflects on what went wrong and rewrites instructions, MIPROv2 proposes instructions and
demonstrations and searches among them, BootstrapFewShot adds demonstrations that went well."""

_WENT_WELL = 1e-9
"""Information above which a demonstration went well: DSPy takes a threshold of 0 for none."""

DEMOS = 2
"""Demonstrations at most, each of them a person's data and the text that was written of them."""


@dataclass(frozen=True)
class Optimised:
    """What an optimiser made of a strategy's instruction.

    Attributes
    ----------
    state
        File of the compiled program, to be named as a strategy's `program`.
    before, after
        Mean information of cases of that half of search people who say which change is kept, with
        the strategy's own instruction and with the compiled program, in nats per response.
    failed_before, failed_after
        How many of them had a text that could not be used, which counts as no information: as if
        nothing had been told. Where information is negative, that is better than to be told.
    cases
        How many there are.
    optimistic
        Whether the program was chosen by these cases, so that `after` is too high by the luck of
        the best: GEPA and MIPROv2 choose so, BootstrapFewShot does not.
    """

    state: Path
    before: float
    after: float
    failed_before: int
    failed_after: int
    cases: int
    optimistic: bool

    @property
    def sentence(self) -> str:
        """What search people say, in words."""
        unusable = (
            " A text that could not be used counts as 0, as if nothing had been told, which pays "
            "where what is told misleads; test people of whom there is one are left out."
        ) * bool(self.failed_before or self.failed_after)
        luck = ", which is optimistic, since the program was chosen by them" * self.optimistic
        return (
            f"On {self.cases:,} cases of people of the search, information was {self.before:+.4f} "
            f"nats a response with the strategy's own instruction ({self.failed_before:,} texts "
            f"could not be used) and {self.after:+.4f} with the optimised program "
            f"({self.failed_after:,}){luck}.{unusable}"
        )


def optimise(
    prepared: PreparedSearch,
    strategy: WrittenStrategy,
    optimiser: Optimiser,
    speakers: Mapping[str, Speaker],
    store: AnswerStore,
    to: Path,
    *,
    reflector: str,
    calls: int,
) -> Optimised:
    """Improve a strategy's instruction on the people of a search, and save the compiled program.

    Half of the search's people say how to change it, the other half which change is kept; nobody
    else is looked at. To confirm it, compare the strategy with `program` to the one without on the
    search's test people. Demonstrations, which all but "gepa" add, are data of search people, and
    stand in the file, as do the ids of all search people: no plan predicts them with it.

    Parameters
    ----------
    prepared
        The search, for its people, items, layout and model.
    strategy
        What is improved.
    optimiser
        See `Optimiser`.
    speakers
        The strategy's writer and the reflector, by name.
    store
        Where answers are kept.
    to
        A JSON file to write.
    reflector
        Name of the model that proposes instructions; "bootstrap" does not ask it.
    calls
        How many personas may be written and scored while looking for a better instruction.

    Raises
    ------
    GeppettoError
        If a search person cannot be described or has no stranger, or a request got no reply.
    """
    import dspy

    sides = split(
        [prepared.study.people[name] for name in prepared.split.search],
        demographics(prepared.study),
        0.5,
        prepared.settings.seed,
    )
    seed = prepared.settings.seed
    train = cases(strategy, prepared.study, sides.search, prepared.items, seed)
    kept = cases(strategy, prepared.study, sides.test, prepared.items, seed)
    exchange = Exchange(
        prepared.study,
        prepared.experiment.layout,
        prepared.model,
        store,
        prepared.experiment.normalisation,
    )
    metric = _Metric(strategy, exchange)
    train_examples, kept_examples = (
        [
            dspy.Example(case=case, told=_told(strategy, prepared.study, case)).with_inputs("told")
            for case in side
        ]
        for side in (train, kept)
    )
    student = program(strategy)
    with all_heard(speakers) as witnesses, serving(witnesses), writer_of(strategy):
        reflecting = dspy.LM(
            f"{PROVIDER}/{reflector}",
            engine="litellm",
            temperature=1.0,
            max_tokens=4096,
            cache=False,
            num_retries=0,
        )
        before = metric.mean(student, kept_examples)
        compiled = _compiled(
            optimiser, student, metric, train_examples, kept_examples, reflecting, calls, seed
        )
        after = metric.mean(compiled, kept_examples)
    to.parent.mkdir(parents=True, exist_ok=True)
    compiled.save(to)
    by = (*strategy.taught_by, Taught(study=prepared.study.name, people=prepared.split.search))
    to.write_text(taught(to.read_text("utf-8"), by), "utf-8")
    by_them = optimiser != "bootstrap"
    return Optimised(to, before[0], after[0], before[1], after[1], len(kept), by_them)


@dataclass(frozen=True)
class _Metric:
    """The measure, as DSPy's optimisers call it."""

    strategy: WrittenStrategy
    exchange: Exchange

    def __call__(
        self, gold: Any, pred: Any, trace: Any = None, name: Any = None, pred_trace: Any = None
    ) -> float:
        """The mean gain of a case, in nats per response; 0 if the text cannot be used."""
        gains = self._gains(gold.case, pred)
        return float(np.mean(list(gains.values()))) if gains else 0.0

    def with_feedback(
        self, gold: Any, pred: Any, trace: Any = None, name: Any = None, pred_trace: Any = None
    ) -> dspy.Prediction:
        """The same with words for an optimiser that reflects, which name items but no answers."""
        import dspy

        gains = self._gains(gold.case, pred)
        if not gains:
            why = pred.failed or "it is empty, or says how a question is answered"
            told = f"The persona cannot be used: {why}. It must be, whoever it is of."
            return dspy.Prediction(score=0.0, feedback=told)
        score = float(np.mean(list(gains.values())))
        ordered = sorted(gains, key=lambda item: gains[item])
        texts = {item: self.exchange.study.items[item].text for item in ordered}
        best, worst = (
            "; ".join(f"{texts[item]} ({gains[item]:+.3f})" for item in some)
            for some in (ordered[::-1][:3], ordered[:3])
        )
        told = (
            f"A model that read the persona found this person's answers {score:+.3f} nats a "
            "question likelier than a stranger's. Above zero, the persona tells this person from "
            f"others. It told most on: {best}. It told least, or misled, on: {worst}. A better "
            "instruction makes the writer say what sets this person apart on such questions, and "
            "never invent answers to them."
        )
        return dspy.Prediction(score=score, feedback=told)

    def mean(self, module: dspy.Module, examples: Sequence[Any]) -> tuple[float, int]:
        """The mean over cases, and in how many the text could not be used."""
        predictions = [(each, module(**each.inputs())) for each in examples]
        scores = [self(each, prediction) for each, prediction in predictions]
        failed = sum(not self._gains(each.case, prediction) for each, prediction in predictions)
        return float(np.mean(scores)), failed

    def _gains(self, case: Case, written: Any) -> dict[str, float]:
        """Gains by item; none if the text cannot be used."""
        if written.get("failed"):
            return {}
        study = told_of(self.exchange.study, case.block)
        text = self.strategy.composed(written.texts, case.seen, study).strip()
        if not text or leaked(text, study):
            return {}
        persona = Persona(text, self.strategy.placement)
        return self.exchange.gains(persona, case.person, case.stranger, case.block.predicted)


def _compiled(
    optimiser: Optimiser,
    student: dspy.Module,
    metric: _Metric,
    train: Sequence[Any],
    kept: Sequence[Any],
    reflecting: dspy.LM,
    calls: int,
    seed: int,
) -> dspy.Module:
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


def _told(strategy: WrittenStrategy, study: Study, case: Case) -> dict[str, dict[str, Any]]:
    """What the modules are told in a case.

    Raises
    ------
    GeppettoError
        If nothing is known that the strategy could show.
    """
    if told := strategy.told(case.seen, told_of(study, case.block)):
        return dict(told)
    raise GeppettoError(
        f"nothing is known of participant {case.person.id} that the strategy could show; take only "
        "people of whom everything is known (`participants: {complete: true}`)"
    )
