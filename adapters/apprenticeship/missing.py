"""Learners whose apprenticeship an earlier return of a teaching year had and its newest one has not. Reads only.

The ledger keeps with each apprenticeship the last return that had it, also where its learner had a fault there. Who was
deleted here is not listed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import msgspec

from adapters.apprenticeship.ilr.years import BY_CODE
from adapters.apprenticeship.told_of_standard import place_of
from adapters.ledger.diff import LedgerEntry
from adapters.ledger.ledger import KIND, LedgerRecord, newest_change, source_key
from adapters.ledger.pipeline import ids_of
from adapters.ledger.snapshots import MissingFact, missing_now
from lrs.kernel.memo import Memo
from lrs.people import ids
from lrs.people.persons import holders
from lrs.storage import each
from lrs.tenancy.tenants import Tenant

MOST_BYTES = 16 * 1024 * 1024
"""Bytes of ledger entries that are read for one provider: some 60,000 entries, of 15,000 apprenticeships."""
MOST = 1_000
"""Apprenticeships that are listed for one provider."""
ADAPTER = "ilr"


class MissingApprentice(msgspec.Struct, frozen=True):
    """An apprenticeship of a *person* that is missing. *last* had it, *newest* has not: when these returns were made.

    *year* is the teaching year as people write it.
    """

    provider: str
    person: str
    standard: str
    year: str
    last: str
    newest: str


class MissingApprentices(NamedTuple):
    """Those that were *found*, and whether all entries were read and all of them are listed."""

    found: list[MissingApprentice]
    whole: bool


class _Object(msgspec.Struct, frozen=True):
    id: str = ""


class _Told(msgspec.Struct, frozen=True):
    actor: dict[str, Any]
    object: _Object = _Object()


class GoneFacts(NamedTuple):
    """What the newest returns of a provider lack, which names nobody, and whether all entries were read."""

    facts: list[MissingFact]
    whole: bool


class KeptGone(Memo[GoneFacts]):
    """What is missing of each provider, kept until its ledger changes."""


def missing_learners(tenant: Tenant, providers: Collection[str], kept: KeptGone | None = None) -> MissingApprentices:
    """The apprenticeships of *providers* that are missing in the newest return of their year.

    A ledger that is as it was when *kept* was asked last is not read again.
    """
    parts = [_of_provider(tenant, one, KeptGone() if kept is None else kept) for one in sorted(providers)]
    return MissingApprentices([one for part in parts for one in part.found], all(part.whole for part in parts))


def _of_provider(tenant: Tenant, provider: str, kept: KeptGone) -> MissingApprentices:
    source = f"{ADAPTER}/{provider}"
    gone = kept.get((tenant.id, source), newest_change(tenant.store, source), lambda: _gone(tenant, source))
    is_whole = gone.whole and len(gone.facts) <= MOST
    return MissingApprentices(list(_named(tenant, provider, source, gone.facts[:MOST])), is_whole)


def _gone(tenant: Tenant, source: str) -> GoneFacts:
    entries: list[tuple[str, LedgerEntry]] = []
    left = MOST_BYTES
    for record in each(tenant.store, KIND, source_key(source)):
        left -= len(record.body)
        if left < 0:
            break
        entries.append((record.id.rpartition("/")[2], msgspec.json.decode(record.body, type=LedgerRecord).entry))
    return GoneFacts(missing_now(entries), left >= 0)


def _named(tenant: Tenant, provider: str, source: str, gone: Collection[MissingFact]) -> Iterator[MissingApprentice]:
    """Each with its learner, by the statement that told it."""
    reader = tenant.store
    by_id = {id: one for one in gone if one.entry.newest for id in ids_of(source, one.key, one.entry.newest)[:1]}
    told = {
        id: msgspec.json.decode(record.body, type=_Told)
        for id, record in (reader.get_many("statement", by_id) if by_id else {}).items()
    }
    named = {id: ids.identified(one.actor, ids.ids_of(tenant)) for id, one in told.items()}
    wanted = {who.id for who in named.values() if who}
    known = reader.get_many("identifier", wanted) if wanted else {}
    persons = {id: str(known[who.id].meta["person"]) for id, who in named.items() if who and who.id in known}
    held = holders(reader, set(persons.values())) if persons else {}
    for id, one in by_id.items():
        if (person := held.get(persons.get(id, ""))) is not None:
            place, year = place_of(told[id].object.id), BY_CODE.get(one.seen.period)
            standard = place.standard.ref if place else ""
            spoken = year.spoken if year else one.seen.period
            yield MissingApprentice(provider, person, standard, spoken, one.seen.made, one.newest)
