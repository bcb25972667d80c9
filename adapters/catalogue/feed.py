"""A learner's dates as a calendar: the file (iCalendar, RFC 5545) and its address, which nobody can guess.

Records: ``plan-feed`` (id: that of the person): the number of the address that works now; a new number ends the one
before. The token follows from a secret of the tenant, so that it can be shown again.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator

import msgspec

from adapters.training_centre.attendees import Attendee
from adapters.training_centre.centre_sessions import CentreSession
from lrs.kernel.base64url import base64url
from lrs.kernel.keys import key
from lrs.kernel.sealed import digest_of
from lrs.kernel.times import short_timestamp
from lrs.storage import Record, Tx, Walk
from lrs.storage.about import by_ids, without
from lrs.storage.kinds import Kind, of_person_by_id
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

KIND = "plan-feed"
MEDIA_TYPE = "text/calendar; charset=utf-8"
_WIDEST = 75
"""Octets of a line (RFC 5545 3.1)."""


class PlanFeed(msgspec.Struct, frozen=True):
    """The *number* of the address that works."""

    number: int = 1
    v: int = 1


def token_of(tenant: Tenant, person: str) -> str:
    """The token in the address of the calendar of *person*; empty if there is none."""
    record = tenant.store.get(KIND, person)
    return _token(tenant, person, msgspec.json.decode(record.body, type=PlanFeed).number) if record else ""


def renew(tx: Tx, tenant: Tenant, person: str, by: str) -> str:
    """Makes an address, or a new one in the place of the one before; gives its token."""
    record = tx.get(KIND, person)
    number = msgspec.json.decode(record.body, type=PlanFeed).number + 1 if record else 1
    token = _token(tenant, person, number)
    keys = (key("plan-feed.token", digest_of(token)),)
    tx.put(Record(KIND, person, msgspec.json.encode(PlanFeed(number)), keys=keys, rev=record.rev if record else 0))
    audit.append(tx, by, "plan-feed.made", {"person": person})
    return token


def person_of(tenant: Tenant, token: str) -> str | None:
    """Whose calendar is at the address with *token*."""
    found = tenant.store.find(Walk(KIND, (key("plan-feed.token", digest_of(token)),), limit=1)).records
    return found[0].id if found else None


def _token(tenant: Tenant, person: str, number: int) -> str:
    return base64url(hmac.digest(tenant.secret("plan-feed"), f"{person} {number}".encode(), "sha256"))


def calendar(found: Iterable[tuple[CentreSession, Attendee]], name: str, now: int, said: Callable[[str], str]) -> str:
    """The calendar of these sessions, called *name*. One for which somebody waits is tentative.

    *said* gives what learners read of a training centre.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Engraft//Plan//EN", f"X-WR-CALNAME:{_text(name)}"]
    for session, one in found:
        where = ", ".join(filter(None, (session.host, session.place, said(session.centre))))
        lines += [
            "BEGIN:VEVENT",
            f"UID:{session.id}@engraft",
            f"DTSTAMP:{_time(now)}",
            f"DTSTART:{_time(session.starts)}",
            f"DTEND:{_time(session.ends)}",
            f"SUMMARY:{_text(session.title)}",
            f"LOCATION:{_text(where)}",
            f"STATUS:{_status(session, one)}",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _status(session: CentreSession, one: Attendee) -> str:
    if session.state == "cancelled":
        return "CANCELLED"
    return "TENTATIVE" if one.seat == "waiting" else "CONFIRMED"


def _time(micros: int) -> str:
    return short_timestamp(micros).replace("-", "").replace(":", "")


def _text(text: str) -> str:
    """A TEXT value (RFC 5545 3.3.11)."""
    for sign in "\\;,":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\n", "\\n")


def _folded(line: str) -> Iterator[str]:
    """*line* in parts of at most 75 octets, none of which divides a character."""
    part, size = "", 0
    for letter in line:
        width = len(letter.encode())
        if size + width > _WIDEST:
            yield part
            part, size = " ", 1
        part, size = part + letter, size + width
    yield part


KINDS = (
    Kind(
        KIND,
        "fact",
        PlanFeed,
        1,
        subjects=of_person_by_id,
        retention="configuration",
        exported=True,
        find=by_ids(KIND),
        shown=without("number"),
    ),
)
