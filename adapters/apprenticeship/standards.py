"""The standard that a row is about. Pure."""

from __future__ import annotations

import re

from adapters.apprenticeship.facts import Standard
from adapters.reading.cells import text
from lrs.kernel.tables.row import Row, Unusable


def standard_of(row: Row) -> Standard | None:
    """The standard named by ``standard_ref`` and ``standard_version`` in *row*; ``None`` if there is none."""
    ref = re.sub(r"\s+", "", text(row, "standard_ref")).upper()
    if ref and (not re.fullmatch(r"[A-Z0-9][A-Z0-9./-]{0,19}", ref) or re.match(r"ST[0-9]{4}.", ref)):
        raise Unusable("no_standard", "standard_ref", ref, "this is no reference of a standard, such as ST1406")
    return Standard(ref, text(row, "standard_version").lower().removeprefix("v").strip()) if ref else None


def on_standard(row: Row) -> Standard:
    """The standard that *row* names. Raises ``Unusable`` if it names none."""
    standard = standard_of(row)
    if standard is None:
        raise Unusable("no_standard", "standard_ref", "", "say which standard: a column or a constant")
    return standard
