"""A temporary store in which everything derived is worked out from the facts of a real store, by the same steps.

The facts are the kinds that are declared as the basis of derived state. What is owed there is never done: the store is
deleted afterwards. Does not compare anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

import msgspec

from lrs.competency.bring import bring
from lrs.competency.evaluate import evaluate
from lrs.competency.evidence import Meaning, meaning_of
from lrs.competency.rules.in_force import InForce
from lrs.competency.rules.rulesets import in_force
from lrs.competency.seen import moment_of
from lrs.kernel.times import HOUR
from lrs.people.identifiers import NOBODY
from lrs.people.ids import Ids, ids_of
from lrs.people.nobody import names_by_source
from lrs.people.persons import Mint, minter
from lrs.storage import NEWEST, Owed, Reader, Record, Store, Tx, Walk, each, open_store, pages
from lrs.storage.drafts import draft_folder, drafts_in
from lrs.storage.kinds import Kinds
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.plan import KIND as STATEMENT

T = TypeVar("T")

PAGE = 500
_LEASE = HOUR


@contextmanager
def worked_out(tenant: Tenant, kinds: Kinds, *, until: int = NEWEST) -> Iterator[Store]:
    """A scratch store with what follows from the facts of *tenant*; of its statements, those up to the seq *until*."""
    with draft_folder(drafts_in(tenant.settings.data)) as folder:
        store = open_store(f"sqlite:///{folder / 'scratch.db'}", clock=tenant.clock)
        try:
            for kind in copied(kinds):
                _copy(tenant.store, store, kind)
            scratch = Tenant(tenant.id, store, tenant.settings, tenant.secrets, tenant.clock)
            _derive(tenant.store, scratch, until)
            yield store
        finally:
            store.close()


def copied(kinds: Kinds) -> list[str]:
    """The kinds of facts to copy: all that derived state follows from, except statements.

    Statements are read where they are.
    """
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
    """Copies the records of a kind. Persons owe their evaluation in the scratch store."""
    owed = (Owed("evaluate"),) if kind == "person" else ()
    for batch in batches(each(source, kind)):
        _write(store, _insert, [msgspec.structs.replace(record, owed=owed, rev=0) for record in batch])


def _derive(facts: Reader, scratch: Tenant, until: int) -> None:
    rules = in_force(scratch.store)
    mint, ids = minter(scratch.secret("person-ids")), ids_of(scratch)
    for page in pages(facts, Walk(STATEMENT, until=until, limit=PAGE)):
        _write(scratch.store, _bring, (page.records, rules, ids, mint, scratch.settings.zone))
    while claims := scratch.store.claim(["evaluate"], limit=PAGE, lease=_LEASE):
        evaluate(scratch, claims)


def _bring(tx: Tx, given: tuple[Sequence[Record], InForce, Ids, Mint, str]) -> None:
    records, rules, ids, mint, zone = given
    nobody = names_by_source(tx, {moment_of(record).source for record in records})
    meanings = (read_meaning(record, rules, ids, zone, nobody[moment_of(record).source]) for record in records)
    bring(tx, [meaning for meaning in meanings if meaning], mint, zone)


def read_meaning(
    record: Record, rules: InForce, ids: Ids, zone: str, nobody: frozenset[str] = NOBODY
) -> Meaning | None:
    """The meaning of a statement; ``None`` if it cannot be read, because its own step is put aside.

    Joins of persons are not decided again: they are facts and were copied.
    """
    try:
        return replace(meaning_of(record, rules, ids, zone, nobody), same=())
    except msgspec.MsgspecError:
        return None


def _insert(tx: Tx, records: list[Record]) -> None:
    for record in records:
        tx.insert(record)


def _write(store: Store, put: Callable[[Tx, T], None], given: T) -> None:
    store.write(lambda tx: put(tx, given)).result()
