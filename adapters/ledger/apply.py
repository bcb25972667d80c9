"""Prepares the statements and ledger entries of some rows outside the writer, and stores them in one commit.

The statements are validated, prepared and stored as if their sender had posted them. If one is refused, its row is
refused and no other row. Knows no file, and not when a commit is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec
from tincan import StatementList

from adapters.ledger.ledger import KIND as LEDGER
from adapters.ledger.ledger import ROWS_EACH, LedgerWrite, record_id, write_in
from adapters.ledger.pipeline import CHUNK, FactWrite, FileNames, StatementsRefused
from lrs.access import Caller
from lrs.kernel.errors import Refused
from lrs.kernel.strict_json import slices
from lrs.people import told_names
from lrs.people.ids import identified, ids_of
from lrs.people.told_names import Called
from lrs.storage import ROW_BYTES, ROWS, RecordName, Tx
from lrs.storage.cutting import cut
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.limits import rows_of
from lrs.xapi.statements.plan import Plan
from lrs.xapi.statements.prepare import Terms, prepare
from lrs.xapi.statements.subscriptions import Subscriptions
from lrs.xapi.statements.write import Compare, compared, learn, store_in

VERSION = "1.0.3"
"""The xAPI version of the statements that ``tincan`` writes."""

StorePiece = Callable[[Callable[[Tx], None], "ImportChunk"], None]
"""Runs a decision in a transaction; its weight and its reads are those of the chunk."""
RefusedRows = dict[str, StatementsRefused]
"""Why the statements of a row were refused, by the key of its ledger entry."""


class LedgerRow(msgspec.Struct, frozen=True):
    """A ledger entry, and the texts of its statements."""

    written: LedgerWrite
    texts: tuple[bytes, ...]


class ImportChunk(msgspec.Struct, frozen=True):
    """What one commit stores: ledger entries, the *plan* for the statements of its *rows*, and *names* of learners."""

    rows: tuple[LedgerRow, ...] = ()
    plan: Plan | None = None
    names: tuple[Called, ...] = ()

    @property
    def weight(self) -> int:
        """About how many rows of the store it writes."""
        plan = self.plan.weight if self.plan else 0
        return plan + ROWS_EACH * (len(self.rows) + 1) + told_names.ROWS_EACH * len(self.names)

    def reads(self, target: ImportTarget) -> Sequence[RecordName]:
        """The records that storing it looks at."""
        entries = [(LEDGER, record_id(target.source, row.written.key)) for row in self.rows]
        names = told_names.reads_of(target.caller.source, self.names)
        return [*entries, *names, *(self.plan.reads if self.plan else ())]

    def blamed(self, index: int | None) -> LedgerRow:
        """The row of the statement at *index* of the plan.

        Without an index the plan was too large: then the heaviest row.
        """
        owners = [row for row in self.rows for _ in row.texts]
        weights = [rows_of(one) for one in self.plan.statements] if self.plan else [0]
        return owners[weights.index(max(weights)) if index is None else index]


class ImportTarget(msgspec.Struct, frozen=True):
    """Where chunks are stored: in the store of *tenant*, for *caller*, as *job*. *source* is the ledger's."""

    tenant: Tenant
    caller: Caller
    subscriptions: Subscriptions
    source: str
    job: str


def chunks(due: Iterable[FactWrite], most: int = CHUNK) -> Iterator[list[LedgerRow]]:
    """*due* in order, in lists that are at most as heavy as *most* plain statements."""
    return cut(map(_row, due), _weight, most * ROWS)


def named(target: ImportTarget, names: FileNames) -> Iterator[ImportChunk]:
    """Chunks with *names*, without statements."""
    ids = ids_of(target.tenant)
    found = ((identified(who.agent().as_version(), ids), name) for who, name in names.items())
    called = [Called(one, name) for one, name in found if one is not None]
    return (ImportChunk(names=tuple(called[at : at + CHUNK])) for at in range(0, len(called), CHUNK))


def rows_of_facts(due: Iterable[FactWrite]) -> list[LedgerRow]:
    """*due* as rows that one commit stores."""
    return list(map(_row, due))


def _row(due: FactWrite) -> LedgerRow:
    texts = slices(StatementList(due.statements).to_json().encode()) if due.statements else ()
    return LedgerRow(due.row, tuple(texts))


def _weight(row: LedgerRow) -> int:
    """The weight of the statements of *row* before their search keys are known.

    None weighs less than a plain statement.
    """
    return max(ROWS * len(row.texts), sum(map(len, row.texts)) // ROW_BYTES)


def prepared(target: ImportTarget, rows: Sequence[LedgerRow]) -> tuple[ImportChunk, RefusedRows]:
    """A chunk of the *rows*, and the refusals of rows whose statements are not valid."""
    try:
        return ImportChunk(tuple(rows), _plan(target, rows)), {}
    except Refused as refusal:
        if len(rows) == 1:
            return ImportChunk(), {rows[0].written.key: _why(refusal)}
    refused: RefusedRows = {}
    good = []
    for row in rows:
        try:
            _plan(target, [row])
            good.append(row)
        except Refused as refusal:
            refused[row.written.key] = _why(refusal)
    return ImportChunk(tuple(good), _plan(target, good)), refused


def _plan(target: ImportTarget, rows: Sequence[LedgerRow]) -> Plan | None:
    texts = [text for row in rows for text in row.texts]
    if not texts:
        return None
    terms = Terms(target.tenant.settings, target.subscriptions, target.tenant.seen, tenant=target.tenant)
    return prepare(target.caller, VERSION, b"[%s]" % b",".join(texts), terms)


def store(target: ImportTarget, chunk: ImportChunk, commit: StorePiece) -> RefusedRows:
    """Stores *chunk* by *commit*, and gives the refused rows. Raises what *commit* raises, and ``Overtaken``."""
    refused: RefusedRows = {}
    while True:
        try:
            chunk = committed(target, chunk, commit)
        except Refused as refusal:
            row = chunk.blamed(refusal.index)
            refused[row.written.key] = _why(refusal)
            chunk, _ = prepared(target, [one for one in chunk.rows if one is not row])
            continue
        if chunk.plan is not None:
            learn(target.tenant, chunk.plan)
        return refused


def committed(target: ImportTarget, chunk: ImportChunk, commit: StorePiece) -> ImportChunk:
    """Stores *chunk*. Large statements that are already stored are compared outside the writer."""
    plan = chunk.plan

    def decide(tx: Tx) -> None:
        write_in(tx, target.source, target.job, [row.written for row in chunk.rows])
        if plan is not None:
            store_in(tx, plan)
        if chunk.names:
            told_names.keep(tx, target.caller.source, chunk.names)

    while True:
        try:
            commit(decide, chunk)
        except Compare as found:
            assert plan is not None  # noqa: S101 (nothing else is compared)
            plan = compared(plan, found.stored)
        else:
            return chunk


def _why(refusal: Refused) -> StatementsRefused:
    return StatementsRefused(refusal.status, refusal.message)
