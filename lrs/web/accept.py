"""Which of the media types that we can answer a client would rather have (RFC 9110 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence

_MOST = 50
_QUALITY = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")
"""A ``qvalue`` (RFC 9110 12.4.2); whatever is none leaves its range out."""


def preferred(accept: str | None, offered: Sequence[str]) -> str:
    """The one of *offered* (lower-case, best first) with the highest quality; the first, if none is wanted or told.

    The most specific range that names a type decides about it; among equals, who is named more exactly comes first.
    A range's other parameters are not looked at.
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
    """The quality of *kind*, and how exactly it is named."""
    for exactness, candidate in ((2, kind), (1, f"{kind.partition('/')[0]}/*"), (0, "*/*")):
        if candidate in ranges:
            return ranges[candidate], exactness
    return 0.0, 0
