"""Workbooks written by hand, as programs write them that openpyxl does not imitate."""

from __future__ import annotations

import io
import zipfile

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/"


def workbook(*rows: str, styles: str = "", strings: str = "", after: str = "") -> bytes:
    """A workbook of one sheet; each of *rows* is the XML of its cells, *after* stands behind them."""
    numbered = "".join(f'<row r="{number}">{cells}</row>' for number, cells in enumerate(rows, 1))
    related = "".join(
        f'<Relationship Id="{name}" Type="{_OFFICE}/{kind}" Target="{name}.xml"/>'
        for name, kind in (("sheet", "worksheet"), ("styles", "styles"), ("strings", "sharedStrings"))
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}relationships"><Relationship Id="a"'
        f' Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="S" sheetId="1" r:id="sheet"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}relationships">{related}</Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}">{styles}</styleSheet>',
        "xl/strings.xml": f'<sst xmlns="{_MAIN}">{strings}</sst>',
        "xl/sheet.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{numbered}</sheetData>{after}</worksheet>',
    }
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return written.getvalue()


def renamed(content: bytes, part: str, name: str) -> bytes:
    """The workbook in *content* with its *part* under another *name*, or without it for ``""``."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(changed, "w") as after:
        for one in before.namelist():
            if one != part or name:
                after.writestr(name if one == part else one, before.read(one))
    return changed.getvalue()


def text(place: str, words: str, style: int = 0) -> str:
    """A cell with its text in it."""
    return f'<c r="{place}" s="{style}" t="inlineStr"><is><t>{words}</t></is></c>'


def formats(*codes: str, more: str = "") -> str:
    """Styles 1, 2, … with *codes* as their number formats, which are numbered from 164."""
    named = "".join(f'<numFmt numFmtId="{164 + at}" formatCode="{code}"/>' for at, code in enumerate(codes))
    used = "".join(f'<xf numFmtId="{164 + at}"/>' for at in range(len(codes)))
    return f'<numFmts>{named}</numFmts><cellXfs><xf numFmtId="0"/>{used}</cellXfs>{more}'
