"""Who is searched on and who confirms."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geppetto._util.errors import GeppettoError
from geppetto.search.split import Split, batches, split
from geppetto.studies import Participant, Trait

SEX = Trait(name="sex", label="sex", question="?", values={"1": "Male", "2": "Female"})
AREA = Trait(name="area", label="area", question="?", values={"1": "North", "2": "South"})
AGE = Trait(name="age", label="age", question="?")
TRAITS = [SEX, AREA, AGE]

people = st.lists(
    st.tuples(
        st.fixed_dictionaries(
            {
                "sex": st.sampled_from(["Male", "Female", None]),
                "area": st.sampled_from(["North", "South", None]),
                "age": st.floats(18, 90),
            }
        ),
        st.sampled_from([None, None, "x", "y", "p1"]),
    ),
    min_size=8,
    max_size=60,
).map(
    lambda rows: [
        Participant(
            f"p{n}",
            {name: value for name, value in known.items() if value is not None},
            {},
            cluster=cluster,
        )
        for n, (known, cluster) in enumerate(rows)
    ]
)


def made(folk: list[Participant], share: float, seed: int) -> Split | None:
    try:
        return split(folk, TRAITS, share, seed)
    except GeppettoError as error:
        assert "each side needs at least two" in str(error)
        return None


@given(people, st.floats(0.05, 0.95), st.integers(0, 1000), st.randoms())
def test_everybody_is_on_one_side_and_clusters_stay_whole(
    folk: list[Participant], share: float, seed: int, rng: random.Random
) -> None:
    found = made(folk, share, seed)
    shuffled = rng.sample(folk, len(folk))
    assert made(shuffled, share, seed) == found  # order makes no difference
    if found is None:
        return
    assert sorted(found.search + found.test) == sorted(person.id for person in folk)
    sides = dict.fromkeys(found.test, True) | dict.fromkeys(found.search, False)
    for cluster in {person.cluster for person in folk} - {None}:
        assert len({sides[person.id] for person in folk if person.cluster == cluster}) == 1
    largest = max(Counter(person.cluster or person.id for person in folk).values())
    assert abs(len(found.test) - share * len(folk)) <= largest


@given(people, st.floats(0.2, 0.8), st.integers(0, 1000))
def test_every_stratum_is_split_in_proportion(
    folk: list[Participant], share: float, seed: int
) -> None:
    alone = [Participant(person.id, person.traits, {}) for person in folk]
    found = made(alone, share, seed)
    if found is None:
        return
    for by in ([SEX], [SEX, AREA]):  # joint strata, and those of the first trait
        strata = Counter(tuple(p.traits.get(t.name) for t in by) for p in alone)
        test = Counter(tuple(p.traits.get(t.name) for t in by) for p in alone if p.id in found.test)
        for stratum, size in strata.items():
            assert abs(test[stratum] - share * size) <= 1 + 1e-9


def test_seeds_split_differently_and_everybody_can_be_on_either_side() -> None:
    folk = [Participant(f"p{n}", {"sex": "Male"}, {}) for n in range(10)]
    counts = Counter(p for seed in range(200) for p in split(folk, TRAITS, 0.5, seed).test)
    assert all(60 < counts[person.id] < 140 for person in folk)


def test_two_people_are_needed_on_each_side() -> None:
    folk = [Participant(f"p{n}", {}, {}) for n in range(4)]
    assert len(split(folk, TRAITS, 0.5, 0).test) == 2
    with pytest.raises(GeppettoError, match=r"search: test: 3 of 4 people"):
        split(folk, TRAITS, 0.2, 3)
    with pytest.raises(GeppettoError, match="take more `participants`"):
        split([Participant(f"p{n}", {}, {}, cluster="one") for n in range(9)], TRAITS, 0.5, 0)


@given(st.sets(st.text(min_size=1, max_size=3), min_size=2, max_size=60), st.integers(2, 12))
def test_batches_have_everybody_once_and_are_equal(folk: set[str], size: int) -> None:
    found = batches(sorted(folk), size, 7)
    assert sorted(person for batch in found for person in batch) == sorted(folk)
    lengths = {len(batch) for batch in found}
    assert max(lengths) - min(lengths) <= 1
    assert min(lengths) >= min(size, len(folk))
    assert batches(sorted(folk, reverse=True), size, 7) == found
