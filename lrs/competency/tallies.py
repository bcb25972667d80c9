"""Tallies beside the evidence, so that evaluating a person does not read every piece of evidence again.

Record ``tally``: derived from the ``evidence`` records alone: the first pieces of one rule and day, and the number of
all. The commit that changes evidence updates its tally. The cost is that of the change, whatever the amount of
evidence; only when a named piece goes, the next one is looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

import msgspec

from lrs.competency.completion import LatestUncompletions
from lrs.competency.dates import day_of, midnight, shifted
from lrs.competency.decide import CITED, Evidence, EvidencePiece, Tally, taken_back
from lrs.competency.evidence import completion_key, evidence_from
from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.storage import Reader, Record, Tx, Walk, each, first_seq, walked
from lrs.storage.about import by_keys, without
from lrs.storage.kinds import Kind, Subjects, subjects

KIND = "tally"


@dataclass(slots=True)
class _Change:
    """The pieces that come to a tally and those that go, by statement. *empty* is the tally without evidence."""

    empty: Tally
    added: dict[str, EvidencePiece] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)


def tallied(evidence: Iterable[Evidence], zone: str) -> list[Tally]:
    """The tallies of the pieces of *evidence* that count."""
    changes = _changes((), evidence, zone)
    return [_grown(change.empty, change.added.values(), len(change.added)) for change in changes.values()]


def tallies_of(reader: Reader, identifier: str, zone: str, marks: LatestUncompletions) -> Iterator[Tally]:
    """All tallies of *identifier* (by id), also for evidence stored before there were tallies.

    What *marks*, the person's uncompletions, take back is left out; only the evidence that this needs is read.
    """
    gone = _changes(_taken_back(reader, identifier, marks), (), zone)
    for record in each(reader, KIND, key(KIND, identifier)):
        tally = _decode(record.body)
        left = _changed(reader, tally, gone[record.id], zone) if record.id in gone else tally
        if left.pieces:
            yield left
    before = each(reader, "evidence", counted_key(identifier))
    yield from tallied((evidence_from(record) for record in before), zone)


def _taken_back(reader: Reader, identifier: str, marks: LatestUncompletions) -> Iterator[Evidence]:
    for source, activity in marks:
        for record in each(reader, "evidence", completion_key(identifier, source, activity)):
            one = evidence_from(record)
            if in_tally(record) and taken_back(one, marks):
                yield one


def tally_id(one: Tally) -> str:
    """The id of the tally of its identifier, rule, day and instructors."""
    return name(KIND, one.identifier, one.rule.item, one.rule.version, one.day.isoformat(), *one.instructors)


def tally_from(record: Record) -> Tally:
    """The tally in a ``tally`` record."""
    return _decode(record.body)


def counted_key(identifier: str) -> int:
    """The search key that counted evidence had before there were tallies. Evidence with it is in no tally."""
    return key("ev-counted", identifier)


def in_tally(record: Record) -> bool:
    """Whether an ``evidence`` record is counted in a tally."""
    one = evidence_from(record)
    return one.reason is None and counted_key(one.identifier) not in record.keys


def keep(tx: Tx, removed: Iterable[Evidence], added: Iterable[Evidence], zone: str) -> None:
    """Updates the tallies for *removed* and *added* evidence. The evidence records must be written before."""
    changes = _changes(removed, added, zone)
    there = tx.get_many(KIND, changes) if changes else {}
    for id, change in changes.items():
        before = there.get(id)
        tally = _changed(tx, _decode(before.body) if before else change.empty, change, zone)
        body = msgspec.json.encode(tally)
        if before and not tally.count:
            tx.delete(KIND, id)
        elif tally.count and (before is None or before.body != body):
            record = before or Record(KIND, id, keys=(key(KIND, tally.identifier),))
            tx.put(msgspec.structs.replace(record, body=body))


def remove(tx: Tx, records: Sequence[Record], zone: str) -> None:
    """Deletes ``evidence`` records and removes them from their tallies."""
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
    day = _day(one, zone)
    instructors = tuple(sorted(one.instructors))
    empty = Tally(1, one.identifier, one.rule, day, instructors, 0, ())
    return changes.setdefault(tally_id(empty), _Change(empty))


def _changed(reader: Reader, tally: Tally, change: _Change, zone: str) -> Tally:
    count = max(0, tally.count + len(change.added) - len(change.removed))
    left = [piece for piece in tally.pieces if piece.statement not in change.removed]
    pieces = (*left, *change.added.values())
    if len(left) < len(tally.pieces) < tally.count:
        pieces = (*pieces, *_next(reader, tally, change.removed, len(tally.pieces) - len(left), zone))
    return _grown(change.empty, {piece.statement: piece for piece in pieces}.values(), count)


def _grown(empty: Tally, pieces: Iterable[EvidencePiece], count: int) -> Tally:
    first = sorted(pieces, key=lambda piece: (piece.event, piece.statement))[:CITED]
    return msgspec.structs.replace(empty, count=count, pieces=tuple(first))


def _next(reader: Reader, tally: Tally, without: Collection[str], wanted: int, zone: str) -> list[EvidencePiece]:
    """The pieces after the last one that *tally* names, without those of *without*: *wanted* or more, if there are.

    Evidence is in the order of its time, so no more is read than that, and what has the same time.
    """
    last = tally.pieces[-1]
    found: list[EvidencePiece] = []
    for one in _from(reader, tally, last.event, zone):
        if len(found) >= wanted and one.event > max(found[wanted - 1].event, 1):
            break
        if _piece(one) > last and one.statement not in without:
            found.append(_piece(one))
    return found


def _from(reader: Reader, tally: Tally, event: int, zone: str) -> Iterator[Evidence]:
    """The evidence in *tally* from the time *event* on (microseconds UTC).

    The day may be one of a zone that was in force earlier. No zone's day ends more than a day after that of UTC.
    """
    until = max(first_seq(max(1, midnight(shifted(tally.day, 2), "UTC"))) - 1, first_seq(1))
    rule = key("ev", tally.identifier, tally.rule.item)
    for record in walked(reader, Walk("evidence", [rule], after=first_seq(max(1, event)) - 1, until=until)):
        one = evidence_from(record)
        there = (one.rule, _day(one, zone), tuple(sorted(one.instructors)))
        if there == (tally.rule, tally.day, tally.instructors) and in_tally(record):
            yield one


def _day(one: Evidence, zone: str) -> date:
    return day_of(one.event, zone) if one.day is msgspec.UNSET else one.day


def _piece(one: Evidence) -> EvidencePiece:
    return EvidencePiece(one.event, one.statement, one.source, one.timestamp)


def _about(record: Record) -> Subjects:
    tally = _decode(record.body)
    return subjects(identifiers=(tally.identifier, *tally.instructors))


KINDS = (
    Kind(
        KIND,
        "derived",
        Tally,
        1,
        subjects=_about,
        retention="derived",
        exported=False,
        find=by_keys(KIND, lambda whose: (key(KIND, one) for one in whose.identifiers)),
        shown=without("instructors"),
    ),
)
