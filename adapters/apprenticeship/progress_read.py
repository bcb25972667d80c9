"""Reads what was told of a learner's apprenticeship from the store, with bounds. Decides nothing (see ``progress``)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from adapters.apprenticeship.begun import VERBS, begun, leads
from adapters.apprenticeship.facts import Standard
from adapters.apprenticeship.progress import Picture, picture, registered
from adapters.apprenticeship.standard_records import KIND, StandardRecord
from adapters.apprenticeship.told_of_standard import LONGEST, ToldOfStandard, place_of, read_extensions
from adapters.reading.vocabulary import DEMONSTRATED, EXTENSIONS, REGISTERED
from lrs.competency.dates import day_of, micros_in
from lrs.competency.rules.rulesets import in_force
from lrs.kernel.durations import seconds_of
from lrs.kernel.names import name
from lrs.people.persons import identifiers_in
from lrs.storage import Reader, Record, Store, Walk, micros_of
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

    actor: msgspec.Raw
    verb: _Verb
    object: _Object
    timestamp: str = ""
    result: _Result = _Result()
    context: _Context = _Context()


_decode = msgspec.json.Decoder(_Seen).decode


class SeenApprenticeship(NamedTuple):
    """A learner's apprenticeship, and whether all that was told of it could be read within the bounds."""

    picture: Picture
    whole: bool


OfferedIn = Callable[[Store], Mapping[str, Collection[str]]]
"""The items of frameworks that courses are said to give, by the activities of these courses."""


def apprenticeship(
    tenant: Tenant, members: Sequence[str], sources: Collection[str] | None, offered_in: OfferedIn
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
    record = standard_in(tenant.store, of.standard)
    led = leads(in_force(tenant.store).rules, of.standard, record, offered_in(tenant.store)) if record else {}
    courses = begun(led, walks.with_verbs(VERBS)) if led else ()
    seen = picture(of, [*reversed(told.values())], record, courses)
    return SeenApprenticeship(seen, walks.whole and len(versions) <= MOST_VERSIONS)


def standard_in(reader: Reader, standard: Standard) -> StandardRecord | None:
    """The record of *standard* in its version, if it is stored."""
    kept = reader.get(KIND, name(KIND, standard.ref, standard.version))
    return msgspec.json.decode(kept.body, type=StandardRecord) if kept else None


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

    def with_verbs(self, verbs: Iterable[str]) -> Iterator[tuple[bytes, str]]:
        """Each statement with one of *verbs*, and its source."""
        for pair in self._pairs:
            for verb in verbs:
                for record in self._records([*pair, verb_key(verb)]):
                    yield record.body, str(record.meta.get("source", ""))

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
    told = said_by(record, zone)
    return told.told if told else None


class SaidByActor(NamedTuple):
    """What a statement says of an apprenticeship, and its actor as it was stored."""

    actor: bytes
    told: ToldOfStandard


def said_by(record: Record, zone: str) -> SaidByActor | None:
    """The same with the actor."""
    try:
        seen = _decode(record.body)
    except msgspec.DecodeError:
        return None
    place = place_of(seen.object.id) if seen.object.objectType == "Activity" else None
    if place is None:
        return None
    at = micros_in(seen.timestamp)
    guid = seen.object.definition.extensions.get(f"{EXTENSIONS}ksb-guid", "")
    told = ToldOfStandard(
        seen.verb.id[:LONGEST],
        place,
        day_of(micros_of(record.seq) if at is None else at, zone),
        seen.result.success,
        round(seconds_of(seen.result.duration)) // 60,
        guid[:LONGEST] if isinstance(guid, str) else "",
        read_extensions(seen.context.extensions, seen.result.extensions),
    )
    return SaidByActor(bytes(seen.actor), told)
