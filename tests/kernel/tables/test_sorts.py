"""Files of another sort are refused by name, with what to do, whatever they are called."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest

from lrs.kernel.errors import Refused
from tests.kernel.tables.opened import cells, opened
from tests.rows import each_of

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


def archive(compression: int = zipfile.ZIP_STORED, **members: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        for name, content in members.items():
            # Without a time: it would name test cases differently in each process.
            packed.writestr(zipfile.ZipInfo(name.replace("__", "/")), content, compression)
    return made.getvalue()


ODS = archive(mimetype="application/vnd.oasis.opendocument.spreadsheet", content="x")
DOCX = archive(**{"[Content_Types].xml": "<x/>", "word/document.xml": "<x/>"})
PPTX = archive(**{"[Content_Types].xml": "<x/>", "ppt/presentation.xml": "<x/>"})
ODT = archive(mimetype="application/vnd.oasis.opendocument.text", content="x")
XLSB = archive(**{"[Content_Types].xml": "<x/>", "xl/workbook.bin": "x"})


@each_of(
    ("content", "what"),
    [
        (b"%PDF-1.7\n1 0 obj", "a PDF: ask for the table itself"),
        (b"\xef\xbb\xbf\r\n<!DOCTYPE html><html>", "a web page (HTML), whatever its name says: open it in Excel"),
        (b"<table><tr><td>a</td></tr></table>", "a web page (HTML)"),
        ("<html><table>".encode("utf-16"), "a web page (HTML)"),
        (b"MIME-Version: 1.0\r\nX: y\r\n", "a web page (MHTML)"),
        (
            b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
            "spreadsheet of 2003",
        ),
        (b'<?xml version="1.0"?><a/>', "XML: send the table"),
        (b'<Message xmlns="ESFA/ILR/2025-26">', "an ILR return (XML): send it for the adapter ilr"),
        (b'{"a": 1}', "no list of records: send"),
        (b"{\\rtf1 a}", "a text document (RTF)"),
        (OLE + "Workbook".encode("utf-16-le"), "an old Excel workbook (.xls): open it and save it as .xlsx"),
        (b"\x09\x08\x10\x00\x00\x06\x05\x00" + bytes(100), "an old Excel workbook (.xls)"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "a workbook with a password: save it without the password"),
        (OLE + "WordDocument".encode("utf-16-le"), "a Word document (.doc)"),
        (OLE, "an Office document of an old sort"),
        (ODS, "an OpenDocument spreadsheet (.ods): open it and save it as .xlsx"),
        (DOCX, "a Word document (.docx): copy its table"),
        (PPTX, "a presentation (.pptx): copy its table into a workbook"),
        (ODT, "an OpenDocument file: open it and save it as .xlsx"),
        (XLSB, "a binary workbook (.xlsb)"),
        (archive(**{"Index/Document.iwa": "x"}), "a Numbers document: export it"),
        (archive(**{"a.csv": "a\n1\n"}), "a zip archive without a workbook: unpack it"),
        (archive(), "a zip archive without a workbook"),
        (gzip.compress(b"a\n1\n", mtime=0), "a compressed file (gzip): unpack it"),
        (b"7z\xbc\xaf\x27\x1c", "a compressed file (7z)"),
        (b"Rar!\x1a\x07", "a compressed file (RAR)"),
        (b"BZh91AY&SY", "a compressed file (bzip2)"),
        (b"\xfd7zXZ\x00", "a compressed file (xz)"),
        (b"\x28\xb5\x2f\xfd", "a compressed file (zstd)"),
        (b"\x89PNG\r\n\x1a\n", "a picture (PNG)"),
        (b"\xff\xd8\xff\xe0", "a picture (JPEG)"),
        (b"GIF89a", "a picture (GIF)"),
        (b"PAR1", "a Parquet file: export it as CSV"),
        (b"SQLite format 3\x00" + bytes(20), "a database (SQLite)"),
        (bytes(range(256)) * 20, "no text and no workbook"),
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf\r\n \r\n", "the file is empty"),
        (bytes(3000), "the file is empty"),
    ],
)
def test_what_is_no_table_is_named(content, what):
    with pytest.raises(Refused) as refused:
        opened(content, "a")

    assert what in refused.value.message
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04rest", archive(a="b" * 99)[:40], archive(**{"[Content_Types].xml": "<"})]
)
def test_a_workbook_that_is_damaged_or_cut_off_is_refused(content):
    with pytest.raises(Refused, match="damaged") as refused:
        opened(content, "a")

    assert refused.value.error == "bad_workbook"


def test_an_archive_whose_packed_bytes_are_damaged_is_refused():
    whole = bytearray(archive(zipfile.ZIP_DEFLATED, mimetype="application/vnd.oasis.opendocument.spreadsheet" * 3))
    first = 30 + len("mimetype")
    whole[first : first + 6] = b"\xff" * 6

    with pytest.raises(Refused, match="damaged") as refused:
        opened(bytes(whole), "a")

    assert refused.value.error == "bad_workbook"


@pytest.mark.parametrize("text", ["<5 degrees,a\nx,1\n", "[x],a\n1,2\n", "{a},a\n1,2\n"])
def test_a_table_may_begin_with_any_sign(text):
    assert cells(text.encode(), "a")[0]["a"] in {"1", "2"}
