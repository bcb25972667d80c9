"""Derived state compared, byte for byte, with what the facts say, and put right.

Derived are evidence, awards and profiles. Credentials, deliveries, consents and audit are effects: never read, never
written here. Nothing is owed by what is put right, so a rebuild sends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from lrs.competencies.awards import Award
from lrs.competencies.rules import Ruleset
from lrs.competencies.scratch import batches, worked_out
from lrs.errors import Refused
from lrs.storage import Reader, Record, Store, Tx, pages
from lrs.tenants import Tenant

DERIVED = ("evidence", "award", "profile")


@dataclass(slots=True)
class Diff:
    """What is different: (kind, id) of what should be there and is not, should not be there, or says otherwise."""

    added: list[tuple[str, str]] = field(default_factory=list)
    removed: list[tuple[str, str]] = field(default_factory=list)
    changed: list[tuple[str, str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    def lines(self) -> list[str]:
        """The diff for people: ``+``, ``-`` or ``~``, the kind and the id."""
        marked = (("+", self.added), ("-", self.removed), ("~", self.changed))
        return [f"{mark} {kind} {id}" for mark, found in marked for kind, id in found]


@dataclass(frozen=True, slots=True)
class Swing:
    """An award that a change of rules would give or take: whose, and of what."""

    person: str
    code: str
    label: str
    level: int
    gained: bool


def rebuild(tenant: Tenant, *, apply: bool) -> Diff:
    """Compares derived state with what the facts say; with *apply*, puts the latter in its place.

    Raises ``Refused`` (409) while work waits or statements arrive: steps that then found their result in place would
    owe no badge and no delivery.
    """
    until = _quiet(tenant)
    with worked_out(tenant, until=until) as scratch:
        diff = compare(tenant.store, scratch)
        if apply and diff:
            if _quiet(tenant) != until:
                raise Refused("statements arrived meanwhile; run it again", status=409, error="busy")
            _swap(tenant.store, scratch, diff)
    return diff


def compare(store: Reader, scratch: Reader) -> Diff:
    """How derived state in *store* is different from that in *scratch*, in the order of the records."""
    diff = Diff()
    for kind in DERIVED:
        for batch in batches(pages(store, kind)):
            right = scratch.get_many(kind, [record.id for record in batch])
            diff.removed += [(kind, one.id) for one in batch if one.id not in right]
            diff.changed += [(kind, one.id) for one in batch if one.id in right and not _same(one, right[one.id])]
        for batch in batches(pages(scratch, kind)):
            known = store.get_many(kind, [record.id for record in batch])
            diff.added += [(kind, one.id) for one in batch if one.id not in known]
    return diff


def swings(tenant: Tenant, ruleset: Ruleset) -> list[Swing]:
    """Who would gain and lose what if *ruleset* came into force. Nothing is written."""
    with worked_out(tenant) as now:
        before = _held(now)
    with worked_out(tenant, ruleset=ruleset) as then:
        after = _held(then)
    changes = [(one, False) for one in before - after] + [(one, True) for one in after - before]
    return [Swing(*one, gained=gained) for one, gained in sorted(changes)]


def _held(store: Reader) -> set[tuple[str, str, str, int]]:
    awards = (msgspec.json.decode(record.body, type=Award) for record in pages(store, "award"))
    held = (one for one in awards if one.state == "held")
    return {(one.person, one.competency.code, one.competency.label, one.level.ordinal) for one in held}


def _quiet(tenant: Tenant) -> int:
    """The ``seq`` of the newest statement, if no step is due that would change derived state."""
    now = tenant.clock()
    for one in tenant.store.backlog():
        due = one.oldest_due is not None and one.oldest_due <= now
        # An evaluation may be owed for a day to come; a match is not, unless it failed and waits to be tried again.
        if (one.step == "match" and one.waiting) or (one.step == "evaluate" and due):
            raise Refused(f"{one.step} is still owed; let lrs work finish first", status=409, error="busy")
    newest = tenant.store.find("statement", newest_first=True, limit=1).records
    return newest[0].seq if newest else 0


def _same(one: Record, other: Record) -> bool:
    return (one.body, dict(one.meta), set(one.keys)) == (other.body, dict(other.meta), set(other.keys))


def _swap(store: Store, scratch: Reader, diff: Diff) -> None:
    for batch in batches((*diff.added, *diff.changed, *diff.removed)):
        store.write(_putting_right(scratch, batch)).result()
    for lineages in batches(pages(scratch, "award-lineage")):
        store.write(_putting(lineages)).result()


def _putting_right(scratch: Reader, batch: Sequence[tuple[str, str]]) -> Callable[[Tx], None]:
    right = [(kind, id, scratch.get(kind, id)) for kind, id in batch]

    def decide(tx: Tx) -> None:
        for kind, id, record in right:
            if record is None:
                tx.delete(kind, id)
            else:
                _put(tx, record)

    return decide


def _putting(records: Sequence[Record]) -> Callable[[Tx], None]:
    def decide(tx: Tx) -> None:
        for record in records:
            _put(tx, record)

    return decide


def _put(tx: Tx, record: Record) -> None:
    """Evidence brings its own place in the order; anything else keeps the one it has, or gets a new one."""
    there = tx.get(record.kind, record.id)
    if there is None:
        tx.insert(msgspec.structs.replace(record, rev=0, seq=record.seq if record.kind == "evidence" else 0))
    elif not _same(there, record):
        seq = record.seq if record.kind == "evidence" else there.seq
        tx.replace(msgspec.structs.replace(record, rev=there.rev, seq=seq))
