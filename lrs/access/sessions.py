"""Sessions of people who are signed in. Each is a record, so ending one takes effect at once in every process.

A browser keeps a random token; the store has its hash as the id of the record. Knows no cookie, no page and no right:
the rights of the subject are looked up by the caller of this module.
"""

from __future__ import annotations

import secrets
from contextlib import suppress

import msgspec

from lrs.kernel.admission import Overloaded
from lrs.kernel.errors import StoreFull
from lrs.kernel.keys import key
from lrs.kernel.sealed import digest_of
from lrs.kernel.times import HOUR, MINUTE
from lrs.storage import Reader, Record, Tx, Walk, each
from lrs.storage.kinds import Kind
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

KIND = "session"
LASTS = 8 * HOUR
"""Microseconds after signing in at which a session ends."""
IDLE = 2 * HOUR
"""Microseconds without a request after which a session ends."""
NOTED_EVERY = 5 * MINUTE
"""Microseconds between two writes of the time of the last request."""
MOST = 50
"""Sessions of one subject at once: one more sign-in ends the oldest. Also how many expired sessions each sign-in
deletes.
"""


class _Kept(msgspec.Struct, frozen=True):
    subject: str
    opened: int
    seen: int
    v: int = 1
    how: str = "key"
    browser: str = ""


_decoder = msgspec.json.Decoder(_Kept)


class Session(msgspec.Struct, frozen=True):
    """A session that has not ended. *opened* and *seen* (about the time of the last request) are microseconds UTC.

    *how* is what was signed in with: ``key``, ``password``, ``link``, or ``oidc NAME``. *browser* is what its browser
    and system are called.
    """

    id: str
    subject: str
    opened: int
    seen: int
    how: str = "key"
    browser: str = ""


class SigningIn(msgspec.Struct, frozen=True):
    """How somebody signs in, and in which *browser*. *before* is the token of the session that the browser had."""

    how: str = "key"
    browser: str = ""
    before: str | None = None


BY_KEY = SigningIn()


def open_session(tenant: Tenant, subject: str, way: SigningIn = BY_KEY) -> str:
    """Signs *subject* in, in one commit with the entry in the record of actions.

    Gives the token, which is not stored.
    """
    return tenant.store.write(lambda tx: open_in(tx, subject, tenant.clock(), way)).result()


def open_in(tx: Tx, subject: str, now: int, way: SigningIn) -> str:
    """Signs *subject* in with this commit, and ends the session that the browser had before."""
    token, index = secrets.token_urlsafe(32), key("session.subject", subject)
    for old in tx.find(Walk(KIND, limit=MOST)).records:  # the oldest first
        if _open(old, now) is None:
            tx.delete(KIND, old.id)
    if way.before:
        tx.delete(KIND, digest_of(way.before))
    own = tx.find(Walk(KIND, [index], limit=MOST)).records
    if len(own) == MOST:
        tx.delete(KIND, own[0].id)
    body = msgspec.json.encode(_Kept(subject, now, now, how=way.how, browser=way.browser))
    tx.insert(Record(KIND, digest_of(token), body, keys=(index,)))
    audit.append(tx, subject, "session.opened", _about(subject))
    return token


def find_session(tenant: Tenant, token: str) -> Session | None:
    """The session of *token*; ``None`` if it is unknown, ended or expired. Records from time to time that it is in use.

    It does not wait for that write. If the write is lost, the session ends earlier.
    """
    now = tenant.clock()
    record = tenant.store.get(KIND, digest_of(token))
    found = _open(record, now) if record else None
    if found is not None and now - found.seen >= NOTED_EVERY:
        with suppress(Overloaded, StoreFull):
            tenant.store.write(lambda tx: _note(tx, found, now))
    return found


def end_session(tenant: Tenant, id: str, *, by: str) -> bool:
    """Ends the session *id* with this commit; ``False`` if there is none."""

    def decide(tx: Tx) -> bool:
        record = tx.get(KIND, id)
        if record is None:
            return False
        tx.delete(KIND, id)
        audit.append(tx, by, "session.ended", _about(_decoder.decode(record.body).subject))
        return True

    return tenant.store.write(decide).result()


def end_sessions_of(tx: Tx, subject: str, *, but: str = "") -> int:
    """Ends all sessions of *subject* and gives their number; *but* is the id of one that goes on.

    Call it in the commit that revokes what they signed in with.
    """
    own = tx.find(Walk(KIND, [key("session.subject", subject)], limit=MOST)).records
    ended = [record for record in own if record.id != but]
    for record in ended:
        tx.delete(KIND, record.id)
    return len(ended)


def sessions_of(reader: Reader, subject: str, now: int) -> list[Session]:
    """Those of *subject* that have not ended, oldest first."""
    own = reader.find(Walk(KIND, [key("session.subject", subject)], limit=MOST)).records
    return [found for record in own if (found := _open(record, now)) is not None]


def list_sessions(reader: Reader, now: int) -> list[Session]:
    """Sessions that have not ended, oldest first."""
    return [found for record in each(reader, KIND) if (found := _open(record, now)) is not None]


def _open(record: Record, now: int) -> Session | None:
    kept = _decoder.decode(record.body)
    if now >= min(kept.opened + LASTS, kept.seen + IDLE):
        return None
    return Session(record.id, kept.subject, kept.opened, kept.seen, kept.how, kept.browser)


def _note(tx: Tx, session: Session, now: int) -> None:
    record = tx.get(KIND, session.id)
    if record is not None:  # or it was ended meanwhile
        body = msgspec.json.encode(msgspec.structs.replace(_decoder.decode(record.body), seen=now))
        tx.put(msgspec.structs.replace(record, body=body))


def _about(subject: str) -> dict[str, str]:
    """*subject* for the record of actions: ``key default.0a1b`` becomes its type and its name."""
    sort, _, name = subject.partition(" ")
    if sort == "lti-learner":  # whom it is about, and from which platform
        return {"person": name.partition(" ")[0], "platform": name.partition(" ")[2]}
    return {"person" if sort == "learner" else sort: name}


KINDS = (Kind(KIND, "working", _Kept, 1, subjects=None, retention="operational", exported=False),)
