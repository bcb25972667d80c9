"""Which providers sent files lately."""

from __future__ import annotations

from adapters.imports import job as jobs
from lrs.storage import Reader

NEWEST = 1_000
"""Imports that are looked at."""


def senders(reader: Reader, adapter: str) -> list[str]:
    """The providers among the newest imports that sent files for *adapter*."""
    return sorted({one.provider for one in jobs.newest(reader, NEWEST) if one.adapter == adapter})


def arrived_from(reader: Reader) -> frozenset[str]:
    """The providers among the newest imports of whose files rows came in, with or without a key."""
    return frozenset(one.provider for one in jobs.newest(reader, NEWEST) if one.has_arrived)
