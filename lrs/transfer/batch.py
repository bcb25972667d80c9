"""Selects the statements to send next to an LRS: from a place in the order on, filtered, bounded. Sends nothing."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import msgspec

from lrs.kernel.settings import MIB
from lrs.storage import Reader, Record, Store, Walk
from lrs.transfer.forwards import Filter, Forward

MOST = 250
"""Statements in one request."""
MOST_BYTES = MIB
"""Bytes of the statements in one request. A larger statement is sent alone."""
MOST_DATA = 8 * MIB
"""Bytes of attachments' data in one request. A statement with more is sent alone."""
_decode = msgspec.json.Decoder().decode


class Batch(msgspec.Struct, frozen=True):
    """The content of one request: statements of one version, and the places in the order between which they are."""

    after: int
    until: int
    records: tuple[Record, ...]

    @property
    def version(self) -> str:
        """The value of the version header."""
        return version_of(self.records[0])


def next_batch(store: Store, forward: Forward) -> Batch:
    """The next batch of *forward*. It has no records if nothing that was looked at meets the filter.

    If a refused statement is known to be among the next, it has half as many, so that the statement is found by
    halving.
    """
    limit = max(1, forward.suspect // 2) if forward.suspect else MOST
    found = store.find(Walk("statement", after=forward.position, limit=MOST, most=MOST_BYTES)).records
    chosen: list[Record] = []
    until, size, data = forward.position, 0, 0
    for record in found:
        if meets(store, record, forward.filter):
            size += len(record.body)
            data += data_size(store, [record])
            is_other = chosen and version_of(record) != version_of(chosen[0])
            if chosen and (is_other or len(chosen) == limit or size > MOST_BYTES or data > MOST_DATA):
                break
            chosen.append(record)
        until = record.seq
    return Batch(forward.position, until, tuple(chosen))


def meets(reader: Reader, record: Record, wanted: Filter) -> bool:
    """Whether *record* is to be forwarded. A voiding statement is, if the statement that it voids is."""
    if _meets(record, wanted):
        return True
    if not record.meta.get("voids") or record.meta["source"] in wanted.without:
        return False
    target = reader.get("statement", record.meta["refers"])
    return target is None or _meets(target, wanted)  # if the target is not here yet, it is sent


def data_size(store: Store, records: Iterable[Record]) -> int:
    """Bytes of attachments' data of *records*; missing data counts as 0."""
    size = 0
    for record in records:
        for blob in record.meta.get("attachments", {}).values():
            with suppress(KeyError):
                size += store.blobs.size(blob)
    return size


def version_of(record: Record) -> str:
    """The xAPI version under which the statement was received. It is sent under the same version."""
    return "2.0.0" if str(record.meta["version"]).startswith("2") else "1.0.3"


def _meets(record: Record, wanted: Filter) -> bool:
    source = record.meta["source"]
    if source in wanted.without or (wanted.sources and source not in wanted.sources):
        return False
    if not wanted.verbs and not wanted.activities:
        return True
    statement: dict[str, Any] = _decode(record.body)
    if wanted.verbs and statement["verb"]["id"] not in wanted.verbs:
        return False
    return not wanted.activities or _activity(statement) in wanted.activities


def _activity(statement: dict[str, Any]) -> str | None:
    target = statement["object"]
    return str(target["id"]) if target.get("objectType", "Activity") == "Activity" else None
