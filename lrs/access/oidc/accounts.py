"""Which member of staff somebody is who came back from a provider: by issuer and ``sub`` alone, never by an address.

Whoever is in a group with roles becomes a member at the first sign-in. The roles that follow from groups are those of
the last sign-in.
"""

from __future__ import annotations

import secrets

import msgspec

from lrs.access import sessions, staff
from lrs.access.oidc.flow import Returned
from lrs.access.sessions import SigningIn
from lrs.access.staff import ACTIVE, LONGEST_EMAIL, LONGEST_NAME, SUBJECT, Login, Member
from lrs.kernel.errors import Refused
from lrs.storage import Tx
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant


def login_of(returned: Returned) -> Login:
    """The account at the provider."""
    return Login(returned.provider.issuer, returned.claims.sub)


def name_of(returned: Returned) -> str:
    """The name that the provider tells, as far as it fits."""
    return " ".join(returned.claims.name.split())[:LONGEST_NAME]


def signed_in(tenant: Tenant, returned: Returned, way: SigningIn) -> str:
    """Signs in the member whose account it is. Gives the token of the session. Raises ``Refused`` (403)."""
    login, roles = login_of(returned), returned.provider.roles_of(returned.claims.groups)

    def decide(tx: Tx) -> str:
        record = staff.with_login(tx, login)
        if record is None and not roles:
            raise Refused(_STRANGER.format(returned.provider.label), status=403, error="forbidden")
        id = record.id if record else secrets.token_hex(8)
        before = staff.member_of(record) if record else _new(tx, tenant, returned, login)
        if before.is_shut_out:
            raise Refused("This account was disabled. Ask your administrator.", status=403, error="forbidden")
        now = msgspec.structs.replace(before, by_group=roles, state=ACTIVE)
        if not now.all_roles:
            raise Refused(_NO_ROLE.format(returned.provider.label), status=403, error="forbidden")
        if record is None or now != before:
            staff.put(tx, id, now, record)
        if set(now.all_roles) != set(before.all_roles):
            sessions.end_sessions_of(tx, SUBJECT + id)
            about = {"staff": id, "roles": " ".join(staff.roles_shown(now.all_roles))}
            audit.append(tx, f"oidc-provider {returned.provider.name}", "staff.roles", about)
        return sessions.open_in(tx, SUBJECT + id, tenant.clock(), way)

    return tenant.store.write(decide).result()


_STRANGER = "Nobody has let you in here yet. Ask your administrator for an invitation, and open it; then choose {}."
_NO_ROLE = "You have no role here any more: {} does not name you in a group that has one. Ask your administrator."


def _new(tx: Tx, tenant: Tenant, returned: Returned, login: Login) -> Member:
    """A member for whom nobody sent an invitation. An address that another member has is left to that one."""
    email = returned.claims.email
    is_free = 0 < len(email) <= LONGEST_EMAIL and staff.with_email(tx, email) is None
    return Member(email if is_free else "", tenant.clock(), name=name_of(returned), logins=(login,))
