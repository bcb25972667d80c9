"""The holder's name in a badge: only if the holder put it there, and until they take it out.

Then the badge names them openly (an ``IdentityObject`` of the type ``name``), which wallets show as "issued to". The
badge is issued anew under its id each time. Nobody who is under age can do it.

kind ``badge-name``, id that of the badge: it is there as long as the badge is to say the name.
"""

from __future__ import annotations

import msgspec

from badges.held.shares import may_share, still_vouched
from badges.held.stops import award_of
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.plain_text import cleaned
from lrs.people.confirmed_names import vouched_name
from lrs.storage import Owed, Reader, Record, Tx
from lrs.storage.about import by_person
from lrs.storage.kinds import Kind, of_person
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

KIND = "badge-name"
LONGEST = 100


class ShownName(msgspec.Struct, frozen=True):
    """The body of a ``badge-name`` record: the name as its holder saw it, and when they agreed (microseconds UTC).

    *confirmed*: staff had confirmed it, so badges say it as long as they stand by it.
    """

    person: str
    name: str
    at: int
    confirmed: bool = False
    v: int = 1


_decode = msgspec.json.Decoder(ShownName).decode


def shown_name(reader: Reader, badge: str) -> str:
    """The name that the *badge* (id) is to say; empty if it is to say none, or if nobody stands by it any more."""
    record = reader.get(KIND, badge)
    held = _decode(record.body) if record else None
    if held is None or not still_vouched(reader, held.person, held.name, confirmed=held.confirmed):
        return ""
    return held.name


def put_in(tx: Tx, tenant: Tenant, badge: Record, *, by: str) -> str:
    """Has *badge* say its holder's name, with this commit. Gives the name.

    Raises ``Refused``: 403 for somebody who is under age, 409 if no name is known.
    """
    person = str(badge.meta["person"])
    if not may_share(tenant, person, tx):
        message = "You are noted as under age. Nothing of yours is shown in public: your name stays out of the badge."
        raise Refused(message, status=403, error="under_age")
    known = vouched_name(tx, person)
    name = cleaned(known.text, LONGEST) if known else ""
    if known is None or not name:
        raise Refused("Your name is not known here. Ask your training provider.", status=409, error="no_name")
    if shown_name(tx, badge.id) != name:
        body = msgspec.json.encode(ShownName(person, name, tenant.clock(), known.is_confirmed))
        tx.put(Record(KIND, badge.id, body, keys=(key("badge-name.person", person),)))
        _owe(tx, badge.id)
        audit.append(tx, by, "badge.name_put_in", {"badge": badge.id})
    return name


def take_out(tx: Tx, badge: str, *, by: str) -> bool:
    """Has the *badge* (id) say no name any more, with this commit. ``False`` if it said none."""
    if not tx.delete(KIND, badge):
        return False
    _owe(tx, badge)
    audit.append(tx, by, "badge.name_taken_out", {"badge": badge})
    return True


def _owe(tx: Tx, badge: str) -> None:
    tx.owe("award", award_of(tx, badge), Owed("issue"))


KINDS = (
    Kind(
        KIND,
        "fact",
        ShownName,
        1,
        subjects=of_person(_decode),
        retention="consent",
        exported=True,
        find=by_person(KIND, "badge-name.person"),
    ),
)
