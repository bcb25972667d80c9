"""The counts that planning shows, as they were last worked out, and what is shown of them.

Record: ``planning`` (id ``now``): the counts, when, and the smallest number that is shown (*k*). It is there from the
first time that somebody asks for counts. The counts in it are exact and name nobody; they leave it only by ``shown``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from adapters.planning.protect import LEAST_K, Adds, differs_by_few, published
from lrs.kernel.errors import Refused
from lrs.storage import Owed, Reader, Record, Tx
from lrs.storage.kinds import Kind
from lrs.tenancy import audit

KIND, ID, STEP = "planning", "now", "plan"
MOST_K = 50
UNKNOWN = "Not known"
PATH = ("starts", "completions", "badges", "jobs")
"""From a start to a job, in their order."""
SEATS = "seats"
"""The one measure that is no number of people: it is shown as it is."""


class Count(msgspec.Struct, frozen=True, order=True):
    """What is counted: the *part* of the report, *of* which role or centre, the *measure*, and by what it is split.

    Without *split* it is the total. Parts of one split add up to the total, if there is one. With *year* it is how many
    of those who are counted now still count at the end of that year, if nothing is renewed.
    """

    part: str
    of: str
    measure: str
    split: str = ""
    value: str = ""
    year: str = ""


class Counted(msgspec.Struct, frozen=True):
    """How many."""

    what: Count
    number: int


class Planning(msgspec.Struct, frozen=True):
    """The body of the record. *at* is when the counts were worked out, in microseconds UTC; 0 for not yet."""

    k: int = LEAST_K
    at: int = 0
    counts: tuple[Counted, ...] = ()
    v: int = 1


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


def put(tx: Tx, counts: Iterable[Counted], at: int) -> None:
    """Keeps *counts* in the place of those before."""
    record = tx.get(KIND, ID)
    kept = msgspec.json.decode(record.body, type=Planning) if record else Planning()
    body = msgspec.json.encode(msgspec.structs.replace(kept, counts=tuple(counts), at=at))
    tx.put(Record(KIND, ID, body, rev=record.rev if record else 0))


def shown(kept: Planning) -> dict[Count, int | None]:
    """Every count as it may be shown; ``None`` for what is kept back.

    Who counts at the end of a year counts in each year before and now. So a number of a later year is a least number
    for the earlier one, and is kept back where that is, and where both together would prove that a few count no more.
    """
    people = [one for one in kept.counts if one.what.measure != SEATS]
    found: dict[Count, int | None] = {}
    before: dict[Count, int | None] = {}
    for year in sorted({one.what.year for one in people}):
        now = _of_year([one for one in people if one.what.year == year], kept.k)
        if year:
            now = {what: _beside(before.get(_without(what)), number, kept.k) for what, number in now.items()}
        before = {_without(what): number for what, number in now.items()}
        found |= now
    return found | {one.what: one.number for one in kept.counts if one.what.measure == SEATS}


def _of_year(counts: Sequence[Counted], k: int) -> dict[Count, int | None]:
    """The counts of one year as they may be shown beside each other."""
    by_name = {_name(one.what): one for one in counts}
    seen = published({name: one.number for name, one in by_name.items()}, _sums(counts), k)
    return {by_name[name].what: number for name, number in seen.items()}


def _beside(before: int | None, number: int | None, k: int) -> int | None:
    """The *number* of a year, as it may be shown beside that of the year *before*."""
    return None if before is None or number is None or differs_by_few(before, number, k) else number


def _without(what: Count) -> Count:
    return msgspec.structs.replace(what, year="")


def _name(what: Count) -> str:
    return msgspec.json.encode(what).decode()


def _sums(counts: Iterable[Counted]) -> list[Adds]:
    parts: dict[tuple[Count, str], list[str]] = {}
    known = {one.what for one in counts}
    for what in sorted(known):
        total = Count(what.part, what.of, what.measure, year=what.year)
        if what.split and total in known:
            parts.setdefault((total, what.split), []).append(_name(what))
    return [Adds(_name(total), tuple(names)) for (total, _), names in parts.items()]


KINDS = (Kind(KIND, "working", Planning, 1, subjects=None, retention="operational", exported=False),)
"""Its counts go with the next counting; nothing in it is about anybody."""
