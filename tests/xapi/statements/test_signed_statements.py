"""Signed statements over HTTP; the numbers are those of the project's xAPI checklist, section 2."""

from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.served import new_id, serving, statement
from tests.xapi.statements.multipart import attached, first, mixed, part, send
from tests.xapi.statements.signers import certificate, rsa_key, sign, x5c

SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"


def signed(payload, *signatures, **more):
    """*payload* as a statement with these signatures attached, as a multipart body."""
    attachments = [
        {
            "usageType": SIGNATURE,
            "display": {"en": "signature"},
            "contentType": "application/octet-stream",
            "length": len(one),
            "sha2": sha256(one).hexdigest(),
        }
        | more
        for one in signatures
    ]
    return mixed(first(payload | {"attachments": attachments}), *map(part, signatures))


def verdict(lrs, statement_id):
    return lrs.tenant.store.get("statement", statement_id).meta["signature"]


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_52_a_signed_statement_is_accepted_without_a_certificate(each_lrs, version):
    one = statement(id=new_id())

    answer = send(each_lrs, signed(one, sign(one, rsa_key("a"), alg="RS512")), version=version)

    assert answer.status_code == 200, answer.text
    assert verdict(each_lrs, one["id"]) == "unverifiable"


def test_52_what_is_no_signature_is_400_and_says_which_statement(lrs):
    one, two = statement(id=new_id()), statement(id=new_id())
    good, bad = sign(one, rsa_key("a")), sign(one, rsa_key("a"), alg="HS256")
    refused = {
        "HS256": (signed(two, bad), "the algorithm of the signature must be one of RS256, RS384, RS512"),
        "type": (
            signed(one, good, contentType="text/plain"),
            "a signature must have the contentType application/octet-stream",
        ),
        "second": (signed(one, good, b"x.y"), None),
        "size": (signed(one, b"x" * (4 * 1024 * 1024 + 1)), "the signature is larger than 4194304 bytes"),
    }

    for body, message in refused.values():
        answer = send(lrs, body)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_signature")
        assert answer.json()["pointer"] == ("/attachments/1" if body is refused["second"][0] else "/attachments/0")
        assert answer.json()["rule"] == "xAPI 1.0.3 Data 2.6"
        assert message is None or answer.json()["message"] == message
    assert {lrs.get(statementId=name["id"]).status_code for name in (one, two)} == {404}


@pytest.mark.parametrize("multipart", [False, True])
def test_52_a_signature_that_is_only_linked_to_is_unverifiable_and_held_to_its_type(each_lrs, multipart):
    linked = {"fileUrl": "https://example.org/signature", "usageType": SIGNATURE}
    good = attached(b"a.b.c", **linked, contentType="application/octet-stream")
    bad = attached(b"a.b.c", **linked, contentType="text/plain")

    answers = [send(each_lrs, mixed(first(one))) if multipart else each_lrs.post([one]) for one in (good, bad)]

    assert [answer.status_code for answer in answers] == [200, 400]
    assert verdict(each_lrs, good["id"]) == "unverifiable"
    assert answers[1].json()["message"] == "a signature must have the contentType application/octet-stream"
    assert answers[1].json()["pointer"] == ("" if multipart else "/0") + "/attachments/0"


@pytest.mark.parametrize("before", [0, 1])
def test_52_in_a_batch_the_statement_with_the_bad_signature_is_named(lrs, before):
    bad = b"no.signature"
    attachment = {
        "usageType": SIGNATURE,
        "display": {},
        "contentType": "application/octet-stream",
        "length": 1,
        "sha2": sha256(bad).hexdigest(),
    }

    batch = [*(statement() for _ in range(before)), statement(attachments=[attachment])]
    answer = send(lrs, mixed(first(batch), part(bad)))

    assert answer.status_code == 400
    assert (answer.json()["pointer"], answer.json()["index"]) == (f"/{before}/attachments/0", before)


def test_53_the_payload_is_the_statement_and_durations_are_cut_in_2_0(lrs):
    one = statement(id=new_id(), result={"duration": "PT0.1237S"})
    key = rsa_key("a")

    other = send(lrs, signed(one, sign(one | {"verb": {"id": "https://example.org/other"}}, key)))
    cut = send(lrs, signed(one, sign(one | {"result": {"duration": "PT0.12S"}}, key)), version="2.0.0")

    assert other.status_code == 400
    assert other.json()["message"] == "the signature signs another statement than the one it is attached to"
    assert cut.status_code == 200, cut.text


def test_53_a_certificate_in_x5c_must_have_signed_and_a_trusted_one_is_told_apart(tmp_path):
    key, other = rsa_key("known"), rsa_key("unknown")
    known, unknown = certificate("known", key, days=(-1, 36_500)), certificate("unknown", other)
    (tmp_path / "trust").mkdir()
    (tmp_path / "trust" / "known.pem").write_bytes(known.public_bytes(Encoding.PEM))
    one, two, three = (statement(id=new_id()) for _ in range(3))

    with serving(tmp_path / "data", signature_trust=tmp_path / "trust") as lrs:
        assert send(lrs, signed(one, sign(one, key, x5c=x5c(known)))).status_code == 200
        assert send(lrs, signed(two, sign(two, other, x5c=x5c(unknown)))).status_code == 200
        assert send(lrs, signed(three, sign(three, other, x5c=x5c(known)))).status_code == 400

        assert verdict(lrs, one["id"]) == "valid-trusted"
        assert verdict(lrs, two["id"]) == "valid-untrusted"
        assert lrs.get(statementId=one["id"]).headers["x-engraft-signature"] == "valid-trusted"
        assert lrs.get(statementId=two["id"]).headers["x-engraft-signature"] == "valid-untrusted"
        assert "x-engraft-signature" not in lrs.get(statementId=lrs.store(statement())[0]).headers
        assert lrs.get(statementId=three["id"]).status_code == 404
