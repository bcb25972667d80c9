"""``/api/imports``: a provider sends its file, follows its import, and gets it back with the outcome of each row.

The provider is that of the mapping profile, else the caller's own source, as on the command line. The rights of a key
are checked when its file arrives. It needs the scope import, or the scopes with which it could store the statements and
the ledger itself. Knows no adapter's columns, and not how callers are authenticated.
"""

import asyncio
import time
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from adapters.imports import job as jobs
from adapters.imports.job import Job
from adapters.imports.receiving import ImportRequest, Sent, asked_for, job_for, received
from adapters.imports.rights import sees
from adapters.reports.returned import JSON, WORKBOOK
from lrs.access import Caller
from lrs.kernel.admission import IMPORT, RetryLater
from lrs.kernel.errors import Refused
from lrs.storage import Owed, Store
from lrs.storage.edge import read, write
from lrs.web.accept import preferred
from lrs.web.browsers import ATTACHMENT
from lrs.web.exchange import caller_of
from lrs.web.late import Router
from lrs.web.routing import WITH_KEY, Here, problems

LOOK = 0.1
"""Seconds between two checks whether an awaited import is over."""
NEVER = {"Cache-Control": "no-store"}
FILES = ("text/csv", WORKBOOK)
LOOKED_AT = 1_000
"""How many of the newest jobs are searched for those that the caller may see."""
Who = Annotated[Caller, Depends(caller_of)]
_TEXT = {"type": "string", "format": "binary"}
_FORM = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {**_TEXT, "description": "The provider's file, CSV or XLSX, as it is."},
                    "profile": {**_TEXT, "description": "The mapping profile (JSON) of an e-portfolio export."},
                },
            }
        },
        "*/*": {"schema": {**_TEXT, "description": "The file alone."}},
    },
}
_LINK = {"Location": {"description": "Where the import is to be seen.", "schema": {"type": "string"}}}
_DONE: dict[int | str, dict[str, Any]] = {
    200: {"description": "With wait: the file with what became of each row, or the report.", "content": {}},
    202: {"description": "The import, which is under way.", "headers": _LINK},
}


def routes() -> Router:
    """The routes of imports."""
    router = Router(prefix="/api/imports", tags=["imports"])
    _add_sending(router)
    _reading(router)
    return router


def _add_sending(router: Router) -> None:

    async def sent(request: Request, who: Who, asked: Annotated[ImportRequest, Depends(asked_for)], here: Here) -> Job:
        """The job of the sent file. Nothing is read of it before who calls, and for what, is in order."""
        return job_for(Sent(here, who, asked), await received(request, Sent(here, who, asked)))

    @router.get("", responses=problems(400, 401, 403), openapi_extra=WITH_KEY)
    def list_imports(caller: Who, here: Here, limit: Annotated[int, Query(ge=1, le=LOOKED_AT)] = 100) -> dict[str, Any]:
        """Whose files this key brings in, and the imports that it may see, newest first."""
        found = [job.shown() for job in jobs.newest(here.store, LOOKED_AT) if sees(caller, job)]
        return {"provider": caller.source, "imports": found[:limit]}

    @router.post(
        "",
        response_class=Response,
        status_code=202,
        responses=_DONE | problems(400, 401, 403, 409, 413, 503, 507),
        openapi_extra={"requestBody": _FORM} | WITH_KEY,
    )
    async def run_upload(
        request: Request,
        here: Here,
        job: Annotated[Job, Depends(sent)],
        asked: Annotated[ImportRequest, Depends(asked_for)],
    ) -> Response:
        """Takes a file in: 202 with the import, which is under way.

        With wait=SECONDS (at most 60) it is answered once the import is over, if that is in time: the file with the
        columns outcome and reason, or a report (Accept: application/json); 400 if nothing of it could be used.
        """
        await write(here.store, lambda tx: tx.insert(jobs.record_of(job, owed=(Owed(jobs.STEP),))))
        job = await _waited_for(here, job, asked.wait)
        if not job.is_over:
            return JSONResponse(job.shown(), 202, {"Location": f"{request.url.path.rstrip('/')}/{job.id}"} | NEVER)
        as_json = preferred(request.headers.get("accept"), (*FILES, JSON)) == JSON
        return await read(returned, here.store, job, as_json)


async def _waited_for(here: Here, job: Job, wait: float) -> Job:
    """*job* once it is over, or as it is after *wait* seconds."""
    end = time.monotonic() + wait
    while not job.is_over and (left := end - time.monotonic()) > 0:
        await asyncio.sleep(min(LOOK, left))
        job = await read(jobs.find, here.store, job.id)
    return job


def _reading(router: Router) -> None:
    """The routes of one import."""

    @router.get("/{id}", responses=problems(401, 404), openapi_extra=WITH_KEY)
    def read_import(caller: Who, here: Here, id: str) -> dict[str, Any]:
        """One import: its state, how far it is, and what it came to."""
        return seen(caller, here.store, id).told_whole()

    @router.get("/{id}/report", response_class=Response, responses=problems(401, 404), openapi_extra=WITH_KEY)
    def read_report(caller: Who, here: Here, id: str) -> Response:
        """What became of every row, as JSON."""
        return _sent_back(here.store, seen(caller, here.store, id), as_json=True)

    @router.get("/{id}/file", response_class=Response, responses=problems(401, 404), openapi_extra=WITH_KEY)
    def read_file(caller: Who, here: Here, id: str) -> Response:
        """The provider's file with what became of each row."""
        return _sent_back(here.store, seen(caller, here.store, id), as_json=False)


def seen(caller: Caller, store: Store, id: str) -> Job:
    """The job; 404 for one that *caller* may not see, as for one that is not there."""
    job = jobs.find(store, id)
    if not sees(caller, job):
        raise Refused(f"there is no import {id!r}", status=404, error="not_found")
    return job


def returned(store: Store, job: Job, as_json: bool) -> Response:  # noqa: FBT001 (called in a thread, by place)
    """What a job that is over is answered with: 200, or 400 if nothing of the file could be used."""
    if job.problem is not None:
        if job.problem.status == IMPORT.status:
            raise RetryLater(IMPORT, job.problem.message)
        raise Refused(job.problem.message, status=job.problem.status, error=job.problem.error)
    answer = _sent_back(store, job, as_json=as_json)
    answer.status_code = 200 if job.told and job.told.usable else 400
    return answer


def _sent_back(store: Store, job: Job, *, as_json: bool) -> Response:
    """The report of *job*, or the file that goes back. Refuses 404 while there is none, and once it is not kept."""
    name, value = ATTACHMENT
    answer = file_of(store, job, "report" if as_json else "returned")
    answer.headers[name] = value
    return answer


def file_of(store: Store, job: Job, blob: str) -> Response:
    """What goes back of *job* under the name *blob*. Refuses 404 while there is none, and once it is not kept."""
    try:
        chunks, size = store.blobs.open(job.blobs[blob]), store.blobs.size(job.blobs[blob])
    except KeyError as missing:
        gone = "files are kept for some time only, what the import came to stays" if job.is_over else "it is not over"
        raise Refused(f"there is no such file of this import: {gone}", status=404, error="not_found") from missing
    media_type = JSON if blob in {"report", "shown"} else job.told.media_type if job.told else ""
    return StreamingResponse(chunks, headers=NEVER | {"Content-Type": media_type, "Content-Length": str(size)})
