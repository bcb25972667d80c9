"""One tenant per test, a clock that stands still, and a receiver on a free port."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lrs.tenancy.tenants import Tenant
from tests.matching.world import Clock, Receiver, receiver, tenant_in


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tenant(tmp_path: Path, clock: Clock) -> Iterator[Tenant]:
    with tenant_in(tmp_path, clock) as opened:
        yield opened


@pytest.fixture
def receiving() -> Iterator[Receiver]:
    with receiver() as started:
        yield started
