"""Whether the bundled models can be asked what a codebook says, before anything is planned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from geppetto._util.errors import GeppettoError
from geppetto.models.local.gguf import PACKAGED
from geppetto.models.spec import ModelSpec, open_scorer
from geppetto.planning.survey_prompts import SurveyPromptBuilder
from geppetto.prompts.survey import Layout
from geppetto.studies import Codebook, Problem, Study
from geppetto.studies.build import Checked


def with_layouts(checked: Checked) -> Checked:
    """A checked study, with what bundled models cannot be asked among its problems."""
    return replace(checked, problems=(*checked.problems, *layout_problems(checked.codebook)))


def layout_problems(codebook: Codebook) -> Iterator[Problem]:
    """A note for each scale that a bundled model cannot be asked about as it would be asked.

    Their vocabularies are read only where that is possible at all: tokenizers join what comes
    before an answer with a sign at its beginning, as in "-3", and take no text without a "<" for
    more than text.

    Examples
    --------
    >>> from geppetto.studies import bundled_studies
    >>> [*layout_problems(bundled_studies()["bfi"])]
    []
    """
    if codebook.layout == "sessions" or not _doubtful(codebook):
        return
    study = Study(codebook, {}, {})
    for name in PACKAGED:
        try:
            model = open_scorer(ModelSpec.model_validate(name))
        except (GeppettoError, ImportError) as error:
            yield Problem("note", "layout", f"not tried with {name}: {error}")
            continue
        builder = SurveyPromptBuilder(study, Layout(), model, "")
        found: set[str] = set()
        for item in codebook.items:
            try:
                builder.frame(item.name)
            except GeppettoError as error:
                reason = str(error).removeprefix(f"item {item.name}: ")
                if reason not in found:
                    found.add(reason)
                    yield Problem("note", f"scale {item.scale}", reason)


def _doubtful(codebook: Codebook) -> bool:
    """Whether an option begins with a sign, or a text holds what could be a control token."""
    texts = [codebook.instruction, *(item.text for item in codebook.items)]
    for scale in codebook.scales.values():
        said = [*scale.options, *scale.options.values()]
        if any(not one.strip()[:1].isalnum() for one in said):
            return True
        texts += said
    return any("<" in text for text in texts)
