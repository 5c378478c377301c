"""Columns that give each other away, so that predicting one from the other shows nothing.

An item that is a function of others has nothing of its own to predict. A trait from which an item
follows makes every persona that shows it a perfect one. Both are looked for among the people who
are used, and only where there are enough of them for it not to be an accident.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geppetto.studies.codebook import Codebook
from geppetto.studies.problems import Problem
from geppetto.studies.table import Tidy, number, numbers
from geppetto.studies.trait import Trait

ENOUGH = 20
"""Fewer people than this cannot show that one column follows from another."""

RARE = 5
"""A column in which fewer people differ from the most frequent value hardly varies."""

NEARLY = 0.95
"""Share of the guesses that one column puts right, beyond the most frequent value, that leaks."""

LINEAR = 0.99
"""Adjusted R² from which on a numeric trait is computed from items."""

Codes = NDArray[np.int64]
Numbers = NDArray[np.float64]


def leaks(people: Tidy) -> Iterator[Problem]:
    """Traits that give items away, items that give traits away, and items that follow from others.

    What a trait is declared to be computed from is not looked for again, but noted.
    """
    codebook = people.codebook
    items = {item.name: _codes(people.responses[item.name]) for item in codebook.items}
    scores = _scores(people)
    for trait in codebook.traits:
        if trait.computed_from:
            message = f"declared to give away {_listed(trait.computed_from)}"
            yield Problem("note", trait.name, message)
        yield from _trait_and_items(people, trait, items)
        if trait.is_number:
            yield from _computed(people, trait, scores)
    follows = list(_functions(codebook, items))
    yield from follows
    explained = {problem.column for problem in follows}
    yield from _combinations(scores.drop(columns=[n for n in scores if n in explained]))


def _codes(cells: pd.Series) -> Codes:
    """Each distinct cell as a number from 0; -1 is a missing one."""
    return np.asarray(pd.factorize(cells)[0], np.int64)


def _scores(people: Tidy) -> pd.DataFrame:
    """Responses as numbers: the codes of a scale if all are numbers, else the options' places.

    Items without an order have none, nor have options outside of it.
    """
    scores = {}
    for item in people.codebook.items:
        scale = people.codebook.scales[item.scale]
        values = {code: number(code) for code in scale.ordered}
        if any(np.isnan(value) for value in values.values()):
            values = {code: float(place) for place, code in enumerate(scale.ordered)}
        if scale.has_order:
            scores[item.name] = people.responses[item.name].map(values).astype(float)
    return pd.DataFrame(scores, people.responses.index)


def _trait_and_items(people: Tidy, trait: Trait, items: dict[str, Codes]) -> Iterator[Problem]:
    cells = people.facts[trait.name]
    meant = cells if trait.values is None else cells.map(trait.values)
    codes = _codes(meant)
    values = numbers(cells).to_numpy() if trait.is_number else None
    for name, answered in items.items():
        if name in trait.computed_from:
            continue
        tells = _determines(answered, codes, NEARLY)
        told = _determines(codes, answered, NEARLY)
        if told or (values is not None and _cut(values, answered)):
            message = f"trait {trait.name} gives the response to it away"
        elif tells:
            message = f"the response to it gives trait {trait.name} away"
        else:
            continue
        yield Problem(
            "error", name, f"{message}; declare `computed_from: [{name}]` on the trait, or drop one"
        )


def _determines(one: Codes, other: Codes, share: float) -> bool:
    """Whether knowing one puts right this share of the errors of guessing the other."""
    both = (one >= 0) & (other >= 0)
    known = int(both.sum())
    if known < ENOUGH:
        return False
    table = _counts(one[both], other[both])
    groups = int((table.sum(axis=1) > 0).sum())
    errors = known - int(table.sum(axis=0).max())
    if errors < RARE or known < RARE * groups:
        return False
    return known - int(table.max(axis=1).sum()) <= (1 - share) * errors


def _counts(one: Codes, other: Codes) -> NDArray[np.int64]:
    shape = int(one.max()) + 1, int(other.max()) + 1
    flat = np.bincount(one * shape[1] + other, minlength=shape[0] * shape[1])
    return flat.reshape(shape)


def _cut(values: Numbers, answered: Codes) -> bool:
    """Whether an item says between which limits a number lies, as an age group does."""
    both = ~np.isnan(values) & (answered >= 0)
    if both.sum() < ENOUGH:
        return False
    frame = pd.DataFrame({"value": values[both], "code": answered[both]})
    sizes = frame["code"].value_counts()
    if len(sizes) < 2 or sizes.sum() - sizes.max() < RARE:
        return False
    limits = frame.groupby("code")["value"].agg(["min", "max"]).sort_values("min")
    return bool((limits["max"].to_numpy()[:-1] < limits["min"].to_numpy()[1:]).all())


def _computed(people: Tidy, trait: Trait, scores: pd.DataFrame) -> Iterator[Problem]:
    """A numeric trait that is a weighted sum of responses."""
    table = scores.assign(**{"": numbers(people.facts[trait.name])}).dropna()
    target = table.pop("").to_numpy()
    x, names = _varying(table)
    spare = len(table) - len(names) - 1
    if len(table) < 2 * len(names) + ENOUGH or not names or target.std() == 0:
        return
    target = (target - target.mean()) / target.std()
    weights = np.linalg.lstsq(x, target, rcond=None)[0]
    unexplained = float(((target - x @ weights) ** 2).sum() / spare)
    if unexplained > 1 - LINEAR:
        return
    members = [n for n, w in zip(names, weights, strict=True) if abs(w) > 0.05 * abs(weights).max()]
    if not set(members) <= set(trait.computed_from):
        message = f"it is computed from {_listed(members)}; declare them as its `computed_from`"
        yield Problem("error", trait.name, message)


def _functions(codebook: Codebook, items: dict[str, Codes]) -> Iterator[Problem]:
    """Items whose response follows from the response to one other item."""
    names = [item.name for item in codebook.items]
    earlier = [(name, other) for place, name in enumerate(names) for other in names[:place]]
    found: set[str] = set()
    for name, other in (*earlier, *((other, name) for name, other in earlier)):
        if found.isdisjoint((name, other)) and _follows(items[other], items[name]):
            found.add(name)
            message = f"it follows from {other} without exception; take one of them out"
            yield Problem("error", name, message)


def _follows(one: Codes, other: Codes) -> bool:
    """Whether everybody who answers `one` the same answers `other` the same."""
    beginning = slice(0, 50 * ENOUGH)
    first, second = one[beginning], other[beginning]
    both = (first >= 0) & (second >= 0)
    if both.any() and ((_counts(first[both], second[both]) > 0).sum(axis=1) > 1).any():
        return False
    return _determines(one, other, 1.0)


def _combinations(scores: pd.DataFrame) -> Iterator[Problem]:
    """Items that are an exact weighted sum of several others."""
    if len(scores.columns) < 3:
        return
    complete = scores.dropna()
    needed = 2 * len(scores.columns) + ENOUGH
    if len(complete) < needed:
        yield Problem(
            "note",
            "items",
            "whether an item is the sum of other items was not checked: "
            f"{len(complete):,} people answered all items, and {needed:,} are needed",
        )
        return
    x, names = _varying(complete)
    rest = np.abs(np.diag(np.linalg.qr(x, mode="r")))  # of each column, beyond those before it
    independent = rest > 1e-8 * np.linalg.norm(x, axis=0)
    for place in np.flatnonzero(~independent):
        before = np.flatnonzero(independent[:place])
        weights = np.linalg.lstsq(x[:, before], x[:, place], rcond=None)[0]
        members = [names[i] for i, w in zip(before, weights, strict=True) if abs(w) > 1e-6]
        message = f"it is an exact sum or difference of {_listed(members)}; take one of them out"
        yield Problem("error", names[place], message)


def _varying(table: pd.DataFrame) -> tuple[Numbers, list[str]]:
    """Standardised columns, without those in which everybody is the same."""
    x = table.to_numpy(float)
    varies = np.ptp(x, axis=0) > 0 if len(x) else np.zeros(x.shape[1], bool)
    x = x[:, varies]
    if len(x):
        x = (x - x.mean(axis=0)) / x.std(axis=0)
    return x, [name for name, kept in zip(table.columns, varies, strict=True) if kept]


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:8])
    return f"{shown} and {len(names) - 8} others" if len(names) > 8 else shown
