"""A mapping profile: how the columns and words of one provider's file become ours. Pure; knows no rows.

A JSON file. Every member is optional; an unknown one is refused. ``docs/mapping-profile.md`` explains each of them with
an example, and lists the words that are known without one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from adapters.reading.hours import DecimalSign, HoursFormat, Numbers
from adapters.reading.times import DATES, LONGEST, NUMBERED, Calendar
from adapters.reading.vocabulary import iri
from adapters.reading.words import EVERY, NOTHING, Silence, Words, folded_word
from lrs.kernel.errors import Refused
from lrs.kernel.tables.delimited import DELIMITERS
from lrs.kernel.tables.header import fold

MOST_DATES = 50
"""Formats of dates in a profile: each is tried at every date of the file."""
_ANY_BYTES = bytes(range(256))
_SOME_DAY = datetime(2001, 2, 13, tzinfo=UTC)


class MappingProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """See the module's docstring.

    *headers* are other names of our columns, *constants* fill empty cells, *values* are meanings of words by column.
    *dates* are formats of ``strptime``, of which the first that fits counts, and ``excel`` or ``excel1904`` for day
    numbers. *home_page* is the home page of accounts that are the provider's own references.
    *most_missing* is the share of the last snapshot, in per cent, that a file may lack (``adapters.ledger.snapshots``).
    """

    provider: str = ""
    encoding: str = ""
    delimiter: str = ""
    headers: dict[str, list[str]] = {}
    constants: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    dates: tuple[str, ...] = DATES
    hours: HoursFormat = ""
    decimal: DecimalSign = ""
    zone: str = "Europe/London"
    home_page: str = ""
    most_missing: Annotated[int, msgspec.Meta(ge=0, le=100)] = 20

    def aliases(self) -> dict[str, str]:
        """The canonical column for each folded header."""
        return {fold(alias): column for column, listed in self.headers.items() for alias in listed}

    def home(self, provider: str) -> str:
        """The home page of *provider*'s own references."""
        return self.home_page or iri("providers", provider)

    def check(self, columns: Iterable[str], worded: Mapping[str, Words]) -> None:
        """Raises ``Refused`` for a name that is none of *columns*, or a meaning that a column does not have.

        *worded* has the known words by column. In other columns a word can only mean nothing.
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

    def terms(self, provider: str, worded: Mapping[str, Words], free: frozenset[str], now: datetime) -> ReadingTerms:
        """The profile prepared for files of *provider*: see ``ReadingTerms``."""
        added = {column: _folded(words) for column, words in self.values.items()}
        nothing = {**NOTHING, **added.pop(EVERY, {})}
        words = {column: {**worded.get(column, {}), **added.get(column, {})} for column in {*worded, *added}}
        return ReadingTerms(
            provider=provider,
            home=self.home_page or iri("providers", provider),
            calendar=Calendar(ZoneInfo(self.zone), self.dates),
            numbers=Numbers(self.hours, self.decimal),
            words=words,
            silence=Silence(free, words, self.constants, nothing),
            now=now,
        )


class ReadingTerms(msgspec.Struct, frozen=True):
    """How the cells of one provider's file are read: dates, numbers, *words* by column, and the present time (*now*).

    *home* is the home page of the provider's own references. *standards* are the references of apprenticeship standards
    that were imported, by their code in the register of learning aims.
    """

    provider: str
    home: str
    calendar: Calendar
    numbers: Numbers
    words: Mapping[str, Words]
    silence: Silence
    now: datetime
    standards: Mapping[int, str] = {}


def _folded(words: Mapping[str, str]) -> dict[str, str]:
    return {folded_word(said): meant for said, meant in words.items()}


def read_profile(path: Path) -> MappingProfile:
    """The profile in *path*. Raises ``Refused``, which says what to change."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise Refused(f"mapping profile {path.name}: {error}", error="bad_profile") from error
    return parse_profile(text, path.name)


def parse_profile(text: bytes, name: str) -> MappingProfile:
    """The profile in *text*; messages call it *name*. Raises ``Refused``, which says what to change."""
    try:
        profile = msgspec.json.decode(text, type=MappingProfile)
        ZoneInfo(profile.zone)
        _try_encoding(profile.encoding or "utf-8")
    except (msgspec.MsgspecError, LookupError, ValueError, ZoneInfoNotFoundError) as error:
        raise Refused(f"mapping profile {name}: {error}", error="bad_profile") from error
    if len(profile.dates) > MOST_DATES:
        message = f"there are {len(profile.dates)} formats of dates: name at most {MOST_DATES}"
        raise Refused(f"mapping profile {name}: dates: {message}", error="bad_profile")
    for form in profile.dates:
        if not _is_date_format(form):
            what = f"{form[:LONGEST]!r} is no format of a date: name day, month and year once each, as %d/%m/%Y does"
            message = f"mapping profile {name}: dates: {what}, in at most {LONGEST} characters"
            raise Refused(message, error="bad_profile")
    if profile.delimiter and profile.delimiter not in DELIMITERS:
        raise Refused(f"mapping profile {name}: delimiter must be one of , ; tab |", error="bad_profile")
    return profile


def _try_encoding(encoding: str) -> None:
    """Raises ``LookupError`` or ``ValueError`` unless *encoding* is a known encoding of text."""
    _ANY_BYTES.decode(encoding, "replace").encode(encoding, "replace")


def _is_date_format(form: str) -> bool:
    """Whether a date written in *form* is read back as the same date, and is no longer than a cell with a date."""
    if form in NUMBERED:
        return True
    if len(form) > LONGEST:
        return False
    try:
        return datetime.strptime(_SOME_DAY.strftime(form), form).replace(tzinfo=UTC).date() == _SOME_DAY.date()
    except (ValueError, re.error):  # strptime makes a regular expression of it, where a directive may come once
        return False
