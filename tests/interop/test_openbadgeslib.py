"""Our badges before openbadgeslib (PyPI), with status: it takes status lists as JWT only."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from openbadgeslib.ob3 import OB3VerificationError, OB3Verifier
from openbadgeslib.verify import verify_badge

from badges.credentials.list_forms import LIST_FORMS
from badges.forms import StoredBadge, form_named
from badges.issuing import rotation
from badges.keys.issuer import did_url, issuer_of
from badges.keys.ring import ring_of
from lrs.composition.steps import drain
from lrs.tenancy.tenants import Tenant
from tests.badges.made import Clock, badge_in, list_in, put_award, run_issue, tenant_in

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


def served(tenant: Tenant) -> Callable[[str], bytes]:
    """What our public addresses answer to whoever asks for a JWT."""
    issuer, ring = issuer_of(tenant), ring_of(tenant)
    record = tenant.store.get("status-list", "revocation-1")
    answers = {
        did_url(issuer.id): json.dumps(issuer.did_document()).encode(),
        list_in(tenant)["id"]: LIST_FORMS["application/vc+jwt"](record.body, ring),
    }
    return answers.__getitem__


def told(tenant: Tenant, image: bytes) -> Any:
    return verify_badge(image, resolve_did=True, check_status=True, download=served(tenant))


@pytest.mark.parametrize("form", ["png", "svg"])
def test_it_accepts_the_baked_badge_and_sees_it_revoked_and_changed(tenant, form):
    image = made(tenant, form)
    changed = image.replace(b"Aseptic gowning: Practitioner", b"Aseptic gowning: Professional")
    before = told(tenant, image)
    put_award(tenant, state="withdrawn")
    run_issue(tenant)

    after, tampered = told(tenant, image), told(tenant, changed)

    assert (before.valid, before.trusted, before.reason) == (True, True, None)
    assert (after.valid, "Credential status 'revocation' is set" in after.reason) == (False, True)
    assert tampered.valid is False


def test_it_takes_the_badge_of_a_retired_key_and_none_of_a_compromised_one(tenant):
    image = made(tenant, "svg")
    rotation.rotate(tenant, "Ed25519", wait=0, by="test")
    drain(tenant, ["rotate"])
    retired = told(tenant, image)
    rotation.compromise(tenant, "badge-signing-key/1", by="test")

    assert retired.valid is True
    assert told(tenant, image).valid is False


def test_it_accepts_the_jwt_and_sees_it_revoked(tenant):
    """It checks the proof of a list for a JWT by the first published key only, so here it reads the bit alone."""
    issuer, jwt = issuer_of(tenant), made(tenant, "jwt").decode()

    def checked() -> Any:
        asked = served(tenant)
        given = {"check_status": True, "verify_status_list": False, "download": asked}
        return OB3Verifier.for_issuer_did(issuer.id, download=asked).verify(jwt, **given)

    found = checked()
    put_award(tenant, state="withdrawn")
    run_issue(tenant)

    assert found.id == badge_in(tenant)[1]["id"]
    with pytest.raises(OB3VerificationError, match="'revocation' is set"):
        checked()
