"""A link by which a member of staff signs in once, without a password: for who runs the server, and for a look round.

It is made on the command line only. It gives no way to come back: who came in by it sets a password under *Account*.
It lets nobody past a second factor.
"""

from __future__ import annotations

import msgspec

from lrs.access import one_time, sessions, staff
from lrs.access.one_time import ONCE
from lrs.access.sessions import SigningIn
from lrs.access.staff import ACTIVE, SUBJECT, Member
from lrs.access.staff_acts import PLACE, Invitation, link_to
from lrs.kernel.errors import Refused
from lrs.storage import Tx
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant


def link(tenant: Tenant, id: str, *, by: str, root: str) -> Invitation:
    """Makes the link for the member *id*; a former one ends. *root* is the address of the tenant's pages.

    Raises ``Refused``: 404, or 409 for somebody who is disabled or has a second factor.
    """

    def decide(tx: Tx) -> Invitation:
        _, found = staff.existing(tx, id)
        _check(found)
        made = one_time.make(tx, tenant, ONCE, id, address=found.email)
        audit.append(tx, by, "staff.sign-in-link", {"staff": id})
        return Invitation(id, link_to(root, PLACE, made.token), made.expires)

    return tenant.store.write(decide).result()


def enter(tenant: Tenant, token: str, way: SigningIn) -> str:
    """Uses the link with *token*, and signs in. Gives the token of the session. Raises ``Refused`` (409, 410)."""

    def decide(tx: Tx) -> str:
        now = tenant.clock()
        id = one_time.use(tx, token, now, ONCE).about
        record, found = staff.existing(tx, id)
        _check(found)
        staff.put(tx, id, msgspec.structs.replace(found, state=ACTIVE), record)
        audit.append(tx, SUBJECT + id, "staff.let-in", {"staff": id})
        return sessions.open_in(tx, SUBJECT + id, now, way)

    return tenant.store.write(decide).result()


def _check(found: Member) -> None:
    if found.is_shut_out:
        raise Refused("This member is disabled: enable them first.", status=409, error="conflict")
    if found.factor is not None:
        message = "This member has a second factor, which no link lets anybody past: sign in with the password."
        raise Refused(message, status=409, error="conflict")
