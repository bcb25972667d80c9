"""parse → map → validate → diff → apply → report: how the rows of a file become statements, for every adapter.

The source parses, maps and validates; ``diff`` decides. This module takes the rows in chunks, passes what is to be
stored to ``apply``, and gives the outcome of each row. Without ``apply`` nothing is stored (a dry run). Knows no file
format, no adapter and no store.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice

import msgspec
from tincan import Agent, AgentAccount, Context, Statement, StatementRef, Verb

from adapters.ledger.diff import GONE, Decision, LedgerEntry, Version, decide, key_of, statement_id, void_id
from adapters.ledger.ledger import Ledger, LedgerWrite
from adapters.ledger.recognise import EXACTLY, FactsOfFile, KnownFact, as_told, known_by, recognise
from adapters.reading.source import STRUCTURAL, Agented, Fact, Mapped, RowOutcome, RowResult, RowTable, Source, masked
from adapters.reading.vocabulary import BASE, VOIDED
from lrs.kernel.tables.row import Unusable

CHUNK = 250
"""Rows of a file that are looked up together, and about how many statements one commit stores."""


class PlannedFact(msgspec.Struct, frozen=True):
    """A fact, its key in the ledger, and what to do about it."""

    fact: Fact
    key: str
    decision: Decision
    before: LedgerEntry | None
    repeats: int = 0
    done: bool = False


class FactWrite(msgspec.Struct, frozen=True):
    """What one commit stores for one fact: its ledger entry and its statements."""

    row: LedgerWrite
    statements: Sequence[Statement]


class StatementsRefused(Exception):
    """The store refused these statements. None of them was stored."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


FileNames = Mapping[Agented, str]
"""The names that rows give to learners, by identifier."""
Apply = Callable[[FileNames, int, Sequence[FactWrite]], dict[str, StatementsRefused]]
"""Stores the names and the facts of the next rows, whose number it is told.

Gives refusals by key; all others are stored.
"""


def run(
    source: Source, table: RowTable, ledger: Ledger, apply: Apply | None, *, dry_run: bool = False
) -> Iterator[RowOutcome]:
    """The outcome of each row of *table*. In a *dry_run* nothing is stored: *apply* is told the number of rows only."""
    seen = FactsOfFile()
    called: dict[Agented, str] = {}
    mapped = source.read(table, partial(_kept, ledger))
    while chunk := list(islice(mapped, CHUNK)):
        ledger.look_up(_keys_of(chunk))
        planned = [plan(source, one, ledger, seen) for one in chunk]
        refused: dict[str, StatementsRefused] = {}
        if apply is not None:
            known = (found for found in planned if not isinstance(found, Unusable) and not dry_run)
            changes = [change for found in known for change in found]
            names = {} if dry_run else _new_names(chunk, planned, called)
            noted = [] if dry_run else [write for one in chunk for write in _noted(one, ledger)]
            refused = _apply(source, changes, ledger, partial(apply, names, _rows(chunk)), noted)
        for one, found in zip(chunk, planned, strict=True):
            yield from outcomes(one, found, refused, ledger.source)


def _rows(chunk: Iterable[Mapped]) -> int:
    return sum(len(one.places) for one in chunk)


def _new_names(
    chunk: Sequence[Mapped], planned: Sequence[list[PlannedFact] | Unusable], called: dict[Agented, str]
) -> dict[Agented, str]:
    """The names in *chunk* that are not *called* so by an earlier row; of rows that can be used."""
    told = [one.called for one, found in zip(chunk, planned, strict=True) if not isinstance(found, Unusable)]
    names = {who: name for each in told for who, name in each if called.get(who) != name}
    called.update(names)
    return names


def _kept(ledger: Ledger, kind: str, keys: Collection[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """See ``Earlier``."""
    ledger.look_up(key_of(kind, key) for key in keys)
    return {key: (ledger.before(key_of(kind, key)) or LedgerEntry()).kept for key in keys}


def _keys_of(chunk: Sequence[Mapped]) -> Iterator[str]:
    """Every ledger key that planning *chunk* may need."""
    for fact in (each for one in chunk for told in one.facts for each in (told, *told.older)):
        yield key_of(fact.kind, fact.key)
        if fact.loose:
            yield key_of(fact.kind, fact.loose.key)
            if fact.loose.exact:
                yield key_of(EXACTLY, fact.loose.exact)
    yield from (key_of(note.kind, note.key) for one in chunk for note in one.noted)


def plan(source: Source, mapped: Mapped, ledger: Ledger, seen: FactsOfFile) -> list[PlannedFact] | Unusable:
    """What to do for the facts of *mapped*: for all of them, or the reason why for none."""
    if mapped.problem is not None:
        return mapped.problem
    found, withdrawn = [], []
    for fact in mapped.facts:
        try:
            if repeats := seen.row(fact, source.template):
                found.append((fact, fact, repeats, known_by(fact, source.template, ledger.get)))
                continue
            told, others = as_told(fact, source.template, ledger.get, seen)
            known = recognise(told, source.template, ledger.get, seen)
            seen.check_free(known)
            found.append((fact, told, 0, known))
            withdrawn += [(one, recognise(one, source.template, ledger.get, seen)) for one in others]
        except Unusable as problem:
            return problem
    for fact, _, _, known in found:
        seen.add(fact, source.template, known, mapped.places[0].row)
    changes = [_change(told, known, repeats, ledger) for _, told, repeats, known in found]
    return changes + [_change(one, known, 0, ledger) for one, known in withdrawn]


def _change(fact: Fact, known: KnownFact, repeats: int, ledger: Ledger) -> PlannedFact:
    """What to do about *fact*. Later rows see this decision."""
    before = known.before
    if repeats:
        return PlannedFact(fact, known.key, Decision("unchanged"), before, repeats)
    if fact.partial and before is not None and before.stands:
        return PlannedFact(fact, known.key, Decision("unchanged", before.live), before)
    decision = decide(before, known.wanted, fact.parts, fact.kept)
    done = ledger.done(known.key)
    if done is not None and done != decision.settled:
        # The job was interrupted, and the program that continues it reads the row in another way: a correction.
        before, decision = done, decide(done, known.wanted, fact.parts, fact.kept)
    if decision.changes or decision.noted:
        ledger.decide(known.key, decision.settled)
    return PlannedFact(fact, known.key, decision, before, done=done == decision.settled)


def _apply(
    source: Source,
    changes: Sequence[PlannedFact],
    ledger: Ledger,
    apply: Callable[[Sequence[FactWrite]], dict[str, StatementsRefused]],
    noted: Sequence[FactWrite],
) -> dict[str, StatementsRefused]:
    """Stores the changes and what is *noted*. Gives the refused ones by key; for these the earlier version stays."""
    due = [
        FactWrite(LedgerWrite(one.key, one.decision.settled, one.before), statements_of(source, one, ledger.source))
        for one in changes
        if (one.decision.changes or one.decision.noted) and not one.done
    ]
    refused = apply([*due, *noted])
    for key in refused:
        ledger.take_back(key)
    return refused


def _noted(mapped: Mapped, ledger: Ledger) -> Iterator[FactWrite]:
    """The ledger entries of facts that stand and that a row with a problem has: they keep more, and nothing is told."""
    for one in mapped.noted:
        key = key_of(one.kind, one.key)
        before = ledger.get(key)
        if before is None or before.live is None or before.maybe or before.kept == one.kept:
            continue
        settled = LedgerEntry(msgspec.structs.replace(before.live, kept=one.kept))
        if ledger.done(key) != settled:
            ledger.decide(key, settled)
            yield FactWrite(LedgerWrite(key, settled, before), ())


def statements_of(source: Source, change: PlannedFact, name: str) -> list[Statement]:
    """The statements to store for *change*: first those that void, then the new ones, linked to them."""
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
    """The statement that voids *target* (xAPI 2.0 4.2.4.2). It is the same whenever it is made."""
    return Statement(
        id=void_id(target),
        actor=Agent(account=AgentAccount(home_page=BASE, name=name)),
        verb=Verb(id=VOIDED, display={"en": "voided"}),
        object=StatementRef(id=target),
    )


def outcomes(
    mapped: Mapped, changes: list[PlannedFact] | Unusable, refused: dict[str, StatementsRefused], name: str
) -> Iterator[RowOutcome]:
    """The outcome of each row of *mapped*."""
    one = _outcome(mapped, changes, refused, name)
    for place in mapped.places:
        yield msgspec.structs.replace(one, sheet=place.sheet, row=place.row)


def _outcome(
    mapped: Mapped, changes: list[PlannedFact] | Unusable, refused: dict[str, StatementsRefused], name: str
) -> RowOutcome:
    if isinstance(changes, Unusable):
        kind: RowResult = "error" if changes.code in STRUCTURAL else "quarantined"
        return RowOutcome("", 0, kind, changes.code, changes.column, masked(changes.value), changes.message)
    for change in changes:
        if refusal := refused.get(change.key):
            return RowOutcome("", 0, "error", f"store_{refusal.status}", reason=f"the store refused: {refusal.message}")
    stands = tuple(i for c in changes if c.decision.target for i in ids_of(name, c.key, c.decision.target))
    told = [change for change in changes if change.fact.parts] or changes
    states = {change.decision.status for change in told}
    remark = _taken_back(changes) or mapped.skipped or mapped.remark or _repeated(changes)
    if states & {"updated", "new"}:
        status: RowResult = "updated" if "updated" in states else "new"
        return RowOutcome("", 0, status, reason=remark, statements=stands)
    if mapped.skipped or not changes:
        return RowOutcome("", 0, "skipped", mapped.code, reason=mapped.skipped)
    if all(change.repeats for change in changes):
        return RowOutcome("", 0, "skipped", "repeated", reason=remark or f"says the same as row {changes[0].repeats}")
    return RowOutcome("", 0, "unchanged", reason=remark, statements=stands)


def _taken_back(changes: Iterable[PlannedFact]) -> str:
    """A remark, if something that was told before does not hold any longer."""
    gone = (one.fact for one in changes if one.decision.status == "updated" and not one.decision.settled.stands)
    return "; ".join(fact.taken_back for fact in gone if fact.taken_back)


def _repeated(changes: list[PlannedFact]) -> str:
    """A remark, if a fact that may have been meant twice counts once."""
    for change in changes:
        if change.repeats and change.fact.loose and change.fact.loose.unsure:
            told = f"says the same as row {change.repeats}, so it counts once"
            return f"{told}; if both are meant: {change.fact.loose.advice}"
    return ""
