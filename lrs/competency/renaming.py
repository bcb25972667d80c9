"""Evidence, tallies and uncompletions under the ids of identifiers instead of their names.

Pure: from a record as 0.2.0 wrote it to the record that the same statement gives now, in the same place of the order.
So a rebuild afterwards finds no difference. Knows no store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from lrs.competency import tallies, uncompletions
from lrs.competency.dates import day_of
from lrs.competency.decide import Evidence
from lrs.competency.evidence import KIND as EVIDENCE
from lrs.competency.evidence import evidence_from, evidence_id, evidence_keys, former_id
from lrs.kernel.keys import key
from lrs.people.ids import Ids, is_name
from lrs.storage import Record


def renamed(record: Record, ids: Ids) -> Record | None:
    """*record* (``evidence``, ``tally`` or ``uncompletion``) under ids; ``None`` if it already is."""
    found = RENAMED[record.kind](record, ids)
    return None if found.id == record.id else msgspec.structs.replace(found, rev=0)


def dated(record: Record, zone: str) -> Record:
    """*record* with its day in *zone*, if it is ``evidence`` without a day."""
    if record.kind != EVIDENCE or evidence_from(record).day is not msgspec.UNSET:
        return record
    day = day_of(evidence_from(record).event, zone)
    return msgspec.structs.replace(record, body=record.body[:-1] + f',"day":"{day}"}}'.encode())


def _evidence(record: Record, ids: Ids) -> Record:
    one = evidence_from(record)
    body = record.body
    for name in filter(is_name, {one.identifier, *one.instructors}):
        body = body.replace(name.encode(), ids(name).encode())  # the rest stays as an earlier version wrote it
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
    EVIDENCE: _evidence,
    tallies.KIND: _tally,
    uncompletions.KIND: _uncompletion,
}
"""The kinds that name identifiers and follow from statements alone, each with the function that renames its records."""
