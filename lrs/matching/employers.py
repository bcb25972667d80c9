"""Employers: whom they ask to show their skills, and the skills of those who agreed. Knows no page.

An employer is a service without secrets (``services.Service.employer``): so consent, its page, its end and what the
learner sees of it are those of every service. It calls somebody by the name that it wrote when it asked, and learns
nothing of anybody who does not agree: not even whether they are known here. Only the learner, signed in, can agree.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import msgspec

from lrs.competency.shapes import ProfileEntry
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.mail_server import checked_mailbox
from lrs.kernel.plain_text import hidden_character
from lrs.kernel.times import MINUTE
from lrs.matching import changes, disclosures, services
from lrs.matching.consent import consent, links
from lrs.matching.consent.consent import Subject
from lrs.matching.consent.links import LONGEST_REFERENCE, ConsentLink, Wish
from lrs.matching.services import PROFILES, Service
from lrs.people.ids import identified, ids_of
from lrs.storage import Record, Tx, Walk, each
from lrs.tenancy.tenants import Tenant

MOST = 1_000
"""Consents of one employer that are read."""
LISTED = 50
"""Requests of one employer that are listed."""
AGAIN = MINUTE
"""Microseconds within which asking for the same again gives the same link."""
NO_NAME = "Without a name"


class Employee(msgspec.Struct, frozen=True):
    """Somebody who agreed: what the employer *calls* them, and what they hold or held."""

    called: str
    employer: Service
    skills: tuple[ProfileEntry, ...]


class Staff(NamedTuple):
    """The staff of an employer who agreed, and whether all of its consents were read (``MOST``)."""

    people: list[Employee]
    whole: bool


def of_ids(tenant: Tenant, ids: frozenset[str]) -> list[Service]:
    """The active employers among *ids*, by name."""
    found = services.named(tenant.store, ids).values()
    return sorted((one for one in found if one.employer and one.active), key=lambda one: one.name.casefold())


def employees(tenant: Tenant, employer: Service) -> Staff:
    """Those who agree now that *employer* sees their skills, by what it calls them.

    That it got them is noted for each, before it does.
    """
    records = list(islice(each(tenant.store, consent.KIND, key("service", employer.id)), MOST + 1))
    people = dict(_agreed(tenant, employer, records[:MOST]))
    disclosures.note(tenant, employer.id, people, "profile")
    return Staff(sorted(people.values(), key=lambda one: one.called.casefold()), len(records) <= MOST)


def asked(tenant: Tenant, employer: Service) -> list[ConsentLink]:
    """The newest ``LISTED`` links by which *employer* asked somebody, newest first."""
    page = tenant.store.find(Walk(links.KIND, [key("service", employer.id)], newest_first=True, limit=LISTED))
    found = (msgspec.json.decode(record.body, type=ConsentLink) for record in page.records)
    return sorted(found, key=lambda one: one.expires, reverse=True)


def lapsed(tenant: Tenant, employer: Service) -> int:
    """How many of those who were asked gave no answer while their link lasted, or refused, and were not asked again."""
    newest = {one.reference: one for one in reversed(asked(tenant, employer))}
    return sum(one.state != links.AGREED and one.expires <= tenant.clock() for one in newest.values())


def ask(tenant: Tenant, employer: Service, address: str, called: str, *, by: str) -> ConsentLink:
    """A link on which whoever has the mail *address* can agree that *employer* sees their skills, calling them so.

    Whoever asks for the same twice within a minute, as by a double click, gets the same link.

    Raises ``Refused`` (400) for an address that is none, and for a name that is empty, too long, or of several lines.
    """
    name = " ".join(called.split())
    if not name or len(name) > LONGEST_REFERENCE or hidden_character(name):
        raise Refused(f"Write how you call them, in at most {LONGEST_REFERENCE} characters.", error="bad_name")
    mailbox = f"mailto:{checked_mailbox(address)}"
    identifier = identified({"mbox": mailbox}, ids_of(tenant))
    if identifier is None:
        raise Refused("This is no e-mail address. Write it like name@example.org.", error="bad_address")
    wish = Wish(Subject(identifier=identifier.id), (PROFILES,), name, mailbox=mailbox)
    link = links.made(tenant, employer, wish, id=secrets.token_urlsafe(18), by=f"service {employer.id}")

    def decide(tx: Tx) -> ConsentLink:
        return _asked_just_now(tx, link) or links.store(tx, link, "employee.asked", by=by)

    return tenant.store.write(decide).result()


def _asked_just_now(tx: Tx, link: ConsentLink) -> ConsentLink | None:
    """The link that asks as *link* does, is not answered, and was made less than ``AGAIN`` before."""
    page = tx.find(Walk(links.KIND, [key("service", link.service)], newest_first=True, limit=LISTED))
    found = (msgspec.json.decode(record.body, type=ConsentLink) for record in page.records)
    new = (one for one in found if link.expires - one.expires < AGAIN)
    return next((one for one in new if msgspec.structs.replace(link, id=one.id, expires=one.expires) == one), None)


def _agreed(tenant: Tenant, employer: Service, records: Iterable[Record]) -> Iterator[tuple[str, Employee]]:
    now, reader = tenant.clock(), tenant.store
    for record in records:
        given = consent.read(record)
        person = given.subject.person
        if person is None or given.scope != PROFILES:
            continue
        seen = changes.current(tenant, reader, employer, person, now)
        if PROFILES in seen.consents:
            skills = seen.profile.competencies if seen.profile else ()
            yield person, Employee(seen.consents[PROFILES].reference or NO_NAME, employer, tuple(skills))
