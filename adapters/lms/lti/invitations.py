"""Invitations of learning platforms: made, listed, looked at, withdrawn.

An invitation is an address that works once within three days; it lets a platform register, and nothing launch: what
registers is pending until an administrator approves it.
"""

from __future__ import annotations

from adapters.lms.lti import platforms, tool_keys
from adapters.lms.lti.addresses import FOR_OPERATORS, why_unusable
from lrs.access import one_time
from lrs.access.one_time import OneTime
from lrs.kernel.errors import Refused
from lrs.storage import Tx
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

PURPOSE: one_time.Purpose = "lti-registration"


def invite(tenant: Tenant, name: str, *, by: str, root: str) -> tuple[str, int]:
    """Makes an invitation for the platform that people call *name*. Gives its address, and when it ends.

    A former one for the same name ends. Raises ``Refused``: 400 for the name, 409 while no platform could launch this
    tool, because there is no https address.
    """
    label = name.strip()
    if not 0 < len(label) <= platforms.LONGEST:
        raise Refused(
            f"Give the platform a name of 1 to {platforms.LONGEST} characters, such as Moodle of North Centre."
        )
    if unusable := why_unusable(tenant.settings):
        raise Refused(f"{unusable} {FOR_OPERATORS}", status=409, error="needs_https")
    tool_keys.ensure(tenant)

    def decide(tx: Tx) -> tuple[str, int]:
        made = one_time.make(tx, tenant, PURPOSE, label)
        audit.append(tx, by, "lti-platform.invited", {})
        return f"{root}/register/{made.token}", made.expires

    return tenant.store.write(decide).result()


def waiting(tenant: Tenant) -> list[OneTime]:
    """The invitations that can still be used, oldest first."""
    return one_time.waiting(tenant.store, PURPOSE, tenant.clock())


def withdraw(tenant: Tenant, name: str, *, by: str) -> None:
    """Ends the invitation for the platform that people call *name*. Raises ``Refused`` (409)."""

    def decide(tx: Tx) -> None:
        if name not in {one.about for one in one_time.waiting(tx, PURPOSE, tenant.clock())}:
            raise Refused(
                f"No invitation for {name[:100]!r} waits: it was used, or has ended.", status=409, error="conflict"
            )
        one_time.end_links(tx, PURPOSE, name)
        audit.append(tx, by, "lti-platform.uninvited", {})

    tenant.store.write(decide).result()


def look(tenant: Tenant, invitation: str) -> str:
    """The name for which an invitation was made. Raises ``Refused`` (410)."""
    return one_time.look(tenant, invitation, PURPOSE).about
