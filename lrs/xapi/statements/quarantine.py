"""Statements that are invalid by a known habit of their sender: kept for 30 days, and stored later after a mend.

Only for sources that asked for it (``lrs.access.switches``). Records: ``quarantined`` (id: the statement's), written in
the commit that stores the rest of their batch, and ``quarantine-tally`` (id: the source), how many there are. A
statement in quarantine is none: no query finds it and nothing follows from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from lrs.kernel.times import DAY
from lrs.storage import Reader, Record, Tx, Walk, each, micros_of
from lrs.storage.about import Whose, by_keys, shown_as
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.xapi.statements.equality import same
from lrs.xapi.statements.identity import ifi_text, named_in
from lrs.xapi.statements.keys import agent_key, source_key
from lrs.xapi.statements.own_view import statement_shown
from lrs.xapi.statements.plan import KIND as STATEMENT
from lrs.xapi.statements.plan import QUARANTINED as KIND
from lrs.xapi.statements.plan import AsideSender, SetAside, conflict_of, in_batch, is_stamped

TALLY = "quarantine-tally"
DAYS = 30
LASTS = DAYS * DAY
"""Microseconds for which a statement stays in quarantine."""
MOST_BYTES = 64 * 1024 * 1024
"""Bytes of one source in quarantine. Beyond it its invalid statements are refused, as without the switch."""
_decode = msgspec.json.Decoder().decode


class Quarantined(msgspec.Struct, frozen=True):
    """The body of a record. *statement* is the text as received; *place* a pointer into it, and *rule* what it breaks.

    *habits* are the names of the mends that make it valid. *index* was its place in its batch.
    """

    sender: AsideSender
    statement: msgspec.Raw
    habits: tuple[str, ...]
    says: str
    place: str
    rule: str
    index: int | None = None
    v: int = 1


class QuarantineTally(msgspec.Struct, frozen=True):
    """How many statements of a source are in quarantine, their bytes, and how many ever were."""

    count: int = 0
    size: int = 0
    ever: int = 0
    v: int = 1


_body = msgspec.json.Decoder(Quarantined).decode
_tally = msgspec.json.Decoder(QuarantineTally).decode


def keep_aside(tx: Tx, some: Sequence[SetAside]) -> None:
    """Keeps *some* in quarantine, in a decision that stores the rest of their batch.

    One that is there already, or stored after its mends, changes nothing. Refuses (409) an id that holds another
    statement, and (400) what is wrong with the first one if the quarantine of its source is full.
    """
    ids = [one.id for one in some]
    stored, there = (tx.get_many(STATEMENT, ids), tx.get_many(KIND, ids)) if ids else ({}, {})
    fresh = [one for one in some if not _is_known(one, stored, there)]
    for source in {one.sender.source for one in fresh}:
        added = [one for one in fresh if one.sender.source == source]
        tally = tally_of(tx, source)
        size = tally.size + sum(len(one.text) for one in added)
        if size > MOST_BYTES:
            raise in_batch(added[0].refused, added[0].index)
        _put_tally(tx, source, QuarantineTally(tally.count + len(added), size, tally.ever + len(added)))
    for one in fresh:
        tx.insert(Record(KIND, one.id, msgspec.json.encode(_kept(one)), {"source": one.sender.source}, one.keys))


def _is_known(one: SetAside, stored: Mapping[str, Record], there: Mapping[str, Record]) -> bool:
    as_stored, as_kept = stored.get(one.id), there.get(one.id)
    if as_stored is not None:
        is_same = same(one.mended, _decode(as_stored.body), stamped=is_stamped(as_stored.body))
    elif as_kept is not None:
        is_same = _decode(_body(as_kept.body).statement) == _decode(one.text)
    else:
        return False
    if not is_same:
        raise conflict_of(one.id, one.sender.version, one.index)
    return True


def _kept(one: SetAside) -> Quarantined:
    refused = one.refused
    told = (refused.message, refused.pointer or "", refused.rule or "")
    return Quarantined(one.sender, msgspec.Raw(one.text), one.habits, *told, one.index)


def tally_of(reader: Reader, source: str) -> QuarantineTally:
    """How many statements of *source* are in quarantine."""
    record = reader.get(TALLY, source)
    return _tally(record.body) if record else QuarantineTally()


def all_tallies(reader: Reader) -> dict[str, QuarantineTally]:
    """The same for every source that ever had one."""
    return {record.id: _tally(record.body) for record in each(reader, TALLY)}


def quarantined(record: Record) -> Quarantined:
    """The body of *record*."""
    return _body(record.body)


def newest(reader: Reader, source: str, most: int) -> list[Record]:
    """The newest statements of *source* in quarantine, at most *most*."""
    return list(reader.find(Walk(KIND, (source_key(source),), newest_first=True, limit=most)).records)


def of_source(reader: Reader, source: str) -> Iterator[Record]:
    """All statements of *source* in quarantine, oldest first."""
    return each(reader, KIND, source_key(source))


def find(reader: Reader, id: str) -> Record | None:
    """The statement *id*, if it is in quarantine."""
    return reader.get(KIND, id.lower())


def take_out(tx: Tx, records: Iterable[Record]) -> int:
    """Deletes *records* from the quarantine, those that are still there. Gives their number."""
    gone = 0
    for record in records:
        if tx.get(KIND, record.id) is None:
            continue
        tx.delete(KIND, record.id)
        source = str(record.meta["source"])
        tally = tally_of(tx, source)
        size = tally.size - len(bytes(quarantined(record).statement))
        _put_tally(tx, source, QuarantineTally(tally.count - 1, size, tally.ever))
        gone += 1
    return gone


def ends(record: Record) -> int:
    """When it is deleted, in microseconds UTC."""
    return micros_of(record.seq) + LASTS


def _put_tally(tx: Tx, source: str, tally: QuarantineTally) -> None:
    tx.put(Record(TALLY, source, msgspec.json.encode(tally)))


def _about(record: Record) -> Subjects:
    return subjects(identifiers=named_in(_decode(quarantined(record).statement)))


def _keys_of(whose: Whose) -> Iterable[int]:
    return [agent_key(text, related=True) for agent in whose.agents if (text := ifi_text(agent))]


def _shown(record: Record, whose: Whose) -> dict[str, Any]:
    """The statement as stored ones are shown, and why it is none."""
    kept = quarantined(record)
    told = statement_shown(msgspec.structs.replace(record, body=bytes(kept.statement)), whose)
    return {**shown_as(record, {}), "statement": told, "says": kept.says}


KINDS = (
    Kind(
        KIND,
        "fact",
        Quarantined,
        1,
        subjects=_about,
        retention="upload",
        exported=False,
        find=by_keys(KIND, _keys_of),
        shown=_shown,
    ),
    Kind(TALLY, "working", QuarantineTally, 1, subjects=None, retention="operational", exported=False),
)
