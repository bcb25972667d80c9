"""References between statements, inside the writer: keys that are added later.

A target that arrives late passes its keys (``chains``) to the statements that wait for it, and on along the chain. One
commit writes a bounded number of rows; the rest is owed as step ``refs``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from functools import partial

import msgspec

from lrs.kernel.errors import Refused
from lrs.storage import ROW_BYTES, Claim, Owed, Record, Tx, Walk
from lrs.storage.kinds import Kind
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.chains import ChainedStatement, keys_along, link_of, with_keys
from lrs.xapi.statements.keys import refers_key
from lrs.xapi.statements.plan import AWAITED, KIND, Prepared
from lrs.xapi.statements.voiding import OF_ANY, VOIDERS, noted

IN_COMMIT = 4_000
"""Rows that one commit writes or reads to pass keys on. The rest is owed as step ``refs``."""
MOST_READ = 32 * 1024 * 1024
"""Bytes of stored statements that are read for the references of one request."""
_AT_ONCE = 50
_REFS = Owed("refs")


class Chains:
    """The statements that references lead to, of this request or stored. Each is read once."""

    def __init__(self, tx: Tx, links: Iterable[ChainedStatement] = ()) -> None:
        self._tx = tx
        self._links: dict[str, ChainedStatement | None] = {link.id: link for link in links}
        self._read = 0

    def load(self, ids: Iterable[str]) -> None:
        """Reads the stored ones of *ids* at once."""
        missing = {id for id in ids if id not in self._links}
        if missing:
            found = self._tx.get_many(KIND, missing)
            self._links.update(dict.fromkeys(missing))
            for record in found.values():
                self._note(record)

    def find(self, id: str) -> ChainedStatement | None:
        """The statement; ``None`` if there is none. Refuses (413) after ``MOST_READ`` bytes were read."""
        if id not in self._links:
            self._links[id] = None
            record = self._tx.get(KIND, id)
            if record is not None:
                self._note(record)
        return self._links[id]

    def _note(self, record: Record) -> None:
        self._read += len(record.body)
        if self._read > MOST_READ:
            raise Refused(
                f"the statements that this request refers to have together more than {MOST_READ} bytes:"
                " send fewer references at a time",
                status=413,
                error="too_large",
            )
        self._links[record.id] = link_of(record)


def await_target(tx: Tx, statement: str, referring: Prepared) -> None:
    """Records that *referring* refers to *statement* although it has not arrived."""
    there = tx.get(AWAITED, statement)
    awaited = noted(there or Record(AWAITED, statement, meta={VOIDERS: {}, OF_ANY: ""}), referring)
    if awaited is not there:
        tx.put(awaited)


def spread(tx: Tx, statements: Iterable[str], *, resume: bool = False) -> None:
    """Passes the keys of *statements* to all that refer to them, and on. What is too much for one commit is owed.

    *resume* continues where an earlier commit ended.
    """
    chains = Chains(tx)
    queue = deque((id, _place(tx, id) if resume else None) for id in statements)
    seen = {id for id, _ in queue}
    left = IN_COMMIT
    while queue:
        current, start = queue.popleft()
        while left > 0:
            page = tx.find(Walk(KIND, [refers_key(current)], limit=_AT_ONCE, start=start))
            for record in page.records:
                rows, changed = _update(tx, record, chains)
                left -= rows
                if changed and record.id not in seen:
                    seen.add(record.id)
                    queue.append((record.id, None))
            start = page.next
            if start is None:
                break
        else:
            tx.owe(KIND, current, _REFS)
        _put_place(tx, current, start)


def _update(tx: Tx, record: Record, chains: Chains) -> tuple[int, bool]:
    """Gives a referring statement its present keys. Returns how many rows that was, and whether it changed."""
    old = record.meta.get("held", record.keys)
    new = keys_along(link_of(record), chains.find)
    looked = 1 + len(record.body) // ROW_BYTES
    if set(old) == set(new):
        return looked, False
    tx.replace(with_keys(record, new))
    return looked + len(set(old) ^ set(new)), True


def _place(tx: Tx, statement: str) -> str | None:
    record = tx.get(AWAITED, statement)
    return record.body.decode() or None if record else None


def _put_place(tx: Tx, statement: str, start: str | None) -> None:
    record = tx.get(AWAITED, statement) or Record(AWAITED, statement)
    body = (start or "").encode()
    if record.body != body:
        tx.put(msgspec.structs.replace(record, body=body))


def refs(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """The step ``refs``: passes a statement's keys to referring statements that earlier commits did not reach."""
    for claim in claims:
        decide = partial(_spread_on, statement=claim.record.id)
        tenant.store.settle([claim], decide, weight=IN_COMMIT).result()


def _spread_on(tx: Tx, *, statement: str) -> None:
    spread(tx, [statement], resume=True)


KINDS = (Kind(AWAITED, "working", subjects=None, retention="operational", exported=False),)
