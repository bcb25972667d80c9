"""Badges of others that a learner brings along: prior learning, kept, and evidence where the issuer is trusted.

A badge is kept only if it is valid now. It becomes evidence if the organisation names its issuer as trusted and it was
issued to an e-mail address of this learner, or staff have seen that it is theirs: then a statement is stored with it,
from a source of its own, and rules that name that source count it. Without that it stays without effect.

kind ``prior-badge``, id made of person, issuer and the badge's own id: the same badge again changes nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from badges.keys.issuer import issuer_of
from badges.prior.trusted import trusted_issuer
from badges.verifying.containers import MAX_BADGE, taken_from
from badges.verifying.recipients import check_recipient
from badges.verifying.verdict import Invalid, Verdict
from badges.verifying.verify import failures
from badges.views import verdict_view
from lrs.access import ALL, OWN_SOURCE, PRIOR_SOURCE, SESSION, Caller
from lrs.access.keys import authority_of
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.names import name
from lrs.kernel.strict_json import JsonView
from lrs.kernel.times import timestamp_of_micros
from lrs.people.persons import identifiers_of
from lrs.storage import Reader, Record, Tx, each
from lrs.storage.about import by_keys
from lrs.storage.kinds import Kind, of_person
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.plan import Plan
from lrs.xapi.statements.prepare import Terms, prepare
from lrs.xapi.statements.subscriptions import Subscriptions
from lrs.xapi.statements.write import store_in

KIND = "prior-badge"
VOIDED = "http://adlnet.gov/expapi/verbs/voided"
EARNED = "http://id.tincanapi.com/verb/earned"
BADGE_TYPE = "http://activitystrea.ms/schema/1.0/badge"
EXTENSION = "https://w3id.org/engraft/extensions/prior-badge"
"""Key in ``context.extensions`` of the statement: the badge's id, its issuer, and who vouches that it is theirs."""
VERSION = "1.0.3"
MOST = 50
"""Badges of others that are kept of one person."""


class PriorBadge(msgspec.Struct, frozen=True):
    """The body: the badge as it was handed in, what it said, and what became of it.

    *statement* is the id of the evidence, empty for a badge without effect; *why* says then why it has none:
    ``issuer_not_trusted``, ``recipient_not_known`` or ``nobody_to_name``.
    """

    person: str
    text: str
    name: str
    issuer: str
    issuer_name: str
    day: str
    by: str
    at: int
    statement: str = ""
    why: str = ""
    v: int = 1


_decode = msgspec.json.Decoder(PriorBadge).decode


class PriorPlan(msgspec.Struct, frozen=True):
    """A badge that is ready to be kept, or removed: its record, and the statement that goes in with that."""

    id: str
    badge: PriorBadge
    plan: Plan | None


def ready(
    tenant: Tenant,
    person: str,
    content: bytes,
    verdict: Verdict,
    *,
    by: str,
    is_theirs: bool,
    subscriptions: Subscriptions,
) -> PriorPlan:
    """What is kept of *content*, a badge on which there is a *verdict*, for *person*. Writes nothing.

    *is_theirs*: whoever hands it in, *by*, vouches that it is this person's. Raises ``Refused`` (400) for a badge that
    is not valid, and for several at once.
    """
    credential, said = _checked(tenant, verdict)
    issuer, id = said["issuerId"], str(credential.get("id"))
    agents = identifiers_of(tenant.store, person)
    why = _without_effect(tenant.store, credential, issuer, agents, is_theirs=is_theirs)
    record_id, day = (
        name(KIND, person, issuer, id),
        said["given"] or said["from"] or timestamp_of_micros(tenant.clock()),
    )
    statement = {} if why else _statement(_statement_id(tenant, record_id), said, agents[0], by, day)
    badge = PriorBadge(
        person=person,
        text=_text(content),
        name=said["name"],
        issuer=issuer,
        issuer_name=said["issuer"],
        day=day[:10],
        by=by,
        at=tenant.clock(),
        statement=str(statement.get("id", "")),
        why=why,
    )
    return PriorPlan(record_id, badge, _plan(tenant, statement, by, subscriptions) if statement else None)


def _checked(tenant: Tenant, verdict: Verdict) -> tuple[JsonView, dict[str, Any]]:
    """The valid badge of another issuer on which there is a *verdict*, and what it says. Raises ``Refused`` (400)."""
    credential = verdict.credential
    if not verdict.valid or credential is None:
        why = next((check.why for check in failures(verdict)), "several badges at once: hand in one")
        raise Refused(f"This badge is not taken: {why}.", error="badge_not_valid")
    said = verdict_view.summary(credential, verdict.format)
    if not said["achievementId"]:
        raise Refused("This badge is not taken: what was achieved has no id.", error="badge_not_valid")
    if said["issuerId"] == issuer_of(tenant).id:
        raise Refused("This badge was issued here: it is with its holder's badges already.", error="badge_not_valid")
    return credential, said


def keep(tx: Tx, ready: PriorPlan) -> PriorBadge:
    """Keeps the badge with this commit, and stores its statement. A badge that is evidence already stays as it is."""
    before = tx.get(KIND, ready.id)
    if before is not None and (_decode(before.body).statement or ready.plan is None):
        return _decode(before.body)
    if before is None and len(list(each(tx, KIND, _key(ready.badge.person)))) >= MOST:
        raise Refused(f"{MOST} badges of others are kept of somebody at the most.", status=409, error="too_many")
    if ready.plan is not None:
        store_in(tx, ready.plan)
    tx.put(Record(KIND, ready.id, msgspec.json.encode(ready.badge), keys=(_key(ready.badge.person),)))
    state = "evidence" if ready.badge.statement else "kept"
    audit.append(tx, ready.badge.by, f"prior-badge.{state}", {"badge": ready.id, "issuer": ready.badge.issuer})
    return ready.badge


def brought(reader: Reader, persons: Iterable[str], by: str = "") -> list[tuple[str, PriorBadge]]:
    """The badges of others of *persons*, the members of one learner, by their ids, newest first.

    Only those *by* one, if given.
    """
    found = [(record.id, _decode(record.body)) for person in persons for record in each(reader, KIND, _key(person))]
    return sorted((one for one in found if not by or one[1].by == by), key=lambda one: (-one[1].at, one[1].name))


def leaving(tenant: Tenant, id: str, *, by: str, subscriptions: Subscriptions) -> PriorPlan:
    """What it takes to remove the badge *id* of others: a statement that voids its evidence, if it is any.

    Raises ``Refused`` (404). Whether it is the caller's to remove, the caller has made sure.
    """
    record = tenant.store.get(KIND, id)
    if record is None:
        raise _gone()
    badge = _decode(record.body)
    told = {
        "actor": msgspec.json.decode(_authority(tenant)),
        "verb": {"id": VOIDED, "display": {"en": "voided"}},
        "object": {"objectType": "StatementRef", "id": badge.statement},
    }
    return PriorPlan(id, badge, _plan(tenant, told, by, subscriptions) if badge.statement else None)


def remove(tx: Tx, leaving: PriorPlan, *, by: str) -> None:
    """Removes the badge with this commit, and voids its evidence. Raises ``Refused`` (404, 409)."""
    record = tx.get(KIND, leaving.id)
    if record is None:
        raise _gone()
    if _decode(record.body).statement != leaving.badge.statement:
        raise Refused("The badge was brought once more meanwhile. Reload the page.", status=409, error="conflict")
    target = tx.get("statement", leaving.badge.statement) if leaving.plan else None
    if leaving.plan is not None and target is not None and not target.meta.get("voided"):
        store_in(tx, leaving.plan)
    tx.delete(KIND, leaving.id)
    audit.append(tx, by, "prior-badge.removed", {"badge": leaving.id, "issuer": leaving.badge.issuer})


def _gone() -> Refused:
    return Refused("This badge is not kept here any more. Reload the page.", status=404, error="not_found")


def _without_effect(
    reader: Reader, credential: JsonView, issuer: str, agents: list[dict[str, Any]], *, is_theirs: bool
) -> str:
    """Why the badge is no evidence; empty if it is."""
    if agents and not is_theirs and not any(_is_of(credential, agent) for agent in agents):
        return "recipient_not_known"
    if trusted_issuer(reader, issuer) is None:
        return "issuer_not_trusted"
    return "" if agents else "nobody_to_name"


def _is_of(credential: JsonView, agent: Mapping[str, Any]) -> bool:
    try:
        return "mbox" in agent and bool(check_recipient(credential, str(agent["mbox"])))
    except Invalid:
        return False


def _statement(id: str, said: Mapping[str, str], agent: JsonView, by: str, day: str) -> dict[str, Any]:
    return {
        "id": id,
        "actor": {"objectType": "Agent", **agent},
        "verb": {"id": EARNED, "display": {"en": "earned"}},
        "object": {
            "id": said["achievementId"],
            "definition": {"type": BADGE_TYPE, "name": {"en": said["name"]}},
        },
        "timestamp": day,
        "context": {"extensions": {EXTENSION: {"badge": said["id"], "issuer": said["issuerId"], "by": by}}},
    }


def _statement_id(tenant: Tenant, id: str) -> str:
    """The id of the statement about the badge *id*; another one if that was voided, because the badge was removed."""
    first = name("prior-badge-statement", id)
    record = tenant.store.get("statement", first)
    return name("prior-badge-statement", id, tenant.clock()) if record and record.meta.get("voided") else first


def _authority(tenant: Tenant) -> bytes:
    return authority_of(tenant, f"{tenant.id}.{OWN_SOURCE}", OWN_SOURCE)


def _plan(tenant: Tenant, statement: dict[str, Any], by: str, subscriptions: Subscriptions) -> Plan:
    rights = {"statements.write": ALL, "statements.void": ALL}
    caller = Caller(by, PRIOR_SOURCE, _authority(tenant), rights, tenant.id, SESSION)
    return prepare(caller, VERSION, msgspec.json.encode([statement]), Terms(tenant.settings, subscriptions))


def _text(content: bytes) -> str:
    """The badge itself, out of whatever image it came in."""
    return taken_from(content).text[:MAX_BADGE].decode("utf-8", "replace")


@functools.cache
def _key(person: str) -> int:
    return key("prior-badge.person", person)


KINDS = (
    Kind(
        KIND,
        "fact",
        PriorBadge,
        1,
        subjects=of_person(_decode),
        retention="evidence",
        exported=True,
        find=by_keys(KIND, lambda whose: (_key(one) for one in whose.persons)),
    ),
)
