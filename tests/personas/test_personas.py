"""What strategies may know, and who stands in for a participant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geppetto._util.errors import GeppettoError
from geppetto.personas.arms import derangements
from geppetto.personas.filler import filler
from geppetto.personas.library import load_strategy
from geppetto.personas.visibility import blocks, persona, view
from geppetto.studies import Study
from workspaces import ROOT


def test_strategies_that_read_no_responses_are_given_none(bfi: Study) -> None:
    strategy = load_strategy("interview", {"traits": ("age",)}, ROOT)
    (block,) = blocks(strategy, bfi, list(bfi.items))
    assert block.predicted == tuple(bfi.items)
    assert view(strategy, bfi.participant("61623"), bfi, block).known == {"age"}


def test_known_answers_shows_the_same_items_of_everyone(bfi: Study) -> None:
    strategy = load_strategy("known_answers", {"k": 5}, ROOT)
    block = blocks(strategy, bfi, list(bfi.items))[0]
    complete = [p for p in bfi.people.values() if len(p.responses) == 25][:50]
    shown = set()
    for person in complete:
        text = persona(strategy, view(strategy, person, bfi, block), bfi, block)
        assert text is not None
        shown.add(tuple(line for line in text.text.splitlines() if line.startswith("Statement")))
    assert len(shown) == 1


def test_a_participant_of_whom_nothing_is_known_has_no_persona(small_study: Study) -> None:
    strategy = load_strategy("portrait", {"traits": ("sex",)}, ROOT)
    (block,) = blocks(strategy, small_study, list(small_study.items))
    seen = view(strategy, small_study.participant("e"), small_study, block)
    assert persona(strategy, seen, small_study, block) is None


groups = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=4),
    st.sampled_from([frozenset({"age"}), frozenset({"age", "sex"})]),
    max_size=30,
)


@given(groups, st.integers(1, 4), st.integers(0, 99))
def test_donors_are_strangers_of_whom_the_same_is_known(
    known: dict[str, frozenset[str]], donors: int, seed: int
) -> None:
    drawn = derangements(known, donors, seed)
    served: dict[str, int] = {}
    for participant, chosen in drawn.items():
        assert len(set(chosen)) == donors
        assert participant not in chosen
        for donor in chosen:
            assert known[donor] == known[participant]
            served[donor] = served.get(donor, 0) + 1
    assert all(count == donors for count in served.values())
    for participant in set(known) - set(drawn):
        assert sum(names == known[participant] for names in known.values()) <= donors


@given(groups, st.integers(0, 99))
def test_donors_do_not_depend_on_the_order_of_participants(
    known: dict[str, frozenset[str]], seed: int
) -> None:
    backwards = dict(reversed(list(known.items())))
    assert derangements(known, 1, seed) == derangements(backwards, 1, seed)


def test_every_stranger_is_equally_likely_to_be_a_donor() -> None:
    known = {name: frozenset({"age"}) for name in "abcde"}
    donors = [derangements(known, 1, seed)["a"][0] for seed in range(2000)]
    for stranger in "bcde":
        assert donors.count(stranger) == pytest.approx(500, abs=90)


@pytest.mark.parametrize("model", ["smollm2", "gemma"])
def test_filler_has_exactly_the_tokens_asked_for(
    model: str, bfi: Study, request: pytest.FixtureRequest
) -> None:
    tokenizer = request.getfixturevalue(model)

    def count(text: str) -> int:
        return len(tokenizer.tokenize(f"Rate yourself.\n\n{text}\n\nStatement: x\nAnswer: "))

    for words in [*range(6, 60), 300, 900]:
        persona_text = " ".join(["I am 34 years old, and female."] * words)[: 6 * words]
        text = filler(persona_text, count)
        assert count(text) == count(persona_text)
        assert "you" not in text.lower().split()
    with pytest.raises(GeppettoError, match="as many tokens as '' was found; leave out the arm"):
        filler("", count)
