"""What learners are told, read and set by programs: as a whole, with a key that may."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from lrs.access.keys import create_key
from lrs.storage import each
from lrs.tenancy.tenants import Tenant
from tests.matching.world import Clock, put_service, tenant_in, web

NETWORK = {
    "name": "The network",
    "contact": "dpo@example.org",
    "privacyNotice": "https://example.org/privacy",
    "consentAge": 18,
    "guardian": None,
}
CAREERS = {
    "contact": "help@careers.example",
    "privacyNotice": "https://careers.example/privacy",
    "returnUrls": ["https://careers.example/back"],
}


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    with tenant_in(tmp_path_factory.mktemp("about"), Clock()) as opened:
        put_service(opened)
        yield opened


@pytest.fixture(scope="module")
def client(tenant: Tenant) -> Iterator[httpx.Client]:
    with web(tenant) as opened:
        key = create_key(tenant, "operator", ["admin"])
        opened.auth = (key.key, key.secret)
        yield opened


@pytest.mark.parametrize(
    ("path", "told"), [("/api/organisation", NETWORK), ("/api/services/career-converter", CAREERS)]
)
def test_what_is_set_is_told_and_stands_in_the_record_of_actions(
    tenant: Tenant, client: httpx.Client, path: str, told: dict[str, object]
) -> None:
    before = client.get(path)
    put = client.put(path, json=told)
    after = client.get(path)

    assert (before.status_code, put.status_code) == (200, 200)
    assert before.json().keys() == told.keys()
    assert put.json() == told
    assert path != "/api/services/career-converter" or after.json() == told  # the other follows within a second
    actions = [record.body for record in each(tenant.store, "audit")]
    assert any(b'"tenant.set"' in one or b'"service.set"' in one for one in actions)


@pytest.mark.parametrize(
    ("path", "told", "status"),
    [
        ("/api/organisation", NETWORK | {"consentAge": 0}, 400),
        ("/api/organisation", NETWORK | {"contact": "nobody@"}, 400),
        ("/api/organisation", NETWORK | {"privacyNotice": "http://example.org/"}, 400),
        ("/api/organisation", {"name": "x"}, 400),
        ("/api/organisation", NETWORK | {"state": "suspended"}, 400),
        ("/api/services/career-converter", CAREERS | {"returnUrls": ["javascript:alert(1)"]}, 400),
        ("/api/services/career-converter", CAREERS | {"purpose": "another"}, 400),
        ("/api/services/nobody", CAREERS, 404),
    ],
)
def test_what_cannot_be_told_is_refused(client: httpx.Client, path: str, told: dict[str, object], status: int) -> None:
    answer = client.put(path, json=told)

    assert answer.status_code == status
    assert answer.json()["message"]


def test_a_key_without_the_right_neither_reads_nor_sets_it(tenant: Tenant, client: httpx.Client) -> None:
    other = create_key(tenant, "course", ["all"])

    answers = [client.request(method, "/api/organisation", auth=(other.key, other.secret)) for method in ("GET", "PUT")]

    assert [answer.status_code for answer in answers] == [403, 403]
