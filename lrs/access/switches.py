"""The switches of a source: what is done with its statements beyond what xAPI says. All are off at first.

``deduplicate``: a statement without an id that says the same as one of the last days is taken as sent again.
``quarantine``: a statement that is invalid in a known way is kept aside, and does not refuse its batch.
Records: ``source-switches`` (id: the source). What they do stands in ``lrs.xapi.statements``.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from lrs.storage import Reader, Record, Tx, each
from lrs.storage.kinds import Kind
from lrs.tenancy import audit

KIND = "source-switches"
DEDUPLICATE, QUARANTINE = "deduplicate", "quarantine"
SWITCHES = (DEDUPLICATE, QUARANTINE)


class SourceSwitches(msgspec.Struct, frozen=True):
    """The body of a record: the switches that are on, in alphabetical order."""

    on: tuple[str, ...]
    v: int = 1


_decoder = msgspec.json.Decoder(SourceSwitches)


def switches_of(reader: Reader, source: str) -> frozenset[str]:
    """The switches that are on for *source*."""
    record = reader.get(KIND, source)
    return frozenset(_decoder.decode(record.body).on) if record else frozenset()


def all_switches(reader: Reader) -> dict[str, frozenset[str]]:
    """The switches that are on, by source, for the sources that have had one on."""
    return {record.id: frozenset(_decoder.decode(record.body).on) for record in each(reader, KIND)}


def put_switches(tx: Tx, source: str, on: Iterable[str], by: str) -> bool:
    """Turns *on* those switches of *source*, and the others off. ``False`` if they are so already.

    Takes effect within a second. Raises ``ValueError`` for an unknown switch.
    """
    wanted = tuple(sorted(set(on)))
    if unknown := set(wanted) - set(SWITCHES):
        raise ValueError(f"unknown switch {min(unknown)!r}")
    if switches_of(tx, source) == frozenset(wanted):
        return False
    tx.put(Record(KIND, source, msgspec.json.encode(SourceSwitches(wanted))))
    audit.append(tx, by, "source.switched", {"source": source, "on": " ".join(wanted) or "none"})
    return True


KINDS = (Kind(KIND, "fact", SourceSwitches, 1, subjects=None, retention="configuration", exported=True),)
