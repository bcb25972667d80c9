"""What one statement tells of an apprenticeship standard, and the addresses of its parts. Pure; knows no statement."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import unquote

from adapters.apprenticeship.facts import Standard
from adapters.reading.vocabulary import BASE, EXTENSIONS

LONGEST = 1_000
"""Characters of an address that can be a part of a standard; longer ones are of nothing here."""
_READ = frozenset(
    EXTENSIONS + name
    for name in ("planned-end", "planned-off-the-job-hours", "actual-off-the-job-hours", "otj-countable")
)
_HOURS = range(100_000)
_BELOW = {"ksb", "off-the-job", "gateway", "assessment"}
_PLACE = re.compile(re.escape(BASE) + "standards/([^/]+)((?:/[^/]+){0,3})")


class StandardPlace(NamedTuple):
    """What an activity of a standard is: the standard, the part (``""``: the standard itself), and a KSB's code."""

    standard: Standard
    part: str = ""
    code: str = ""


class ToldOfStandard(NamedTuple):
    """What one statement says of an apprenticeship. *minutes* is its duration, *guid* that of its criterion.

    *extensions* are those that are read here (``read_extensions``): a list of many apprentices is kept in memory.
    """

    verb: str
    place: StandardPlace
    on: date
    success: bool | None
    minutes: int
    guid: str
    extensions: dict[str, Any]


def place_of(activity: str) -> StandardPlace | None:
    """What *activity* is of a standard; ``None`` for any other activity, and for one with control characters in it."""
    found = _PLACE.fullmatch(activity) if len(activity) <= LONGEST else None
    if found is None:
        return None
    ref, below = unquote(found[1]), [unquote(one) for one in found[2].split("/")[1:]]
    if not all(one.isprintable() for one in (ref, *below)):
        return None
    version = below.pop(0) if below and below[0] not in _BELOW else ""
    if not below:
        return StandardPlace(Standard(ref, version))
    part, code = below[0], "/".join(below[1:])
    return (
        StandardPlace(Standard(ref, version), part, code) if part in _BELOW and bool(code) == (part == "ksb") else None
    )


def day_in(text: str) -> date | None:
    """The day that *text* writes as ISO does; of a month its last; ``None`` for anything else a sender may write."""
    try:
        if len(text) == len("2027-03"):
            return date.fromisoformat(f"{text}-{monthrange(int(text[:4]), int(text[5:]))[1]}")
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def read_extensions(*told: Mapping[str, Any]) -> dict[str, bool | int | str]:
    """The extensions that this room reads, the later in *told* first; texts are cut to the length of a timestamp."""
    found = {name: value for some in told for name, value in some.items() if name in _READ}
    cut = ((name, value[:40] if isinstance(value, str) else value) for name, value in found.items())
    return {name: value for name, value in cut if isinstance(value, bool | str) or _is_hours(value)}


def extension(one: ToldOfStandard, name: str) -> Any:
    """An extension of ours, by its last word; ``None`` without one."""
    return one.extensions.get(EXTENSIONS + name)


def day_told(one: ToldOfStandard, name: str) -> str:
    """The day (or the month, as ``2027-03``) in an extension, as ISO writes it; empty for anything else."""
    value = extension(one, name)
    day = day_in(value) if isinstance(value, str) else None
    return "" if day is None else value if len(value) == len("2027-03") else day.isoformat()


def whole_hours(one: ToldOfStandard, name: str) -> int | None:
    """A number of hours in an extension; ``None`` for anything else that a sender may have written there."""
    value = extension(one, name)
    return value if _is_hours(value) else None


def _is_hours(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in _HOURS
