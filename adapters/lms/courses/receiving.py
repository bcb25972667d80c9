"""Receives a package by HTTP into a file that can be read from any place. Knows no route."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO

from fastapi import Request

from adapters.lms.courses.packages import MOST_BYTES
from lrs.storage.edge import read
from lrs.tenancy.tenants import Tenant
from lrs.web.arriving import arriving

_SPOOLED = 1 << 20


@asynccontextmanager
async def received_package(request: Request, tenant: Tenant) -> AsyncIterator[IO[bytes]]:
    """The body of *request* as a file, as long as the block lasts. Refuses as ``arriving`` does."""
    with tempfile.SpooledTemporaryFile(_SPOOLED) as file:
        async with arriving(request, tenant, MOST_BYTES) as limited:
            async for chunk in limited.stream():
                await read(file.write, chunk)
        yield file
