"""JSON is read as a table: each object of its list is a row, each member a column."""

from __future__ import annotations

import json

import pytest

from lrs.kernel.errors import Refused
from lrs.kernel.tables.header import headers_of
from lrs.kernel.tables.heads import heads_of
from lrs.kernel.tables.json_rows import MAX_BYTES
from lrs.kernel.tables.notes import notes_on
from tests.kernel.tables.opened import cells, opened
from tests.rows import each_of

ONE = {"trainee": {"email": "ana@example.org"}, "passed": True, "minutes": 95, "codes": ["K1", "K2"], "note": None}


@each_of(
    "content",
    [
        [ONE],
        {"export": "2026-11-01", "results": [ONE]},
        {"data": {"page": {"results": [ONE]}}, "tags": ["a"], "none": []},
    ],
    ids=["a list", "in an object", "deeper"],
)
@each_of("mark", [b"", b"\xef\xbb\xbf", b"\n "])
def test_each_object_of_the_only_list_is_a_row(content, mark):
    found = cells(mark + json.dumps(content).encode(), "trainee.email passed minutes codes note")

    assert found == [
        {"trainee.email": "ana@example.org", "passed": "yes", "minutes": "95", "codes": "K1, K2", "note": ""}
    ]


def test_an_object_a_line_is_a_row_a_line():
    assert [row["a"] for row in cells(b'{"a": 1}\n\n{"b": 2, "a": "x"}\r\n', "a b")] == ["1", "x"]


def test_rows_are_counted_from_the_first_record_and_a_member_that_one_lacks_is_empty():
    table = opened(b'[{"a": 1, "z": 2}, {"a": 3, "b": 4}]', "a b")

    assert [(row.place.row, row["a"], row["b"]) for row in table.rows()] == [(1, "1", ""), (2, "3", "4")]
    assert notes_on(table) == (
        "read as JSON, one row for each record of its list: row 1 is the first record",
        "headers that are not known here, so their columns are not read: z",
    )


def test_what_is_no_record_or_no_single_value_is_a_fault_of_its_row_alone():
    rows = list(opened(b'[{"a": "x"}, 5, {"a": [{"b": 1}]}]', "a").rows())

    assert [(row.place.row, row.trouble and row.trouble.code) for row in rows] == [
        (1, None),
        (2, "no_record"),
        (3, None),
    ]
    assert rows[2].faults["a"].code == "nested"


@each_of(
    ("content", "message"),
    [
        (b'{"a": 1}', "the JSON has no list of records: send"),
        (b'{"a": [{"x": 1}], "b": [{"y": 1}]}', "the JSON has several lists of records (/a, /b): send one of them"),
        (b'[{"a": 1},', "the file is JSON with a fault: "),
        (b'[{"a": 1, "a": 2}]', "the file is JSON with a fault"),
        (b'{"a": 1}\n{"a": NaN}\n', "the file is JSON with a fault in line 2"),
        (b'[{"a": 1}]', "no record has a member that is known; expected some of: name"),
        (b'[{"' + b'": 1}, {"'.join(b"m%d" % n for n in range(1001)) + b'": 1}]', "the records have 1001 members"),
        (b'[{"a": "' + b"x" * MAX_BYTES + b'"}]', f"the limit is {MAX_BYTES}: split it, or send the table as CSV"),
    ],
)
def test_json_that_is_no_table_is_refused_with_what_to_do(content, message):
    with pytest.raises(Refused) as refused:
        opened(content, "name")

    assert message in refused.value.message


def test_the_names_of_members_are_its_headers():
    heads = heads_of(b'[{"a": 1}, {"b": {"c": 2}}]', headers_of({"a": ()}))

    assert (heads.sort, heads.headers, heads.sheets[0].row) == ("json", ("a", "b.c"), 0)
