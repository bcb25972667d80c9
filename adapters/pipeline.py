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

from adapters.diff import GONE, Decision, Entry, Version, decide, key_of, statement_id, void_id
from adapters.door import Door, StatementsRefused
from adapters.ledger import Ledger
from adapters.recognise import Known, Seen, recognise
from adapters.source import STRUCTURAL, Fact, Mapped, Outcome, Result, Source, Table, masked
from adapters.vocabulary import BASE, VOIDED
from lrs.kernel.tables.row import Unusable

CHUNK = 250
BATCH = 500


class Change(msgspec.Struct, frozen=True):
    """A fact, its key in the ledger, and what is to be done about it."""

    fact: Fact
    key: str
    decision: Decision
    before: Entry | None
    repeats: int = 0


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
    found = []
    for fact in mapped.facts:
        try:
            repeats = seen.row(fact, source.template)
            found.append((fact, repeats, recognise(fact, source.template, ledger.get, seen)))
        except Unusable as problem:
            return problem
    for fact, _, known in found:
        seen.add(fact, source.template, known, mapped.places[0].row)
    return [_change(fact, known, repeats) for fact, repeats, known in found]


def _change(fact: Fact, known: Known, repeats: int) -> Change:
    before = known.before
    if repeats:
        decision = Decision("unchanged")
    elif fact.partial and before is not None and before.stands:
        decision = Decision("unchanged", before.live)
    else:
        decision = decide(before, known.wanted, fact.parts, fact.kept)
    return Change(fact, known.key, decision, before, repeats)


def _apply(source: Source, changes: list[Change], ledger: Ledger, door: Door) -> dict[str, StatementsRefused]:
    """Intent, statements, settled. Those that the store refused, by key; they are put back as they were."""
    due = [change for change in changes if change.decision.changes]
    noted = [change for change in changes if change.decision.noted]
    if not due and not noted:
        return {}
    ledger.renew()
    ledger.put({change.key: change.decision.intent for change in due})
    refused: dict[str, StatementsRefused] = {}
    for batch in batches([(change.key, statements_of(source, change, ledger.source)) for change in due]):
        refused |= _send(batch, door)
    ledger.put({c.key: c.before if c.key in refused else c.decision.settled for c in (*due, *noted)})
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
    told = [change for change in changes if change.fact.parts] or changes
    states = {change.decision.status for change in told}
    remark = mapped.skipped or mapped.remark or _repeated(changes)
    if states & {"updated", "new"}:
        status: Result = "updated" if "updated" in states else "new"
        return Outcome("", 0, status, reason=remark, statements=stands)
    if mapped.skipped or not changes:
        return Outcome("", 0, "skipped", mapped.code, reason=mapped.skipped)
    if all(change.repeats for change in changes):
        return Outcome("", 0, "skipped", "repeated", reason=remark or f"says the same as row {changes[0].repeats}")
    return Outcome("", 0, "unchanged", reason=remark, statements=stands)


def _repeated(changes: list[Change]) -> str:
    """What has to be said where a fact counts once that might have been meant twice."""
    for change in changes:
        if change.repeats and change.fact.loose and change.fact.loose.unsure:
            told = f"says the same as row {change.repeats}, so it counts once"
            return f"{told}; if both are meant: {change.fact.loose.advice}"
    return ""
