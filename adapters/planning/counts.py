"""What is counted for planners. Pure; knows no store."""

from __future__ import annotations

import msgspec

from adapters.planning.protect import Cell

SUPPLY = "supply"
HELD, ON_TRACK = "held", "on track"
"""The measures of supply."""


class Count(msgspec.Struct, frozen=True, order=True):
    """What is counted: the *part* of the report, *of* which role or centre, the *measure*, and by what it is split.

    Without *split* it is the total. Parts of one split add up to the total. With *year* it is how many
    of those who are counted now still count at the end of that year, if nothing is renewed.
    """

    part: str
    of: str
    measure: str
    split: str = ""
    value: str = ""
    year: str = ""


class Counted(msgspec.Struct, frozen=True):
    """How many."""

    what: Count
    number: int


def at(about: Count, cell: Cell, year: str) -> Count:
    """The count of a *cell* in a *year*, of all that are *about* the same."""
    return msgspec.structs.replace(about, split=cell[0], value=cell[1], year=year)
