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
from lrs.kernel.sealed import NotOurs, hide, reveal
from lrs.storage import Tx
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

PURPOSE: one_time.Purpose = "lti-registration"
_TOLD = "lti-invitation-told"


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
        return _address(root, made.token), made.expires

    return tenant.store.write(decide).result()


def told_again(tenant: Tenant, told: str, session: str, root: str) -> tuple[str, str, int]:
    """For whom an invitation was made, its address, and when it ends, from what ``to_tell`` gave in this *session*.

    Raises ``Refused`` (410) where it cannot be told any more.
    """
    try:
        made_in, token = reveal(tenant.secret(_TOLD), told, tuple[str, str])
        if made_in != session:
            raise NotOurs
        found = one_time.look(tenant, token, PURPOSE)
    except (NotOurs, Refused) as error:
        message = (
            "The invitation that was made here cannot be shown any more: it was used or withdrawn, it has ended, or"
            " you have signed in anew since. Make another one if it is still needed."
        )
        raise Refused(message, status=410, error="gone") from error
    return found.about, _address(root, token), found.expires


def to_tell(tenant: Tenant, address: str, session: str) -> str:
    """An invitation in a text that says nothing to anybody else than ``told_again``, for the address of a page."""
    return hide(tenant.secret(_TOLD), (session, address.rpartition("/")[2]))


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


def _address(root: str, token: str) -> str:
    return f"{root}/register/{token}"


def look(tenant: Tenant, invitation: str) -> str:
    """The name for which an invitation was made. Raises ``Refused`` (410)."""
    return one_time.look(tenant, invitation, PURPOSE).about
