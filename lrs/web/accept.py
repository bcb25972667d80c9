"""Chooses the media type of an answer by the client's ``Accept`` header (RFC 9110 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence

_MOST = 50
_QUALITY = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")
"""A ``qvalue`` (RFC 9110 12.4.2). A range with another one is ignored."""


def preferred(accept: str | None, offered: Sequence[str]) -> str:
    """The one of *offered* (lower case, best first) with the highest quality; the first one if no header or no match.

    The most specific range that matches a type decides its quality. Among equals the more specific match wins. Other
    parameters of a range are ignored.
    """
    ranges = _ranges(accept)
    best = max((*_weight(kind, ranges), -place) for place, kind in enumerate(offered))
    return offered[-best[2]] if best[0] > 0 else offered[0]


def _ranges(accept: str | None) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in (accept or "").split(",")[:_MOST]:
        kind, *parameters = (one.strip().lower() for one in part.split(";"))
        told = [one.partition("=")[2].strip() for one in parameters if one.partition("=")[0].strip() == "q"]
        quality = told[0] if told else "1"
        if kind and _QUALITY.fullmatch(quality):
            found[kind] = max(found.get(kind, 0.0), float(quality))
    return found


def _weight(kind: str, ranges: dict[str, float]) -> tuple[float, int]:
    """The quality of *kind*, and how specific the matching range is."""
    for exactness, candidate in ((2, kind), (1, f"{kind.partition('/')[0]}/*"), (0, "*/*")):
        if candidate in ranges:
            return ranges[candidate], exactness
    return 0.0, 0
