"""What a record may measure, the same on every engine, so that data can move between them."""

from __future__ import annotations

from lrs.errors import Refused
from lrs.storage import LARGEST, Record


def check_size(record: Record) -> None:
    """Raises ``Refused`` for a body over ``LARGEST``."""
    if len(record.body) > LARGEST:
        raise Refused(
            f"a record has at most {LARGEST} bytes, this one has {len(record.body)}", status=413, error="too_large"
        )
