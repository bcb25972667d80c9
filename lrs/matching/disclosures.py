"""What services got when they asked: one record for each service, learner and day. Knows no HTTP.

What is sent to services without being asked is in the deliveries. A service may ask a thousand times a day, so a record
only has the first time of the day and the things asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date
from typing import Literal

import msgspec

from lrs.competency.dates import day_of
from lrs.kernel.admission import Overloaded
from lrs.kernel.errors import StoreFull
from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.storage import ROWS, Reader, Record, Tx, Walk, first_seq
from lrs.storage.about import by_person
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.tenancy.tenants import Tenant

KIND = "disclosure"
DisclosedThing = Literal["profile", "gap", "badge"]
"""The things about a learner that a service can ask for."""


class Disclosure(msgspec.Struct, frozen=True):
    """*service* got something about *person* on *day* (in the tenant's zone).

    *what* are the things that it asked for, *first* is the time of the first one (microseconds UTC).
    """

    service: str
    person: str
    day: date
    first: int
    what: tuple[DisclosedThing, ...]
    v: int = 1

    @property
    def id(self) -> str:
        """The record's id. It is the same for the same service, person and day."""
        return name(KIND, self.service, self.person, self.day.isoformat())


_decoder = msgspec.json.Decoder(Disclosure)


def note(tenant: Tenant, service: str, persons: Iterable[str], what: DisclosedThing) -> None:
    """Stores that *service* gets *what* about *persons*, before it gets it. Commits once a day for each person.

    If the store cannot be written to (full, or overloaded), the service still gets its answer, and this is not stored.
    """
    now = tenant.clock()
    fresh = [Disclosure(service, one, day_of(now, tenant.settings.zone), now, (what,)) for one in persons]
    asked = {one.id: one for one in fresh}
    known = _known(tenant.store, asked)
    missing = {id: one for id, one in asked.items() if id not in known or what not in known[id].what}
    if missing:
        with suppress(Overloaded, StoreFull):
            tenant.store.write(lambda tx: _put(tx, missing), weight=ROWS * len(missing)).result()


def of_person(reader: Reader, person: str, after: int, limit: int) -> list[Disclosure]:
    """What services got about *person* since *after* (microseconds UTC), newest first, at most *limit*."""
    walk = Walk(KIND, [key("person", person)], after=first_seq(after) - 1, newest_first=True, limit=limit)
    return [_decoder.decode(record.body) for record in reader.find(walk).records]


def _put(tx: Tx, missing: Mapping[str, Disclosure]) -> None:
    there = tx.get_many(KIND, missing)
    for id, one in missing.items():
        record = there.get(id) or Record(KIND, id, keys=(key("person", one.person),))
        before = _decoder.decode(record.body) if record.body else one
        now = msgspec.structs.replace(before, what=tuple(sorted({*before.what, *one.what})))
        tx.put(msgspec.structs.replace(record, body=msgspec.json.encode(now)))


def _known(reader: Reader, ids: Iterable[str]) -> dict[str, Disclosure]:
    wanted = list(ids)
    found = reader.get_many(KIND, wanted) if wanted else {}
    return {id: _decoder.decode(record.body) for id, record in found.items()}


def _about(record: Record) -> Subjects:
    return subjects(persons=[_decoder.decode(record.body).person])


KINDS = (
    Kind(
        KIND,
        "effect",
        Disclosure,
        1,
        subjects=_about,
        retention="consent",
        exported=True,
        find=by_person(KIND, "person"),
    ),
)
