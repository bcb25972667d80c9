"""Badges that somebody revoked or suspended by hand, with the reason, and what takes that back.

A stop is a fact about the badge of one award, whatever becomes of the award. The step "issue" follows it: the bit of
the badge's place is set. A suspension is that with the promise that it can end: then the badge is issued anew under its
id, at another place of the list, because a copy in a wallet knows only the one where it is revoked.

kind ``badge-stop``, id that of the badge. The reason stays here: it goes into no list and into no badge.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Literal

import msgspec

from badges.content.awards import credential_uuid
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.plain_text import control_character, counted
from lrs.kernel.sealed import digest_of
from lrs.storage import Owed, Reader, Record, Tx, each
from lrs.storage.about import by_person, without
from lrs.storage.kinds import Kind, of_person_in_meta
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant

KIND = "badge-stop"
LONGEST_REASON = 500
_AT_ONCE = 200
StopState = Literal["revoked", "suspended"]


class Stop(msgspec.Struct, frozen=True):
    """The body of a ``badge-stop`` record: what was done, why, when (microseconds UTC), and by whom."""

    v: int
    state: StopState
    reason: str
    at: int
    by: str


class Agreed(msgspec.Struct, frozen=True):
    """What somebody agreed to revoke: the *number* that they typed, and the ``digest`` of the badges that they saw."""

    number: int
    digest: str


def digest(badges: Iterable[str]) -> str:
    """One short text for a set of badges (ids), another for every other set."""
    return digest_of("\n".join(sorted(badges)))


def stop_of(reader: Reader, badge: str) -> Stop | None:
    """What stops the badge of this id."""
    record = reader.get(KIND, badge)
    return read(record) if record else None


def state_of(reader: Reader, badge: Record) -> str:
    """``issued``, ``revoked``, or ``suspended``: what became of *badge*, also before its list is published."""
    stopped = stop_of(reader, badge.id)
    return stopped.state if stopped else str(badge.meta["state"])


def read(record: Record) -> Stop:
    """The stop in *record*."""
    return msgspec.json.decode(record.body, type=Stop)


def states(reader: Reader, badges: Iterable[str]) -> dict[str, StopState]:
    """How each of *badges* (ids) is stopped, by its id; those that are not stopped are left out."""
    wanted = list(badges)
    parts = (reader.get_many(KIND, wanted[at : at + _AT_ONCE]) for at in range(0, len(wanted), _AT_ONCE))
    return {id: read(record).state for part in parts for id, record in part.items()}


def to_stop(reader: Reader, badges: Iterable[str], state: StopState) -> list[str]:
    """Those of *badges* (ids) that ``stop`` would change: not stopped so, nor revoked. None is looked for."""
    wanted = list(dict.fromkeys(badges))
    held = states(reader, wanted)
    return [id for id in wanted if held.get(id) not in {state, "revoked"}]


def check_reason(reason: str) -> str:
    """*reason* without blanks around it. Raises ``Refused`` (400) if it says nothing, or too much."""
    fault = control_character(reason)
    if fault or not reason.strip() or len(reason) > LONGEST_REASON:
        told = f"has the control character {fault} in it" if fault else f"takes 1 to {LONGEST_REASON} characters"
        raise Refused(f"the reason {told}: say in a sentence why", error="bad_reason", pointer="/reason")
    return reason.strip()


def stop(
    tenant: Tenant, badges: Sequence[str], state: StopState, *, reason: str, by: str, agreed: Agreed | None = None
) -> int:
    """Revokes or suspends *badges* (ids). Gives how many were not yet so.

    Nothing is done if one of them is not there, or if others of them would change than were *agreed*, if that is given.
    What comes to be stopped or resumed from then on is left as it is. Afterwards each commit has some of them, so a
    kill leaves whole ones, and the same again does the rest. Raises ``Refused``.
    """
    body = Stop(1, state, check_reason(reason), tenant.clock(), by)
    awards = {id: award_of(tenant.store, id) for id in dict.fromkeys(badges)}
    wanted = to_stop(tenant.store, badges, state)
    if agreed is not None:
        _check_agreed(wanted, agreed)
    found = [(id, awards[id]) for id in wanted]
    return sum(tenant.store.write(partial(_stop, badges=some, stopped=body)).result() for some in _some(found))


def _check_agreed(wanted: Sequence[str], agreed: Agreed) -> None:
    count = len(wanted)
    if agreed.number != count:
        message = f"It is about {counted(count, 'badge')}, and {agreed.number} was typed."
        message += " Nothing was done: look at them again."
        raise Refused(message, status=409, error="another_number", pointer="/expected")
    if agreed.digest != digest(wanted):
        message = "Other badges would be revoked than the page showed. Nothing was done: look at them again."
        raise Refused(message, status=409, error="other_badges", pointer="/expected")


def _some(found: Sequence[tuple[str, str]]) -> Iterator[Sequence[tuple[str, str]]]:
    return (found[at : at + _AT_ONCE] for at in range(0, len(found), _AT_ONCE))


def _stop(tx: Tx, *, badges: Sequence[tuple[str, str]], stopped: Stop) -> int:
    count = 0
    for id, award in badges:
        held, before = tx.get("credential", id), stop_of(tx, id)
        if held is None or (before and before.state in {stopped.state, "revoked"}):
            continue  # a revocation is not made a suspension
        person = str(held.meta["person"])
        meta, keys = {"person": person, "award": award}, (key("badge-stop.person", person),)
        tx.put(Record(KIND, id, msgspec.json.encode(stopped), meta=meta, keys=keys))
        _owe(tx, award)
        audit.append(tx, stopped.by, f"badge.{stopped.state}_by_hand", {"badge": id})
        count += 1
    return count


def resume(tenant: Tenant, badge: str, *, by: str) -> None:
    """Ends the suspension of *badge*. Raises ``Refused`` if it is not suspended."""
    _take_back(tenant, badge, "suspended", by)


def issue_again(tenant: Tenant, id: str, *, by: str) -> str:
    """Owes the badge of the award, or the badge, *id*, though it was revoked by hand. Gives the id of the badge.

    Raises ``Refused`` if there is neither, for a suspended one, and for one that is valid.
    """
    if tenant.store.get("award", id) is not None:
        award, badge = id, credential_uuid(id)
    else:
        award, badge = award_of(tenant.store, id), id
    stopped = stop_of(tenant.store, badge)
    if stopped is not None and stopped.state == "suspended":
        raise Refused(f"badge {badge} is suspended: lrs badges resume ends that", status=409, error="suspended")
    held = tenant.store.get("credential", badge)
    if stopped is None and held is not None and held.meta["state"] == "issued":
        raise Refused(f"badge {badge} is not missing: lrs badges show prints it", status=409, error="issued_already")
    if stopped is not None:
        _take_back(tenant, badge, "revoked", by)
    else:
        tenant.store.write(lambda tx: _owe(tx, award)).result()
    return badge


def _take_back(tenant: Tenant, badge: str, state: StopState, by: str) -> None:
    award = award_of(tenant.store, badge)

    def decide(tx: Tx) -> None:
        stopped = stop_of(tx, badge)
        if stopped is None or stopped.state != state:
            raise Refused(f"badge {badge} is not {state}", status=409, error="not_stopped")
        tx.delete(KIND, badge)
        _owe(tx, award)
        audit.append(tx, by, "badge.resumed", {"badge": badge})

    tenant.store.write(decide).result()


def _owe(tx: Tx, award: str) -> None:
    if tx.get("award", award) is not None:
        tx.owe("award", award, Owed("issue"))


def award_of(reader: Reader, badge: str) -> str:
    """The award of *badge*: one of its holder's, or of whom the holder was joined with since."""
    record = reader.get("credential", badge)
    if record is None:
        raise Refused(f"there is no badge {badge}: lrs badges list shows them", status=404, error="not_found")
    for keys in ((key("award", str(record.meta["person"])),), ()):
        for award in each(reader, "award", *keys):
            if credential_uuid(award.id) == badge:
                return award.id
    raise Refused(f"the award of badge {badge} is not there any more", status=409, error="no_award")


KINDS = (
    Kind(
        KIND,
        "fact",
        Stop,
        1,
        subjects=of_person_in_meta,
        retention="evidence",
        exported=True,
        find=by_person(KIND, "badge-stop.person"),
        shown=without("by"),
    ),
)
