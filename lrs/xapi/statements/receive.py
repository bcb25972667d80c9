"""From an HTTP request to stored statements: the body and its parts are taken, prepared, and handed to the writer.

Rules: xAPI 1.0.3 Communication 1.5 and 2.1. What statements have to be like is ``prepare``'s to know, what becomes of
them ``write``'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from lrs.storage.edge import compute, read, turn, write
from lrs.tenancy.tenants import Tenant
from lrs.xapi.request import JSON, Request
from lrs.xapi.statements.attachments import Attachments, keep
from lrs.xapi.statements.parts import Part, Parts, attached, close_parts, malformed
from lrs.xapi.statements.plan import Plan
from lrs.xapi.statements.prepare import Terms, prepare
from lrs.xapi.statements.signatures import trust_anchors
from lrs.xapi.statements.write import Compare, compared, learn, store_in

MIXED = "multipart/mixed"
ON_THE_LOOP = 32 * 1024
"""Smaller bodies are parsed at once; larger ones would hold up the loop."""
SMALL = 4 * 1024
"""Bytes of a body up to which it is prepared on the event loop, one in each round, so that queries run in between."""


async def store(request: Request, statement_id: str | None = None) -> Plan:
    """Stores the request's statements, as they stand in the plan; *statement_id* is that of a PUT, which holds one.

    Refuses as ``prepare`` and ``store_in`` do.
    """
    terms = Terms(request.tenant.settings, request.subscriptions, request.tenant.seen, statement_id)
    if request.media_type == JSON:
        plan = await _of_json(request, terms)
    elif request.media_type == MIXED:
        plan = await _of_parts(request, terms)
    else:
        raise request.wrong("the Content-Type must be application/json or multipart/mixed", "Communication 1.5")
    await _write(request.tenant, plan)
    return plan


async def _of_json(request: Request, terms: Terms) -> Plan:
    body = await request.body(terms.settings.max_body)
    if len(body) > ON_THE_LOOP:
        return await compute(prepare, request.caller, request.version, body, terms)
    if len(body) <= SMALL:
        await turn()
    return prepare(request.caller, request.version, body, terms)


async def _of_parts(request: Request, terms: Terms) -> Plan:
    """The plan of a request with attachments, whose data is among the blobs once nothing was found wrong."""
    settings = terms.settings
    taking = Parts(
        request.headers["content-type"],
        request.hold,
        request.version,
        most_parts=settings.max_attachments,
        largest_first=settings.max_body,
    )
    try:
        first, *rest = await taking.take(request.chunks(settings.max_body_with_attachments))
        if first.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
            raise malformed("the first part must be the statements, as application/json", request.version)
        request.hold(first.size)  # a second time: as a file, and read from it
        request.enter(first.size)
        attachments = await read(_attachments, request.tenant, rest, request.version)
        plan = await compute(prepare, request.caller, request.version, first.read(), terms, attachments)
        await read(keep, request.tenant.store.blobs, attachments)
        return plan
    finally:
        close_parts(taking)


def _attachments(tenant: Tenant, parts: Sequence[Part], version: str) -> Attachments:
    """Data that comes twice is taken once: a sender only SHOULD not repeat it (Communication 1.5.2)."""
    found = [attached(part, version) for part in parts]
    return Attachments({one.sha2: one for one in found}, trust_anchors(tenant.settings), tenant.clock())


async def _write(tenant: Tenant, plan: Plan) -> None:
    while True:
        try:
            await write(tenant.store, partial(store_in, plan=plan), plan.weight, plan.reads)
        except Compare as found:
            plan = await compute(compared, plan, found.stored)
        else:
            learn(tenant, plan)
            return
