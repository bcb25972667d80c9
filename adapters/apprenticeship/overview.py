"""How far all apprentices of a provider are, read together: a walk for each standard, and not for each of them.

What its statements tell is kept until there are others (``KeptTold``); whose it is, is looked up each time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import islice, product
from typing import NamedTuple

import msgspec

from adapters.apprenticeship.begun import begun_by, leads
from adapters.apprenticeship.facts import Standard
from adapters.apprenticeship.progress import Picture, picture, registered
from adapters.apprenticeship.progress_read import OfferedIn, said_by, standard_in
from adapters.apprenticeship.standard_records import StandardRecord
from adapters.apprenticeship.told_of_standard import ToldOfStandard
from adapters.reading.vocabulary import DEMONSTRATED, REGISTERED, VOIDED
from lrs.competency.rules.rulesets import in_force
from lrs.kernel.memo import Memo
from lrs.kernel.times import MINUTE
from lrs.people.ids import identified, ids_of
from lrs.people.persons import holders
from lrs.storage import Record, Walk, newest_place, walked
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


BegunByPerson = dict[tuple[Standard, str], set[str]]
"""The criteria of a standard to which courses lead that somebody has begun, by who it is: identifier or person."""


class ReadOfSources(NamedTuple):
    """What sources tell of apprenticeships, and whether all of it was read."""

    told: list[ToldOfSomebody]
    begun: BegunByPerson
    whole: bool


class KeptTold(Memo[ReadOfSources]):
    """What the sources of the ``MOST_KEPT`` providers that looked last tell, until they tell more."""

    def __init__(self) -> None:
        super().__init__(MOST_KEPT)


class Apprentices(NamedTuple):
    """The apprentices of a provider by their persons, and whether all that was told of them was read."""

    found: list[tuple[str, Picture]]
    whole: bool


def apprentices(tenant: Tenant, sources: Collection[str], kept: KeptTold, offered_in: OfferedIn) -> Apprentices:
    """Those whom *sources* registered on a standard, with what these sources tell of them, also of courses."""
    names = sorted(sources)
    read = kept.get((tenant.id, *names), _version(tenant, names), lambda: _Reading(tenant, offered_in).of(names))
    held = _holders(tenant, {one.who for one in read.told} | {who for _, who in read.begun})
    told, begun = _by_person(read, held)
    records: dict[Standard, StandardRecord | None] = {}
    found = []
    for person, some in told.items():
        if (of := registered(some)) is not None:
            if of.standard not in records:
                records[of.standard] = standard_in(tenant.store, of.standard)
            courses = begun.get((of.standard, person), ())
            found.append((person, picture(of, some, records[of.standard], courses)))
    return Apprentices(found, read.whole)


def _version(tenant: Tenant, sources: Collection[str]) -> tuple[int, ...]:
    """Another one once *sources* sent something, or something was voided; and another one each minute."""
    keys = [*(source_key(one) for one in sources), verb_key(VOIDED)]
    return (*(newest_place(tenant.store, "statement", key) for key in keys), tenant.clock() // MINUTE)


def _holders(tenant: Tenant, who: Collection[str]) -> dict[str, str]:
    """The person of each identifier that has one."""
    known = tenant.store.get_many("identifier", who) if who else {}
    persons = {id: str(record.meta["person"]) for id, record in known.items()}
    held = holders(tenant.store, set(persons.values())) if persons else {}
    return {id: held[person] for id, person in persons.items() if person in held}


def _by_person(read: ReadOfSources, held: Mapping[str, str]) -> tuple[dict[str, list[ToldOfStandard]], BegunByPerson]:
    """What was told of each person, in the order in which it was stored, and what each has begun."""
    told: dict[str, list[ToldOfStandard]] = {}
    for one in read.told:
        if one.who in held:
            told.setdefault(held[one.who], []).append(one.told)
    begun: BegunByPerson = {}
    for (standard, who), criteria in read.begun.items():
        if who in held:
            begun.setdefault((standard, held[who]), set()).update(criteria)
    return told, begun


class _Reading:
    """Reads the statements of sources that are about standards and courses, until ``MOST_BYTES`` are read."""

    def __init__(self, tenant: Tenant, offered_in: OfferedIn) -> None:
        self._tenant, self._ids, self._offered_in = tenant, ids_of(tenant), offered_in
        self._left, self._whole = MOST_BYTES, True
        self._found: dict[str, ToldOfSomebody] = {}
        self._who: dict[bytes, str] = {}

    def of(self, sources: Collection[str]) -> ReadOfSources:
        for source in sources:
            self._take(source, verb_key(REGISTERED))
        versions = dict.fromkeys(one.told.place.standard for one in self._found.values() if not one.told.place.part)
        standards = dict.fromkeys(Standard(one.ref, version) for one in versions for version in ("", one.version))
        self._whole = self._whole and len(standards) <= MOST_STANDARDS
        for source in sources:
            for standard in islice(standards, MOST_STANDARDS):
                self._take(source, activity_key(standard.iri(), related=True))
            self._take(source, verb_key(DEMONSTRATED))
        begun = self._begun(sources, [*islice(versions, MOST_STANDARDS)])
        return ReadOfSources(sorted(self._found.values(), key=lambda one: one.seq), begun, self._whole)

    def _take(self, source: str, key: int) -> None:
        for record in self._records(source, key):
            said = None if record.id in self._found else said_by(record, self._tenant.settings.zone)
            if said is not None and (who := self._named(said.actor)):
                self._found[record.id] = ToldOfSomebody(record.seq, who, said.told)

    def _begun(self, sources: Collection[str], standards: Collection[Standard]) -> BegunByPerson:
        """What somebody has begun of the courses that lead to one of *standards*."""
        store, found = self._tenant.store, BegunByPerson()
        records = {one: record for one in standards if (record := standard_in(store, one))}
        if not records:
            return found
        rules, offered = in_force(store).rules, self._offered_in(store)
        led = {one: leads(rules, one, record, offered) for one, record in records.items()}
        courses = dict.fromkeys(course for some in led.values() for course in some)
        for source, course in product(sources, courses):
            read = self._records(source, activity_key(course, related=True))
            for body, (standard, some) in ((one.body, pair) for one in read for pair in led.items()):
                for one in begun_by(some, [(body, source)]):
                    if who := self._named(one.actor):
                        found.setdefault((standard, who), set()).update(one.criteria)
        return found

    def _records(self, source: str, key: int) -> Iterator[Record]:
        walk = Walk("statement", (source_key(source), key), newest_first=True, limit=500)
        for record in walked(self._tenant.store, walk):
            if self._left <= 0:
                self._whole = False
                return
            self._left -= len(record.body)
            yield record

    def _named(self, actor: bytes) -> str:
        if actor not in self._who:
            known = identified(msgspec.json.decode(actor), self._ids)
            self._who[actor] = known.id if known else ""
        return self._who[actor]
