"""Badges that their holders show to whoever has the address. Off until the holder turns it on; off again at any time.

The address has a random token, so nobody finds it who was not told it. Sharing again after stopping gives another one.
Nobody who is under age can share, and what was shared before that was known is not shown.

kind ``badge-share``, id that of the badge: it is there as long as the badge is shared.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.times import SECOND
from lrs.people.confirmed_names import confirmed_name, vouched_name
from lrs.people.minors import is_minor
from lrs.people.persons import members_of
from lrs.storage import Reader, Record, Tx, Walk
from lrs.storage.about import by_person
from lrs.storage.kinds import Kind, of_person
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

KIND = "badge-share"
LISTED = 200
"""Shared badges of one person that their page lists."""
_NOT_SHARED = "No badge is shared at this address. Perhaps its holder stopped sharing it."


class BadgeShare(msgspec.Struct, frozen=True):
    """The body of a ``badge-share`` record: the *token* in the address, since when (microseconds UTC).

    *name* is the holder's, as it was shown to them, if they wanted it to be seen; empty otherwise. *confirmed*: staff
    had confirmed it, so it is seen as long as they stand by it.
    """

    person: str
    token: str
    at: int
    name: str = ""
    confirmed: bool = False
    v: int = 1


_decode = msgspec.json.Decoder(BadgeShare).decode


def share_of(reader: Reader, badge: str) -> BadgeShare | None:
    """How the *badge* (id) is shared; ``None`` if it is not."""
    record = reader.get(KIND, badge)
    return _decode(record.body) if record else None


def may_share(tenant: Tenant, person: str, reader: Reader | None = None) -> bool:
    """Whether *person* is not noted as under age."""
    reader = tenant.store if reader is None else reader
    today = datetime.fromtimestamp(tenant.clock() / SECOND, ZoneInfo(tenant.settings.zone)).date()
    return not is_minor(reader, members_of(reader, person) or (person,), today)


def share(tx: Tx, tenant: Tenant, badge: Record, *, with_name: bool, by: str) -> BadgeShare:
    """Shares *badge* with this commit, with its holder's name or without; the address stays if it is shared already.

    Raises ``Refused`` (403) for somebody who is under age.
    """
    person, before = str(badge.meta["person"]), share_of(tx, badge.id)
    if not may_share(tenant, person, tx):
        message = "You are noted as under age. Nothing of yours is shown in public: you can still take the badge."
        raise Refused(message, status=403, error="under_age")
    token, at = (before.token, before.at) if before else (secrets.token_urlsafe(24), tenant.clock())
    name = vouched_name(tx, person) if with_name else None
    now = BadgeShare(person, token, at, name.text if name else "", bool(name and name.is_confirmed))
    if now != before:
        keys = (key("badge-share.token", token), key("badge-share.person", person))
        tx.put(Record(KIND, badge.id, msgspec.json.encode(now), keys=keys))
        audit.append(tx, by, "badge.shared", {"badge": badge.id})
    return now


def stop(tx: Tx, badge: str, *, by: str) -> bool:
    """Stops sharing *badge* (id) with this commit. ``False`` if it was not shared."""
    if not tx.delete(KIND, badge):
        return False
    audit.append(tx, by, "badge.unshared", {"badge": badge})
    return True


def shared(tenant: Tenant, token: str) -> tuple[BadgeShare, Record]:
    """What is shared at the address with *token*, and the badge. Raises ``Refused`` (404)."""
    reader = tenant.store
    for record in reader.find(Walk(KIND, [key("badge-share.token", token)], limit=5)).records:
        found, badge = _decode(record.body), reader.get("credential", record.id)
        if found.token == token and badge is not None and may_share(tenant, found.person):
            return found, badge
    raise Refused(_NOT_SHARED, status=404, error="not_shared")


def handed_in(tenant: Tenant, content: bytes, root: str) -> bytes:
    """The badge, if *content* is the address of one that is shared here, under *root*; else *content* itself.

    Raises ``Refused`` (404) if nothing is shared there.
    """
    begin = f"{root}/t/{tenant.id}/shared/".encode()
    if not content.startswith(begin) or len(content) > len(begin) + 200:
        return content
    token = content.removeprefix(begin).decode("ascii", "replace").strip().partition("/")[0]
    return shared(tenant, token)[1].body


def holder_shown(reader: Reader, share: BadgeShare) -> str:
    """The name of the holder that *share* shows; empty where it shows none."""
    return share.name if still_vouched(reader, share.person, share.name, confirmed=share.confirmed) else ""


def still_vouched(reader: Reader, person: str, name: str, *, confirmed: bool) -> bool:
    """Whether a *name* that *person* let be seen still may be: one that staff *confirmed*, while they stand by it."""
    held = confirmed_name(reader, members_of(reader, person)) if confirmed else None
    return not confirmed or (held is not None and held.name == name)


KINDS = (
    Kind(
        KIND,
        "fact",
        BadgeShare,
        1,
        subjects=of_person(_decode),
        retention="consent",
        exported=True,
        find=by_person(KIND, "badge-share.person"),
    ),
)
