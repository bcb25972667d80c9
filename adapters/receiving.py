"""The file of an import as it comes by HTTP, alone or in a form, with what is asked for it. Knows no route."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import uuid4

import msgspec
from fastapi import Query, Request
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect
from starlette.types import Message

from adapters.job import Job, sender_of
from adapters.profile import Profile, parse_profile
from adapters.rights import check_right
from adapters.run import SOURCES, check_order
from adapters.upload import BLOCK, keep
from lrs.access import Caller
from lrs.kernel.errors import Refused
from lrs.kernel.tables.file import MAX_BYTES
from lrs.tenancy.tenants import Tenant

LONGEST_WAIT = 60
MOST_PROFILE = 1 << 20
if TYPE_CHECKING:
    Named = str
else:
    Named = Literal[tuple(dict.fromkeys(name for one in SOURCES for name in (one, one.replace("-", "_"))))]
    """The names of the sources, which may be written with an underscore."""


class Asked(msgspec.Struct, frozen=True):
    """What is to be done with a file: by which adapter, whether only tried, and how many seconds to wait for it."""

    adapter: str
    dry_run: bool
    wait: int


def asked_for(
    adapter: Annotated[Named, Query()],
    *,
    dry_run: bool = False,
    wait: Annotated[int, Query(ge=0, le=LONGEST_WAIT)] = 0,
) -> Asked:
    """The parameters of an import."""
    return Asked(adapter.replace("_", "-"), dry_run, wait)


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that *caller* sends to *tenant*, and what is *asked* for it."""

    tenant: Tenant
    caller: Caller
    asked: Asked

    def check(self, profile: Profile) -> None:
        """Refuses what can be seen to be wrong, or not to be allowed, before the file is kept."""
        provider = profile.provider or self.caller.source
        check_right(self.caller, provider, dry_run=self.asked.dry_run)
        check_order(self.asked.adapter, provider, profile)


class Upload(msgspec.Struct, frozen=True):
    """A received file, kept as a *blob*, and its mapping profile."""

    blob: str
    name: str
    profile: Profile


async def received(request: Request, sent: Sent) -> Upload:
    """The sent file: a raw body, or ``file`` (and ``profile``, JSON) of a form. Refuses more than ``MAX_BYTES``."""
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await request.receive()
        size += len(message.get("body", b""))
        if size > MAX_BYTES:
            raise Refused(f"a file may have {MAX_BYTES} bytes: split it", status=413, error="file_too_large")
        return message

    limited = Request(request.scope, counted)
    try:
        return await _read(limited, sent)
    except ClientDisconnect as gone:  # nobody hears it; it is told to the operator as a refusal, not as a fault of ours
        raise Refused("the file did not come to its end: send it again", error="upload_broken_off") from gone


async def _read(limited: Request, sent: Sent) -> Upload:
    if limited.headers.get("content-type", "").startswith("multipart/form-data"):
        return await _from_form(limited, sent)
    sent.check(Profile())
    return Upload(await keep(sent.tenant.store, limited.stream()), "upload", Profile())


async def _from_form(request: Request, sent: Sent) -> Upload:
    async with request.form(max_files=2, max_fields=4) as form:
        file: Any = form.get("file")
        if not isinstance(file, UploadFile):
            raise Refused('the form has no file: name its part "file"', error="no_file")
        mapping = form.get("profile")
        profile = Profile()
        if mapping is not None:
            text = await mapping.read(MOST_PROFILE + 1) if isinstance(mapping, UploadFile) else mapping.encode()
            profile = profile_of(text)
        sent.check(profile)
        name = Path(file.filename or "upload").name
        return Upload(await keep(sent.tenant.store, _blocks_of(file)), name, profile)


async def _blocks_of(sent: UploadFile) -> AsyncIterator[bytes]:
    while block := await sent.read(BLOCK):
        yield block


def profile_of(text: bytes) -> Profile:
    """The mapping profile that was sent along."""
    if len(text) > MOST_PROFILE:
        raise Refused(f"a mapping profile may have {MOST_PROFILE} bytes", status=413, error="profile_too_large")
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
