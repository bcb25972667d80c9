"""Receives the file of an import by HTTP, as a body or in a form, with its parameters. Knows no route."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import uuid4

import msgspec
from fastapi import Query, Request
from starlette.datastructures import UploadFile

from adapters.imports.arriving_files import ArrivingFile
from adapters.imports.arriving_forms import read_form
from adapters.imports.job import Job, sender_of
from adapters.imports.rights import check_provider
from adapters.imports.run import check_order
from adapters.imports.sources import SOURCES
from adapters.reading.profile import MappingProfile, parse_profile
from lrs.access import Caller
from lrs.kernel.errors import Refused
from lrs.kernel.plain_text import sized
from lrs.storage.edge import read, read_blocks, receive
from lrs.tenancy.tenants import Tenant
from lrs.web.arriving import arriving

LONGEST_WAIT = 60
MOST_PROFILE = 1 << 20
if TYPE_CHECKING:
    Named = str
else:
    Named = Literal[tuple(dict.fromkeys(name for one in SOURCES for name in (one, one.replace("-", "_"))))]
    """The names of the sources, which may be written with an underscore."""


class ImportRequest(msgspec.Struct, frozen=True):
    """The parameters of an import: its adapter, whether it is a dry run, and how many seconds to wait for it."""

    adapter: str
    dry_run: bool
    wait: int


def asked_for(
    adapter: Annotated[Named, Query()],
    *,
    dry_run: bool = False,
    wait: Annotated[int, Query(ge=0, le=LONGEST_WAIT)] = 0,
) -> ImportRequest:
    """The parameters of an import."""
    return ImportRequest(adapter.replace("_", "-"), dry_run, wait)


class Sent(msgspec.Struct, frozen=True):
    """A file that *caller* sends to *tenant*, and what is *asked* for it."""

    tenant: Tenant
    caller: Caller
    asked: ImportRequest

    def check(self, profile: MappingProfile) -> None:
        """Refuses what is certainly wrong or not allowed, before the file is stored."""
        provider = profile.provider or self.caller.source
        check_provider(self.caller, provider, dry_run=self.asked.dry_run)
        check_order(self.asked.adapter, provider, profile)


class Upload(msgspec.Struct, frozen=True):
    """A received file, stored as a *blob*, and its mapping profile."""

    blob: str
    name: str
    profile: MappingProfile


async def received(request: Request, sent: Sent) -> Upload:
    """The file: a raw body, or ``file`` (and ``profile``, JSON) in a form. Refuses as ``arriving`` does."""
    async with arriving(request, sent.tenant) as limited:
        return await _read(limited, sent)


async def _read(limited: Request, sent: Sent) -> Upload:
    if limited.headers.get("content-type", "").startswith("multipart/form-data"):
        return await _from_form(limited, sent)
    sent.check(MappingProfile())
    arriving = ArrivingFile(sent.asked.adapter)
    return Upload(await receive(sent.tenant.store.blobs, _kept(limited, arriving)), "upload", MappingProfile())


async def _kept(request: Request, arriving: ArrivingFile) -> AsyncIterator[bytes]:
    """What is to be kept of the body, as it arrives."""
    async for block in request.stream():
        yield await read(arriving.feed, block)
    yield await read(arriving.close)


async def _from_form(request: Request, sent: Sent) -> Upload:
    form = await read_form(request, sent.asked.adapter, max_files=2, max_fields=4)
    try:
        file: Any = form.get("file")
        if not isinstance(file, UploadFile):
            raise Refused('the form has no file: name its part "file"', error="no_file")
        mapping = form.get("profile")
        text = await mapping.read(MOST_PROFILE + 1) if isinstance(mapping, UploadFile) else (mapping or "").encode()
        profile = await read(_checked, sent, text if mapping is not None else None)
        name = Path(file.filename or "upload").name
        return Upload(await read(sent.tenant.store.blobs.put, read_blocks(file.file)), name, profile)
    finally:
        await form.close()


def _checked(sent: Sent, text: bytes | None) -> MappingProfile:
    """The mapping profile of a form, if there is one, once the file may come in. Not for the event loop."""
    profile = MappingProfile() if text is None else profile_of(text)
    sent.check(profile)
    return profile


def profile_of(text: bytes) -> MappingProfile:
    """The mapping profile in the request."""
    if len(text) > MOST_PROFILE:
        raise Refused(f"a mapping profile may have {sized(MOST_PROFILE)}", status=413, error="profile_too_large")
    return parse_profile(text, "profile.json")


def job_for(sent: Sent, upload: Upload) -> Job:
    """The job of an *upload*."""
    return Job(
        id=uuid4().hex,
        adapter=sent.asked.adapter,
        provider=upload.profile.provider or sent.caller.source,
        file=upload.name,
        sender=sender_of(sent.caller),
        at=sent.tenant.clock(),
        blobs={"file": upload.blob},
        profile=upload.profile,
        dry_run=sent.asked.dry_run,
    )
