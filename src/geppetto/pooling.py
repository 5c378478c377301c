"""The verdicts of several studies together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from geppetto.errors import GeppettoError
from geppetto.evaluation.analysis import Analysis
from geppetto.evaluation.effects import Differences, effects
from geppetto.evaluation.inference import comparison
from geppetto.evaluation.permutation import sign_flip_p
from geppetto.evaluation.resampling import LEVEL, Resampling
from geppetto.evaluation.verdicts import Comparison, Verdict, judge
from geppetto.results import Results


def pooled(results: Sequence[Results]) -> list[Verdict]:
    """The verdicts of several studies together; see `geppetto.pool`.

    Whole studies are permuted, and are the groups of the equivalence test.

    Raises
    ------
    GeppettoError
        If there are fewer than two studies, one of them twice, or they were analysed, measured or
        worded differently.
    """
    names = [found.study.name for found in results]
    if len(set(names)) < max(2, len(names)):
        raise GeppettoError(f"pooling needs at least two different studies, not {names}")
    if len({found.analysis for found in results}) > 1:
        raise GeppettoError("the results differ in their `analysis`; give all the same and rerun")
    if len({found.measure for found in results}) > 1:
        raise GeppettoError(
            "some of the results are of sessions with open responses, whose verdicts are over "
            "everything a model could say (`nll_full`), and others over legal options (`nll`); "
            "pool those that are alike"
        )
    analysis = results[0].analysis
    verdicts = [{_compared(v): v.effect.differences for v in r.verdicts()} for r in results]
    tested = []
    for key in verdicts[0]:
        if not all(key in others for others in verdicts):
            continue
        parts = [found[key] for found in verdicts]
        if len({len(part.wordings) for part in parts}) > 1:
            raise GeppettoError("the results differ in their `paraphrases`; run all with as many")
        people = [r.resampling.among(part.rows) for r, part in zip(results, parts, strict=True)]
        tested.append(_tested(parts, people, analysis))
    return judge(tested, analysis.smallest_effect, analysis.looks, results[0].measure)


def _compared(verdict: Verdict) -> tuple[str, str, str]:
    effect = verdict.effect
    return effect.model, effect.strategy, effect.contrast.name


def _tested(
    parts: Sequence[Differences], people: Sequence[Resampling], analysis: Analysis
) -> Comparison:
    """One contrast over all studies, each with its differences and how its people are drawn."""
    resampling = _nested(people, analysis)
    studies = np.repeat(np.arange(len(parts)), [len(part.rows) for part in parts])
    joined = _joined(parts)
    (measured,) = effects([joined], resampling, analysis.intervals)
    whole = Resampling.of(len(studies), base=resampling.sample[0], clusters=studies)
    p = float(sign_flip_p(joined.influence[:, None], whole, seed=analysis.seed)[0])
    compared = comparison(measured, whole, analysis, p, "signs of studies flipped")
    return replace(compared, people_needed=None, units=len(parts), unit="studies")


def _joined(parts: Sequence[Differences]) -> Differences:
    """The differences of all people, in every wording too."""
    return replace(
        parts[0],
        rows=np.arange(sum(len(part.rows) for part in parts)),
        persons=np.concatenate([part.persons for part in parts]),
        influence=np.concatenate([part.influence for part in parts]),
        totals=np.concatenate([part.totals for part in parts]),
        wordings=tuple(map(_joined, zip(*(part.wordings for part in parts), strict=True))),
    )


def _nested(people: Sequence[Resampling], analysis: Analysis) -> Resampling:
    """Studies are drawn, then people within them."""
    offsets = np.cumsum([0, *(one.clusters.max() + 1 for one in people)])
    sizes = [len(one.base) for one in people]
    return Resampling.of(
        sum(sizes),
        base=np.concatenate([one.base for one in people]),
        clusters=np.concatenate(
            [one.clusters + offset for one, offset in zip(people, offsets, strict=False)]
        ),
        studies=np.repeat(np.arange(len(sizes)), sizes),
        draws=analysis.draws,
        seed=analysis.seed,
        level=LEVEL / analysis.looks,
    )
