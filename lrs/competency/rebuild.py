"""Compares derived state, byte for byte, with what follows from the facts, and corrects it.

The table of kinds says what is derived and from which facts. A rebuild neither reads nor writes effects, and sends
nothing. An award whose content changes owes ``issue``, because its badge must not say more than is held;
a person whose profile changes owes ``list``.

Steps may run meanwhile. A record is corrected only if it is still as it was compared. A record that changed, appeared
or went in between is left alone, and everything is worked out again; so it is if facts change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import msgspec

from lrs.competency.awards import is_news
from lrs.competency.evidence import KIND as EVIDENCE
from lrs.competency.held import AWARD, LINEAGE, PROFILE
from lrs.competency.rules.rulesets import in_force
from lrs.competency.scratch import batches, copied, read_meaning, worked_out
from lrs.competency.uncompletions import read_those_before
from lrs.kernel.errors import Refused
from lrs.people.ids import check_renamed, ids_of
from lrs.people.persons import LISTING
from lrs.storage import ROWS, Backlog, Owed, Reader, Record, RecordName, Store, Tx, Walk, each
from lrs.storage.kinds import Kinds
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.plan import KIND as STATEMENT

ATTEMPTS = 5
"""How often derived state is worked out again because something changed meanwhile."""
BUSY = "busy"


@dataclass(slots=True)
class Diff:
    """The differences: names of records that are missing, that should not be there, and that have another content.

    *seen* has the digest of each such record as it was compared; none for records that were missing.
    """

    added: list[RecordName] = field(default_factory=list)
    removed: list[RecordName] = field(default_factory=list)
    changed: list[RecordName] = field(default_factory=list)
    seen: dict[RecordName, bytes] = field(default_factory=dict, repr=False)

    def names(self) -> Iterator[RecordName]:
        """The names of all records that differ."""
        yield from (*self.added, *self.changed, *self.removed)

    def add(self, other: Diff) -> None:
        """Adds the differences in *other*."""
        for mine, theirs in ((self.added, other.added), (self.removed, other.removed), (self.changed, other.changed)):
            known = set(mine)
            mine += [one for one in theirs if one not in known]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    def lines(self) -> list[str]:
        """The diff for people: ``+``, ``-`` or ``~``, the kind and the id."""
        marked = (("+", self.added), ("-", self.removed), ("~", self.changed))
        return [f"{mark} {kind} {id}" for mark, found in marked for kind, id in found]


def rebuild(tenant: Tenant, kinds: Kinds, *, apply: bool) -> Diff:
    """Compares derived state with what follows from the facts; with *apply*, corrects it.

    Raises ``Refused`` (409) while work waits or was given up: a step that later finds its result already written would
    owe no badge and no delivery. Also raises it if something changed during each of ``ATTEMPTS`` attempts.
    """
    if apply:
        read_those_before(tenant)  # marks taken off must be worked through by the steps, so that services are told
    found = Diff()
    for _ in range(ATTEMPTS):
        facts = _quiet(tenant, kinds)
        with worked_out(tenant, kinds, until=facts.newest) as scratch:
            diff = compare(tenant.store, scratch, kinds)
            if _quiet(tenant, kinds) != facts:
                continue
            found.add(diff)
            if not (apply and diff and put_right(tenant.store, scratch, diff)):
                return found
    done = "some of it was put right" if found else "nothing was changed"
    raise Refused(
        f"statements or levels changed during each of {ATTEMPTS} attempts, {done}; run it again when fewer statements"
        " arrive",
        status=409,
        error=BUSY,
    )


def compare(store: Reader, scratch: Reader, kinds: Kinds) -> Diff:
    """How derived state in *store* differs from that in *scratch*, in the order of the records."""
    diff = Diff()
    for kind in kinds.values():
        if kind.class_ == "derived":
            _compare(store, scratch, kind.name, diff)
    return diff


def _compare(store: Reader, scratch: Reader, kind: str, diff: Diff) -> None:
    for batch in batches(each(store, kind)):
        right = scratch.get_many(kind, [record.id for record in batch])
        for record in batch:
            if record.id not in right:
                diff.removed.append((kind, record.id))
            elif not _same(record, right[record.id]):
                diff.changed.append((kind, record.id))
            else:
                continue
            diff.seen[kind, record.id] = _digest(record)
    for batch in batches(each(scratch, kind)):
        known = store.get_many(kind, [record.id for record in batch])
        diff.added += [(kind, one.id) for one in batch if one.id not in known]


class _Facts(msgspec.Struct, frozen=True):
    """What derived state was worked out from.

    That is the statements, and *others*, a digest of the ids and revisions of all other facts.
    """

    newest: int
    count: int
    others: bytes


def _quiet(tenant: Tenant, kinds: Kinds) -> _Facts:
    """The facts, if no step is owed that would change derived state. Otherwise raises ``Refused`` (409)."""
    check_renamed(tenant)
    store, now = tenant.store, tenant.clock()
    for one in store.backlog():
        due = one.oldest_due is not None and one.oldest_due <= now
        # An evaluation may be owed for a future day. A match is owed for later only if it failed and waits for a retry.
        if (one.step == "match" and one.waiting) or (one.step == "evaluate" and due):
            raise Refused(f"{one.step} is still owed; let lrs work finish first", status=409, error=BUSY)
        if one.step in {"match", "evaluate"} and _gave_up(tenant, one):
            message = f"{one.step} failed: lrs work status says why; put that right, then lrs work retry"
            raise Refused(message, status=409, error=BUSY)
    newest = store.find(Walk(STATEMENT, newest_first=True, limit=1)).records
    return _Facts(newest[0].seq if newest else 0, store.count(STATEMENT), _revisions(store, kinds))


def _gave_up(tenant: Tenant, one: Backlog) -> bool:
    """Whether a step failed that may still succeed.

    A statement that cannot be read does not count: it proves nothing later.
    """
    store, ids = tenant.store, ids_of(tenant)
    if one.step == "evaluate":
        return bool(one.parked or store.failing(one.step, limit=1))
    if not one.parked:
        return False
    rules = in_force(store)
    parked = [record for record, _ in store.parked(one.step, limit=one.parked)]
    return any(record.kind != STATEMENT or read_meaning(record, rules, ids, tenant.settings.zone) for record in parked)


def _revisions(store: Reader, kinds: Kinds) -> bytes:
    digest = blake2b(digest_size=16)
    for kind in copied(kinds):
        for record in each(store, kind):
            digest.update(f"{kind}\0{record.id}\0{record.seq}\0{record.rev}\n".encode())
    return digest.digest()


def _same(one: Record, other: Record) -> bool:
    return (one.body, dict(one.meta), set(one.keys)) == (other.body, dict(other.meta), set(other.keys))


def _digest(record: Record) -> bytes:
    """Differs also for a record that was deleted and made again, which starts at revision 1 once more."""
    parts = (record.rev, record.seq, record.body, record.meta, sorted(record.keys))
    return blake2b(msgspec.json.encode(parts), digest_size=16).digest()


def put_right(store: Store, scratch: Reader, diff: Diff) -> list[RecordName]:
    """Replaces what is different by what *scratch* has, where the record is still as *diff* saw it.

    Gives the names of the records that are not, which are left as they are. The names of awards come first: until all
    of them are right, no award is touched.
    """
    names = Diff()
    _compare(store, scratch, LINEAGE, names)
    left = _put_all(store, scratch, (*names.added, *names.changed), names.seen)
    return left or _put_all(store, scratch, tuple(diff.names()), diff.seen)


def _put_all(
    store: Store, scratch: Reader, names: Sequence[RecordName], seen: dict[RecordName, bytes]
) -> list[RecordName]:
    left: list[RecordName] = []
    for batch in batches(names):
        left += store.write(_putting_right(scratch, batch, seen), weight=ROWS * len(batch)).result()
    return left


def _putting_right(
    scratch: Reader, batch: Sequence[RecordName], seen: dict[RecordName, bytes]
) -> Callable[[Tx], list[RecordName]]:
    right = [(kind, id, scratch.get(kind, id)) for kind, id in batch]

    def decide(tx: Tx) -> list[RecordName]:
        return [(kind, id) for kind, id, record in right if not _put(tx, (kind, id), record, seen.get((kind, id)))]

    return decide


def _put(tx: Tx, name: RecordName, right: Record | None, seen: bytes | None) -> bool:
    """Writes one record as it should be. ``False``, and nothing is written, if it is no longer what was *seen*.

    Evidence comes with its own place in the order. Other records keep their place, or get a new one.
    """
    there = tx.get(*name)
    if (there and _digest(there)) != seen:
        return False
    if right is None:
        tx.delete(*name)
    else:
        rev, seq = (there.rev, there.seq) if there else (0, 0)
        tx.put(msgspec.structs.replace(right, rev=rev, seq=right.seq if right.kind == EVIDENCE else seq))
        if right.kind == PROFILE and tx.get("person", right.id):
            tx.owe("person", right.id, Owed(LISTING))
        if right.kind == AWARD and there and is_news(there.body, right.body):
            tx.owe(AWARD, right.id, Owed("issue"))
    return True
