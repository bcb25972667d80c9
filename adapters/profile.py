"""A saved mapping profile: how one provider's file becomes ours. Pure; knows no rows.

A JSON file; every member is optional, an unknown one is refused. Example::

    {
      "provider": "north-college",
      "encoding": "windows-1252", "delimiter": ";",
      "headers": {"uln": ["Unique Learner Number", "ULN "], "ksb_code": ["Criteria"]},
      "constants": {"standard_ref": "ST1406", "standard_version": "1.0"},
      "values": {"evidence_status": {"signed off": "accepted"}},
      "dates": ["%d/%m/%Y", "excel"], "hours": "h.mm", "zone": "Europe/London",
      "home_page": "https://portfolio.north.example/"
    }

Headers are compared trimmed, case-folded, with blanks and punctuation as one. ``constants`` fill empty cells.
``dates`` are ``strptime`` formats, the first that fits counts, and ``excel`` or ``excel1904`` for day numbers;
date cells of a workbook need none.
``hours`` says what 2.05 means in columns of hours: ``decimal`` 2 h 03, ``h.mm`` 2 h 05; or ``h:mm``, ``minutes``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from adapters.cells import DATES, NUMBERED, HoursFormat, folded_word
from adapters.tables import DELIMITERS, fold
from adapters.vocabulary import iri
from lrs.errors import Refused

_ANY_BYTES = bytes(range(256))
_SOME_DAY = datetime(2001, 2, 13, tzinfo=UTC)


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """See the module's docstring. *home_page* is where the provider's own references are accounts."""

    provider: str = ""
    encoding: str = ""
    delimiter: str = ""
    headers: dict[str, list[str]] = {}
    constants: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    dates: tuple[str, ...] = DATES
    hours: HoursFormat = "decimal"
    zone: str = "Europe/London"
    home_page: str = ""

    def aliases(self) -> dict[str, str]:
        """Folded header to canonical column."""
        return {fold(alias): column for column, listed in self.headers.items() for alias in listed}

    def home(self, provider: str) -> str:
        """The home page of *provider*'s own references."""
        return self.home_page or iri("providers", provider)

    def check(self, columns: Iterable[str], worded: Mapping[str, Mapping[str, str]]) -> None:
        """Raises ``Refused`` for what names none of an adapter's *columns*, or gives words to one without known ones.

        *worded* holds the known words by column.
        """
        for member, named, there in (
            ("headers", self.headers, columns),
            ("constants", self.constants, columns),
            ("values", self.values, worded),
        ):
            for column in named:
                if column not in there:
                    listed = ", ".join(sorted(there))
                    message = f"mapping profile: {member}: there is no column {column!r}; use one of: {listed}"
                    raise Refused(message, error="bad_profile")
        for column in self.values:
            self.words(column, worded[column])

    def words(self, column: str, known: Mapping[str, str]) -> dict[str, str]:
        """*known* words of *column*, and those the profile adds. Raises ``Refused`` for a meaning that is none."""
        added = self.values.get(column, {})
        for meant in added.values():
            if meant not in known.values():
                raise Refused(f"mapping profile: {column} cannot mean {meant!r}", error="bad_profile")
        return {**known} | {folded_word(said): meant for said, meant in added.items()}

    def clock(self) -> ZoneInfo:
        """The zone of times without an offset."""
        return ZoneInfo(self.zone)


def read_profile(path: Path) -> Profile:
    """The profile in *path*. Raises ``Refused`` with what to change."""
    try:
        profile = msgspec.json.decode(path.read_bytes(), type=Profile)
        ZoneInfo(profile.zone)
        _try_encoding(profile.encoding or "utf-8")
    except (OSError, msgspec.MsgspecError, LookupError, ValueError, ZoneInfoNotFoundError) as error:
        raise Refused(f"mapping profile {path.name}: {error}", error="bad_profile") from error
    for form in profile.dates:
        if not _is_date_format(form):
            message = f"{form!r} is no format of a date: name day, month and year once each, as %d/%m/%Y does"
            raise Refused(f"mapping profile {path.name}: dates: {message}", error="bad_profile")
    if profile.delimiter and profile.delimiter not in DELIMITERS:
        raise Refused(f"mapping profile {path.name}: delimiter must be one of , ; tab |", error="bad_profile")
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
