"""One run over one file: opens it, walks the pipeline, says what came of it. Knows no job and no HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path

import msgspec

from adapters.apprenticeship.eportfolio import EPortfolio
from adapters.day_order import check_day_order
from adapters.ledger import Ledger
from adapters.pipeline import Apply, run
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

_ALL: Sequence[type[Source]] = (TrainingCentre, EPortfolio)
SOURCES: Mapping[str, type[Source]] = {one.name: one for one in _ALL}
"""By the name that ``lrs adapter run`` and ``POST /api/imports`` take."""
PROVIDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,79}")


class Order(msgspec.Struct, frozen=True):
    """What is to be run: *file* is the name people know, *path* where its bytes are."""

    adapter: str
    provider: str
    path: Path
    file: str
    profile: Profile = Profile()
    dry_run: bool = False


def check_order(adapter: str, provider: str, profile: Profile) -> None:
    """Refuses what can be seen to be wrong before the file is opened."""
    if adapter not in SOURCES:
        raise Refused(f"unknown adapter {adapter!r}: use {' or '.join(SOURCES)}", error="unknown_adapter")
    if not PROVIDER.fullmatch(provider):
        raise Refused("a provider's name has 1 to 80 letters, digits, blanks, . _ -", error="bad_provider")
    profile.check(SOURCES[adapter].columns, SOURCES[adapter].worded)


def run_file(
    order: Order, ledger: Ledger, *, now: int, apply: Apply | None = None, breathe: Callable[[], None] = lambda: None
) -> Report:
    """Runs *order* against *ledger*, as of *now* (microseconds UTC). Raises ``Refused`` for a file nobody can read.

    In a dry run nothing is given to *apply*, and the report says what would be. *breathe* is called at every row.
    """
    check_order(order.adapter, order.provider, order.profile)
    kind = SOURCES[order.adapter]
    terms = order.profile.terms(order.provider, kind.worded, kind.free, datetime.fromtimestamp(now / 1_000_000, UTC))
    source: Source = kind(terms)
    table = table_of(order, source)
    told = Spoken(table, terms.silence, breathe)
    check_day_order(told.rows(), source.dated, terms.calendar.formats)
    return _report(order, table, in_order(run(source, told, ledger, None if order.dry_run else apply)))


class Spoken:
    """*table* as an adapter reads it: the cells empty that say nothing. *breathe* is called at every row."""

    def __init__(self, table: Table, silence: Silence, breathe: Callable[[], None]) -> None:
        self._table = table
        self._silence = silence
        self._breathe = breathe
        self.columns = table.columns

    def rows(self) -> Iterator[Row]:
        """All rows from the first."""
        for row in self._table.rows():
            self._breathe()
            yield self._silence.row(row)


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
