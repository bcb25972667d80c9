"""The keys of sources as their pages show them, and what each has sent so far. Reads only, bounded; formats nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import msgspec

from lrs.access import Caller
from lrs.access.keys import FIRST_KEY, KnownKey, authority_of, find_key, known_keys
from lrs.access.rights import rights_of_key, scopes_within_own
from lrs.access.signed_in import OPEN
from lrs.access.switches import switches_of
from lrs.kernel.errors import Refused
from lrs.kernel.times import micros_of_timestamp
from lrs.storage import Record, Walk, micros_of
from lrs.tenancy.tenants import Tenant
from lrs.web.kept_refusals import refusals_of
from lrs.web.refusals import Refusal
from lrs.xapi.statements.identity import ifi_text
from lrs.xapi.statements.keys import agent_key
from lrs.xapi.statements.quarantine import QuarantineTally, tally_of

CONNECT, SEND = "sources.connect", "statements.write"
KEYS = 500
"""The newest keys that are listed."""
SOURCES = 100
"""How many sources are listed with their switches."""
REFUSED = 5
"""How many refusals the page of a key shows."""
REFUSED_TO_SOURCE = 20
"""How many refusals the page of a source shows."""
MOST_OF_A_SOURCE = 20
"""How many keys of one source may be active: two are enough to replace one by the other."""


class KeyFacts(msgspec.Struct, frozen=True):
    """A key, its first and last statement, and what was refused since then.

    *refused* are the newest refusals of the key, or of its source without a key, newest first, at most ``REFUSED``.
    """

    key: KnownKey
    first: Record | None
    last: Record | None
    refused: tuple[Refusal, ...]


class SourceSeen(msgspec.Struct, frozen=True):
    """A source: its keys, its switches that are on, its newest refusals first, and its quarantine."""

    name: str
    keys: tuple[KnownKey, ...]
    on: frozenset[str]
    refused: tuple[Refusal, ...]
    ever_refused: int
    quarantine: QuarantineTally


def source_facts(tenant: Tenant, source: str) -> SourceSeen:
    """What is known of *source*; the ``REFUSED_TO_SOURCE`` newest of its refusals."""
    kept = refusals_of(tenant.store, source)
    own = tuple(one for one in known_keys(tenant.store) if one.source == source)[-KEYS:]
    newest = tuple(reversed(kept.newest))[:REFUSED_TO_SOURCE]
    on = switches_of(tenant.store, source)
    return SourceSeen(source, own, on, newest, kept.count, tally_of(tenant.store, source))


def sources_seen(tenant: Tenant, caller: Caller, by_file: Iterable[str]) -> list[SourceSeen]:
    """The sources that *caller* may connect, by name, at most ``SOURCES``; each with its one newest refusal.

    Those whose files came in (*by_file*) are among them, with or without a key.
    """
    filed = (one for one in by_file if reaches(caller, CONNECT, one))
    return [_briefly(tenant, one) for one in sorted({*filed, *senders(tenant, keys_within(tenant, caller))})[:SOURCES]]


def senders(tenant: Tenant, keys: Iterable[KnownKey]) -> list[str]:
    """The sources of *keys*, by name; that of the first start is none until something comes with it."""
    return sorted({one.source for one in keys if one.source != FIRST_KEY or last_sent(tenant, one)})


def _briefly(tenant: Tenant, source: str) -> SourceSeen:
    kept = refusals_of(tenant.store, source)
    on, waits = switches_of(tenant.store, source), tally_of(tenant.store, source)
    return SourceSeen(source, (), on, kept.newest[-1:], kept.count, waits)


def reaches(caller: Caller, right: str, source: str) -> bool:
    """Whether *right* of *caller* reaches *source*."""
    return caller.may_all(right) or (caller.may(right) and source in caller.owned(right))


def scopes_for(caller: Caller, scopes: Sequence[str]) -> tuple[str, ...]:
    """The *scopes* that *caller* may give to a key.

    A manager of some sources gives only scopes that stay within them.
    """
    return tuple(scopes) if caller.may_all(CONNECT) else scopes_within_own(scopes)


def sources_of(tenant: Tenant, caller: Caller, right: str, by_file: Iterable[str] = ()) -> list[str]:
    """The sources within reach of *right*: those it is bound to, or all ``senders`` and those *by_file*."""
    if not caller.may_all(right):
        return sorted(caller.owned(right))
    return sorted({*senders(tenant, known_keys(tenant.store)), *by_file})


def keys_within(tenant: Tenant, caller: Caller) -> list[KnownKey]:
    """The newest keys of the sources that *caller* may connect, newest first."""
    found = [one for one in known_keys(tenant.store) if _is_within(caller, one)]
    return sorted(found, key=lambda one: one.created, reverse=True)[:KEYS]


def _is_within(caller: Caller, key: KnownKey) -> bool:
    """Whether *key* sends, and *caller* may manage its source.

    A key that also opens the pages is only for managers of all sources; otherwise an author could revoke an
    administrator's.
    """
    rights = rights_of_key(key.scopes)
    is_sender = SEND in rights and (OPEN not in rights or caller.may_all(CONNECT))
    return is_sender and reaches(caller, CONNECT, key.source)


def active_keys(tenant: Tenant, source: str) -> int:
    """How many keys of *source* are active."""
    return sum(one.source == source and not one.revoked for one in known_keys(tenant.store))


def key_within(tenant: Tenant, caller: Caller, key: str) -> KnownKey:
    """The *key*, if *caller* may connect its source, or manages all keys. Raises ``Refused`` (404)."""
    found = find_key(tenant.store, key)
    manages = caller.may_all(CONNECT) and caller.may_all("staff.manage")
    if found is None or not (manages or _is_within(caller, found)):
        raise Refused("There is no such key among those of your sources.", status=404, error="not_found")
    return found


def key_facts(tenant: Tenant, key: KnownKey) -> KeyFacts:
    """The statements that came with *key*."""
    last = next(_sent(tenant, key, newest_first=True), None)
    since = max(key.created, _received(last))
    kept = refusals_of(tenant.store, key.source).newest
    own = (one for one in reversed(kept) if one.key in {key.key, ""} and micros_of_timestamp(one.at) >= since)
    first = next(_sent(tenant, key, newest_first=False), None) if last else None
    return KeyFacts(key, first, last, tuple(islice(own, REFUSED)))


def last_sent(tenant: Tenant, key: KnownKey) -> Record | None:
    """The newest statement that came with *key*."""
    return next(_sent(tenant, key, newest_first=True), None)


def _received(record: Record | None) -> int:
    return micros_of(record.seq) if record else 0


def _sent(tenant: Tenant, key: KnownKey, *, newest_first: bool) -> Iterator[Record]:
    """Found by the authority that each statement of the key carries."""
    authority = msgspec.json.decode(authority_of(tenant, key.key, key.source))
    wanted = [agent_key(ifi_text(authority) or "", related=True)]
    yield from tenant.store.find(Walk("statement", wanted, newest_first=newest_first, limit=1)).records
