"""The certificate as PDF, and the SD-JWT VC: what they say, and what they keep to themselves."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from base64 import urlsafe_b64decode
from typing import Any

import pytest
from msgspec.structs import replace

from badges.credentials.stored import stored_badge
from badges.forms import form_named
from badges.forms.certificate import _Certificate
from badges.held import certificates
from badges.keys.issuer import issuer_of
from lrs.kernel.base64url import base64url
from lrs.kernel.errors import Refused
from tests.badges.made import badge_in, put_award, run_issue, tenant_in, verdict_on
from tests.badges.wallet import Wallet


@pytest.fixture
def tenant(tmp_path):
    opened = tenant_in(tmp_path)
    put_award(opened)
    run_issue(opened)
    yield opened
    opened.store.close()


def made(tenant: Any, form: str, **changes: Any) -> bytes:
    record, badge = badge_in(tenant)
    body = json.dumps({**badge, **changes}).encode() if changes else record.body
    return form_named(form).make(replace(stored_badge(tenant, record.id, record.body), credential=body))


def streams(pdf: bytes) -> list[bytes]:
    found = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    return [zlib.decompress(one) if one.startswith(b"\x78") else one for one in found]


def test_the_signed_badge_is_attached_to_the_certificate_byte_for_byte(tenant):
    pdf = made(tenant, "pdf")

    assert pdf.startswith(b"%PDF-")
    assert badge_in(tenant)[0].body in streams(pdf)
    assert b"badge.json" in pdf


def test_the_code_of_a_certificate_leads_to_the_page_that_says_whether_the_badge_still_counts(tenant):
    record = badge_in(tenant)[0]
    address = certificates.check_address(tenant, record.id)

    assert f"/URI ({address})".encode() in made(tenant, "pdf")
    place, _, code = address.rpartition("/")
    assert (place, len(code)) == ("https://skills.example.org/t/default/check", 38)
    assert certificates.found_by(tenant, code) == record
    assert certificates.handed_in(tenant, address.encode(), "https://skills.example.org") == record.body


def test_a_certificate_of_a_server_without_an_address_has_no_code_and_can_be_checked_by_its_file(tmp_path):
    tenant = tenant_in(tmp_path, None)
    put_award(tenant)
    run_issue(tenant)

    pdf = made(tenant, "pdf")
    verdict = verdict_on(tenant, pdf)
    tenant.store.close()

    assert b"/URI" not in pdf
    assert verdict.valid


@pytest.mark.parametrize(
    "change",
    [
        lambda code: code[:-1],
        lambda code: code[:-1] + "_",
        lambda code: "A" + code[1:],
        lambda code: code + "=",
        str.lower,
    ],
)
def test_a_guessed_code_of_a_certificate_leads_nowhere(tenant, change):
    code = certificates.check_address(tenant, badge_in(tenant)[0].id).rpartition("/")[2]

    with pytest.raises(Refused, match="not known") as refused:
        certificates.found_by(tenant, change(code))

    assert refused.value.status == 404


def test_codes_that_the_holder_made_void_lead_nowhere_and_a_new_certificate_has_another_one(tenant):
    record = badge_in(tenant)[0]
    codes = []
    for _ in range(3):
        codes.append(certificates.code_of(tenant, record.id))
        tenant.store.write(lambda tx: certificates.make_void(tx, record, by="holder")).result()

    assert certificates.found_by(tenant, certificates.code_of(tenant, record.id)).id == record.id
    for before in codes:
        with pytest.raises(Refused, match="made it void"):
            certificates.found_by(tenant, before)


def test_a_certificate_takes_texts_of_any_length_and_language(tenant):
    badge = badge_in(tenant)[1]
    subject = badge["credentialSubject"]
    long = "Gweithio yn Ŵyl Llŷn \u03b1 Ж " * 200
    subject["achievement"] |= {"name": "W" * 400, "description": long, "criteria": {"narrative": long}}
    subject["identifier"] = [{"type": "IdentityObject", "identityType": "name", "hashed": False, "identityHash": long}]

    pdf = made(tenant, "pdf", credentialSubject=subject)

    assert pdf.count(b"/Type /Page\n") == 1


def test_a_certificate_says_to_whom_it_was_given_and_until_when(tenant, monkeypatch):
    texts, put = [], _Certificate.put
    monkeypatch.setattr(
        _Certificate, "put", lambda page, text, *size, **how: texts.append(text) or put(page, text, *size, **how)
    )
    subject = badge_in(tenant)[1]["credentialSubject"]
    named = {"type": "IdentityObject", "identityType": "name", "hashed": False, "identityHash": "Ann Smith"}

    made(tenant, "pdf", credentialSubject=subject | {"identifier": [named]}, validUntil="2027-05-31T22:59:59Z")

    assert "Awarded to Ann Smith" in texts
    assert any(re.fullmatch(r"Awarded on .* 2026, valid until .* May 2027", text) for text in texts)


def claims_of(sd_jwt: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Header, payload, and what is disclosed, each of which has its digest in the payload."""
    jwt, *hidden, last = sd_jwt.split("~")
    header, payload = (json.loads(urlsafe_b64decode(part + "==")) for part in jwt.split(".")[:2])
    assert last == ""
    assert sorted(base64url(hashlib.sha256(one.encode()).digest()) for one in hidden) == payload["_sd"]
    opened = [json.loads(urlsafe_b64decode(one + "==")) for one in hidden]
    assert len({salt for salt, _, _ in opened}) == len(opened)
    return header, payload, {name: value for _, name, value in opened}


def test_an_sd_jwt_shows_what_was_earned_and_hides_who_when_and_by_what(tenant):
    badge = badge_in(tenant)[1]
    subject = badge["credentialSubject"]

    header, payload, hidden = claims_of(made(tenant, "sd-jwt").decode())

    assert header["typ"] == "dc+sd-jwt"
    assert payload["vct"] == "https://purl.imsglobal.org/spec/vc/ob/vocab.html#OpenBadgeCredential"
    assert (payload["iat"], payload["exp"]) == (1_795_262_400, 1_811_804_399)
    assert payload["status"]["status_list"] == {
        "idx": int(badge["credentialStatus"]["statusListIndex"]),
        "uri": badge["credentialStatus"]["statusListCredential"],
    }
    assert hidden == {
        "awarded": badge["awardedDate"],
        "criteria": subject["achievement"]["criteria"],
        "identifier": subject["identifier"],
        "alignment": subject["achievement"]["alignment"],
        "evidence": badge["evidence"],
    }
    assert subject["identifier"][0]["identityHash"] not in json.dumps(payload)


def test_an_sd_jwt_is_bound_to_the_key_of_the_wallet_that_holds_the_badge_however_its_did_is_written(tenant):
    wallet, subject = Wallet(), badge_in(tenant)[1]["credentialSubject"]
    as_jwk = f"did:jwk:{base64url(json.dumps(wallet.jwk).encode())}"

    bound = {
        did: claims_of(made(tenant, "sd-jwt", credentialSubject=subject | {"id": did}).decode())[1]
        for did in (wallet.did, as_jwk, "urn:uuid:11111111-1111-4111-8111-111111111111")
    }

    assert [payload["sub"] for payload in bound.values()] == list(bound)
    assert [payload.get("cnf") for payload in bound.values()] == [{"jwk": wallet.jwk}, {"jwk": wallet.jwk}, None]


def test_who_was_shown_one_sd_jwt_knows_no_salt_of_another(tenant):
    record, _ = badge_in(tenant)
    one = stored_badge(tenant, record.id, record.body)

    texts = [form_named("sd-jwt").make(badge).decode() for badge in (one, replace(one, id="another"))]

    salts = [{json.loads(urlsafe_b64decode(part + "=="))[0] for part in text.split("~")[1:-1]} for text in texts]
    assert salts[0].isdisjoint(salts[1])


def test_a_demonstration_is_its_did_in_an_sd_jwt(tmp_path):
    tenant = tenant_in(tmp_path, None)
    put_award(tenant, valid_until=None)
    run_issue(tenant)

    header, payload, _ = claims_of(made(tenant, "sd-jwt").decode())
    issuer = issuer_of(tenant)
    tenant.store.close()

    assert (payload["iss"], header["alg"], header["kid"]) == (issuer.id, "EdDSA", issuer.method)
    assert "exp" not in payload
