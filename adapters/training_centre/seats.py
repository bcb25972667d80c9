"""Seats in a session that learners book themselves: booked, waiting, given back. Each is told as a statement.

Seats change until a session begins or is cancelled. A seat that comes free goes to whoever has waited longest, in the
same commit, and they are told by mail. The statements say that somebody ``registered`` or ``unregistered``; they are
ours and prove nothing. Knows no page.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace
from tincan import Statement, Verb

from adapters.lms.sessions.place import LmsPlace, store_own
from adapters.reading.people import FileLearner, Ifi, mailbox
from adapters.reading.vocabulary import REGISTERED, UNREGISTERED, iri, ours
from adapters.training_centre import attendees, centre_sessions
from adapters.training_centre.attendees import Attendee
from adapters.training_centre.centre_sessions import CentreSession
from adapters.training_centre.files.facts import activity
from lrs.access import learners
from lrs.kernel.errors import Refused
from lrs.kernel.times import SECOND, timestamp_of_micros
from lrs.outbox.mail import send_mail
from lrs.people.identifiers import ULN_HOME_PAGE
from lrs.people.persons import identifiers_in, members_of
from lrs.people.search import somebody
from lrs.storage import ROWS, Reader, Record, Tx
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

MOST_WAITING = 50
WEIGHT = 4 * ROWS


def learner_in(reader: Reader, person: str, centre: str) -> FileLearner:
    """*person* as the files of *centre* would call them: own reference, else learner number, else address."""
    found = [one.ifi for one in identifiers_in(reader, members_of(reader, person))]
    account = learners.account_of(reader, person)
    addresses = [mailbox(one.lower()) for one in (account.addresses if account else ())]
    addresses += [Ifi("", one["mbox"]) for one in found if "mbox" in one]
    accounts = [Ifi(one["account"]["homePage"], one["account"]["name"]) for one in found if "account" in one]
    own = [one for one in accounts if one.home == iri("providers", centre)]
    numbers = [one for one in accounts if one.home == ULN_HOME_PAGE]
    chosen = (*numbers[:1], *own[:1], *addresses[:1]) or tuple(accounts[:1])
    if not chosen:
        raise Refused("Nothing is known by which the centre could call you.", status=409, error="unknown_learner")
    return FileLearner((own or numbers or addresses or list(chosen))[0].written, chosen)


def book(tx: Tx, place: LmsPlace, id: str, person: str, by: str) -> Attendee:
    """Books a seat for *person*, or puts them onto the waiting list. Raises ``Refused`` (404, 409)."""
    session = _open(tx, id, place.tenant.clock())
    there = attendees.of_session(tx, id)
    learner, members = learner_in(tx, person, session.centre), members_of(tx, person)
    mine = (pair for pair in there.values() if pair[1].person in members or pair[1].shares(learner.identifiers))
    record, before = next(mine, (None, None))
    if before is not None and before.seat != "cancelled":
        waits = before.seat == "waiting"
        raise Refused(
            "You wait for a seat here already." if waits else "You have a seat here already.",
            status=409,
            error="twice",
        )
    now = place.tenant.clock()
    waits = _is_full(session, there)
    if waits and sum(one.seat == "waiting" for _, one in there.values()) >= MOST_WAITING:
        raise Refused("The waiting list is full, too.", status=409, error="full")
    name = somebody(tx, person).name or learner.key
    seat: attendees.Seat = "waiting" if waits else "booked"
    one = replace(
        before or Attendee(id, learner.key, learner.identifiers, name, seat, now, by),
        seat=seat,
        at=now,
        by=by,
        person=person,
    )
    if record is not None:
        attendees.put(tx, one, record)
    else:
        attendees.add(tx, one)
    if not waits:
        _tell(tx, place, session, one, REGISTERED, "registered")
    audit.append(tx, by, "seat.waiting" if waits else "seat.booked", {"session": id})
    return one


def give_back(tx: Tx, place: LmsPlace, id: str, persons: Collection[str], by: str) -> Attendee | None:
    """Gives the seat of *persons*, who are one, back, or leaves the waiting list; gives who has it now, if anybody.

    Raises ``Refused``: 404 without a seat, 409 once something is marked, or the session has begun or is cancelled.
    """
    session, now = _found(tx, id), place.tenant.clock()
    pairs = attendees.of_session(tx, id)
    record, one = next((pair for pair in pairs.values() if pair[1].person in persons), (None, None))
    if record is None or one is None or one.seat not in {"booked", "waiting"}:
        raise Refused("You have no seat there.", status=404, error="not_found")
    if session.state == "cancelled":
        raise Refused("This session is cancelled: there is no seat to give back.", status=409, error="cancelled")
    if not session.is_ahead(now) or one.attendance or one.steps:
        raise Refused("This session has begun: ask the training centre.", status=409, error="closed")
    attendees.put(tx, replace(one, seat="cancelled", at=now, by=by), record)
    audit.append(tx, by, "seat.given-back", {"session": id})
    if one.seat != "booked":
        return None
    return came_free(tx, place, session, one)


def came_free(tx: Tx, place: LmsPlace, session: CentreSession, one: Attendee) -> Attendee | None:
    """Tells that *one*, who is off the roster now, had a seat, and gives it to who waits; gives them.

    Of a cancelled session nothing is told again: ``tell_cancelled`` did. Who was put onto the roster by a trainer was
    never told as registered, so nothing is taken back.
    """
    if one.seat == "booked" and session.state != "cancelled":
        _tell(tx, place, session, replace(one, at=place.tenant.clock()), UNREGISTERED, "unregistered")
    return fill(tx, place, session.id)


def fill(tx: Tx, place: LmsPlace, id: str) -> Attendee | None:
    """Gives a seat that is free to whoever has waited longest, and tells them by mail; gives them.

    Nobody has the seat of a session that has begun, or is cancelled.
    """
    session, there = _found(tx, id), attendees.of_session(tx, id)
    if not session.is_ahead(place.tenant.clock()) or _is_full(session, there):
        return None
    record, first = next((pair for pair in there.values() if pair[1].seat == "waiting"), (None, None))
    if record is None or first is None:
        return None
    one = replace(first, seat="booked", at=place.tenant.clock())
    attendees.put(tx, one, record)
    _tell(tx, place, session, one, REGISTERED, "registered")
    _mail(tx, place, session, one, "seat-free")
    return one


def tell_changed(tx: Tx, place: LmsPlace, session: CentreSession) -> None:
    """Mails the new title, time or place of *session* to everybody who booked a seat, or waits for one."""
    for _, one in attendees.of_session(tx, session.id).values():
        if one.seat in {"booked", "waiting"}:
            _mail(tx, place, session, one, "session-changed")


def tell_cancelled(tx: Tx, place: LmsPlace, session: CentreSession) -> None:
    """Tells everybody who booked a seat in *session*, or waits for one, that it is cancelled."""
    now = place.tenant.clock()
    for _, one in attendees.of_session(tx, session.id).values():
        if one.seat == "booked":
            _tell(tx, place, session, replace(one, at=now), UNREGISTERED, "unregistered")
        if one.seat in {"booked", "waiting"}:
            _mail(tx, place, session, one, "session-cancelled")


def tells_by_mail(reader: Reader, tenant: Tenant, person: str) -> bool:
    """Whether *person* gets a mail when a seat comes free: mails are sent here, and an address of theirs is known."""
    account = learners.account_of(reader, person)
    known = identifiers_in(reader, members_of(reader, person))
    has_address = bool(account and account.addresses) or any("mbox" in one.ifi for one in known)
    return has_address and tenant.settings.smtp_url is not None


def _mail(tx: Tx, place: LmsPlace, session: CentreSession, one: Attendee, template: str) -> None:
    address = _address(tx, one)
    if address:
        values = {
            "link": f"{place.root}/me/plan",
            "session": session.title,
            "when": timestamp_of_micros(session.starts),
        }
        send_mail(tx, place.tenant, address, template, values, person=one.person or None)


def _address(reader: Reader, one: Attendee) -> str:
    account = learners.account_of(reader, one.person) if one.person else None
    known = [*(account.addresses if account else ()), *(each.written for each in one.identifiers if not each.home)]
    return next(iter(known), "")


def _is_full(session: CentreSession, there: Mapping[str, tuple[Record, Attendee]]) -> bool:
    """Whether every seat is taken. Where nobody counts them, the roster itself has an end."""
    return sum(one.is_expected for _, one in there.values()) >= (session.seats or attendees.MOST)


def _found(reader: Reader, id: str) -> CentreSession:
    return centre_sessions.found(reader, id, None)[1]


def _open(reader: Reader, id: str, now: int) -> CentreSession:
    session = _found(reader, id)
    if not session.opened or session.state != "planned":
        raise Refused("No seat can be booked in this session.", status=409, error="not_open")
    if session.starts <= now:
        raise Refused("This session has begun already.", status=409, error="begun")
    return session


def _tell(tx: Tx, place: LmsPlace, session: CentreSession, one: Attendee, verb: str, word: str) -> None:
    made = Statement(
        id=ours("seat", session.iri, one.key, word, one.at),
        actor=one.learner.actor.agent(),
        verb=Verb(id=verb, display={"en": word}),
        object=activity(session.training()),
        timestamp=datetime.fromtimestamp(one.at // SECOND, UTC),
    )
    store_own(tx, place, msgspec.json.decode(made.to_json()))


def sessions_of(reader: Reader, persons: Iterable[str]) -> Sequence[tuple[CentreSession, Attendee]]:
    """The sessions in which *persons*, who are one, have a seat or wait for one, the first to come first."""
    mine = (one for person in persons for one in attendees.of_person(reader, person) if one.seat != "cancelled")
    found = [(_found(reader, one.session), one) for one in mine]
    return sorted(found, key=lambda pair: pair[0].starts)
