"""Reads what was told of a learner's apprenticeship from the store, with bounds. Decides nothing (see ``progress``)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from adapters.apprenticeship.facts import Standard
from adapters.apprenticeship.progress import Picture, ToldOfStandard, picture, place_of, registered
from adapters.apprenticeship.standard_records import KIND, StandardRecord
from adapters.reading.vocabulary import DEMONSTRATED, EXTENSIONS, REGISTERED
from lrs.competency.dates import day_of, micros_in
from lrs.kernel.durations import seconds_of
from lrs.kernel.names import name
from lrs.people.ids import identified, ids_of
from lrs.people.persons import holders, identifiers_in
from lrs.storage import Reader, Record, Walk, micros_of, walked
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.identity import ifi_text
from lrs.xapi.statements.keys import activity_key, agent_key, source_key, verb_key

MOST_BYTES = 4 * 1024 * 1024
"""Bytes of statements that are read for one learner: some 4,000 statements as files make them."""
MOST_WALKS = 20
"""Pairs of identifier and source that are looked at."""
MOST_VERSIONS = 6


class _Definition(msgspec.Struct, frozen=True):
    extensions: dict[str, Any] = {}


class _Object(msgspec.Struct, frozen=True):
    id: str = ""
    objectType: str = "Activity"  # noqa: N815 (the xAPI word)
    definition: _Definition = _Definition()


class _Verb(msgspec.Struct, frozen=True):
    id: str


class _Result(msgspec.Struct, frozen=True):
    success: bool | None = None
    duration: str = ""
    extensions: dict[str, Any] = {}


class _Context(msgspec.Struct, frozen=True):
    extensions: dict[str, Any] = {}


class _Seen(msgspec.Struct, frozen=True):
    """The parts of a statement that the picture needs."""

    actor: Any
    verb: _Verb
    object: _Object
    timestamp: str = ""
    result: _Result = _Result()
    context: _Context = _Context()


class SeenApprenticeship(NamedTuple):
    """A learner's apprenticeship, and whether all that was told of it could be read within the bounds."""

    picture: Picture
    whole: bool


def apprenticeship(
    tenant: Tenant, members: Sequence[str], sources: Collection[str] | None
) -> SeenApprenticeship | None:
    """The apprenticeship of a learner as *sources* tell it (``None``: all); ``None`` for nobody's apprentice."""
    walks = _Walks(tenant, members, sources)
    told = walks.read([verb_key(REGISTERED)])
    of = registered([*reversed(told.values())])
    if of is None:
        return None
    ref = of.standard.ref
    others = (one.place.standard.version for one in told.values() if one.place.standard.ref == ref)
    versions = dict.fromkeys(["", of.standard.version, *others])
    for version in islice(versions, MOST_VERSIONS):
        told |= walks.read([activity_key(Standard(ref, version).iri(), related=True)])
    told |= walks.read([verb_key(DEMONSTRATED)])
    kept = tenant.store.get(KIND, name(KIND, ref, of.standard.version))
    record = msgspec.json.decode(kept.body, type=StandardRecord) if kept else None
    return SeenApprenticeship(
        picture(of, [*reversed(told.values())], record), walks.whole and len(versions) <= MOST_VERSIONS
    )


class _Walks:
    """Walks through the statements about one learner, until ``MOST_BYTES`` are read."""

    def __init__(self, tenant: Tenant, members: Sequence[str], sources: Collection[str] | None) -> None:
        self._reader, self._zone = tenant.store, tenant.settings.zone
        pairs = [
            [agent_key(ifi_text(one.ifi) or ""), *([] if source is None else [source_key(source)])]
            for one in identifiers_in(tenant.store, members)
            for source in ([None] if sources is None else sorted(sources))
        ]
        self._pairs, self._left, self.whole = pairs[:MOST_WALKS], MOST_BYTES, len(pairs) <= MOST_WALKS

    def read(self, keys: list[int]) -> dict[str, ToldOfStandard]:
        """What statements with these *keys* tell, by id; newest first."""
        found: dict[str, ToldOfStandard] = {}
        for pair in self._pairs:
            for record in self._records([*pair, *keys]):
                if told := told_by(record, self._zone):
                    found[record.id] = told
        return found

    def _records(self, keys: list[int]) -> Iterator[Record]:
        start: str | None = None
        while True:
            if self._left <= 0:
                self.whole = False
                return
            walk = Walk("statement", keys, newest_first=True, limit=500, most=self._left, start=start)
            page = self._reader.find(walk)
            self._left -= sum(len(one.body) for one in page.records)
            yield from page.records
            start = page.next
            if start is None:
                return


def told_by(record: Record, zone: str) -> ToldOfStandard | None:
    """What a statement says of an apprenticeship; ``None`` if it is about nothing of a standard."""
    try:
        seen = msgspec.json.decode(record.body, type=_Seen)
    except msgspec.DecodeError:
        return None
    place = place_of(seen.object.id) if seen.object.objectType == "Activity" else None
    if place is None:
        return None
    at = micros_in(seen.timestamp)
    guid = seen.object.definition.extensions.get(f"{EXTENSIONS}ksb-guid", "")
    return ToldOfStandard(
        seen.verb.id,
        place,
        day_of(micros_of(record.seq) if at is None else at, zone),
        seen.result.success,
        round(seconds_of(seen.result.duration)) // 60,
        guid if isinstance(guid, str) else "",
        {**seen.context.extensions, **seen.result.extensions},
    )


class Apprentices(NamedTuple):
    """Some apprentices of a provider by their persons; *further* is where the rest begins, ``None`` at the end."""

    persons: tuple[str, ...]
    further: int | None


def apprentices(tenant: Tenant, sources: Collection[str], until: int, most: int) -> Apprentices:
    """Those whom *sources* registered on a standard, at *until* (a ``seq``) or before: the newest, at most *most*."""
    reader, ids = tenant.store, ids_of(tenant)
    parts = [_registrations(reader, source, until) for source in sorted(sources)[:MOST_WALKS]]
    floor = max((end for _, end in parts), default=0)
    newest = sorted((one for part, _ in parts for one in part if one.seq >= floor), key=lambda one: -one.seq)
    found = [(one.seq, identified(msgspec.json.decode(one.body, type=_Seen).actor, ids)) for one in newest]
    known = reader.get_many("identifier", {who.id for _, who in found if who})
    persons = [(seq, str(known[who.id].meta["person"])) for seq, who in found if who and who.id in known]
    held = holders(reader, {person for _, person in persons})
    listed: dict[str, None] = {}
    for seq, person in persons:
        if person not in held:
            continue
        if len(listed) == most and held[person] not in listed:
            return Apprentices(tuple(listed), seq)
        listed[held[person]] = None
    return Apprentices(tuple(listed), floor - 1 if floor else None)


def _registrations(reader: Reader, source: str, until: int) -> tuple[list[Record], int]:
    """The newest registrations on standards, and the ``seq`` at which reading ended (``MOST_BYTES``); 0 for never."""
    walk = Walk("statement", (source_key(source), verb_key(REGISTERED)), until=until, newest_first=True)
    found: list[Record] = []
    left = MOST_BYTES
    for record in walked(reader, walk):
        left -= len(record.body)
        if _on_standard(record):
            found.append(record)
        if left < 0:
            return found, record.seq
    return found, 0


def _on_standard(record: Record) -> bool:
    try:
        place = place_of(msgspec.json.decode(record.body, type=_Seen).object.id)
    except msgspec.DecodeError:
        return False
    return place is not None and not place.part
