"""The statements resource: POST, PUT and GET (xAPI 1.0.3 Communication 2.1; IEEE 9274.1.1 4.1.6.1)."""

from __future__ import annotations

import secrets

from lrs.kernel.sealed import seal
from lrs.kernel.times import SECOND
from lrs.storage import Record, micros_of
from lrs.storage.edge import look_up, read
from lrs.web.browsers import ATTACHMENT
from lrs.xapi.request import JSON, Answer, Request, Resource, http_date, json_answer
from lrs.xapi.statements.attachments import multipart
from lrs.xapi.statements.formats import is_uuid
from lrs.xapi.statements.query import MORE, Query, Single, query_after, read_query
from lrs.xapi.statements.read import (
    KIND,
    allowed,
    one_of,
    own_source,
    page_of,
    result_text,
    short_page,
    short_walk,
    texts_of,
)
from lrs.xapi.statements.receive import store
from lrs.xapi.statements.shape import languages_of

SIGNATURE = "x-engraft-signature"
"""The response header with the verdict on the signatures of a statement: the best one if it is signed."""


async def post(request: Request) -> Answer:
    """Stores one statement or a batch. Answers the ids in order, as they were sent."""
    request.parameters((), lenient=True)
    return json_answer(await store(request))


async def put(request: Request) -> Answer:
    """Stores one statement under the id of the request."""
    statement_id = request.parameters({"statementId"}, {"statementId"}, lenient=True)["statementId"]
    if not is_uuid(statement_id):
        raise request.wrong("parameter 'statementId' must be a UUID")
    await store(request, statement_id)
    return Answer(204)


async def get(request: Request) -> Answer:
    """One statement, a page of them, or the page of a ``more`` link."""
    tenant = request.tenant
    if MORE in dict(request.query):
        query: Query | Single = query_after(tenant, request.parameters({MORE})[MORE])
    else:
        query = read_query(request, tenant.settings)
    if isinstance(query, Single):
        return await _one(request, query)
    return await _page(request, query)


async def _one(request: Request, query: Single) -> Answer:
    kept, source = request.tenant.store, own_source(request.caller)
    if kept.waits or query.format == "canonical":  # canonical may merge a thousand definitions
        record, body = await read(one_of, kept, query, source, _languages(request, query))
    else:
        record = allowed(await look_up(kept, KIND, query.id), query, source)
        (body,) = texts_of(kept, [record], query.format, source, ())
    modified = ("last-modified", http_date(micros_of(record.seq) // SECOND))
    verdict = record.meta.get("signature")
    told = (modified, (SIGNATURE, verdict)) if verdict else (modified,)
    return _answer(request, body, (record,), query, told)


async def _page(request: Request, query: Query) -> Answer:
    kept, source = request.tenant.store, own_source(request.caller)
    short: tuple[bytes, Query | None] | None = None
    records: tuple[Record, ...] = ()
    walk = short_walk(query, source)
    if walk is not None:  # it takes less time than the way to a thread and back
        short = await read(short_page, kept, query, walk) if kept.waits else short_page(kept, query, walk)
    if short is None:
        found, parts = await read(page_of, kept, query, source, _languages(request, query))
        short, records = (b",".join(parts), found.more), found.records
    texts, rest = short
    more = f"{request.prefix}/statements?{MORE}={seal(request.tenant.secret(MORE), rest)}" if rest else ""
    return _answer(request, result_text(texts, more), records, query)


def _languages(request: Request, query: Query | Single) -> list[str]:
    """The languages asked for, if the format depends on them."""
    return languages_of(request.headers.get("accept-language")) if query.format == "canonical" else []


def _answer(
    request: Request,
    body: bytes,
    records: tuple[Record, ...],
    query: Query | Single,
    headers: tuple[tuple[str, str], ...] = (),
) -> Answer:
    request.share.send(len(body))
    if not query.attachments:
        return Answer(200, body, (("content-type", JSON), *headers))
    boundary = secrets.token_hex(24)
    kind = ("content-type", f"multipart/mixed; boundary={boundary}")
    return Answer(200, multipart(request.tenant.store.blobs, body, records, boundary), (kind, ATTACHMENT, *headers))


HANDLERS: dict[tuple[str, str], Resource] = {
    ("statements", "POST"): post,
    ("statements", "PUT"): put,
    ("statements", "GET"): get,
}
