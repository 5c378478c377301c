"""What the terminal shows after a run: what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pandas as pd
from rich.console import Group, RenderableType
from rich.text import Text

from geppetto._util.errors import Failures, GeppettoError, unknown
from geppetto.evaluation.baselines.skill import Skill
from geppetto.evaluation.inference.resampling import Estimate
from geppetto.evaluation.inference.verdicts import Verdict
from geppetto.evaluation.pooling import pooled as pool
from geppetto.evaluation.pooling import pooled_gaps as pool_gaps
from geppetto.evaluation.responses import Responses
from geppetto.evaluation.results import Results
from geppetto.evaluation.words import interval, number, probability, ranged
from geppetto.reports import elicitations, paired, sessions
from geppetto.reports.columns import Columns, if_fewer, with_interval, within_model
from geppetto.reports.text import conclusion, scale


def pooled(found: Sequence[Results]) -> RenderableType:
    """What several studies say together, or why they say nothing."""
    try:
        together = pool(found)
    except GeppettoError as error:
        return Text(f"all {len(found)} studies are not pooled: {error}", "yellow")
    over = ""
    if len({one.measure for one in found}) > 1:
        over = " (over everything a model could say, since some responses are open)"
    head = Text(f"all {len(found)} studies together{over}: {conclusion(together)}", style="bold")
    told: list[RenderableType] = list(_effects(together))
    if all(one.pairs for one in found):
        of_pairs = pool_gaps(found)
        each = (of_pairs.everywhere, of_pairs.by_category)
        told += [part for gaps in each if gaps for part in ("", paired.gaps(gaps))]
    return Group(head, *told)


def result(found: Results, failures: Failures | None = None) -> RenderableType:
    """Metrics of every condition, effects, individuation, and the answer in sentences.

    What cannot be computed fails alone, with a sentence at the end and among `failures`.
    """
    return group(parts(found), failures or Failures())


def part(found: Results, name: str, rows: int) -> RenderableType:
    """One part of the result by its name, of tables so many rows at most.

    Raises
    ------
    GeppettoError
        If there is none of that name.
    """
    named = parts(found)
    if name not in named:
        raise unknown("table", name, named)
    told = list(named[name]())
    for table in told:
        if isinstance(table, Columns):
            table.most = rows
    return Group(*told) if told else Text(f"there is nothing to say of: {name}")


Parts = dict[str, Callable[[], Iterable[RenderableType]]]


def group(of: Parts, failures: Failures) -> RenderableType:
    """Parts one below the other, and what of them failed."""
    shown: list[RenderableType] = []
    for what, told in of.items():
        with failures.alone(what):
            shown += list(told())
    return Group(*shown, *(Text(sentence, "red") for sentence in failures.sentences))


def parts(found: Results) -> Parts:
    """What is told of an experiment, part by part."""
    surveys: Parts = {
        "individuation": lambda: _individuals(found.individuation()),
        "skill": lambda: [Text(_skill(skill)) for skill in found.skills],
        "ceilings": lambda: [Text(line) for line in _ceilings(found.ceilings())],
        "responses outside an order": lambda: _outside(found.responses),
    }
    told_of_sessions: Parts = {"sessions": lambda: sessions.parts(found)}
    return {
        "conditions": lambda: [
            sessions.conditions(found) if found.of_sessions else conditions(found.metrics()),
            "",
        ],
        "effects": lambda: [part for t in _effects(found.verdicts()) for part in (t, "")],
        "matched strangers": lambda: _matched(found),
        "pairs": lambda: paired.parts(found),
        **(told_of_sessions if found.of_sessions else surveys),
        "elicitations": lambda: elicitations.parts(found),
        "wordings": lambda: [Text(line) for line in _wordings(found.wordings())],
        "calibration": lambda: _flat(found.flat),
        "numerical noise": lambda: _noise(found),
        "what was left out": lambda: [
            Text(f"{count:,} cells were left out of every condition: {reason}", "yellow")
            for reason, count in found.unscored.items()
        ],
        "the frozen plan": lambda: (
            ["", *(Text(line) for line in (frozen.heading, *frozen.departures))]
            if (frozen := found.followed)
            else []
        ),
        "verdicts": lambda: [*_sentences(found), *concluded(found)],
    }


def _sentences(found: Results) -> Iterator[RenderableType]:
    """What confirms, a sentence an effect."""
    yield ""
    yield from (Text(verdict.sentence) for verdict in found.verdicts() if verdict.confirmatory)


def concluded(found: Results) -> Iterator[RenderableType]:
    """What everything comes to; and before it what looks at the same people have cost."""
    if looks := found.looks.sentence:
        yield ""
        yield Text(looks, "yellow")
    yield from ("", Text(conclusion(found.verdicts()), style="bold"))


def _flat(flat: Sequence[str]) -> Iterator[RenderableType]:
    """Whom no temperature helps."""
    if flat:
        yield Text(
            f"at no temperature does {' or '.join(flat)} predict better than a uniform guess "
            "over all conditions; effects after calibration of the model say little",
            "yellow",
        )


def _noise(found: Results) -> Iterator[RenderableType]:
    """By how much rounding changes an answer of each model, if that was measured."""
    for model, noise in found.noise.items():
        yield Text(
            f"numerical noise: computed one path at a time, {noise.answers} answers of {model} "
            f"differ by {noise.mean:.1g} nats on average, at most {noise.largest:.1g}"
        )


def hidden(found: Results) -> Iterator[RenderableType]:
    """Which effects are no larger than the numerical noise of their model, so may be that alone."""
    for verdict in found.verdicts():
        effect, noise = verdict.effect, found.noise.get(verdict.effect.model)
        if verdict.confirmatory and noise and abs(effect.nats.value) <= noise.mean:
            yield Text(
                f"{effect.contrast.name} of {effect.strategy} is no larger than the numerical "
                f"noise of {effect.model} ({noise.mean:.2g} nats an answer): it may be rounding; "
                "ask with `precision: exact`",
                "yellow",
            )


def _individuals(individuation: pd.DataFrame) -> Iterator[RenderableType]:
    told = individuation[["item_correlation", "auc"]].notna().any(axis=1)
    if told.any():
        yield from (_individuation(individuation[told]), "")


def _outside(responses: Responses) -> Iterator[RenderableType]:
    """How many responses are no step of their scale."""
    if left_out := responses.left_out:
        yield Text(
            f"{left_out:,} of {int(responses.answered.sum()):,} responses are outside the order of "
            "their scale: they count in accuracy and NLL, and in no RPS, score, correlation or "
            "ceiling"
        )


def conditions(metrics: pd.DataFrame) -> Columns:
    """Metrics of every condition of a survey."""
    table = Columns("model, strategy and arm", "acc.", "NLL  [95% CI]", "full", "mass", "R²", "RPS")
    shown, most = "", metrics["participants"].max()
    for row in metrics.to_dict("records"):
        if row["model"] != shown:
            shown = row["model"]
            table.heading(shown)
        table.row(
            f"  {within_model(row)}" + if_fewer(row["participants"], most),
            number(row["accuracy"], ".3f"),
            with_interval(row, "nll"),
            number(row["nll_full"], ".3f"),
            number(row["option_mass"], ".3f"),
            number(row["pseudo_r2"], "+.3f"),
            number(row["rps"], ".3f"),
        )
    table.caption = (
        "NLL: nats a response over the legal options; full: over everything the model could say; "
        "mass: probability of a legal option; R²: share of a uniform guess's NLL that is saved; "
        "RPS: ranked probability score, 0 is best. "
        "Each interval is 95% on its own; they are not corrected for their number."
    )
    return table


def _effects(verdicts: Sequence[Verdict]) -> Iterator[Columns]:
    """Every contrast, a table a measure."""
    for measure in dict.fromkeys(verdict.effect.measure for verdict in verdicts):
        yield _effects_in([one for one in verdicts if one.effect.measure == measure])


def _effects_in(verdicts: Sequence[Verdict]) -> Columns:
    of = verdicts[0].confidence
    table = Columns(
        f"{verdicts[0].unit_of_measure.removeprefix('of ')} saved a response",
        f"mean [{of} CI]",
        "d_z",
        "improved",
        "worst tenth",
        "p",
        "verdict",
        words=1,
    )
    shown = ""
    for verdict in verdicts:
        effect, nats, contrast = verdict.effect, verdict.effect.nats, verdict.effect.contrast
        if f"{effect.model}/{effect.strategy}" != shown:
            shown = f"{effect.model}/{effect.strategy}"
            table.heading(f"{effect.model} · {effect.strategy}")
        table.row(
            f"  {contrast.name}" + (f", {effect.participants:,} people" if verdict.match else ""),
            Text(interval(nats), "bold" if nats.excludes_zero() else ""),
            number(effect.d_z.value, "+.2f"),
            number(effect.improved.value, ".0%"),
            number(effect.worst_tenth.value, "+.2f"),
            probability(verdict.p_adjusted),
            verdict.outcome,
        )
    worded = any(verdict.effect.differences.wordings for verdict in verdicts)
    holm = next((v.family for v in verdicts if v.confirmatory), 0)
    contrasts = dict.fromkeys(verdict.effect.contrast for verdict in verdicts)
    table.caption = (
        f"{'; '.join(f'{c.name}: {c.worse} − {c.better}' for c in contrasts)}. "
        "improved: share of people whose responses are likelier; worst tenth: mean of the lowest "
        "tenth of people's differences, partly by chance; p: by permuting whole people"
        + (", and over wordings by which were drawn" if worded else "")
        + ", corrected by "
        + (_by_holm(holm) if holm else "")
        + "Benjamini-Hochberg for the others, which explore. "
        + scale(verdicts[0])
        + _uninformed(verdicts)
    )
    return table


def _by_holm(effects: int) -> str:
    one = "the one effect" if effects == 1 else f"the {effects} effects"
    return f"Holm for {one} of information and benefit and by "


def _uninformed(verdicts: Sequence[Verdict]) -> str:
    """What benefit is measured against, for each model."""
    rivals = {
        verdict.effect.model: rival
        for verdict in verdicts
        if (rival := verdict.effect.differences.uninformed)
    }
    named = [
        f"{rival.name} ({model}; among {', '.join(rival.names)})" for model, rival in rivals.items()
    ]
    return (
        " uninformed: the best prediction that knows nothing of the person, chosen on other "
        f"people: {'; '.join(named)}."
        if named
        else ""
    )


def _matched(found: Results) -> Iterator[RenderableType]:
    """Who has matched strangers, in a line each."""
    for strategy, quality in found.matches.items():
        yield Text(f"matched strangers of {strategy}: {quality.sentence}")
    if found.matches:
        yield ""


def _individuation(individuation: pd.DataFrame) -> Columns:
    """Whether the predictions tell people apart."""
    table = Columns(
        "tells people apart",
        "item r [95% CI]",
        "variance",
        "residual r",
        "profile r",
        "top-1 (chance)",
        "AUC",
    )
    shown = ""
    for row in individuation.to_dict("records"):
        if row["model"] != shown:
            shown = row["model"]
            table.heading(shown)
        r, low, high = (row[f"item_correlation{end}"] for end in ("", "_low", "_high"))
        table.row(
            f"  {within_model(row)}",
            interval(Estimate(r, low, high), digits=3),
            number(row["variance_ratio"], ".2f"),
            number(row["residual_correlation"], "+.3f"),
            number(row["distinctive_profile_correlation"], "+.3f"),
            number(row["top_1"], ".3f")
            + ("" if np.isnan(row["top_1"]) else f" ({number(row['top_1_chance'], '.3f')})"),
            number(row["auc"], ".3f"),
        )
    table.caption = (
        "item r: correlation across people within items; variance: of expected responses between "
        "people over that of real ones; residual r: of which person on which item, beyond both "
        "averages; profile r: within people, beyond what is typical; top-1 and AUC: finding a "
        "person's own persona among everybody's by its likelihood. Conditions that predict the "
        "same for everyone are not listed."
    )
    return table


def _ceilings(ceilings: pd.DataFrame) -> Iterator[str]:
    """How far own personas are from what can be predicted at all, in a line each."""
    if ceilings.empty:
        return
    for (model, strategy), rows in ceilings[ceilings["arm"] == "own"].groupby(
        ["model", "strategy"], sort=False
    ):
        repeated = rows[rows["construct"] == "all items"]
        constructs = rows[rows["construct"] != "all items"]
        for row in repeated.to_dict("records"):
            reached = number(row["accuracy_of_retest"], ".0%")
            yield (
                f"ceiling for {strategy} ({model}): {reached} of the accuracy of people's own "
                f"second responses ({number(row['retest_accuracy'], '.0%')})"
            )
        if len(constructs):
            predicted, reliable = constructs["r_squared"], constructs["reliability"]
            low, high = number(reliable.min(), ".2f"), number(reliable.max(), ".2f")
            yield (
                f"ceiling for {strategy} ({model}): R² of construct scores "
                f"{number(predicted.min(), '+.2f')} to {number(predicted.max(), '+.2f')}, of "
                f"{low} to {high} that is reliable (split-half)"
            )


def _wordings(wordings: pd.DataFrame) -> Iterator[str]:
    """How much information depends on the wording, in a line each."""
    for row in wordings.to_dict("records"):
        if row["effect"] in ("information", "individual"):
            holds = "its sign holds in all" if row["same_sign"] else "its sign does not hold in all"
            yield (
                f"{row['effect']} of {row['strategy']} ({row['model']}) over {row['wordings']} "
                f"wordings: SD {number(row['sd'], '.4f')} nats between them, "
                f"{number(row['lowest'], '+.4f')} to {number(row['highest'], '+.4f')}; {holds}"
            )


def _skill(skill: Skill) -> str:
    """How much of what could be predicted is predicted, in one line."""
    if skill.reason:
        return f"skill of {skill.strategy} ({skill.model}): none to speak of, since {skill.reason}"
    return (
        f"skill of {skill.strategy} ({skill.model}): {ranged(skill.share, '.0%')} of what "
        f"{skill.best} saves over no persona"
    )
