"""Statements and ledger entries of some rows, made ready outside the writer and stored in one commit.

The statements go the way of all statements: checked, prepared, decided upon, as if their sender had posted them. One
that is refused takes its row with it and no other. Knows no file, and not when a commit is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec
from tincan import StatementList

from adapters.ledger import ROWS_EACH, Written, write_in
from adapters.pipeline import CHUNK, Due, StatementsRefused
from lrs.access import Caller
from lrs.kernel.errors import Refused
from lrs.kernel.strict_json import slices
from lrs.storage import ROW_BYTES, ROWS, Tx
from lrs.storage.cutting import cut
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.limits import rows_of
from lrs.xapi.statements.plan import Plan
from lrs.xapi.statements.prepare import Terms, prepare
from lrs.xapi.statements.subscriptions import Subscriptions
from lrs.xapi.statements.write import Compare, compared, learn, store_in

VERSION = "1.0.3"
"""By whose rules ``tincan`` writes statements."""

Commit = Callable[[Callable[[Tx], None], "Piece"], None]
"""Runs a decision in a transaction; how heavy it is and what it looks at, is the piece's."""
Refusals = dict[str, StatementsRefused]
"""Why the statements of a row were refused, by the key of its ledger entry."""


class Row(msgspec.Struct, frozen=True):
    """A ledger entry and the texts of the statements it stands for."""

    written: Written
    texts: tuple[bytes, ...]


class Piece(msgspec.Struct, frozen=True):
    """What one commit stores: ledger entries, and the *plan* for the statements of its *rows*."""

    rows: tuple[Row, ...] = ()
    plan: Plan | None = None

    @property
    def weight(self) -> int:
        """About how many rows of the store it writes."""
        return (self.plan.weight if self.plan else 0) + ROWS_EACH * (len(self.rows) + 1)

    @property
    def reads(self) -> Sequence[tuple[str, str]]:
        """The records (kind, id) that storing its statements looks at."""
        return self.plan.reads if self.plan else ()

    def blamed(self, index: int | None) -> Row:
        """The row of the statement at *index* of the plan; where none is told, it was too much: the heaviest row."""
        owners = [row for row in self.rows for _ in row.texts]
        weights = [rows_of(one) for one in self.plan.statements] if self.plan else [0]
        return owners[weights.index(max(weights)) if index is None else index]


@dataclass(frozen=True, slots=True)
class Delivery:
    """Into which *tenant*'s store, on whose behalf, and as which *job*; *source* is the ledger's."""

    tenant: Tenant
    caller: Caller
    subscriptions: Subscriptions
    source: str
    job: str


def pieces(due: Iterable[Due], most: int = CHUNK) -> Iterator[list[Row]]:
    """*due* in order, as many together as one commit may store: as heavy as *most* plain statements, and no more."""
    return cut(map(_row, due), _weight, most * ROWS)


def _row(due: Due) -> Row:
    texts = slices(StatementList(due.statements).to_json().encode()) if due.statements else ()
    return Row(due.row, tuple(texts))


def _weight(row: Row) -> int:
    """Of the statements of *row*, before their search keys are known; no statement is lighter than a plain one."""
    return max(ROWS * len(row.texts), sum(map(len, row.texts)) // ROW_BYTES)


def prepared(delivery: Delivery, rows: Sequence[Row]) -> tuple[Piece, Refusals]:
    """*rows* ready to be stored, and those whose statements break a rule."""
    try:
        return Piece(tuple(rows), _plan(delivery, rows)), {}
    except Refused as refusal:
        if len(rows) == 1:
            return Piece(), {rows[0].written.key: _why(refusal)}
    refused: Refusals = {}
    good = []
    for row in rows:
        try:
            _plan(delivery, [row])
            good.append(row)
        except Refused as refusal:
            refused[row.written.key] = _why(refusal)
    return Piece(tuple(good), _plan(delivery, good)), refused


def _plan(delivery: Delivery, rows: Sequence[Row]) -> Plan | None:
    texts = [text for row in rows for text in row.texts]
    if not texts:
        return None
    terms = Terms(delivery.tenant.settings, delivery.subscriptions, delivery.tenant.seen)
    return prepare(delivery.caller, VERSION, b"[%s]" % b",".join(texts), terms)


def store(delivery: Delivery, piece: Piece, commit: Commit) -> Refusals:
    """Stores *piece* by *commit*; the rows that were refused. Raises what *commit* does, and ``Overtaken``."""
    refused: Refusals = {}
    while True:
        try:
            piece = _committed(delivery, piece, commit)
        except Refused as refusal:
            row = piece.blamed(refusal.index)
            refused[row.written.key] = _why(refusal)
            piece, _ = prepared(delivery, [one for one in piece.rows if one is not row])
            continue
        if piece.plan is not None:
            learn(delivery.tenant, piece.plan)
        return refused


def _committed(delivery: Delivery, piece: Piece, commit: Commit) -> Piece:
    """*piece*, stored. What was stored before and is large is compared outside the writer."""
    plan = piece.plan

    def decide(tx: Tx) -> None:
        write_in(tx, delivery.source, delivery.job, [row.written for row in piece.rows])
        if plan is not None:
            store_in(tx, plan)

    while True:
        try:
            commit(decide, piece)
        except Compare as found:
            assert plan is not None  # noqa: S101 (nothing else is compared)
            plan = compared(plan, found.stored)
        else:
            return piece


def _why(refusal: Refused) -> StatementsRefused:
    return StatementsRefused(refusal.status, refusal.message)
