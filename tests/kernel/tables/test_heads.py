"""What is told of the columns of a file before anybody has said what they mean."""

from __future__ import annotations

import io

import openpyxl

from lrs.kernel.tables.header import headers_of
from lrs.kernel.tables.heads import MAX_LEADING, MOST_HEADERS, MOST_SHEETS, heads_of
from tests.rows import each_of

KNOWN = headers_of({"name": (), "day": ()}, comments=False)


def book(*sheets):
    """A workbook; each of *sheets* is its title, its state, and its lines."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for title, state, lines in sheets:
        sheet = made.create_sheet(title)
        sheet.sheet_state = state
        for line in lines:
            sheet.append(line)
    written = io.BytesIO()
    made.save(written)
    return written.getvalue()


@each_of(
    "content, told, samples",
    [
        (
            b"Report of 2026,,\nName,Day,Extra\nAda,2026-11-02,x,y,z\n",
            [("", 2, ("Name", "Day", "Extra"))],
            {"Name": ("Ada",), "Day": ("2026-11-02",), "Extra": ("x",)},
        ),
        (
            b"Report\nWho, When \t it  was,,Who\nAda,2026-11-02,,\n",
            [("", 2, ("Who", "When it was"))],
            {"Who": ("Ada",), "When it was": ("2026-11-02",)},
        ),
        (b"sep=|\nName|Day,Extra\n", [("", 2, ("Name", "Day,Extra"))], {}),
        (b"a;b;c\n1,2;3;4\n", [("", 1, ("a", "b", "c"))], {"a": ("1,2",), "b": ("3",), "c": ("4",)}),
        (b"\n" * (MAX_LEADING - 1) + b"Name;Day\n", [("", MAX_LEADING, ("Name", "Day"))], {}),
        (b"\n" * MAX_LEADING + b"Name;Day\n", [], {}),
        (b"Name," + b"x" * 300 + b"\n", [("", 1, ("Name", "x" * 200))], {}),
        (
            b'[{"name": "Ada", "when": 1}, {"other": 2}]',
            [("", 0, ("name", "when", "other"))],
            {"name": ("Ada",), "when": ("1",), "other": ("2",)},
        ),
        (
            b"Name\n" + b"".join(b"%d\n" % (at // 2) for at in range(9)) + b"x" * 50,
            [("", 1, ("Name",))],
            {"Name": ("0", "1", "2")},
        ),
        (b"Day\n" + b"x" * 50 + b"\n", [("", 1, ("Day",))], {"Day": ("x" * 40,)}),
    ],
)
def test_of_a_text_the_line_with_the_most_known_headers_is_told_else_the_fullest(content, told, samples):
    found = heads_of(content, KNOWN)

    assert found.sort == ("json" if content.startswith(b"[") else "text")
    assert [head[:3] for head in found.sheets] == told
    assert found.samples == samples
    assert found.headers == tuple(cell for _, _, cells in told for cell in cells)


def test_of_a_workbook_each_visible_sheet_tells_its_own_and_a_header_that_two_have_is_listed_once():
    content = book(
        ("Cover", "visible", []),
        ("Secret", "hidden", [["Name", "Day"]]),
        ("Most secret", "veryHidden", [["Name", "Day"]]),
        ("One", "visible", [["Learners"], [], ["Name", None, "Day"]]),
        ("Two", "visible", [["Day", "Mark"], [1, 2], [1, 3]]),
    )

    found = heads_of(content, KNOWN)

    assert found.sort == "workbook"
    assert [head[:3] for head in found.sheets] == [("One", 3, ("Name", "Day")), ("Two", 1, ("Day", "Mark"))]
    assert found.samples == {"Day": ("1",), "Mark": ("2", "3")}
    assert found.headers == ("Name", "Day", "Mark")


def test_of_many_sheets_and_of_many_headers_the_first_are_told():
    wide = [f"c{at}" for at in range(MOST_HEADERS + 1)]
    content = book(("Wide", "visible", [wide]), *((f"S{at}", "visible", [["Name"]]) for at in range(MOST_SHEETS)))

    found = heads_of(content, KNOWN)

    assert [head.title for head in found.sheets] == ["Wide", *(f"S{at}" for at in range(MOST_SHEETS - 1))]
    assert found.headers == tuple(wide[:-1])
