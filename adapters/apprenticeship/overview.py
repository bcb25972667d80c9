"""How far all apprentices of a provider are, read together: a walk for each standard, and not for each of them.

What its statements tell is kept until there are others (``KeptTold``); whose it is, is looked up each time.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice
from typing import NamedTuple

import msgspec

from adapters.apprenticeship.facts import Standard
from adapters.apprenticeship.progress import Picture, picture, registered
from adapters.apprenticeship.progress_read import said_by, standard_in
from adapters.apprenticeship.standard_records import StandardRecord
from adapters.apprenticeship.told_of_standard import ToldOfStandard
from adapters.reading.vocabulary import DEMONSTRATED, REGISTERED, VOIDED
from lrs.kernel.memo import Memo
from lrs.kernel.times import MINUTE
from lrs.people.ids import identified, ids_of
from lrs.people.persons import holders
from lrs.storage import Walk, newest_place, walked
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.keys import activity_key, source_key, verb_key

MOST_BYTES = 64 * 1024 * 1024
"""Bytes of statements that are read for one provider: some 60,000, of 3,000 apprentices."""
MOST_STANDARDS = 50
MOST_KEPT = 4
"""Providers whose apprentices are kept in memory: some 10 MB for 1,000 of them."""


class ToldOfSomebody(NamedTuple):
    """What one statement says: its place in the store, the identifier of whom it is about, and what."""

    seq: int
    who: str
    told: ToldOfStandard


class ReadOfSources(NamedTuple):
    """What sources tell of apprenticeships, and whether all of it was read."""

    told: list[ToldOfSomebody]
    whole: bool


class KeptTold(Memo[ReadOfSources]):
    """What the sources of the ``MOST_KEPT`` providers that looked last tell, until they tell more."""

    def __init__(self) -> None:
        super().__init__(MOST_KEPT)


class Apprentices(NamedTuple):
    """The apprentices of a provider by their persons, and whether all that was told of them was read."""

    found: list[tuple[str, Picture]]
    whole: bool


def apprentices(tenant: Tenant, sources: Collection[str], kept: KeptTold) -> Apprentices:
    """Those whom *sources* registered on a standard, with what these sources tell of them."""
    names = sorted(sources)
    read = kept.get((tenant.id, *names), _version(tenant, names), lambda: _Reading(tenant).of(names))
    by_person = _by_person(tenant, read.told)
    records: dict[Standard, StandardRecord | None] = {}
    found = []
    for person, told in by_person.items():
        if (of := registered(told)) is not None:
            if of.standard not in records:
                records[of.standard] = standard_in(tenant.store, of.standard)
            found.append((person, picture(of, told, records[of.standard])))
    return Apprentices(found, read.whole)


def _version(tenant: Tenant, sources: Collection[str]) -> tuple[int, ...]:
    """Another one once *sources* sent something, or something was voided; and another one each minute."""
    keys = [*(source_key(one) for one in sources), verb_key(VOIDED)]
    return (*(newest_place(tenant.store, "statement", key) for key in keys), tenant.clock() // MINUTE)


def _by_person(tenant: Tenant, told: list[ToldOfSomebody]) -> dict[str, list[ToldOfStandard]]:
    """What was told of each person, in the order in which it was stored."""
    reader = tenant.store
    who = {one.who for one in told}
    known = reader.get_many("identifier", who) if who else {}
    persons = {id: str(record.meta["person"]) for id, record in known.items()}
    held = holders(reader, set(persons.values())) if persons else {}
    found: dict[str, list[ToldOfStandard]] = {}
    for one in told:
        if (holder := held.get(persons.get(one.who, ""))) is not None:
            found.setdefault(holder, []).append(one.told)
    return found


class _Reading:
    """Reads the statements of sources that are about standards, until ``MOST_BYTES`` are read."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant, self._ids = tenant, ids_of(tenant)
        self._left, self._whole = MOST_BYTES, True
        self._found: dict[str, ToldOfSomebody] = {}
        self._who: dict[bytes, str] = {}

    def of(self, sources: Collection[str]) -> ReadOfSources:
        for source in sources:
            self._take(source, verb_key(REGISTERED))
        standards = dict.fromkeys(
            Standard(one.told.place.standard.ref, version)
            for one in self._found.values()
            if not one.told.place.part
            for version in ("", one.told.place.standard.version)
        )
        self._whole = self._whole and len(standards) <= MOST_STANDARDS
        for source in sources:
            for standard in islice(standards, MOST_STANDARDS):
                self._take(source, activity_key(standard.iri(), related=True))
            self._take(source, verb_key(DEMONSTRATED))
        return ReadOfSources(sorted(self._found.values(), key=lambda one: one.seq), self._whole)

    def _take(self, source: str, key: int) -> None:
        walk = Walk("statement", (source_key(source), key), newest_first=True, limit=500)
        for record in walked(self._tenant.store, walk):
            if self._left <= 0:
                self._whole = False
                return
            self._left -= len(record.body)
            said = None if record.id in self._found else said_by(record, self._tenant.settings.zone)
            if said is not None and (who := self._named(said.actor)):
                self._found[record.id] = ToldOfSomebody(record.seq, who, said.told)

    def _named(self, actor: bytes) -> str:
        if actor not in self._who:
            known = identified(msgspec.json.decode(actor), self._ids)
            self._who[actor] = known.id if known else ""
        return self._who[actor]
