"""``lrs consent``: consents that an operator enters for a learner, and links on which a learner decides."""

from __future__ import annotations

import functools
import secrets
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import click

from lrs.kernel.errors import Refused
from lrs.kernel.printing import CommandGroup, json_option, print_list, print_record, time_of
from lrs.kernel.times import SECOND
from lrs.matching import services
from lrs.matching.consent import answers, links, withdrawal
from lrs.matching.consent import consent as kept
from lrs.matching.consent.answers import Posted
from lrs.matching.consent.consent import Grant, Subject
from lrs.matching.consent.links import ConsentLink, Wish
from lrs.people.ids import ids_of
from lrs.people.persons import identifiers_in, members_of, named, person_named
from lrs.people.search import found_one
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import with_tenant, with_tenant_to_read
from lrs.tenancy.pages import pages_address
from lrs.tenancy.tenants import Tenant
from lrs.web.language import ENGLISH

_NO_CONSENTS = (
    "there are no such consents: learners give them on the page of a link (lrs consent link), or lrs consent give"
    " writes one down"
)


@click.group(cls=CommandGroup)
def consent() -> None:
    """Give, withdraw and list consents: what learners let services see."""


@consent.command("give")
@with_tenant
@click.argument("learner")
@click.argument("service")
@click.option("--scopes", help="Comma-separated; without it, all that the service has and a learner can give.")
@click.option("--reference", help="The service's own word for this learner.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The last day it holds.")
@click.option("--guardian-agreed", is_flag=True, help="A parent or guardian agreed, too: for who is under age.")
def give(
    tenant: Tenant,
    learner: str,
    service: str,
    *,
    scopes: str | None,
    reference: str | None,
    until: datetime | None,
    guardian_agreed: bool,
) -> None:
    """Enter that LEARNER (id, e-mail, learner number) agreed, for example on paper, that SERVICE sees the profile."""
    known, whose = services.meant(tenant.store, service), subject_named(tenant, learner)
    if answers.needs_guardian(tenant, whose) and not guardian_agreed:
        raise Refused("the learner is under age: say with --guardian-agreed that a parent or guardian agreed, too")
    grant = Grant(
        subject=whose,
        service=known.id,
        scopes=services.scopes_asked(known, _split(scopes)),
        purpose=known.purpose,
        how="operator",
        by=BY_COMMAND,
        reference=reference,
        expires=_end_after(tenant, until.date()) if until else None,
    )
    given = tenant.store.write(lambda tx: kept.give(tx, grant)).result()
    click.echo(f"{service} may use: {', '.join(one.scope for one in given)}")


@consent.command("withdraw")
@with_tenant
@click.argument("learner")
@click.option("--service", help="Only from this service; without it, from all.")
@click.option("--scope", help="Only this scope; with profiles:read all others of the service go too.")
def withdraw(tenant: Tenant, learner: str, *, service: str | None, scope: str | None) -> None:
    """Withdraw what LEARNER agreed to: from now on nothing of it is shown or sent."""
    subjects = subjects_named(tenant, learner)
    of = None if service is None else services.meant(tenant.store, service).id
    gone = tenant.store.write(
        functools.partial(withdrawal.withdraw, subjects=subjects, by=BY_COMMAND, service=of, scope=scope)
    ).result()
    for one in gone:
        click.echo(f"withdrawn: {one.service} {one.scope}")
    if not gone:
        raise click.ClickException("there was nothing to withdraw")


@consent.command("list")
@with_tenant_to_read
@click.argument("learner", required=False)
@click.option("--service", help="Only what was given to this service.")
@json_option
def list_consents(tenant: Tenant, learner: str | None, *, service: str | None, as_json: bool) -> None:
    """List the consents of LEARNER or of everybody, also those that no longer hold."""
    store = tenant.store
    if service is not None:
        service = services.meant(store, service).id
    subjects = subjects_named(tenant, _found(tenant, learner)) if learner else ()
    found = [one for subject in subjects for one in kept.of_subject(store, subject)]
    if learner is None:
        found = kept.everything(store)
    rows = [_row(one, tenant.clock()) for one in found if service in {None, one.service}]
    print_list(
        rows,
        {
            "learner": lambda row: row["person"] or row["identifier"],
            "service": "service",
            "scope": "scope",
            "state": "state",
            "given": "given_at",
            "until": lambda row: row["withdrawn_at"] or row["expires_at"],
        },
        none=_NO_CONSENTS,
        as_json=as_json,
    )


@consent.command("link")
@with_tenant
@click.argument("learner")
@click.argument("service")
@click.option("--scopes", help="Comma-separated; without it, all that the service has and a learner can give.")
@click.option("--reference", help="The service's own word for this learner.")
def link(tenant: Tenant, learner: str, service: str, *, scopes: str | None, reference: str | None) -> None:
    """Print a link on which LEARNER can agree or refuse, once and within 24 hours; give it to nobody else."""
    known = services.meant(tenant.store, service)
    identifier = named(learner)
    mailbox = identifier.ifi.get("mbox") if identifier else None
    wish = Wish(subject_named(tenant, learner), _split(scopes), reference, mailbox=mailbox)
    made = links.mint(tenant, known, wish, id=secrets.token_urlsafe(18), by=BY_COMMAND)
    click.echo(links.address(tenant, made, pages_address(tenant.settings, tenant.id)))


@consent.command("show")
@with_tenant_to_read
@click.argument("receipt")
@json_option
def show(tenant: Tenant, receipt: str, *, as_json: bool) -> None:
    """Show what was decided under RECEIPT, the reference that the learner was told."""
    print_record(_decided(links.with_receipt(tenant.store, receipt)), as_json=as_json)


@consent.command("waiting")
@with_tenant_to_read
@json_option
def waiting(tenant: Tenant, *, as_json: bool) -> None:
    """List consents of learners under age that a parent or guardian has not answered yet."""
    found = [_decided(one) for one in answers.waiting(tenant.store)]
    columns = {name: name for name in ("receipt", "service", "learner", "decided_at", "until")}
    print_list(found, columns, none="nothing is waiting for a parent or guardian", as_json=as_json)


@consent.command("guardian")
@with_tenant
@click.argument("receipt")
@click.option("--email", default="", help="Where to send the link; without it, it is only printed.")
def guardian(tenant: Tenant, receipt: str, *, email: str) -> None:
    """Print a new link, valid for 14 days, for the guardian whom RECEIPT waits for; the former link ends."""
    posted = Posted(pages_address(tenant.settings, tenant.id), ENGLISH)
    click.echo(answers.renew_guardian(tenant, receipt, email, posted, by=BY_COMMAND))


def subject_named(tenant: Tenant, text: str) -> Subject:
    """The learner that *text* names: a known person, or else an identifier. Raises ``Refused`` if it is neither."""
    person = person_named(tenant, text)
    if person:
        return Subject(person=person)
    identifier = named(text)
    if identifier is None:
        raise Refused("name the learner by id, e-mail address, learner number, homePage|name or OpenID")
    return Subject(identifier=ids_of(tenant)(identifier.id))


def _found(tenant: Tenant, text: str) -> str:
    """*text*, or the id of the one learner whose name contains it. Use it only to read something."""
    return text if person_named(tenant, text) or named(text) else found_one(tenant, text) or text


def subjects_named(tenant: Tenant, text: str) -> list[Subject]:
    """The subjects under which consents of the learner that *text* names may be stored.

    These are all joined persons and their identifiers. For an identifier that nobody has, it includes its former name,
    which may not be renamed yet.
    """
    first, reader = subject_named(tenant, text), tenant.store
    if first.person is None:
        identifier = named(text)
        return list(dict.fromkeys([first, *([Subject(identifier=identifier.id)] if identifier else ())]))
    members = members_of(reader, first.person)
    identifiers = [Subject(identifier=one.id) for one in identifiers_in(reader, members)]
    return [*(Subject(person=member) for member in members), *identifiers]


def _decided(link: ConsentLink) -> dict[str, object]:
    asked = link.guardian
    return {
        "receipt": link.receipt,
        "person": link.subject.person,
        "identifier": link.subject.identifier,
        "service": link.service,
        "purpose": link.purpose,
        "scopes": list(link.agreed),
        "state": link.state,
        "decided_at": time_of(link.decided),
        "learner": asked.learner if asked else None,
        "guardian": asked.address if asked else None,
        "until": time_of(asked.expires) if asked else None,
        "answered_at": time_of(asked.answered) if asked else None,
    }


def _split(scopes: str | None) -> tuple[str, ...]:
    return tuple((scopes or "").replace(",", " ").split())


def _end_after(tenant: Tenant, day: date) -> int:
    """The end of *day*. Raises ``Refused`` if that is past, because such a consent would not hold."""
    end = _end_of(day, tenant.settings.zone)
    if end < tenant.clock():
        raise Refused(f"--until {day} has passed: name today or a later day, or leave it out for a consent without end")
    return end


def _end_of(day: date, zone: str) -> int:
    """The last microsecond of *day* in *zone*, in microseconds UTC."""
    return round(datetime.combine(day, time.max, ZoneInfo(zone)).timestamp() * SECOND)


def _row(one: kept.Consent, now: int) -> dict[str, str | int | None]:
    state = "given" if one.holds(now) else "withdrawn" if one.withdrawn is not None else "expired"
    return {
        "person": one.subject.person,
        "identifier": one.subject.identifier,
        "service": one.service,
        "scope": one.scope,
        "purpose": one.purpose,
        "state": state,
        "given": one.given,
        "expires": one.expires,
        "withdrawn": one.withdrawn,
        "how": one.how,
        "reference": one.reference,
        "receipt": one.receipt,
        "given_at": time_of(one.given),
        "expires_at": time_of(one.expires),
        "withdrawn_at": time_of(one.withdrawn),
    }
