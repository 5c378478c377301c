"""The verdicts of several studies together, and the gaps of pairs of models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast, get_args

import numpy as np
import pandas as pd

from geppetto._util.errors import GeppettoError
from geppetto.evaluation.arrays import Floats, Integers
from geppetto.evaluation.baselines.uninformed import Uninformed
from geppetto.evaluation.differences import Differences, combined
from geppetto.evaluation.inference.comparisons import Comparison
from geppetto.evaluation.inference.infer import comparison_alone, judge
from geppetto.evaluation.inference.resampling import Estimate, Resampling
from geppetto.evaluation.inference.verdicts import Verdict
from geppetto.evaluation.measures import Measure
from geppetto.evaluation.pairs.found import pair_gaps
from geppetto.evaluation.pairs.gap import Gap, PairDifferences, gaps, mean_gap
from geppetto.evaluation.results import Results
from geppetto.evaluation.tables import gaps_table
from geppetto.planning.analysis_config import LEVEL, Analysis

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def pooled(results: Sequence[Results]) -> list[Verdict]:
    """The verdicts of several studies together, of which whole ones are drawn; see `geppetto.pool`.

    Raises
    ------
    GeppettoError
        If there are fewer than two studies, one of them twice, or they were analysed, worded or
        read from models differently.
    """
    _must_fit(results)
    analysis, measures = _analysis(results), _measures(results)
    decide = set(measures.values())
    verdicts = [
        {
            one.effect.differences.key: one.effect.differences
            for measure in decide
            for one in found.verdicts(measure=measure)
            if measures[one.effect.model] == measure
        }
        for found in results
    ]
    tested = []
    for key in verdicts[0]:
        if not all(key in others for others in verdicts):
            continue
        parts = [found[key] for found in verdicts]
        if len({len(part.wordings) for part in parts}) > 1:
            raise GeppettoError("the results differ in their `paraphrases`; run all with as many")
        people = [r.resampling.among(part.rows) for r, part in zip(results, parts, strict=True)]
        tested.append(pooled_comparison(parts, people, analysis))
    return judge(tested, analysis.smallest_effect, analysis.looks, decide)


@dataclass(frozen=True)
class PooledGaps:
    """The gaps of all pairs of models that several studies have, and over the studies of each
    category.
    """

    everywhere: list[Gap]
    by_category: list[Gap]
    means: Mapping[str, Estimate]

    def table(self) -> pd.DataFrame:
        """A row a pair over all studies, then a row a pair and category."""
        return gaps_table([*self.everywhere, *self.by_category])

    def plot(self) -> Figure:
        """The gaps by category.

        Raises
        ------
        GeppettoError
            If no study has a category.
        """
        from geppetto.reports.pairs import gaps_by_category

        if not self.by_category:
            raise GeppettoError("no study has a category; say `category` in their codebooks")
        return gaps_by_category(self.by_category, self.means)


def pooled_gaps(results: Sequence[Results]) -> PooledGaps:
    """The gaps of several studies together; see `geppetto.pool_gaps`.

    Raises
    ------
    GeppettoError
        As `pooled`; or if a study has no pair, or no pair is in all of them.
    """
    _must_fit(results)
    analysis, measure = _analysis(results), _common(_measures(results).values())
    lost = [{one.pair: one for one in pair_gaps(found, measure)} for found in results]
    common = [pair for pair in lost[0] if all(pair in others for others in lost)]
    if not common:
        raise GeppettoError(
            "no pair of models is in all of the results with the same lineages, reading the same; "
            "run all with the same models"
        )
    first = [of_study[common[0]].differences.rows for of_study in lost]
    people = _nested(
        [found.resampling.among(rows) for found, rows in zip(results, first, strict=True)],
        analysis,
    )
    everywhere = [_joined_gap([of_study[pair] for of_study in lost]) for pair in common]
    categories = [found.study.codebook.category for found in results]
    studies = np.repeat(np.arange(len(results)), [len(rows) for rows in first])
    in_categories: dict[str, list[PairDifferences]] = {}
    for category in dict.fromkeys(filter(None, categories)):
        members = [number for number, other in enumerate(categories) if other == category]
        rows = np.flatnonzero(np.isin(studies, members))
        in_categories[category] = [
            _among(one, category, rows, [lost[number][one.pair] for number in members])
            for one in everywhere
        ]
    return PooledGaps(
        gaps(everywhere, people, analysis),
        gaps([one for found in in_categories.values() for one in found], people, analysis),
        {category: mean_gap(found, people) for category, found in in_categories.items()},
    )


def _joined_gap(parts: Sequence[PairDifferences]) -> PairDifferences:
    """The gap of all people; the published d is the mean of those of the studies."""
    return replace(
        parts[0],
        differences=_joined([part.differences for part in parts]),
        published_d=float(np.mean([part.published_d for part in parts])),
    )


def _among(
    joined: PairDifferences, category: str, rows: Integers, parts: Sequence[PairDifferences]
) -> PairDifferences:
    """The gap of a category's people, who are in these rows of all."""
    whole = joined.differences
    return replace(
        joined,
        differences=replace(
            combined([whole], lambda values: values[0][rows]),
            among=category,
            rows=rows,
        ),
        published_d=float(np.mean([part.published_d for part in parts])),
    )


def _must_fit(results: Sequence[Results]) -> None:
    names = [found.study.name for found in results]
    if len(set(names)) < max(2, len(names)):
        raise GeppettoError(f"pooling needs at least two different studies, not {names}")
    settings = [found.analysis.model_dump(exclude={"looks", "draws"}) for found in results]
    if any(other != settings[0] for other in settings):
        raise GeppettoError("the results differ in their `analysis`; give all the same and rerun")
    for model in dict.fromkeys(model for found in results for model in found.read_by):
        wanted = [found.read_by for found in results if model in found.read_by]
        read = list(dict.fromkeys(of_models[model] for of_models in wanted))
        if len(read) > 1:
            raise GeppettoError(
                f"answers of {model} were read by {' and '.join(read)}, whose effects are not of "
                "one size; pool those of one elicitation: results.at(elicitation=...) of each"
            )


def _analysis(results: Sequence[Results]) -> Analysis:
    """What all results were analysed by, corrected for the looks at the people of any of them."""
    return max((found.analysis for found in results), key=lambda one: (one.looks, one.draws))


def _measures(results: Sequence[Results]) -> dict[str, Measure]:
    """What all results are compared by, by the name of the model."""
    models = dict.fromkeys(model for found in results for model in found.decided_by)
    return {
        model: _common(r.decided_by[model] for r in results if model in r.decided_by)
        for model in models
    }


def _common(measures: Iterable[Measure]) -> Measure:
    """The measure that is of all of them: without bias where one is of samples, and over everything
    that a model could say where one has open responses, of which nothing else is known."""
    every = set(measures)
    for measure in get_args(Measure)[::-1]:
        if measure in every:
            return cast(Measure, measure)
    raise ValueError("there is no measure")


def pooled_comparison(
    parts: Sequence[Differences], people: Sequence[Resampling], analysis: Analysis
) -> Comparison:
    """One contrast over all studies, each with its differences and how its people are drawn."""
    everybody = _nested(people, analysis)
    return comparison_alone(_joined(parts), everybody, analysis, "signs of studies flipped")


def _joined(parts: Sequence[Differences]) -> Differences:
    """The differences of all people, in every wording too."""
    uninformed, rivals = _rivals(parts)
    return replace(
        combined([replace(part, rivals=None) for part in parts], np.concatenate),
        uninformed=uninformed,
        rivals=rivals,
        rows=np.arange(sum(len(part.rows) for part in parts)),
        sampled=any(part.sampled for part in parts),
        wordings=tuple(map(_joined, zip(*(part.wordings for part in parts), strict=True))),
    )


def _rivals(parts: Sequence[Differences]) -> tuple[Uninformed | None, Floats | None]:
    """What a benefit of all people is over, and over all that could have been chosen in any study.

    In a study that has no such prediction, a survey without habits say, its best one stands there.
    """
    of = [(part, part.uninformed, part.rivals) for part in parts]
    told = [(part, best, rivals) for part, best, rivals in of if best and rivals is not None]
    if not told:
        return None, None
    every = tuple(dict.fromkeys(one for _, best, _ in told for one in best.conditions))
    chosen, columns = [], []
    for part, best, rivals in told:
        against = dict(zip(best.conditions, rivals.T, strict=True))
        columns.append(np.stack([against.get(one, part.influence) for one in every], axis=1))
        number = np.array([every.index(one) for one in best.conditions])
        chosen.append(number[best.chosen[part.rows]])
    return Uninformed(every, np.concatenate(chosen)), np.concatenate(columns)


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
