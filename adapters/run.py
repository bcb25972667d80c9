"""One run of one file: opens it, takes the provider's lock, walks the pipeline, keeps what came of it.

Used alike by the command line and by ``POST /api/imports``. Knows no HTTP beyond the door it is given.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path
from uuid import uuid4

import msgspec

from adapters.apprenticeship.eportfolio import EPortfolio
from adapters.day_order import check_day_order
from adapters.door import Door
from adapters.ledger import Ledger
from adapters.pipeline import run
from adapters.profile import Profile
from adapters.report import ADDED, Report, in_order
from adapters.source import Outcome, Source
from adapters.training_centre.source import TrainingCentre
from adapters.words import Silence
from lrs.kernel.errors import Refused
from lrs.kernel.tables.header import Headers, fold
from lrs.kernel.tables.notes import notes_on
from lrs.kernel.tables.opening import open_table
from lrs.kernel.tables.row import Row
from lrs.kernel.tables.table import Table
from lrs.storage import Clock, wall_clock

SOURCES: Mapping[str, type[TrainingCentre | EPortfolio]] = {
    "training-centre": TrainingCentre,
    "eportfolio": EPortfolio,
}
PROVIDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,79}")


class Order(msgspec.Struct, frozen=True):
    """What is to be run: *file* is the name people know, *path* where its bytes are."""

    adapter: str
    provider: str
    path: Path
    file: str
    profile: Profile = Profile()
    dry_run: bool = False


def run_file(
    order: Order,
    door: Door,
    *,
    clock: Clock = wall_clock,
    sleep: Callable[[float], None] = time.sleep,
    wait: float = 0,
) -> Report:
    """Runs *order* through *door*. Raises ``Refused`` for a file nobody can read, ``Busy``, ``Closed``, ``Changed``.

    *wait* is how many seconds to wait for another run of the same provider to end.
    """
    if order.adapter not in SOURCES:
        raise Refused(f"unknown adapter {order.adapter!r}: use {' or '.join(SOURCES)}", error="unknown_adapter")
    if not PROVIDER.fullmatch(order.provider):
        raise Refused("a provider's name has 1 to 80 letters, digits, blanks, . _ -", error="bad_provider")
    now = datetime.fromtimestamp(clock() / 1_000_000, UTC)
    kind = SOURCES[order.adapter]
    order.profile.check(kind.columns, kind.worded)
    terms = order.profile.terms(order.provider, kind.worded, kind.free, now)
    source: Source = kind(terms)
    table = table_of(order, source)
    told = Spoken(table, terms.silence)
    check_day_order(told.rows(), source.dated, terms.calendar.formats)
    ledger = Ledger(door, order.adapter, order.provider, clock=clock)
    if order.dry_run:
        ledger.load()
        return _report(order, table, in_order(run(source, told, ledger, None)))
    ledger.acquire(str(uuid4()), wait=wait, sleep=sleep)
    try:
        ledger.load()
        report = _report(order, table, in_order(run(source, told, ledger, door)))
        ledger.note(order.file, report.noted(now.isoformat()))
    finally:
        ledger.release()
    return report


class Spoken:
    """*table* as an adapter reads it: the cells empty that say nothing."""

    def __init__(self, table: Table, silence: Silence) -> None:
        self._table = table
        self._silence = silence
        self.columns = table.columns

    def rows(self) -> Iterator[Row]:
        """All rows from the first."""
        return map(self._silence.row, self._table.rows())


def table_of(order: Order, source: Source) -> Table:
    """The file of *order* as a table with *source*'s columns, read as its profile says. Refuses one without rows."""
    profile = order.profile
    known = {fold(column): column for column in source.columns} | profile.aliases()
    headers = Headers(known, own=frozenset(ADDED), dated=source.dated | source.free)
    try:
        table = open_table(
            order.path,
            headers,
            constants=profile.constants,
            encoding=profile.encoding,
            delimiter=profile.delimiter,
        )
    except Refused as refusal:
        other = _meant_for(order, ()) if refusal.error == "no_header" else ""
        raise Refused(f"{refusal.message}{other}", status=refusal.status, error=refusal.error) from refusal
    if not any(found.rows for found in table.sheets):
        raise Refused("the file has a header and no row below it: there is nothing to bring in", error="no_rows")
    return table


def _report(order: Order, table: Table, rows: tuple[Outcome, ...]) -> Report:
    with order.path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    report = Report(order.adapter, order.provider, order.file, digest, order.dry_run, rows, notes_on(table), table)
    other = "" if report.usable else _meant_for(order, table.columns)
    return msgspec.structs.replace(report, notes=(*report.notes, other.lstrip("; "))) if other else report


def _meant_for(order: Order, columns: Collection[str]) -> str:
    """A hint, if another adapter knows more headers of the file than the *columns* that the chosen one does."""
    known = len(set(columns) & SOURCES[order.adapter].columns)
    for name, other in SOURCES.items():
        try:
            found = open_table(order.path, Headers({fold(column): column for column in other.columns}))
        except Refused:
            continue
        if name != order.adapter and len(set(found.columns) & other.columns) > known:
            return f"; the adapter {name} knows more of the file's headers: is it meant for that one?"
    return ""
