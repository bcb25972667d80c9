"""The counts that planning shows, as they were last worked out, and what is shown of them.

Record: ``planning`` (id ``now``): the counts, when, and the smallest number that is shown (*k*). It is there from the
first time that somebody asks for counts. The counts in it are exact and name nobody; they leave it only by ``shown``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from adapters.planning.counts import Count, Counted, at
from adapters.planning.kin import Kin
from adapters.planning.protect import LEAST_K
from adapters.planning.together import by_table, together
from lrs.kernel.errors import Refused
from lrs.kernel.memo import Memo
from lrs.storage import Owed, Reader, Record, Tx
from lrs.storage.kinds import Kind
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

KIND, ID, STEP = "planning", "now", "plan"
MOST_K = 50
MOST_KEPT = 200_000
"""Counts that one process keeps in memory as they are shown, of all tenants together: some 30 MB."""
MOST_YEARS = 10
"""For so many years, this one and later ones for which somebody is wanted, supply is worked out."""
UNKNOWN = "Not known"
PATH = ("starts", "completions", "badges", "jobs")
"""From a start to a job, in their order."""
SEATS = "seats"
"""The one measure that is no number of people: it is shown as it is."""


class Planning(msgspec.Struct, frozen=True):
    """The body of the record. *at* is when the counts were worked out, in microseconds UTC; 0 for not yet.

    *kin* is that of the roles as they were then.
    """

    k: int = LEAST_K
    at: int = 0
    counts: tuple[Counted, ...] = ()
    kin: Kin = Kin()
    v: int = 1


class ShownPlanning(msgspec.Struct, frozen=True):
    """What everybody who sees planning is shown of the record: its counts as ``shown`` gives them."""

    k: int = LEAST_K
    at: int = 0
    counts: Mapping[Count, int | None] = {}


class KeptShown(Memo[ShownPlanning]):
    """What is shown to each tenant, until its record changes: working it out takes a second for 50,000 counts."""

    def __init__(self) -> None:
        super().__init__(MOST_KEPT, lambda one: len(one.counts))


def shown_now(tenant: Tenant, kept: KeptShown) -> ShownPlanning:
    """What is shown of what was counted last; nothing if nobody ever asked for counts."""
    record = tenant.store.get(KIND, ID)
    return kept.get(tenant.id, record.rev, lambda: _shown_of(record.body)) if record else ShownPlanning()


def _shown_of(body: bytes) -> ShownPlanning:
    found, words = msgspec.json.decode(body, type=Planning), dict[str, str]()
    lean = {  # each text once: of the same few, tens of thousands of counts are made
        Count(*(words.setdefault(text, text) for text in msgspec.structs.astuple(what))): number
        for what, number in shown(found).items()
    }
    return ShownPlanning(found.k, found.at, lean)


def now(reader: Reader) -> Planning | None:
    """What is kept; ``None`` if nobody ever asked for counts."""
    record = reader.get(KIND, ID)
    return msgspec.json.decode(record.body, type=Planning) if record else None


def ask(tx: Tx, by: str) -> None:
    """Has the counts worked out as soon as a worker is free, and each day from then on."""
    if tx.get(KIND, ID) is None:
        tx.insert(Record(KIND, ID, msgspec.json.encode(Planning())))
    tx.owe(KIND, ID, Owed(STEP))
    audit.append(tx, by, "planning.counted", {})


def set_k(tx: Tx, text: str, by: str) -> None:
    """Keeps the smallest number that is shown. Raises ``Refused`` (400): it is 5 at least."""
    if not (text.isascii() and text.isdigit() and len(text) < 4 and LEAST_K <= int(text) <= MOST_K):
        raise Refused(f"The smallest number that is shown is {LEAST_K} to {MOST_K}.", error="bad_k")
    record = tx.get(KIND, ID)
    kept = msgspec.json.decode(record.body, type=Planning) if record else Planning()
    body = msgspec.json.encode(msgspec.structs.replace(kept, k=int(text)))
    tx.put(Record(KIND, ID, body, rev=record.rev if record else 0))
    audit.append(tx, by, "planning.smallest", {"number": text})


def put(tx: Tx, counted: Planning) -> None:
    """Keeps what was *counted* in the place of what was before; *k* stays as it is kept."""
    record = tx.get(KIND, ID)
    k = msgspec.json.decode(record.body, type=Planning).k if record else LEAST_K
    body = msgspec.json.encode(msgspec.structs.replace(counted, k=k))
    tx.put(Record(KIND, ID, body, rev=record.rev if record else 0))


def shown(kept: Planning) -> dict[Count, int | None]:
    """Every count as it may be shown; ``None`` for what is kept back."""
    numbers = {one.what: one.number for one in kept.counts}
    found: dict[Count, int | None] = {what: number for what, number in numbers.items() if what.measure == SEATS}
    tables = by_table(numbers, numbers.keys() - found.keys())
    for about, years in together(tables, kept.kin, kept.k).items():
        every = {at(about, cell, year): number for year, cells in years.items() for cell, number in cells.items()}
        found |= {what: number for what, number in every.items() if what in numbers or number is None}
    return found | dict.fromkeys(_bookings_of_few_seats(numbers, kept.k))


def _bookings_of_few_seats(numbers: Mapping[Count, int], k: int) -> Iterator[Count]:
    """The bookings of fewer than *k* seats, none of them too: no more are booked than there are seats to be seen."""
    few = {what.of for what, number in numbers.items() if what.measure == SEATS and number < k}
    return (what for what in numbers if what.part == SEATS and what.measure != SEATS and what.of in few)


KINDS = (Kind(KIND, "working", Planning, 1, subjects=None, retention="operational", exported=False),)
"""Its counts go with the next counting; nothing in it is about anybody."""
