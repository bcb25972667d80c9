"""Reads durations from cells, as people write them, in whole minutes. Pure; knows no adapter.

``2:30``, ``02:30:00``, ``2h 30m``, ``2.5hrs``, ``PT2H30M`` and time cells of a workbook need no further information.
For a bare number the mapping profile says what it is (``hours``), and which sign is the decimal point (``decimal``):
without that, ``1,200`` may be two numbers and is left to a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Literal

import msgspec

from adapters.reading.cells import text
from lrs.kernel.tables.row import Percent, Row, Unusable

HoursFormat = Literal["", "decimal", "h.mm", "h:mm", "minutes"]
"""``""`` is not said: as ``decimal``."""
DecimalSign = Literal["", ".", ","]
_NUMBER = r"[0-9.,]{1,12}"
_HOURS = r"(?:h|hrs?|hours?)"
_MINUTES = r"(?:m|mins?|minutes?)"
_SPELT = re.compile(
    rf"(?:(?P<hours>{_NUMBER}) ?{_HOURS}\.?)?(?: ?(?:and |, ?)?(?P<minutes>{_NUMBER}) ?(?P<unit>{_MINUTES}\.?)?)?",
    re.IGNORECASE,
)
_CLOCK = re.compile(rf"([0-9]{{1,4}}):([0-5]?[0-9])(?::([0-5][0-9])(?:\.0+)?)?(?: ?{_HOURS}\.?)?", re.IGNORECASE)
_ISO = re.compile(r"PT(?=[0-9])(?:([0-9]{1,4})H)?(?:([0-9]{1,5})M)?(?:([0-9]{1,2})(?:\.0+)?S)?", re.IGNORECASE)
_FRACTION = re.compile(rf"([0-9]{{0,2}}) ?([½¼¾])(?: ?{_HOURS}\.?)?", re.IGNORECASE)
_PARTS = {"½": 30, "¼": 15, "¾": 45}
_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:(?:,[0-9]{3})+|(?:\.[0-9]{3})+)")
_WITH_POINT = re.compile(r"([0-9]{0,6}|[1-9][0-9]{0,2}(?:,[0-9]{3})+)\.([0-9]{1,6})")
_WITH_COMMA = re.compile(r"([0-9]{0,6}|[1-9][0-9]{0,2}(?:\.[0-9]{3})+),([0-9]{1,6})")
_POINTED = re.compile(r"([0-9]{1,2})[.,]([0-9]{2})")
_QUARTERS = ("00", "25", "50")
_LAST_MINUTE = 59
_MINUS = re.compile("[-\u2212] ?(?=[0-9.,])")


OF_HOURS = 'say "hours": "h.mm" in the mapping profile'
"""What to do where hours and minutes stand in one number."""
OF_MINUTES = 'say "hours": "minutes" in the mapping profile'
"""The same for minutes."""
LONGEST = 80
"""Characters of the longest cell that can be a duration."""


MOST_TYPED = 9_999
"""Hours that somebody may type of one thing."""


class Numbers(msgspec.Struct, frozen=True):
    """How a file writes numbers of hours; *decimal* is the decimal point. Both are ``""`` if the profile is silent."""

    hours: HoursFormat = ""
    decimal: DecimalSign = ""

    def of_minutes(self) -> Numbers:
        """The same for a column with minutes, whatever the format of hours is."""
        return Numbers("minutes", self.decimal)


def minutes(row: Row, column: str, numbers: Numbers) -> int | None:
    """The cell as whole minutes, rounded: ``2.05`` is 123 as ``decimal`` hours, 125 as ``h.mm``."""
    cell = text(row, column)
    if not cell:
        return None
    total = _held(row, column, cell, numbers) if len(cell) <= LONGEST else None
    if total is None:
        raise Unusable("no_duration", column, cell, _expected(numbers))
    if total < 0:
        raise Unusable("negative", column, cell, "a time cannot be negative")
    if total > 24 * 60:
        told = "a day has 24 hours"
        if numbers.hours != "minutes" and cell.isdigit():
            told += f": if the column holds minutes, {OF_MINUTES}"
        raise Unusable("over_a_day", column, cell, told)
    return total


def in_doubt(rows: Iterable[Row], column: str, numbers: Numbers) -> tuple[str, ...]:
    """A note where numbers in *column* are read as decimal hours, and may be hours and minutes: ``6.30``.

    There is none if the profile says what they are, or if one of them can only be decimal: ``6.75``.
    """
    if numbers.hours:
        return ()
    first: tuple[int, re.Match[str]] | None = None
    for row in rows:
        found = _POINTED.fullmatch(row.cells.get(column, "").strip())
        if found and int(found[2]) > _LAST_MINUTE:
            return ()
        if found and not first and found[2] not in _QUARTERS:
            first = row.place.row, found
    if first is None:
        return ()
    number, found = first
    read = round(Decimal(f"{found[1]}.{found[2]}") * 60)
    said = f"hours such as {found[0]} (row {number}) are read as decimal: {read // 60} h {read % 60:02} min"
    return (f"{said}. If {found[1]} h {found[2]} min is meant, {OF_HOURS}",)


def _held(row: Row, column: str, cell: str, numbers: Numbers) -> int | None:
    """The minutes, by the value in the workbook or else by the text; ``None`` if it is no duration."""
    held = row.values.get(column)
    if isinstance(held, timedelta):
        return round(held / timedelta(minutes=1))
    if isinstance(held, time):
        return held.hour * 60 + held.minute + (held.second >= 30)
    if isinstance(held, Percent | date):
        return None
    if isinstance(held, Decimal):
        return _number(held, numbers, column)
    sign = _MINUS.match(cell)
    plain = " ".join(cell[sign.end() if sign else 0 :].removeprefix("+").split())
    total = _written(plain, numbers, column)
    return -total if sign and total else total


def _number(held: Decimal, numbers: Numbers, column: str) -> int | None:
    if held < 0 or numbers.hours not in {"h.mm", "h:mm"}:
        return round(held * (1 if numbers.hours == "minutes" else 60))
    return _bare(f"{held:f}", Numbers(numbers.hours, "."), column)


def _written(cell: str, numbers: Numbers, column: str) -> int | None:
    clock = _CLOCK.fullmatch(cell) or _ISO.fullmatch(cell)
    if clock:
        return int(clock[1] or 0) * 60 + int(clock[2] or 0) + (int(clock[3] or 0) >= 30)
    part = _FRACTION.fullmatch(cell)
    if part:
        return int(part[1] or 0) * 60 + _PARTS[part[2]]
    spelt = _SPELT.fullmatch(cell)
    return _spelt(spelt, numbers, column) if spelt and cell else None


def _spelt(spelt: re.Match[str], numbers: Numbers, column: str) -> int | None:
    """Hours and minutes with their units, one of them, or a bare number."""
    if spelt["hours"] is None:
        return _bare(spelt["minutes"], numbers.of_minutes() if spelt["unit"] else numbers, column)
    hours = numbers if numbers.hours == "h.mm" else Numbers("decimal", numbers.decimal)
    whole = _bare(spelt["hours"], hours, column)
    if spelt["minutes"] is None or whole is None:
        return whole
    if not spelt["hours"].isdigit() or not re.fullmatch("[0-5]?[0-9]", spelt["minutes"]):
        return None
    return whole + int(spelt["minutes"])


def _bare(cell: str, numbers: Numbers, column: str) -> int | None:
    """A number without a unit, by the profile's format."""
    plain = _plain(cell, numbers, column)
    if plain is None or (numbers.hours == "h:mm" and "." in plain):
        return None
    if numbers.hours != "h.mm":
        return round(Decimal(plain) * (1 if numbers.hours == "minutes" else 60))
    whole, _, rest = plain.partition(".")
    left = int(rest.ljust(2, "0")) if rest else 0
    return int(whole or 0) * 60 + left if len(rest) <= 2 and left <= 59 else None


def _plain(cell: str, numbers: Numbers, column: str) -> str | None:
    """*cell* with a full stop as decimal point and no separators of thousands; ``None`` if it is no number.

    Raises ``Unusable`` if it may be two numbers.
    """
    if re.fullmatch(r"[0-9]{1,6}", cell):
        return cell
    if _GROUPED.fullmatch(cell):
        return _grouped(cell, "," if "," in cell else ".", numbers, column)
    for decimal, number in ((".", _WITH_POINT.fullmatch(cell)), (",", _WITH_COMMA.fullmatch(cell))):
        if number and numbers.decimal in {"", decimal}:
            return f"{number[1].replace(',', '').replace('.', '') or '0'}.{number[2]}"
    return None


def _grouped(cell: str, sign: str, numbers: Numbers, column: str) -> str:
    """The number in *cell*, whose digits are in groups of three: with thousands, or with a fraction."""
    if cell.count(sign) > 1 or numbers.decimal not in {"", sign}:
        return cell.replace(sign, "")
    if numbers.decimal == sign or (sign == "." and numbers.hours != "minutes"):
        return cell.replace(sign, ".")
    told = f"this may be {cell.replace(sign, '')} or {cell.replace(sign, '.')}: write the one that is meant"
    raise Unusable("two_numbers", column, cell, told)


def _expected(numbers: Numbers) -> str:
    written = {"": "2.5, ", "decimal": "2.5, ", "h.mm": "2.30, ", "h:mm": "", "minutes": "150, "}[numbers.hours]
    written = written.replace(".", numbers.decimal or ".")
    return f"expected a span of time: {written}2:30 or 2h 30m"


def typed_hours(typed: str) -> float | None:
    """Hours as somebody typed them into a form or a catalogue: ``37.5``, ``37,5``, ``37:30``, ``37h 30m``.

    To the minute; ``None`` for nothing. Raises ``Unusable``, which says what to write: for none, too, or for too many.
    """
    cell = " ".join(typed.split())
    if not cell:
        return None
    total = _written(cell, Numbers(), "hours") if len(cell) <= LONGEST else None
    if total is None or not 0 < total <= MOST_TYPED * 60:
        raise Unusable("no_duration", "hours", cell, "write the hours as a number, such as 37.5")
    return round(total / 60, 2)
