"""Signed statements: what is refused, and the verdict on the rest (xapi.md 52, 53)."""

import base64

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from lrs.kernel.errors import Misconfigured, Refused
from lrs.xapi.statements.signatures import check_signature, check_trust, trust_anchors
from tests.rows import each_of
from tests.xapi.statements.signers import AT, b64url, certificate, ec_key, rsa_key, sign, x5c

YEARS = 10 * 365 * 86_400 * 1_000_000
STATEMENT = {
    "id": "6b1f9a0e-6c2a-4f5e-9d55-0d1f6f1f2a3b",
    "actor": {"mbox": "mailto:ada@example.org"},
    "verb": {"id": "https://v.example/did"},
    "object": {"id": "https://a.example/1"},
    "result": {"duration": "PT1.12S", "score": {"scaled": 1.0}},
}
ATTACHMENT = {
    "usageType": "http://adlnet.gov/expapi/attachments/signature",
    "display": {"en": "signature"},
    "contentType": "application/octet-stream",
    "length": 1,
    "sha2": "0" * 64,
}
OTHER_ATTACHMENT = {**ATTACHMENT, "usageType": "https://u.example/certificate", "sha2": "1" * 64}
ROOT = certificate("root", rsa_key("root"), ca=True)
MIDDLE = certificate("middle", rsa_key("middle"), ROOT, rsa_key("root"), ca=True)
SIGNER = certificate("signer", rsa_key("signer"), MIDDLE, rsa_key("middle"))


def verdict(signature, *, statement=None, attachment=None, trust=(ROOT,), at=AT, version="2.0.0"):
    statement = {**(statement or STATEMENT), "attachments": [attachment or ATTACHMENT]}
    return check_signature(statement, attachment or ATTACHMENT, signature, version, trust, at=at)


def refusal(signature, **options):
    with pytest.raises(Refused) as caught:
        verdict(signature, **options)
    assert (caught.value.status, caught.value.error) == (400, "invalid_signature")
    return caught.value


def signed(payload=STATEMENT, chain=(SIGNER, MIDDLE), **options):
    return sign(payload, rsa_key("signer"), x5c=x5c(*chain), **options)


@pytest.mark.parametrize("alg", ["RS256", "RS384", "RS512"])
def test_52_without_a_certificate_a_signature_is_unverifiable_and_accepted(alg):
    assert verdict(sign(STATEMENT, rsa_key("signer"), alg=alg)) == "unverifiable"


@each_of("alg", ["HS256", "ES256", "PS256", "none", "rs256", "", None, ["RS256"], 256])
def test_52_any_other_algorithm_is_refused(alg):
    found = refusal(sign(STATEMENT, rsa_key("signer"), alg=alg))

    assert found.message == "the algorithm of the signature must be one of RS256, RS384, RS512"


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "application/octet-streams"])
def test_52_another_content_type_is_refused(content_type):
    refusal(sign(STATEMENT, rsa_key("signer")), attachment={**ATTACHMENT, "contentType": content_type})


@each_of(
    "malformed",
    [
        b"",
        b"no dots",
        b"a.b",
        b"a.b.c.d",
        b"!!.e30.e30",
        b"e30.e30.e30",
        b64url(b'{"alg":"RS256"') + b".e30.e30",
        b64url(b'{"alg":"RS256","alg":"RS256"}') + b".e30.e30",
        b64url(b'["RS256"]') + b".e30.e30",
        b64url(b'{"alg":"RS256"}') + b"." + b64url(b"{'id':1}") + b".e30",
        b64url(b'{"alg":"RS256"}') + b"." + b64url(b"[]") + b".e30",
        b64url(b'{"alg":"RS256"}') + b"." + b64url(b"null") + b".e30",
        b64url(b'{"alg":"RS256"}') + b".e30.\xff\xfe",
        b"." * 5_000_000,
    ],
    ids=lambda one: repr(one[:60]),
)
def test_52_what_is_no_jws_with_an_object_as_payload_is_refused(malformed):
    refusal(malformed)


def test_52_an_extension_that_must_be_understood_is_refused():
    refusal(sign(STATEMENT, rsa_key("signer"), crit=["b64"], b64=False))


def test_53_the_payload_may_write_the_same_statement_another_way():
    payload = b"""{ "object":{"objectType":"Activity","id":"https://a.example/1"}, "verb":{"id":"https://v.example/did"},
      "actor":{"objectType":"Agent","mbox":"mailto:ada@example.org"}, "id":"6B1F9A0E-6C2A-4F5E-9D55-0D1F6F1F2A3B",
      "result":{"score":{"scaled":1e0},"duration":"PT1.12S"} }"""

    assert verdict(signed(payload)) == "valid-trusted"


def test_53_durations_are_compared_to_a_hundredth_of_a_second():
    statement = {**STATEMENT, "result": {**STATEMENT["result"], "duration": "PT1.1237S"}}

    assert verdict(signed(), statement=statement) == "valid-trusted"
    refusal(signed(), statement={**STATEMENT, "result": {**STATEMENT["result"], "duration": "PT1.13S"}})


def test_53_who_stored_it_and_by_which_version_may_be_otherwise_in_the_payload():
    theirs = {"authority": {"mbox": "mailto:theirs@example.org"}, "version": "1.0.0", "stored": "2026-01-01T00:00:00Z"}
    ours = {"authority": {"mbox": "mailto:ours@example.org"}, "version": "2.0.0"}

    assert verdict(signed({**STATEMENT, **theirs}), statement={**STATEMENT, **ours}) == "valid-trusted"


def test_53_what_an_lrs_sets_may_be_missing_in_the_payload():
    statement = {
        **STATEMENT,
        "stored": "2026-11-18T00:00:00Z",
        "timestamp": "2026-11-18T00:00:00Z",
        "authority": {"mbox": "mailto:lrs@example.org"},
        "version": "1.0.3",
    }

    assert verdict(signed(), statement=statement) == "valid-trusted"


@pytest.mark.parametrize(
    "change",
    [
        {"actor": {"mbox": "mailto:eve@example.org"}},
        {"verb": {"id": "https://v.example/passed"}},
        {"object": {"id": "https://a.example/2"}},
        {"result": {"duration": "PT1.12S", "score": {"scaled": 0.9}}},
        {"id": "7b1f9a0e-6c2a-4f5e-9d55-0d1f6f1f2a3b"},
        {"context": {"platform": "x"}},
    ],
    ids=str,
)
def test_53_a_payload_that_is_another_statement_is_refused(change):
    found = refusal(signed({**STATEMENT, **change}))

    assert found.message == "the signature signs another statement than the one it is attached to"


def test_53_other_attachments_count_if_they_were_there_when_it_was_signed():
    def check(payload, attachments):
        return check_signature({**STATEMENT, "attachments": attachments}, ATTACHMENT, payload, "2.0.0", (), at=AT)

    with_other = signed({**STATEMENT, "attachments": [OTHER_ATTACHMENT]})

    assert check(with_other, [OTHER_ATTACHMENT, ATTACHMENT]) == "valid-untrusted"
    assert check(signed(), [OTHER_ATTACHMENT, ATTACHMENT]) == "valid-untrusted"
    with pytest.raises(Refused):
        check(with_other, [ATTACHMENT])


def test_53_a_chain_that_leads_to_an_anchor_is_trusted():
    assert verdict(signed()) == "valid-trusted"
    assert verdict(signed(chain=[SIGNER, MIDDLE, ROOT])) == "valid-trusted"
    assert verdict(signed(chain=[SIGNER]), trust=(MIDDLE,)) == "valid-trusted"


def test_53_a_certificate_that_was_given_to_us_needs_no_chain():
    alone = certificate("alone", rsa_key("alone"))

    assert verdict(sign(STATEMENT, rsa_key("alone"), x5c=x5c(alone)), trust=(ROOT, alone)) == "valid-trusted"


@pytest.mark.parametrize(
    ("chain", "trust"),
    [((SIGNER, MIDDLE), ()), ((SIGNER,), (ROOT,)), ((SIGNER, MIDDLE), (certificate("x", rsa_key("x"), ca=True),))],
)
def test_53_a_chain_that_leads_nowhere_we_know_is_untrusted(chain, trust):
    assert verdict(signed(chain=chain), trust=trust) == "valid-untrusted"


@pytest.mark.parametrize("at", [AT - YEARS, AT + YEARS, None])
def test_53_a_certificate_out_of_its_time_or_without_a_time_to_judge_it_by_is_untrusted(at):
    assert verdict(signed(), at=at) == "valid-untrusted"
    assert verdict(signed(), trust=(SIGNER,), at=at) == "valid-untrusted"


def test_53_an_issuer_that_may_not_issue_is_untrusted():
    false_issuer = certificate("false issuer", rsa_key("signer"), ROOT, rsa_key("root"))
    forged = certificate("forged", rsa_key("forged"), false_issuer, rsa_key("signer"))

    assert verdict(sign(STATEMENT, rsa_key("forged"), x5c=x5c(forged, false_issuer))) == "valid-untrusted"


def test_53_an_issuer_that_only_bears_the_anchors_name_is_untrusted():
    namesake = certificate("root", rsa_key("namesake"), ca=True)
    forged = certificate("forged", rsa_key("forged"), namesake, rsa_key("namesake"))

    assert verdict(sign(STATEMENT, rsa_key("forged"), x5c=x5c(forged, namesake))) == "valid-untrusted"


def test_53_a_short_key_is_never_trusted():
    weak = certificate("weak", rsa_key("weak", 1_024), ROOT, rsa_key("root"))

    assert verdict(sign(STATEMENT, rsa_key("weak", 1_024), x5c=x5c(weak))) == "valid-untrusted"
    assert verdict(sign(STATEMENT, rsa_key("weak", 1_024), x5c=x5c(weak)), trust=(weak,)) == "valid-untrusted"


def test_53_a_signature_that_its_certificate_did_not_make_is_refused():
    found = refusal(sign(STATEMENT, rsa_key("somebody else"), x5c=x5c(SIGNER, MIDDLE)))

    assert found.message == "the signature was not made with the certificate in its x5c header"


def test_53_a_payload_or_header_changed_after_signing_is_refused():
    head, payload, signature = signed().split(b".")
    longer = base64.urlsafe_b64decode(payload + b"==") + b" "

    refusal(b".".join([head, b64url(longer), signature]))
    refusal(b".".join([head, payload, signature[:-4]]))


def test_53_a_certificate_for_another_kind_of_key_is_refused():
    elliptic = certificate("elliptic", ec_key(), ROOT, rsa_key("root"))

    refusal(sign(STATEMENT, rsa_key("signer"), x5c=x5c(elliptic)))


@each_of(
    "chain",
    [[], "text", {}, [1], ["!"], ["AAAA"], [""], [None], x5c(*[SIGNER] * 11)],
    ids=["none", "a text", "an object", "a number", "no base64", "no certificate", "empty", "null", "too many"],
)
def test_53_a_malformed_x5c_is_refused(chain):
    refusal(sign(STATEMENT, rsa_key("signer"), x5c=chain))


def test_a_refusal_names_the_place_and_the_rule_of_the_version():
    old, new = refusal(b"x", version="1.0.3"), refusal(b"x", version="2.0.0")

    assert (old.pointer, old.rule) == ("", "xAPI 1.0.3 Data 2.6")
    assert (new.pointer, new.rule) == ("", "IEEE 9274.1.1 4.2.8")


class Trusting:
    """What ``trust_anchors`` needs of the settings."""

    def __init__(self, folder):
        self.signature_trust = folder


def test_anchors_are_read_from_the_pem_files_of_the_folder_and_again_when_it_changes(tmp_path):
    (tmp_path / "readme.txt").write_text("not looked at")
    (tmp_path / "a.pem").write_bytes(ROOT.public_bytes(Encoding.PEM) + MIDDLE.public_bytes(Encoding.PEM))
    first = trust_anchors(Trusting(tmp_path))
    (tmp_path / "b.pem").write_bytes(SIGNER.public_bytes(Encoding.PEM))

    assert first == (ROOT, MIDDLE)
    assert trust_anchors(Trusting(tmp_path)) == (ROOT, MIDDLE, SIGNER)


def test_without_a_folder_there_are_no_anchors():
    assert trust_anchors(Trusting(None)) == ()


def test_a_pem_file_without_a_certificate_is_named(tmp_path):
    (tmp_path / "bad.pem").write_text("nothing")

    with pytest.raises(Misconfigured, match=r"LRS_SIGNATURE_TRUST: .*bad\.pem holds no certificate"):
        check_trust(Trusting(tmp_path))


def test_a_certificate_that_is_just_being_copied_counts_as_it_was_before(tmp_path):
    """It gave a 500 for each signed statement, until the copy was through."""
    path = tmp_path / "root.pem"
    whole = ROOT.public_bytes(Encoding.PEM)
    path.write_bytes(whole)
    check_trust(Trusting(tmp_path))

    path.write_bytes(whole[: len(whole) // 2])
    (tmp_path / "new.pem").write_bytes(whole[:40])

    assert trust_anchors(Trusting(tmp_path)) == (ROOT,)
    (tmp_path / "new.pem").write_bytes(SIGNER.public_bytes(Encoding.PEM))
    path.write_bytes(MIDDLE.public_bytes(Encoding.PEM))
    assert trust_anchors(Trusting(tmp_path)) == (SIGNER, MIDDLE)
