"""Reads cells: text, a word, yes or no, a whole number, a percentage, an e-mail address. Pure; knows no adapter.

Every function takes a row and a column and raises ``Unusable`` with that column. Nothing is guessed. An empty cell is
``""``, ``None`` or the default. Days and times are read in ``times``, durations in ``hours``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from adapters.reading.columns import ColumnWords
from adapters.reading.words import YES_NO, Words, folded_word, known_words
from lrs.kernel.tables.row import Percent, Row, Unusable

_ATOM = r"[\w!#$%&'*+/=?^`{|}~-]+"
_LABEL = r"[^@\s<>\"',;:.()\[\]\\/&=?#%^`{|}]+"
_EMAIL = re.compile(rf"(?:mailto:)?((?=.{{1,64}}@){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+)", re.IGNORECASE)
"""RFC 5322 3.2.3 and 3.4.1: atoms with dots between. Letters of every script, RFC 6531. No quoted local parts."""
_CURLY = re.compile("[\u2018\u2019\u02bc\u00b4]")


def text(row: Row, column: str) -> str:
    """The cell as text, or ``""``."""
    if column in row.faults:
        raise row.faults[column]
    cell = row.cells.get(column, "")
    if column in row.doubled:
        raise Unusable("duplicate_column", column, cell, "the column comes twice with different values")
    return cell


def needed(row: Row, column: str) -> str:
    """The cell as text. Raises ``Unusable`` if it is empty."""
    cell = text(row, column)
    if not cell and column not in row.cells:
        raise Unusable(
            "missing", column, "", "the column is not there: add it, or name its header in a mapping profile"
        )
    if not cell:
        raise Unusable("missing", column, "", "the cell is empty, or says only that there is nothing (n/a, TBC)")
    return cell


def also_missing(problem: Unusable, row: Row, wanted: Mapping[str, ColumnWords]) -> Unusable:
    """*problem*; if its column is one of those *wanted* that the file has not, it names the others, too, in words."""
    missing = {column: words for column, words in wanted.items() if column not in row.cells}
    others = [f"{words.label} ({column})" for column, words in missing.items() if column != problem.column]
    if problem.column not in wanted or problem.column in row.cells or not others:
        return problem
    message = f"{problem.message}; not there either: {', '.join(others)}"
    return Unusable(problem.code, problem.column, problem.value, message)


def choice(row: Row, column: str, known: Words, default: str | None = None) -> str:
    """The meaning of the cell's word in *known*; *default* for an empty cell."""
    cell = text(row, column) if default is not None else needed(row, column)
    if not cell and default is not None:
        return default
    meant = known.get(folded_word(cell))
    if meant is None:
        told = f"this word is not known here; known are: {known_words(known)}"
        raise Unusable("unknown_word", column, cell, told)
    return meant


def yes(row: Row, column: str, *, default: bool, known: Words = YES_NO) -> bool:
    """The cell as yes or no, in common spellings."""
    return choice(row, column, known, "yes" if default else "no") == "yes"


def whole(row: Row, column: str, default: int) -> int:
    """The cell as a whole number from 0 to 999."""
    cell = text(row, column)
    if not cell:
        return default
    number = re.fullmatch(r"([0-9]{1,3})(?:[.,]0{1,6})?", cell)
    if not number or isinstance(row.values.get(column), Percent):
        raise Unusable("no_number", column, cell, "use a whole number")
    return int(number[1])


def percent(row: Row, column: str, default: int) -> int:
    """The cell as whole per cent, 0 to 100.

    1 or less without a sign is ``Unusable``: it may be 1 % or, as a share, 100 %.
    """
    cell = text(row, column)
    if not cell:
        return default
    held = row.values.get(column)
    number = held.number if isinstance(held, Percent) else _number(cell.removesuffix("%").rstrip())
    if number is None:
        raise Unusable("no_number", column, cell, "use a whole number of per cent, such as 80 or 80%")
    if not isinstance(held, Percent) and not cell.endswith("%") and 0 < number <= 1:
        raise Unusable("no_percentage", column, cell, "is this a share or per cent? Write it with the sign: 80%, 100%")
    if not 0 <= number <= 100:
        raise Unusable("no_percentage", column, cell, "use 0 to 100")
    if number != int(number):
        raise Unusable("no_number", column, cell, "use a whole number of per cent, such as 80 or 80%")
    return int(number)


def _number(cell: str) -> Decimal | None:
    return Decimal(cell.replace(",", ".")) if re.fullmatch(r"[0-9]{1,3}(?:[.,][0-9]{1,6})?", cell) else None


def email(row: Row, column: str) -> str:
    """The cell as an address in lower case, without ``mailto:``; ``""`` for an empty cell."""
    cell = text(row, column)
    if not cell:
        return ""
    if _CURLY.search(cell, 0, 320):
        told = "the address has a curly apostrophe, as word processors make it: type a straight one (')"
        raise Unusable("no_email", column, cell, told)
    if cell.startswith("'"):
        told = "the address begins with an apostrophe, as a spreadsheet marks text: take it away"
        raise Unusable("no_email", column, cell, told)
    found = _EMAIL.fullmatch(cell) if len(cell) <= 254 + len("mailto:") else None
    if not found or len(found[1]) > 254:
        raise Unusable("no_email", column, cell, "this is no e-mail address, such as name@college.example")
    return found[1].lower()


DISTRICT = r"[A-Z]{1,2}[0-9][A-Z0-9]?"
"""A postcode district: the first half of a postcode in the United Kingdom."""
_POSTCODE = re.compile(rf"({DISTRICT})(?:\s*[0-9][A-Z]{{2}})?")


def district_in(text: str) -> str:
    """The postcode district in *text*, a district (``SG1``) or a whole postcode; ``""`` for anything else."""
    found = _POSTCODE.fullmatch(text.strip().upper())
    return found[1] if found else ""


def district(row: Row, column: str) -> str:
    """The postcode district in a cell, of which no more is kept; ``""`` for an empty one."""
    cell = text(row, column)
    found = district_in(cell)
    if cell and not found:
        raise Unusable("no_district", column, cell, "write the first half of a postcode, such as SG1 or EC1A")
    return found
