"""Number formats of workbooks: from the number in a cell to the text it shows (ECMA-376 part 1, 18.8.31). Pure.

Supported are ``General``, ``@``, ``0`` and ``0.00`` with any number of zeros, ``#,##0`` below a thousand, per cent, and
every format that shows a whole date, a time of day or an elapsed time. Any other format is refused with its name. A
cell is also refused if it holds something else than it shows, because nobody can tell which of the two is meant.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import Literal, NamedTuple

import msgspec

from lrs.kernel.tables.row import Percent, Value

_EXACT = Context(prec=15)
"""Significant digits that a spreadsheet keeps of a number."""
_SECONDS = 86_400
_LAST_DAY = 2_958_465
_OF_1900 = datetime(1899, 12, 30)  # noqa: DTZ001 (a cell has no zone)
_OF_1904 = datetime(1904, 1, 1)  # noqa: DTZ001 (the same)
_COLOURS = "black|blue|cyan|green|magenta|red|white|yellow"
_LOCALE = r"\$-(?:[0-9a-f,]+|x-sys(?:date|time)|[a-z]{2,3}(?:-(?:[a-z]{2,4}|\d{3}))*)"
"""Accepts ``[$-en-GB]`` too. Does not accept another calendar or other digits, such as ``[$-th-TH,107]``."""
_SKIPPED = re.compile(rf"_.|\*.|\[(?:{_COLOURS}|color ?\d+|{_LOCALE})\]", re.IGNORECASE)
_LITERAL = re.compile(r'"[^"]{0,255}"|\\.')
_LONGEST = 255
_PIECES = re.compile(r'"[^"]{0,255}"|\\.|\[[^\]]{0,255}\]|.', re.DOTALL)
"""Its parts are bounded, so that the time is linear in the length of the format."""
_NUMBER = re.compile(r"([#,]*0*)(?:\.(0*)(#*))?(%?)")
_PARTS = re.compile(r"\[h+\]|\[m+\]|\[s+\]|am/pm|a/p|y+|m+|d+|h+|s+|e+", re.IGNORECASE)
_DATE_LETTERS = re.compile(r"[ymdhs]", re.IGNORECASE)


class Doubt(Exception):
    """The content of a cell is not certain. The message says why and ends with what to do."""


class ShownCell(NamedTuple):
    """What a cell shows, and the value it holds if that is more than text."""

    text: str
    value: Value | None = None


class _Clock(msgspec.Struct, frozen=True):
    """A format of dates or times: the parts that it shows. *elapsed* is the unit in brackets, or ``""``."""

    date: bool
    partial: bool
    hours: bool
    minutes: bool
    seconds: bool
    elapsed: Literal["", "h", "m", "s"]


class _Number(msgspec.Struct, frozen=True):
    """A format of numbers.

    *zeros* are the digits that are always shown before the point, *least* and *most* the numbers of decimals,
    *thousands* whether there are separators of thousands, *percent* whether it shows per cent.
    """

    zeros: int
    least: int
    most: int
    thousands: bool
    percent: bool


def shown(raw: str, form: str, *, from_1904: bool) -> ShownCell:
    """What a cell shows that holds the number *raw* in the format *form*. Raises ``Doubt``."""
    try:
        return _shown(raw, form, from_1904=from_1904)
    except ArithmeticError as error:  # more digits than are computed with, or a time beyond the last year
        message = f"the number format {form[:40]!r} cannot show the number in the cell"
        raise Doubt(f"{message}: format the column as text and type it again") from error


def _shown(raw: str, form: str, *, from_1904: bool) -> ShownCell:
    number = _held(raw)
    part = _section(form, below=number < 0, zero=not number) if form else "General"
    if part.casefold() in {"general", "@"}:
        return _general(number)
    known = _read(part)
    if isinstance(known, _Clock):
        return _moment(number, known, form, from_1904=from_1904)
    if isinstance(known, _Number):
        return _number(number, known, form)
    raise Doubt(f"the number format {form!r} is not known here: format the column as text and type it again")


def _held(raw: str) -> Decimal:
    try:
        number = _EXACT.create_decimal(raw)
    except ArithmeticError as error:
        raise Doubt("the cell holds no number that is known here: type it again") from error
    if not number.is_finite() or (number and not -30 < number.adjusted() < _EXACT.prec):
        message = f"a spreadsheet keeps only {_EXACT.prec} digits of a number"
        raise Doubt(f"{message}: format the column as text and type it again")
    return number


def shown_iso(text: str, form: str) -> ShownCell:
    """What a cell shows that holds the ISO 8601 date *text* in the format *form*. Raises ``Doubt``."""
    at = _of_iso(text.strip().removesuffix("Z"))
    if at is None:
        return ShownCell(text.strip().removesuffix("Z").replace("T", " ", 1).lstrip())
    if isinstance(_read(_section(form, below=False, zero=False)), _Clock):
        days = Decimal((at - _OF_1900) // timedelta(seconds=1)) / _SECONDS
        return shown(str(days), form, from_1904=False)
    return ShownCell(at.isoformat(" ", "seconds"), at)


def _of_iso(text: str) -> datetime | None:
    for form in ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f"):
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 (a cell has no zone)
        except ValueError:
            continue
    return None


def check_text(form: str) -> None:
    """Raises ``Doubt`` if the format *form* hides a text, or shows it as something else."""
    parts = _sections(form)
    last = _SKIPPED.sub("", parts[-1]).strip()
    own = len(parts) > 3 or ("@" in _LITERAL.sub("", last) and last != "@")
    if own and last.casefold() not in {"@", "general"}:
        message = f"the number format {form!r} makes the text in the cell show as something else, or not at all"
        raise Doubt(f"{message}: format the column as text")


@lru_cache(maxsize=512)
def _sections(form: str) -> tuple[str, ...]:
    """The sections of *form* between semicolons. Raises ``Doubt`` for a format with a condition such as ``[>100]``."""
    if len(form) > _LONGEST:
        raise Doubt(f"the number format {form[:40]!r} cannot be read: format the column as text and type it again")
    parts = [""]
    for piece in _PIECES.findall(form):
        if piece.startswith(("[<", "[>", "[=")):
            message = f"what the number format {form!r} shows depends on the number"
            raise Doubt(f"{message}: format the column as text and type it again")
        if piece == ";":
            parts.append("")
        else:
            parts[-1] += piece
    return tuple(parts)


@lru_cache(maxsize=512)
def _section(form: str, *, below: bool, zero: bool) -> str:
    """The section of *form* that applies to a number, without colours, locales and widths.

    The number is *below* zero, or *zero*, or positive.
    """
    parts = _sections(form)
    below, zero = below and len(parts) > 1, zero and len(parts) > 2
    part = _SKIPPED.sub("", parts[1 if below else 2 if zero else 0]).strip()
    if not part or (below and not part.startswith("-")):
        what = "nothing" if not part else "a negative number without a minus sign"
        raise Doubt(f"the number format {form!r} shows {what}: format the column as text and type it again")
    return part.removeprefix("-") if below else part


@lru_cache(maxsize=512)
def _read(part: str) -> _Clock | _Number | None:
    """What one section of a format shows; ``None`` if the format is not supported."""
    bare = _LITERAL.sub("", part)
    if _DATE_LETTERS.search(_PARTS.sub(lambda found: found[0] if found[0][0] in "yYmMdDhHsS[" else "", bare)):
        return _clock(bare)
    compact = part.replace(" ", "")
    found = _NUMBER.fullmatch(compact)
    whole = found[1] if found else ""
    if not found or not whole or whole.endswith(",") or "," in whole.replace("#,##0", ""):
        return None
    least = len(found[2] or "")
    return _Number(whole.count("0"), least, least + len(found[3] or ""), "," in whole, bool(found[4]))


def _clock(bare: str) -> _Clock | None:
    parts = [part.lower() for part in _PARTS.findall(bare)]
    rest = _PARTS.sub("", bare)
    if re.search(r"[0#?%\[\]]", re.sub(r"\.0+", "", rest)):
        return None
    minutes = [at for at, part in enumerate(parts) if part in {"m", "mm"} and _beside_clock(parts, at)]
    months = [at for at, part in enumerate(parts) if part.startswith("m") and at not in minutes]
    named = {
        "year": any(part[0] in "ye" for part in parts),
        "month": bool(months),
        "day": "d" in parts or "dd" in parts,
    }
    elapsed = next((part[1] for part in parts if part.startswith("[")), "")
    return _Clock(
        date=all(named.values()),
        partial=any(part[0] in "yed" for part in parts) or bool(months),
        hours=any(part[0] == "h" for part in parts) or elapsed == "h",
        minutes=bool(minutes) or elapsed == "m",
        seconds=any(part[0] == "s" for part in parts) or elapsed == "s",
        elapsed=elapsed,  # type: ignore[arg-type]  # one of the letters in the pattern
    )


def _beside_clock(parts: list[str], at: int) -> bool:
    """Whether the ``m`` at *at* means minutes: after hours or before seconds."""
    before = next((part for part in reversed(parts[:at]) if part not in {"am/pm", "a/p"}), "")
    after = parts[at + 1] if at + 1 < len(parts) else ""
    return before[:1] == "h" or before.startswith("[h") or after[:1] == "s" or after.startswith("[s")


def _general(number: Decimal) -> ShownCell:
    text = format(number.normalize(_EXACT), "f")
    return ShownCell("0" if text == "-0" else text, number)


def _number(number: Decimal, form: _Number, name: str) -> ShownCell:
    held = _EXACT.multiply(number, 100) if form.percent else number
    rounded = held.quantize(Decimal(1).scaleb(-form.most), ROUND_HALF_UP, Context(prec=40))
    sign = "-" if rounded < 0 else ""
    whole, _, rest = format(abs(rounded), "f").partition(".")
    while len(rest) > form.least and rest.endswith("0"):
        rest = rest[:-1]
    digits = whole.lstrip("0").rjust(form.zeros, "0")
    text = sign + digits + ("." + rest if rest else "") + ("%" if form.percent else "")
    if form.thousands and abs(rounded) >= 1000:
        message = f"the cell shows a separator of thousands ({name!r}), which some read as a decimal point"
        raise Doubt(f"{message}: format the column as a number without it")
    if not digits or (rounded != held and form.most < 2):
        raise Doubt(f"the cell shows {text or 'nothing'} but holds more decimals: show them all, or type what it shows")
    return ShownCell(text, Percent(rounded) if form.percent else rounded)


def _moment(number: Decimal, form: _Clock, name: str, *, from_1904: bool) -> ShownCell:
    seconds = int((number * _SECONDS).quantize(Decimal(1), ROUND_HALF_UP, Context(prec=40)))
    if form.partial and not form.date:
        message = f"the cell shows only a part of a date ({name!r})"
        raise Doubt(f"{message}: format the column so that it shows day, month and year, such as yyyy-mm-dd")
    if form.elapsed and not form.partial:
        if seconds % 3600 and form.elapsed == "h" and not form.minutes:
            raise _partly(name, "[h]:mm")
        return _elapsed(seconds, form)
    if seconds < 0:
        raise Doubt("the cell holds a negative date or time: type it again")
    if not form.date:
        return _time_of_day(seconds, form, name)
    first, start = (0, _OF_1904) if from_1904 else (61, _OF_1900)
    if not first <= seconds // _SECONDS <= _LAST_DAY:
        raise Doubt("the cell holds a number that is no date since March 1900: type the date again")
    if form.hours and seconds % 3600 and not form.minutes:
        raise _partly(name, "dd/mm/yyyy hh:mm")
    at = start + timedelta(seconds=_floored(seconds, form))
    return ShownCell(at.isoformat(" ", "seconds"), at) if form.hours else ShownCell(at.date().isoformat(), at.date())


def _partly(name: str, better: str) -> Doubt:
    return Doubt(f"the cell shows only a part of a time ({name!r}): format the column as {better}")


def _floored(seconds: int, form: _Clock) -> int:
    """*seconds* cut down to the smallest unit that *form* shows."""
    if form.seconds:
        return seconds
    return seconds // 60 * 60 if form.minutes else seconds // 3600 * 3600


def _time_of_day(seconds: int, form: _Clock, name: str) -> ShownCell:
    if seconds >= _SECONDS:
        message = f"the cell shows a time of day ({name!r}) but holds days as well"
        raise Doubt(f"{message}: format it as a date and time, or as [h]:mm if it is an elapsed time")
    if (seconds >= 3600 and not form.hours) or (seconds % 3600 and not form.minutes):
        raise _partly(name, "hh:mm:ss")
    at = (_OF_1904 + timedelta(seconds=_floored(seconds, form))).time()
    return ShownCell(at.isoformat("seconds"), at)


def _elapsed(seconds: int, form: _Clock) -> ShownCell:
    total = _floored(abs(seconds), form)
    hours, minutes, left = total // 3600, total // 60 % 60, total % 60
    if form.elapsed == "h":
        shown_parts = [
            str(hours),
            *([f"{minutes:02}"] if form.minutes else []),
            *([f"{left:02}"] if form.seconds else []),
        ]
    elif form.elapsed == "m":
        shown_parts = [str(total // 60), *([f"{left:02}"] if form.seconds else [])]
    else:
        shown_parts = [str(total)]
    text = ("-" if seconds < 0 else "") + ":".join(shown_parts)
    value = timedelta(seconds=total if seconds >= 0 else -total)
    return ShownCell(text if ":" in text else f"{text}{form.elapsed}", value)
