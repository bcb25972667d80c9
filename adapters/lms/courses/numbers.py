"""Running numbers from 1 for what people and programs name by a short number: courses, registrations, sessions.

A number is drawn inside the writer, so none is given twice; one whose decision fails is given to the next.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from lrs.storage import Record, Tx
from lrs.storage.kinds import Kind

KIND = "lms-number"
Numbered = Literal["course", "registration", "session", "client"]


class LastNumber(msgspec.Struct, frozen=True):
    """The last number that was given."""

    last: int
    v: int = 1


def draw(tx: Tx, sort: Numbered) -> int:
    """The next number of this *sort*."""
    record = tx.get(KIND, sort)
    number = msgspec.json.decode(record.body, type=LastNumber).last + 1 if record else 1
    tx.put(Record(KIND, sort, msgspec.json.encode(LastNumber(number)), rev=record.rev if record else 0))
    return number


KINDS = (Kind(KIND, "fact", LastNumber, 1, subjects=None, retention="configuration", exported=True),)
