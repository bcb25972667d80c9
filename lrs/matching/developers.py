"""Which service or source a role is for: a service by its id, whatever it was called; and how people read it.

Knows no member.
"""

from __future__ import annotations

from collections.abc import Iterable

from lrs.access.roles import EMPLOYER, ROLES, Granted
from lrs.access.source_names import SourceNames
from lrs.kernel.errors import Refused
from lrs.matching import services
from lrs.storage import Reader


def with_services(reader: Reader, roles: Iterable[Granted]) -> list[Granted]:
    """*roles*, with the client id of the service where one names a service by its name or its client id.

    Raises ``Refused`` (400) for a service that does not exist, with those that do.
    """
    return [_existing(reader, one) for one in roles]


def same_role(reader: Reader, role: Granted) -> Granted:
    """*role* with the client id of its service, or as it is if there is no such service (a role of long ago)."""
    if ROLES[role.role].bound != "service":
        return role
    meant = role.of.casefold()
    found = [one.id for one in services.everyone(reader) if meant in {one.id, one.name.casefold()}]
    return Granted(role.role, role.of if role.of in found else found[0]) if found else role


def role_said(reader: Reader, role: Granted) -> str:
    """*role* as people read it: its title, and what its source or service is called."""
    known = ROLES.get(role.role)
    if known is None or not role.of:
        return role.said
    service = services.get(reader, role.of) if known.bound == "service" else None
    called = service.name if service else SourceNames(reader).called(role.of)
    return Granted(role.role, called).said


def _existing(reader: Reader, role: Granted) -> Granted:
    meant = same_role(reader, role)
    if ROLES[role.role].bound != "service":
        return meant
    known, is_employers = services.get(reader, meant.of), role.role == EMPLOYER
    if known is not None and known.employer == is_employers:
        return meant
    fitting = [one for one in services.everyone(reader) if one.employer == is_employers]
    there = ", ".join(f"{one.name} ({one.id})" for one in fitting)
    what = "employer" if is_employers else "matching service"
    raise Refused(
        f"There is no {what} {role.of!r} for the role {role.role}. "
        + (f"Name one of these, by name or client id: {there}." if there else "There is none yet: add it first.")
    )
