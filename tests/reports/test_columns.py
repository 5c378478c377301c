"""Tables of the terminal at any width: no name is crushed, and no number lost."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from geppetto.reports.columns import Columns


def shown(table: Columns, width: int) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width).print(table)
    return out.getvalue().splitlines()


def table_of(columns: int, name: str = "known_answers · shuffled") -> Columns:
    table = Columns("arm", *(f"column {n}" for n in range(columns)))
    table.heading("a model with a rather long name of its own")
    table.row(f"  {name}", *(f"{n}.000 [-0.{n}00]" for n in range(columns)))
    table.row("  own", *(f"{n}.500" for n in range(columns)))
    return table


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("columns", [1, 3, 7, 12])
def test_every_number_and_every_name_is_there_at_any_width(width: int, columns: int) -> None:
    lines = shown(table_of(columns), width)
    text = " ".join(" ".join(lines).split())
    assert all(cell_len(line) <= max(width, 45) for line in lines)
    for number in range(columns):
        assert f"{number}.000 [-0.{number}00]" in text and f"{number}.500" in text
    assert "known_answers" in text and "shuffled" in text
    assert "a model with a rather long name of its own" in text


def test_numbers_stand_below_one_another_and_below_their_heads() -> None:
    table = Columns("arm", "worst tenth", "verdict", words=1)
    table.row("own", "-0.52", "costs")
    table.row("shuffled", "+10.00", Text("undecided", "bold"))
    assert shown(table, 80) == [
        "           worst",
        "arm        tenth  verdict",
        "own        -0.52  costs",
        "shuffled  +10.00  undecided",
    ]


def test_what_does_not_fit_follows_below() -> None:
    lines = shown(table_of(3), 55)
    heads = [line for line in lines if "column" in line]
    assert len(heads) == 2 and "" in lines
    assert sum(line.startswith("  own") for line in lines) == 2


def test_columns_come_closer_before_anything_is_cut_up() -> None:
    table = Columns("arm", "a", "b")
    table.row("x" * 10, "1" * 10, "2" * 10)
    assert shown(table, 34)[1] == f"{'x' * 10}  {'1' * 10}  {'2' * 10}"
    assert shown(table, 32)[1] == f"{'x' * 10} {'1' * 10} {'2' * 10}"


def test_rows_beyond_the_most_are_counted() -> None:
    table = Columns("arm", "NLL")
    for number in range(30):
        table.row(f"arm {number}", str(number))
    table.most = 25
    lines = shown(table, 80)
    assert lines[-1] == "5 more rows: --rows 30"
    assert lines[-2].startswith("arm 24")


@given(
    st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1), min_size=1),
    st.integers(30, 100),
)
def test_no_sign_of_a_name_is_lost(words: list[str], width: int) -> None:
    table = Columns("arm", "NLL")
    table.row(" ".join(words), "1.234")
    head, *lines = shown(table, width)
    assert head.split() == ["arm", "NLL"]
    assert re.sub(r"\s|1\.234", "", "".join(lines)) == re.sub(r"\s|1\.234", "", "".join(words))
