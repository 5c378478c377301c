"""Invented sessions in which trials offer some or all of a person's options."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

LETTERS = "BCDEFGHJKLMNOPQRSTUVWXYZ"
Row = dict[str, Any]
Choose = Callable[[random.Random, Sequence[str], dict[str, float]], str]
"""Who responds: of what is on offer, with what each option is worth so far."""


def anyhow(rng: random.Random, offer: Sequence[str], worth: dict[str, float]) -> str:
    """Choose at random."""
    return rng.choice(offer)


def learning(sharply: float) -> Choose:
    """Choose what paid best so far, the more surely the higher a number is (softmax)."""

    def choose(rng: random.Random, offer: Sequence[str], worth: dict[str, float]) -> str:
        weights = np.exp([sharply * worth[option] for option in offer])
        return rng.choices(offer, weights.tolist())[0]

    return choose


def repeating(share: float) -> Choose:
    """Choose what one chose last, most of the time."""

    def choose(rng: random.Random, offer: Sequence[str], worth: dict[str, float]) -> str:
        last = max(worth, key=lambda option: worth[option])
        return last if last in offer and rng.random() < share else rng.choice(offer)

    return choose


def machines(
    offers: Callable[[random.Random, Sequence[str]], Sequence[tuple[str, Sequence[str]]]],
    people: int = 30,
    seed: int = 0,
    choose: Choose = anyhow,
    number: int = 3,
    after: str = " You win {points} points.\n",
) -> list[Row]:
    """People with letters of their own for machines, who choose among those on offer.

    Parameters
    ----------
    offers
        The text before each response and what is on offer at it, given a person's letters.
    people, seed, number
        How many people there are, and machines.
    choose
        How people choose.
    after
        What stands after a response.
    """
    rng = random.Random(seed)
    rows = []
    for person in range(people):
        letters = rng.sample(LETTERS, number)
        worth = dict.fromkeys(letters, 0.5)
        pays = dict(zip(letters, np.linspace(0.2, 0.8, number).tolist(), strict=True))
        text = f"The machines' names are {', '.join(letters)}.\n\n"
        for before, offer in offers(rng, letters):
            chosen = choose(rng, offer, worth)
            points = int(rng.random() < pays[chosen])
            if choose.__qualname__.startswith("repeating"):
                worth = dict.fromkeys(letters, 0.0) | {chosen: 1.0}
            else:
                worth[chosen] += 0.2 * (points - worth[chosen])
            other = rng.choice(letters)
            text += f"{before}You choose <<{chosen}>>."
            text += after.format(points=points, chosen=chosen, other=other)
        rows.append({"text": text, "experiment": "invented2026/exp1.csv", "participant": person})
    return rows


def always(trials: int = 60) -> Callable[..., list[tuple[str, Sequence[str]]]]:
    """All machines at every trial, which nothing announces."""
    return lambda rng, letters: [("", letters)] * trials


def blocks(
    *sets: Sequence[int], trials: int = 30, silent: bool = False
) -> Callable[..., list[tuple[str, Sequence[str]]]]:
    """Blocks that offer some of the machines, by number, as their first line says."""

    def made(rng: random.Random, letters: Sequence[str]) -> list[tuple[str, Sequence[str]]]:
        found: list[tuple[str, Sequence[str]]] = []
        for block, numbers in enumerate(sets, 1):
            offer = [letters[number] for number in numbers]
            *others, last = offer
            names = f"{', '.join(others)}{',' * (len(others) > 1)} and {last}"
            said = "" if silent else f"\nBlock {block}:\nYou can choose from {names}.\n"
            found += [(said, offer), *[("", offer)] * (trials - 1)]
        return found

    return made


def pairs(trials: int = 60) -> Callable[..., list[tuple[str, Sequence[str]]]]:
    """Two of the machines at every trial, as it says."""

    def made(rng: random.Random, letters: Sequence[str]) -> list[tuple[str, Sequence[str]]]:
        drawn = [rng.sample(list(letters), 2) for _ in range(trials)]
        return [(f"Do you want {one} or {other}? ", (one, other)) for one, other in drawn]

    return made


CHOOSE_FROM = (
    "choose from {option} and {option}.",
    "choose from {option}, {option}, and {option}.",
)
"""What announces the options of `blocks`."""
