"""A header that comes again below, and a second table under the first."""

from __future__ import annotations

import pytest

from lrs.competency.tables import read_table
from lrs.kernel.tables.notes import notes_on
from tests.kernel.tables.opened import opened, troubles


def test_the_header_on_every_page_of_a_report_is_no_row_and_is_counted():
    table = opened("\ufeffName,Other,Hours\nPat,x,2\n\ufeffName,Other,Hours\nSam,y,3\n".encode(), "name hours")

    rows = [(row["name"], row["hours"]) for row in table.rows()]

    assert rows == [("Pat", "2"), ("Sam", "3")]
    assert "1 row with the header again not read" in notes_on(table)


def test_a_returned_file_has_the_header_again_without_the_columns_that_were_added():
    content = b"Name,Hours,Room,outcome,reason\nPat,2,A,new,\nName,Hours,Room,,\nSam,3,B,new,\n"

    rows = list(opened(content, "name hours room").rows())

    assert [(row["name"], row.trouble) for row in rows] == [("Pat", None), ("Sam", None)]


def test_a_file_of_headers_alone_has_no_rows():
    assert opened(b"Name,Hours\nname,hours\n", "name hours").sheets[0].rows == 0


def test_what_stands_under_another_header_is_not_read_by_the_first_one():
    content = b"Name,Hours,Room\nPat,2,A\n\nName,Minutes,Room\nSam,2,B\nKim,3,C\n\nName,Hours,Room\nLee,4,D\n"

    rows = list(opened(content, "name hours minutes room").rows())

    assert troubles(rows) == [(4, "second_table"), (5, "second_table"), (6, "second_table")]
    assert "row 4 names other columns than the header above it" in str(rows[2].trouble)
    assert [row["hours"] for row in rows if not row.trouble] == ["2", "4"]


@pytest.mark.parametrize("line", ["Hours,2,A", "Name,Pat,A", "hours,room,", "Name,Hours,Cellar"])
def test_a_row_with_some_words_of_the_header_is_a_row(line):
    rows = list(opened(f"Name,Hours,Room\n{line}\n".encode(), "name hours room").rows())

    assert [row.trouble for row in rows] == [None]


def test_rows_of_our_own_tables_under_another_header_are_faults():
    aliases = {"domain": (), "capability": (), "statement": (), "tier": ()}
    content = b"domain,capability,statement\nA,B,C\ncapability,statement,domain\nE,F,D\n"

    rows, faults = read_table(content, aliases)

    assert [row["statement"] for row in rows] == ["C"]
    assert [fault.row for fault in faults] == [3, 4]


def test_a_header_of_many_columns_costs_a_short_row_nothing():
    content = ",".join(["Name", *(f"c{at}" for at in range(20_000)), "Hours"]) + "\nPat\n"

    (row,) = opened(content.encode(), "name hours").rows()

    assert dict(row.cells) == {"name": "Pat", "hours": ""}
