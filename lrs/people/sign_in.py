"""How a learner reaches their record: by a link that staff made for this person, or by an address that they prove.

A proven address shows nothing by itself. It leads to the person of whom it is an identifier, and to those who are one
with that person by the rules of joins (``lrs.people.joins``); what that is, is said before it is shown. Most learners
are known by an account of a platform only: whoever invites them names the person. Knows no page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from lrs.access import learners, one_time, sessions
from lrs.access.learners import SUBJECT
from lrs.access.one_time import OneTime, Purpose
from lrs.access.sessions import SigningIn
from lrs.access.staff import Login
from lrs.access.staff_acts import PLACE, link_to
from lrs.kernel.errors import Refused, StoreFull
from lrs.kernel.mail_server import checked_mailbox
from lrs.kernel.times import MINUTE, timestamp_of_micros
from lrs.outbox.mail import send_mail
from lrs.people.identifiers import ULN_HOME_PAGE
from lrs.people.ids import ids_of, record_of
from lrs.people.persons import mailboxes_like, members_of, named, person_named
from lrs.people.search import somebody
from lrs.storage import Reader, Tx
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant
from lrs.web.language import ENGLISH

INVITATION: Purpose = "learner-invitation"
SIGN_IN: Purpose = "learner-sign-in"
ADDRESS: Purpose = "learner-address"
LINK_PLACE = "/sign-in/link/"
MINUTES = one_time.LASTS[SIGN_IN] // MINUTE


class LearnerInvitation(msgspec.Struct, frozen=True):
    """A link that lets a learner in as *person*: its address, and when it ends (microseconds UTC)."""

    person: str
    link: str
    expires: int


class Preview(msgspec.Struct, frozen=True):
    """What somebody would see as *person*, told so that the right one knows it: a name, and from where it is known."""

    person: str
    name: str
    known_by: tuple[str, ...]


class Addressed(msgspec.Struct, frozen=True):
    """The person that an *address* leads to, and whether that person signs in with it already."""

    person: str
    address: str
    has_account: bool


# -- invitations ----------------------------------------------------------------------------------------------------


def invite(tenant: Tenant, who: str, address: str, *, by: str, root: str) -> LearnerInvitation:
    """Makes a link for the person that *who* names (see ``persons.named``); mails it to *address* unless empty.

    *root* is the address of the tenant's pages. Raises ``Refused`` (400, 404).
    """
    person = person_named(tenant, who.strip())
    if person is None:
        how = "write an e-mail address, an account or a number of the learner, not a name"
        raise Refused(f"Nobody is known as {who.strip()!r}: {how}.", status=404, error="not_found")
    mailbox = checked_mailbox(address) if address.strip() else ""

    def decide(tx: Tx) -> LearnerInvitation:
        made = one_time.make(tx, tenant, INVITATION, person, address=mailbox)
        link = link_to(root, PLACE, made.token)
        if mailbox:
            values = {"link": link, "until": timestamp_of_micros(made.expires)}
            send_mail(tx, tenant, mailbox, "learner-invitation", values, person=person)
        audit.append(tx, by, "learner.invited", {"person": person})
        return LearnerInvitation(person, link, made.expires)

    return tenant.store.write(decide).result()


def use_invitation(tenant: Tenant, token: str, way: SigningIn, login: Login | None = None) -> str:
    """Uses an invitation: the learner signs in from now on with its address, and with *login*. Gives the token.

    An address that somebody else signs in with stays theirs. Raises ``Refused`` (409, 410).
    """

    def decide(tx: Tx) -> str:
        now = tenant.clock()
        used = one_time.use(tx, token, now, INVITATION)
        person = _there(tx, used.about)
        if not learners.open_account(tx, person, address=used.address, by=SUBJECT + person):
            learners.open_account(tx, person, by=SUBJECT + person)
        if login is not None and not learners.open_account(tx, person, login=login, by=SUBJECT + person):
            raise Refused("This account signs in somebody else already.", status=409, error="conflict")
        return sessions.open_in(tx, SUBJECT + person, now, way)

    return tenant.store.write(decide).result()


# -- a proven address -----------------------------------------------------------------------------------------------


def ask(tenant: Tenant, typed: str, browser: str, root: str, language: str = ENGLISH) -> None:
    """Owes a mail with a link and a code to *typed*, if it leads to somebody; they work in this *browser* only.

    The mail is in *language*. It does not wait for the commit, so it takes as long for an address that nobody knows.
    Raises ``Refused`` (400) and ``StoreFull``.
    """
    address = checked_mailbox(typed)
    if tenant.store.lacks:
        raise StoreFull(f"the store is {tenant.store.lacks}")

    def decide(tx: Tx) -> None:
        found = addressed(tx, tenant, address)
        about, mailbox = (found.person, found.address) if found else ("", "")
        made = one_time.make(tx, tenant, SIGN_IN, about, address=mailbox, browser=browser)
        if found:
            link = link_to(root, LINK_PLACE, made.token)
            values = {"link": link, "code": made.code, "minutes": str(MINUTES)}
            send_mail(tx, tenant, mailbox, "learner-sign-in", values, person=about, language=language)

    tenant.store.write(decide)


def prove_by_link(tenant: Tenant, token: str, browser: str | None) -> OneTime:
    """Uses a link: what was proven. Raises ``Refused``: 410, or 403 in another browser than the one that asked."""
    return tenant.store.write(lambda tx: one_time.use(tx, token, tenant.clock(), SIGN_IN, browser=browser)).result()


def prove_by_code(tenant: Tenant, code: str, browser: str) -> OneTime:
    """The same with the six digits. Raises ``Refused`` (401)."""
    digits = "".join(code.split())
    proven = tenant.store.write(lambda tx: one_time.use_code(tx, tenant, SIGN_IN, digits, browser)).result()
    if proven is None:
        message = "These are not the six digits of the latest message, or they came too late. Ask for new ones."
        raise Refused(message, status=401, error="unauthorized")
    return proven


def sign_in(tenant: Tenant, person: str, way: SigningIn, *, address: str = "", login: Login | None = None) -> str:
    """Signs in as *person*, who said that this is them, with what they proved. Raises ``Refused`` (409, 410)."""

    def decide(tx: Tx) -> str:
        there = _there(tx, person)
        if not learners.open_account(tx, there, address=address, login=login, by=SUBJECT + there):
            raise Refused("Somebody else signs in with this already.", status=409, error="conflict")
        return sessions.open_in(tx, SUBJECT + there, tenant.clock(), way)

    return tenant.store.write(decide).result()


def ask_for_address(tenant: Tenant, person: str, typed: str, session: str) -> None:
    """Owes a mail with a code to *typed*, by which *person* wants to sign in later. Raises ``Refused`` (400)."""
    address = checked_mailbox(typed)

    def decide(tx: Tx) -> None:
        made = one_time.make(tx, tenant, ADDRESS, person, address=address, browser=session)
        send_mail(tx, tenant, address, "learner-address", {"code": made.code, "minutes": str(MINUTES)}, person=person)

    tenant.store.write(decide).result()


def prove_address(tenant: Tenant, person: str, code: str, session: str) -> None:
    """Lets *person* sign in with the address to which *code* was sent. Raises ``Refused`` (400)."""

    def decide(tx: Tx) -> str:
        proven = one_time.use_code(tx, tenant, ADDRESS, "".join(code.split()), session)
        if proven is None or proven.about != person:
            return "These are not the six digits of the message, or they came too late. Ask for new ones."
        if not learners.open_account(tx, person, address=proven.address, by=SUBJECT + person):
            return "Somebody else signs in with this address already."
        return ""

    if why := tenant.store.write(decide).result():
        raise Refused(why)


def addressed(reader: Reader, tenant: Tenant, address: str) -> Addressed | None:
    """The person that *address* leads to, however its case: who signs in with it, else whose identifier it is.

    Mailboxes that differ in case only may be two people's: then only the one that is written just so is meant. The
    address that is given is that of the record, to which the mail must go.
    """
    person = learners.person_with_address(reader, address)
    account = learners.account_of(reader, person) if person else None
    if person and account:
        kept = next(one for one in account.addresses if one.casefold() == address.casefold())
        return Addressed(person, kept, has_account=True)
    identifier = named(f"mailto:{address}")
    record = record_of(reader, identifier.id, ids_of(tenant)) if identifier else None
    if record is not None:
        return Addressed(record.meta["person"], address, has_account=False)
    like = mailboxes_like(reader, address)
    if len(like) != 1:
        return None
    return Addressed(like[0][0], like[0][1], has_account=False)


def preview(tenant: Tenant, person: str) -> Preview:
    """What somebody would see as *person*."""
    found = somebody(tenant.store, person)
    return Preview(person, found.name or "", tuple(dict.fromkeys(map(_told, found.identifiers))))


def invite_list(
    tenant: Tenant, rows: Sequence[tuple[str, str]], *, by: str, root: str
) -> list[LearnerInvitation | Refused]:
    """Invites each of *rows* (who, address): for each its link, or why there is none."""
    found: list[LearnerInvitation | Refused] = []
    for who, address in rows:
        try:
            found.append(invite(tenant, who, address, by=by, root=root))
        except Refused as refused:
            found.append(refused)
    return found


def _there(reader: Reader, person: str) -> str:
    if not members_of(reader, person):
        raise Refused("There is no such record any more. Ask whoever invited you.", status=410, error="gone")
    return person


def _told(ifi: dict[str, Any]) -> str:
    """From where somebody is known, without the identifier itself: whoever proves an address may be another."""
    account = ifi.get("account")
    if account is None:
        return "an e-mail address" if {"mbox", "mbox_sha1sum"} & ifi.keys() else "an OpenID"
    if account["homePage"] == ULN_HOME_PAGE:
        return "a learner number"
    return f"an account at {account['homePage'].partition('://')[2].partition('/')[0] or account['homePage']}"
