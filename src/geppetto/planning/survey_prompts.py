"""A builder of a prompt for each item, whose options a local model scores exactly."""

from __future__ import annotations

from collections.abc import Callable

from geppetto._util.errors import GeppettoError
from geppetto.elicitation.option_likelihood import option_tokens, request_ids
from geppetto.models.base import Scorer
from geppetto.personas.base import Persona
from geppetto.planning.prompt_builder import PromptBuilder
from geppetto.prompts.survey import ANSWERS, Frame, Layout, Prompt
from geppetto.studies import Study


class SurveyPromptBuilder(PromptBuilder[Prompt]):
    """Where a prompt is written for each item."""

    def __init__(self, study: Study, layout: Layout, model: Scorer, label: str) -> None:
        super().__init__(model.identity.name, label, draws=False)
        self._study = study
        self._layout = layout
        self._model = model
        self._frames: dict[str, Frame] = {}
        self._identified: dict[str, Callable[[str], str]] = {}
        self._told_apart: set[tuple[tuple[str, str], ...]] = set()

    def _write(self, item: str, persona: Persona | None, drawn_for: str) -> Prompt:
        return self.frame(item).prompt(persona, self._model.template)

    def frame(self, item: str) -> Frame:
        """What is the same in every prompt of an item; refused if the model cannot be asked."""
        if item not in self._frames:
            frame = Frame.of(self._study, self._study.items[item], self._layout)
            refuse_control_tokens_in_item(item, frame, self._model)
            if frame.options not in self._told_apart:
                self._tell_apart(item, frame)
                self._told_apart.add(frame.options)
            self._frames[item] = frame
            self._identified[item] = request_ids(frame.options, self._model.identity)
        return self._frames[item]

    def _tell_apart(self, item: str, frame: Frame) -> None:
        """Refuse a layout whose options the model's tokens do not tell apart.

        Raises
        ------
        GeppettoError
            If they do not; it names a layout in which they do, if there is one.
        """
        try:
            option_tokens(frame.prompt(None, self._model.template), self._model)
        except GeppettoError as error:
            raise GeppettoError(f"item {item}: {error}; {self._other_layout(item)}") from error

    def _other_layout(self, item: str) -> str:
        for answer in ANSWERS:
            layout = Layout(answer=answer, order=self._layout.order)
            try:
                frame = Frame.of(self._study, self._study.items[item], layout)
                option_tokens(frame.prompt(None, self._model.template), self._model)
            except GeppettoError:
                continue
            return f"use `layout: {{answer: {answer}}}`"
        return "no `layout` helps, so this model cannot be scored on this scale"

    def _id(self, item: str, persona: Persona | None, drawn_for: str) -> str:
        frame = self.frame(item)
        return self._identified[item](frame.text(persona, self._model.template))

    def _length(self, item: str, persona: Persona) -> int:
        return len(self._model.tokenize(self._write(item, persona, "").text))

    def _check(self, persona: Persona) -> None:
        refuse_control_tokens(persona, self._model)


def refuse_control_tokens(persona: Persona, model: Scorer) -> None:
    """Refuse a persona that a chat model would read as more than text.

    Raises
    ------
    GeppettoError
        If it is one.
    """
    if model.template and model.has_control_tokens(persona.text):
        raise GeppettoError(
            f"a persona holds text that {model.identity.name} reads as the end of a "
            f"turn or another control token: {persona.text[:60]!r}; change the strategy"
        )


def refuse_control_tokens_in_item(item: str, frame: Frame, model: Scorer) -> None:
    """Refuse an item whose text, scale or instruction a chat model would read as more than text.

    Raises
    ------
    GeppettoError
        If it is one.
    """
    for text in (frame.statement, *frame.instruction.splitlines()):
        if model.template and model.has_control_tokens(text):
            raise GeppettoError(
                f"item {item} is asked with text that {model.identity.name} reads as the end of a "
                f"turn or another control token: {text[:60]!r}; change it in the codebook, or "
                "declare the model `kind: base`"
            )
