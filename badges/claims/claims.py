"""Links by which a learner gets a badge without signing in: made, mailed, opened, used.

The link has a random token; the store has its hash as the id of the record. Looking at a link uses nothing, for mail
scanners open links before people do. Accepting uses it: from then on it opens only in the browser that accepted, which
has a cookie for that. A link ends after ``LASTS``, and when a newer one is made for the badge; one that was mailed also
ends when its address is not the learner's any more.

kind ``badge-claim``: one link. That a badge was claimed is kept with the badge (``badges.achievements.counts``).
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Iterator

import msgspec

from badges.credentials.records import ISSUED
from lrs.access import learners
from lrs.access.staff_acts import link_to
from lrs.competency.dates import day_of
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.sealed import digest_of
from lrs.kernel.times import DAY, micros_of_timestamp, timestamp_of_micros
from lrs.outbox.mail import send_mail
from lrs.people.persons import identifiers_of, members_of
from lrs.storage import Reader, Record, Tx, Walk
from lrs.storage.about import by_person, without
from lrs.storage.kinds import Kind, of_person
from lrs.tenancy.pages import pages_address
from lrs.tenancy.tenants import Tenant
from lrs.web.dates import written_day

KIND = "badge-claim"
PLACE = "/claim/"
MAIL = "badge"
LASTS = 30 * DAY
"""Microseconds for which a link works."""
FRESH = 31 * DAY
"""Microseconds since a badge was earned in which it is still news. Of older ones, as from an import, nobody is told."""
_CLEARED = 50
_UNKNOWN = "This link is not known. Perhaps a part of it is missing, or a newer one took its place."
_USED = "This link was used already, in another browser."
_MOVED = "This link went to an address that is not yours any more."
_GONE = "This badge does not count any more."


class BadgeClaim(msgspec.Struct, frozen=True):
    """The body of a ``badge-claim`` record.

    *address* is the mailbox that it was sent to, empty for one that staff hand over. *expires* and *accepted* are in
    microseconds UTC, 0 for not yet. *browser* is the digest of the secret in the cookie of the browser that accepted.
    """

    badge: str
    person: str
    expires: int
    address: str = ""
    accepted: int = 0
    browser: str = ""
    v: int = 1


class NewClaim(msgspec.Struct, frozen=True):
    """A link that was made: its *token*, and when it ends (microseconds UTC)."""

    token: str
    expires: int


_decode = msgspec.json.Decoder(BadgeClaim).decode


def make(tx: Tx, tenant: Tenant, badge: Record, address: str = "") -> NewClaim:
    """Makes a link for the *badge* (a ``credential`` record) with this commit. Former links for it end."""
    now, token = tenant.clock(), secrets.token_urlsafe(32)
    person = str(badge.meta["person"])
    of_badge = key("badge-claim.badge", badge.id)
    for record in tx.find(Walk(KIND, [of_badge], limit=_CLEARED)).records:
        tx.delete(KIND, record.id)
    kept = BadgeClaim(badge.id, person, now + LASTS, address)
    keys = (of_badge, key("badge-claim.person", person))
    tx.insert(Record(KIND, digest_of(token), msgspec.json.encode(kept), keys=keys))
    return NewClaim(token, kept.expires)


def tell(tx: Tx, tenant: Tenant, badge: Record) -> bool:
    """Mails a link for a *badge*, about to be stored, if it is new, an address is known, and the organisation wants it.

    Gives whether it did.
    """
    if not tenant.record.badge_mails or badge.rev:
        return False
    said = json.loads(badge.body)
    if tenant.clock() - micros_of_timestamp(said["awardedDate"]) > FRESH:
        return False
    name = str(said["credentialSubject"]["achievement"]["name"])
    person = str(badge.meta["person"])
    to = next(addresses_of(tx, person), "")
    if not to:
        return False
    made = make(tx, tenant, badge, to)
    link = link_to(pages_address(tenant.settings, tenant.id), PLACE, made.token)
    send_mail(
        tx,
        tenant,
        to,
        MAIL,
        {"link": link, "until": timestamp_of_micros(made.expires), "badge": name},
        person=person,
    )
    return True


def addresses_of(reader: Reader, person: str) -> Iterator[str]:
    """The mailboxes of *person* as they are now: those that they sign in with, then those that sources name."""
    for member in members_of(reader, person):
        account = learners.account_of(reader, member)
        yield from account.addresses if account else ()
    for one in identifiers_of(reader, person):
        if "mbox" in one:
            yield one["mbox"].removeprefix("mailto:")


def opened(tenant: Tenant, token: str, browser: str | None, reader: Reader | None = None) -> tuple[BadgeClaim, Record]:
    """The link with *token* and its badge, for the browser with this secret, if it has one.

    Raises ``Refused``: 404 for an unknown link, 410 for one that ended, was used elsewhere or went to an address that
    is not the learner's any more, and for a badge that does not count.
    """
    reader = tenant.store if reader is None else reader
    record = reader.get(KIND, digest_of(token))
    if record is None:
        raise Refused(_UNKNOWN, status=404, error="claim_unknown")
    found = _decode(record.body)
    if found.expires <= tenant.clock():
        ended = written_day(day_of(found.expires, tenant.settings.zone))
        raise Refused(f"This link ended on {ended}.", status=410, error="claim_expired")
    if found.browser and not hmac.compare_digest(found.browser, digest_of(browser or "")):
        raise Refused(_USED, status=410, error="claim_used")
    known = {one.casefold() for one in addresses_of(reader, found.person)}
    if found.address and found.address.casefold() not in known:
        raise Refused(_MOVED, status=410, error="claim_address")
    badge = reader.get("credential", found.badge)
    if badge is None or badge.meta["state"] != ISSUED:
        raise Refused(_GONE, status=410, error="badge_gone")
    return found, badge


def accept(tx: Tx, tenant: Tenant, token: str, browser: str) -> Record:
    """Uses the link with *token* with this commit, for the browser with this secret. Gives the badge.

    The same browser may do it again. Raises ``Refused`` as ``opened`` does.
    """
    found, badge = opened(tenant, token, browser, tx)
    if not found.browser:
        record = tx.get(KIND, digest_of(token))
        assert record is not None  # noqa: S101 (``opened`` has read it)
        used = msgspec.structs.replace(found, accepted=tenant.clock(), browser=digest_of(browser))
        tx.replace(msgspec.structs.replace(record, body=msgspec.json.encode(used)))
    return badge


KINDS = (
    Kind(
        KIND,
        "fact",
        BadgeClaim,
        1,
        subjects=of_person(_decode),
        retention="operational",
        exported=False,
        find=by_person(KIND, "badge-claim.person"),
        shown=without("browser"),
        ends=lambda record: _decode(record.body).expires,
    ),
)
