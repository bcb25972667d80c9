"""Links and codes that open something once: made, looked at, used. Knows no page, no mail and no right.

The link has a random token; the store has its hash as the id of the record. Looking at a link uses nothing, for mail
scanners open links before people do; only ``use`` and ``use_code`` do, in the commit of what they open. A link that is
bound to a browser works in no other. Its code is six digits, which only that browser may try.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Literal

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.plain_text import counted
from lrs.kernel.sealed import digest_of
from lrs.kernel.times import DAY, HOUR, MINUTE
from lrs.storage import Reader, Record, Tx, Walk, each
from lrs.storage.kinds import Kind
from lrs.tenancy.tenants import Tenant

KIND = "one-time-link"
Purpose = Literal[
    "staff-invitation",
    "staff-recovery",
    "staff-sign-in",
    "learner-invitation",
    "learner-sign-in",
    "learner-address",
    "lti-registration",
    "session-sign-off",
]
LASTS: dict[Purpose, int] = {
    "staff-invitation": 72 * HOUR,
    "staff-recovery": 72 * HOUR,
    "staff-sign-in": 24 * HOUR,
    "learner-invitation": 14 * 24 * HOUR,
    "learner-sign-in": 15 * MINUTE,
    "learner-address": 15 * MINUTE,
    "lti-registration": 72 * HOUR,
    "session-sign-off": 14 * 24 * HOUR,
}
"""Microseconds for which a link works."""
ONCE: Purpose = "staff-sign-in"
"""A link by which a member of staff signs in once (``staff_once``)."""
TRIES = 5
"""How many codes may be tried; the last wrong one ends the link, too."""
_CLEARED = 50
"""How many expired ones of the same purpose are deleted when one is made."""


class OneTime(msgspec.Struct, frozen=True):
    """What a link opens: *about* is the id of a member of staff or of a person, empty where nobody is known.

    In a link for a learning platform it is what people call that; in one for a supervisor, who was at their place.
    *address* is the mailbox that it was made for. *browser* is the digest of the token of the browser that asked.
    """

    purpose: Purpose
    about: str
    expires: int
    address: str = ""
    browser: str = ""
    code: str = ""
    tries: int = 0
    v: int = 1


class NewLink(msgspec.Struct, frozen=True):
    """A link that was made: its *token*, its *code* (empty without one), and when it ends (microseconds UTC)."""

    token: str
    code: str
    expires: int


_decoder = msgspec.json.Decoder(OneTime)


def make(
    tx: Tx, tenant: Tenant, purpose: Purpose, about: str, *, address: str = "", browser: str | None = None
) -> NewLink:
    """Makes a link with this commit; one that is bound to a *browser* (its token) has a code, too.

    Former links of the same purpose about the same somebody, or of the same browser, end.
    """
    now, token = tenant.clock(), secrets.token_urlsafe(32)
    _clear(tx, purpose, now)
    asked = digest_of(browser) if browser else ""
    keys = [key("one-time.purpose", purpose)]
    keys += [key("one-time.about", purpose, about)] if about and not browser else []
    keys += [key("one-time.browser", purpose, asked)] if asked else []
    for record in _with(tx, keys[1:]):
        tx.delete(KIND, record.id)
    id, code = digest_of(token), f"{secrets.randbelow(10**6):06}" if asked else ""
    kept = OneTime(purpose, about, now + LASTS[purpose], address, asked, _code(tenant, id, code) if code else "")
    tx.insert(Record(KIND, id, msgspec.json.encode(kept), keys=tuple(keys)))
    return NewLink(token, code, kept.expires)


def look(tenant: Tenant, token: str, *purposes: Purpose) -> OneTime:
    """What the link with *token* opens, without using it. Raises ``Refused`` (410)."""
    return _checked(tenant.store.get(KIND, digest_of(token)), tenant.clock(), purposes)


def is_there(reader: Reader, token: str) -> bool:
    """Whether the link with *token* was neither used nor replaced, so far as it is known; its time may be over."""
    return reader.get(KIND, digest_of(token)) is not None


def use(tx: Tx, token: str, now: int, *purposes: Purpose, browser: str | None = None) -> OneTime:
    """Uses the link with *token* with this commit. Raises ``Refused``: 410, or 403 in another browser than its own."""
    record = tx.get(KIND, digest_of(token))
    found = _checked(record, now, purposes)
    if found.browser and not is_of_browser(found, browser):
        raise Refused(
            "This link works only in the browser in which you asked for it. Open it there, or type the six digits of"
            " the message there.",
            status=403,
            error="other_browser",
        )
    tx.delete(KIND, digest_of(token))
    return found


def is_of_browser(found: OneTime, browser: str | None) -> bool:
    """Whether the browser with this token asked for the link."""
    return bool(browser) and hmac.compare_digest(found.browser.encode(), digest_of(browser or "").encode())


def use_code(tx: Tx, tenant: Tenant, purpose: Purpose, code: str, browser: str) -> OneTime | None:
    """Uses the code that *browser* was sent with this commit; ``None`` if it is wrong, and counts the try."""
    for record in _with(tx, [key("one-time.browser", purpose, digest_of(browser))]):
        found = _decoder.decode(record.body)
        is_right = hmac.compare_digest(_code(tenant, record.id, code).encode(), found.code.encode())
        if found.expires <= tenant.clock() or is_right or found.tries + 1 >= TRIES:
            tx.delete(KIND, record.id)
        else:
            body = msgspec.json.encode(msgspec.structs.replace(found, tries=found.tries + 1))
            tx.replace(msgspec.structs.replace(record, body=body))
        if is_right and found.about and found.expires > tenant.clock():
            return found
    return None


def waiting(reader: Reader, purpose: Purpose, now: int) -> list[OneTime]:
    """The links of this purpose that still work at *now* (microseconds UTC), oldest first."""
    found = (_decoder.decode(one.body) for one in each(reader, KIND, key("one-time.purpose", purpose)))
    return [one for one in found if one.expires > now]


def end_links(tx: Tx, purpose: Purpose, about: str) -> None:
    """Ends all links of this purpose about somebody."""
    for record in _with(tx, [key("one-time.about", purpose, about)]):
        tx.delete(KIND, record.id)


def _with(tx: Tx, keys: list[int]) -> tuple[Record, ...]:
    return tuple(record for one in keys for record in tx.find(Walk(KIND, [one], limit=_CLEARED)).records)


def _clear(tx: Tx, purpose: Purpose, now: int) -> None:
    for record in tx.find(Walk(KIND, [key("one-time.purpose", purpose)], limit=_CLEARED)).records:  # the oldest first
        if _decoder.decode(record.body).expires <= now:
            tx.delete(KIND, record.id)


def _checked(record: Record | None, now: int, purposes: tuple[Purpose, ...]) -> OneTime:
    found = _decoder.decode(record.body) if record else None
    if found is None or found.purpose not in purposes or not found.about:
        message = "This link was used already, or a newer one took its place, or a part of it is missing."
        raise Refused(message, status=410, error="used")
    if found.expires <= now:
        message = f"This link is too old: it was good for {_spoken(LASTS[found.purpose])}."
        raise Refused(message, status=410, error="expired")
    return found


def _spoken(lasts: int) -> str:
    size, unit = next(one for one in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")) if lasts > one[0])
    return counted(lasts // size, unit)


def _code(tenant: Tenant, id: str, code: str) -> str:
    return hmac.digest(tenant.secret("one-time-code"), f"{id} {code}".encode("utf-8", "replace"), "sha256").hex()


KINDS = (Kind(KIND, "working", OneTime, 1, subjects=None, retention="operational", exported=False),)
