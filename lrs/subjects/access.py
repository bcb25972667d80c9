"""Subject access: everything that is kept about one learner, shown to that learner. Knows no page and no kind.

Each kind says whom a record is about (``subjects``), how records about somebody are found (``find``) and what that
somebody is shown of them (``shown``). Everything is read piece by piece as it is asked for, so that a learner with a
million statements holds up nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from lrs.kernel.times import timestamp_of_micros
from lrs.people.ids import Ids, ids_of
from lrs.people.persons import whose
from lrs.storage import Record
from lrs.storage.about import Whose
from lrs.storage.kinds import Kind, Kinds
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant


class OwnRecords(msgspec.Struct, frozen=True):
    """The first records of one kind about somebody, as they are shown to them; *more* says whether there are others."""

    kind: str
    records: tuple[dict[str, Any], ...]
    more: bool


def about(tenant: Tenant, kinds: Kinds, person: str) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
    """For each kind that is about people: its name, and the records about *person* and those who are one with it."""
    mine, ids = whose(tenant.store, person), ids_of(tenant)
    for kind in kinds.values():
        if kind.subjects is not None:
            yield kind.name, (kind.shown(record, mine) for record in records(tenant, kind, mine, ids))


def records(tenant: Tenant, kind: Kind, mine: Whose, ids: Ids) -> Iterator[Record]:
    """The records of *kind* that are about *mine*."""
    if kind.find is None or kind.subjects is None:
        return
    persons, identifiers = frozenset(mine.persons), frozenset(mine.identifiers)
    for record in kind.find(tenant.store, mine):
        named = kind.subjects(record)
        if not persons.isdisjoint(named.persons) or not identifiers.isdisjoint(map(ids, named.identifiers)):
            yield record


def as_file(tenant: Tenant, kinds: Kinds, person: str, *, by: str) -> Iterator[bytes]:
    """All of it as one JSON object, in pieces. That it was asked for is in the record of actions before that."""
    tenant.store.write(lambda tx: audit.append(tx, by, "own-data.taken", {"person": person})).result()
    return _pieces(tenant, kinds, person)


def _pieces(tenant: Tenant, kinds: Kinds, person: str) -> Iterator[bytes]:
    head = {"made": timestamp_of_micros(tenant.clock()), "organisation": tenant.record.name, "person": person}
    yield msgspec.json.encode(head).removesuffix(b"}") + b',"records":{'
    for place, (name, found) in enumerate(about(tenant, kinds, person)):
        yield (b"," if place else b"") + b"\n" + msgspec.json.encode(name) + b":["
        for number, one in enumerate(found):
            yield (b",\n" if number else b"\n") + msgspec.json.encode(one)
        yield b"]"
    yield b"}}\n"


def first_of_each(tenant: Tenant, kinds: Kinds, person: str, most: int) -> list[OwnRecords]:
    """The first *most* records of each kind of which there are any."""
    found = []
    for name, each in about(tenant, kinds, person):
        shown = tuple(islice(each, most + 1))
        if shown:
            found.append(OwnRecords(name, shown[:most], more=len(shown) > most))
    return found
