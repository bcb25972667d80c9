from __future__ import annotations

import csv
import io
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adapters.reading.source import masked
from lrs.kernel.errors import Refused
from lrs.kernel.tables.cell import clean, is_error, neutral
from tests.kernel.tables.opened import cells, opened
from tests.rows import each_of


def write(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    return path


@each_of("encoding", ["utf-8", "utf-8-sig", "windows-1252", "utf-16", "utf-16-le", "utf-16-be"])
@each_of("delimiter", [",", ";", "\t", "|"])
def test_reads_every_encoding_and_delimiter_people_use(encoding, delimiter):
    text = f"Given names{delimiter}Town\r\nZoë{delimiter}Kraków\r\n" if "1252" not in encoding else ""
    text = text or f"Given names{delimiter}Town\r\nZoë{delimiter}Malmö \u2013 €\r\n"

    rows = cells(text.encode(encoding), "given_names town")

    town = "Malmö \u2013 €" if "1252" in encoding else "Kraków"
    assert rows == [{"given_names": "Zoë", "town": town}]


def test_a_file_that_turns_out_to_be_windows_1252_in_its_last_row_is_read_as_that(tmp_path):
    content = b"name\n" + (b"Anna" * 1_000 + b"\n") * 300 + "Zoë\n".encode("windows-1252")

    assert len(content) > 1 << 20  # more than is read at a time
    assert cells(write(tmp_path, content), "name")[-1] == {"name": "Zoë"}


@pytest.mark.parametrize("separator", ['"', "\r", " ", "\x00", "x"])
def test_a_sep_line_names_only_separators_that_tables_have(separator):
    """Python 3.13 refuses to read with others."""
    rows = cells(f"sep={separator}\nsex,evidence date\nf,2026-01-02\n".encode(), "sex evidence_date")

    assert rows == [{"sex": "f", "evidence_date": "2026-01-02"}]


def test_headers_and_cells_lose_blanks_and_case_and_excels_sep_line():
    rows = cells(b"sep=;\r\n Sex ; Evidence  Date\xc2\xa0\r\n f ;\t2026-01-02 \r\n", "sex evidence_date")

    assert rows == [{"sex": "f", "evidence_date": "2026-01-02"}]


def test_blank_lines_before_the_header_and_between_rows_are_passed_over_but_counted(tmp_path):
    path = tmp_path / "file.csv"
    path.write_bytes(b"\n,,\na,b\n1,2\n\n,\n3,4\n")

    assert [(row.place.row, dict(row.cells)) for row in opened(path, "a b").rows()] == [
        (4, {"a": "1", "b": "2"}),
        (7, {"a": "3", "b": "4"}),
    ]


def test_a_column_that_comes_twice_is_one_column_unless_it_says_two_things(tmp_path):
    path = tmp_path / "file.csv"
    path.write_bytes(b"ULN,ULN \n1,\n,2\n3,3\n4,5\n")

    rows = list(opened(path, "uln").rows())

    assert [row.cells["uln"] for row in rows] == ["1", "2", "3", "5"]
    assert [row.doubled for row in rows] == [(), (), (), ("uln",)]


def test_a_row_with_more_cells_than_headers_has_its_trouble_and_the_next_one_is_read(tmp_path):
    path = tmp_path / "file.csv"
    path.write_bytes(b"a,b\n1,2,3\n4,5,,\n")

    first, second = opened(path, "a b").rows()

    assert first.trouble is not None
    assert first.trouble.code == "too_many_cells"
    assert second.trouble is None


def test_an_open_quotation_mark_costs_rows_but_neither_the_file_nor_memory(tmp_path):
    path = tmp_path / "file.csv"
    path.write_bytes(b'a,b\n1,2\n3,"open\n' + b"x,y\n" * 50_000 + b"8,9\n")

    rows = list(opened(path, "a b").rows())

    assert dict(rows[0].cells) == {"a": "1", "b": "2"}
    assert rows[1].trouble is not None
    assert rows[1].trouble.code == "cell_too_long"
    assert dict(rows[-1].cells) == {"a": "8", "b": "9"}


def test_a_quotation_that_is_never_closed_is_no_cell():
    rows = list(opened(b'a,b\n1,"5"" pipe"\n2,7" pipe\n3,"open\n4,5\n', "a b").rows())

    assert [(row.place.row, row.cells.get("b"), row.trouble and row.trouble.code) for row in rows] == [
        (2, '5" pipe', None),
        (3, '7" pipe', None),
        (4, None, "open_quote"),
    ]
    with pytest.raises(Refused, match=r"row 1 of the file: a quotation mark is never closed"):
        opened(b'a,"b\n1,2\n', "a b")


def test_a_cell_over_several_lines_is_one_row_as_a_spreadsheet_counts(tmp_path):
    path = tmp_path / "file.csv"
    path.write_bytes(b'a,b\n"one\ntwo",2\n3,4\n')

    assert [(row.place.row, row.cells["a"]) for row in opened(path, "a b").rows()] == [(2, "one\ntwo"), (3, "3")]


def test_an_empty_file_is_refused():
    with pytest.raises(Refused, match="empty"):
        opened(b"\r\n\r\n", "a")


def test_a_file_over_the_limit_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "file.csv"
    with path.open("wb") as file:
        file.truncate(257 * 1024 * 1024)

    with pytest.raises(Refused, match="split it") as refusal:
        opened(path, "a")

    assert refusal.value.status == 413


def test_a_file_with_more_rows_than_the_limit_is_refused_whole(monkeypatch):
    monkeypatch.setattr("lrs.kernel.tables.opening.MAX_ROWS", 2)

    assert len(cells(b"a\n1\n\n2\n\n", "a")) == 2
    with pytest.raises(Refused, match="more than 2 rows: split it") as refusal:
        opened(b"a\n1\n\n2\n3\n", "a")

    assert (refusal.value.status, refusal.value.error) == (413, "file_too_large")


def test_blank_lines_are_no_rows_and_not_without_end(monkeypatch):
    monkeypatch.setattr("lrs.kernel.tables.opening.MAX_LINES", 6)

    assert cells(b"a\n\n\n\n\n1\n", "a") == [{"a": "1"}]
    with pytest.raises(Refused, match="more than 6 rows: split it") as refusal:
        opened(b"a\n\n\n\n\n\n1\n", "a")

    assert (refusal.value.status, refusal.value.error) == (413, "file_too_large")


def walked_peak(path: Path) -> tuple[int, int]:
    tracemalloc.start()
    count = sum(1 for _ in opened(path, "a b c d e").rows())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return count, peak


def big_file(path: Path, rows: int) -> None:
    line = ("x" * 600 + ",") * 4 + "end\n"
    with path.open("w") as file:
        file.write("a,b,c,d,e\n")
        file.writelines(line for _ in range(rows))


def test_memory_does_not_grow_with_the_file(tmp_path):
    big_file(tmp_path / "big.csv", 5_000)

    count, peak = walked_peak(tmp_path / "big.csv")

    assert (tmp_path / "big.csv").stat().st_size > 12_000_000
    assert count == 5_000
    assert peak < 6_000_000


@each_of(
    ("cell", "cleaned"),
    [
        ('="0123456789"', "0123456789"),
        ("'0123", "0123"),
        ("'=1+1", "=1+1"),
        ("'t Hooft", "'t Hooft"),
        ("\ufeff x\u00a0", "x"),
        ("\u200e03\u200e/\u200e11\u200e/2026", "03/11/2026"),
        ("\u200f03/11/2026", "03/11/2026"),
        ("A\u200b12\u00ad", "A12"),
        ("pat\u2060@\ufeffcollege.example", "pat@college.example"),
        ("\u05d0\u200f(b)", "\u05d0\u200f(b)"),
        ("\u06a9\u200c\u06cc", "\u06a9\u200c\u06cc"),
    ],
)
def test_what_spreadsheets_add_is_taken_off(cell, cleaned):
    assert clean(cell) == cleaned


@each_of(
    "cell",
    [
        "#N/A",
        "#n/a",
        "#REF!",
        "#DIV/0!",
        "#NAME?",
        "#NV",
        "#WERT!",
        "#VALEUR!",
        "#¡DIV/0!",
        "#N/D",
        "########",
        "Err:502",
    ],
)
def test_what_a_failed_formula_leaves_behind_is_noticed_in_every_language(cell):
    assert is_error(cell)


@each_of("cell", ["#1 priority", "#", "# note", "#REF", "##", "N/A", "#lab", "C#", ""])
def test_what_only_begins_like_an_error_value_is_none(cell):
    assert not is_error(cell)


@each_of(
    ("cell", "codes"),
    [
        ("=1+1", ["formula"]),
        (" =SUM(A1)", ["formula"]),
        ("'=1", ["formula"]),
        ('="012"', []),
        ("-2(a) check", []),
        ("+44(0) call", []),
        ("@home", []),
        ("a=b", []),
    ],
)
def test_only_an_equals_sign_makes_a_formula_in_a_csv(cell, codes):
    content = f'a\n"{cell.replace(chr(34), chr(34) * 2)}"\n'

    (row,) = opened(content.encode(), "a").rows()

    assert [fault.code for fault in row.faults.values()] == codes


def test_masking_keeps_the_shape_and_nothing_else():
    assert masked("1.23E+09") == "9.99x+99"
    assert masked("Zoë Smith-42") == "xxx xxxxx-99"
    assert masked("K1\r\nS2\u2028x") == "x9  x9 x"
    assert len(masked("secret" * 100)) == 40


def test_a_constant_fills_what_the_file_leaves_empty_and_replaces_nothing():
    file = b"first,second\n1,\n2,here\n"

    assert cells(file, "first second third", constants={"second": "given", "third": "3"}) == [
        {"first": "1", "second": "given", "third": "3"},
        {"first": "2", "second": "here", "third": "3"},
    ]


def test_what_a_spreadsheet_would_compute_stands_behind_an_apostrophe():
    assert [neutral(f"{sign}1") for sign in "=+-@\t\r"] == [f"'{sign}1" for sign in "=+-@\t\r"]
    assert neutral("1=1") == "1=1"


SAFE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=20).map(str.strip)


@example(rows=[("", "", "a,=")], delimiter=",", bom=False)
@given(rows=st.lists(st.tuples(SAFE, SAFE, SAFE), max_size=8), delimiter=st.sampled_from(",;\t"), bom=st.booleans())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_safely_is_read_as_it_was(tmp_path, rows, delimiter, bom):
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter)
    writer.writerows([["first", "second", "third"], *([neutral(cell) for cell in row] for row in rows)])
    path = tmp_path / "round.csv"
    path.write_bytes(buffer.getvalue().encode("utf-8-sig" if bom else "utf-8"))

    got = [tuple(row.cells.values()) for row in opened(path, "first second third").rows()]

    expected = [tuple(clean(cell) for cell in row) for row in rows]
    assert got == [row for row in expected if any(row)]
    written = csv.reader(io.StringIO(buffer.getvalue(), newline=""), delimiter=delimiter)
    assert not [cell for line in written for cell in line if cell[:1] in {"=", "@", "+", "-"}]


@given(content=st.binary(max_size=400))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_are_a_crash(tmp_path, content):
    path = tmp_path / "noise.csv"
    path.write_bytes(b"a,b\n" + content)

    with suppress(Refused):
        for row in opened(path, "a b").rows():
            assert row.trouble is not None or any(row.cells.values())


def test_a_line_above_the_header_that_has_swallowed_rows_stops_the_file():
    with pytest.raises(Refused, match="row 1 of the file: a cell is longer than 131072 characters"):
        opened(b'"' + b"a,b\n" * 40_000, "a b")


def test_an_encoding_of_the_mapping_profile_that_fits_nothing_is_refused():
    with pytest.raises(Refused, match="cannot be read as utf-16: name another encoding"):
        opened(b"a\n1\n", "a", encoding="utf-16")


def test_a_line_that_never_ends_is_refused_before_it_is_held():
    with pytest.raises(Refused, match="a line is longer than 4194304 characters"):
        opened(b"a\n" + b"x" * 5_000_000, "a")
