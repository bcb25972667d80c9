"""Corrects what a statement said: the statement is voided and a new one is stored, and nothing is overwritten.

Both are prepared and stored like any statements. The new one comes from the same source as the one it replaces, because
rules trust sources; its authority is the organisation, in the name of the member of staff, and its context refers to
the statement that it replaces and says why (1.0.3 Data 2.3.2, 2.4.6). Knows no question and no page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from lrs.access import ALL, SESSION, Caller
from lrs.competency.evidence import evidence_from, statement_key
from lrs.kernel.errors import Refused
from lrs.kernel.plain_text import control_character
from lrs.people.persons import identifiers_in, members_of
from lrs.storage import Reader, Record, Tx, each
from lrs.tenancy import audit
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements.plan import KIND, Plan
from lrs.xapi.statements.prepare import Terms, prepare
from lrs.xapi.statements.subscriptions import Subscriptions
from lrs.xapi.statements.validate import VOIDED
from lrs.xapi.statements.write import store_in

WHY = "https://w3id.org/engraft/extensions/correction"
"""Key in ``context.extensions`` of a corrected statement: why it replaces another."""
LONGEST = 500
"""Characters of the reason."""
PASSED, FAILED = "http://adlnet.gov/expapi/verbs/passed", "http://adlnet.gov/expapi/verbs/failed"
_SET_BY_US = ("id", "stored", "authority", "version", "attachments")


class Correction(msgspec.Struct, frozen=True):
    """What is wrong with a *statement*, and what is so. Without *new*, the statement is only voided.

    *changes* replaces ``timestamp`` (RFC 3339), ``score`` (per cent) and ``success``, as far as they are named.
    """

    statement: str
    why: str
    new: bool = True
    changes: Mapping[str, Any] = {}


class Correcting(msgspec.Struct, frozen=True):
    """A correction that is ready to be stored: the plan, and what it writes into the record of actions."""

    plan: Plan
    about: dict[str, str]


def ready(
    tenant: Tenant, person: str, wanted: Correction, *, by: str, name: str, home: str, subscriptions: Subscriptions
) -> Correcting:
    """Prepares *wanted*, about evidence of *person*. Writes nothing.

    *by* is who corrects, called *name*; *home* is the address of the tenant's pages. Raises ``Refused``: 400 for what
    cannot be stored, 404 if the statement is no evidence of *person*, 409 if it is voided
    already, or about several learners.
    """
    why = " ".join(wanted.why.split())
    if not why or len(why) > LONGEST or control_character(why):
        raise Refused(f"Say why it is corrected, in 1 to {LONGEST} characters.", pointer="/why")
    record = _evidence_of(tenant.store, person, wanted.statement)
    told = msgspec.json.decode(record.body)
    if told["actor"].get("objectType") == "Group":
        message = "This record is about several learners, and taking it back would take it from all of them."
        raise Refused(message, status=409, error="several")
    agent = {"objectType": "Agent", "name": name, "account": {"homePage": home, "name": by}}
    void = {
        "actor": agent,
        "verb": {"id": VOIDED, "display": {"en": "voided"}},
        "object": {"objectType": "StatementRef", "id": record.id},
        "context": {"extensions": {WHY: why}},
    }
    statements = [void, _corrected(told, record.id, why, wanted.changes)] if wanted.new else [void]
    source = str(record.meta["source"])
    rights = {"statements.write": ALL, "statements.void": ALL}
    caller = Caller(by, source, msgspec.json.encode(agent), rights, tenant.id, SESSION)
    version = str(record.meta["version"])
    terms = Terms(tenant.settings, subscriptions)
    plan = prepare(caller, version, msgspec.json.encode(statements), terms)
    return Correcting(plan, {"person": person, "statement": record.id, "source": source, "why": why})


def correct(tx: Tx, ready: Correcting, *, by: str) -> list[str]:
    """Stores a correction with this commit, and its entry in the record of actions. Gives the ids of the statements.

    Raises ``Refused`` (409) if the statement was voided meanwhile.
    """
    target = tx.get(KIND, ready.about["statement"])
    if target is None or target.meta.get("voided"):
        raise _voided_already()
    ids = store_in(tx, ready.plan)
    audit.append(tx, by, "statement.corrected", ready.about | {"new": ids[1] if len(ids) > 1 else "none"})
    return ids


def _evidence_of(reader: Reader, person: str, statement: str) -> Record:
    """The statement, if it is evidence of *person* that stands."""
    own = identifiers_in(reader, members_of(reader, person))
    found = any(
        evidence_from(one).statement == statement
        for identifier in own
        for one in each(reader, "evidence", statement_key(identifier.id, statement))
    )
    record = reader.get(KIND, statement) if found else None
    if record is None:
        raise Refused("This is no evidence of this learner.", status=404, error="not_found")
    if record.meta.get("voided"):
        raise _voided_already()
    return record


def _voided_already() -> Refused:
    return Refused("This record was taken back already. Reload the page.", status=409, error="conflict")


def _corrected(told: dict[str, Any], statement: str, why: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The statement that replaces *told*."""
    made = {name: value for name, value in told.items() if name not in _SET_BY_US}
    result = dict(made.get("result", {}))
    if "score" in changes:
        result["score"] = _score(changes["score"])
    if "success" in changes:
        result["success"] = changes["success"]
        if made["verb"]["id"] in {PASSED, FAILED}:
            made["verb"] = {"id": PASSED if changes["success"] else FAILED}
    if result:
        made["result"] = result
    if "timestamp" in changes:
        made["timestamp"] = changes["timestamp"]
    context = dict(made.get("context", {}))
    context["statement"] = {"objectType": "StatementRef", "id": statement}
    context["extensions"] = {**context.get("extensions", {}), WHY: why}
    made["context"] = context
    return made


def _score(percent: float) -> dict[str, float]:
    """A score that means *percent* in whatever range rules read ``scaled`` of its source."""
    return {"scaled": percent / 100, "raw": percent, "min": 0, "max": 100}
