"""Derived state compared, byte for byte, with what the facts say, and put right.

What is derived, and from which facts, is asked of the table of kinds. Effects are never read, never written here, and a
rebuild sends nothing. An award that says something else than it did
owes its badge a look (the step ``issue``): what is out there must not say more than is held.

Steps may run meanwhile. A record is put right only if it still is what it was compared as; one that changed, appeared
or went in between is left alone, and everything is worked out again. Facts that change make it begin again, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import msgspec

from lrs.competency.awards import is_news
from lrs.competency.evidence import KIND as EVIDENCE
from lrs.competency.held import AWARD, LINEAGE
from lrs.competency.rules.rulesets import in_force
from lrs.competency.scratch import batches, copied, read_meaning, worked_out
from lrs.competency.uncompletions import read_those_before
from lrs.kernel.errors import Refused
from lrs.people.ids import check_renamed, ids_of
from lrs.storage import ROWS, Backlog, Owed, Reader, Record, Store, Tx, pages
from lrs.storage.kinds import Kinds
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.plan import KIND as STATEMENT

ATTEMPTS = 5
"""How often derived state is worked out anew because something changed meanwhile."""
BUSY = "busy"

Name = tuple[str, str]
"""The kind and the id of a record."""


@dataclass(slots=True)
class Diff:
    """What is different: names of what should be there and is not, should not be there, or says otherwise.

    *seen* has the digest of each such record as it was compared; none for those that were not there.
    """

    added: list[Name] = field(default_factory=list)
    removed: list[Name] = field(default_factory=list)
    changed: list[Name] = field(default_factory=list)
    seen: dict[Name, bytes] = field(default_factory=dict, repr=False)

    def names(self) -> Iterator[Name]:
        """All that is different."""
        yield from (*self.added, *self.changed, *self.removed)

    def add(self, other: Diff) -> None:
        """Takes in what *other* found beside."""
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
    """Compares derived state with what the facts say; with *apply*, puts the latter in its place.

    Raises ``Refused`` (409) while work waits or was given up: steps that then found their result in place would owe no
    badge and no delivery. So it does once something changed during each of ``ATTEMPTS`` attempts.
    """
    if apply:
        read_those_before(tenant)  # what it takes off must go the way of all work, so that services are told
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
        f"statements or levels changed during each of {ATTEMPTS} attempts, {done}; run it again when less comes in",
        status=409,
        error=BUSY,
    )


def compare(store: Reader, scratch: Reader, kinds: Kinds) -> Diff:
    """How derived state in *store* is different from that in *scratch*, in the order of the records."""
    diff = Diff()
    for kind in kinds.values():
        if kind.class_ == "derived":
            _compare(store, scratch, kind.name, diff)
    return diff


def _compare(store: Reader, scratch: Reader, kind: str, diff: Diff) -> None:
    for batch in batches(pages(store, kind)):
        right = scratch.get_many(kind, [record.id for record in batch])
        for record in batch:
            if record.id not in right:
                diff.removed.append((kind, record.id))
            elif not _same(record, right[record.id]):
                diff.changed.append((kind, record.id))
            else:
                continue
            diff.seen[kind, record.id] = _digest(record)
    for batch in batches(pages(scratch, kind)):
        known = store.get_many(kind, [record.id for record in batch])
        diff.added += [(kind, one.id) for one in batch if one.id not in known]


@dataclass(frozen=True, slots=True)
class _Facts:
    """What derived state was worked out from: statements, and a digest of the names and revisions of all else."""

    newest: int
    count: int
    others: bytes


def _quiet(tenant: Tenant, kinds: Kinds) -> _Facts:
    """The facts, if no step is owed that would change derived state and then owe something because it did."""
    check_renamed(tenant)
    store, now = tenant.store, tenant.clock()
    for one in store.backlog():
        due = one.oldest_due is not None and one.oldest_due <= now
        # An evaluation may be owed for a day to come; a match is not, unless it failed and waits to be tried again.
        if (one.step == "match" and one.waiting) or (one.step == "evaluate" and due):
            raise Refused(f"{one.step} is still owed; let lrs work finish first", status=409, error=BUSY)
        if one.step in {"match", "evaluate"} and _gave_up(tenant, one):
            message = f"{one.step} failed: lrs work status says why; put that right, then lrs work retry"
            raise Refused(message, status=409, error=BUSY)
    newest = store.find(STATEMENT, newest_first=True, limit=1).records
    return _Facts(newest[0].seq if newest else 0, store.count(STATEMENT), _revisions(store, kinds))


def _gave_up(tenant: Tenant, one: Backlog) -> bool:
    """Whether a step failed that may yet succeed; a statement that cannot be read will prove nothing later either."""
    store, ids = tenant.store, ids_of(tenant)
    if one.step == "evaluate":
        return bool(one.parked or store.failing(one.step, limit=1))
    if not one.parked:
        return False
    rules = in_force(store)
    parked = [record for record, _ in store.parked(one.step, limit=one.parked)]
    return any(record.kind != STATEMENT or read_meaning(record, rules, ids) for record in parked)


def _revisions(store: Reader, kinds: Kinds) -> bytes:
    digest = blake2b(digest_size=16)
    for kind in copied(kinds):
        for record in pages(store, kind):
            digest.update(f"{kind}\0{record.id}\0{record.seq}\0{record.rev}\n".encode())
    return digest.digest()


def _same(one: Record, other: Record) -> bool:
    return (one.body, dict(one.meta), set(one.keys)) == (other.body, dict(other.meta), set(other.keys))


def _digest(record: Record) -> bytes:
    """Tells also a record that was deleted and made again, which begins at revision 1 once more."""
    parts = (record.rev, record.seq, record.body, record.meta, sorted(record.keys))
    return blake2b(msgspec.json.encode(parts), digest_size=16).digest()


def put_right(store: Store, scratch: Reader, diff: Diff) -> list[Name]:
    """Puts what *scratch* has in the place of what is different, where that is still what *diff* saw.

    Gives the names of those that are not, which are left as they are. The names of awards come first: as long as they
    are not all right, no award is touched.
    """
    names = Diff()
    _compare(store, scratch, LINEAGE, names)
    left = _put_all(store, scratch, (*names.added, *names.changed), names.seen)
    return left or _put_all(store, scratch, tuple(diff.names()), diff.seen)


def _put_all(store: Store, scratch: Reader, names: Sequence[Name], seen: dict[Name, bytes]) -> list[Name]:
    left: list[Name] = []
    for batch in batches(names):
        left += store.write(_putting_right(scratch, batch, seen), weight=ROWS * len(batch)).result()
    return left


def _putting_right(scratch: Reader, batch: Sequence[Name], seen: dict[Name, bytes]) -> Callable[[Tx], list[Name]]:
    right = [(kind, id, scratch.get(kind, id)) for kind, id in batch]

    def decide(tx: Tx) -> list[Name]:
        return [(kind, id) for kind, id, record in right if not _put(tx, (kind, id), record, seen.get((kind, id)))]

    return decide


def _put(tx: Tx, name: Name, right: Record | None, seen: bytes | None) -> bool:
    """``False`` if it is no longer what was *seen*; then nothing is done.

    Evidence brings its own place in the order; anything else keeps the one it has, or gets a new one.
    """
    there = tx.get(*name)
    if (there and _digest(there)) != seen:
        return False
    if right is None:
        tx.delete(*name)
    else:
        rev, seq = (there.rev, there.seq) if there else (0, 0)
        tx.put(msgspec.structs.replace(right, rev=rev, seq=right.seq if right.kind == EVIDENCE else seq))
        if right.kind == AWARD and there and is_news(there.body, right.body):
            tx.owe(AWARD, right.id, Owed("issue"))
    return True
