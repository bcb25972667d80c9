"""Checks whether an address that was given as a guardian's belongs to the learner. Knows no page and no form."""

from __future__ import annotations

from lrs.access.learners import person_with_address
from lrs.kernel.names import mailbox_name
from lrs.matching.consent import links
from lrs.matching.consent.links import ConsentLink
from lrs.people.ids import ids_of, record_of
from lrs.people.persons import mailboxes_like, members_of
from lrs.storage import Reader
from lrs.tenancy.tenants import Tenant


def is_links(tenant: Tenant, link: ConsentLink, address: str) -> bool:
    """Whether *address*, in any case, is the mailbox of *link*. The result does not say who is known here."""
    ids = ids_of(tenant)
    return any(ids(name) in {link.subject.identifier, link.mailbox} for name in _names(address))


def is_learners(reader: Reader, tenant: Tenant, link: ConsentLink, address: str, person: str | None = None) -> bool:
    """As ``is_links``, and whether the learner or *person* is known by *address* or signs in with it."""
    signed_in = (members_of(reader, person) or (person,)) if person else ()
    own = {*links.group_of(tenant, link.subject, reader), *signed_in}
    return is_links(tenant, link, address) or not own.isdisjoint(_known_by(reader, tenant, address))


def _known_by(reader: Reader, tenant: Tenant, address: str) -> set[str | None]:
    ids = ids_of(tenant)
    records = (record_of(reader, name, ids) for name in _names(address))  # a mailbox may be known by its hash alone
    hashed = {record.meta["person"] for record in records if record}
    return {*hashed, *(one for one, _ in mailboxes_like(reader, address)), person_with_address(reader, address)}


def _names(address: str) -> list[str]:
    return [mailbox_name(f"mailto:{one}") for one in (address, address.casefold())]
