"""One-time links on which a learner agrees, or not, to what a service asks for. Knows no HTML and no HTTP.

**Who opens it?** Until people can sign in, whoever holds the link: holding it is all that is proven. So a link is
made only by a service an operator has registered, or by an operator; it says one learner, one service and one purpose,
lives 24 hours, is decided once, and stands in the audit chain with the name of whoever made it. A service that opened
its own links would be found there; sign-in will close that gap, the rest stays.

**Who is meant?** The service names the learner by an identifier it knows (a mailbox or an account), and we never
look that up: neither the answer to the service nor the page depends on whether we know anybody of that name. What
is agreed to waits under the identifier and reaches a person when there is one (``consent.bind``).
"""

from __future__ import annotations

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.sealed import NotOurs, seal, unseal
from lrs.matching import consent, services
from lrs.matching.consent import Grant, Subject
from lrs.matching.services import Service
from lrs.people.ids import ids_of, record_of
from lrs.people.persons import members_of
from lrs.storage import Reader, Record, Tx
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.tenancy.tenants import Tenant

KIND = "consent-link"
OPEN, AGREED, REFUSED = "open", "agreed", "refused"
LASTS = 24 * 3_600 * 1_000_000
LONGEST_REFERENCE = 200
_DAY = 24 * 3_600 * 1_000_000


class Link(msgspec.Struct, frozen=True):
    """A link and what became of it: ``state`` is ``open``, ``agreed`` or ``refused``. Times: microseconds UTC."""

    id: str
    service: str
    subject: Subject
    scopes: tuple[str, ...]
    purpose: str
    expires: int
    by: str
    reference: str | None = None
    consent_days: int | None = None
    state: str = OPEN
    v: int = 1


class Wish(msgspec.Struct, frozen=True):
    """What a service asks a learner for. ``consent_days``: the consent ends by itself that many days after.

    ``purpose``, if given, must be the one the service is registered for: a new one is the operator's to agree to.
    """

    subject: Subject
    scopes: tuple[str, ...] = ()
    reference: str | None = None
    consent_days: int | None = None
    purpose: str | None = None


def mint(tenant: Tenant, service: Service, wish: Wish, *, id: str, by: str) -> Link:
    """Keeps a new link under the unguessable *id*; without scopes, all that the service has and a learner can give.

    Raises ``Refused`` for scopes that the service does not have or that are no learner's to give, and for a purpose
    that is not the service's.
    """
    asked = scopes_asked(service, wish.scopes)
    if wish.purpose not in {None, service.purpose}:
        raise Refused("the service is registered for another purpose", error="bad_purpose", pointer="/purpose")
    link = Link(
        id=id,
        service=service.id,
        subject=wish.subject,
        scopes=asked,
        purpose=service.purpose,
        expires=tenant.clock() + LASTS,
        by=by,
        reference=wish.reference,
        consent_days=wish.consent_days,
    )
    record = Record(kind=KIND, id=id, body=msgspec.json.encode(link), keys=(key("service", service.id),))
    tenant.store.write(lambda tx: tx.insert(record)).result()
    return link


def scopes_asked(service: Service, scopes: tuple[str, ...]) -> tuple[str, ...]:
    """*scopes*, or all if there are none, that *service* has and a learner can give. Raises ``Refused``."""
    offered = tuple(scope for scope in services.CONSENTED if scope in service.scopes)
    asked = services.checked_scopes(scopes) or offered
    if not asked or not set(asked) <= set(offered):
        raise Refused(f"this service can ask a learner for: {', '.join(offered) or 'nothing'}", error="invalid_scope")
    if services.PROFILES not in asked:
        raise Refused(f"every consent includes {services.PROFILES}", error="invalid_scope")
    return asked


def address(tenant: Tenant, link: Link, base: str) -> str:
    """The URL of *link* under *base*; its last part is signed."""
    return f"{base.rstrip('/')}/t/{tenant.id}/links/{seal(tenant.secret('link'), link.id)}"


def opened(tenant: Tenant, text: str) -> tuple[Link, Service | None]:
    """The link that *text* names, and the service it is for if that is still there.

    Raises ``Refused``: 404 for a text that is not ours; unless the link is decided, 410 for one that is too old or of a
    service that can no longer be agreed to.
    """
    _, link, service = _found(tenant.store, _id(tenant, text), tenant.clock())
    return link, service


def holds(tenant: Tenant, link: Link, service: Service | None) -> bool:
    """Whether *service* may see anything of whom *link* is about, now."""
    store, ids, asked = tenant.store, ids_of(tenant), link.subject
    known = record_of(store, asked.identifier, ids) if asked.identifier else None
    person = known.meta["person"] if known else asked.person
    group = {Subject(person=one) for one in members_of(store, person)} if person else set()
    if asked.identifier:  # one of before may have been renamed since
        group.add(Subject(identifier=ids(asked.identifier)))
    given = [one for subject in {asked, *group} for one in consent.of_subject(store, subject)]
    return service is not None and service.active and bool(consent.scopes_for(given, service, tenant.clock()))


def decide(tenant: Tenant, text: str, *, agree: bool) -> Link:
    """The learner's answer. The first one counts: whoever comes later gets the link as it was decided.

    Raises ``Refused`` as ``opened`` does.
    """
    id, now = _id(tenant, text), tenant.clock()

    def answer(tx: Tx) -> Link:
        record, link, _ = _found(tx, id, now)
        if link.state != OPEN:
            return link
        decided = msgspec.structs.replace(link, state=AGREED if agree else REFUSED)
        tx.replace(msgspec.structs.replace(record, body=msgspec.json.encode(decided), owed=()))
        if agree:
            consent.give(tx, _grant(link, now))
        return decided

    return tenant.store.write(answer).result()


def _grant(link: Link, now: int) -> Grant:
    return Grant(
        subject=link.subject,
        service=link.service,
        scopes=link.scopes,
        purpose=link.purpose,
        how="link",
        by=f"link {link.id} of {link.by}",
        reference=link.reference,
        expires=now + link.consent_days * _DAY if link.consent_days else None,
    )


def _id(tenant: Tenant, text: str) -> str:
    try:
        return unseal(tenant.secret("link"), text, str)
    except NotOurs as error:
        raise _gone("This link is not known.", 404) from error


def _found(reader: Reader, id: str, now: int) -> tuple[Record, Link, Service | None]:
    record = reader.get(KIND, id)
    if record is None:
        raise _gone("This link is not known.", 404)
    link = msgspec.json.decode(record.body, type=Link)
    service = services.get(reader, link.service)
    if link.state != OPEN:
        return record, link, service
    if now >= link.expires:
        raise _gone("This link is too old: it was good for 24 hours.", 410)
    if service is None or not service.active or service.purpose != link.purpose:
        raise _gone("The service that asked is no longer connected, or asks for another purpose now.", 410)
    return record, link, service


def _gone(message: str, status: int) -> Refused:
    return Refused(message, status=status, error="link_unusable")


def _about(record: Record) -> Subjects:
    asked = msgspec.json.decode(record.body, type=Link).subject
    persons, identifiers = ([one] if one else () for one in (asked.person, asked.identifier))
    return subjects(persons=persons, identifiers=identifiers)


KINDS = (Kind(KIND, "fact", Link, 1, subjects=_about, retention="consent", exported=True),)
