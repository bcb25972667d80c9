"""A saved mapping profile: how one provider's file becomes ours. Pure; knows no rows.

A JSON file; every member is optional, an unknown one is refused. ``docs/mapping-profile.md`` explains each of them with
an example, and lists the words that are known without one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from adapters.hours import DecimalSign, HoursFormat, Numbers
from adapters.times import DATES, NUMBERED, Calendar
from adapters.vocabulary import iri
from adapters.words import EVERY, NOTHING, Silence, Words, folded_word
from lrs.kernel.errors import Refused
from lrs.kernel.tables.delimited import DELIMITERS
from lrs.kernel.tables.header import fold

_ANY_BYTES = bytes(range(256))
_SOME_DAY = datetime(2001, 2, 13, tzinfo=UTC)


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """See the module's docstring.

    *headers* are other names of our columns, *constants* fill empty cells, *values* give words their meaning by column.
    *dates* are formats of ``strptime``, the first that fits counts, and ``excel`` or ``excel1904`` for day numbers.
    *home_page* is where the provider's own references are accounts.
    """

    provider: str = ""
    encoding: str = ""
    delimiter: str = ""
    headers: dict[str, list[str]] = {}
    constants: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    dates: tuple[str, ...] = DATES
    hours: HoursFormat = "decimal"
    decimal: DecimalSign = ""
    zone: str = "Europe/London"
    home_page: str = ""

    def aliases(self) -> dict[str, str]:
        """Folded header to canonical column."""
        return {fold(alias): column for column, listed in self.headers.items() for alias in listed}

    def home(self, provider: str) -> str:
        """The home page of *provider*'s own references."""
        return self.home_page or iri("providers", provider)

    def check(self, columns: Iterable[str], worded: Mapping[str, Words]) -> None:
        """Raises ``Refused`` for what names none of an adapter's *columns*, or gives a word a meaning that is none.

        *worded* holds the known words by column. In other columns a word can only mean nothing.
        """
        for member, named in (("headers", self.headers), ("constants", self.constants), ("values", self.values)):
            for column in named:
                if column not in columns and (member, column) != ("values", EVERY):
                    listed = ", ".join(sorted(columns))
                    message = f"mapping profile: {member}: there is no column {column!r}; use one of: {listed}"
                    raise Refused(message, error="bad_profile")
        for column, words in self.values.items():
            meanings = {"", *worded.get(column, {}).values()}
            for meant in words.values():
                if meant not in meanings and column not in worded:
                    listed = ", ".join(sorted(worded))
                    message = f"values: there is no column {column!r} with words of its own; use one of: {listed}"
                    raise Refused(f"mapping profile: {message}", error="bad_profile")
                if meant not in meanings:
                    listed = ", ".join(sorted(repr(one) for one in meanings))
                    message = f"mapping profile: values: {column} cannot mean {meant!r}; use one of: {listed}"
                    raise Refused(message, error="bad_profile")

    def terms(self, provider: str, worded: Mapping[str, Words], free: frozenset[str], now: datetime) -> Terms:
        """The profile made ready for the files of *provider*: see ``Terms``."""
        added = {column: _folded(words) for column, words in self.values.items()}
        nothing = {**NOTHING, **added.pop(EVERY, {})}
        words = {column: {**worded.get(column, {}), **added.get(column, {})} for column in {*worded, *added}}
        return Terms(
            provider=provider,
            home=self.home_page or iri("providers", provider),
            calendar=Calendar(ZoneInfo(self.zone), self.dates),
            numbers=Numbers(self.hours, self.decimal),
            words=words,
            silence=Silence(free, words, self.constants, nothing),
            now=now,
        )


class Terms(msgspec.Struct, frozen=True):
    """How the cells of one provider's file are read: dates, numbers, *words* by column, and when it is *now*.

    *home* is the home page of the provider's own references.
    """

    provider: str
    home: str
    calendar: Calendar
    numbers: Numbers
    words: Mapping[str, Words]
    silence: Silence
    now: datetime


def _folded(words: Mapping[str, str]) -> dict[str, str]:
    return {folded_word(said): meant for said, meant in words.items()}


def read_profile(path: Path) -> Profile:
    """The profile in *path*. Raises ``Refused`` with what to change."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise Refused(f"mapping profile {path.name}: {error}", error="bad_profile") from error
    return parse_profile(text, path.name)


def parse_profile(text: bytes, name: str) -> Profile:
    """The profile that *text* is; *name* is what it is called. Raises ``Refused`` with what to change."""
    try:
        profile = msgspec.json.decode(text, type=Profile)
        ZoneInfo(profile.zone)
        _try_encoding(profile.encoding or "utf-8")
    except (msgspec.MsgspecError, LookupError, ValueError, ZoneInfoNotFoundError) as error:
        raise Refused(f"mapping profile {name}: {error}", error="bad_profile") from error
    for form in profile.dates:
        if not _is_date_format(form):
            message = f"{form!r} is no format of a date: name day, month and year once each, as %d/%m/%Y does"
            raise Refused(f"mapping profile {name}: dates: {message}", error="bad_profile")
    if profile.delimiter and profile.delimiter not in DELIMITERS:
        raise Refused(f"mapping profile {name}: delimiter must be one of , ; tab |", error="bad_profile")
    return profile


def _try_encoding(encoding: str) -> None:
    """Raises ``LookupError`` or ``ValueError`` unless *encoding* reads any bytes as text and writes text again."""
    _ANY_BYTES.decode(encoding, "replace").encode(encoding, "replace")


def _is_date_format(form: str) -> bool:
    """Whether a date written by *form* is the same date when read by it."""
    if form in NUMBERED:
        return True
    try:
        return datetime.strptime(_SOME_DAY.strftime(form), form).replace(tzinfo=UTC).date() == _SOME_DAY.date()
    except (ValueError, re.error):  # strptime makes a pattern of it, in which a directive may stand once
        return False
