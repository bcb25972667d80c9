"""Who launched content is, by the token that its fetch address gave out. Knows no rule of statements.

The token is ``base64(<session id>:<secret>)``, sent as HTTP Basic (cmi5 8.2.1); Tin Can content has it from its launch
address. Refusals carry no challenge: a browser would ask the learner for a password. SCORM content has none of this
endpoint: its player commits for it.
"""

from __future__ import annotations

from adapters.lms.sessions.place import content_authority
from adapters.lms.sessions.session import SESSION, LaunchSession, session_of
from adapters.lms.sessions.standing import breached
from lrs.access import CONTENT, OWN, SELF, Caller
from lrs.access.basic import decode_basic
from lrs.kernel.errors import Refused
from lrs.kernel.times import HOUR, MINUTE
from lrs.storage import Reader
from lrs.tenancy.tenants import Tenant

RIGHT = "launch.run"
GRACE = MINUTE
"""Microseconds after terminated in which content may still read and keep its state (9.3.8.0-4)."""
LASTS = 12 * HOUR
"""Microseconds after the launch in which Tin Can content may use its token, which stands in its address."""
SUBJECT = "launch "
_FULL = 10_000
_LONGEST_KEPT = 256
"""Characters of the longest header that is cached. A valid header may be padded with blanks to any length."""


class LaunchTokens:
    """Finds the caller for the ``Authorization`` header of launched content.

    Whom a token names never changes, so it is cached. Whether the session is over is not: each resource asks the
    session itself (``session_now``), which it reads anyway.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str | None], Caller] = {}

    def known(self, tenant: Tenant, header: str | None) -> Caller | None:
        """The content that sent *header* before; its session may be over. Reads nothing."""
        return self._known.get((tenant.id, header))

    def caller(self, tenant: Tenant, header: str | None, client: str) -> Caller:  # noqa: ARG002 (a secret of 256 bits is not guessed)
        """The caller. Refuses 401 without a valid token, 403 when its session is over."""
        credentials = decode_basic(header)
        record = tenant.store.get(SESSION, credentials[0]) if credentials else None
        session = session_of(record) if record else None
        if session is None or credentials is None or not session.has_token(credentials[1]) or session.format == "scorm":
            raise _unknown()
        _check_open(session, tenant.clock())
        found = caller_of_session(tenant, session)
        if len(self._known) >= _FULL:
            self._known.clear()
        if header is not None and len(header) <= _LONGEST_KEPT:
            self._known[tenant.id, header] = found
        return found


def caller_of_session(tenant: Tenant, session: LaunchSession) -> Caller:
    """The content of *session* as a caller: its statements are of the source of all content, never an assessor's.

    Its right to run reaches its registration.
    """
    rights, own = {RIGHT: SELF, "statements.read": OWN}, {RIGHT: frozenset({session.registration})}
    authority = content_authority(tenant, session.source)
    return Caller(SUBJECT + session.id, session.source, authority, rights, tenant.id, CONTENT, own=own)


def session_named_by(caller: Caller) -> str:
    """The id of the session that *caller* is."""
    return caller.subject.removeprefix(SUBJECT)


def registration_named_by(caller: Caller) -> str:
    """The id of the registration of the session that *caller* is."""
    (found,) = caller.owned(RIGHT)
    return found


def session_now(reader: Reader, id: str, now: int) -> LaunchSession:
    """The session *id*, whose token was checked, as it is at *now* in microseconds UTC.

    Refuses 401 where it is gone, 403 when it is over.
    """
    record = reader.get(SESSION, id)
    if record is None:
        raise _unknown()
    session = session_of(record)
    _check_open(session, now)
    return session


def _unknown() -> Refused:
    message = "8.1.2.0-5: send the token that the fetch address of the launch gave, as HTTP Basic"
    return Refused(message, status=401, error="unauthorized", rule="cmi5 8.1.2.0-5")


def _check_open(session: LaunchSession, now: int) -> None:
    if session.left:
        raise breached("8.1.2.0-2", "you were taken out of this course: ask whoever teaches it")
    if session.abandoned:
        raise breached("8.1.2.0-2", "the session was abandoned: launch the content again")
    if session.terminated and now > session.terminated + GRACE:
        raise breached("8.1.2.0-2", "the session was terminated: launch the content again")
    if session.format == "tincan" and now > session.launched + LASTS:
        raise breached("8.1.2.0-2", "this launch was too long ago: launch the content again")
