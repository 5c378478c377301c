"""What a written persona is worth, as DSPy's optimisers ask for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geppetto.personas.base import Persona
from geppetto.personas.generated import GeneratedStrategy
from geppetto.personas.leaked import leaked
from geppetto.personas.visibility import visible_study
from geppetto.search.worth import Case, Worth

if TYPE_CHECKING:
    import dspy


@dataclass(frozen=True)
class Metric:
    """The measure.

    Attributes
    ----------
    cases
        By the number that examples have as `case`. Optimisers show examples to the reflector, who
        must not read there what people answered.
    """

    strategy: GeneratedStrategy
    worth: Worth
    cases: tuple[Case, ...]

    def __call__(
        self, gold: Any, pred: Any, trace: Any = None, name: Any = None, pred_trace: Any = None
    ) -> float:
        """What a case saves, in nats per response; 0, as no persona does, if it cannot be used."""
        return _mean(self._saved(gold, pred))

    def with_feedback(
        self, gold: Any, pred: Any, trace: Any = None, name: Any = None, pred_trace: Any = None
    ) -> dspy.Prediction:
        """The same with words for an optimiser that reflects, which name items but no answers."""
        import dspy

        saved = self._saved(gold, pred)
        if not saved:
            why = pred.failed or "it is empty, or says how a question is answered"
            feedback = f"The persona cannot be used: {why}. It must be, whoever it is of."
            return dspy.Prediction(score=0.0, feedback=feedback)
        score = _mean(saved)
        ordered = sorted(saved, key=lambda item: saved[item])
        texts = {item: self.worth.study.items[item].text for item in ordered}
        best, worst = (
            "; ".join(f"{texts[item]} ({saved[item]:+.3f})" for item in some)
            for some in (ordered[::-1][:3], ordered[:3])
        )
        feedback = (
            f"A model that read the persona found this person's answers {score:+.3f} nats a "
            "question likelier than a model that read none. Below zero, it was further from them. "
            f"It told most on: {best}. It told least, or misled, on: {worst}. A better instruction "
            "makes the writer say what this person is like on such questions, no more surely than "
            "it is known, and never invent answers to them."
        )
        return dspy.Prediction(score=score, feedback=feedback)

    def mean(self, module: dspy.Module, examples: Sequence[Any]) -> tuple[float, int]:
        """The mean over cases, and in how many the text could not be used."""
        saved = [self._saved(each, module(**each.inputs())) for each in examples]
        return float(np.mean([_mean(each) for each in saved])), sum(not each for each in saved)

    def _saved(self, example: Any, written: Any) -> dict[str, float]:
        """What is saved by item; nothing if the text cannot be used."""
        if written.get("failed"):
            return {}
        case = self.cases[example.case]
        study = visible_study(self.worth.study, case.block)
        text = self.strategy.composed(written.texts, case.seen, study).strip()
        if not text or leaked(text, study):
            return {}
        persona = Persona(text, self.strategy.placement)
        return self.worth.saved(persona, case.person, case.block.predicted)


def _mean(saved: Mapping[str, float]) -> float:
    """The mean over items, in nats per response; 0 if the text cannot be used."""
    return float(np.mean(list(saved.values()))) if saved else 0.0
