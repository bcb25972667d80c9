"""How small files are read as tables, told whole: what they are, their header, every row, and what is said of them."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from lrs.kernel.tables import archive, cell, delimited, elements, heads, json_rows, opening, package
from lrs.kernel.tables import header as header_of
from lrs.kernel.tables.heads import heads_of
from lrs.kernel.tables.notes import notes_on
from lrs.kernel.tables.opening import open_table
from lrs.kernel.tables.row import Row
from lrs.kernel.tables.sort import is_xml, zipped_xml
from tests.kernel.tables.test_sorts import DOCX, ODS, ODT, PPTX, XLSB
from tests.kernel.tables.test_sorts import archive as zipped
from tests.kernel.tables.written import formats, renamed, text, workbook
from tests.told.story import Story, inline, tried

KNOWN = header_of.headers_of({"name": ("full name", "learner"), "day": ("date",), "score": ("mark",)}, comments=True)
DATED = KNOWN._replace(dated=frozenset({"day"}), own=frozenset({"notes"}))
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100)
FIRST = "name,day,score\n"


def of_text(*lines: str, encoding: str = "utf-8") -> bytes:
    return "\n".join(lines).encode(encoding)


TEXTS: dict[str, bytes] = {
    "plain": of_text("name,day,score", "Ann,1 May,7", "Ben,2 May,8", ""),
    "no end of line": of_text("name,day,score", "Ann,1 May,7"),
    "cut off": of_text("name,day,score", "Ann,1 May,7", "Ben,2"),
    "a short row that ends": of_text("name,day,score", "Ann,1 May,7", "Ben,2", ""),
    "semicolons and sep": of_text("sep=;", "name;day;score", "Ann;1,5;7"),
    "SEP in capitals": of_text("SEP=|", "name|day|score", "Ann|1|7"),
    "tabs": of_text("name\tday\tscore", "Ann\t1\t7"),
    "bars": of_text("name|day|score", "Ann|1|7"),
    "other names of columns": of_text("Full Name, Date ,MARK,notes,Colour", "Ann,1,7,n,red"),
    "a title above": of_text("Marks of May", "", "name,day,score", "Ann,1,7"),
    "comments": of_text("# made up", "name,day,score", "#", "#1,2,3", "# x,y", "#N/A,1,2", "Ann,1,7"),
    "the header again": of_text("name,day,score", "Ann,1,7", "name,day,score", "Ben,1,8"),
    "another table below": of_text("name,day,score,x", "Ann,1,7,", "score,day,name,x", "Ben,1,8,"),
    "two headers below": of_text(
        "name,day,score,x", "Ann,1,7,", "day,name,score", "B,1,2", "name,day,score,x", "C,1,2,"
    ),
    "blank lines": of_text("", "name,day,score", ",,", "Ann,1,7", "", "Ben,2,8"),
    "too many cells": of_text("name,day,score", "Ann,1,7,9", "Ben,1,7,", "Cay,1"),
    "an open quotation": of_text("name,day,score", 'Ann,"1,7', "Ben,2,8", ""),
    "an open quotation above": of_text('"name,day,score', "Ann,1,7"),
    "a cell over two lines": of_text("name,day,score", '"Ann\nLee",1,7', "Ben,2,8"),
    "a column twice": of_text("name,score,mark", "Ann,7,7", "Ben,7,8", "Cay,,8", "Dee,7,"),
    "formulas": of_text("name,day,score", "=A1,1,7", '"=""07""",\'=x,\'07'),
    "values that failed": of_text("name,day,score", "#REF!,####,#DIV/0!", "Err:508,#N/A,#BEZUG!", "#1,#x,E"),
    "invisible": of_text("name,day,score", "\u200bAnn\u00ad,\u200e1\u200f,\u00a07\u3000", "\u05d0\u200f1,2,3"),
    "a long cell": of_text("name,day,score", f"{'x' * 32_767},1,{'x' * 32_768}"),
    "zero bytes": of_text("name,day,score", "Ann,1,7", "B\x00n,2,8", "\x00\x00"),
    "bytes that are no UTF-8": of_text("name,day,score", "Änn,1,7", "Bén,1,7") + b"\nC\xe9,1,2",
    "Windows-1252": of_text("name,day,score", "Änn,1,7", encoding="cp1252"),
    "Windows-1252 with a line in UTF-8": of_text("name,day", "é,1", "é,2", "é,3", encoding="cp1252") + b"\n\xc3\xa9,1",
    "no word of the west": of_text("name,day,score", "ÀÁÂÃ,1,7", "ÀÁÂ,1,7", encoding="cp1252"),
    "UTF-8 with its mark": b"\xef\xbb\xbf" + of_text("name,day,score", "Ann,1,7"),
    "UTF-16 with its mark": of_text("name,day,score", "Ann,1,7", encoding="utf-16"),
    "UTF-16 without": of_text("name,day,score", "Ann,1,7", encoding="utf-16-le"),
    "UTF-16, large end first": of_text("name,day,score", "Ann,1,7", encoding="utf-16-be"),
    "UTF-32": of_text("name,day,score", "Ann,1,7", encoding="utf-32"),
    "no header": of_text("a,b", "1,2"),
    "a long header": of_text(f"{'n' * 300},day", "Ann,1"),
    "blanks": b" \r\n \x00",
}
RECORDS: dict[str, bytes] = {
    "a list": b'[{"name": "Ann", "day": 1, "score": 7.5}, {"name": "Ben", "day": null}]',
    "lines": b'{"name": "Ann"}\n\n{"name": "Ben", "day": true}\n',
    "lines with a fault": b'{"name": "Ann"}\n{"name": }\n{"name": "Ben"}',
    "inside": b'{"count": 2, "data": {"rows": [{"name": "Ann"}, {"name": "Ben"}]}}',
    "three deep": b'{"a": {"b": {"c": [{"name": "Ann"}]}}}',
    "four deep": b'{"a": {"b": {"c": {"d": [{"name": "Ann"}]}}}}',
    "two lists": b'{"b": [{"name": "Ann"}], "a": [{"name": "Ben"}]}',
    "two lists of one place": b'{"a/b": [{"name": "Ann"}], "a": {"b": [{"name": "Ben"}]}}',
    "no list": b'{"name": "Ann"}',
    "an empty list": b"[ ]",
    "no records": b'["Ann", "Ben"]',
    "not only records": b'[{"name": "Ann"}, "Ben", [1]]',
    "nested": b'[{"name": {"first": "Ann"}, "score": [1, true, null, "x"], "day": [{"x": 1}]}]',
    "nested lists": b'[{"name": "Ann", "score": [[1]], "day": []}]',
    "with its mark": b'\xef\xbb\xbf [{"name": "Ann"}]',
    "with a fault": b'[{"name": "Ann", "day": 01}]',
    "nothing known": b'[{"a": 1}]',
}
OTHERS: dict[str, bytes] = {
    "password": OLE + "EncryptedPackage".encode("utf-16-le"),
    "xls": OLE + "Workbook".encode("utf-16-le"),
    "xls, older": OLE + "Book".encode("utf-16-le"),
    "doc": OLE + "WordDocument".encode("utf-16-le"),
    "ole": OLE,
    "oldest": b"\x09\x08\x08\x00",
    "pdf": b"%PDF-1.7",
    "rtf": b"{\\rtf1",
    "mhtml": b"MIME-Version: 1.0",
    "gzip": gzip.compress(b"x", mtime=0),
    "7z": b"7z\xbc\xaf\x27\x1c",
    "rar": b"Rar!",
    "bzip2": b"BZh9",
    "xz": b"\xfd7zXZ",
    "zstd": b"\x28\xb5\x2f\xfd",
    "png": b"\x89PNG",
    "jpeg": b"\xff\xd8\xff",
    "gif": b"GIF89a",
    "parquet": b"PAR1",
    "sqlite": b"SQLite format 3\x00",
    "spreadsheet of 2003": b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
    "ilr": b'<Message xmlns="ESFA/ILR/2025-26">',
    "html": b"<!DOCTYPE html><p>",
    "html in xml": b"<?xml version='1.0'?><html>",
    "xml": b"<a>",
    "noise": bytes(range(1, 32)) * 4,
    "ods": ODS,
    "odt": ODT,
    "xlsb": XLSB,
    "docx": DOCX,
    "pptx": PPTX,
    "numbers": zipped(**{"Index.zip": "x"}),
    "numbers, newer": zipped(**{"Index/a.iwa": "x"}),
    "zip": zipped(**{"a.csv": "x"}),
    "zip of xml": zipped(**{"a.xml": "<a/>"}),
    "cut off zip": zipped(**{"a.csv": "x"})[:40],
}


def number(place: str, value: str, style: int = 0) -> str:
    return f'<c r="{place}" s="{style}"><v>{value}</v></c>'


HEADS = text("A1", "name") + text("B1", "day") + text("C1", "score")
CODES = ("dd/mm/yyyy", "hh:mm", "[h]:mm", "0%", "0.00", "0000", "d mmm yy", "@", "yyyy-mm-dd hh:mm")
BOOKS: dict[str, bytes] = {
    "numbers by their formats": workbook(
        HEADS,
        *(text(f"A{2 + at}", code) + number(f"B{2 + at}", "46000.5", 1 + at) for at, code in enumerate(CODES)),
        styles=formats(*CODES),
    ),
    "small numbers by their formats": workbook(
        HEADS,
        *(text(f"A{2 + at}", code) + number(f"C{2 + at}", "0.75", 1 + at) for at, code in enumerate(CODES)),
        styles=formats(*CODES),
    ),
    "sorts of cells": workbook(
        HEADS,
        '<c r="A2" t="b"><v>1</v></c><c r="B2" t="e"><v>#REF!</v></c><c r="C2" t="s"><v>1</v></c>',
        '<c r="A3" t="b"><v>0</v></c><c r="B3" t="str"><f>A1</f><v>x</v></c>',
        '<c r="A4"><v></v></c><c r="B4"><f>1+1</f></c><c r="C4" t="s"><v>0</v></c>',
        strings="<si><t>One</t></si><si><r><t>T</t></r><r><t>wo</t></r><rPh><t>no</t></rPh></si>",
    ),
    "a text that is not there": workbook(HEADS, '<c r="A2" t="s"><v>9</v></c>', strings="<si><t>One</t></si>"),
    "a day as a text": workbook(HEADS, '<c r="A2" t="d"><v>2026-05-01</v></c>'),
    "merged": workbook(
        HEADS,
        text("A2", "Ann") + number("C2", "7"),
        number("C3", "8"),
        after='<mergeCells><mergeCell ref="A2:A3"/></mergeCells>',
    ),
    "hidden columns and cells beside": workbook(HEADS, text("A2", "Ann") + text("F2", "beside")),
    "gaps": workbook(HEADS, "", number("C3", "7") + text("D3", ""), ""),
    "no content types": renamed(workbook(HEADS), "[Content_Types].xml", ""),
    "parts in capitals": renamed(workbook(HEADS), "xl/_rels/workbook.xml.rels", "XL/_RELS/WORKBOOK.XML.RELS"),
    "no sheet": renamed(workbook(HEADS), "xl/sheet.xml", ""),
    "no book": renamed(workbook(HEADS), "xl/workbook.xml", ""),
    "a document type": workbook(f"{HEADS}<!DOCTYPE a>"),
    "not closed": workbook(f"{HEADS}<a>"),
    "no header": workbook(text("A1", "a")),
}


def row(one: Row) -> str:
    """A row: its cells, what else they hold, and what is wrong."""
    more = [f"{name} is {value!r}" for name, value in one.values.items()]
    more += [f"twice {name}" for name in one.doubled]
    more += [f"{name} {fault.code} {inline(cut(fault.value))} {fault.message}" for name, fault in one.faults.items()]
    more += [f"TROUBLE {one.trouble.code} {one.trouble.message}"] if one.trouble else []
    cells = {name: cut(value) for name, value in one.cells.items()}
    return "; ".join([f"{one.place.sheet} {one.place.row}".strip() + f" {inline(cells)}", *more])


def cut(value: str) -> str:
    return value if len(value) <= 60 else f"{value[:9]}… of {len(value)}"


def read(source: bytes, **more: Any) -> str:
    table = open_table(source, KNOWN, **more)
    return "\n".join([*notes_on(table), f"columns {list(table.columns)}", *map(row, table.rows())])


def told_of(files: dict[str, bytes]) -> str:
    story = Story()
    for what, content in files.items():
        story.head(what)
        story.say(tried(partial(read, content), str))
        story.say(f"heads: {tried(partial(heads_of, content, KNOWN), lambda found: inline(found.sheets))[:300]}")
    return str(story)


def test_how_texts_are_read(told: Any) -> None:
    told(told_of(TEXTS), "texts", is_tidy=True)
    told(told_of(RECORDS), "json", is_tidy=True)
    told(told_of(BOOKS), "books", is_tidy=True)


def test_what_is_no_table(told: Any) -> None:
    story = Story()
    for what, content in (OTHERS | {"a table": TEXTS["plain"], "a book": BOOKS["merged"]}).items():
        xml = "".join([" (XML)" * is_xml(content), " (zipped XML)" * zipped_xml(content)])
        story.say(f"{what}{xml}: {tried(partial(read, content), lambda _: 'read')}")
    told(str(story), is_tidy=True)


def test_what_is_said_of_more_than_one_file_or_word(told: Any) -> None:
    story = Story()
    acts: dict[str, Callable[[], str]] = {
        "constants": partial(read, TEXTS["a column twice"], constants={"day": "1 May", "name": "Nobody"}),
        "an encoding that is named": partial(read, "name,day\né,1".encode("cp1252"), encoding="cp850"),
        "one that nothing is": partial(read, b"name,day\n\x00", encoding="utf-16"),
        "a separator that is named": partial(read, b"name;day,score\nA;1,2", delimiter=";"),
        "dates where there are none": lambda: "\n".join(
            row(one) for one in open_table(BOOKS["numbers by their formats"], DATED).rows()
        ),
        "a column of our own": lambda: inline(notes_on(open_table(TEXTS["other names of columns"], DATED))),
        "one sheet": lambda: inline(notes_on(open_table(BOOKS["merged"], KNOWN).first_sheet())),
        "its header": lambda: inline(open_table(TEXTS["other names of columns"], KNOWN).sheets[0].header[:4]),
        "its counts": lambda: inline(replace(open_table(TEXTS["comments"], KNOWN).sheets[0], header=None)),
    }
    for what, act in acts.items():
        story.head(what)
        story.say(tried(act, str))
    told(str(story), is_tidy=True)


def test_cells_alone(told: Any) -> None:
    story = Story()
    for one in ("=A1", "+1", "-1", "@x", "\tx", "\rx", "x", "'", "1=2", ""):
        story.say(f"neutral {one!r}: {cell.neutral(one)!r}")
    for one in (
        *(
            "a",
            " a  b ",
            "a\nb",
            "x" * 60,
            "x" * 61,
            '="07"',
            "'7",
            "'x",
            "'=x",
            "='x",
            "a\u200bb",
            "\ufeffa",
            "\u202ea",
        ),
        *("\u202e\u05d0", "##", "#", "# a", "#1", "#a", "#N/A", "Err:502", "Err:50", "E", "#¡REF!", "####"),
    ):
        fault = cell.fault_of(one)
        story.say(
            f"{one[:9]!r}: clean {cut(cell.clean(one))!r} spoken {cut(cell.spoken(one))!r}"
            f" comment {cell.is_comment([one])} beside one {cell.is_comment([one, 'b'])} fault {fault and fault.message}"
        )
    for one in ("Start Date", "start_date", "StartDate", "Straße", "É", "№ 1", "%"):
        story.say(f"folded {one}: {header_of.fold(one)}")
    told(str(story), is_tidy=True)


SMALL: tuple[tuple[str, Any, str, int, bytes, bytes], ...] = (
    ("depth", elements, "MAX_DEPTH", 6, workbook(HEADS), workbook(HEADS + "<a><b><c><d/></c></b></a>")),
    ("rows", opening, "MAX_ROWS", 1, of_text(FIRST + "A,1,2"), of_text(FIRST + "A,1,2\nB,1,2")),
    ("lines", opening, "MAX_LINES", 2, of_text(FIRST + "A,1,2"), of_text(FIRST + "A,1,2\n\n")),
    ("a line", delimited, "MAX_LINE", 20, of_text(FIRST + "A" * 18), of_text(FIRST + "A" * 20)),
    ("columns of records", json_rows, "MAX_COLUMNS", 1, b'[{"name": 1}]', b'[{"name": 1, "day": 2}]'),
    ("bytes of records", json_rows, "MAX_BYTES", 13, b'[{"name": 1}]', b'[{"name": 12}]'),
    ("the directory", archive, "MAX_DIRECTORY", 600, workbook(HEADS), zipped(**{f"{n:099}": "x" for n in range(9)})),
    ("cells", opening, "MAX_CELLS", 6, of_text(FIRST + "A,1,2"), of_text(FIRST + "A,1,2\n,")),
    ("what it unpacks to", package, "MAX_UNPACKED", 1_500, workbook(HEADS), workbook(HEADS + text("A2", "x" * 300))),
    ("and anyway", package, "UNPACKED_ANYWAY", 10, workbook(HEADS), workbook(HEADS + text("A2", "x" * 900_000))),
)


def test_limits_of_tables(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story()
    for what, module, name, most, fits, more in SMALL:
        value = getattr(module, name)
        with monkeypatch.context() as patched:
            patched.setattr(module, name, most)
            said = [tried(partial(read, one), lambda _: "read") for one in (fits, more)]
        story.say(f"{what}: at most {value}; with {most}", *(f"    {one}" for one in said))
    for what, name, most in (("headers", "MOST_HEADERS", 2), ("a header", "_LONGEST", 4), ("lead", "MAX_LEADING", 1)):
        value = getattr(heads, name)
        with monkeypatch.context() as patched:
            patched.setattr(heads, name, most)
            story.say(f"{what}: {value}; with {most} {heads_of(of_text('', FIRST), KNOWN).headers}")
    story.say(f"sheets looked at: {heads.MOST_SHEETS}, parts of a book: {package.MAX_UNPACKED} bytes")
    told(str(story), is_tidy=True)
