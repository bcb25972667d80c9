"""Runs one file: opens it, walks the pipeline, makes the report. Knows no job and no HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path

import msgspec

from adapters.apprenticeship.files.criteria import CheckedSource, KnownCriteria
from adapters.imports.sources import SOURCES
from adapters.ledger.ledger import Ledger
from adapters.ledger.pipeline import Apply, run
from adapters.ledger.snapshots import SnapshotSource, compare, note_on
from adapters.reading.day_order import DayDoubt, check_day_order
from adapters.reading.faults import with_all_faults
from adapters.reading.hours import in_doubt
from adapters.reading.never_kept import NEVER_KEPT, never_kept
from adapters.reading.profile import MappingProfile
from adapters.reading.source import RowOutcome, RowTable, Source
from adapters.reading.words import Silence
from adapters.reports.mended import ROW, MendedTable, row_header
from adapters.reports.report import ADDED, ADDED_BESIDE, Report, in_order
from lrs.kernel.errors import Refused
from lrs.kernel.tables.header import KnownHeaders, fold
from lrs.kernel.tables.heads import heads_of
from lrs.kernel.tables.notes import notes_on
from lrs.kernel.tables.opening import open_table
from lrs.kernel.tables.row import Row
from lrs.kernel.tables.table import Table
from lrs.kernel.times import SECOND

PROVIDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,79}")


class Order(msgspec.Struct, frozen=True):
    """What to run: *file* is the name for people, *path* is where its bytes are.

    With *bases*, oldest first, it repairs rows of the first of these files, as those after it do (see ``mended``).
    *anchors* are the roles and activities that rules are about: rows of which no rule knows say so. *standards* are the
    apprenticeship standards that were imported, by their code.
    """

    adapter: str
    provider: str
    path: Path
    file: str
    profile: MappingProfile = MappingProfile()
    dry_run: bool = False
    bases: tuple[Path, ...] = ()
    anchors: tuple[tuple[str, str], ...] = ()
    standards: Mapping[int, str] = {}


def check_order(adapter: str, provider: str, profile: MappingProfile) -> None:
    """Refuses what is certainly wrong, before the file is opened."""
    if adapter not in SOURCES:
        raise Refused(f"unknown adapter {adapter!r}: use {' or '.join(SOURCES)}", error="unknown_adapter")
    if not PROVIDER.fullmatch(provider):
        raise Refused("a provider's name has 1 to 80 letters, digits, blanks, . _ -", error="bad_provider")
    profile.check(SOURCES[adapter].columns, SOURCES[adapter].worded)


def run_file(
    order: Order, ledger: Ledger, *, now: int, apply: Apply | None = None, breathe: Callable[[], None] = lambda: None
) -> Report:
    """Runs *order* against *ledger*, as of *now* (microseconds UTC). Raises ``Refused`` for an unreadable file.

    In a dry run *apply* is given nothing to store, and the report says what would be stored. *breathe* is called at
    every row.
    """
    check_order(order.adapter, order.provider, order.profile)
    kind = SOURCES[order.adapter]
    terms = order.profile.terms(order.provider, kind.worded, kind.free, datetime.fromtimestamp(now / SECOND, UTC))
    source: Source = kind(msgspec.structs.replace(terms, standards=order.standards))
    criteria = KnownCriteria(order.anchors)
    table, rows = _read(order, source)
    told = Spoken(rows, terms.silence, breathe)
    called = {name: written for one in table.sheets for name, written in one.header.written.items()}
    told.doubt = check_day_order(told.rows(), source.dated, terms.calendar.formats, called)
    missing = _missing(source, told, ledger, order.profile.most_missing)
    checked = CheckedSource(source, criteria)
    outcomes = with_all_faults(run(checked, told, ledger, apply, dry_run=order.dry_run), told, source, terms)
    report = _report(order, (table, rows), in_order(outcomes))
    whole = source.notes() if isinstance(source, SnapshotSource) else ()
    for column in sorted(source.hours.intersection(table.columns)):
        whole = (*whole, *in_doubt(told.rows(), column, terms.numbers))
    asked = (told.doubt.note(),) if told.doubt else ()
    notes = (*report.notes, *asked, *whole, *missing, *criteria.notes())
    return msgspec.structs.replace(report, notes=notes, asks=told.doubt.asks if told.doubt else None)


def _missing(source: Source, told: RowTable, ledger: Ledger, most: int) -> tuple[str, ...]:
    """What a snapshot lacks of the last one, as a note. Refuses one out of order (``adapters.ledger.snapshots``)."""
    if not isinstance(source, SnapshotSource):
        return ()
    now = source.snapshot(told)
    return note_on(now, compare(now, ledger.all_before(), most))


def _read(order: Order, source: Source) -> tuple[Table, RowTable]:
    """The table of *order*, and its rows: those of the first of its bases as the later files have them."""
    if not order.bases:
        table = table_of(order, source)
        return table, table
    base = table_of(msgspec.structs.replace(order, path=order.bases[0], bases=()), source)
    later = (*order.bases[1:], order.path)
    tables = [table_of(msgspec.structs.replace(order, path=path), source, rows=True) for path in later]
    return base, MendedTable(base, tables)


class Spoken:
    """*table* for an adapter: cells that say nothing are empty, dates in *doubt* are faults.

    *breathe* is called at every row.
    """

    def __init__(self, table: RowTable, silence: Silence, breathe: Callable[[], None]) -> None:
        self._table = table
        self._silence = silence
        self._breathe = breathe
        self.columns = table.columns
        self.doubt: DayDoubt | None = None

    def rows(self) -> Iterator[Row]:
        """All rows from the first."""
        for row in self._table.rows():
            self._breathe()
            spoken = self._silence.row(row)
            yield self.doubt.marked(spoken) if self.doubt else spoken


def table_of(order: Order, source: Source, *, rows: bool = False) -> Table:
    """The file of *order* as a table with *source*'s columns, read as its profile says. Refuses a file without rows.

    *rows* says that it is a file of rows to repair, with a column for their numbers.
    """
    profile = order.profile
    known = {fold(column): column for column in source.columns} | profile.aliases()
    known |= {row_header(order.path, known): ROW} if rows else {}
    headers = KnownHeaders(known, own=frozenset(map(fold, (*ADDED, *ADDED_BESIDE))), dated=source.dated | source.free)
    _check_kept(order.path, headers)
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


def _check_kept(path: Path, headers: KnownHeaders) -> None:
    """Refuses a table with columns of which nothing may be kept, hidden sheets among them.

    Before it is read: one that is refused for something else stays until it is corrected.
    """
    heads = heads_of(path, headers, hidden=True).sheets
    if never := never_kept(dict.fromkeys(cell for head in heads for cell in head.cells)):
        message = f"nothing of these columns may be kept here: {', '.join(never)}. Delete them, and send the file again"
        raise Refused(f"{message}. Nothing of it came in, and the file is not kept", error=NEVER_KEPT)


def _report(order: Order, read: tuple[Table, RowTable], rows: tuple[RowOutcome, ...]) -> Report:
    table, merged = read
    with order.path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    report = Report(
        order.adapter, order.provider, order.file, digest, order.dry_run, rows, notes_on(table), table, merged
    )
    other = "" if report.usable else _meant_for(order, table.columns)
    return msgspec.structs.replace(report, notes=(*report.notes, other.lstrip("; "))) if other else report


def _meant_for(order: Order, columns: Collection[str]) -> str:
    """A hint, if another adapter knows more of the file's headers than the *columns* of the chosen one: the best."""
    others = (name for name, source in SOURCES.items() if name != order.adapter and ".csv" in source.files)
    known, best = max((_known_to(name, order.path), name) for name in others)
    if known > len(set(columns) & SOURCES[order.adapter].columns):
        return f"; the adapter {best} knows more of the file's headers: is it meant for that one?"
    return ""


def _known_to(adapter: str, path: Path) -> int:
    """How many headers of the file the *adapter* knows; a return (ILR) is no table, and is not asked."""
    columns = SOURCES[adapter].columns
    try:
        return len(set(open_table(path, KnownHeaders({fold(column): column for column in columns})).columns) & columns)
    except Refused:
        return 0
