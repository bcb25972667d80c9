"""Tables with ethnicity, disability, National Insurance number or prior address: nothing of these is kept."""

from collections import Counter
from io import BytesIO

import pytest
from openpyxl import Workbook

from adapters.imports.arriving_files import ArrivingFile, filtered
from adapters.imports.here import try_here
from adapters.imports.run import Order
from adapters.imports.sources import SOURCES
from adapters.reading.never_kept import is_never_kept, never_kept
from lrs.kernel.errors import Refused
from tests.adapters.apprenticeship.returns import uln
from tests.adapters.conftest import by_job

SECRETS = ("QQ123456C", "ZZ9 9ZZ", "white and marker", "dyslexia marker", "31-marker")
HEADERS = ["uln", "standard_ref", "standard_version", "start_date", "Ethnicity", "NI Number", "LLDD1", "Prior postcode"]
ROW = [uln(7_000), "ST1406", "1.0", "2025-09-15", "white and marker", "QQ123456C", "dyslexia marker", "ZZ9 9ZZ"]
TABLE = f"{','.join(HEADERS)}\n{','.join(ROW)}\n".encode()


def kept(content, *sizes):
    """What is kept of *content* that arrives in blocks of *sizes*, again and again."""
    blocks, at = [], 0
    while at < len(content):
        size = sizes[len(blocks) % len(sizes)] if sizes else len(content)
        blocks.append(content[at : at + size])
        at += size
    return b"".join(filtered(blocks, "eportfolio", "file.csv"))


def test_cells_of_such_columns_are_emptied_and_the_rest_stays():
    assert kept(TABLE) == f"{','.join(HEADERS)}\n{','.join(ROW[:4])},,,,\n".encode()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_they_are_emptied_in_any_encoding_with_any_delimiter_below_titles_and_in_any_blocks(encoding, delimiter):
    rows = ["A title", "", delimiter.join(['"Name, of ""all"""', "Ethnic origin", "Ort"])]
    rows += [delimiter.join([f'"Zoë\r\nSmith {n}"', "31-marker", "Köln"]) for n in range(700)]
    content = "\r\n".join(rows).encode(encoding)

    whole = kept(content)

    assert whole.decode(encoding).count("Köln") == 700
    assert "31-marker" not in whole.decode(encoding)
    assert whole.decode(encoding).startswith("\r\n".join(rows[:3]))
    assert kept(content, 1, 7, 4096) == kept(content, 50_000) == whole


def test_a_file_without_such_a_column_stays_as_it_was_sent_byte_for_byte():
    for content in (
        b'a,b\r\n1,"x""y"\n"open,3\n',
        b"\xff\xfeplain",
        b"PK\x03\x04zip",
        b"",
        b"a;b\r1;2\r",
        b"x\0y",
        b"\xe9,\x81\n",
    ):
        assert kept(content) == kept(content, 1) == content


def test_a_quotation_mark_that_is_not_closed_is_refused_and_not_waited_for():
    endless = b'1,"' + (b"x" * 999 + b"\n") * 2_200
    arriving = ArrivingFile("eportfolio", "file.csv")

    with pytest.raises(Refused, match="quotation mark is not closed"):
        kept(b"uln,ethnicity\n" + endless, 262_144)
    given = [len(arriving.feed((b"uln,note\n" + endless)[at : at + 100_000])) for at in range(0, 2_200_000, 100_000)]
    assert sum(given) > 1_000_000  # of a file without such columns no more than 1 MiB waits


def test_no_column_that_a_source_reads_is_one_of_them_and_their_names_are_known_in_any_writing():
    names = (
        "Ethnicity (aim2)",
        "NINumber",
        "National Insurance Number",
        "LLDDHealthProb",
        "PostcodePrior",
        "Disability?",
    )

    assert never_kept(names) == list(names)
    assert [column for one in SOURCES.values() for column in one.columns if is_never_kept(column)] == []
    assert not any(map(is_never_kept, ("nickname", "notes", "unit", "postcode_district", "employer")))


def marked(tenant):
    return Counter(
        word
        for path in tenant.settings.data.rglob("*")
        if path.is_file()
        for word in SECRETS
        if word.encode() in path.read_bytes()
    )


def workbook():
    book = Workbook()
    book.active.append(HEADERS)
    book.active.append(ROW)
    made = BytesIO()
    book.save(made)
    return made.getvalue()


@pytest.mark.parametrize("adapter", ["eportfolio", "das", "training-centre"])
def test_no_byte_below_the_data_folder_is_of_them_after_a_table_came_in(tenant, tmp_path, adapter):
    path = tmp_path / "file.csv"
    path.write_bytes(TABLE)

    job = by_job(tenant, Order(adapter, "north", path, "file.csv"))
    tried = try_here(tenant, Order(adapter, "north", path, "file.csv"))

    assert job.state == "done"
    assert tried.rows
    assert marked(tenant) == Counter()


def test_a_workbook_with_such_columns_is_refused_and_not_kept(tenant, tmp_path):
    path = tmp_path / "file.xlsx"
    path.write_bytes(workbook())

    job = by_job(tenant, Order("eportfolio", "north", path, "file.xlsx"))

    assert (job.state, job.blobs) == ("refused", {})
    assert (
        "nothing of these columns may be kept here: Ethnicity, NI Number, LLDD1, Prior postcode" in job.problem.message
    )
