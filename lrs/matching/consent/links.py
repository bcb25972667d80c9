"""Links on which a learner agrees, or not, to what a service asks for: the record, and opening it. Knows no page.

**Who opens it?** Whoever has the link. Nothing else is proven, unless the learner it is about is signed in. So only a
registered service or the staff makes a link. It is for one learner, one service and one purpose, lasts 24 hours, is
decided once, and the record of actions says who made it. Only that learner, signed in, sees what they hold (``page``),
and answers a link of the staff or of an employer (``who_answers``).

**Who is meant?** The service names the learner by a mailbox or an account. Neither its answer nor the page without
sign-in depends on whether that is known here: a consent waits for a person who has it (``consent.bind``).
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.names import mailbox_name
from lrs.kernel.sealed import NotOurs, seal, unseal
from lrs.kernel.times import DAY
from lrs.matching import services
from lrs.matching.consent import consent
from lrs.matching.consent.consent import Subject
from lrs.matching.consent.under_age import is_under_age
from lrs.matching.services import Service
from lrs.people.ids import ids_of, record_of
from lrs.people.persons import members_of
from lrs.storage import Reader, Record, Tx, Walk
from lrs.storage.about import Whose, body_shown, by_keys
from lrs.storage.kinds import Kind, Subjects, subjects
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

KIND = "consent-link"
OPEN, WAITING, AGREED, REFUSED = "open", "waiting", "agreed", "refused"
LASTS, LOOKED_AT = DAY, 500
LONGEST_REFERENCE = 200
_RECEIPT_BYTES = 5


class AskedGuardian(msgspec.Struct, frozen=True):
    """The guardian who must agree as well. The link for the guardian is valid until *expires* (microseconds UTC).

    *learner* is the name by which the guardian knows the learner, *address* is where the link was sent, if it was.
    *nonce* is part of the link: a newer one ends it. *person* is the learner, if signed in when asking.
    """

    learner: str
    nonce: str
    expires: int
    address: str = ""
    person: str | None = None
    answered: int | None = None


class ConsentLink(msgspec.Struct, frozen=True):
    """A link and how it was decided. Times are microseconds UTC.

    ``state`` is ``open``, ``agreed``, ``refused``, or ``waiting`` for a *guardian*. *agreed* are the scopes that the
    learner chose, *decided* is when. *mailbox* is the id of the mailbox in lower case, if the link is for one.
    """

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
    return_url: str | None = None
    agreed: tuple[str, ...] = ()
    decided: int | None = None
    guardian: AskedGuardian | None = None
    mailbox: str | None = None
    v: int = 1

    @property
    def receipt(self) -> str:
        """The reference that a learner is told. It finds the link (``with_receipt``) and does not open it."""
        digest = base64.b32encode(hashlib.sha256(f"receipt {self.id}".encode()).digest()[:_RECEIPT_BYTES]).decode()
        return f"{digest[:4]}-{digest[4:]}"


class Wish(msgspec.Struct, frozen=True):
    """What a service asks a learner for. The consent ends by itself after ``consent_days`` days.

    ``purpose``, if given, must be the one that the service is registered for; only an operator agrees to a new one.
    ``return_url`` must be one of the service's; by default it is the first. ``mailbox`` is ``mailto:`` and the address
    by which the service named the learner, if it did.
    """

    subject: Subject
    scopes: tuple[str, ...] = ()
    reference: str | None = None
    consent_days: int | None = None
    purpose: str | None = None
    return_url: str | None = None
    mailbox: str | None = None


def mint(tenant: Tenant, service: Service, wish: Wish, *, id: str, by: str) -> ConsentLink:
    """Stores a new link, as ``made`` makes it, and its entry in the record of actions."""
    link = made(tenant, service, wish, id=id, by=by)
    return tenant.store.write(lambda tx: store(tx, link, "consent.asked", by=by)).result()


def store(tx: Tx, link: ConsentLink, action: str, *, by: str) -> ConsentLink:
    """Stores a new *link* and that somebody made it in this commit, and gives it."""
    put(tx, link)
    audit.append(tx, by, action, dict([link.subject.parts], service=link.service))
    return link


def made(tenant: Tenant, service: Service, wish: Wish, *, id: str, by: str) -> ConsentLink:
    """A new link with the unguessable *id*. Without scopes it asks for all that the service may have.

    Raises ``Refused`` for a service that is stopped, for scopes that the service does not have or that a learner cannot
    give, for a purpose that is not the service's, and for a return address that the service is not registered with.
    """
    asked = services.scopes_asked(service, wish.scopes)
    if not service.active:
        raise Refused("the service is stopped: make it active again first", status=409, error="service_stopped")
    if wish.purpose not in {None, service.purpose}:
        raise Refused("the service is registered for another purpose", error="bad_purpose", pointer="/purpose")
    if wish.return_url is not None and wish.return_url not in service.return_urls:
        message = "the service is not registered with this address, letter for letter: lrs services set --return-url"
        raise Refused(message, error="bad_return_url", pointer="/returnUrl")
    return ConsentLink(
        id=id,
        service=service.id,
        subject=wish.subject,
        scopes=asked,
        purpose=service.purpose,
        expires=tenant.clock() + LASTS,
        by=by,
        reference=wish.reference,
        consent_days=wish.consent_days,
        return_url=wish.return_url,
        mailbox=ids_of(tenant)(mailbox_name(wish.mailbox.casefold())) if wish.mailbox else None,
    )


def put(tx: Tx, link: ConsentLink) -> None:
    """Stores *link* in this commit. A decided link is found by its receipt, a waiting one also by its state."""
    known = tx.get(KIND, link.id)
    tx.put(Record(KIND, link.id, msgspec.json.encode(link), keys=keys_of(link), rev=known.rev if known else 0))


def keys_of(link: ConsentLink) -> tuple[int, ...]:
    """The search keys of a link: its service and its learner; see ``put``."""
    keys = [key("service", link.service), key(*link.subject.parts)]
    keys += [key("person", link.guardian.person)] if link.guardian and link.guardian.person else []
    keys += [key("consent.receipt", link.receipt)] if link.state != OPEN else []
    keys += [key("consent-link.state", link.state)] if link.state == WAITING else []
    return tuple(dict.fromkeys(keys))


def unanswered(reader: Reader, now: int) -> list[ConsentLink]:
    """The links that no learner has answered and that are still valid, among the newest ``LOOKED_AT``, newest first."""
    page = reader.find(Walk(KIND, newest_first=True, limit=LOOKED_AT))
    found = [msgspec.json.decode(record.body, type=ConsentLink) for record in page.records]
    return [one for one in found if one.state == OPEN and now < one.expires]


def address(tenant: Tenant, link: ConsentLink, root: str) -> str:
    """The URL of *link*; its last part is signed. *root* is the address of the tenant's pages."""
    return f"{root}/links/{seal(tenant.secret('link'), link.id)}"


def opened(tenant: Tenant, text: str) -> tuple[ConsentLink, Service | None]:
    """The link that *text* names, and its service if that still exists.

    Raises ``Refused``: 404 if *text* is not ours. If the link is not decided, 410 if it is too old or its service can
    no longer be agreed to.
    """
    link, service = found(tenant.store, id_in(tenant, text))
    check_open(link, service, tenant.clock())
    return link, service


def id_in(tenant: Tenant, text: str) -> str:
    """The id in the last part of a link's address. Raises ``Refused`` (404)."""
    try:
        return unseal(tenant.secret("link"), text, str)
    except NotOurs as error:
        raise unknown() from error


def found(reader: Reader, id: str) -> tuple[ConsentLink, Service | None]:
    """The link in any state, and its service if that exists. Raises ``Refused`` (404)."""
    record = reader.get(KIND, id)
    if record is None:
        raise unknown()
    link = msgspec.json.decode(record.body, type=ConsentLink)
    return link, services.get(reader, link.service)


def with_receipt(reader: Reader, receipt: str) -> ConsentLink:
    """The link with this *receipt*. Raises ``Refused`` (404)."""
    records = reader.find(Walk(KIND, [key("consent.receipt", receipt.strip().upper())], limit=1)).records
    if not records:
        raise Refused(f"nothing was decided under the reference {receipt}", status=404, error="receipt_unknown")
    return msgspec.json.decode(records[0].body, type=ConsentLink)


def check_open(link: ConsentLink, service: Service | None, now: int) -> None:
    """Refuses (410) an open link that is too old, or whose service can no longer be agreed to."""
    if link.state == OPEN and now >= link.expires:
        raise Refused("This link is too old: it was good for 24 hours.", status=410, error="link_expired")
    if link.state in {OPEN, WAITING}:
        check_service(link, service)


def check_service(link: ConsentLink, service: Service | None) -> Service:
    """The service of *link*. Raises ``Refused`` (410) if it can no longer be agreed to."""
    if service is None or not service.active or service.purpose != link.purpose:
        message = "The service that asked is no longer connected, or asks for another purpose now."
        raise Refused(message, status=410, error="service_gone")
    return service


def group_of(tenant: Tenant, asked: Subject, reader: Reader | None = None) -> tuple[str, ...]:
    """The persons that *asked* names: all who are joined. Empty if nobody of that name is known."""
    reader = reader or tenant.store
    known = record_of(reader, asked.identifier, ids_of(tenant)) if asked.identifier else None
    person = known.meta["person"] if known else asked.person
    return (members_of(reader, person) or (person,)) if person else ()


def subjects_of(tenant: Tenant, link: ConsentLink) -> list[Subject]:
    """The subjects under which consents of the learner of *link* may be stored."""
    asked, names = link.subject, [Subject(person=one) for one in group_of(tenant, link.subject)]
    if asked.identifier:  # a former name may have been replaced since
        names.append(Subject(identifier=ids_of(tenant)(asked.identifier)))
    return list(dict.fromkeys([asked, *names]))


def consents_held(
    tenant: Tenant, link: ConsentLink, service: Service | None, person: str
) -> dict[str, consent.Consent]:
    """What *service* may now see of the learner of *link*, by scope: by this link or another consent.

    Whether staff noted the learner as under age is asked only for the *person* who is signed in. Otherwise the page
    would tell it to anybody who has a link.
    """
    if service is None or not service.active:
        return {}
    given = [one for subject in subjects_of(tenant, link) for one in consent.of_subject(tenant.store, subject)]
    now = tenant.clock()
    under_age = bool(person) and is_under_age(tenant, tenant.store, group_of(tenant, link.subject), now)
    held = consent.scopes_for(given, service, now, under_age=under_age)
    return {scope: held[scope] for scope in services.CONSENTED if scope in held}


def unknown() -> Refused:
    """The refusal of a text that names no link of ours."""
    return Refused("This link is not known.", status=404, error="link_unknown")


def _about(record: Record) -> Subjects:
    link = msgspec.json.decode(record.body, type=ConsentLink)
    asked, person = link.subject, link.guardian.person if link.guardian else None
    return subjects(
        persons=[one for one in (asked.person, person) if one],
        identifiers=[asked.identifier] if asked.identifier else (),
    )


def _shown(record: Record, whose: Whose) -> dict[str, Any]:
    """The link without the parts that open it, and without the guardian's address."""
    hidden = {"id", "by", "mailbox"}
    told = {name: value for name, value in body_shown(record, whose).items() if name not in hidden}
    if told.get("guardian"):  # a link of an older version has none
        told["guardian"] = {name: told["guardian"][name] for name in ("learner", "expires", "answered")}
    return told


KINDS = (
    Kind(  # nobody is shown the id of a link, because whoever has it can answer the link
        KIND,
        "fact",
        ConsentLink,
        1,
        subjects=_about,
        retention="consent",
        exported=True,
        find=by_keys(KIND, consent.subject_keys),
        shown=_shown,
    ),
)
