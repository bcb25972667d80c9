"""An expired badge before every verifier, and our registry of issuers before the wallet's."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from openbadgeslib.verify import verify_badge

from badges.credentials.list_forms import LIST_FORMS
from badges.forms import StoredBadge, form_named
from badges.keys.issuer import did_url, issuer_of
from badges.keys.ring import ring_of
from badges.prior import trusted
from badges.verifying.lookup import resolver, status_lists
from badges.verifying.verify import failures, verify
from lrs.kernel.times import DAY
from lrs.tenancy.tenants import Tenant
from tests.badges.made import Clock, badge_in, list_in, put_award, run_issue, tenant_in

pytestmark = pytest.mark.timeout(300)  # the first test may install the npm packages
TODAY = datetime.now(UTC).date()


def issued(folder: Any, ends: Any) -> Tenant:
    """A badge that was issued thirty days ago and is valid until *ends*."""
    opened = tenant_in(folder, clock=Clock(time.time_ns() // 1_000 - 30 * DAY))
    held_from = (TODAY - timedelta(days=40)).isoformat()
    put_award(opened, held_from=held_from, valid_until=ends.isoformat() if ends else None)
    run_issue(opened)
    return opened


@pytest.fixture
def expired(tmp_path):
    opened = issued(tmp_path / "expired", TODAY - timedelta(days=10))
    yield opened
    opened.store.close()


@pytest.fixture
def lasting(tmp_path):
    opened = issued(tmp_path / "lasting", None)
    yield opened
    opened.store.close()


def published(tenant: Tenant) -> dict[str, Any]:
    issuer, listed = issuer_of(tenant), list_in(tenant)
    did = issuer.did_document()
    return {listed["id"]: listed, issuer.id: did, did_url(issuer.id): did}


def asked(tenant: Tenant, **more: Any) -> dict[str, Any]:
    return {"credential": badge_in(tenant)[1], "documents": published(tenant)} | more


def form(tenant: Tenant, name: str) -> bytes:
    record, _ = badge_in(tenant)
    return form_named(name).make(StoredBadge(record.id, record.body, ring_of(tenant)))


def openbadgeslib(tenant: Tenant) -> Any:
    record = tenant.store.get("status-list", "revocation-1")
    answers = {
        did_url(issuer_of(tenant).id): json.dumps(issuer_of(tenant).did_document()).encode(),
        list_in(tenant)["id"]: LIST_FORMS["application/vc+jwt"](record.body, ring_of(tenant)),
    }
    return verify_badge(form(tenant, "svg"), resolve_did=True, check_status=True, download=answers.__getitem__)


def test_every_verifier_refuses_an_expired_badge_and_takes_one_that_lasts(expired, lasting, node):
    told = {name: node("digitalbazaar", asked(one)) for name, one in (("over", expired), ("good", lasting))}
    wallet = {name: node("verifier-core", asked(one)) for name, one in (("over", expired), ("good", lasting))}
    jwt = node("jose", {"jwt": form(expired, "jwt").decode(), "keys": issuer_of(expired).jwks()})
    other = openbadgeslib(expired)

    assert (told["good"]["verified"], told["over"]["verified"]) == (True, False)
    assert "after" in told["over"]["errors"][0]
    assert (wallet["good"]["steps"]["expiration"], wallet["over"]["steps"]["expiration"]) == (True, False)
    assert jwt == {"error": "ERR_JWT_EXPIRED"}
    assert (other.valid, "expired" in other.reason.lower()) == (False, True)


@pytest.mark.parametrize("name", ["json", "jwt", "png", "svg", "sd-jwt"])
def test_our_verifier_takes_each_form_of_our_badge_and_says_that_an_expired_one_is(expired, lasting, name):
    def codes(tenant: Tenant) -> list[str]:
        at, ways = time.time_ns() // 1_000, (resolver(tenant, None), status_lists(tenant, None))
        verdict = verify(form(tenant, name), at=at, resolve=ways[0], fetch=ways[1])
        return [f"{check.name}: {check.code}" for check in failures(verdict)]

    assert codes(lasting) == []
    assert codes(expired) == ["dates: expired"]


def test_the_wallets_verifier_knows_an_issuer_by_our_registry(lasting, node):
    address = "https://skills.example.org/.well-known/issuer-registry.json"
    registries = [{"name": "Ours", "type": "dcc-legacy", "url": address}]
    documents = published(lasting) | {address: trusted.registry(lasting)}

    with_it = node("verifier-core", asked(lasting, documents=documents, registries=registries))
    without = node("verifier-core", asked(lasting))

    assert with_it["steps"]["registered_issuer"] is True
    assert without["steps"]["registered_issuer"] is False
