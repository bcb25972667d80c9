"""parse → map → validate → diff → apply → report: how the rows of a file become statements, for every adapter.

The source parses, maps and validates; ``diff`` decides; this module walks the rows in chunks, hands what is to be done
to ``apply``, and says of each row what became of it. Without ``apply`` nothing has effects (a dry run). Knows no file
format, no adapter and no store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import msgspec
from tincan import Agent, AgentAccount, Context, Statement, StatementRef, Verb

from adapters.diff import GONE, Decision, Entry, Version, decide, key_of, statement_id, void_id
from adapters.ledger import Ledger, Written
from adapters.recognise import EXACTLY, Known, Seen, recognise
from adapters.source import STRUCTURAL, Fact, Mapped, Outcome, Result, Source, Table, masked
from adapters.vocabulary import BASE, VOIDED
from lrs.kernel.tables.row import Unusable

CHUNK = 250
"""Rows of a file that are looked up together, and about how many statements are stored in one commit."""


class Change(msgspec.Struct, frozen=True):
    """A fact, its key in the ledger, and what is to be done about it."""

    fact: Fact
    key: str
    decision: Decision
    before: Entry | None
    repeats: int = 0
    done: bool = False


class Due(msgspec.Struct, frozen=True):
    """What one commit is to store for one fact: the entry of its ledger, and the statements it stands for."""

    row: Written
    statements: Sequence[Statement]


class StatementsRefused(Exception):
    """The store said no to these statements; none of them was stored."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


Apply = Callable[[Sequence[Due], int], dict[str, StatementsRefused]]
"""Stores what is due of the next rows, whose number is told. Those that were refused, by key; the others are stored."""


def run(source: Source, table: Table, ledger: Ledger, apply: Apply | None) -> Iterator[Outcome]:
    """What becomes of each row of *table*; without *apply* nothing is written (a dry run)."""
    seen = Seen()
    mapped = source.read(table, lambda kind, key: (ledger.before(key_of(kind, key)) or Entry()).kept)
    while chunk := list(islice(mapped, CHUNK)):
        ledger.look_up(_keys_of(chunk))
        planned = [plan(source, one, ledger, seen) for one in chunk]
        refused: dict[str, StatementsRefused] = {}
        if apply is not None:
            changes = [change for found in planned if not isinstance(found, Unusable) for change in found]
            refused = _apply(source, changes, ledger, apply, sum(len(one.places) for one in chunk))
        for one, found in zip(chunk, planned, strict=True):
            yield from outcomes(one, found, refused, ledger.source)


def _keys_of(chunk: Iterable[Mapped]) -> Iterator[str]:
    """Every key of the ledger that planning *chunk* may ask for."""
    for fact in (fact for one in chunk for fact in one.facts):
        yield key_of(fact.kind, fact.key)
        if fact.loose:
            yield key_of(fact.kind, fact.loose.key)
            if fact.loose.exact:
                yield key_of(EXACTLY, fact.loose.exact)


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
    return [_change(fact, known, repeats, ledger) for fact, repeats, known in found]


def _change(fact: Fact, known: Known, repeats: int, ledger: Ledger) -> Change:
    """What is to be done about *fact*, decided upon for the rows that come after it."""
    before = known.before
    if repeats:
        return Change(fact, known.key, Decision("unchanged"), before, repeats)
    if fact.partial and before is not None and before.stands:
        return Change(fact, known.key, Decision("unchanged", before.live), before)
    decision = decide(before, known.wanted, fact.parts, fact.kept)
    done = ledger.done(known.key)
    if done is not None and done != decision.settled:
        # The job was broken off, and the program that goes on with it reads the row otherwise: a correction.
        before, decision = done, decide(done, known.wanted, fact.parts, fact.kept)
    if decision.changes or decision.noted:
        ledger.decide(known.key, decision.settled)
    return Change(fact, known.key, decision, before, done=done == decision.settled)


def _apply(
    source: Source, changes: Sequence[Change], ledger: Ledger, apply: Apply, rows: int
) -> dict[str, StatementsRefused]:
    """Those that the store refused, by key; of them stands what stood before."""
    due = [
        Due(Written(one.key, one.decision.settled, one.before), statements_of(source, one, ledger.source))
        for one in changes
        if (one.decision.changes or one.decision.noted) and not one.done
    ]
    refused = apply(due, rows)
    for key in refused:
        ledger.take_back(key)
    return refused


def statements_of(source: Source, change: Change, name: str) -> list[Statement]:
    """What has to be stored for *change*: first what is withdrawn, then what now stands, linked to it."""
    if not change.decision.changes:
        return []
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
