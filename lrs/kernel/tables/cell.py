"""Cleans the text of a cell, and finds cells that cannot be used whatever their column. Knows no file and no column."""

from __future__ import annotations

import re
import unicodedata

from lrs.kernel.tables.row import BLANKS, DIRECTIONS, Fault

MAX_CELL = 32_767
"""Characters that a spreadsheet keeps in one cell."""
_TEXT_FORMULA = re.compile(r'="([^"]*)"')
_TEXT_PREFIX = re.compile(r"'(?=[=+\-@\d\t\r])")
_UNSEEN = re.compile("[\u00ad\u200b\u2060\ufeff]")
_DIRECTION = re.compile(f"[{DIRECTIONS}]")
_ERROR = re.compile(
    r"#(?:N/?A|N/?D|NV|GETTING_DATA|#{2,}|[^\W\d_]{2,12}[!?]|DIV/0!|[¡¿][^\W\d_/0]{2,12}[!?]|¡DIV/0!)|Err:5\d\d",
    re.IGNORECASE,
)
"""``#N/A``, ``#REF!`` and similar values, also as French, German and Spanish spreadsheets write them. ``####`` is saved
for a number that was wider than its column.
"""
FORMULA = Fault("formula", "the cell holds a formula, not a value: paste its value over it")
TOO_LONG = Fault("cell_too_long", f"the cell is longer than {MAX_CELL} characters")


def clean(cell: str) -> str:
    """The text of *cell* without what spreadsheets add to it: outer blanks, ``="0123"``, ``'`` before digits or signs.

    Invisible characters are removed too: blanks without width, soft hyphens and, unless the text has letters that are
    written from right to left, marks of direction.
    """
    text = (cell if cell.isascii() else _seen(cell)).strip(BLANKS)
    if text[:1] not in {"=", "'"}:
        return text
    wrapped = _TEXT_FORMULA.fullmatch(text)
    if wrapped:
        return wrapped[1].strip(BLANKS)
    return _TEXT_PREFIX.sub("", text, count=1)


def _seen(cell: str) -> str:
    text = _UNSEEN.sub("", cell)
    plain = _DIRECTION.sub("", text)
    leftwards = plain != text and any(unicodedata.bidirectional(letter) in {"R", "AL"} for letter in plain)
    return text if leftwards else plain


def fault_of(text: str) -> Fault | None:
    """Why a cell that shows *text* cannot be used, whatever its column; ``None`` if it can."""
    if len(text) > MAX_CELL:
        return TOO_LONG
    if text[:1] in {"#", "E"} and is_error(text):
        shown = "####" if text.startswith("##") else text
        why = "the column was too narrow when the file was saved" if shown == "####" else "a formula failed there"
        return Fault("error_value", f"the cell shows {shown}: {why}")
    if "\x00" in text or "\ufffd" in text:
        return Fault("encoding", "the cell holds bytes that are no text in the file's encoding")
    return None


def is_error(text: str) -> bool:
    """Whether *text* is what a spreadsheet shows where a formula failed."""
    return bool(_ERROR.fullmatch(text))


def is_comment(cells: list[str]) -> bool:
    """Whether a line is a comment: ``#`` before a blank or alone in its line, and no error value or number."""
    first = cells[0].strip(BLANKS) if cells else ""
    if not first.startswith("#") or is_error(first):
        return False
    if len(first) == 1 or first[1] in " \t\u00a0#!":
        return True
    return not first[1].isdigit() and not any(cell.strip(BLANKS) for cell in cells[1:])


def neutral(cell: str) -> str:
    """*cell* with ``'`` before what a spreadsheet would compute (OWASP, CSV injection)."""
    return "'" + cell if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def spoken(text: str) -> str:
    """A header or title for a message: on one line, printable, at most 60 characters."""
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in clean(text)).split())
    return text if len(text) <= 60 else text[:59] + "…"
