"""Three rotations and a key given up, with a kill at each write, and every badge before a JavaScript verifier."""

from __future__ import annotations

from typing import Any

import pytest

from badges.keys.issuer import did_url, issuer_of
from lrs.tenancy.tenants import Tenant
from tests.badges.issuing.test_rotation_killed import Waiting, check, lived
from tests.badges.made import list_in, tenant_in

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]


def published(tenant: Tenant) -> dict[str, Any]:
    issuer, listed = issuer_of(tenant), list_in(tenant)
    did = issuer.did_document()
    return {listed["id"]: listed, issuer.id: did, did_url(issuer.id): did}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_every_badge_of_every_key_verifies_whatever_was_killed(tmp_path, node, after):
    asked: list[dict[str, Any]] = []
    number, was_killed = 0, True
    while was_killed:
        number += 1
        tenant = tenant_in(tmp_path / str(number), clock=Waiting())
        was_killed = lived(tenant, number, after=after)
        documents = published(tenant)
        asked += [{"credential": badge, "documents": documents} for badge in check(tenant).values()]
        tenant.store.close()

    told = node("digitalbazaar-many", asked)

    assert len(told) == len(asked) > 100
    assert {(one["verified"], one["revoked"]) for one in told} == {(True, False)}
