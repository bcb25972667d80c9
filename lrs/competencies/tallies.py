"""Tallies kept beside evidence, so that what a person holds is decided without reading every piece again.

Record ``tally``: derived, and a function of the ``evidence`` records alone: the first pieces of one rule and day, and
how many there are. It is brought up to date in the commit that changes the evidence, at the cost of that change,
however much evidence there is; only a piece that is named and goes has its day read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import msgspec

from lrs.competencies.dates import day_of, midnight
from lrs.competencies.decide import CITED, Evidence, Piece, Tally
from lrs.competencies.evidence import evidence_from
from lrs.keys import key
from lrs.names import name
from lrs.storage import Reader, Record, Tx, first_seq, pages

KIND = "tally"


@dataclass(slots=True)
class _Change:
    """What comes to a tally and what goes, by statement; *empty* is the tally without evidence."""

    empty: Tally
    added: dict[str, Piece] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)


def tallied(evidence: Iterable[Evidence], zone: str) -> list[Tally]:
    """The tallies of evidence that counts."""
    changes = _changes((), evidence, zone)
    return [_grown(change.empty, change.added.values(), len(change.added)) for change in changes.values()]


def tallies_of(reader: Reader, identifier: str, zone: str) -> Iterator[Tally]:
    """All tallies of *identifier* (by name), those of evidence from before there were tallies among them."""
    for record in pages(reader, KIND, key(KIND, identifier)):
        yield _decode(record.body)
    before = pages(reader, "evidence", counted_key(identifier))
    yield from tallied((evidence_from(record) for record in before), zone)


def counted_key(identifier: str) -> int:
    """What evidence that counts carried before there were tallies; a piece with it is in none."""
    return key("ev-counted", identifier)


def in_tally(record: Record) -> bool:
    """Whether an ``evidence`` record is counted in a tally."""
    one = evidence_from(record)
    return one.reason is None and counted_key(one.identifier) not in record.keys


def keep(tx: Tx, removed: Iterable[Evidence], added: Iterable[Evidence], zone: str) -> None:
    """Brings the tallies up to date with evidence that went and came, once its records are written."""
    changes = _changes(removed, added, zone)
    there = tx.get_many(KIND, changes) if changes else {}
    for id, change in changes.items():
        before = there.get(id)
        tally = _changed(tx, _decode(before.body) if before else change.empty, change, zone)
        body = msgspec.json.encode(tally)
        if before is None and tally.count:
            tx.insert(Record(KIND, id, body, keys=(key(KIND, tally.identifier),)))
        elif before and not tally.count:
            tx.delete(KIND, id)
        elif before and before.body != body:
            tx.replace(msgspec.structs.replace(before, body=body))


def remove(tx: Tx, records: Sequence[Record], zone: str) -> None:
    """Deletes ``evidence`` records, and takes them out of their tallies."""
    for record in records:
        tx.delete("evidence", record.id)
    keep(tx, [evidence_from(record) for record in records if in_tally(record)], (), zone)


_decode: Callable[[bytes], Tally] = msgspec.json.Decoder(Tally).decode


def _changes(removed: Iterable[Evidence], added: Iterable[Evidence], zone: str) -> dict[str, _Change]:
    changes: dict[str, _Change] = {}
    for one in removed:
        _change(changes, one, zone).removed.add(one.statement)
    for one in added:
        change = _change(changes, one, zone)
        if one.statement in change.removed:
            change.removed.discard(one.statement)
        else:
            change.added[one.statement] = _piece(one)
    return changes


def _change(changes: dict[str, _Change], one: Evidence, zone: str) -> _Change:
    day = day_of(one.event, zone)
    instructors = tuple(sorted(one.instructors))
    id = name(KIND, one.identifier, one.rule.item, one.rule.version, day.isoformat(), *instructors)
    if id not in changes:
        changes[id] = _Change(Tally(1, one.identifier, one.rule, day, instructors, 0, ()))
    return changes[id]


def _changed(tx: Tx, tally: Tally, change: _Change, zone: str) -> Tally:
    count = tally.count + len(change.added) - len(change.removed)
    left = [piece for piece in tally.pieces if piece.statement not in change.removed]
    if len(left) < len(tally.pieces) < tally.count:
        return _grown(change.empty, _of_the_day(tx, change.empty, zone), count)
    return _grown(change.empty, (*left, *change.added.values()), count)


def _grown(empty: Tally, pieces: Iterable[Piece], count: int) -> Tally:
    first = sorted(pieces, key=lambda piece: (piece.event, piece.statement))[:CITED]
    return msgspec.structs.replace(empty, count=count, pieces=tuple(first))


def _of_the_day(tx: Tx, tally: Tally, zone: str) -> Iterator[Piece]:
    """All pieces of a tally, from the evidence: its records lie in the order of when they happened."""
    after, until = _place(tally.day, zone), max(_place(tally.day + timedelta(days=1), zone), first_seq(1))
    rule = key("ev", tally.identifier, tally.rule.item)
    start: str | None = None
    while True:
        page = tx.find("evidence", [rule], after=after, until=until, limit=500, start=start)
        for record in page.records:
            one = evidence_from(record)
            there = (one.rule, day_of(one.event, zone), tuple(sorted(one.instructors)))
            if there == (tally.rule, tally.day, tally.instructors) and in_tally(record):
                yield _piece(one)
        start = page.next
        if start is None:
            return


def _place(day: date, zone: str) -> int:
    """The last place in the order of evidence before *day* begins; what happened before 1970 has the first of all."""
    return first_seq(max(1, midnight(day, zone))) - 1


def _piece(one: Evidence) -> Piece:
    return Piece(one.event, one.statement, one.source, one.timestamp)
