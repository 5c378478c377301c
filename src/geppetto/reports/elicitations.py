"""What the terminal shows of how models were asked, and of what became of their replies."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pandas as pd
from rich.console import RenderableType
from rich.text import Text

from geppetto._util.errors import GeppettoError
from geppetto.evaluation.results import Results
from geppetto.evaluation.unread import unread
from geppetto.evaluation.words import interval, number, p_value, probability
from geppetto.reports.columns import Columns, with_interval, within_model

COMPLIED = ("answered", "low option mass")
"""Outcomes that metrics of conditions say enough of: the second is a column of theirs."""


def parts(found: Results) -> Iterator[RenderableType]:
    """Tables of elicitations, if there are several, and of replies that were not answers."""
    if found.several_elicitations:
        yield from (_comparison(found.by_elicitation()), "")
        yield from (_agreement(found.agreement()), "")
        yield from (Text(line) for line in _read(found))
        yield ""
    for table in _of_samples(found):
        yield from (table, "")
    compliance = found.compliance()
    if compliance.empty:
        return
    if found.several_elicitations or not compliance["outcome"].isin(COMPLIED).all():
        yield from (_outcomes(compliance), "")
        yield from (Text(line) for line in _differences(found.compliance_differences()))
        yield ""
    if said := unread(found.completions):
        yield from (Text(line, "yellow") for line in said)
        yield ""


def _read(found: Results) -> Iterator[str]:
    """Of which elicitation everything else is, and what the others say of the question."""
    read = found.read_by
    told = ", ".join(f"{how} ({model})" for model, how in read.items())
    yield (
        f"everything else is of answers read by {told}; by other elicitations, each corrected for "
        "itself only:"
    )
    every = dict.fromkeys(itertools.chain(*found.elicitations.values()))
    for elicitation in every:
        if set(read.values()) == {elicitation}:
            continue
        try:
            verdicts = found.at(elicitation=elicitation).verdicts()
        except GeppettoError as error:
            yield f"  {elicitation}: {error}"
            continue
        yield from (f"  {elicitation}: {one.sentence}" for one in verdicts if one.confirmatory)


def _of_samples(found: Results) -> Iterator[Columns]:
    """Effects of samples by NLL, and of those that decide nothing here by Brier score too."""
    shown = set(found.read_by.values())
    for elicitation in dict.fromkeys(itertools.chain(*found.elicitations.values())):
        try:
            of = found.at(elicitation=elicitation)
            sampled = "brier" in of.measures
        except GeppettoError:  # which `_read` tells
            continue
        if sampled and elicitation not in shown:
            yield _brier(of, elicitation)
        if sampled:
            yield _smoothed(of, elicitation)


def _smoothed(found: Results, elicitation: str) -> Columns:
    verdicts = [v for v in found.verdicts(measure="nll") if v.effect.differences.smoothed]
    of = verdicts[0].confidence if verdicts else "95%"
    shown = Columns(f"nats saved, {elicitation}: descriptive", f"mean [{of} CI]")
    for verdict in verdicts:
        effect = verdict.effect
        name = f"{effect.model} · {effect.strategy} · {effect.contrast.name}"
        shown.row(name, interval(effect.nats))
    shown.caption = (
        "The NLL of samples is smoothed, which caps what a persona that is too sure loses: an "
        "effect may have the wrong sign. So there is no test and no verdict; the Brier score "
        f"decides.{_left_out(found)}"
    )
    return shown


def _left_out(found: Results) -> str:
    """How many cells have no Brier score, if there are any."""
    cells = found.without_brier
    return f" {cells:,} cells of fewer than two samples are left out of it." if cells else ""


def _brier(found: Results, elicitation: str) -> Columns:
    verdicts = found.verdicts(measure="brier")
    of = verdicts[0].confidence if verdicts else "95%"
    shown = Columns(
        f"Brier score saved, {elicitation}", f"mean [{of} CI]", "d_z", "p", "verdict", words=1
    )
    for verdict in verdicts:
        effect, contrast = verdict.effect, verdict.effect.contrast
        shown.row(
            f"{effect.model} · {effect.strategy} · {contrast.name}",
            interval(effect.nats),
            number(effect.d_z.value, "+.2f"),
            probability(verdict.p_adjusted),
            verdict.outcome,
        )
    shown.caption = (
        f"Of two samples or more, not smoothed and without bias.{_left_out(found)} p: signs "
        "of people flipped, Holm for information and benefit, Benjamini-Hochberg for the others. "
        "Nothing is called equivalent to nothing: the smallest effect of interest is in nats."
    )
    return shown


def _comparison(table: pd.DataFrame) -> Columns:
    shown = Columns(
        "elicitation",
        "acc.",
        "NLL  [95% CI]",
        "Brier",
        "ECE",
        "mass",
        "unread",
        "floor",
        "cost",
        "tokens",
    )
    for (model, strategy, arm), rows in table.groupby(["model", "strategy", "arm"], sort=False):
        name = within_model({"model": model, "strategy": strategy, "arm": arm})
        shown.heading(f"{model} · {name}")
        for row in rows.to_dict("records"):
            tokens = row["prompt_tokens"] + np.nan_to_num(row["completion_tokens"])
            shown.row(
                f"  {row['elicitation']}",
                number(row["accuracy"], ".3f"),
                with_interval(row, "nll"),
                number(row["brier"], ".3f"),
                number(row["ece"], ".3f"),
                number(row["option_mass"], ".3f"),
                number(row["unscored"], ".1%"),
                number(row["floored"], ".1%"),
                number(1000 * row["cost"], ".3f"),
                number(tokens, ",.0f"),
            )
    cells = table.groupby("model", sort=False)["cells"].max()
    told = ", ".join(f"{number:,} ({model})" for model, number in cells.items())
    shown.caption = (
        f"On the cells that all elicitations of a model scored in all conditions: {told}; those "
        "that scored none in all conditions are not compared. "
        "NLL: nats a response over the legal options; of samples it is smoothed and "
        "decides nothing. Brier: Brier score, 0 is best, of two or "
        "more samples without bias. floor: share of read answers whose real response no sample "
        "named, or was stated to have less than half a per cent, which counts as half: were it a "
        "tenth, each would cost 1.6 nats more. ECE: expected calibration error; mass: "
        "probability of a legal option; unread: share of all planned answers; cost: dollars for "
        "1,000 answers; tokens: sent and said for an answer."
    )
    return shown


def _agreement(table: pd.DataFrame) -> Columns:
    shown = Columns("elicitations agree", "same top option  [95% CI]", "distance", "r within items")
    for (model, first, second), rows in table.groupby(["model", "first", "second"], sort=False):
        shown.heading(f"{model} · {first} and {second}")
        for row in rows.to_dict("records"):
            shown.row(
                f"  {within_model(row)}",
                with_interval(row, "same_top", ".0%"),
                number(row["distance"], ".3f"),
                number(row["r_within_items"], "+.3f"),
            )
    shown.caption = (
        "distance: mean total variation distance of the two distributions over the options, 0 if "
        "they are the same; r within items: correlation of expected responses over people, in "
        "which the means of items have no part."
    )
    return shown


def _outcomes(compliance: pd.DataFrame) -> Columns:
    """The share of each outcome, a row a condition."""
    names = compliance["outcome"].unique().tolist()
    shown = Columns("what became of replies", "replies", *names)
    key = ["elicitation", "model", "strategy", "arm"]
    for (elicitation, model, strategy, arm), rows in compliance.groupby(key, sort=False):
        name = within_model({"model": model, "strategy": strategy, "arm": arm})
        shares = dict(zip(rows["outcome"], rows["share"], strict=True))
        shown.row(
            f"{model} · {name}, {elicitation}",
            f"{rows['replies'].iloc[0]:,}",
            *(number(shares[outcome], ".1%") for outcome in names),
        )
    shown.caption = (
        "replies: those that came, each counted once however many answers it serves. Shares are "
        "means over people of their share of each one's answers, of which each is one however many "
        "replies it took."
    )
    return shown


def _differences(differences: pd.DataFrame) -> Iterator[str]:
    """Outcomes of which arms differ, in a line each."""
    tested = int(differences["p"].notna().sum())
    found = differences[differences["p_adjusted"] < 0.05]
    for row in found.to_dict("records"):
        given = f" given the replies to {row['fixed']}, which people share" * bool(row["fixed"])
        better, worse = (number(row[f"share_{arm}"], ".1%") for arm in ("better", "worse"))
        yield (
            f"{row['outcome']} differs by arm: {better} with {row['better']}, "
            f"{worse} with {row['worse']} ({row['model']} · {row['strategy']}, "
            f"{row['elicitation']}; {p_value(row['p_adjusted'])}{given}, after "
            f"Benjamini-Hochberg over {tested:,})"
        )
    if found.empty:
        yield (
            "no outcome but answers is shown to differ between arms that are compared (signs "
            f"flipped, corrected by Benjamini-Hochberg over {tested:,} differences)"
        )
    if untested := len(differences) - tested:
        yield (
            f"{untested:,} differences are of two arms whose replies people share, so that there "
            "is no test over people (results.compliance_differences() has them)"
        )
