"""Tables of what is found."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from geppetto.evaluation.inference.resampling import Estimate

Row = dict[str, object]


def frame(rows: Iterable[Row], columns: list[str] | None = None) -> pd.DataFrame:
    """A table of what is found, in which an `Estimate` is NAME, NAME_low and NAME_high."""
    return pd.DataFrame([_flat(row) for row in rows], columns=columns)


def picked(found: object, *names: str) -> Row:
    """Some attributes of an object, by their names."""
    return {name: getattr(found, name) for name in names}


def _flat(row: Row) -> Row:
    flat: Row = {}
    for name, value in row.items():
        if isinstance(value, Estimate):
            flat |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
        else:
            flat[name] = value
    return flat
