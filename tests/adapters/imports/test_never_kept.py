"""Tables with ethnicity, disability, National Insurance number or prior address: nothing of these is kept."""

import codecs
import json
from collections import Counter
from dataclasses import replace
from io import BytesIO

import pytest
from openpyxl import Workbook

from adapters.imports.here import try_here
from adapters.imports.run import Order
from adapters.imports.sources import SOURCES
from adapters.reading.never_kept import is_never_kept, never_kept
from lrs.composition.kinds import TENANT
from lrs.kernel.errors import Refused
from lrs.kernel.times import DAY
from lrs.work.sweep import sweep_blobs
from tests.adapters.apprenticeship.returns import uln
from tests.adapters.conftest import by_job
from tests.kept import bytes_below

SECRETS = ("QQ123456C", "ZZ9 9ZZ", "white and marker", "dyslexia marker", "31-marker")
HEADERS = ["uln", "standard_ref", "standard_version", "start_date", "Ethnicity", "NI Number", "LLDD1", "Prior postcode"]
ROW = [uln(7_000), "ST1406", "1.0", "2025-09-15", "white and marker", "QQ123456C", "dyslexia marker", "ZZ9 9ZZ"]
TABLE = f"{','.join(HEADERS)}\n{','.join(ROW)}\n".encode()


def test_no_column_that_a_source_reads_is_one_of_them_and_their_names_are_known_in_any_writing():
    names = (
        "Ethnicity (aim2)",
        "NINumber",
        "National Insurance Number",
        "LLDDHealthProb",
        "PostcodePrior",
        "Disability?",
        "Learner Ethnicity",
        "Has disability",
    )

    assert never_kept(names) == list(names)
    assert [column for one in SOURCES.values() for column in one.columns if is_never_kept(column)] == []
    assert not any(
        map(
            is_never_kept,
            ("nickname", "notes", "unit", "postcode_district", "employer", "Disability awareness course date"),
        )
    )


def marked(tenant):
    return Counter(word for kept in bytes_below(tenant.settings.data) for word in SECRETS if word.encode() in kept)


def workbook(hidden=False):
    book = Workbook()
    sheet = book.create_sheet() if hidden else book.active
    for row in (HEADERS, ROW):
        sheet.append(row)
    if hidden:
        book.active.append(["uln", "standard_ref"])
        book.active.append([uln(7_000), "ST1406"])
        sheet.sheet_state = "hidden"
    made = BytesIO()
    book.save(made)
    return made.getvalue()


RECORDS = json.dumps([dict(zip(HEADERS, ROW, strict=True))], indent=1)
UNKNOWN = TABLE.replace(b"uln,standard_ref,standard_version,start_date", b"Rhif,Safon,Fersiwn,Dechrau")
WIDE = f"{','.join(map(str, range(400)))},{','.join(HEADERS)}\n{',' * 400}{','.join(ROW)}\n"
QUOTED = f'{",".join(HEADERS)}\n{uln(7_001)},ST1406,1.0,5" pipe,white and marker\n{",".join(ROW)}\n'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("file.csv", TABLE),
        ("file.csv", codecs.BOM_UTF8 + b"Ethnicity," + TABLE),
        ("file.csv", TABLE.decode().encode("utf-16")),
        ("file.csv", QUOTED.encode()),
        ("file.csv", UNKNOWN),
        ("file.csv", WIDE.encode()),
        ("file.json", RECORDS.encode()),
        ("file.xlsx", workbook()),
        ("file.xlsx", workbook(hidden=True)),
    ],
    ids=[
        *("csv", "first column after a mark", "utf-16", "a sign for inches", "no other known", "400 columns"),
        *("json", "workbook", "hidden sheet"),
    ],
)
def test_a_table_with_such_columns_is_refused_and_no_byte_of_them_stays(tenant, tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)

    job = by_job(tenant, Order("eportfolio", "north", path, name))
    for days in (2, 4):  # what nothing names any more goes within a day
        sweep_blobs(replace(tenant, clock=lambda days=days: tenant.clock() + days * DAY), TENANT)

    assert (job.state, job.blobs, job.problem.error) == ("refused", {}, "never_kept")
    assert "nothing of these columns may be kept here: Ethnicity" in job.problem.message
    assert marked(tenant) == Counter()


def test_it_is_refused_when_it_is_only_tried(tenant, tmp_path):
    path = tmp_path / "file.csv"
    path.write_bytes(TABLE)

    with pytest.raises(Refused, match="Delete them, and send the file again"):
        try_here(tenant, Order("training-centre", "north", path, "file.csv"))
