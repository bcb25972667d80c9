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
``hours`` says what 2.05 means in columns of hours: ``decimal`` 2 h 03, ``h.mm`` 2 h 05; or ``h:mm``, ``minutes``.
"""

from __future__ import annotations

import codecs
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from adapters.cells import DATES, HoursFormat, folded_word
from adapters.tables import DELIMITERS, fold
from adapters.vocabulary import iri
from lrs.errors import Refused


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

    def words(self, column: str, known: dict[str, str]) -> dict[str, str]:
        """*known* words of *column*, and those the profile adds. Raises ``Refused`` for a meaning that is none."""
        added = self.values.get(column, {})
        for meant in added.values():
            if meant not in known.values():
                raise Refused(f"mapping profile: {column} cannot mean {meant!r}", error="bad_profile")
        return known | {folded_word(said): meant for said, meant in added.items()}

    def clock(self) -> ZoneInfo:
        """The zone of times without an offset."""
        return ZoneInfo(self.zone)


def read_profile(path: Path) -> Profile:
    """The profile in *path*. Raises ``Refused`` with what to change."""
    try:
        profile = msgspec.json.decode(path.read_bytes(), type=Profile)
        ZoneInfo(profile.zone)
        codecs.lookup(profile.encoding or "utf-8")
    except (OSError, msgspec.MsgspecError, LookupError, ValueError, ZoneInfoNotFoundError) as error:
        raise Refused(f"mapping profile {path.name}: {error}", error="bad_profile") from error
    if profile.delimiter and profile.delimiter not in DELIMITERS:
        raise Refused(f"mapping profile {path.name}: delimiter must be one of , ; tab |", error="bad_profile")
    return profile
