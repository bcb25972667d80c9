"""One tenant per test, with a clock that stands still, and another LRS on a free port."""

from __future__ import annotations

import pytest

from tests.matching.world import Clock, tenant_in
from tests.transfer.stub import stub


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tenant(tmp_path, clock):
    with tenant_in(tmp_path, clock) as opened:
        yield opened


@pytest.fixture
def other():
    with stub() as started:
        yield started
