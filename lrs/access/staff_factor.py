"""A member of staff turns the second factor on and off. Knows no page."""

from __future__ import annotations

import msgspec

from lrs.access import passwords, second_factor, sessions, staff
from lrs.access.staff import SUBJECT
from lrs.kernel.errors import Refused
from lrs.kernel.sealed import NotOurs, hide, reveal
from lrs.storage import Tx
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant


def proposed(tenant: Tenant, session: str, secret: str) -> str:
    """*secret* as the form brings it back that asks for its first code; only *session* can."""
    return hide(tenant.secret("proposed-factor"), (session, secret))


def secret_in(tenant: Tenant, session: str, text: str) -> str | None:
    """The secret that was ``proposed`` to *session* as *text*; ``None`` if it was not."""
    try:
        told, secret = reveal(tenant.secret("proposed-factor"), text, tuple[str, str])
    except NotOurs:
        return None
    return secret if told == session else None


def turn_on(tenant: Tenant, id: str, session: str, text: str, code: str) -> list[str]:
    """Turns the second factor of the member *id* on, if *code* is one of the proposed secret. Gives recovery codes.

    Other sessions end. Raises ``Refused`` (400, 409).
    """
    secret = secret_in(tenant, session, text)
    if secret is None:
        raise Refused("Begin again: this code was shown to another sign-in.", status=409, error="conflict")
    counter = second_factor.counter_of(secret, code, tenant.clock(), 0)
    if counter is None:
        raise Refused("This is not the code that the app shows now. Look at the app, and type what it shows.")
    codes = second_factor.new_recovery_codes()
    digests = tuple(second_factor.digest_of_code(tenant, id, one) for one in codes)
    kept = second_factor.hidden(tenant, secret)

    def decide(tx: Tx) -> None:
        record, before = staff.existing(tx, id)
        if before.factor is not None:
            raise Refused("The second factor is on already.", status=409, error="conflict")
        after = msgspec.structs.replace(before, factor=kept, factor_used=counter, recovery=digests)
        staff.put(tx, id, after, record)
        sessions.end_sessions_of(tx, SUBJECT + id, but=session)
        audit.append(tx, SUBJECT + id, "staff.second-factor", {"staff": id, "state": "on"})

    tenant.store.write(decide).result()
    return codes


def turn_off(tenant: Tenant, id: str, session: str, password: str) -> None:
    """Turns it off. Raises ``Refused`` (400) if *password* is not the member's. Other sessions end."""
    found = staff.member(tenant.store, id)
    if found is None or not passwords.is_right(password, found.password):
        raise Refused("The password is wrong.")

    def decide(tx: Tx) -> None:
        record, before = staff.existing(tx, id)
        staff.put(tx, id, msgspec.structs.replace(before, factor=None, factor_used=0, recovery=()), record)
        sessions.end_sessions_of(tx, SUBJECT + id, but=session)
        audit.append(tx, SUBJECT + id, "staff.second-factor", {"staff": id, "state": "off"})

    tenant.store.write(decide).result()
