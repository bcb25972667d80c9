"""Lists of pages: which part is shown, where it leads, in which order, and what can be chosen."""

from urllib.parse import urlsplit

import pytest
from starlette.requests import Request

from lrs.web.listing import SIZE, Asked, ListColumn, ListRow, asked_of, chosen_rows, listing

COLUMNS = (ListColumn("name", "Name"), ListColumn("state", "State", facet=True))
OF_PARTS = (ListColumn("name", "Name"), ListColumn("part", "Report", facet=True))
"""As of the report for planning, one of whose columns is called as a part of a list once was."""


def asked(part=1, sort="", *, descending=False, **chosen):
    return Asked("/list", COLUMNS, chosen, sort, descending, part)


def rows(*names, state="new"):
    return [ListRow({"name": name, "state": state}) for name in names]


@pytest.mark.parametrize(
    ("part", "count", "before", "after", "told"),
    [
        (1, SIZE, "", "", f"1 to {SIZE} of {SIZE}"),
        (1, SIZE + 1, "", "/list?page=2", f"1 to {SIZE} of {SIZE + 1}"),
        (2, 2 * SIZE, "/list", "", f"{SIZE + 1} to {2 * SIZE} of {2 * SIZE}"),
        (3, 2 * SIZE + 1, "/list?page=2", "", f"{2 * SIZE + 1} to {2 * SIZE + 1} of {2 * SIZE + 1}"),
    ],
)
def test_each_part_leads_to_those_beside_it_and_to_no_empty_one(part, count, before, after, told):
    found = listing(asked(part), rows(*range(count)))

    assert (found["before"], found["after"]) == (before, after)
    assert told in found["told"]
    assert "there are more" in listing(asked(part), rows(*range(count)), whole=False)["told"]


def test_an_address_of_a_list_leads_where_it_says():
    there = {"type": "http", "path": "/list", "query_string": b"part=x&page=3", "headers": []}
    third = asked_of(Request(there), OF_PARTS)
    told = listing(third, [ListRow({"name": name, "part": "x"}) for name in range(SIZE * 4)])

    at = [urlsplit(told[way]).query.encode() for way in ("before", "after")]
    assert [asked_of(Request({**there, "query_string": one}), OF_PARTS).part for one in at] == [2, 4]
    assert [one["address"] for one in told["columns"]] == ["/list?part=x&sort=name", "/list?part=x&sort=part"]
    assert [one["address"] for one in told["files"]] == ["/list.csv?part=x", "/list.json?part=x"]
    assert (third.part, third.chosen, told["query"]) == (3, {"part": "x"}, "?part=x")


@pytest.mark.parametrize("descending", [False, True])
def test_numbers_come_by_size_then_texts_in_any_letters_then_nothing(descending):
    found = chosen_rows(asked(sort="name", descending=descending), rows("b", None, 10, "C", 9, "a", 9.5))

    assert [row.values["name"] for row in found][:: -1 if descending else 1] == [9, 9.5, 10, "a", "b", "C", None]


@pytest.mark.parametrize("name", ["sort", "page", "q"])
def test_no_column_has_the_name_of_a_parameter_of_every_list(name):
    with pytest.raises(ValueError, match=f"{name} is a parameter of every list"):
        ListColumn(name, "Name")


def test_what_leaves_one_value_can_be_taken_back_and_what_parts_nothing_is_no_choice():
    one, both = rows("a"), rows("a") + rows("b", state="old")

    assert listing(asked(), one)["facets"] == []
    assert [choice["text"] for choice in listing(asked(), both)["facets"][0]["choices"]] == ["All", "new", "old"]
    (facet,) = listing(asked(state="new"), one)["facets"]
    assert [(choice["chosen"], choice["address"]) for choice in facet["choices"]] == [
        (False, "/list"),
        (True, "/list?state=new"),
    ]


@pytest.mark.parametrize(
    ("shown", "kind"),
    [("30 November 2026, 18:43 GMT", "moment"), ("30 Tachwedd 2026, 18:43 GMT", "moment"), ("30 November 2026", "")],
)
def test_a_day_with_its_time_is_marked_so_that_it_stands_on_two_lines(shown, kind):
    (row,) = listing(asked(), [ListRow({"name": "2026-11-30T18:43:00Z", "state": ""}, {"name": shown})])["rows"]

    assert row[0]["class"] == kind
