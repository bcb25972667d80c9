"""Forms of our badges before software nobody here wrote."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from typing import Any

import pytest

from badges.credentials.list_forms import LIST_FORMS, TOKEN
from badges.forms import StoredBadge, form_named
from badges.issuing import rotation
from badges.keys.issuer import issuer_of
from badges.keys.ring import ring_of
from lrs.composition.steps import drain
from lrs.tenancy.tenants import Tenant
from tests.badges.made import Clock, badge_in, list_in, put_award, run_issue, tenant_in

pytestmark = pytest.mark.timeout(300)  # the first test may install the npm packages
MINUTE = 60_000_000


@pytest.fixture
def tenant(tmp_path):
    opened = tenant_in(tmp_path, clock=Clock(time.time_ns() // 1_000 - MINUTE))
    put_award(opened, valid_until=None)
    run_issue(opened)
    yield opened
    opened.store.close()


def made(tenant: Tenant, form: str) -> bytes:
    record, _ = badge_in(tenant)
    return form_named(form).make(StoredBadge(record.id, record.body, ring_of(tenant)))


def said(tenant: Tenant, node: Any, jwt: str) -> dict[str, Any]:
    told: dict[str, Any] = node("jose", {"jwt": jwt, "keys": issuer_of(tenant).jwks()})
    return told


def test_jose_accepts_the_jwt_and_refuses_it_tampered_with_expired_and_by_a_key_nobody_publishes(tenant, node):
    jwt = made(tenant, "jwt").decode()
    head, payload, signature = jwt.split(".")
    good = said(tenant, node, jwt)
    tampered = said(tenant, node, f"{head}.{payload[:-4]}AAAA.{signature}")
    compromised_key = issuer_of(tenant).ring.active("ES256")
    rotation.compromise(tenant, compromised_key.id, by="test")
    by_compromised = said(tenant, node, jwt)
    anew = said(tenant, node, made(tenant, "jwt").decode())

    assert good["payload"]["jti"] == badge_in(tenant)[1]["id"]
    assert (good["header"]["alg"], good["header"]["typ"]) == ("ES256", "JWT")
    assert tampered == {"error": "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"}
    assert by_compromised == {"error": "ERR_JWKS_NO_MATCHING_KEY"}
    assert anew["payload"]["jti"] == good["payload"]["jti"]


def test_jose_takes_the_jwt_of_a_retired_key(tenant, node):
    jwt = made(tenant, "jwt").decode()
    rotation.rotate(tenant, "ES256", wait=0, by="test")
    drain(tenant, ["rotate"])

    assert "payload" in said(tenant, node, jwt)
    assert made(tenant, "jwt").decode() != jwt


def test_jose_refuses_the_jwt_of_a_badge_that_has_expired(tmp_path, node):
    past = tenant_in(tmp_path, clock=Clock(1_700_000_000_000_000))
    put_award(past, held_from="2023-01-01", valid_until="2023-12-31")
    run_issue(past)

    told = said(past, node, made(past, "jwt").decode())
    past.store.close()

    assert told == {"error": "ERR_JWT_EXPIRED"}


def test_png_chunks_extract_finds_the_badge_which_digital_bazaar_accepts(tenant, node):
    found = node("png-chunks", {"png": b64encode(made(tenant, "png")).decode()})
    texts = [one["text"] for one in found if one["name"] == "iTXt"]
    (credential,) = (json.loads(text.partition("\0\0\0\0\0")[2]) for text in texts)
    issuer, listed = issuer_of(tenant), list_in(tenant)

    told = node(
        "digitalbazaar",
        {"credential": credential, "documents": {listed["id"]: listed, issuer.id: issuer.did_document()}},
    )

    assert [one["name"] for one in found][:2] == ["IHDR", "iTXt"]
    assert told == {"verified": True, "revoked": False, "errors": []}


def shown(tenant: Tenant, node: Any, sd_jwt: str, show: list[str] | None = None) -> dict[str, Any]:
    """What @sd-jwt/sd-jwt-vc says, with the list as it is served now."""
    record = tenant.store.get("status-list", "revocation-1")
    lists = {list_in(tenant)["id"]: LIST_FORMS[TOKEN](record.body, ring_of(tenant)).decode()}
    given = {"sdJwt": sd_jwt, "keys": issuer_of(tenant).jwks(), "lists": lists, **({"show": show} if show else {})}
    told: dict[str, Any] = node("sd-jwt-vc", given)
    return told


def test_sd_jwt_vc_accepts_the_badge_whole_or_with_what_the_holder_shows(tenant, node):
    sd_jwt = made(tenant, "sd-jwt").decode()

    whole = shown(tenant, node, sd_jwt)["payload"]
    part = shown(tenant, node, sd_jwt, ["awarded"])["payload"]

    assert whole["badge"] == badge_in(tenant)[1]["id"]
    assert (whole["level"], whole["iss"]) == ("Practitioner", "https://skills.example.org/t/default")
    assert whole["identifier"] == badge_in(tenant)[1]["credentialSubject"]["identifier"]
    assert whole.keys() - part.keys() == {"criteria", "identifier", "alignment", "evidence"}


def test_sd_jwt_vc_refuses_the_badge_tampered_with_revoked_and_by_a_compromised_key(tenant, node):
    sd_jwt = made(tenant, "sd-jwt").decode()
    head, payload, rest = sd_jwt.split(".", 2)
    tampered = shown(tenant, node, f"{head}.{payload[:-4]}AAAA.{rest}")
    put_award(tenant, state="withdrawn")
    run_issue(tenant)
    revoked = shown(tenant, node, sd_jwt)
    put_award(tenant, valid_until=None)
    run_issue(tenant)
    again = made(tenant, "sd-jwt").decode()
    good = shown(tenant, node, again)
    rotation.compromise(tenant, issuer_of(tenant).ring.active("ES256").id, by="test")
    compromised = shown(tenant, node, again)

    assert "error" in tampered
    assert revoked == {"error": "Status is not valid"}
    assert "payload" in good
    assert "ignature" in compromised["error"]
