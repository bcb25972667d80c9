"""The data for the consent pages, and the answers that are accepted from them. The texts are in the templates.

A form is accepted only together with the cookie that was set with the page, so no other site can answer for the learner
(OWASP, signed double submit). What a learner holds is shown only to that learner, signed in.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import msgspec

from lrs.access.policy.table import TABLE
from lrs.kernel.contacts import contact_link
from lrs.kernel.errors import Refused
from lrs.kernel.mail_server import checked_mailbox
from lrs.kernel.plain_text import hidden_character
from lrs.kernel.sealed import NotOurs, seal, unseal
from lrs.kernel.times import DAY, SECOND
from lrs.matching.consent import answers, consent, links
from lrs.matching.consent.answers import GuardianWanted
from lrs.matching.consent.consent import Consent
from lrs.matching.consent.links import AGREED, REFUSED, WAITING, AskedGuardian, ConsentLink
from lrs.matching.consent.who_answers import needs_sign_in
from lrs.matching.preview import preview
from lrs.matching.services import PROFILES, Service
from lrs.tenancy.record import TenantRecord
from lrs.tenancy.tenants import Tenant
from lrs.web.dates import written_day, written_moment

COOKIE = "consent"
AGREE, REFUSE, STOP = "agree", "refuse", "stop"
ANSWERS = (AGREE, REFUSE, STOP)
LONGEST_NAME = 300
FIELDS = ("age", "name", "guardian")
"""The fields that can be wrong."""
_BROWSER = re.compile(r"[A-Za-z0-9_-]{24}")
_FIELDS = 20
_PARTS = ("employer", "contact", "link", "notice")


class Looker(msgspec.Struct, frozen=True):
    """The visitor of a page: the signed-in learner, if any, and the token of the browser."""

    browser: str
    language: str
    person: str = ""


class ConsentForm(msgspec.Struct, frozen=True):
    """A form as it was filled in."""

    answer: str = ""
    scopes: tuple[str, ...] = ()
    age: str = ""
    name: str = ""
    guardian: str = ""

    @property
    def asked(self) -> GuardianWanted | None:
        """The guardian to ask, if the learner said that they are under age."""
        return GuardianWanted(self.name, self.guardian) if self.age == "under" else None


_EMPTY = ConsentForm()


# -- what is shown --------------------------------------------------------------------------------------------------


def question(
    tenant: Tenant,
    link: ConsentLink,
    service: Service,
    looker: Looker,
    form: ConsentForm = _EMPTY,
    faults: Mapping[str, str] = {},
) -> dict[str, Any]:
    """The question to a learner, with what was filled in before, and what is wrong with it by field."""
    is_learner = _is_learner(tenant, link, looker)
    seen = preview(tenant, service, looker.person, link.scopes, looker.language) if is_learner else None
    held = links.consents_held(tenant, link, service, looker.person) if is_learner else {}
    return {
        **_asked(tenant, link, service, looker),
        "optional": [scope for scope in link.scopes if scope != PROFILES],
        "seen": seen.seen if seen else None,
        "adds": seen.adds if seen else {},
        "may_answer": bool(looker.person) or not needs_sign_in(link, service),
        "called": link.reference or "",
        "age": tenant.record.guardian_age or 0,
        "given": form,
        "ticked": form.scopes if form.answer else tuple(held),
        "faults": dict.fromkeys(FIELDS, "") | dict(faults),
        "form": form_token(tenant, of_learner(link), looker.browser),
    }


def guardian_question(
    tenant: Tenant, link: ConsentLink, guardian: AskedGuardian, service: Service, looker: Looker
) -> dict[str, Any]:
    """The question to a guardian. It shows what the learner holds if the learner was signed in when asking."""
    seen = preview(tenant, service, guardian.person, link.agreed, looker.language).seen if guardian.person else None
    return {
        **_asked(tenant, link, service, looker),
        "learner": guardian.learner,
        "optional": [scope for scope in link.agreed if scope != PROFILES],
        "seen": seen,
        "form": form_token(tenant, of_guardian(link), looker.browser),
    }


def decided(tenant: Tenant, link: ConsentLink, service: Service | None, looker: Looker, form: str) -> dict[str, Any]:
    """The decided link, for learner and guardian. *form* is the token of the form that withdraws it.

    Only the learner, signed in, is told that there is a record (``is_known``). Everybody else reads what holds in
    either case, because a service makes links for addresses that it guesses, and can open them.
    """
    day = written_day(_day(tenant, link.decided), looker.language) if link.decided else ""
    guardian, record = link.guardian, tenant.record
    held = links.consents_held(tenant, link, service, looker.person)
    stopped = consent.withdrawn_under(tenant.store, links.subjects_of(tenant, link), link.receipt)
    return {
        "state": "stopped"
        if stopped and link.state == AGREED and not held
        else _state(tenant, link, is_held=bool(held)),
        "stopped": written_moment(stopped, tenant.settings.zone, looker.language) if stopped else "",
        "is_known": _is_learner(tenant, link, looker),
        "guardian": bool(guardian and guardian.answered),
        "mailed": bool(guardian and guardian.address),
        "good_until": written_day(_day(tenant, guardian.expires), looker.language) if guardian else "",
        "service": _told(service) if service else {"name": link.service, **dict.fromkeys(_PARTS, "")},
        "keeper": _told(record),
        "purpose": link.purpose,
        "scopes": tuple(held) or link.agreed,
        "standing": _standing(tenant, link, held, looker),
        "receipt": link.receipt,
        "day": day,
        "until": _until(tenant, link, looker.language),
        "my_page": ("GET", "/me") in TABLE,
        "back": back_to(link, service),
        "form": form,
    }


def back_to(link: ConsentLink, service: Service | None) -> str:
    """The address to which the learner returns: one that the service is registered with now, or empty."""
    registered = service.return_urls if service else ()
    return link.return_url if link.return_url in registered else next(iter(registered), "") or ""


def _asked(tenant: Tenant, link: ConsentLink, service: Service, looker: Looker) -> dict[str, Any]:
    """The part of the question that learner and guardian share."""
    return {
        "service": _told(service),
        "keeper": _told(tenant.record),
        "purpose": link.purpose,
        "needed": PROFILES,
        "standing": _standing(tenant, link, links.consents_held(tenant, link, service, looker.person), looker),
        "until": _until(tenant, link, looker.language),
    }


def _told(asks: Service | TenantRecord) -> dict[str, str]:
    """Name and contact of the service that asks or the organisation that keeps the record. Empty where unknown."""
    contact = asks.contact or ""
    return {
        "name": asks.name,
        "employer": "yes" if isinstance(asks, Service) and asks.employer else "",
        "contact": contact,
        "link": contact_link(contact),
        "notice": asks.privacy_notice or "",
    }


def _is_learner(tenant: Tenant, link: ConsentLink, looker: Looker) -> bool:
    return bool(looker.person) and looker.person in links.group_of(tenant, link.subject)


def _standing(tenant: Tenant, link: ConsentLink, held: Mapping[str, Consent], looker: Looker) -> str:
    """The day of an agreement with the same service that holds now, or empty.

    Who is not signed in as the learner is told only of an agreement by the name that this link is for, too. Otherwise a
    service could find out whether an address that it guesses is another one of a learner's whom it knows.
    """
    given = held.get(PROFILES)
    if given is None or not (_is_learner(tenant, link, looker) or _by_same_name(tenant, link, given)):
        return ""
    return written_day(_day(tenant, given.given), looker.language)


def _by_same_name(tenant: Tenant, link: ConsentLink, given: Consent) -> bool:
    try:
        return links.with_receipt(tenant.store, given.receipt).subject == link.subject
    except Refused:  # staff wrote it down, or its link is not kept any more
        return False


def _state(tenant: Tenant, link: ConsentLink, *, is_held: bool) -> str:
    if link.state == WAITING and link.guardian is not None:
        return "waiting" if tenant.clock() < link.guardian.expires else "unanswered"
    if link.state == AGREED:
        return "agreed" if is_held else "ended"
    return "guardian_refused" if link.state == REFUSED and link.guardian and link.guardian.answered else link.state


def _until(tenant: Tenant, link: ConsentLink, language: str) -> str:
    """The last day of a consent that was given or is given now. Empty if it has no end."""
    if link.consent_days is None:
        return ""
    answered = link.guardian.answered if link.guardian else None
    given = answered or link.decided or tenant.clock()
    return written_day(_day(tenant, given + link.consent_days * DAY), language)


def _day(tenant: Tenant, micros: int) -> str:
    return datetime.fromtimestamp(micros / SECOND, ZoneInfo(tenant.settings.zone)).date().isoformat()


# -- forms ----------------------------------------------------------------------------------------------------------


def browser_of(cookie: str | None) -> str:
    """The browser token in the *cookie* of an earlier page, so that a second tab keeps the first form valid."""
    return cookie if cookie and _BROWSER.fullmatch(cookie) else secrets.token_urlsafe(18)


def form_token(tenant: Tenant, about: str, browser: str) -> str:
    """The token of a form: what it is *about* (``of_learner``, ``of_guardian``) and the browser, signed."""
    return seal(tenant.secret("consent-form"), (about, browser))


def of_learner(link: ConsentLink) -> str:
    """What the forms of the learner's page are about."""
    return link.id


def of_guardian(link: ConsentLink) -> str:
    """What the forms of the guardian's page are about. The learner's page does not accept them."""
    return f"guardian {link.id}"


def read_form(tenant: Tenant, about: str, body: bytes, cookie: str | None) -> ConsentForm:
    """The form in *body*, sent by the browser with this *cookie*.

    Raises ``Refused`` (400) if it is not one of our forms.
    """
    try:
        pairs = parse_qsl(body.decode(), max_num_fields=_FIELDS)
        form = dict(pairs)
        is_ours = unseal(tenant.secret("consent-form"), form.get("form", ""), tuple[str, str]) == (about, cookie)
    except (ValueError, NotOurs):
        pairs, form, is_ours = [], {}, False
    if not is_ours or form.get("answer") not in ANSWERS:
        message = "The answer did not come from our page. Open the link again, and allow cookies."
        raise Refused(message, error="bad_form" if cookie else "no_cookie")
    scopes = tuple(value for name, value in pairs if name == "scope")
    return ConsentForm(form["answer"], scopes, *(form.get(name, "").strip() for name in ("age", "name", "guardian")))


def faults_in(tenant: Tenant, link: ConsentLink, form: ConsentForm, person: str) -> dict[str, str]:
    """The faults in the form of a learner who agrees: for each field a word, which the template explains.

    *person* is the learner, if signed in. Nobody else is told what staff noted.
    """
    if tenant.record.guardian_age is None:
        return {}
    if form.age not in {"of_age", "under"}:
        return {"age": "missing"}
    if form.asked is None:
        return {"age": "noted"} if person and answers.needs_guardian(tenant, link.subject) else {}
    return dict(_faults_of(tenant, link, form.asked, person))


def _faults_of(tenant: Tenant, link: ConsentLink, asked: GuardianWanted, person: str) -> Iterable[tuple[str, str]]:
    if not asked.name or len(asked.name) > LONGEST_NAME or hidden_character(asked.name):
        yield "name", "missing"
    if asked.address:
        try:
            address = checked_mailbox(asked.address)
        except Refused:
            yield "guardian", "no_address"
        else:
            if answers.is_own(tenant.store, tenant, link, address, person or None):
                yield "guardian", "own"


def check_learner(tenant: Tenant, link: ConsentLink, person: str) -> None:
    """Refuses (403) a signed-in learner who is not known to be the one that *link* is about."""
    if person and person not in links.group_of(tenant, link.subject):
        message = "This link was made for somebody else than who is signed in here."
        raise Refused(message, status=403, error="other_person")
