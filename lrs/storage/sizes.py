"""Limits on the size of records, the same for every engine, so that data can move between them."""

from __future__ import annotations

from lrs.kernel.errors import Refused
from lrs.storage.records import LARGEST, MOST_AT_ONCE, Record


def check_size(record: Record) -> None:
    """Raises ``Refused`` for a body over ``LARGEST``."""
    if len(record.body) > LARGEST:
        raise Refused(
            f"a record has at most {LARGEST} bytes, this one has {len(record.body)}", status=413, error="too_large"
        )


def check_found(size: int) -> None:
    """Raises ``Refused`` if records asked for by their ids have more than ``MOST_AT_ONCE`` bytes together."""
    if size > MOST_AT_ONCE:
        raise Refused(
            f"what is stored under these ids has together more than {MOST_AT_ONCE} bytes: send fewer at a time",
            status=413,
            error="too_large",
        )
