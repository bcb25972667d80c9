"""What becomes of badges, as counts for stewards: issued, opened, claimed, shared, verified.

Each badge counts once for each of these, however often it happens, so nobody can write much by asking often. A count
says how many badges of an achievement came so far, and names nobody.

kind ``badge-use``, id that of the badge: what happened to it, and when first. kind ``badge-counts``, id that of the
achievement: the numbers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal, get_args

import msgspec

from lrs.kernel.keys import key
from lrs.storage import Reader, Record, Tx, each
from lrs.storage.about import by_person
from lrs.storage.kinds import Kind, of_person_in_meta
from lrs.tenancy.tenants import Tenant

USE, COUNTS = "badge-use", "badge-counts"
Use = Literal["opened", "claimed", "shared", "verified"]
"""What happens to a badge after it was issued, in the order in which it does."""
ISSUED = "issued"
COUNTED = (ISSUED, *get_args(Use))


class BadgeUse(msgspec.Struct, frozen=True):
    """The body of a ``badge-use`` record: when each thing happened first, in microseconds UTC."""

    v: int
    first: dict[str, int]


class BadgeCounts(msgspec.Struct, frozen=True):
    """The body of a ``badge-counts`` record: of how many badges each is true."""

    v: int
    counts: dict[str, int]


def count_issued(tx: Tx, badge: Record) -> None:
    """Counts *badge*, which is about to be stored, unless it was counted. Nothing is noted of the badge itself."""
    held = tx.get("credential", badge.id) if badge.rev else None
    if held is None or (_is_from_before(held) and tx.get(USE, badge.id) is None):
        _add(tx, str(badge.meta["achievement"]), (ISSUED,))


def count(tx: Tx, badge: str, what: Use, at: int) -> bool:
    """Notes that *what* happened to *badge* (id) at the time *at* (microseconds UTC), if it never did before.

    Gives whether it was the first time. ``False``, and nothing is written, if there is no such badge.
    """
    held, old = tx.get("credential", badge), tx.get(USE, badge)
    before = dict(msgspec.json.decode(old.body, type=BadgeUse).first) if old else {}
    if held is None or what in before:
        return False
    person = str(held.meta["person"])
    body = msgspec.json.encode(BadgeUse(1, {**before, what: at}))
    tx.put(Record(USE, badge, body, meta={"person": person}, keys=(key("badge-use.person", person),)))
    _add(tx, achievement_of(held), (ISSUED, what) if _is_from_before(held) and not before else (what,))
    return True


def happened(reader: Reader, badge: str, what: Use) -> bool:
    """Whether *what* happened to *badge* (id) before."""
    record = reader.get(USE, badge)
    return record is not None and what in msgspec.json.decode(record.body, type=BadgeUse).first


def note(tenant: Tenant, badge: str, what: Use) -> None:
    """Counts that *what* happened to *badge* (id); nothing is written if it happened before."""
    if not happened(tenant.store, badge, what):
        tenant.store.write(lambda tx: count(tx, badge, what, tenant.clock())).result()


def _is_from_before(held: Record) -> bool:
    """Whether it was issued when nobody counted."""
    return "achievement" not in held.meta


def achievement_of(held: Record) -> str:
    """The id of what the badge in a ``credential`` record is for, whatever version of its words the badge has."""
    known = held.meta.get("achievement")
    return str(known or json.loads(held.body)["credentialSubject"]["achievement"]["id"].rpartition("/")[2])


def _add(tx: Tx, achievement: str, happened: Sequence[str]) -> None:
    old = tx.get(COUNTS, achievement)
    counts = dict(msgspec.json.decode(old.body, type=BadgeCounts).counts) if old else {}
    for what in happened:
        counts[what] = counts.get(what, 0) + 1
    tx.put(Record(COUNTS, achievement, msgspec.json.encode(BadgeCounts(1, counts))))


def counts_of(reader: Reader) -> dict[str, dict[str, int]]:
    """The numbers of each achievement, by its id; 0 for what never happened."""
    found = {one.id: msgspec.json.decode(one.body, type=BadgeCounts).counts for one in each(reader, COUNTS)}
    return {id: {what: counts.get(what, 0) for what in COUNTED} for id, counts in found.items()}


KINDS = (
    Kind(
        USE,
        "fact",
        BadgeUse,
        1,
        subjects=of_person_in_meta,
        retention="evidence",
        exported=True,
        find=by_person(USE, "badge-use.person"),
    ),
    Kind(COUNTS, "fact", BadgeCounts, 1, subjects=None, retention="evidence", exported=True),
)
"""The numbers stay when somebody is erased: they name nobody."""
