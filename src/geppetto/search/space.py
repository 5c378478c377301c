"""The search space: what could be chosen, read from the types of strategies and layouts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import optuna

Scalar = None | bool | int | float | str


@dataclass(frozen=True)
class Fixed:
    """A value that is not searched."""

    value: Any

    @property
    def size(self) -> int:
        return 1

    def draw(self, trial: optuna.trial.BaseTrial, name: str) -> Any:
        return self.value

    def at(self, index: int, name: str) -> dict[str, Scalar]:
        return {}


@dataclass(frozen=True)
class Choice:
    """One of some values without an order."""

    values: tuple[Any, ...]

    @property
    def size(self) -> int:
        return len(self.values)

    @property
    def labels(self) -> tuple[Scalar, ...]:
        """What the values are called in a trial's parameters."""
        return tuple(v if _is_scalar(v) else json.dumps(v) for v in self.values)

    def draw(self, trial: optuna.trial.BaseTrial, name: str) -> Any:
        label = trial.suggest_categorical(name, self.labels)
        return self.values[_position(self.labels, label)]

    def at(self, index: int, name: str) -> dict[str, Scalar]:
        return {name: self.labels[index]}


@dataclass(frozen=True)
class Integer:
    """A whole number from `low` to `high`, both included, in steps from `low`."""

    low: int
    high: int
    step: int = 1
    log: bool = False

    @property
    def size(self) -> int:
        return (self.high - self.low) // self.step + 1

    def draw(self, trial: optuna.trial.BaseTrial, name: str) -> int:
        return trial.suggest_int(name, self.low, self.high, step=self.step, log=self.log)

    def at(self, index: int, name: str) -> dict[str, Scalar]:
        return {name: self.low + index * self.step}


@dataclass(frozen=True)
class Real:
    """A number from `low` to `high`, both included."""

    low: float
    high: float
    log: bool = False

    @property
    def size(self) -> None:
        return None

    def draw(self, trial: optuna.trial.BaseTrial, name: str) -> float:
        return trial.suggest_float(name, self.low, self.high, log=self.log)

    def at(self, index: int, name: str) -> dict[str, Scalar]:
        raise ValueError(f"{name} has infinitely many values")


@dataclass(frozen=True)
class Subset:
    """Any of some names, possibly none, in their order."""

    names: tuple[str, ...]

    @property
    def size(self) -> int:
        return int(2 ** len(self.names))

    def draw(self, trial: optuna.trial.BaseTrial, name: str) -> list[str]:
        return [
            each
            for each in self.names
            if trial.suggest_categorical(f"{name}.{each}", (False, True))
        ]

    def at(self, index: int, name: str) -> dict[str, Scalar]:
        return {f"{name}.{each}": bool(index >> n & 1) for n, each in enumerate(self.names)}


@dataclass(frozen=True)
class Record:
    """Parameters of a model, each with what it could be."""

    fields: tuple[tuple[str, Node], ...]

    @property
    def size(self) -> int | None:
        return _product([node.size for _, node in self.fields])

    def draw(self, trial: optuna.trial.BaseTrial, name: str) -> dict[str, Any]:
        return {field: node.draw(trial, f"{name}.{field}") for field, node in self.fields}

    def at(self, index: int, name: str) -> dict[str, Scalar]:
        found: dict[str, Scalar] = {}
        for field, node in self.fields:
            assert node.size is not None
            index, rest = divmod(index, node.size)
            found |= node.at(rest, f"{name}.{field}")
        return found


@dataclass(frozen=True)
class Branches:
    """One of some nodes, each under a label; only the chosen one's parameters exist."""

    nodes: tuple[tuple[str, Node], ...]

    @property
    def size(self) -> int | None:
        sizes = [node.size for _, node in self.nodes]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    def draw(self, trial: optuna.trial.BaseTrial, name: str) -> Any:
        label = trial.suggest_categorical(name, [label for label, _ in self.nodes])
        return dict(self.nodes)[label].draw(trial, name)

    def at(self, index: int, name: str) -> dict[str, Scalar]:
        label, node, rest = self.find(index)
        return {name: label} | node.at(rest, name)

    def find(self, index: int) -> tuple[str, Node, int]:
        """The node of a point, by its label, and the point's index in it."""
        for label, node in self.nodes:
            assert node.size is not None
            if index < node.size:
                return label, node, index
            index -= node.size
        raise IndexError(index)


Node = Fixed | Choice | Integer | Real | Subset | Record | Branches


@dataclass(frozen=True)
class Drawn:
    """What a trial chose: a strategy's name and parameters, and fields of the layout."""

    strategy: str
    parameters: Mapping[str, Any]
    layout: Mapping[str, Any]


@dataclass(frozen=True)
class Space:
    """Every candidate of a search: the parameters of each strategy, by its name, and of the layout.

    Examples
    --------
    >>> from geppetto.search.space import Choice, Integer, Record, Space
    >>> voices = Record((("voice", Choice(("first", "second"))), ("k", Integer(0, 4, step=2))))
    >>> space = Space({"biography": voices}, layout=Record(()))
    >>> space.size
    6
    >>> space.at(3)
    {'strategy': 'biography', 'biography.voice': 'second', 'biography.k': 2}
    """

    strategies: Mapping[str, Record]
    layout: Record

    @property
    def size(self) -> int | None:
        """How many candidates there are; None if infinitely many."""
        return _product([self._branches.size, self.layout.size])

    def draw(self, trial: optuna.trial.BaseTrial) -> Drawn:
        """What a trial chooses."""
        name = trial.suggest_categorical("strategy", list(self.strategies))
        parameters = self.strategies[name].draw(trial, name)
        return Drawn(name, parameters, self.layout.draw(trial, "layout"))

    def at(self, index: int) -> dict[str, Scalar]:
        """A trial's parameters at one point of a finite space, counted from 0."""
        assert self.layout.size is not None
        rest, of_layout = divmod(index, self.layout.size)
        name, node, rest = self._branches.find(rest)
        return {"strategy": name} | node.at(rest, name) | self.layout.at(of_layout, "layout")

    @property
    def _branches(self) -> Branches:
        return Branches(tuple(self.strategies.items()))


def _product(sizes: list[int | None]) -> int | None:
    known = [size for size in sizes if size is not None]
    return prod(known) if len(known) == len(sizes) else None


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str)


def _position(labels: tuple[Scalar, ...], label: Scalar) -> int:
    """Where a label is; 1, 1.0 and True are different labels."""
    return [(type(each), each) for each in labels].index((type(label), label))
