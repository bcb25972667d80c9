"""The counts that planning shows, as they were last worked out, and what is shown of them.

Record: ``planning`` (id ``now``): the counts as they are shown, when they were worked out, and the smallest number that
is shown (*k*). It is there from the first time that somebody asks for counts. Exact counts are never kept: whoever
counts works out what may be shown of them, and pages and files only read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from adapters.planning.counts import Count, Counted, at
from adapters.planning.protect import LEAST_K, TOTAL, Cell
from adapters.planning.together import Family, together
from lrs.kernel.errors import Refused
from lrs.kernel.memo import Memo
from lrs.storage import Owed, Reader, Record, Tx
from lrs.storage.kinds import Kind
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

KIND, ID, STEP, VERSION = "planning", "now", "plan", 2
MOST_K = 50
MOST_KEPT = 200_000
"""Counts that one process keeps in memory as they are shown, of all tenants together: some 30 MB."""
MOST_YEARS = 10
"""For so many years, this one and later ones for which somebody is wanted, supply is worked out."""
MOST_COUNTS = 200_000
"""Counts of supply, of all years together, so that the record has 2 MB at most: later years are left out before."""
UNKNOWN = "Not known"
PATH = ("starts", "completions", "badges", "jobs")
"""From a start to a job, in their order."""
SEATS = "seats"
"""The one measure that is no number of people: it is shown as it is."""


class Planning(msgspec.Struct, frozen=True):
    """What was counted, exactly, and of whom: it is kept only as ``shown``. *at* is when, in microseconds UTC."""

    k: int = LEAST_K
    at: int = 0
    counts: tuple[Counted, ...] = ()
    families: tuple[Family, ...] = ()


class _KeptTable(msgspec.Struct, frozen=True, array_like=True):
    """One table of the record: the numbers that are shown, and the places of their cells in the list of all cells."""

    part: str
    of: str
    measure: str
    year: str
    places: tuple[int, ...]
    numbers: tuple[int | None, ...]


class KeptPlanning(msgspec.Struct, frozen=True):
    """The body of the record. *at* is when the counts were worked out, in microseconds UTC; 0 for not yet.

    The first form of it (``v`` 1) had exact counts: of it only *k* is read, and the counts are those of the next day.
    """

    k: int = LEAST_K
    at: int = 0
    cells: tuple[Cell, ...] = ()
    tables: tuple[_KeptTable, ...] = ()
    v: int = 1


class ShownPlanning(msgspec.Struct, frozen=True):
    """What everybody who sees planning is shown: counts, ``None`` for one that is kept back."""

    k: int = LEAST_K
    at: int = 0
    counts: Mapping[Count, int | None] = {}


class KeptShown(Memo[ShownPlanning]):
    """What is shown to each tenant, until its record changes: reading 50,000 counts takes a quarter of a second."""

    def __init__(self) -> None:
        super().__init__(MOST_KEPT, lambda one: len(one.counts))


def shown_now(tenant: Tenant, kept: KeptShown) -> ShownPlanning:
    """What is shown of what was counted last; nothing if nobody ever asked for counts."""
    record = tenant.store.get(KIND, ID)
    return kept.get(tenant.id, record.rev, lambda: _read(_kept(record))) if record else ShownPlanning()


def now(reader: Reader) -> ShownPlanning | None:
    """What is kept; ``None`` if nobody ever asked for counts."""
    record = reader.get(KIND, ID)
    return _read(_kept(record)) if record else None


def _kept(record: Record | None) -> KeptPlanning:
    kept = msgspec.json.decode(record.body, type=KeptPlanning) if record else KeptPlanning(v=VERSION)
    return kept if kept.v == VERSION else KeptPlanning(kept.k, v=VERSION)


def _read(kept: KeptPlanning) -> ShownPlanning:
    counts = {
        Count(one.part, one.of, one.measure, *kept.cells[place], one.year): number
        for one in kept.tables
        for place, number in zip(one.places, one.numbers, strict=True)
    }
    return ShownPlanning(kept.k, kept.at, counts)


def _written(seen: ShownPlanning) -> KeptPlanning:
    tables: dict[Count, list[Count]] = {}
    for what in sorted(seen.counts):
        tables.setdefault(at(what, TOTAL, what.year), []).append(what)
    cells = sorted({(what.split, what.value) for what in seen.counts})
    places = {cell: place for place, cell in enumerate(cells)}
    kept = (
        _KeptTable(
            table.part,
            table.of,
            table.measure,
            table.year,
            tuple(places[what.split, what.value] for what in each),
            tuple(seen.counts[what] for what in each),
        )
        for table, each in tables.items()
    )
    return KeptPlanning(seen.k, seen.at, tuple(cells), tuple(kept), VERSION)


def ask(tx: Tx, by: str) -> None:
    """Has the counts worked out as soon as a worker is free, and each day from then on."""
    if tx.get(KIND, ID) is None:
        tx.insert(Record(KIND, ID, msgspec.json.encode(KeptPlanning(v=VERSION))))
    tx.owe(KIND, ID, Owed(STEP))
    audit.append(tx, by, "planning.counted", {})


def set_k(tx: Tx, text: str, by: str) -> None:
    """Keeps the smallest number that is shown, and no counts until they are worked out anew, which is owed.

    Raises ``Refused`` (400): it is 5 at least.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 4 and LEAST_K <= int(text) <= MOST_K):
        raise Refused(f"The smallest number that is shown is {LEAST_K} to {MOST_K}.", error="bad_k")
    record = tx.get(KIND, ID)
    if _kept(record).k != int(text):
        _put(tx, record, KeptPlanning(int(text), v=VERSION))
        tx.owe(KIND, ID, Owed(STEP))
    audit.append(tx, by, "planning.smallest", {"number": text})


def smallest(reader: Reader) -> int:
    """The smallest number that is shown."""
    return _kept(reader.get(KIND, ID)).k


def put(tx: Tx, seen: ShownPlanning) -> None:
    """Keeps what was counted as it is shown, in the place of what was before; not if *k* is another one meanwhile."""
    record = tx.get(KIND, ID)
    if record is None or _kept(record).k == seen.k:
        _put(tx, record, _written(seen))


def _put(tx: Tx, record: Record | None, kept: KeptPlanning) -> None:
    tx.put(Record(KIND, ID, msgspec.json.encode(kept), rev=record.rev if record else 0))


def shown(counted: Planning) -> ShownPlanning:
    """What was *counted*, as it may be shown to everybody who sees planning."""
    numbers = {one.what: one.number for one in counted.counts}
    found: dict[Count, int | None] = {what: number for what, number in numbers.items() if what.measure == SEATS}
    people = {what: number for what, number in numbers.items() if what not in found}
    every = together(people, counted.families, counted.k)
    found |= {what: number for what, number in every.items() if what in numbers or number is None}
    found |= dict.fromkeys(_bookings_of_few_seats(numbers, counted.k))
    return ShownPlanning(counted.k, counted.at, found)


def _bookings_of_few_seats(numbers: Mapping[Count, int], k: int) -> Iterator[Count]:
    """The bookings of fewer than *k* seats, none of them too: no more are booked than there are seats to be seen."""
    few = {what.of for what, number in numbers.items() if what.measure == SEATS and number < k}
    return (what for what in numbers if what.part == SEATS and what.measure != SEATS and what.of in few)


KINDS = (Kind(KIND, "working", KeptPlanning, VERSION, subjects=None, retention="operational", exported=False),)
"""Its counts go with the next counting; nothing in it is about anybody, and no number in it is small."""
