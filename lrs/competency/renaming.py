"""Evidence, tallies and marks that were taken off, under the ids of identifiers instead of their names.

Pure: from a record as 0.2.0 wrote it to the one that the same statement leaves now, in the same place of the order. So
a rebuild finds nothing to do afterwards. Knows no store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from lrs.competency import tallies, uncompletions
from lrs.competency.decide import Evidence
from lrs.competency.evidence import evidence_from, evidence_id, evidence_keys, former_id
from lrs.kernel.keys import key
from lrs.people.ids import Ids, is_name
from lrs.storage import Record


def renamed(record: Record, ids: Ids) -> Record | None:
    """*record*, an ``evidence``, a ``tally`` or an ``uncompletion``, under ids; ``None`` for one that is already."""
    found = RENAMED[record.kind](record, ids)
    return None if found.id == record.id else msgspec.structs.replace(found, rev=0)


def _evidence(record: Record, ids: Ids) -> Record:
    one = evidence_from(record)
    body = record.body
    for name in filter(is_name, {one.identifier, *one.instructors}):
        body = body.replace(name.encode(), ids(name).encode())  # all else as an earlier version wrote it
    new = msgspec.structs.replace(one, identifier=ids(one.identifier))
    is_former = record.id == former_id(one.statement, one.rule, one.identifier)
    id = (former_id if is_former else evidence_id)(one.statement, one.rule, new.identifier)
    keys = dict(zip(_keys(one), _keys(new), strict=True))
    return msgspec.structs.replace(record, id=id, body=body, keys=_mapped(record.keys, keys))


def _keys(one: Evidence) -> tuple[int, ...]:
    return (*evidence_keys(one), tallies.counted_key(one.identifier))


def _tally(record: Record, ids: Ids) -> Record:
    one = tallies.tally_from(record)
    instructors = tuple(sorted(map(ids, one.instructors)))
    new = msgspec.structs.replace(one, identifier=ids(one.identifier), instructors=instructors)
    return _put(record, tallies.tally_id(new), new, one.identifier, new.identifier)


def _uncompletion(record: Record, ids: Ids) -> Record:
    one = uncompletions.uncompletion_from(record)
    new = msgspec.structs.replace(one, identifier=ids(one.identifier))
    return _put(
        record, uncompletions.uncompletion_id(new.statement, new.identifier), new, one.identifier, new.identifier
    )


def _put(record: Record, id: str, body: msgspec.Struct, old: str, new: str) -> Record:
    keys = _mapped(record.keys, {key(record.kind, old): key(record.kind, new)})
    return msgspec.structs.replace(record, id=id, body=msgspec.json.encode(body), keys=keys)


def _mapped(keys: Iterable[int], new: Mapping[int, int]) -> tuple[int, ...]:
    return tuple(new.get(one, one) for one in keys)


RENAMED: Mapping[str, Callable[[Record, Ids], Record]] = {
    "evidence": _evidence,
    tallies.KIND: _tally,
    uncompletions.KIND: _uncompletion,
}
"""How each kind that names identifiers, and follows from statements alone, is renamed."""
