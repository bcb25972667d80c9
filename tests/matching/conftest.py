"""One tenant per test, in a temporary folder, with a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lrs.matching.registry import Registered
from lrs.tenancy.tenants import Tenant
from tests.matching.world import Clock, put_service, tenant_in, web


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tenant(tmp_path: Path, clock: Clock) -> Iterator[Tenant]:
    with tenant_in(tmp_path, clock) as opened:
        yield opened


@pytest.fixture
def made(tenant: Tenant) -> Registered:
    return put_service(tenant)


@pytest.fixture
def client(tenant: Tenant) -> Iterator[httpx.Client]:
    with web(tenant) as opened:
        yield opened
