from __future__ import annotations

import csv
import io
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adapters import tables
from adapters.source import masked
from adapters.tables import CsvTable, clean, is_formula, neutral
from lrs.errors import Refused


def write(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    return path


def read(tmp_path: Path, content: bytes, **more) -> list[dict[str, str]]:
    return [dict(row.cells) for row in CsvTable(write(tmp_path, content), **more).rows()]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "windows-1252", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_reads_every_encoding_and_delimiter_people_use(tmp_path, encoding, delimiter):
    text = f"Given names{delimiter}Town\r\nZoë{delimiter}Kraków\r\n" if "1252" not in encoding else ""
    text = text or f"Given names{delimiter}Town\r\nZoë{delimiter}Malmö \u2013 €\r\n"

    rows = read(tmp_path, text.encode(encoding))

    town = "Malmö \u2013 €" if "1252" in encoding else "Kraków"
    assert rows == [{"given_names": "Zoë", "town": town}]


def test_a_file_that_turns_out_to_be_windows_1252_in_its_last_row_is_read_as_that(tmp_path):
    content = b"name\n" + b"Anna\n" * 240_000 + "Zoë\n".encode("windows-1252")

    assert read(tmp_path, content)[-1] == {"name": "Zoë"}


def test_headers_and_cells_lose_blanks_and_case_and_excels_sep_line(tmp_path):
    rows = read(tmp_path, b"sep=;\r\n Sex ; Evidence  Date\xc2\xa0\r\n f ;\t2026-01-02 \r\n")

    assert rows == [{"sex": "f", "evidence_date": "2026-01-02"}]


def test_blank_lines_before_the_header_and_between_rows_are_passed_over_but_counted(tmp_path):
    path = tmp_path / "file.csv"
    path.write_bytes(b"\n,,\na,b\n1,2\n\n,\n3,4\n")

    assert [(row.place.row, dict(row.cells)) for row in CsvTable(path).rows()] == [
        (4, {"a": "1", "b": "2"}),
        (7, {"a": "3", "b": "4"}),
    ]


def test_a_column_that_comes_twice_is_one_column_unless_it_says_two_things(tmp_path):
    path = tmp_path / "file.csv"
    path.write_bytes(b"ULN,ULN \n1,\n,2\n3,3\n4,5\n")

    rows = list(CsvTable(path).rows())

    assert [row.cells["uln"] for row in rows] == ["1", "2", "3", "5"]
    assert [row.doubled for row in rows] == [(), (), (), ("uln",)]


def test_a_row_with_more_cells_than_headers_has_its_trouble_and_the_next_one_is_read(tmp_path):
    path = tmp_path / "file.csv"
    path.write_bytes(b"a,b\n1,2,3\n4,5,,\n")

    first, second = CsvTable(path).rows()

    assert first.trouble is not None
    assert first.trouble.code == "too_many_cells"
    assert second.trouble is None


def test_an_open_quotation_mark_costs_rows_but_neither_the_file_nor_memory(tmp_path):
    path = tmp_path / "file.csv"
    path.write_bytes(b'a,b\n1,2\n3,"open\n' + b"x,y\n" * 50_000 + b"8,9\n")

    rows = list(CsvTable(path).rows())

    assert dict(rows[0].cells) == {"a": "1", "b": "2"}
    assert rows[1].trouble is not None
    assert rows[1].trouble.code == "cell_too_long"
    assert dict(rows[-1].cells) == {"a": "8", "b": "9"}


def test_a_quotation_that_is_never_closed_is_no_cell(tmp_path):
    rows = list(CsvTable(write(tmp_path, b'a,b\n1,"5"" pipe"\n2,7" pipe\n3,"open\n4,5\n')).rows())

    assert [(row.place.row, row.cells.get("b"), row.trouble and row.trouble.code) for row in rows] == [
        (2, '5" pipe', None),
        (3, '7" pipe', None),
        (4, None, "open_quote"),
    ]
    with pytest.raises(Refused, match=r"row 1 of the file: a quotation mark is never closed"):
        CsvTable(write(tmp_path, b'a,"b\n1,2\n'))


def test_a_cell_over_several_lines_is_one_row_as_a_spreadsheet_counts(tmp_path):
    path = tmp_path / "file.csv"
    path.write_bytes(b'a,b\n"one\ntwo",2\n3,4\n')

    assert [(row.place.row, row.cells["a"]) for row in CsvTable(path).rows()] == [(2, "one\ntwo"), (3, "3")]


def test_an_empty_file_is_refused(tmp_path):
    with pytest.raises(Refused, match="empty"):
        read(tmp_path, b"\r\n\r\n")


def test_a_file_over_the_limit_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "file.csv"
    with path.open("wb") as file:
        file.truncate(257 * 1024 * 1024)

    with pytest.raises(Refused, match="split it") as refusal:
        CsvTable(path)

    assert refusal.value.status == 413


def test_a_file_with_more_rows_than_the_limit_is_refused_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MAX_ROWS", 2)

    assert len(read(tmp_path, b"a\n1\n\n2\n\n")) == 2
    with pytest.raises(Refused, match="more than 2 rows: split it") as refusal:
        CsvTable(write(tmp_path, b"a\n1\n\n2\n3\n"))

    assert (refusal.value.status, refusal.value.error) == (413, "file_too_large")


def walked_peak(path: Path) -> tuple[int, int]:
    tracemalloc.start()
    count = sum(1 for _ in CsvTable(path).rows())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return count, peak


def big_file(path: Path, rows: int) -> None:
    line = ("x" * 600 + ",") * 4 + "end\n"
    with path.open("w") as file:
        file.write("a,b,c,d,e\n")
        file.writelines(line for _ in range(rows))


def test_memory_does_not_grow_with_the_file(tmp_path):
    big_file(tmp_path / "big.csv", 12_500)

    count, peak = walked_peak(tmp_path / "big.csv")

    assert (tmp_path / "big.csv").stat().st_size > 30_000_000
    assert count == 12_500
    assert peak < 6_000_000


@pytest.mark.parametrize(
    ("cell", "cleaned"),
    [
        ('="0123456789"', "0123456789"),
        ("'0123", "0123"),
        ("'=1+1", "=1+1"),
        ("'t Hooft", "'t Hooft"),
        ("\ufeff x\u00a0", "x"),
        ("a\x00b", "ab"),
    ],
)
def test_what_spreadsheets_add_is_taken_off(cell, cleaned):
    assert clean(cell) == cleaned


@pytest.mark.parametrize("cell", ["=1+1", "=HYPERLINK(A1)", "@SUM(A1)", "+cmd|' /C calc'!A0", "#REF!", "#N/A"])
def test_formulas_and_what_is_left_of_them_are_noticed(cell):
    assert is_formula(cell)


@pytest.mark.parametrize("cell", ["-2.5", "+44 20 7946 0000", "a=b", "- talk (intro)", "@home", "#1", ""])
def test_what_only_begins_like_a_formula_is_none(cell):
    assert not is_formula(cell)


def test_masking_keeps_the_shape_and_nothing_else():
    assert masked("1.23E+09") == "9.99x+99"
    assert masked("Zoë Smith-42") == "xxx xxxxx-99"
    assert len(masked("secret" * 100)) == 40


SAFE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=20).map(str.strip)


@example(rows=[("", "", "a,=")], delimiter=",", bom=False)
@given(rows=st.lists(st.tuples(SAFE, SAFE, SAFE), max_size=8), delimiter=st.sampled_from(",;\t"), bom=st.booleans())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_safely_is_read_as_it_was(tmp_path, rows, delimiter, bom):
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter)
    writer.writerows([["a", "b", "c"], *([neutral(cell) for cell in row] for row in rows)])
    path = tmp_path / "round.csv"
    path.write_bytes(buffer.getvalue().encode("utf-8-sig" if bom else "utf-8"))

    got = [tuple(row.cells[name] for name in "abc") for row in CsvTable(path).rows()]

    expected = [tuple(clean(cell) for cell in row) for row in rows]
    assert got == [row for row in expected if any(row)]
    written = csv.reader(io.StringIO(buffer.getvalue(), newline=""), delimiter=delimiter)
    assert not [cell for line in written for cell in line if cell[:1] in {"=", "@", "+", "-"}]


@given(content=st.binary(max_size=400))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_are_a_crash(tmp_path, content):
    path = tmp_path / "noise.csv"
    path.write_bytes(content)

    with suppress(Refused):
        for row in CsvTable(path).rows():
            assert row.trouble is not None or any(row.cells.values())
