"""What the terminal shows: the plan before a run, the result after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from geppetto.elicitation.option_likelihood import Unit
from geppetto.evaluation.answer import conclusion, sentences
from geppetto.evaluation.effects import Effect
from geppetto.experiment import Prepared, Result
from geppetto.models.base import LanguageModel


@dataclass(frozen=True)
class Work:
    """What is left to ask one model, and how fast it answers."""

    units: Sequence[Unit]
    tokens_per_second: float | None

    @property
    def answers(self) -> int:
        return sum(len(unit.ids) for unit in self.units)

    @property
    def distinct_tokens(self) -> int:
        return sum(unit.distinct_tokens for unit in self.units)

    @property
    def prompt_tokens(self) -> int:
        return sum(unit.prompt_tokens for unit in self.units)

    @property
    def seconds(self) -> float:
        return self.distinct_tokens / self.tokens_per_second if self.tokens_per_second else 0.0


def plan(prepared: Prepared, work: Mapping[str, Work]) -> RenderableType:
    """What will be asked, of whom, and how long it takes."""
    planned, study = prepared.plan, prepared.study
    lines: list[RenderableType] = [
        Text(prepared.experiment.question, style="bold"),
        Text(
            f"study {study.name}: {len(planned.participants):,} participants, "
            f"{planned.cells:,} cells, each under {len(planned.conditions)} conditions"
        ),
    ]
    for reason, count in study.excluded.items():
        who = "person" if count == 1 else "people"
        lines.append(Text(f"  not used: {count:,} {who} {reason}"))
    for reason, count in Counter(planned.dropped.values()).items():
        lines.append(Text(f"  left out of every arm: {count:,} participants {reason}", "yellow"))
    for strategy, share in planned.identical_strangers.items():
        if share > 0:
            lines.append(
                Text(
                    f"  {share:.0%} of the strangers' {strategy} personas are the participant's "
                    "own, word for word: the information effect is that much smaller",
                    "yellow",
                )
            )
    for spec, model in zip(prepared.experiment.models, prepared.models, strict=True):
        lines.append(Text(f"  {describe(model, declared=spec.kind is not None)}"))
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("to ask", no_wrap=True)
    for column in ("prompts", "tokens\none by one", "distinct\ntokens", "estimate"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, left in work.items():
        table.add_row(
            name,
            f"{left.answers:,} of {len(planned.prompts[name]):,}",
            f"{left.prompt_tokens:,}",
            f"{left.distinct_tokens:,}",
            duration(left.seconds) if left.units else "nothing",
        )
    return Group(*lines, "", table, f"plan {planned.sha256[:12]}")


def describe(model: LanguageModel, declared: bool) -> str:
    """A model and how it will be asked, in one line."""
    identity = model.identity
    if model.template is None:
        why = "declared" if declared else "its file carries no chat template"
        asked = f"base ({why}), asked in plain text"
    else:
        why = "declared" if declared else "its file carries a chat template"
        asked = f"chat ({why}), asked in its template "
        asked += (
            "with an explicit system turn"
            if model.template.has_system_role
            else "which has no system turn: everything is in the user turn"
        )
    exact = "exact" if identity.gelu == "float32" else "fast"
    return f"{identity.name}: {asked}; {exact}, {identity.weights} weights"


def result(found: Result) -> RenderableType:
    """Metrics of every condition, effects, and the answer in sentences."""
    parts: list[RenderableType] = [_conditions(found), "", _effects(found.effects), ""]
    for reason, count in found.unscored.items():
        parts.append(Text(f"{count:,} cells were left out of every condition: {reason}", "yellow"))
    parts += [Text(sentence) for sentence in sentences(found.effects)]
    parts += ["", Text(conclusion(found.effects), style="bold")]
    return Group(*parts)


def _conditions(found: Result) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("model, strategy and arm", overflow="fold")
    for column in ("acc.", "NLL  [95% CI]", "full", "mass", "R²"):
        table.add_column(column, justify="right", no_wrap=True)
    shown = ""
    for row in found.conditions.to_dict("records"):
        if row["model"] != shown:
            shown = row["model"]
            table.add_row(Text(shown, "bold"))
        table.add_row(
            "  " + " · ".join(dict.fromkeys((row["strategy"], row["arm"]))),
            f"{row['accuracy']:.3f}",
            f"{row['nll']:.3f}  [{row['nll_low']:.3f}, {row['nll_high']:.3f}]",
            f"{row['nll_full']:.3f}",
            f"{row['option_mass']:.3f}",
            f"{row['pseudo_r2']:+.3f}",
        )
    table.caption = (
        "NLL: nats a response over the legal options; full: over everything the model could say; "
        "mass: probability of a legal option; R²: share of a uniform guess's NLL that is saved. "
        "Each interval is 95% on its own; they are not corrected for their number."
    )
    table.caption_justify = "left"
    return table


def _effects(found: Sequence[Effect]) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("nats saved a response", overflow="fold")
    table.add_column("", overflow="fold")
    for column in ("mean [95% CI]", "d_z", "improved"):
        table.add_column(column, justify="right", no_wrap=True)
    shown = ""
    for effect in found:
        if effect.measure != "nll":
            continue
        if f"{effect.model}/{effect.strategy}" != shown:
            shown = f"{effect.model}/{effect.strategy}"
            table.add_row(Text(effect.model, "bold"), Text(effect.strategy, "bold"))
        nats, contrast = effect.nats, effect.contrast
        table.add_row(
            f"  {contrast.name}",
            f"{contrast.worse} − {contrast.better}",
            Text(
                f"{nats.value:+.3f} [{nats.low:+.3f}, {nats.high:+.3f}]",
                "bold" if nats.excludes_zero() else "",
            ),
            f"{effect.d_z.value:+.2f}",
            f"{effect.improved.value:.0%}",
        )
    return table


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
