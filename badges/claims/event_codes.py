"""Codes for events: whoever was there types the code, once, and that counts as a result of the event.

A code proves nothing by itself. Using it stores a statement that the learner attended the event, from the source
``CODES_SOURCE``; a rule that trusts that source may give a level for it, and with the level comes the badge.

kind ``event-code``, id a keyed digest of the code: the event, until when, how many may use it. The code itself is told
once, when it is made. kind ``event-code-use``: that somebody used it.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from lrs.access import CODES_SOURCE, KEY, Caller
from lrs.access.keys import authority_of
from lrs.competency.dates import day_of
from lrs.kernel.addresses import web_address
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.kernel.plain_text import hidden_character
from lrs.kernel.times import SECOND, timestamp_of_micros
from lrs.people.persons import identifiers_of, members_of
from lrs.storage import Reader, Record, Tx, each
from lrs.storage.about import by_person
from lrs.storage.kinds import Kind, of_person_in_meta
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.prepare import Terms, prepare
from lrs.xapi.statements.subscriptions import Subscriptions
from lrs.xapi.statements.write import store_in

KIND, USE = "event-code", "event-code-use"
ATTENDED = "http://adlnet.gov/expapi/verbs/attended"
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without those that are taken for one another."""
LONGEST_TITLE = 200
MOST_PEOPLE = 100_000
_LAST_YEAR = 9_000
_VERSION = "1.0.3"
_SPACE = re.compile(r"[\s-]+")


class EventCode(msgspec.Struct, frozen=True):
    """The body of an ``event-code`` record: an event, and how its code may be used.

    *activity* is the event's address, which rules name. *until* is in microseconds UTC. *most* is how many people may
    use the code, ``None`` for any number; *used* is how many did.
    """

    activity: str
    title: str
    until: int
    most: int | None
    by: str
    used: int = 0
    ended: bool = False
    v: int = 1

    def is_over(self, now: int) -> bool:
        """Whether nobody can use the code at *now* (microseconds UTC): it was ended, or its time is over."""
        return self.ended or self.until <= now

    def last_day(self, zone: str) -> date:
        """The last day, in *zone*, on which the code can be used: it ends with that day."""
        return day_of(self.until - 1, zone)


class NewCode(msgspec.Struct, frozen=True):
    """A code that was made: its *id* in the store, and the *code* as people type it."""

    id: str
    code: str


class Used(msgspec.Struct, frozen=True):
    """That somebody used a code: the title of the event, and whether it was the first time."""

    title: str
    is_first: bool


_decode = msgspec.json.Decoder(EventCode).decode


def create(tenant: Tenant, wanted: EventCode) -> NewCode:
    """Makes a code for the event in *wanted*. Raises ``Refused`` for an event that cannot be one."""
    fault = hidden_character(wanted.title)
    if fault or not wanted.title.strip() or len(wanted.title) > LONGEST_TITLE:
        message = f"The title of the event takes 1 to {LONGEST_TITLE} characters, and no hidden ones."
        raise Refused(message, error="bad_event", pointer="/title")
    try:
        web_address(wanted.activity)
    except ValueError as error:
        message = f"The event's address is none ({error}): write it like https://centre.example.org/events/open-day."
        raise Refused(message, error="bad_event", pointer="/activity") from error
    if wanted.until <= tenant.clock():
        raise Refused("The code would have ended already: choose a later day.", error="bad_event", pointer="/until")
    letters = "".join(secrets.choice(LETTERS) for _ in range(8))
    id = _id(tenant, letters)

    def decide(tx: Tx) -> None:
        tx.insert(Record(KIND, id, msgspec.json.encode(wanted)))
        audit.append(tx, wanted.by, "event-code.made", {"code": id})

    tenant.store.write(decide).result()
    return NewCode(id, f"{letters[:4]}-{letters[4:]}")


def typed(tenant: Tenant, told: Mapping[str, str], *, by: str) -> EventCode:
    """The code that is wanted, from what was typed in a form. Raises ``Refused`` with ``pointer`` to the field."""
    try:
        last = date.fromisoformat(told.get("until", "").strip())
    except ValueError:
        raise Refused("Write the day like 2026-12-31.", error="bad_event", pointer="/until") from None
    most = told.get("most", "").strip()
    if most and not (len(most) < 7 and most.isascii() and most.isdigit() and 1 <= int(most) <= MOST_PEOPLE):
        message = f"Write a number from 1 to {MOST_PEOPLE:,}, or leave it empty."
        raise Refused(message, error="bad_event", pointer="/most")
    title, activity = told.get("title", "").strip(), told.get("activity", "").strip()
    return EventCode(activity, title, end_of(last, tenant.settings.zone), int(most) if most else None, by)


def end_of(day: date, zone: str) -> int:
    """The end of *day* in *zone*, in microseconds UTC. Raises ``Refused`` for a day that is too far away."""
    if day.year >= _LAST_YEAR:
        raise Refused("This day is too far away: choose an earlier one.", error="bad_event", pointer="/until")
    after = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone))
    return round(after.timestamp()) * SECOND


def end(tenant: Tenant, id: str, *, by: str) -> None:
    """Ends the code *id*: nobody uses it from now on. Raises ``Refused`` (404)."""

    def decide(tx: Tx) -> None:
        record = tx.get(KIND, id)
        if record is None:
            raise Refused(f"there is no code {id}: lrs badges codes list", status=404, error="not_found")
        ended = msgspec.structs.replace(_decode(record.body), ended=True)
        tx.replace(msgspec.structs.replace(record, body=msgspec.json.encode(ended), seq=record.seq))
        audit.append(tx, by, "event-code.ended", {"code": id})

    tenant.store.write(decide).result()


def everyone(reader: Reader) -> Iterator[tuple[str, EventCode]]:
    """All codes with their ids, oldest first."""
    return ((record.id, _decode(record.body)) for record in each(reader, KIND))


def use(tenant: Tenant, subscriptions: Subscriptions, person: str, typed: str) -> Used:
    """Uses the code that *person* *typed*; a second time changes nothing. Raises ``Refused`` (400, 410)."""
    id, now = _id(tenant, typed), tenant.clock()
    terms = Terms(tenant.settings, subscriptions)

    def decide(tx: Tx) -> Used:
        record = tx.get(KIND, id)
        if record is None:
            raise Refused("There is no such code. Check each letter and digit.", error="code_unknown")
        code, holder = _decode(record.body), (members_of(tx, person) or (person,))[0]
        of_use = name(USE, id, holder)
        if tx.get(USE, of_use) is not None:
            return Used(code.title, is_first=False)
        if code.is_over(now):
            raise Refused("This code has ended.", status=410, error="code_ended")
        if code.most is not None and code.used >= code.most:
            raise Refused("As many people as may use this code have used it.", status=410, error="code_full")
        store_in(tx, prepare(_teller(tenant), _VERSION, _statement(tx, code, holder, of_use, now), terms))
        keys = (key("event-code-use.person", holder),)
        tx.insert(Record(USE, of_use, meta={"person": holder, "code": id, "title": code.title}, keys=keys))
        counted = msgspec.json.encode(msgspec.structs.replace(code, used=code.used + 1))
        tx.replace(msgspec.structs.replace(record, body=counted, seq=record.seq))
        return Used(code.title, is_first=True)

    return tenant.store.write(decide).result()


def _statement(reader: Reader, code: EventCode, person: str, id: str, now: int) -> bytes:
    who = next(iter(identifiers_of(reader, person)), None)
    if who is None:
        raise Refused("Nothing is known by which your result could be kept. Ask the staff.", error="no_identifier")
    activity = {"id": code.activity, "definition": {"name": {"en": code.title}}}
    return msgspec.json.encode(
        {
            "id": id,
            "actor": {"objectType": "Agent", **who},
            "verb": {"id": ATTENDED, "display": {"en": "attended"}},
            "object": activity,
            "timestamp": timestamp_of_micros(now),
        }
    )


def _teller(tenant: Tenant) -> Caller:
    authority = authority_of(tenant, f"{tenant.id}.codes", CODES_SOURCE)
    return Caller("event code", CODES_SOURCE, authority, {}, tenant.id, KEY)


def _id(tenant: Tenant, typed: str) -> str:
    """The id of the code that was *typed*, however it is written."""
    plain = _SPACE.sub("", typed).upper().encode("utf-8", "replace")
    return hmac.digest(tenant.secret(KIND), plain, "sha256").hex()[:32]


KINDS = (
    Kind(KIND, "fact", EventCode, 1, subjects=None, retention="configuration", exported=True),
    Kind(
        USE,
        "fact",
        subjects=of_person_in_meta,
        retention="evidence",
        exported=True,
        find=by_person(USE, "event-code-use.person"),
    ),
)
