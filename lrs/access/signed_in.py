"""Who is signed in, by the token in a cookie: the session, and its subject with the rights of this moment.

Session and subject are looked up at every request. So ending the one, or taking a role from the other, holds at once in
every process. Knows no cookie and no page.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from lrs.access import SESSION, Caller, learners, sessions, staff
from lrs.access.keys import active_key
from lrs.access.roles import EVERYBODY
from lrs.tenancy.tenants import Tenant

OPEN = "sessions.open"
"""The right of an API key to sign in to the pages."""


class SignedIn(msgspec.Struct, frozen=True):
    """Who is signed in; *nonce* is the session's id, and in the token of each of its forms.

    *root* is the path in front of their pages, where these are others than everybody's.
    """

    caller: Caller
    nonce: str
    root: str = ""

    @property
    def by(self) -> str:
        """Who did something, for the record of actions."""
        return self.caller.subject


def session_in(tenant: Tenant, cookie: str | None) -> SignedIn | None:
    """The session that *cookie* stands for, or ``None``: not ours, ended, or its subject may sign in no more."""
    found = sessions.find_session(tenant, cookie) if cookie else None
    caller = subject_of(tenant, found.subject) if found else None
    return SignedIn(caller, found.id) if found and caller else None


def subject_of(tenant: Tenant, subject: str) -> Caller | None:
    """The subject of a session with its rights of now; ``None`` if it may sign in no more."""
    sort, _, id = subject.partition(" ")
    if sort == "staff":
        return staff.caller_of(tenant.store, id, tenant.id)
    if sort == "learner":
        return learners.caller_of(tenant.store, id, tenant.id)
    caller = active_key(tenant, id) if sort == "key" else None
    if caller is None or not caller.may(OPEN):
        return None
    return replace(caller, via=SESSION, rights={**caller.rights, **EVERYBODY}, name=caller.source)
