"""The handlers of the document resources: parameters and headers in, one decision, an answer. No logic."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from lrs.kernel.admission import CONFLICT, Overloaded
from lrs.kernel.errors import Headers, Refused
from lrs.kernel.times import SECOND
from lrs.storage import NEWEST, Store, Walk, micros_of, walked
from lrs.storage.edge import read, write
from lrs.web.browsers import ATTACHMENT
from lrs.xapi.documents import change as decide
from lrs.xapi.documents.change import DocumentChange, TooLargeToMerge
from lrs.xapi.documents.concurrency import conditions_of, matches
from lrs.xapi.documents.content import merged, receive, stored_bytes
from lrs.xapi.documents.resources import ALL, Address, Description, check_owner, read_address
from lrs.xapi.request import Answer, Request, Resource, http_date, json_answer

_TRIES = 64
"""Each failed try means that another caller changed the document meanwhile."""
_DONE = Answer(204)


async def get(description: Description, request: Request) -> Answer:
    """The document as it was sent, or the ids in the context as a JSON array, in the order of their last change."""
    address = _address(description, request)
    store = request.tenant.store
    if address.document is None:
        ids, newest = await read(_ids, store, address)
        return json_answer(ids, headers=_modified(newest) if newest else ())
    record = await read(store.get, address.kind, address.id)
    if record is None:
        raise Refused(f"there is no such {description.noun} document", status=404, error="not_found")
    etag = record.meta["etag"]
    headers = (("etag", f'"{etag}"'), *_modified(record.seq))
    known = conditions_of(request.headers).none_match
    if known is not None and matches(known, etag):
        return Answer(304, b"", headers)
    headers = (("content-type", record.meta["type"]), ATTACHMENT, *headers)
    if "blob" not in record.meta:
        return Answer(200, record.body, headers)
    headers = (("content-length", str(record.meta["size"])), *headers)
    # A file that is opened for HEAD would never be read to its end, so it would stay open.
    return Answer(200, () if request.method == "HEAD" else await read(stored_bytes, store, record), headers)


async def put(description: Description, request: Request) -> Answer:
    """Creates or replaces a document."""
    change = await _change(description, request)
    await write(request.tenant.store, partial(decide.put, change=change))
    return _DONE


async def post(description: Description, request: Request) -> Answer:
    """Creates a document or merges into it. Large merges are prepared outside the writer and tried again."""
    change = await _change(description, request)
    store = request.tenant.store
    for _ in range(_TRIES):
        try:
            await write(store, partial(decide.post, change=change))
        except TooLargeToMerge as wanted:
            content = await read(merged, store, wanted.old, change.content, change.limit, change.version)
            change = replace(change, merged={wanted.old.meta["etag"]: content})
        else:
            return _DONE
    raise Overloaded(CONFLICT)


async def delete(description: Description, request: Request) -> Answer:
    """Removes a document, or all documents of a context."""
    address = _address(description, request)
    conditions = conditions_of(request.headers)
    store = request.tenant.store
    if address.document is not None:
        await write(store, partial(decide.delete, address=address, conditions=conditions, version=request.version))
        return _DONE
    if conditions.given:
        message = f"If-Match and If-None-Match are for one document: send {description.document} too"
        raise request.wrong(message, "Communication 3.1")
    until: int | None = NEWEST
    while until is not None:
        weight = await read(decide.weight_of_deletion, store, address, until)
        until = await write(store, partial(decide.delete_all, address=address, until=until), weight)
    return _DONE


HANDLERS: dict[tuple[str, str], Resource] = {
    (description.resource, method): partial(handler, description)
    for description in ALL
    for method, handler in (("GET", get), ("PUT", put), ("POST", post), ("DELETE", delete))
}


def _address(description: Description, request: Request) -> Address:
    """The address that the request names. Refuses if its caller may not use it."""
    address = read_address(description, request)
    check_owner(address, request.caller, reads=request.method in {"GET", "HEAD"})
    return address


async def _change(description: Description, request: Request) -> DocumentChange:
    return DocumentChange(
        _address(description, request),
        conditions_of(request.headers),
        request.version,
        await receive(request),
        request.caller.source,
        request.tenant.settings.max_document,
    )


def _ids(store: Store, address: Address) -> tuple[list[str], int]:
    """The ids without duplicates, and the place in the order of the newest document (0: there is none)."""
    ids: dict[str, None] = {}
    newest = 0
    documents = Walk(address.kind, [address.context_key], after=address.after, limit=decide.AT_ONCE, bare=True)
    for record in walked(store, documents):
        id = record.meta["document"]
        ids.pop(id, None)  # it was changed in another registration, earlier
        ids[id] = None
        newest = record.seq
    return list(ids), newest


def _modified(seq: int) -> Headers:
    return (("last-modified", http_date(micros_of(seq) // SECOND)),)
