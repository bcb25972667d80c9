"""Names that stand for nobody in what a source sends: its guests and anonymous visitors, who are not one person.

Each source may have a list; otherwise a default applies. An account without a name stands for nobody everywhere.
Records: ``nobody-names`` (id: the source). Knows no evidence: whoever changes a list makes the source's statements be
read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from lrs.people.identifiers import NOBODY, plain_name
from lrs.storage import Reader, Record, RecordName, Tx, each
from lrs.storage.kinds import Kind
from lrs.tenancy import audit

KIND = "nobody-names"


class _Kept(msgspec.Struct, frozen=True):
    """The body of a ``nobody-names`` record."""

    v: int
    names: tuple[str, ...]


def names_by_source(reader: Reader, sources: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """For each of *sources* the names that stand for nobody in its statements."""
    wanted = set(sources)
    kept = reader.get_many(KIND, wanted) if wanted else {}
    return {source: _names(kept[source]) if source in kept else NOBODY for source in wanted}


def names_of_sources(sources: Iterable[str]) -> Iterator[RecordName]:
    """The records that ``names_by_source`` reads."""
    return ((KIND, source) for source in sources)


def names_of(reader: Reader, source: str) -> frozenset[str]:
    """The names that stand for nobody in statements of *source*."""
    return names_by_source(reader, (source,))[source]


def own_lists(reader: Reader) -> dict[str, frozenset[str]]:
    """The lists of the sources that have one, by source."""
    return {record.id: _names(record) for record in each(reader, KIND)}


def put_names(tx: Tx, source: str, names: Iterable[str], by: str) -> bool:
    """Makes *names* the list of *source*. ``False`` if it already has this list."""
    listed = tuple(sorted({plain_name(name) for name in names}))
    there = tx.get(KIND, source)
    if there and _names(there) == frozenset(listed):
        return False
    tx.put(Record(KIND, source, msgspec.json.encode(_Kept(1, listed))))
    audit.append(tx, by, "nobody-names.set", {"source": source})
    return True


def _names(record: Record) -> frozenset[str]:
    return frozenset(msgspec.json.decode(record.body, type=_Kept).names)


KINDS = (Kind(KIND, "fact", _Kept, 1, subjects=None, retention="configuration", exported=True, basis=True),)
