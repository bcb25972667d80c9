"""1EdTech's certification of an issuer, walked through up to the point that needs membership.

docs/1edtech-certification.md tells a person the same steps. A statement about the conformance address comes in by xAPI,
becomes a badge by a rule, and is checked in each form by the rules of the public validator and by jsonld.js.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from badges.credentials.list_forms import LIST_FORMS
from badges.credentials.stored import stored_badge
from badges.forms import form_named
from badges.issuing import rotation
from badges.keys.issuer import issuer_of
from badges.keys.ring import ring_of
from badges.proofs.contexts import PINNED, context
from lrs.composition.steps import drain
from lrs.tenancy.tenants import Tenant
from tests.badges import validator_rules
from tests.badges.made import Clock, badge_in, list_in, run_issue, set_in, tenant_in
from tests.badges.world import issued_of_framework

pytestmark = pytest.mark.timeout(300)  # the first test may install the npm packages
CONFORMANCE = "conformance@imsglobal.org"
MINUTE = 60_000_000


@pytest.fixture(scope="module")
def tenant(tmp_path_factory):
    """A tenant with an RS256 key, and a badge issued a minute ago to the bare address that 1EdTech asks for."""
    opened = tenant_in(tmp_path_factory.mktemp("certified"), clock=Clock(time.time_ns() // 1_000 - MINUTE))
    rotation.rotate(opened, "RS256", wait=0, by="test")
    drain(opened, ["rotate"])
    issued_of_framework(opened, run=lambda: run_issue(opened, [{"mbox": f"mailto:{CONFORMANCE}"}]), valid_until=None)
    yield opened
    opened.store.close()


def made(tenant: Tenant, form: str) -> bytes:
    record, _ = badge_in(tenant)
    return form_named(form).make(stored_badge(tenant, record.id, record.body))


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


def test_the_badge_is_for_the_bare_address_and_for_nothing_else(tenant):
    subject = badge_in(tenant)[1]["credentialSubject"]
    (identity,) = subject["identifier"]

    assert "id" not in subject
    expected = hashlib.sha256(f"{CONFORMANCE}{identity['salt']}".encode()).hexdigest()
    assert (identity["identityType"], identity["identityHash"]) == ("emailAddress", f"sha256${expected}")


def test_the_badge_its_jwt_by_rs256_and_its_status_list_keep_every_rule_of_the_validator(tenant):
    did, badge = issuer_of(tenant).did_document(), badge_in(tenant)[1]
    token, now = made(tenant, "jwt").decode(), datetime.now(UTC)
    header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))

    assert validator_rules.faults_of_badge(badge, did, now) == []
    assert validator_rules.faults_of_jwt(token, did, now) == []
    assert validator_rules.faults_of_list(list_in(tenant), badge["issuer"]["id"], did) == []
    assert header["alg"] == "RS256"


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("@context.1", "https://purl.imsglobal.org/spec/ob/v3p0/context.json", "the second context"),
        ("issuer", {"id": "did:web:skills.example.org:t:default", "type": []}, "issuer is not a Profile"),
        ("credentialSubject.result.0.achievedLevel", "https://skills.example.org/#x", "a result has a level that"),
        ("credentialSubject.achievement.alignment.0.targetUrl", "urn:uuid:1", "urn:uuid:1 is no address"),
        ("credentialStatus.statusListIndex", 7, "statusListIndex is no text"),
        ("validFrom", "2099-01-01T00:00:00Z", "validFrom"),
        ("validFrom", "2026-01-01T00:00:00", "validFrom"),
        ("credentialSubject.identifier", [], "nobody is named"),
        ("proof.0.proofPurpose", "authentication", "purpose"),
        ("proof.0.verificationMethod", "did:web:other.example#z6Mk", "the key is not the issuer's"),
        ("name", "", "something is empty"),
    ],
)
def test_the_rules_refuse_what_the_validator_refuses(tenant, path, value, fault):
    changed = set_in(badge_in(tenant)[1], path, value)

    found = validator_rules.faults_of_badge(changed, issuer_of(tenant).did_document(), datetime.now(UTC))

    assert any(one.startswith(fault) for one in found)


def test_jsonld_js_in_safe_mode_takes_badge_jwt_and_list_and_refuses_a_term_that_nobody_defined(tenant, node):
    badge, listed = badge_in(tenant)[1], list_in(tenant)
    as_jwt = LIST_FORMS["application/vc+jwt"](tenant.store.get("status-list", "revocation-1").body, ring_of(tenant))
    documents = [
        badge,
        claims_of(made(tenant, "jwt").decode()),
        listed,
        claims_of(as_jwt.decode()),
        {**badge, "supervised": True},
        set_in(badge, "credentialSubject.achievement.type", ["Achievement", "Unheard"]),
    ]

    said = node("jsonld-safe", {"contexts": {url: context(url) for url in PINNED}, "documents": documents})

    assert said[:4] == ["", "", "", ""]
    assert all(said[4:])


def test_the_baked_images_have_the_badge_once_and_where_the_validator_looks(tenant):
    badge, png = badge_in(tenant)[1], made(tenant, "png")
    root = ET.fromstring(made(tenant, "svg"))
    (baked,) = root.iter("{https://purl.imsglobal.org/ob/v3p0}credential")

    assert png[12:16] == b"IHDR"
    assert png[37:41] == b"iTXt"
    assert png.count(b"openbadgecredential\0\0\0\0\0") == 1
    assert json.loads(baked.text) == badge
