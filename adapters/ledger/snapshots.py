"""Files that are snapshots: each has all that there is of one period, so what an earlier one had may be missing. Pure.

What is missing is counted and said, and stays as it is: a learner who is left out of a return was not deleted. A file
that is older than the last one, of another provider, or without a large share of what the last one had, is refused
before any of it comes in. The ledger keeps with each fact the last snapshot that had it (``seen_in``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol, runtime_checkable

from adapters.ledger.diff import LedgerEntry
from adapters.reading.source import RowTable
from lrs.kernel.errors import Refused
from lrs.kernel.plain_text import counted

FEW = 3
"""So many may be missing whatever their share."""


class Snapshot(NamedTuple):
    """A snapshot of *period* (*spoken* for people) by *owner*, made at *made* (ISO). *keys* are those of the ledger."""

    period: str
    spoken: str
    owner: str
    made: str
    keys: frozenset[str]


@runtime_checkable
class SnapshotSource(Protocol):
    """A source whose files are snapshots."""

    def snapshot(self, table: RowTable, /) -> Snapshot:
        """What *table* is a snapshot of."""

    def notes(self) -> tuple[str, ...]:
        """What people are told of the file as a whole, once all its rows were read."""


class SeenIn(NamedTuple):
    """The last snapshot of a period that had a fact."""

    period: str
    owner: str
    made: str


def seen_in(kept: str, period: str, owner: str, made: str) -> str:
    """*kept* of a fact, with this snapshot as the last of its period that has it."""
    others = [one for one in _seen(kept) if one.period != period]
    return " ".join("|".join(one) for one in sorted([*others, SeenIn(period, owner, made)]))


def missing_now(entries: Iterable[tuple[str, LedgerEntry]]) -> list[MissingFact]:
    """The facts that a snapshot of a period had and its last one has not, the newest period first."""
    found = [(key, entry, one) for key, entry in entries if entry.stands for one in _seen(entry.kept)]
    last: dict[str, str] = {}
    for _, _, one in found:
        last[one.period] = max(one.made, last.get(one.period, ""))
    gone = [MissingFact(key, entry, one, last[one.period]) for key, entry, one in found if one.made < last[one.period]]
    return sorted(gone, key=lambda one: (one.seen.period, one.seen.made, one.key), reverse=True)


def _seen(kept: str) -> Iterator[SeenIn]:
    for one in kept.split():
        parts = one.split("|")
        if len(parts) == len(SeenIn._fields):
            yield SeenIn(*parts)


class MissingFact(NamedTuple):
    """A fact by its *key*, the last snapshot of a period that had it (*seen*), and when the *newest* one was made."""

    key: str
    entry: LedgerEntry
    seen: SeenIn
    newest: str


class Compared(NamedTuple):
    """Of *earlier* things in earlier snapshots of the period, *missing* are not in this one."""

    earlier: int
    missing: frozenset[str]


def compare(now: Snapshot, entries: Iterable[tuple[str, LedgerEntry]], most_missing: int) -> Compared:
    """What of the last snapshot is missing in *now*. *entries* are those of the ledger, as they were before the file.

    Refuses (409) a snapshot of another owner, one older than the last, and one that lacks more than *most_missing* per
    cent of the last.
    """
    found = [(key, one) for key, entry in entries if entry.stands for one in _seen(entry.kept)]
    owners = {one.owner for _, one in found}
    if owners and now.owner not in owners:
        message = (
            "the return is another provider's: its UKPRN is not the one of this provider's earlier returns. Send it"
            " under that provider's name"
        )
        raise Refused(message, status=409, error="other_provider")
    ours = [(key, one.made) for key, one in found if one.period == now.period]
    last = max((made for _, made in ours), default="")
    if now.made < last:
        message = (
            f"Filename_8: a later return of {now.spoken} is in already (made {last}, this one {now.made}): send the"
            " newest"
        )
        raise Refused(message, status=409, error="older_return")
    before = {key for key, made in ours if made == last}
    missing = frozenset(before - now.keys)
    if len(missing) >= FEW and len(missing) * 100 > most_missing * len(before):
        message = (
            f"{len(missing)} of {counted(len(before), 'apprenticeship')} of the last return of {now.spoken} are missing"
            " in this one: is it the whole return? Nothing came in. If it is right, send it with a mapping profile that"
            ' has "most_missing": 100'
        )
        raise Refused(message, status=409, error="too_many_missing")
    return Compared(len(before), missing)


def note_on(now: Snapshot, found: Compared) -> tuple[str, ...]:
    """A sentence about what is missing, if anything is."""
    if not found.missing:
        return ()
    count = len(found.missing)
    what = "apprenticeship" if count == 1 else "apprenticeships"
    stays = "what is known of it stays" if count == 1 else "what is known of them stays"
    return (
        f"missing from this return: {count} {what} of the last return of {now.spoken}; {stays}, nothing is deleted",
    )
