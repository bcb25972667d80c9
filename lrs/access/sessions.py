"""Sessions of people who are signed in. Each is a record, so that ending one holds at once and in every process.

A browser keeps a random token, the store its hash as the id of the record. Knows no cookie, no page and no right: what
who signed in may do is looked up by whoever asks.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from lrs.kernel.errors import Overloaded, StoreFull
from lrs.kernel.keys import key
from lrs.storage import Reader, Record, Tx, pages
from lrs.storage.kinds import Kind
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

KIND = "session"
HOUR = 3_600 * 1_000_000
LASTS = 8 * HOUR
"""Microseconds from signing in to the end, whatever happens meanwhile."""
IDLE = 2 * HOUR
"""Microseconds without a request after which it has ended."""
NOTED_EVERY = 5 * 60 * 1_000_000
"""Microseconds between two notes of the last request: not each page writes."""
MOST = 50
"""Sessions of one subject at once; who signs in once more ends the oldest. Also the expired ones that go each time."""


class _Kept(msgspec.Struct, frozen=True):
    subject: str
    opened: int
    seen: int
    v: int = 1


_decoder = msgspec.json.Decoder(_Kept)


@dataclass(frozen=True, slots=True)
class Session:
    """One that has not ended. *opened*, and *seen*, about the last request, are microseconds UTC."""

    id: str
    subject: str
    opened: int
    seen: int


def open_session(tenant: Tenant, subject: str) -> str:
    """Signs *subject* in, in one commit with its entry in the record of actions. Gives the token, told this once."""
    token, now = secrets.token_urlsafe(32), tenant.clock()
    index = key("session.subject", subject)
    body = msgspec.json.encode(_Kept(subject, now, now))

    def decide(tx: Tx) -> None:
        for old in tx.find(KIND, limit=MOST).records:  # the oldest first
            if _open(old, now) is None:
                tx.delete(KIND, old.id)
        own = tx.find(KIND, [index], limit=MOST).records
        if len(own) == MOST:
            tx.delete(KIND, own[0].id)
        tx.insert(Record(KIND, _id(token), body, keys=(index,)))
        audit.append(tx, subject, "session.opened", _about(subject))

    tenant.store.write(decide).result()
    return token


def find_session(tenant: Tenant, token: str) -> Session | None:
    """The session of *token*, or ``None``: unknown, ended or expired. Notes now and then that it is used.

    That note is not waited for; if it is lost, the session ends earlier.
    """
    now = tenant.clock()
    record = tenant.store.get(KIND, _id(token))
    found = _open(record, now) if record else None
    if found is not None and now - found.seen >= NOTED_EVERY:
        with suppress(Overloaded, StoreFull):
            tenant.store.write(lambda tx: _note(tx, found, now))
    return found


def end_session(tenant: Tenant, id: str, *, by: str) -> bool:
    """Ends the session *id* from the commit on; ``False`` if there is none."""

    def decide(tx: Tx) -> bool:
        record = tx.get(KIND, id)
        if record is None:
            return False
        tx.delete(KIND, id)
        audit.append(tx, by, "session.ended", _about(_decoder.decode(record.body).subject))
        return True

    return tenant.store.write(decide).result()


def end_sessions_of(tx: Tx, subject: str) -> int:
    """Ends all sessions of *subject*, in the commit that takes from it what it signed in with; how many."""
    own = tx.find(KIND, [key("session.subject", subject)], limit=MOST).records
    for record in own:
        tx.delete(KIND, record.id)
    return len(own)


def list_sessions(reader: Reader, now: int) -> list[Session]:
    """Those that have not ended, oldest first."""
    return [found for record in pages(reader, KIND) if (found := _open(record, now)) is not None]


def _id(token: str) -> str:
    # The token has 256 random bits, so one hash is enough, and half of it tells sessions apart.
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _open(record: Record, now: int) -> Session | None:
    kept = _decoder.decode(record.body)
    if now >= min(kept.opened + LASTS, kept.seen + IDLE):
        return None
    return Session(record.id, kept.subject, kept.opened, kept.seen)


def _note(tx: Tx, session: Session, now: int) -> None:
    record = tx.get(KIND, session.id)
    if record is not None:  # or it was ended meanwhile
        body = msgspec.json.encode(_Kept(session.subject, session.opened, now))
        tx.put(msgspec.structs.replace(record, body=body))


def _about(subject: str) -> dict[str, str]:
    """``key default.0a1b`` as the record of actions has it: what sort of subject, and its name."""
    sort, _, name = subject.partition(" ")
    return {sort: name}


KINDS = (Kind(KIND, "working", _Kept, 1, subjects=None, retention="operational", exported=False),)
