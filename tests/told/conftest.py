"""The fixtures of told tests: ``told`` compares, ``draws`` makes chance sure while a test runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lrs.kernel.settings import Settings
from lrs.kernel.times import SECOND
from lrs.tenancy.tenants import Tenant, open_tenant
from tests.certainty import Draws, certain
from tests.conftest import SetClock
from tests.telling import Told
from tests.told.network import Network, network
from tests.told.noon import NOW
from tests.told.office import Office, opened


@pytest.fixture
def told(request: pytest.FixtureRequest) -> Iterator[Told]:
    """Compares what a test tells with what is kept; a file of the test that it does not tell any more is a fault."""
    telling, failed = Told(request.path, request.node.name), request.session.testsfailed
    yield telling
    if request.session.testsfailed == failed:
        assert telling.left() == [], "the test tells these no more: RETELL=1 removes them"


@pytest.fixture
def draws(request: pytest.FixtureRequest) -> Iterator[Draws]:
    """Chance depends on the name of the test alone."""
    with certain(request.node.name) as drawn:
        yield drawn


@pytest.fixture
def tenant(tmp_path: Path, draws: Draws) -> Iterator[Tenant]:
    """An organisation with nothing in it; its clock stands at noon until it is set."""
    assert draws
    made = open_tenant(Settings(data=tmp_path), clock=SetClock(NOW * SECOND))
    yield made
    made.store.close()


@pytest.fixture
def office(tmp_path: Path, draws: Draws) -> Iterator[Office]:
    """Where files are sent to; its clock stands at noon of 21 November 2026."""
    assert draws
    with opened(tmp_path) as made:
        yield made


@pytest.fixture(scope="session")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """The told network, for tests that change nothing."""
    with network(tmp_path_factory.mktemp("told")) as made:
        yield made


@pytest.fixture
def fresh(tmp_path: Path, draws: Draws) -> Iterator[Network]:
    """The told network, for one test that changes it; what is drawn is sure."""
    assert draws
    with network(tmp_path) as made:
        yield made
