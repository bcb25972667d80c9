"""A tenant to issue in, and one with one badge, shared by the tests that only read them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from badges.keys.issuer import Issuer, issuer_of
from lrs.storage import Store
from lrs.tenancy.tenants import Tenant
from tests.badges.made import NOON, badge_in, put_award, run_issue, tenant_in


@pytest.fixture
def tenant(tmp_path: Path, store: Store, clock: Any) -> Tenant:
    """On each engine; the clock stands at noon."""
    clock.now = NOON
    return tenant_in(tmp_path, clock=clock, store=store)


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    opened = tenant_in(tmp_path_factory.mktemp("tenant"))
    put_award(opened)
    run_issue(opened)
    yield opened
    opened.store.close()


@pytest.fixture
def issuer(issued: Tenant) -> Issuer:
    return issuer_of(issued)


@pytest.fixture
def badge(issued: Tenant) -> dict[str, Any]:
    return badge_in(issued)[1]
