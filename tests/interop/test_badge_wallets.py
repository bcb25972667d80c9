"""Wallets that nobody here wrote take badges from a running server, and unrelated verifiers accept what they got."""

from __future__ import annotations

from typing import Any

import pytest

from badges.credentials.list_forms import LIST_FORMS, TOKEN
from badges.keys.did_keys import did_of, key_of_jwk
from badges.keys.issuer import issuer_of
from badges.keys.ring import ring_of
from badges.wallets import addresses, exchanges
from lrs.storage import Walk
from tests.badges.made import MAIL, list_in, put_award, run_issue
from tests.matching.world import put_person
from tests.served import serving

pytestmark = pytest.mark.timeout(300)  # the first test may install the npm packages
SITE = "https://skills.example.org"
BASE = f"{SITE}/t/default"


@pytest.fixture(scope="module")
def lrs(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("server"), public_url=SITE) as found:
        person = put_person(found.tenant, MAIL["mbox"])
        for award in range(3):
            put_award(found.tenant, f"6d2f3c1a-0c64-5b3e-8a52-2f4f6f1d0a0{award}", person=person, valid_until=None)
        run_issue(found.tenant)
        yield found


@pytest.fixture(scope="module")
def taken(lrs, node) -> dict[str, Any]:
    """What each wallet got, all in one process of node."""
    tenant = lrs.tenant
    badges = list(tenant.store.find(Walk("credential", limit=3)).records)
    tokens = [
        tenant.store.write(lambda tx, badge=badge: exchanges.make(tx, tenant, badge)).result() for badge in badges
    ]
    lcw, openid, draft = tokens
    deep = addresses.old_deep_link(BASE, lcw, "did:web:x", exchanges.link_challenge(tenant, lcw))

    def offered(token):
        code = exchanges.offer_code(tenant, token)
        return {"offer": addresses.offer(BASE, code), "code": exchanges.tx_code(tenant, code)}

    given = {
        "server": lrs.address,
        "site": SITE,
        "lcw": {"interaction": addresses.interaction(BASE, lcw), "deep": deep},
        "openid": offered(openid),
        "draft": offered(draft),
    }
    told: dict[str, Any] = node("wallets", given)
    return told


def accepted(lrs, node, credential):
    """What Digital Bazaar's verifier says of *credential*."""
    issuer, listed = issuer_of(lrs.tenant), list_in(lrs.tenant)
    documents = {listed["id"]: listed, issuer.id: issuer.did_document()}
    return node("digitalbazaar", {"credential": credential, "documents": documents})


GOOD = {"verified": True, "revoked": False, "errors": []}


def test_the_libraries_of_the_learner_credential_wallet_take_a_badge_by_exchange_and_deep_link(lrs, node, taken):
    told = taken["lcw"]

    assert "error" not in told, told
    assert told["protocols"] == ["vcapi", "OID4VCI"]
    assert told["credential"]["credentialSubject"]["id"] == told["did"]
    assert told["again"] == "wrong_challenge"
    assert told["bare"]["credentialSubject"]["id"] == told["did"]
    assert accepted(lrs, node, told["credential"]) == GOOD


def test_openid4vci_takes_a_badge_in_both_formats_and_both_are_accepted(lrs, node, taken):
    told = taken["openid"]

    assert "error" not in told, told
    assert told["wrong"] == "invalid_grant"
    credential, sd_jwt = told["found"]["OpenBadgeCredential"], told["found"]["OpenBadgeCredential.sd-jwt"]
    assert credential["credentialSubject"]["id"] == did_of(key_of_jwk(told["jwk"]))
    assert accepted(lrs, node, credential) == GOOD
    record = lrs.tenant.store.get("status-list", "revocation-1")
    lists = {list_in(lrs.tenant)["id"]: LIST_FORMS[TOKEN](record.body, ring_of(lrs.tenant)).decode()}
    shown = node("sd-jwt-vc", {"sdJwt": sd_jwt, "keys": issuer_of(lrs.tenant).jwks(), "lists": lists})
    assert shown["payload"]["cnf"] == {"jwk": {name: told["jwk"][name] for name in ("kty", "crv", "x", "y")}}


def test_oid4_client_takes_a_badge_as_draft_13_asks_for_it(lrs, node, taken):
    told = taken["draft"]

    assert "error" not in told, told
    assert told["format"] == "ldp_vc"
    assert told["credential"]["credentialSubject"]["id"] == told["did"]
    assert accepted(lrs, node, told["credential"]) == GOOD
