"""Facts: scores beside norms, answers that are related, and how values read in a sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geppetto._util.errors import GeppettoError
from geppetto.personas import Answers, Fact, Scores
from geppetto.personas.content import BANDS, trait_facts
from geppetto.studies import Codebook, Norm, Participant, Study, Trait, bundled_studies, load_study
from geppetto.studies.reference import FEWEST, Reference, response_share
from geppetto.studies.trait import Poles
from written import study_of

T_SCORE = Norm(mean=50, sd=10, poles=Poles(low="calm", high="easily upset"))
UPSET = Trait(name="t", label="T score of distress", question="What is your T score?", norm=T_SCORE)


def put(value: float, shown_as: Any) -> str:
    return Scores(shown_as=shown_as).trait(UPSET, value).value


def changed(study: Study, **codebook: Any) -> Study:
    described = study.codebook.model_dump(exclude_defaults=True) | codebook
    return replace(study, codebook=Codebook.model_validate(described))


@pytest.mark.parametrize(
    ("value", "band"),
    [
        (34.999, 0),
        (35, 1),
        (44.999, 1),
        (45, 2),
        (50, 2),
        (55, 2),
        (55.001, 3),
        (65, 3),
        (65.001, 4),
    ],
)
def test_bands_are_cut_at_the_norm_and_a_score_on_a_cut_is_nearer_to_average(
    value: float, band: int
) -> None:
    words = (
        *("Very calm", "Calm", "Neither calm nor easily upset"),
        *("Easily upset", "Very easily upset"),
    )
    assert put(value, "band") == BANDS[band]
    assert put(value, "adjective") == words[band]


@pytest.mark.parametrize(
    ("value", "percentile"),
    [(50, "50"), (60, "84"), (40, "16"), (66.4485, "95"), (10, "1"), (90, "99"), (500, "99")],
)
def test_percentiles_are_those_of_the_normal_distribution(value: float, percentile: str) -> None:
    assert put(value, "percentile") == percentile


def test_a_trait_shown_as_a_number_is_asked_as_in_the_codebook() -> None:
    fact = Scores().trait(UPSET, 51.5)
    assert (fact.label, fact.question, fact.value) == (UPSET.label, UPSET.question, "51.5")


def test_traits_with_a_norm_are_put_as_scores_are(small_study: Study) -> None:
    ages = {"name": "age", "label": "age", "question": "?", "norm": {"mean": 40, "sd": 10}}
    study = changed(small_study, traits=[ages, small_study.traits["sex"].model_dump()])
    person = study.participant("a")
    as_bands = trait_facts(person, study, Scores(shown_as="band"))
    assert [fact.value for fact in as_bands] == ["Very low", "Male"]
    assert [fact.value for fact in trait_facts(person, study, None)] == ["20", "Male"]
    with pytest.raises(GeppettoError, match="no words for the ends of age; add its `poles`"):
        list(trait_facts(person, study, Scores(shown_as="adjective")))


def test_a_score_is_the_keyed_mean_of_known_items_only(bfi: Study) -> None:
    person = bfi.participant("61623").seen_through((), ("A1", "A2", "A3", "N1"))
    agreeableness, neuroticism = Scores().known(person, bfi)
    assert agreeableness.label == "agreeableness score (1 to 6)"
    assert agreeableness.value == f"{(1 + 6 + 5) / 3:.1f}"  # A1 is 6, counted the other way round
    assert neuroticism.value == "3.0"


@settings(max_examples=25)
@given(st.sets(st.sampled_from([f"{c}{n}" for c in "ACENO" for n in range(1, 6)]), min_size=1))
def test_norms_of_any_items_are_those_of_peoples_scores(items: set[str]) -> None:
    study = load_study("bfi")
    complete = [p for p in study.people.values() if len(p.responses) == 25][:300]
    reference = Reference.of(study, complete)
    assert reference is not None and reference.people == 300
    keys = {name: study.items[name].key for name in sorted(items)}

    def score(person: Participant) -> float:
        shares = [response_share(study, name, person.responses[name]) for name in keys]
        return float(
            np.mean([s if k > 0 else 1 - s for s, k in zip(shares, keys.values(), strict=True)])
        )

    scores = [score(person) for person in complete]
    norm = reference.norm(keys)
    assert norm is not None
    assert norm.mean == pytest.approx(np.mean(scores))
    assert norm.sd == pytest.approx(np.std(scores, ddof=1))


def test_related_answers_correlate_most_and_the_closest_is_last() -> None:
    study = study_of("bfi")
    assert study.reference is not None
    shares = np.array(
        [
            [response_share(study, item, person.responses.get(item)) for item in study.items]
            for person in study.people.values()
            if person.id != "61623"
        ]
    )
    both = ~np.isnan(shares[:, [list(study.items).index("N3")]])
    relations = {}
    for column, item in enumerate(study.items):
        known = both[:, 0] & ~np.isnan(shares[:, column])
        target = shares[known, list(study.items).index("N3")]
        relations[item] = abs(np.corrcoef(shares[known, column], target)[0, 1])
    expected = sorted(set(study.items) - {"N3"}, key=lambda item: -relations[item])[:4]
    person = study.participant("61623").seen_through((), set(study.items) - {"N3"})
    asked = replace(study, asked=("N3",))
    facts = list(Answers(choose="related", k=4).known(person, asked))
    assert [fact.name for fact in facts] == expected[::-1]


def test_norms_and_relations_need_fifty_people_who_take_no_part() -> None:
    study = load_study("bfi")
    people = list(study.people.values())
    for left in (FEWEST - 1, FEWEST):
        few = replace(study, people={p.id: p for p in people[: left + 1]})
        assert (few.with_reference(people[:1]).reference is None) == (left < FEWEST)
    for content in (Scores(shown_as="percentile"), Answers(choose="related")):
        with pytest.raises(GeppettoError, match="fewer than 50 are left; take a smaller `partic"):
            list(content.known(people[0], replace(study, asked=("N3",))))
    assert list(Scores().known(people[0], study)) and list(Answers().known(people[0], study))


def test_scores_that_cannot_be_are_refused_with_what_to_change() -> None:
    study = study_of("bfi")
    person = study.participant("61623")

    def refused(study: Study, shown_as: Any, message: str) -> None:
        with pytest.raises(GeppettoError, match=message):
            list(Scores(shown_as=shown_as).known(person, study))

    refused(
        changed(study, constructs={}),
        "adjective",
        "no words for the ends of Agreeableness; add its `poles`, or use another `shown_as`",
    )
    options = study.codebook.scales["accuracy"].options
    nominal = {"accuracy": {"options": options, "ordinal": False}}
    no_score = (
        "the items of Agreeableness have no common scale with an order, so they make no score; "
        r"leave out `scores`, or the construct \(`measures`\) in the codebook"
    )
    refused(changed(study, scales=nominal), "number", no_score)
    items = [item.model_dump() for item in study.codebook.items]
    items[0]["scale"] = "short"
    short = {
        "short": {"options": {code: code for code in "6543"}},
        "accuracy": {"options": options},
    }
    refused(changed(study, scales=short, items=items), "number", no_score)
    assert study.reference is not None
    shares = dict.fromkeys(study.items, [0.5] * study.reference.people)
    constant = replace(study.reference, shares=shares)
    refused(
        replace(study, reference=constant),
        "band",
        "the Agreeableness scores of people who take no part do not vary, so there is no norm for "
        "it; use `shown_as: number`",
    )


@pytest.mark.parametrize(
    ("value", "inline"),
    [
        ("Female", "female"),
        ("A few times a week", "a few times a week"),
        ("Bachelor's degree", "bachelor's degree"),
        ("UK", "UK"),
        ("PhD or similar", "PhD or similar"),
        ("I do not vote", "I do not vote"),
        ("I'm retired", "I'm retired"),
        ("In school", "in school"),
        ("South Africa", "South Africa"),
        ("New Zealand", "New Zealand"),
        ("Catholic", "Catholic"),
        ("Verheiratet", "Verheiratet"),
        ("Strong Democrat", "strong Democrat"),
        ("Other Christian", "other Christian"),
        ("City of London", "City of London"),
        ("Never, or less than once a year", "never, or less than once a year"),
        ("Österreich", "Österreich"),
        ("“Quoted”", "“Quoted”"),
        ("21", "21"),
        ("", ""),
    ],
)
def test_values_read_well_within_a_sentence(value: str, inline: str) -> None:
    assert Fact("x", "x", "x?", value).inline == inline
    assert Fact("x", "x", "x?", value, quoted=True).inline == f'"{value}"'


@pytest.mark.parametrize(
    ("values", "inline"),
    [
        (("Conservative", "Labour", "None"), ("Conservative", "Labour", "None")),
        (("Conservative", "Moderate", "Liberal"), ("conservative", "moderate", "liberal")),
        (("White", "Black", "Other"), ("white", "black", "other")),
        (("White", "Asian", "Other"), ("White", "Asian", "Other")),
        (("PhD", "High school", "None"), ("PhD", "high school", "none")),
        (("Mann", "Frau"), ("Mann", "Frau")),
        (("Weak Democrat", "Independent"), ("weak Democrat", "independent")),
    ],
)
def test_values_of_a_trait_that_has_names_keep_their_capitals(
    values: tuple[str, ...], inline: tuple[str, ...]
) -> None:
    assert tuple(Fact("x", "x", "x?", value, values).inline for value in values) == inline


def test_values_of_bundled_studies_read_as_they_always_did() -> None:
    """Their prompts are stored: all begin with a small letter but one that is spelled so."""
    values = [
        (value, tuple(dict.fromkeys(trait.values.values())))
        for book in bundled_studies().values()
        for trait in book.traits
        if trait.values
        for value in trait.values.values()
    ]
    for value, choices in values:
        kept = value in ("Independent-Democrat", "Independent-Republican")
        expected = value if kept else f"{value[0].lower()}{value[1:]}"
        assert Fact("x", "x", "x?", value, choices).inline == expected


def test_answers_in_words_are_quoted_and_numbers_are_not(bfi: Study) -> None:
    person = bfi.participant("61623").seen_through((), ("N3",))
    (number,) = Answers().known(person, bfi)
    (label,) = Answers(answer="label").known(person, bfi)
    assert number.label == 'answer to "Have frequent mood swings"'
    assert (number.inline, label.inline) == ("2", '"Moderately inaccurate"')
    assert number.choices == () and len(label.choices) == 6


@pytest.mark.parametrize(
    ("value", "text"), [(21.0, "21"), (2.5, "2.5"), (1234567.0, "1234567"), (0.1 + 0.2, "0.3")]
)
def test_numbers_are_written_out(value: float, text: str) -> None:
    assert UPSET.text(value) == text
