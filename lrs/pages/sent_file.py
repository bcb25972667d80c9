"""A form of staff with one file in it, received within bounds. Knows no route."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from fastapi import Request
from starlette.datastructures import FormData, UploadFile

from lrs.kernel.errors import Refused
from lrs.kernel.tables.file import MAX_BYTES
from lrs.pages import session
from lrs.pages.visit import Visit
from lrs.web.arriving import arriving

MOST_FIELDS = 4
LONGEST_NAME = 200


class SentFile(NamedTuple):
    """The *file* in a form, its *name* without folders (at most 200 characters), and the other *fields*."""

    name: str
    file: UploadFile
    fields: Mapping[str, str]


@asynccontextmanager
async def sent_file(
    request: Request,
    visit: Visit,
    most: int = MAX_BYTES,
    *,
    called: str = "a file",
    parse: Callable[..., Awaitable[FormData]] = Request.form,
) -> AsyncIterator[SentFile]:
    """The file in the field ``file`` of a form, of at most *most* bytes with the form around it.

    *parse* reads the form. Raises ``Refused``: 403 for a form that was not shown to this session, 400 without a file
    (the sentence says what it is *called*), 413 and 507 as ``arriving`` does.
    """
    async with arriving(request, visit.tenant, most) as limited:
        form = await parse(limited, max_files=1, max_fields=MOST_FIELDS)
        try:
            fields = {name: value for name, value in form.items() if isinstance(value, str)}
            session.check_token(visit.tenant, fields.get("form", ""), visit.session.nonce)
            file = form.get("file")
            if not isinstance(file, UploadFile) or not file.filename:
                raise Refused(f"Choose {called} first.", error="no_file")
            yield SentFile(Path(file.filename.replace("\\", "/")).name[:LONGEST_NAME], file, fields)
        finally:
            await form.close()
