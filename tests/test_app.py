"""Outside xAPI: what a full or busy store is answered as, and whether the health page asks it."""

import errno
import sqlite3
import tracemalloc
from contextlib import closing
from types import SimpleNamespace

import pytest

from lrs.access.policy.lines import PUBLIC, PolicyLine
from lrs.app import notifier_for
from lrs.kernel.admission import DATABASE, OutcomeUnknown, Overloaded
from lrs.kernel.errors import StoreFull, StoreReadOnly
from lrs.kernel.settings import Settings
from lrs.web.faults import refused_for
from lrs.xapi.endpoint import parted
from tests.rows import each_of
from tests.served import add_route, serving


@pytest.fixture(scope="module")
def failing(tmp_path_factory):
    """A server with an address that fails as it is told."""
    errors = {
        "busy": Overloaded(DATABASE),
        "unknown": OutcomeUnknown(),
        "full": StoreFull("the store is full"),
        "no-space": OSError(errno.ENOSPC, "No space left on device"),
        "quota": OSError(errno.EDQUOT, "Disk quota exceeded"),
        "read-only": StoreReadOnly("the store's folder is read-only"),
        "other": OSError(errno.EIO, "Input/output error"),
    }

    def fail(name: str):
        raise errors[name]

    with serving(tmp_path_factory.mktemp("failing")) as lrs:
        add_route(lrs.app, "GET", "/fail/{name}", fail, PolicyLine(PUBLIC))
        yield lrs


@pytest.mark.parametrize(
    ("name", "status", "error", "message"),
    [
        ("busy", 503, "overloaded", "the server is busy: send this again"),
        (
            "unknown",
            503,
            "outcome_unknown",
            "the database did not answer in time, so this may be stored or not: look before you send it again",
        ),
        ("full", 507, "store_full", "the store is full"),
        ("no-space", 507, "store_full", "the disk is full: nothing of this request was stored"),
        ("quota", 507, "store_full", "the disk is full: nothing of this request was stored"),
        ("read-only", 503, "store_read_only", "the store's folder is read-only"),
        ("other", 500, "internal_error", "the server failed; its log says why"),
    ],
)
def test_a_store_that_cannot_is_told_in_the_one_shape(failing, name, status, error, message):
    answer = failing.clients[0].get(f"{failing.address}/fail/{name}")

    assert (answer.status_code, answer.json()["error"], answer.json()["message"]) == (status, error, message)
    assert answer.headers.get("retry-after") == {"busy": "5", "unknown": "5", "other": None}.get(name, "30")


@pytest.mark.parametrize(
    ("path", "status"),
    [("fail/full", 507), ("nothing", 404), ("t/default/api/roles", 401), ("t/nobody/api/roles", 404)],
)
def test_every_error_outside_xapi_has_a_request_id_of_its_own(failing, path, status):
    answers = [failing.clients[0].get(f"{failing.address}/{path}") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [status] * 2
    assert [answer.json()["requestId"] for answer in answers] == [answer.headers["x-request-id"] for answer in answers]
    assert len({answer.headers["x-request-id"] for answer in answers} - {""}) == 2


def test_a_disk_that_is_full_of_blobs_is_507_under_xapi_too():
    assert refused_for(OSError(errno.ENOSPC, "No space left on device")).status == 507


def test_very_long_addresses_are_parted_and_not_remembered():
    tracemalloc.start()
    try:
        for number in range(200):
            assert parted(f"/xapi/{'x' * 50_000}{number}").route.startswith("/xapi/xxx")
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert held < 1_000_000


def test_health_asks_the_database(tmp_path):
    with serving(tmp_path) as lrs, closing(sqlite3.connect(tmp_path / "tenants" / "default" / "store.db")) as other:

        def health():
            return lrs.clients[0].get(f"{lrs.address}/health")

        other.execute("ALTER TABLE record RENAME TO lost")
        broken = health()
        other.execute("ALTER TABLE lost RENAME TO record")

        assert (broken.status_code, broken.json()["message"]) == (503, "the store does not answer")
        assert health().status_code == 200


@each_of("given", [{}, {"worker": False}, {"celery_broker": "memory://", "worker": False}])
def test_no_work_is_announced_without_a_broker_or_with_the_worker_switched_off(tmp_path, given):
    assert notifier_for(Settings(data=tmp_path, **given), SimpleNamespace(busy=None)) is None
