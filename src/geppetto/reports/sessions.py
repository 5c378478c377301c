"""What the terminal shows of sessions alone."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from rich.console import RenderableType
from rich.text import Text

from geppetto.evaluation.contrasts import CONTRASTS
from geppetto.evaluation.inference.resampling import Estimate
from geppetto.evaluation.results import Results
from geppetto.evaluation.words import interval, number, over, probability, ranged
from geppetto.reports.columns import Columns, if_fewer, with_interval, within_model


def conditions(found: Results) -> Columns:
    """Metrics of every condition."""
    table = Columns(
        "model, strategy and arm",
        "full NLL  [95% CI]",
        "NLL  [95% CI]",
        "acc. (chance)",
        "mass",
        "R²",
        "flagged",
    )
    conditions = found.metrics()
    shown, most = "", conditions["participants"].max()
    for row in conditions.to_dict("records"):
        if row["model"] != shown:
            shown = row["model"]
            table.heading(shown)
        table.row(
            f"  {within_model(row)}" + if_fewer(row["participants"], most),
            with_interval(row, "nll_full"),
            with_interval(row, "nll"),
            f"{number(row['accuracy'], '.3f')} ({number(row['chance'], '.3f')})",
            number(row["option_mass"], ".3f"),
            number(row["pseudo_r2"], "+.3f"),
            number(row["announced_badly"], ".1%"),
        )
    table.caption = (
        "full NLL: nats a response over everything the model could say; NLL: over the legal "
        "options; mass: probability of a legal option; R²: share of a uniform guess's NLL that is "
        "saved; flagged: responses that are more probable than the text that announces them, which "
        "is less probable than not. "
        "Each interval is 95% on its own; they are not corrected for their number."
    )
    return table


def parts(found: Results) -> Iterator[RenderableType]:
    """What surveys do not have: identification among drawn strangers, position and history."""
    history = found.history or found.histories[-1]
    shown = "; ".join(
        f"{model} read sessions as {found.presentation or presented[0]}"
        for model, presented in found.presentations.items()
        if not found.presentation or found.presentation in presented
    )
    yield Text(f"of history {history}; {shown}; verdicts are {over(found.measure)}")
    if found.measure == "nll_full":
        people = found.metrics(by="participant").drop_duplicates("participant")["closed"]
        yield Text(
            f"{(people < 1).sum():,} of {len(people):,} people have open responses, which have "
            "nothing but a full NLL: every other column is of the rest, whom what they did may "
            "have selected",
            "yellow",
        )
    for row in found.individuation().to_dict("records"):
        auc = Estimate(row["auc"], row["auc_low"], row["auc_high"])
        found_first, chance = (number(row[name], ".0%") for name in ("top_1", "top_1_chance"))
        yield Text(
            f"{row['strategy']} ({row['model']}): the own persona predicts best of all for "
            f"{found_first} of people (chance {chance}), "
            f"and better than {ranged(auc, '.0%')} of the strangers' drawn for them"
        )
    yield ""
    for by in found.along if found.verdicts() else ():
        for table in _along(found, by):
            yield from (table, "")
    yield Text(f"left out of sessions: {', '.join(found.left_out)} (`results.left_out` says why)")


def _along(found: Results, by: str) -> Iterator[Columns]:
    """What answers the question in each part, or else the first contrast, and how it changes."""
    effects, changes = found.effects(by), found.changes(by)
    names = effects["effect"].unique().tolist()
    for contrast in [one.name for one in CONTRASTS if one.confirms and one.name in names] or names[
        :1
    ]:
        yield _along_in(effects, changes, by, contrast)


def _along_in(effects: pd.DataFrame, changes: pd.DataFrame, by: str, contrast: str) -> Columns:
    table = Columns(f"nats saved a response by {by}: {contrast}", "mean [95% CI]", "people", "p")
    effects = effects[effects["effect"] == contrast]
    for (model, strategy), rows in effects.groupby(["model", "strategy"], sort=False):
        table.heading(f"{model} · {strategy}")
        same = (changes["model"] == model) & (changes["strategy"] == strategy)
        changed = changes[same & (changes["effect"] == contrast)].assign(
            among=lambda table: "change with " + table["change"]
        )
        for row in (*rows.to_dict("records"), *changed.to_dict("records")):
            nats = Estimate(row["nats"], row["nats_low"], row["nats_high"])
            table.row(
                f"  {row['among']}",
                Text(interval(nats), "bold" if nats.excludes_zero() else ""),
                f"{row['participants']:,}",
                probability(row["p_adjusted"]),
            )
    table.caption = (
        "p: by flipping the signs of whole people's differences, corrected by Benjamini-Hochberg "
        "for all contrasts and parts, and for all changes"
        + ("; later parts are of longer sessions only" if by == "position" else "")
    )
    return table
