"""The badge as a JWT, and the forms of its status list."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest
from joserfc import jwk, jws

from badges.credentials.list_forms import LIST_FORMS, mirrored
from badges.credentials.status import EMPTY, bits_of, is_set, with_all_set
from badges.forms import StoredBadge, form_named
from badges.issuing import rotation
from badges.keys.issuer import issuer_of
from badges.keys.ring import ring_of
from lrs.tenancy.tenants import Tenant
from tests.badges.made import badge_in, list_in, put_award, run_issue, tenant_in


def jwt_of(tenant: Tenant) -> str:
    record, _ = badge_in(tenant)
    return form_named("jwt").make(StoredBadge(record.id, record.body, ring_of(tenant))).decode()


def verified(tenant: Tenant, text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and payload, checked with the key that the issuer publishes under the name in the header."""
    header = json.loads(base64.urlsafe_b64decode(text.split(".", maxsplit=1)[0] + "=="))
    (public,) = (one for one in issuer_of(tenant).jwks()["keys"] if one["kid"] == header["kid"])
    key = jwk.import_key({name: public[name] for name in public if name not in {"iss", "use", "kid"}})
    return header, json.loads(jws.deserialize_compact(text, key, algorithms=[header["alg"]]).payload)


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_a_jwt_says_what_the_badge_says_and_its_claims_are_the_badges_members(tmp_path, algorithm):
    tenant = tenant_in(tmp_path)
    put_award(tenant)
    run_issue(tenant)
    if algorithm == "RS256":
        rotation.rotate(tenant, "RS256", by="operator")

    header, payload = verified(tenant, jwt_of(tenant))
    badge = badge_in(tenant)[1]
    tenant.store.close()

    subject = payload["credentialSubject"]
    claims = {name: payload.pop(name) for name in ("iss", "jti", "sub", "nbf", "exp")}
    assert header == {"alg": algorithm, "kid": header["kid"], "typ": "JWT"}
    assert claims == {
        "iss": badge["issuer"]["id"],
        "jti": badge["id"],
        "sub": subject["id"],
        "nbf": 1_795_262_400,
        "exp": 1_811_804_399,
    }
    assert subject.pop("id").startswith("urn:uuid:")
    assert {**payload, "proof": badge["proof"]} == badge


def test_a_demonstration_signs_its_jwt_with_its_only_key(tmp_path):
    tenant = tenant_in(tmp_path, None)
    put_award(tenant, valid_until=None)
    run_issue(tenant)

    text = jwt_of(tenant)
    header = json.loads(base64.urlsafe_b64decode(text.split(".")[0] + "=="))
    payload = json.loads(base64.urlsafe_b64decode(text.split(".")[1] + "=="))
    issuer = issuer_of(tenant)
    tenant.store.close()

    assert (header["alg"], header["kid"]) == ("EdDSA", issuer.method)
    assert "exp" not in payload
    assert payload["iss"] == issuer.id


def test_the_same_list_is_had_as_json_as_a_jwt_and_as_a_token_status_list(tmp_path):
    tenant = tenant_in(tmp_path)
    put_award(tenant)
    run_issue(tenant)
    put_award(tenant, state="withdrawn")
    run_issue(tenant)
    record, listed, place = tenant.store.get("status-list", "revocation-1"), list_in(tenant), badge_in(tenant)[0].meta

    stored, jwt, token = (make(record.body, ring_of(tenant)) for make in LIST_FORMS.values())
    _, as_jwt = verified(tenant, jwt.decode())
    header, as_token = verified(tenant, token.decode())
    tenant.store.close()

    packed = as_token["status_list"]["lst"]
    bits = zlib.decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
    index = place["index"]
    assert stored == record.body
    assert as_jwt["credentialSubject"] == listed["credentialSubject"]
    assert (as_jwt["iss"], as_jwt["jti"]) == (listed["issuer"], listed["id"])
    assert (header["typ"], as_token["sub"], as_token["status_list"]["bits"]) == ("statuslist+jwt", listed["id"], 1)
    assert is_set(bits_of(listed, "revocation"), index)
    assert bits[index // 8] >> index % 8 & 1
    assert sum(byte.bit_count() for byte in bits) == 1


def test_a_list_is_had_as_a_jwt_while_it_waits_to_be_signed_anew(tmp_path):
    tenant = tenant_in(tmp_path)
    put_award(tenant)
    run_issue(tenant)
    rotation.compromise(tenant, "badge-signing-key/1", by="operator")
    record = tenant.store.get("status-list", "revocation-1")

    _, payload = verified(tenant, LIST_FORMS["application/vc+jwt"](record.body, ring_of(tenant)).decode())
    tenant.store.close()

    assert payload["credentialSubject"] == json.loads(record.body)["credentialSubject"]


def test_bits_are_counted_from_the_other_end_in_a_token_status_list():
    assert mirrored(with_all_set(EMPTY, [0, 9]))[:2] == b"\x01\x02"
