"""Stores the answers to a consent link: the learner's, the guardian's, and a later withdrawal.

Each answer is one commit: the changed link, the consents, the mail to a guardian, and an entry in the record of
actions. Only the first answer counts. Whoever answers later gets the link as it was decided. Knows no page and no form.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.mail_server import checked_mailbox
from lrs.kernel.sealed import NotOurs, seal, unseal
from lrs.kernel.times import DAY, timestamp_of_micros
from lrs.matching.consent import consent, links, own_address, withdrawal
from lrs.matching.consent.consent import Grant, Subject
from lrs.matching.consent.links import AGREED, OPEN, REFUSED, WAITING, AskedGuardian, ConsentLink
from lrs.matching.consent.under_age import is_under_age
from lrs.matching.consent.who_answers import check_answer
from lrs.matching.consent.withdrawal import Ended
from lrs.matching.services import PROFILES, Service
from lrs.outbox.mail import send_mail
from lrs.storage import Reader, Tx, Walk
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

GUARDIAN_LASTS = 14 * DAY  # microseconds for which a guardian's link is valid


class GuardianWanted(msgspec.Struct, frozen=True):
    """The guardian whom a learner named *name* wants to be asked, and the address for the link; empty for none."""

    name: str
    address: str = ""


class ConsentAnswer(msgspec.Struct, frozen=True):
    """A learner's answer.

    *scopes* are those that the learner chose in addition to ``profiles:read``. *person* is the learner, if one is
    signed in. A learner who is under age gives *guardian*.
    """

    agree: bool
    scopes: tuple[str, ...] = ()
    person: str | None = None
    guardian: GuardianWanted | None = None


class Posted(msgspec.Struct, frozen=True):
    """The root address of the pages for links in mails, and the language of such a mail."""

    root: str
    language: str


# -- the learner ----------------------------------------------------------------------------------------------------


def needs_guardian(tenant: Tenant, asked: Subject, reader: Reader | None = None) -> bool:
    """Whether staff noted that the learner is under age, and the organisation also asks a guardian."""
    group = links.group_of(tenant, asked, reader)
    return is_under_age(tenant, reader or tenant.store, group, tenant.clock())


def decide(tenant: Tenant, text: str, answer: ConsentAnswer, posted: Posted) -> ConsentLink:
    """Stores the answer of the learner who has the link *text*.

    Raises ``Refused``: 404 and 410 as ``links.opened``, 400 for a guardian that is missing or cannot be reached.
    Somebody who is not signed in is not told that staff noted them as under age. Their consent is stored, but does not
    hold (``scopes_for``).
    """
    id, now = links.id_in(tenant, text), tenant.clock()
    whose = links.subjects_of(tenant, links.found(tenant.store, id)[0])

    def take(tx: Tx) -> ConsentLink:
        link, service = links.found(tx, id)
        if link.state != OPEN:
            return link
        links.check_open(link, service, now)
        check_answer(link, service, answer.person)
        if not answer.agree:
            return _put(tx, link, state=REFUSED, decided=now)
        chosen = tuple(scope for scope in link.scopes if scope == PROFILES or scope in answer.scopes)
        link = msgspec.structs.replace(link, agreed=chosen, decided=now)
        if answer.guardian is None:
            if answer.person and needs_guardian(tenant, link.subject, tx):
                raise Refused("A parent or guardian must agree, too.", error="guardian_needed")
            return _give(tx, link, whose, now, "link")
        return _ask_guardian(tx, tenant, link, answer.guardian, answer.person, posted)

    return tenant.store.write(take).result()


def stop(tenant: Tenant, id: str, *, by: str) -> list[Ended]:
    """Withdraws what the learner of link *id* gave to its service. Gives what ended now. Raises ``Refused`` (404)."""
    whose = links.subjects_of(tenant, links.found(tenant.store, id)[0])

    def take(tx: Tx) -> list[Ended]:
        return withdrawal.withdraw(tx, whose, by=by, service=links.found(tx, id)[0].service)

    return tenant.store.write(take).result()


# -- the guardian ---------------------------------------------------------------------------------------------------


def opened_by_guardian(tenant: Tenant, text: str) -> tuple[ConsentLink, AskedGuardian, Service | None]:
    """The link that the guardian's address *text* is about.

    Raises ``Refused``: 404 if *text* is not ours or was replaced by a newer one. If it was not answered yet, 410 if it
    is too old or its service can no longer be agreed to.
    """
    return _for_guardian(tenant.store, *_named(tenant, text), tenant.clock())


def decide_as_guardian(tenant: Tenant, text: str, *, agree: bool) -> ConsentLink:
    """Stores the guardian's answer. Raises ``Refused`` as ``opened_by_guardian``."""
    (id, nonce), now = _named(tenant, text), tenant.clock()
    whose = links.subjects_of(tenant, links.found(tenant.store, id)[0])

    def take(tx: Tx) -> ConsentLink:
        link, guardian, _ = _for_guardian(tx, id, nonce, now)
        if link.state != WAITING:
            return link
        address, person = guardian.address, guardian.person
        if agree and address and own_address.is_learners(tx, tenant, link, address, person):
            raise _own(403)
        return _of_guardian(tx, link, whose, now, agree=agree, by=f"guardian by link {link.id}")

    return tenant.store.write(take).result()


def write_down(tenant: Tenant, receipt: str, *, agree: bool, by: str) -> ConsentLink:
    """Stores a guardian's answer that came in another way, for example on paper. Raises ``Refused`` (404, 409, 410)."""
    id, now = links.with_receipt(tenant.store, receipt).id, tenant.clock()
    whose = links.subjects_of(tenant, links.found(tenant.store, id)[0])

    def take(tx: Tx) -> ConsentLink:
        link, service = links.found(tx, id)
        _check_waits(link, receipt)
        if agree:
            links.check_service(link, service)
        return _of_guardian(tx, link, whose, now, agree=agree, by=by)

    return tenant.store.write(take).result()


def _of_guardian(tx: Tx, link: ConsentLink, whose: Sequence[Subject], now: int, *, agree: bool, by: str) -> ConsentLink:
    """Stores the answer of the guardian whom *link* waits for. The record of actions names *by*."""
    answered = msgspec.structs.replace(link.guardian, answered=now) if link.guardian else None
    link = msgspec.structs.replace(link, guardian=answered)
    audit.append(tx, by, f"consent.guardian-{'agreed' if agree else 'refused'}", _about(link))
    return _give(tx, link, whose, now, "guardian") if agree else _put(tx, link, state=REFUSED)


def _check_waits(link: ConsentLink, receipt: str) -> AskedGuardian:
    if link.state != WAITING or link.guardian is None:
        raise Refused(f"no guardian is asked under {receipt}: it is {link.state}", status=409, error="conflict")
    return link.guardian


def renew_guardian(tenant: Tenant, receipt: str, address: str, posted: Posted, *, by: str) -> str:
    """Makes a new link for the guardian whom the link with *receipt* waits for, and gives its address.

    The former link ends. The new one is mailed to *address*, unless that is empty. Raises ``Refused`` (400, 404, 409).
    """
    mailbox = checked_mailbox(address) if address else ""
    id = links.with_receipt(tenant.store, receipt).id

    def take(tx: Tx) -> ConsentLink:
        link, _ = links.found(tx, id)
        former = _check_waits(link, receipt)
        if mailbox and own_address.is_learners(tx, tenant, link, mailbox, former.person):
            raise _own(400)
        guardian = _fresh(tenant, former.learner, mailbox or former.address, former.person)
        audit.append(tx, by, "consent.guardian-asked", _about(link))
        return _sent(tx, tenant, link, guardian, posted, mail=bool(mailbox))

    return guardian_address(tenant, tenant.store.write(take).result(), posted.root)


def waiting(reader: Reader) -> list[ConsentLink]:
    """The links whose learners wait for a guardian, oldest first."""
    index = key("consent-link.state", WAITING)
    records = reader.find(Walk(links.KIND, [index], limit=500)).records
    return [msgspec.json.decode(record.body, type=ConsentLink) for record in records]


def guardian_address(tenant: Tenant, link: ConsentLink, root: str) -> str:
    """The address of the guardian's page for *link*. *root* is that of the tenant's pages."""
    nonce = link.guardian.nonce if link.guardian else ""
    return f"{root}/guardian/{seal(tenant.secret('guardian-link'), (link.id, nonce))}"


def _ask_guardian(
    tx: Tx, tenant: Tenant, link: ConsentLink, asked: GuardianWanted, person: str | None, posted: Posted
) -> ConsentLink:
    name = " ".join(asked.name.split())
    address = checked_mailbox(asked.address) if asked.address.strip() else ""
    if address and is_own(tx, tenant, link, address, person):
        raise _own(400)
    audit.append(tx, f"link {link.id} of {link.by}", "consent.guardian-asked", _about(link))
    guardian = _fresh(tenant, name, address, person)
    return _sent(tx, tenant, link, guardian, posted, mail=bool(address))


def is_own(reader: Reader, tenant: Tenant, link: ConsentLink, address: str, person: str | None) -> bool:
    """Whether *address* belongs to the learner, so that it cannot be a guardian's. *person* is signed in, if set.

    Otherwise only the mailbox of the link is compared, or the answer would say who is known here; the other addresses
    are compared when the guardian answers.
    """
    if person:
        return own_address.is_learners(reader, tenant, link, address, person)
    return own_address.is_links(tenant, link, address)


def _own(status: int) -> Refused:
    message = "The link for the parent or guardian went to an address of the learner's own: another one is needed."
    return Refused(message, status=status, error="own_address")


def _fresh(tenant: Tenant, learner: str, address: str, person: str | None) -> AskedGuardian:
    return AskedGuardian(learner, secrets.token_urlsafe(9), tenant.clock() + GUARDIAN_LASTS, address, person)


def _sent(
    tx: Tx, tenant: Tenant, link: ConsentLink, guardian: AskedGuardian, posted: Posted, *, mail: bool
) -> ConsentLink:
    waits = _put(tx, link, state=WAITING, guardian=guardian)
    if mail:
        values = {
            "link": guardian_address(tenant, waits, posted.root),
            "until": timestamp_of_micros(guardian.expires),
        }
        send_mail(
            tx, tenant, guardian.address, "guardian", values, person=link.subject.person, language=posted.language
        )
    return waits


def _named(tenant: Tenant, text: str) -> tuple[str, str]:
    try:
        return unseal(tenant.secret("guardian-link"), text, tuple[str, str])
    except NotOurs as error:
        raise links.unknown() from error


def _for_guardian(reader: Reader, id: str, nonce: str, now: int) -> tuple[ConsentLink, AskedGuardian, Service | None]:
    link, service = links.found(reader, id)
    guardian = link.guardian
    if guardian is None or guardian.nonce != nonce:
        raise Refused("A newer link took the place of this one.", status=404, error="link_replaced")
    if link.state == WAITING:
        if now >= guardian.expires:
            raise Refused("This link is too old: it was good for 14 days.", status=410, error="guardian_link_expired")
        links.check_service(link, service)
    return link, guardian, service


# -- both -----------------------------------------------------------------------------------------------------------


def _give(tx: Tx, link: ConsentLink, whose: Sequence[Subject], now: int, how: str) -> ConsentLink:
    """Gives the chosen consents. Ends earlier ones that were asked for again and not chosen."""
    grant = Grant(
        subject=link.subject,
        service=link.service,
        scopes=link.agreed,
        purpose=link.purpose,
        how=how,
        by=f"link {link.id} of {link.by}",
        reference=link.reference,
        expires=now + link.consent_days * DAY if link.consent_days else None,
        receipt=link.receipt,
    )
    consent.give(tx, grant)
    for scope in (one for one in link.scopes if one not in link.agreed):
        withdrawal.withdraw(tx, whose, by=grant.by, service=link.service, scope=scope)
    return _put(tx, link, state=AGREED)


def _put(tx: Tx, link: ConsentLink, **changed: object) -> ConsentLink:
    now = msgspec.structs.replace(link, **changed)
    links.put(tx, now)
    return now


def _about(link: ConsentLink) -> dict[str, str]:
    kind, id = link.subject.parts
    return {kind: id, "service": link.service, "link": link.id}
