"""From an HTTP request to stored statements: reads body and parts, prepares them, hands them to the writer.

Rules: xAPI 1.0.3 Communication 1.5 and 2.1. ``prepare`` has the rules for statements, ``write`` decides what is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from lrs.storage import ROWS
from lrs.storage.edge import compute, read, turn, write
from lrs.tenancy.tenants import Tenant
from lrs.xapi.request import JSON, Request
from lrs.xapi.statements.attachments import Attachments, keep
from lrs.xapi.statements.parts import BodyPart, Parts, attached, close_parts, malformed
from lrs.xapi.statements.plan import Plan
from lrs.xapi.statements.prepare import Terms, prepare
from lrs.xapi.statements.signatures import trust_anchors
from lrs.xapi.statements.write import Compare, compared, learn, store_in

T = TypeVar("T")
MIXED = "multipart/mixed"
Reads = Sequence[tuple[str, str]]
ON_THE_LOOP = 32 * 1024
"""Bytes. Larger bodies are parsed in a thread, because they would block the event loop."""
BRIEF = 2 * ROWS
"""Rows. The event loop may commit plans of up to so many by itself."""
SMALL = 4 * 1024
"""Bytes. Up to this size a body is prepared on the event loop, one in each round, so that queries run in between."""


async def store(request: Request, statement_id: str | None = None) -> list[str]:
    """Stores the statements of the request and gives their ids, as sent. Refuses as ``prepare`` and ``store_in`` do.

    *statement_id* is that of a PUT, which has one statement.
    """
    plan = await plan_of(request, statement_id)
    return plan.as_sent(await write_plan(request.tenant, plan, store_in))


async def plan_of(request: Request, statement_id: str | None = None) -> Plan:
    """The plan for the statements of the request; data that came with them is stored. Refuses as ``prepare`` does."""
    terms = Terms(request.tenant.settings, request.subscriptions, request.tenant.seen, statement_id, request.tenant)
    if request.media_type == JSON:
        plan = await _of_json(request, terms)
    elif request.media_type == MIXED:
        plan = await _of_parts(request, terms)
    else:
        raise request.wrong("the Content-Type must be application/json or multipart/mixed", "Communication 1.5")
    return plan


async def _of_json(request: Request, terms: Terms) -> Plan:
    body = await request.body(terms.settings.max_body)
    if len(body) > ON_THE_LOOP:
        return await compute(request.tenant.id, prepare, request.caller, request.version, body, terms)
    if len(body) <= SMALL:
        await turn()
    return prepare(request.caller, request.version, body, terms)


async def _of_parts(request: Request, terms: Terms) -> Plan:
    """The plan of a request with attachments. Their data is stored as blobs if everything is valid."""
    settings = terms.settings
    taking = Parts(
        request.headers["content-type"],
        request.share.hold,
        request.version,
        most_parts=settings.max_attachments,
        largest_first=settings.max_body,
    )
    try:
        first, *rest = await taking.take(request.chunks(settings.max_body_with_attachments))
        if first.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
            raise malformed("the first part must be the statements, as application/json", request.version)
        request.share.hold(first.size)  # counted a second time: the file, and the bytes read from it
        request.share.begin(first.size)
        attachments = await read(_attachments, request.tenant, rest, request.version)
        plan = await compute(
            request.tenant.id, prepare, request.caller, request.version, first.read(), terms, attachments
        )
        await read(keep, request.tenant.store.blobs, attachments)
        return plan
    finally:
        close_parts(taking)


def _attachments(tenant: Tenant, parts: Sequence[BodyPart], version: str) -> Attachments:
    """The data of the parts.

    Data that is sent twice is accepted: a sender only SHOULD not do it (Communication 1.5.2).
    """
    found = [attached(part, version) for part in parts]
    return Attachments({one.sha2: one for one in found}, trust_anchors(tenant.settings), tenant.clock())


async def write_plan(tenant: Tenant, plan: Plan, decide: Callable[..., T], *, weight: int = 0, reads: Reads = ()) -> T:
    """Stores *plan* by *decide*, which is ``store_in`` or calls it, with whatever else shares the commit.

    Gives what *decide* gives.

    *decide* is called with the transaction and with *plan* by its name. *weight* and *reads* are those of what it does
    beside. Refuses as it does.
    """
    while True:
        try:
            done = await write(
                tenant.store,
                partial(decide, plan=plan),
                plan.weight + weight,
                [*plan.reads, *reads],
                brief=plan.weight <= BRIEF,
            )
        except Compare as found:
            plan = await compute(tenant.id, compared, plan, found.stored)
        else:
            learn(tenant, plan)
            return done
