"""Statements that refer to statements, inside the writer: inherited search keys, and voiding.

A statement that refers to another is found by whatever finds that one (xAPI 1.0.3 Communication 2.1.3, "Filter
Conditions for StatementRefs"), through any number of steps, also when the target is voided. So it carries the target's
search keys beside its own, and a target that arrives late gives them to all that wait for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import msgspec

from lrs.citations import rule
from lrs.errors import Refused
from lrs.statements.keys import refers_key, source_key
from lrs.storage import Claim, Owed, Record, Tx
from lrs.tenants import Tenant

KIND = "statement"
AWAITED = "awaited"
"""Names a statement that was referred to before it came."""
IN_COMMIT = 256
"""How many referring statements one commit updates; the rest is owed as step ``refs``."""


def inherited(target: Record) -> set[int]:
    """The search keys a statement gets from *target*: all but whose it is and what it refers to itself.

    ``held`` are the keys of a voided statement, which is found by none of them any more.
    """
    keys = set(target.meta.get("held", target.keys))
    keys.discard(source_key(target.meta["source"]))
    if refers := target.meta.get("refers"):
        keys.discard(refers_key(refers))
    return keys


def referring(tx: Tx, statement: str) -> Iterator[Record]:
    """The statements whose object is a reference to *statement*, oldest first."""
    start = None
    while True:
        page = tx.find(KIND, [refers_key(statement)], start=start)
        yield from page.records
        start = page.next
        if start is None:
            return


def await_target(tx: Tx, statement: str) -> None:
    """Notes that *statement* is referred to before it came."""
    if tx.get(AWAITED, statement) is None:
        tx.insert(Record(AWAITED, statement))


def spread(tx: Tx, statement: str) -> bool:
    """Gives the keys of *statement* to all that refer to it, and on; ``False`` if some of it is owed now."""
    queue, visited = [statement], {statement}
    updates = 0
    while queue:
        current = tx.get(KIND, queue.pop())
        if current is None:
            continue
        keys = inherited(current)
        for record in referring(tx, current.id):
            held = set(record.meta.get("held", record.keys))
            if keys <= held:
                continue
            if updates == IN_COMMIT:
                for unfinished in {current.id, *queue}:
                    tx.owe(KIND, unfinished, Owed("refs"))
                return False
            updates += 1
            tx.replace(_with_keys(record, tuple(held | keys)))
            if record.id not in visited:
                visited.add(record.id)
                queue.append(record.id)
    return True


def void(tx: Tx, target: Record, *, by: str, meta: dict[str, Any]) -> None:
    """Takes *target* out of every list; it is evaluated again, without it.

    Refuses 400 for a voiding statement (xAPI 1.0.3 Data 2.3.2), 403 for what another source sent.
    """
    if target.meta.get("voids"):
        raise Refused(
            f"statement {target.id} is a voiding statement: it cannot be voided itself",
            pointer="/object/id",
            rule=rule("Data 2.3.2", meta["version"]),
        )
    if target.meta["source"] != meta["source"] and not meta.get("void_any"):
        raise Refused(
            f"statement {target.id} came from another source: voiding it needs the scope void/any",
            status=403,
            error="forbidden",
            pointer="/object/id",
            rule=rule("Data 2.3.2", meta["version"]),
        )
    if "voided" in target.meta:
        return
    refers = target.meta.get("refers")
    keys = (refers_key(refers),) if refers else ()
    changed = {**target.meta, "voided": by, "held": list(target.keys)}
    tx.replace(msgspec.structs.replace(target, meta=changed, keys=keys, owed=(Owed("match"),)))


def _with_keys(record: Record, keys: tuple[int, ...]) -> Record:
    if "held" in record.meta:
        return msgspec.structs.replace(record, meta={**record.meta, "held": list(keys)})
    return msgspec.structs.replace(record, keys=keys)


def refs(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """The step ``refs``: gives a statement's keys to those referring to it that one commit could not update."""
    for claim in claims:
        tenant.store.settle([claim], partial(_spread_on, statement=claim.record.id)).result()


def _spread_on(tx: Tx, *, statement: str) -> None:
    spread(tx, statement)
