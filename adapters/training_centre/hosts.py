"""The hours at a host: its supervisor is asked by a one-time link, and signs them off or says why not. No page.

Looking at the link uses nothing; the answer uses it in its commit, so a second answer finds no link and changes
nothing. What was signed off is a mark: present, with the hours, by the supervisor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from adapters.reading.people import Ifi, mailbox
from adapters.training_centre import attendees, centre_sessions
from adapters.training_centre.attendees import AttendanceMark, Attendee, SignOff
from adapters.training_centre.centre_sessions import CentreSession, Marker
from adapters.training_centre.checklists import ChecklistVersion
from adapters.training_centre.day import CentreDay
from adapters.training_centre.marks import change_with
from adapters.training_centre.planning import hours as typed_hours
from lrs.access import learners, one_time
from lrs.access.one_time import NewLink
from lrs.kernel.errors import Refused
from lrs.kernel.mail_server import checked_mailbox
from lrs.kernel.plain_text import hidden_character
from lrs.kernel.times import timestamp_of_micros
from lrs.outbox.mail import send_mail
from lrs.people.ids import ids_of, record_of
from lrs.people.persons import holders, mailboxes_like
from lrs.storage import Reader, Tx
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.identity import identifier_of
from lrs.xapi.statements.subscriptions import Subscriptions

PURPOSE: one_time.Purpose = "session-sign-off"
SUPERVISOR = "supervisor"
"""The subject of an answer in the record of actions: a supervisor has no account."""
WHY = "signed off by the host's supervisor"
MOST_HOURS = 2_000
LONGEST = 300
_WRONG_HOURS = f"Write the hours as a number above 0, and at most {MOST_HOURS}."


def ask(day: CentreDay, id: str, who: str, supervisor: tuple[str, str], root: str) -> NewLink:
    """Asks a *supervisor* (name, address) to sign off somebody's hours; the link is mailed. Raises ``Refused``.

    *root* is in front of the link. A link that was sent before ends. Where there is no mail server, whoever asks hands
    the link on, and the record of actions says that they saw it.
    """
    name, address = " ".join(supervisor[0].split()), checked_mailbox(supervisor[1].strip())
    if not name or len(name) > LONGEST or hidden_character(name):
        raise Refused("Say the supervisor's name.", error="no_name")
    tenant = day.tenant

    def decide(tx: Tx) -> NewLink:
        _, session = day.session(tx, id)
        record, one = attendees.attendee(tx, id, who)
        if not session.is_hosted:
            raise Refused("Only hours at a host are signed off.", status=409, error="no_host")
        _check_is_other(tx, tenant, address, one, [day.marker, *([session.lead] if session.lead else [])])
        if one.sign_off is not None and one.sign_off.agrees:
            raise Refused("These hours are signed off already.", status=409, error="signed")
        made = one_time.make(tx, tenant, PURPOSE, one.id, address=address)
        asked = SignOff(name, address, tenant.clock(), made.expires)
        attendees.put(tx, replace(one, sign_off=asked), record)
        values = {"link": f"{root}/sign-off/{made.token}", "until": timestamp_of_micros(made.expires)}
        send_mail(tx, tenant, address, "session-sign-off", values)
        shown = {} if tenant.settings.smtp_url is not None else {"link": "shown"}
        audit.append(tx, day.marker.subject, "session.sign-off-asked", {"session": id, **shown})
        return made

    return tenant.store.write(decide).result()


def _check_is_other(tx: Tx, tenant: Tenant, address: str, one: Attendee, markers: Sequence[Marker]) -> None:
    """Refuses (400) an *address* of the learner *one* or of one of *markers*, by whichever of their identifiers."""
    supervisor = mailbox(address.lower())
    theirs = _persons(tx, tenant, [supervisor])
    signs_in = learners.person_with_address(tx, address)
    theirs |= set(holders(tx, [signs_in] if signs_in else []).values())
    own = _persons(tx, tenant, one.identifiers) | set(holders(tx, [one.person] if one.person else []).values())
    if one.shares([supervisor]) or theirs & own:
        raise Refused("Nobody signs their own hours off.", error="self_assessed")
    staff = [marker.who for marker in markers]
    same = supervisor.name.casefold() in {each.name.casefold() for each in staff}
    if same or theirs & _persons(tx, tenant, staff):
        message = "Who runs the session or asks for the hours cannot sign them off: name the supervisor at the host."
        raise Refused(message, error="self_assessed")


def _persons(reader: Reader, tenant: Tenant, identifiers: Iterable[Ifi]) -> set[str]:
    """The persons, each joined with whoever is one with them, whom *identifiers* name; in whatever case an address."""
    known = filter(None, (identifier_of(one.agent().as_version()) for one in identifiers))
    records = filter(None, (record_of(reader, each.id, ids_of(tenant)) for each in known))
    found = [record.meta["person"] for record in records]
    addresses = [one.written for one in identifiers if not one.home]
    found += [person for address in addresses for person, _ in mailboxes_like(reader, address)]
    return set(holders(reader, found).values())


def asked(tenant: Tenant, token: str) -> tuple[CentreSession, Attendee]:
    """What the link with *token* asks about. Raises ``Refused`` (410)."""
    found = one_time.look(tenant, token, PURPOSE)
    record = tenant.store.get(attendees.KIND, found.about)
    if record is None:
        raise Refused("Nobody is asked about any more.", status=410, error="gone")
    one = attendees.attendee_of(record)
    return centre_sessions.found(tenant.store, one.session, None)[1], one


def hours_in(told: Mapping[str, str]) -> float | None:
    """The hours that a supervisor confirms in a form, or ``None`` if they do not. Raises ``Refused`` (400)."""
    if told.get("answer") != "yes":
        return None
    hours = typed_hours(told)
    if hours is None:
        raise Refused(_WRONG_HOURS, error="hours")
    return hours


def answer(tenant: Tenant, subscriptions: Subscriptions, token: str, hours: float | None, said: str) -> Attendee:
    """Signs *hours* off, or, with ``None``, says why not. Uses the link. Raises ``Refused``: 410 once it was used."""
    session, one = asked(tenant, token)
    if one.sign_off is None:
        raise Refused("Nobody is asked about any more.", status=410, error="gone")
    if hours is not None and not 0 < hours <= MOST_HOURS:
        raise Refused(_WRONG_HOURS, error="hours")
    if hours is None and not said.strip():
        raise Refused("Say in a few words why you do not confirm the hours.", error="why")
    if len(said) > LONGEST:
        raise Refused(f"Write at most {LONGEST} characters.", error="why")
    now, by = tenant.clock(), Marker(one.sign_off.who, one.sign_off.supervisor, SUPERVISOR)

    def change(at: CentreSession, now_is: Attendee, _: ChecklistVersion | None) -> Attendee:
        if now_is.sign_off is None:
            raise Refused("Nobody is asked about any more.", status=410, error="gone")
        told = replace(now_is.sign_off, answered=now, hours=hours, agrees=hours is not None, said=said.strip())
        if hours is None:
            return replace(now_is, sign_off=told)
        if at.state == "cancelled" or not now_is.is_expected:
            raise Refused("This placement was cancelled: no hours can be signed off.", status=409, error="cancelled")
        mark = AttendanceMark("present", now, by, WHY, round(hours * 60))
        return replace(now_is, sign_off=told, attendance=(*now_is.attendance, mark))

    def use(tx: Tx) -> None:
        one_time.use(tx, token, now, PURPOSE)
        audit.append(tx, SUPERVISOR, "session.signed-off", {"session": session.id, "agrees": str(hours is not None)})

    return change_with(CentreDay(tenant, subscriptions, by, None), session.id, one.id, change, use)
