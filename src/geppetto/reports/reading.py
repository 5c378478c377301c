"""What the terminal shows, before a run, of how models read what they are asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from geppetto.models.base import Scorer
from geppetto.models.lineage import CHAT_TEMPLATE, PLAIN_TEXT, pairs
from geppetto.personas.arms import NoPersona
from geppetto.planning.prepared import Prepared
from geppetto.prompts.chat import ChatTemplate
from geppetto.prompts.session_layout import SessionLayout
from geppetto.prompts.survey import nested
from geppetto.prompts.turns import remark


def model(wanted: Scorer, declared: bool, layout: SessionLayout | None = None) -> str:
    """A model and how it will be asked, in one line.

    `declared` says whether the experiment says that it is a base or a chat model; `layout` is how
    sessions are put before it, None in a survey.
    """
    identity, template = wanted.identity, wanted.template
    carries = "no" if template is None else "a"
    why = "declared" if declared else f"its file carries {carries} chat template"
    if layout is None:
        how = "asked in plain text" if template is None else f"asked in {_turns(template)}"
    else:
        presented = layout.presentations(identity.name, template)
        read = [
            "plain text" if of is None else f"turns of {_turns(of)}" for of in presented.values()
        ]
        how = f"reads sessions as {', and again as '.join(read)}"
    kind = "base" if template is None else "chat"
    exact = "exact" if identity.is_exact else "fast"
    computed = f"{exact}, {identity.weights} weights"
    computed += f" on {identity.device}" if identity.device else ""
    return f"{identity.name}: {kind} ({why}), {how}; {computed}"


def _turns(template: ChatTemplate) -> str:
    """What the turns of a template are, after "in" or "of"."""
    if template.has_system_role:
        return "its template with an explicit system turn"
    return "its template, which has no system turn: everything is in the user turn"


def answers(prepared: Prepared) -> Iterator[str]:
    """What models answer with on each scale of a survey, and how nested options are scored."""
    study, layout = prepared.study, prepared.experiment.layout
    names = dict.fromkeys(study.items[name].scale for name in prepared.plan.items)
    by_answer: dict[str, list[str]] = {}
    for name in names:
        by_answer.setdefault(layout.answer_to(study.codebook.scales[name]), []).append(name)
    chosen = "" if "answer" in layout.model_fields_set else " (chosen by its codes)"
    for answer, scales in by_answer.items():
        yield f"answered with the {answer} of an option{chosen}: {_scales(scales)}"
    for name in names if prepared.scorers else ():
        said = layout.listed(study.codebook.scales[name])
        if pair := nested(tuple(said.values())):
            yield (
                f"scale {name}: {pair[0]!r} begins {pair[1]!r}; where a model's tokens do so too, "
                "each option is scored with the token that ends the answer"
            )


def _scales(names: list[str]) -> str:
    return ("scale " if len(names) == 1 else "scales ") + ", ".join(names)


def sessions(prepared: Prepared) -> Iterator[str]:
    """How much of the sessions is scored, and how they are read; nothing of a survey."""
    read, layout = prepared.plan.sessions, prepared.experiment.session
    yield from prepared.study.notes
    for what, left_out in (
        ("do not fit into the context of every model", [s.cut for s in read.values()]),
        (f"come after the first {layout.responses}", [s.beyond for s in read.values()]),
    ):
        if count := sum(left_out):
            of = sum(n > 0 for n in left_out)
            yield f"not scored: {count:,} responses of {of:,} sessions, which {what}"
    for one in prepared.scorers if read else ():
        name = one.identity.name
        for template in layout.presentations(name, one.template).values():
            if template is not None and (said := remark(template)):
                yield f"{name}: {said}"


def pairs_of(prepared: Prepared) -> Iterator[str]:
    """The pairs of an experiment before anything is asked, and what else their gaps are of."""
    without_persona = any(isinstance(arm, NoPersona) for arm in prepared.arms)
    for pair in pairs(prepared.experiment.lineages):
        wanted = replace(pair, read=(_read(prepared, pair.post), _read(prepared, pair.base)))
        yield f"pair: {pair.post} was post-trained from {pair.base}"
        if wanted.note:
            yield f"{wanted.note}, so their gap is not one of post-training alone"
        if not without_persona:
            yield f"the gap of {pair.post} and {pair.base} is not measured: add the arm none"


def _read(prepared: Prepared, name: str) -> str:
    """What a model reads the task as."""
    if not prepared.study.has_sessions:
        return CHAT_TEMPLATE if name in prepared.in_template else PLAIN_TEXT
    model = next(one for one in prepared.scorers if one.identity.name == name)
    presented = prepared.experiment.session.presentations(name, model.template)
    return CHAT_TEMPLATE if next(iter(presented)) == "turns" else PLAIN_TEXT
