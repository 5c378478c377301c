"""What a written persona is worth, as DSPy's optimisers ask for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geppetto.personas.known import told_of
from geppetto.personas.leaked import leaked
from geppetto.personas.strategy import Persona
from geppetto.personas.written import WrittenStrategy
from geppetto.search.exchange import Case, Exchange

if TYPE_CHECKING:
    import dspy


@dataclass(frozen=True)
class Metric:
    """The measure.

    Attributes
    ----------
    strategy
        Whose personas are written.
    exchange
        Measures what they are worth.
    cases
        By the number that examples have as `case`. Optimisers show examples to the reflector, who
        must not read there what people answered.
    """

    strategy: WrittenStrategy
    exchange: Exchange
    cases: tuple[Case, ...]

    def __call__(
        self, gold: Any, pred: Any, trace: Any = None, name: Any = None, pred_trace: Any = None
    ) -> float:
        """The mean gain of a case, in nats per response; 0 if the text cannot be used."""
        return _mean(self._gains(gold, pred))

    def with_feedback(
        self, gold: Any, pred: Any, trace: Any = None, name: Any = None, pred_trace: Any = None
    ) -> dspy.Prediction:
        """The same with words for an optimiser that reflects, which name items but no answers."""
        import dspy

        gains = self._gains(gold, pred)
        if not gains:
            why = pred.failed or "it is empty, or says how a question is answered"
            told = f"The persona cannot be used: {why}. It must be, whoever it is of."
            return dspy.Prediction(score=0.0, feedback=told)
        score = _mean(gains)
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
        gains = [self._gains(each, module(**each.inputs())) for each in examples]
        return float(np.mean([_mean(each) for each in gains])), sum(not each for each in gains)

    def _gains(self, example: Any, written: Any) -> dict[str, float]:
        """Gains by item; none if the text cannot be used."""
        if written.get("failed"):
            return {}
        case = self.cases[example.case]
        study = told_of(self.exchange.study, case.block)
        text = self.strategy.composed(written.texts, case.seen, study).strip()
        if not text or leaked(text, study):
            return {}
        persona = Persona(text, self.strategy.placement)
        return self.exchange.gains(persona, case.person, case.stranger, case.block.predicted)


def _mean(gains: Mapping[str, float]) -> float:
    """The mean gain, in nats per response; 0 if the text cannot be used."""
    return float(np.mean(list(gains.values()))) if gains else 0.0
