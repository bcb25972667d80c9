"""``POST /api/imports``: a provider sends the file it has and gets it back, with what became of each row.

Knows no adapter's columns, and not how callers prove who they are. The provider is the mapping profile's, else the
caller's own source, as on the command line. The import enters by the xAPI endpoint of this same server, with the
caller's own credential: it can do nothing here that the key could not do there (scopes: import, statements/write,
profile), so it is refused for another provider's file unless the key has the scope ``all``.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import BoundedSemaphore
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response, StreamingResponse
from starlette.datastructures import UploadFile
from starlette.types import Message

from adapters.door import Changed, Closed, Door
from adapters.ledger import LEASE, Busy
from adapters.profile import Profile, read_profile
from adapters.returned import JSON, WORKBOOK, Answer, Written, write_answer
from adapters.run import Order, run_file
from lrs.access import Caller
from lrs.kernel.errors import Refused
from lrs.kernel.tables.file import MAX_BYTES
from lrs.matching.door import WITH_KEY, problems
from lrs.storage.edge import read
from lrs.web.accept import preferred
from lrs.web.browsers import ATTACHMENT
from lrs.web.exchange import caller_of

AT_ONCE = 2
FILES = ("text/csv", WORKBOOK)
RETRY = (("retry-after", str(LEASE // 1_000_000)),)
RunImport = Callable[[Order, str, str, Answer], Written]
_BLOCK = 1 << 20


class Asked(msgspec.Struct, frozen=True):
    """What is to be done with a file: by which adapter, and whether only tried."""

    adapter: str
    dry_run: bool


class Upload(msgspec.Struct, frozen=True):
    """A received file on disk, the folder it may be worked in, and its mapping profile."""

    path: Path
    folder: Path
    name: str
    profile: Profile


def run_here(order: Order, endpoint: str, authorization: str, answer: Answer) -> Written:
    """Runs *order* in this process, by *endpoint* and with the caller's credential; writes *answer*."""
    return write_answer(answer, run_file(order, Door(endpoint, authorization)))


def run_apart(order: Order, endpoint: str, authorization: str, answer: Answer) -> Written:
    """The same in a process of its own: reading and writing files must not slow down the one that serves."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as child:
        return child.submit(run_here, order, endpoint, authorization, answer).result()


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


def routes(run_import: RunImport = run_apart) -> APIRouter:
    """The routes of imports.

    *run_import* gets the order, this server's xAPI endpoint, the caller's ``Authorization`` and the answer to write.
    """
    router = APIRouter(prefix="/api/imports", tags=["imports"])
    slots = BoundedSemaphore(AT_ONCE)
    who = Annotated[Caller, Depends(caller_of)]

    async def running() -> AsyncIterator[None]:
        """One of the imports that may run, from before its file is read until its answer is written."""
        if not slots.acquire(blocking=False):
            raise Refused("too many imports are running", status=503, error="imports_busy", headers=RETRY)
        try:
            yield
        finally:
            slots.release()

    @router.get("", responses=problems(401, 403), openapi_extra=WITH_KEY)
    def read_provider(caller: who) -> dict[str, str]:
        """Whose files this key brings in."""
        return {"provider": caller.source}

    @router.post(
        "",
        response_class=Response,
        responses=problems(400, 401, 403, 409, 413, 503),
        openapi_extra={"requestBody": _FORM} | WITH_KEY,
    )
    def run_upload(
        request: Request,
        caller: who,
        asked: Annotated[Asked, Depends(asked_for)],
        _: Annotated[None, Depends(running, scope="function")],  # before the upload too: it fills the disk
        upload: Annotated[Upload, Depends(received)],
    ) -> Response:
        """Imports the file; returns it with the columns outcome and reason, or a report (Accept: application/json).

        400 if nothing of the file could be used; the body says of each row why.
        """
        whose = upload.profile.provider or caller.source
        order = Order(asked.adapter, whose, upload.path, upload.name, upload.profile, asked.dry_run)
        answer = Answer(upload.folder / "answer", preferred(request.headers.get("accept"), (*FILES, JSON)) == JSON)
        return returned(answer, answered(run_import, order, request, answer))

    return router


def answered(run_import: RunImport, order: Order, request: Request, answer: Answer) -> Written:
    """What came of writing *answer*. Raises the ``Refused`` that says why it is not."""
    try:
        return run_import(order, own_endpoint(request), request.headers.get("authorization", ""), answer)
    except BrokenProcessPool as error:
        message = "the import was broken off before its end: send the file again, what is in already will not change"
        raise Refused(message, status=503, error="import_failed", headers=RETRY) from error
    except (Busy, Changed) as error:
        message = str(error) if isinstance(error, Busy) else "another import of this provider took over"
        raise Refused(message, status=409, error="import_running", headers=RETRY) from error
    except Closed as error:
        raise Refused(str(error), status=403 if error.status in {401, 403} else 503, error="import_failed") from error


def own_endpoint(request: Request) -> str:
    """The xAPI endpoint beside the requested path, at the socket this server listens on (not what ``Host`` says)."""
    host, port = request.scope["server"]
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}{request.url.path.partition('/api/imports')[0]}/xapi"


def returned(answer: Answer, written: Written) -> Response:
    """The written *answer*, as it is: 200, or 400 if nothing of the file could be used."""
    size = str(answer.path.stat().st_size)
    shown = {"Cache-Control": "no-store", "Content-Type": written.media_type, "Content-Length": size}
    name, value = ATTACHMENT
    status = 200 if written.usable else 400
    return StreamingResponse(_blocks(answer.path), status_code=status, headers=shown | {name: value})


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def asked_for(
    adapter: Annotated[Literal["training-centre", "training_centre", "eportfolio"], Query()], *, dry_run: bool = False
) -> Asked:
    """The parameters of an import."""
    return Asked(adapter.replace("_", "-"), dry_run)


async def received(request: Request, _: Annotated[Asked, Depends(asked_for)]) -> AsyncIterator[Upload]:
    """The sent file: a raw body, or ``file`` (and ``profile``, JSON) of a form. Refuses more than ``MAX_BYTES``.

    Nothing is read of it before the parameters are in order.
    """
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await request.receive()
        size += len(message.get("body", b""))
        if size > MAX_BYTES:
            raise Refused(f"a file may have {MAX_BYTES} bytes: split it", status=413, error="file_too_large")
        return message

    with TemporaryDirectory(prefix="import-") as made:
        folder = Path(made)
        limited = Request(request.scope, counted)
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            yield await _from_form(limited, folder)
        else:
            await _save(limited.stream(), folder / "upload")
            yield Upload(folder / "upload", folder, "upload", Profile())


async def _from_form(request: Request, folder: Path) -> Upload:
    async with request.form(max_files=2, max_fields=4) as form:
        sent: Any = form.get("file")
        if not isinstance(sent, UploadFile):
            raise Refused('the form has no file: name its part "file"', error="no_file")
        await _save(_blocks_of(sent), folder / "upload")
        mapping = form.get("profile")
        profile = Profile()
        if mapping is not None:
            text = await mapping.read() if isinstance(mapping, UploadFile) else mapping.encode()
            profile = await read(_profile_in, folder / "profile.json", text)
        return Upload(folder / "upload", folder, Path(sent.filename or "upload").name, profile)


async def _save(chunks: AsyncIterator[bytes], path: Path) -> None:
    """Writes *chunks* to *path* in threads, a block at a time: the event loop waits for no disk."""
    with await read(path.open, "wb") as file:
        waiting = bytearray()
        async for chunk in chunks:
            waiting += chunk
            if len(waiting) >= _BLOCK:
                await read(file.write, bytes(waiting))
                waiting.clear()
        await read(file.write, bytes(waiting))


async def _blocks_of(sent: UploadFile) -> AsyncIterator[bytes]:
    while block := await sent.read(_BLOCK):
        yield block


def _profile_in(path: Path, text: bytes) -> Profile:
    path.write_bytes(text)
    return read_profile(path)
