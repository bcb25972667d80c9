"""What learners of a platform hold, as statements that it reads: a skill "asserted", as ADL's TLA has it.

Moodle's plugin ``tool_lptmanager`` polls them and grades learning plans (read in its source, 6f5236b): it looks up the
name of the actor's account as Moodle's ID number, or its mailbox as an address; the competency by the code in the
extension ``competency-identifier``; the framework by the id of the grouping. Off until somebody names the frameworks of
a platform. It follows the profile: whenever that changed, the step ``sync`` looks here, too. What is lost is voided;
Moodle takes no grade back by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any
from urllib.parse import quote

import msgspec

from adapters.lms.lti import platforms, users
from adapters.lms.lti.platforms import LtiPlatform
from adapters.lms.lti.skill_grades import held_of
from adapters.lms.lti.users import LtiUser, ToldResult
from lrs.access import KEY, OWN, RESULTS_SOURCE, Caller
from lrs.access.keys import NewKey, authority_of, new_key, put_key
from lrs.access.source_names import put_name, shown_name
from lrs.competency.shapes import ProfileEntry
from lrs.kernel.errors import Refused
from lrs.kernel.names import name
from lrs.people.persons import members_of
from lrs.storage import ROWS, Claim, Owed, Reader, Tx
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.prepare import Terms, prepare
from lrs.xapi.statements.subscriptions import Subscriptions
from lrs.xapi.statements.validate import VOIDED
from lrs.xapi.statements.write import store_in

ASSERTED = "https://w3id.org/xapi/tla/verbs/asserted"
CODE = "https://w3id.org/xapi/tla/extensions/competency-identifier"
FRAMEWORK = "https://w3id.org/xapi/tla/activity-types/competency-framework"
COMPETENCY = "https://w3id.org/xapi/tla/activity-types/competency"
LEVEL = "https://w3id.org/engraft/extensions/level"
_KINDS = ("profile", "person")
_AT_ONCE = 100
_VERSION = "1.0.3"


def source_of(platform: str) -> str:
    """The source of the statements for *platform*, which its own key reads and no other."""
    return f"{RESULTS_SOURCE} {platform}"


def turn_on(tenant: Tenant, platform: LtiPlatform, frameworks: Sequence[str], *, by: str) -> NewKey:
    """Tells *platform* what its learners hold of *frameworks* (URIs) from now on. Gives a key to read that with.

    Frameworks and key are one commit: nothing is told that nobody can read. ``tell_again`` repeats what comes after it.
    """
    new = new_key(tenant, source_of(platform.id), ("statements/read/mine",), product="moodle", reserved=True)

    def decide(tx: Tx) -> None:
        platforms.set_results(tx, platform.id, frameworks, by)
        put_key(tx, new, by)
        _name_source(tx, platform, by)

    tenant.store.write(decide).result()
    tell_again(tenant, platform.id)
    return new.shown


def _name_source(tx: Tx, platform: LtiPlatform, by: str) -> None:
    """Gives the source a name that people can read, unless it has one or another source is called so."""
    source = source_of(platform.id)
    if not shown_name(tx, source):
        with suppress(Refused):
            put_name(tx, source, f"Results for {platform.name}", by=by)


def change(tenant: Tenant, platform: LtiPlatform, frameworks: Sequence[str], *, by: str) -> None:
    """Tells *platform* of *frameworks* (URIs) from now on; it reads with the key that it has."""

    def decide(tx: Tx) -> None:
        platforms.set_results(tx, platform.id, frameworks, by)
        _name_source(tx, platform, by)

    tenant.store.write(decide).result()
    tell_again(tenant, platform.id)


def tell_again(tenant: Tenant, platform: str) -> None:
    """Has it looked at everybody who is known on *platform*."""
    persons = [one.person for one in users.everyone(tenant.store) if one.platform == platform]
    for start in range(0, len(persons), _AT_ONCE):
        some = persons[start : start + _AT_ONCE]
        tenant.store.write(partial(_owe, persons=some), weight=ROWS * len(some)).result()


def _owe(tx: Tx, persons: Iterable[str]) -> None:
    for person in persons:
        if tx.get("person", person) is not None:
            tx.owe("person", person, Owed("sync"))


def follow(tenant: Tenant, claims: Sequence[Claim], subscriptions: Subscriptions) -> None:
    """Tells the platforms what follows from the profiles that *claims* are about. Can be repeated."""
    persons = {claim.record.id for claim in claims if claim.record.kind in _KINDS}
    telling = {one.id: one for one in platforms.everyone(tenant.store) if one.results and one.state == "approved"}
    for person in sorted(persons) if telling else ():
        for id, known in _users_of(tenant.store, person):
            if known.platform in telling and not known.test:
                tell = partial(_tell, tenant=tenant, id=id, platform=telling[known.platform], owed=subscriptions)
                tenant.store.write(tell, weight=4 * ROWS).result()


def _users_of(reader: Reader, person: str) -> Iterator[tuple[str, LtiUser]]:
    for one in members_of(reader, person):
        yield from users.of_person(reader, one)


def _tell(tx: Tx, tenant: Tenant, id: str, platform: LtiPlatform, owed: Subscriptions) -> None:
    """Stores what *platform* has not been told of one user, and voids what it was told and is not so any more.

    Of a user whom it cannot tell from another nothing new is told; what is lost is voided all the same.
    """
    known = users.user(tx, id)
    if known is None:
        return
    actor = actor_of(tx, platform, known)
    held = {
        one.competency.id: one
        for one in held_of(tx, known.person)
        if one.state != "expired" and one.competency.framework in platform.results
    }
    lost = [one for one in known.told if not _still(one, held.get(one.competency))]
    stays = [one for one in known.told if one not in lost]
    new = [one for one in held.values() if actor and one.award not in {told.award for told in stays}]
    told = [ToldResult(one.award, _free(tx, id, one.award), one.competency.id, one.level.ordinal) for one in new]
    pairs = zip(new, told, strict=True)
    statements = [_asserted(actor, entry, result.statement) for entry, result in pairs if actor]
    teller, terms = _teller(tenant, platform), Terms(tenant.settings, owed)
    us = msgspec.json.decode(teller.authority)
    statements += [_voiding(one, us) for one in lost if _stands(tx, one)]
    if statements:
        store_in(tx, prepare(teller, _VERSION, msgspec.json.encode(statements), terms))
    if new or lost:
        users.put_user(tx, msgspec.structs.replace(known, told=(*stays, *told)))


def actor_of(reader: Reader, platform: LtiPlatform, known: LtiUser) -> dict[str, Any] | None:
    """By what *platform* finds the user: its ID number, or its address; ``None`` if several users have the same."""
    if known.number and not users.shares_number(reader, known):
        return {"account": {"homePage": users.number_home(platform), "name": known.number}}
    if known.email and len(users.with_alias(reader, known.platform, known.email)) == 1:
        return {"mbox": f"mailto:{known.email}"}
    return None


def _asserted(actor: dict[str, Any], entry: ProfileEntry, id: str) -> dict[str, Any]:
    about = entry.competency
    competency = {
        "id": f"{about.framework}#{quote(about.code)}",
        "definition": {"name": {"en": about.label}, "type": COMPETENCY, "extensions": {CODE: about.code}},
    }
    framework = {"id": about.framework, "definition": {"type": FRAMEWORK}}
    context = {"contextActivities": {"grouping": [framework]}, "extensions": {LEVEL: entry.level.label}}
    verb = {"id": ASSERTED, "display": {"en": "asserted"}}
    when = f"{entry.since.isoformat()}T00:00:00Z"
    return {"id": id, "actor": actor, "verb": verb, "object": competency, "context": context, "timestamp": when}


def _voiding(told: ToldResult, us: dict[str, Any]) -> dict[str, Any]:
    target = {"objectType": "StatementRef", "id": told.statement}
    id = name("lti result voided", told.statement)
    return {"id": id, "actor": us, "verb": {"id": VOIDED, "display": {"en": "voided"}}, "object": target}


def _still(told: ToldResult, entry: ProfileEntry | None) -> bool:
    """Whether what was told still holds: at that level, or a higher one."""
    return entry is not None and entry.level.ordinal >= told.level


def _free(reader: Reader, user: str, award: str) -> str:
    """The id of the next statement about an award: one that was voided is not told again under its id."""
    ids = (name("lti result", user, award, number) for number in count())
    return next(one for one in ids if reader.get("statement", one) is None)


def _stands(reader: Reader, told: ToldResult) -> bool:
    record = reader.get("statement", told.statement)
    return record is not None and not record.meta.get("voided")


def _teller(tenant: Tenant, platform: LtiPlatform) -> Caller:
    source = source_of(platform.id)
    authority = authority_of(tenant, f"{tenant.id}.results", source)
    return Caller("lms", source, authority, {"statements.void": OWN}, tenant.id, KEY)


def check_frameworks(known: Iterable[str], wanted: Sequence[str]) -> None:
    """Raises ``Refused`` (400) for one of *wanted* that is not among the *known* ones."""
    known = set(known)
    if not wanted:
        raise Refused("Name at least one framework whose competencies the platform is told.")
    for one in wanted:
        if one not in known:
            raise Refused(f"There is no framework {one[:200]!r}: see lrs framework list.")


def told_of(reader: Reader, platform: LtiPlatform) -> dict[str, int]:
    """How many users are known there, how many cannot be told apart, and how many results were told."""
    found = [one for one in users.everyone(reader) if one.platform == platform.id and not one.test]
    unknown = sum(actor_of(reader, platform, one) is None for one in found)
    return {"users": len(found), "unknown": unknown, "told": sum(len(one.told) for one in found)}
