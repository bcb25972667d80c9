"""parse → map → validate → diff → apply → report: how the rows of a file become statements, for every adapter.

The source parses, maps and validates; ``diff`` decides; this module walks the chunks, applies them in the one order
that loses nothing (intent, statements, settled), and says of each row what became of it. Only ``_apply`` has effects.
Knows no file format, no adapter and no HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec
from tincan import Agent, AgentAccount, Context, Statement, StatementRef, Verb

from adapters.diff import GONE, Decision, Entry, Version, decide, hash_of, key_of, statement_id, void_id
from adapters.door import Door, StatementsRefused
from adapters.ledger import Ledger
from adapters.source import STRUCTURAL, Fact, Mapped, Outcome, Result, Source, Table, masked
from adapters.vocabulary import BASE, VOIDED
from lrs.tables.row import Unusable

CHUNK = 250
BATCH = 500


class Change(msgspec.Struct, frozen=True):
    """A fact, its key in the ledger, and what is to be done about it."""

    fact: Fact
    key: str
    decision: Decision
    before: Entry | None
    repeats: int = 0


class Seen:
    """What this file has said so far, so that saying it again is noticed, and contradicting it too."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[str, int]] = {}

    def row(self, key: str, wanted: str) -> int:
        """The row that said the same, or 0. ``Unusable`` if it said something else."""
        hashed, row = self._said.get(key, (wanted, 0))
        if hashed != wanted:
            raise Unusable("told_twice", "", "", f"row {row} of this file says otherwise about the same thing")
        return row

    def add(self, key: str, wanted: str, row: int) -> None:
        """Keeps that *row* said *wanted* about *key*."""
        self._said.setdefault(key, (wanted, row))


def run(source: Source, table: Table, ledger: Ledger, door: Door | None) -> Iterator[Outcome]:
    """What becomes of each row of *table*; without a *door* nothing is written (a dry run)."""
    seen = Seen()
    mapped = source.read(table, lambda kind, key: (ledger.get(key_of(kind, key)) or Entry()).kept)
    while chunk := list(islice(mapped, CHUNK)):
        planned = [plan(source, one, ledger, seen) for one in chunk]
        refused: dict[str, StatementsRefused] = {}
        if door is not None:
            refused = _apply(source, [c for p in planned if not isinstance(p, Unusable) for c in p], ledger, door)
        for one, changes in zip(chunk, planned, strict=True):
            yield from outcomes(one, changes, refused, ledger.source)


def plan(source: Source, mapped: Mapped, ledger: Ledger, seen: Seen) -> list[Change] | Unusable:
    """What is to be done for the facts of *mapped*: all of them, or none and the reason."""
    if mapped.problem is not None:
        return mapped.problem
    changes = []
    said = []
    for fact in mapped.facts:
        key, wanted = key_of(fact.kind, fact.key), hash_of(fact, source.template)
        try:
            repeats = seen.row(key, wanted)
        except Unusable as problem:
            return problem
        before = ledger.get(key)
        decision = decide(before, wanted, fact.parts, fact.kept) if not repeats else Decision("unchanged")
        changes.append(Change(fact, key, decision, before, repeats))
        said.append((key, wanted))
    for key, wanted in said:
        seen.add(key, wanted, mapped.places[0].row)
    return changes


def _apply(source: Source, changes: list[Change], ledger: Ledger, door: Door) -> dict[str, StatementsRefused]:
    """Intent, statements, settled. Those that the store refused, by key; they are put back as they were."""
    due = [change for change in changes if change.decision.changes]
    if not due:
        return {}
    ledger.renew()
    ledger.put({change.key: change.decision.intent for change in due})
    refused: dict[str, StatementsRefused] = {}
    for batch in batches([(change.key, statements_of(source, change, ledger.source)) for change in due]):
        refused |= _send(batch, door)
    ledger.put({c.key: c.before if c.key in refused else c.decision.settled for c in due})
    return refused


def _send(batch: list[tuple[str, list[Statement]]], door: Door) -> dict[str, StatementsRefused]:
    """Sends *batch* at once; if it is refused, change by change, so that one bad row stops no other."""
    together = [statement for _, statements in batch for statement in statements]
    if not together:
        return {}
    try:
        door.send(together)
    except StatementsRefused as refusal:
        if len(batch) == 1:
            return {batch[0][0]: refusal}
        return {key: why for one in batch for key, why in _send([one], door).items()}
    return {}


def batches(pieces: Iterable[tuple[str, list[Statement]]]) -> Iterator[list[tuple[str, list[Statement]]]]:
    """*pieces* in order, as many together as make at most ``BATCH`` statements; a piece is never split."""
    batch: list[tuple[str, list[Statement]]] = []
    size = 0
    for piece in pieces:
        if batch and size + len(piece[1]) > BATCH:
            yield batch
            batch, size = [], 0
        batch.append(piece)
        size += len(piece[1])
    if batch:
        yield batch


def statements_of(source: Source, change: Change, name: str) -> list[Statement]:
    """What has to be sent for *change*: first what is withdrawn, then what now stands, linked to it."""
    ids = [old for version in change.decision.voids for old in ids_of(name, change.key, version)]
    voids = [voiding(name, old) for old in ids]
    target = change.decision.target
    if target is None or target.hash == GONE or not target.parts:
        return voids
    fresh = source.statements(change.fact)
    last = ids_of(name, change.key, change.decision.voids[-1]) if change.decision.voids else []
    for part, statement in enumerate(fresh):
        statement.id = statement_id(name, change.key, target, part)
        if last:
            statement.context = statement.context or Context()
            statement.context.statement = StatementRef(id=last[min(part, len(last) - 1)])
    return voids + fresh


def ids_of(name: str, key: str, version: Version) -> list[str]:
    """The ids of every statement of *version*."""
    return [str(statement_id(name, key, version, part)) for part in range(version.parts)]


def voiding(name: str, target: str) -> Statement:
    """The statement that voids *target* (xAPI 2.0 4.2.4.2); it says nothing that could differ when sent again."""
    return Statement(
        id=void_id(target),
        actor=Agent(account=AgentAccount(home_page=BASE, name=name)),
        verb=Verb(id=VOIDED, display={"en": "voided"}),
        object=StatementRef(id=target),
    )


def outcomes(
    mapped: Mapped, changes: list[Change] | Unusable, refused: dict[str, StatementsRefused], name: str
) -> Iterator[Outcome]:
    """What became of each row of *mapped*."""
    one = _outcome(mapped, changes, refused, name)
    for place in mapped.places:
        yield msgspec.structs.replace(one, sheet=place.sheet, row=place.row)


def _outcome(
    mapped: Mapped, changes: list[Change] | Unusable, refused: dict[str, StatementsRefused], name: str
) -> Outcome:
    if isinstance(changes, Unusable):
        kind: Result = "error" if changes.code in STRUCTURAL else "quarantined"
        return Outcome("", 0, kind, changes.code, changes.column, masked(changes.value), changes.message)
    for change in changes:
        if refusal := refused.get(change.key):
            return Outcome("", 0, "error", f"store_{refusal.status}", reason=f"the store refused: {refusal.message}")
    stands = tuple(i for c in changes if c.decision.target for i in ids_of(name, c.key, c.decision.target))
    states = {change.decision.status for change in changes}
    if states & {"updated", "new"}:
        return Outcome("", 0, "updated" if "updated" in states else "new", statements=stands)
    if mapped.skipped or not changes:
        return Outcome("", 0, "skipped", reason=mapped.skipped)
    if all(change.repeats for change in changes):
        return Outcome("", 0, "skipped", "repeated", reason=f"says the same as row {changes[0].repeats}")
    return Outcome("", 0, "unchanged", statements=stands)
