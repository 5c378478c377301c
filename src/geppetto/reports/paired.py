"""What the terminal shows of what pairs of models lost and won back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from geppetto.evaluation.pairs.gap import Gap
from geppetto.evaluation.pairs.recovery import PersonaRecovery
from geppetto.evaluation.results import Results
from geppetto.evaluation.words import interval, number, probability
from geppetto.reports.columns import Columns
from geppetto.reports.text import scale, units


def parts(found: Results) -> Iterator[RenderableType]:
    """Gaps and what of them is won back, where there are pairs."""
    if found.pairs:
        yield from (gaps(found.found_gaps()), "")
        if won_back := found.found_recoveries():
            yield from _recoveries(won_back)
            yield ""


def gaps(found: Sequence[Gap]) -> Columns:
    """What post-training lost, pair by pair, and in what else the models of a pair differ."""
    verdict = found[0].verdict
    table = Columns(
        f"{units([gap.verdict for gap in found])} a response lost by post-training",
        f"mean [{verdict.confidence} CI]",
        "worse",
        "published d",
        "people",
        "p",
        "verdict",
        words=1,
    )
    for gap in found:
        among = f", {gap.among}" if gap.among else ""
        table.row(
            f"{gap.pair.post} − {gap.pair.base}{among}",
            Text(interval(gap.nats), "bold" if gap.nats.excludes_zero() else ""),
            number(gap.verdict.effect.improved.value, ".0%"),
            number(gap.published_d, "+.3f"),
            f"{gap.verdict.effect.participants:,}",
            probability(gap.verdict.p_adjusted),
            gap.outcome,
        )
    differ = dict.fromkeys(gap.pair.note for gap in found if gap.pair.note)
    few = dict.fromkeys(gap.verdict.undecidable for gap in found if gap.verdict.undecidable)
    table.caption = (
        "without a persona; worse: share of people whom the post-trained model predicts worse; "
        "published d: over pooled responses, without an interval, as Binz et al. (2026) have it; "
        f"p: by permuting whole people or studies, corrected by {verdict.correction}. "
        f"{scale(verdict)}"
    ) + "".join(f" {said}." for said in (*few, *differ))
    return table


def _recoveries(found: Sequence[PersonaRecovery]) -> Iterator[Text]:
    """What part of each gap is won back, in a line each."""
    yield Text("part of the gap that is won back", "dim")
    shown = ""
    for one in found:
        name = f"{one.pair.post} · {one.strategy}"
        if name != shown:
            shown = name
            yield Text(name, "bold")
        known = f"cannot be told: {one.too_few}" if one.too_few else one.recovery.sentence
        contrast = one.contrast
        yield Text(f"  {contrast.name} ({contrast.worse} − {contrast.better}): {known}")
    yield Text(
        "what the persona of the post-trained model saves over the gap of its pair, with Fieller's "
        "interval, which has no end where the gap may be zero",
        "dim italic",
    )
