"""Sessions of which only files told: read from their statements, for there is no record that could be marked.

What a file says of a session is looked up in the ledger, which names the import. Reads only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import msgspec

from adapters.imports import job as jobs
from adapters.imports.senders import senders
from adapters.ledger.diff import key_of
from adapters.ledger.ledger import KIND as LEDGER
from adapters.ledger.ledger import LedgerRecord, record_id
from adapters.reading.times import YEARS
from adapters.reading.vocabulary import ATTENDED, JISC, VOIDED
from adapters.training_centre import centre_sessions
from adapters.training_centre.files.source import TrainingCentre
from lrs.kernel.memo import Memo
from lrs.kernel.names import name
from lrs.kernel.plain_text import cleaned
from lrs.kernel.times import MINUTE, timestamp_of_micros, zoned_micros
from lrs.storage import Reader, Walk, newest_place, walked
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.identity import identifier_of
from lrs.xapi.statements.keys import source_key, verb_key

MOST_BYTES = 4 * 1024 * 1024
"""Bytes of statements that are read for one centre: the newest 4,000 of its attendances."""
LONGEST = 200
"""Characters of a title or a sort that are kept, for what was read of many centres stays in memory."""
LONGEST_IRI = 2_000
"""Characters of the IRI of a session; no file makes a longer one."""


class FiledSession(msgspec.Struct, frozen=True):
    """A session by its IRI, as the statements of a *centre* tell it, and how many *people* were on its roster.

    Times are microseconds UTC.
    """

    iri: str
    centre: str
    title: str
    kind: str
    starts: int
    ends: int
    people: int


class Brought(NamedTuple):
    """The import that told of a session last: its id, the file, who brought it, and when (microseconds UTC)."""

    id: str
    file: str
    by: str
    at: int


class KeptFiled(Memo[list[FiledSession]]):
    """The sessions of a centre that its statements tell of, until there are others."""


class _Definition(msgspec.Struct, frozen=True):
    name: dict[str, str] = {}
    extensions: dict[str, Any] = {}


class _Object(msgspec.Struct, frozen=True):
    id: str = ""
    definition: _Definition = _Definition()


class _Attended(msgspec.Struct, frozen=True):
    actor: msgspec.Raw
    object: _Object = _Object()


_decode = msgspec.json.Decoder(_Attended).decode


def filed(tenant: Tenant, centres: Collection[str] | None, kept: KeptFiled) -> list[FiledSession]:
    """The sessions of *centres* (``None``: all that sent files) of which there is no record here."""
    reader = tenant.store
    told = senders(reader, TrainingCentre.name) if centres is None else centres
    found = [one for centre in sorted(told) for one in _of_centre(tenant, centre, kept)]
    ids = {one.iri: name(centre_sessions.KIND, one.iri) for one in found}
    there = reader.get_many(centre_sessions.KIND, ids.values()) if ids else {}
    return [one for one in found if ids[one.iri] not in there]


def brought_by(reader: Reader, found: Collection[FiledSession]) -> dict[str, Brought]:
    """The imports that told of sessions, by the IRIs of these; none where a program sent the statements."""
    rows = {one.iri: record_id(f"{TrainingCentre.name}/{one.centre}", key_of("session", (one.iri,))) for one in found}
    entries = reader.get_many(LEDGER, rows.values()) if rows else {}
    by_iri = {
        iri: msgspec.json.decode(entries[id].body, type=LedgerRecord).job for iri, id in rows.items() if id in entries
    }
    wanted = {id for id in by_iri.values() if id}
    kept = {id: jobs.job_of(record) for id, record in (reader.get_many(jobs.KIND, wanted) if wanted else {}).items()}
    return {
        iri: Brought(id, kept[id].file, kept[id].sender.subject, kept[id].at)
        for iri, id in by_iri.items()
        if id in kept
    }


def _of_centre(tenant: Tenant, centre: str, kept: KeptFiled) -> list[FiledSession]:
    keys = (source_key(centre), verb_key(ATTENDED))
    newest, voided = (newest_place(tenant.store, "statement", *some) for some in (keys, (verb_key(VOIDED),)))
    version = (newest, voided, tenant.clock() // MINUTE)
    return kept.get((tenant.id, centre), version, lambda: list(_read(tenant.store, centre, keys)))


def _read(reader: Reader, centre: str, keys: tuple[int, ...]) -> Iterator[FiledSession]:
    left, objects, people = MOST_BYTES, dict[str, _Object](), dict[str, set[str | bytes]]()
    known: dict[bytes, str | bytes] = {}
    for record in walked(reader, Walk("statement", keys, newest_first=True, limit=500)):
        left -= len(record.body)
        if left < 0:
            break
        try:
            one = _decode(record.body)
        except msgspec.DecodeError:
            continue
        if len(one.object.id) > LONGEST_IRI:
            continue
        objects.setdefault(one.object.id, one.object)
        actor = bytes(one.actor)
        if actor not in known:
            known[actor] = _somebody(actor)
        people.setdefault(one.object.id, set()).add(known[actor])
    for iri, session in objects.items():
        if one_session := _session(iri, centre, session.definition, len(people[iri])):
            yield one_session


def _session(iri: str, centre: str, told: _Definition, people: int) -> FiledSession | None:
    """``None`` for one whose times no file wrote."""
    starts, ends = (_moment(told.extensions.get(JISC + word)) for word in ("starttime", "endtime"))
    if starts is None or ends is None:
        return None
    title, kind = next(iter(told.name.values()), iri), str(told.extensions.get(JISC + "subType", ""))
    return FiledSession(iri, centre, cleaned(title, LONGEST), cleaned(kind, LONGEST), starts, ends, people)


def _somebody(actor: bytes) -> str | bytes:
    """The identifier of an *actor* in JSON, whatever the name beside it; all of one that has none."""
    found = identifier_of(msgspec.json.decode(actor))
    return found.id if found else actor


def _moment(told: object) -> int | None:
    """A time with its offset in microseconds UTC; ``None`` for what no file wrote, as a year that cannot be meant."""
    try:
        at = zoned_micros(told) if isinstance(told, str) else None
    except ValueError:
        return None
    return at if at is not None and int(timestamp_of_micros(at)[:4]) in YEARS else None
