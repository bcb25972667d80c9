"""A temporary store in which everything derived is worked out from the facts of a real one, with the same steps.

The kinds of those facts are the ones that are declared as its basis. What is owed there is never done: the store is
thrown away. Knows nothing of comparing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import msgspec

from lrs.competency.bring import bring
from lrs.competency.evaluate import evaluate
from lrs.competency.evidence import Meaning, meaning_of
from lrs.competency.rules.rulesets import InForce, in_force
from lrs.competency.seen import moment_of
from lrs.people.identifiers import NOBODY
from lrs.people.ids import Ids, ids_of
from lrs.people.nobody import names_by_source
from lrs.people.persons import Mint, minter
from lrs.storage import NEWEST, Owed, Reader, Record, Store, Tx, open_store, pages
from lrs.storage.kinds import Kinds
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.plan import KIND as STATEMENT

T = TypeVar("T")

PAGE = 500
_LEASE = 3600 * 1_000_000


@contextmanager
def worked_out(tenant: Tenant, kinds: Kinds, *, until: int = NEWEST) -> Iterator[Store]:
    """A scratch store with what follows from *tenant*'s statements up to the seq *until* and all other facts."""
    with tempfile.TemporaryDirectory(prefix="lrs-scratch-") as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'scratch.db'}", clock=tenant.clock)
        try:
            for kind in copied(kinds):
                _copy(tenant.store, store, kind)
            scratch = Tenant(tenant.id, store, tenant.settings, tenant.secrets, tenant.clock)
            _derive(tenant.store, scratch, until)
            yield store
        finally:
            store.close()


def copied(kinds: Kinds) -> list[str]:
    """The facts that derived state follows from, but for statements: those are read where they are."""
    return [kind.name for kind in kinds.values() if kind.basis and kind.name != STATEMENT]


def batches(found: Iterable[T]) -> Iterator[list[T]]:
    """*found* in lists of at most ``PAGE``."""
    batch: list[T] = []
    for one in found:
        batch.append(one)
        if len(batch) == PAGE:
            yield batch
            batch = []
    if batch:
        yield batch


def _copy(source: Reader, store: Store, kind: str) -> None:
    """Copies a kind; persons owe their evaluation there."""
    owed = (Owed("evaluate"),) if kind == "person" else ()
    for batch in batches(pages(source, kind)):
        _write(store, _insert, [msgspec.structs.replace(record, owed=owed, rev=0) for record in batch])


def _derive(facts: Reader, scratch: Tenant, until: int) -> None:
    rules = in_force(scratch.store)
    mint, ids = minter(scratch.secret("person-ids")), ids_of(scratch)
    for records in _statements(facts, until):
        _write(scratch.store, _bring, (records, rules, ids, mint, scratch.settings.zone))
    while claims := scratch.store.claim(["evaluate"], limit=PAGE, lease=_LEASE):
        evaluate(scratch, claims)


def _statements(facts: Reader, until: int) -> Iterator[Sequence[Record]]:
    start: str | None = None
    while True:
        page = facts.find(STATEMENT, until=until, limit=PAGE, start=start)
        yield page.records
        start = page.next
        if start is None:
            return


def _bring(tx: Tx, given: tuple[Sequence[Record], InForce, Ids, Mint, str]) -> None:
    records, rules, ids, mint, zone = given
    nobody = names_by_source(tx, {moment_of(record).source for record in records})
    meanings = (read_meaning(record, rules, ids, nobody[moment_of(record).source]) for record in records)
    bring(tx, [meaning for meaning in meanings if meaning], mint, zone)


def read_meaning(record: Record, rules: InForce, ids: Ids, nobody: frozenset[str] = NOBODY) -> Meaning | None:
    """What a statement means; nothing for one that cannot be read, whose own step is parked.

    Whom it once joined, or did not, is a fact that was copied: it is not decided again.
    """
    try:
        return replace(meaning_of(record, rules, ids, nobody), same=())
    except msgspec.MsgspecError:
        return None


def _insert(tx: Tx, records: list[Record]) -> None:
    for record in records:
        tx.insert(record)


def _write(store: Store, put: Callable[[Tx, T], None], given: T) -> None:
    store.write(lambda tx: put(tx, given)).result()
