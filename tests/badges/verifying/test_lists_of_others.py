"""Lists of others, each in its own form, without a badge around: which place says what, and what is no list."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest

from badges.credentials.status import EMPTY, compose_list, with_all_set
from badges.endorsing.endorsements import draft
from badges.proofs.sign import sign
from badges.verifying.endorsements import check_endorsements
from badges.verifying.sd_jwt import withheld
from badges.verifying.statuses import check_status, check_token_status
from badges.verifying.verdict import Invalid, Unavailable
from badges.verifying.verification import Verification
from lrs.kernel.base64url import base64url
from tests.badges.made import NOON
from tests.badges.wallet import Wallet
from tests.rows import each_of

URL = "https://lists.example/one"
ISSUER = Wallet()
NOW = NOON // 1_000_000
CUT = base64url(zlib.compress(bytes(99))[:-5])


def asked(body: bytes) -> Verification:
    def fetch(url: str) -> bytes:
        if url != URL:
            raise Unavailable(f"{url} does not answer")
        return body

    return Verification(NOON, lambda _: {}, fetch)


def listed(*places: int, bits: Any = 1, header: Any = None, claims: Any = None, signer: Wallet = ISSUER) -> bytes:
    """A token status list of the bytes *places*, as *signer* makes it."""
    head = {"alg": "EdDSA", "typ": "statuslist+jwt", "kid": f"{ISSUER.did}#{ISSUER.multikey}"} | (header or {})
    told = {"sub": URL, "iat": NOW, "status_list": {"bits": bits, "lst": base64url(zlib.compress(bytes(places)))}}
    text = ".".join(base64url(json.dumps(part).encode()) for part in (head, told | (claims or {})))
    return f"{text}.{base64url(signer.key.sign(text.encode()))}".encode()


def said(body: bytes, index: Any = 0, url: Any = URL) -> str:
    """The code of what the list in *body* says of a place."""
    try:
        claims = {"status": {"status_list": {"idx": index, "uri": url}}}
        return check_token_status(claims, ISSUER.did, asked(body)).code
    except (Invalid, Unavailable) as error:
        return error.code


@each_of(
    ("bits", "places", "states"),
    [
        (1, (0b10, 0b1), ["ok", "revoked", "ok", "ok", "ok", "ok", "ok", "ok", "revoked", "ok"]),
        (2, (0b00_11_10_01, 0b10), ["revoked", "suspended", "revoked", "ok", "suspended", "ok"]),
        (4, (0x20, 0x01), ["ok", "suspended", "revoked", "ok"]),
        (8, (0, 2, 1), ["ok", "suspended", "revoked"]),
    ],
)
def test_a_place_in_a_token_status_list_has_so_many_bits_the_least_first(bits, places, states):
    body = listed(*places, bits=bits)

    assert [said(body, index) for index in range(len(states))] == states
    assert said(body, 8 * len(places) // bits) == "bad_status"


@each_of(
    ("body", "code"),
    [
        (listed(0, header={"typ": "JWT"}), "status_list_not_issuers"),
        (listed(0, claims={"sub": "https://lists.example/two"}), "status_list_not_issuers"),
        (listed(0, signer=Wallet()), "bad_status_list"),
        (listed(0, header={"kid": f"{Wallet().did}#0"}), "bad_status_list"),
        (listed(0, claims={"exp": NOW}), "status_list_stale"),
        (listed(0, claims={"exp": NOW + 1}), "ok"),
        (listed(0, claims={"nbf": NOW + 1}), "status_list_stale"),
        (listed(0, bits=3), "bad_status_list"),
        (listed(0, bits=True), "bad_status_list"),
        (listed(0, claims={"status_list": {"bits": 1, "lst": base64url(b"no zlib")}}), "bad_status_list"),
        (listed(0, claims={"status_list": {"bits": 1, "lst": CUT}}), "bad_status_list"),
        (listed(0, claims={"status_list": [1]}), "bad_status_list"),
        (b"no token", "bad_status_list"),
    ],
)
def test_what_is_no_token_status_list_of_the_issuer_makes_a_badge_not_valid(body, code):
    assert said(body) == code


@each_of(
    ("index", "url", "code"),
    [
        (-1, URL, "bad_status"),
        ("1", URL, "bad_status"),
        (True, URL, "bad_status"),
        (0, None, "bad_status"),
        (0, f"{URL}/gone", "unavailable"),
    ],
)
def test_a_place_that_is_none_makes_a_badge_not_valid(index, url, code):
    assert said(listed(0), index, url) == code
    assert check_token_status({}, ISSUER.did, asked(b"")).code == "no_status"


def test_our_own_list_at_the_same_address_is_read_for_a_token_too():
    unsigned = compose_list(URL, ISSUER.did, "revocation", with_all_set(EMPTY, [5]), "2026-11-21T11:00:00Z")
    method = f"{ISSUER.did}#{ISSUER.multikey}"
    body = json.dumps(sign(unsigned, ISSUER.key, method, "2026-11-21T11:00:00Z")).encode()

    assert [said(body, index) for index in (4, 5, 131_071, 131_072)] == ["ok", "revoked", "ok", "bad_status"]


@each_of(("place", "code"), [(4, ""), (5, "endorsement_revoked")])
def test_an_endorsement_that_was_revoked_counts_no_more(place, code):
    method, day = f"{ISSUER.did}#{ISSUER.multikey}", "2026-11-21T11:00:00Z"
    revoked = compose_list(URL, ISSUER.did, "revocation", with_all_set(EMPTY, [5]), day)
    status = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}
    status |= {"id": f"{URL}#{place}", "statusListIndex": str(place), "statusListCredential": URL}
    profile = {"id": ISSUER.did, "type": ["Profile"], "name": "Works"}
    made = draft("urn:x:1", "Gowning", profile, "Seen", id="urn:uuid:11111111-1111-4111-8111-111111111111", at=NOON)
    unsigned = made | {"validFrom": day, "credentialStatus": status}
    badge = {"id": "urn:x:1", "endorsement": [sign(unsigned, ISSUER.key, method, day)]}

    checking = asked(json.dumps(sign(revoked, ISSUER.key, method, day)).encode())
    if not code:
        assert check_endorsements(badge, checking) == "1 valid"
        return
    with pytest.raises(Invalid) as told:
        check_endorsements(badge, checking)
    assert told.value.code == code


@each_of(
    ("digests", "shown", "names"),
    [
        (["a", "b"], ["awarded", "criteria"], ()),
        (["a", "b", "c"], ["awarded", "criteria"], ("identifier", "alignment", "evidence")),
        (["a", "b"], [], ("awarded", "criteria", "identifier", "alignment", "evidence")),
        ([], [], ()),
        ("none", [], ()),
    ],
)
def test_what_is_withheld_is_said_where_fewer_claims_are_shown_than_were_signed(digests, shown, names):
    assert withheld({"iss": "x", "_sd": digests}, {"iss": "x", **dict.fromkeys(shown, 1)}) == names


def stated(entries: Any, body: bytes = b"{}") -> str:
    badge = {"id": "urn:x:1", "issuer": {"id": "https://college.example"}, "credentialStatus": entries}
    try:
        return check_status(badge, asked(body)).code
    except (Invalid, Unavailable) as error:
        return error.code


FORMER = {"type": "1EdTechRevocationList", "id": URL}


@each_of(
    ("revoked", "code"),
    [
        (["urn:x:1"], "revoked"),
        ("urn:x:1", "revoked"),
        ([{"id": "urn:x:1", "revoked": True}], "revoked"),
        ([{"id": "urn:x:2"}, {"id": "urn:x:1"}], "revoked"),
        ([{"id": "urn:x:1", "revoked": False}], "ok"),
        (["urn:x:2", {"id": "urn:x:3"}], "ok"),
        ([], "ok"),
    ],
)
def test_the_former_list_of_1edtech_names_what_is_revoked_in_any_of_its_forms(revoked, code):
    for name in ("revokedCredential", "revokedCredentials"):
        for issuer in ("https://college.example", {"id": "https://college.example"}):
            body = json.dumps({"id": URL, "issuer": issuer, name: revoked}).encode()
            assert stated(FORMER, body) == code


@each_of(
    ("entry", "told", "code"),
    [
        ({"id": "http://lists.example/one"}, {}, "bad_status"),
        ({}, {"id": "https://lists.example/two"}, "status_list_not_issuers"),
        ({}, {"issuer": "https://university.example"}, "status_list_not_issuers"),
        ({}, {"issuer": None}, "status_list_not_issuers"),
    ],
)
def test_a_former_list_is_at_an_https_address_and_of_the_issuer(entry, told, code):
    body = json.dumps({"id": URL, "issuer": "https://college.example"} | told).encode()

    assert stated(FORMER | entry, body) == code


ENTRY = {"type": "BitstringStatusListEntry", "statusListIndex": "1", "statusListCredential": URL}
MESSAGE = ENTRY | {"statusPurpose": "message"}


@each_of(
    ("entries", "code"),
    [
        (MESSAGE, "ok"),
        ([MESSAGE] * 4, "ok"),
        ([MESSAGE] * 5, "bad_status"),
        ([], "bad_status"),
        (ENTRY | {"statusPurpose": "health"}, "status_not_supported"),
        (ENTRY, "status_not_supported"),
        (ENTRY | {"statusPurpose": "revocation", "type": "Other"}, "status_not_supported"),
        ("revoked", "status_not_supported"),
        *(
            (ENTRY | {"statusPurpose": "revocation", "statusListIndex": index}, "bad_status")
            for index in (1, "-1", "1.0", "x", "²", "1234567890")
        ),
    ],
)
def test_an_entry_says_by_which_list_a_badge_is_stopped(entries, code):
    assert stated(entries) == code


def test_a_badge_without_a_status_says_that_none_is_kept():
    assert check_status({"id": "urn:x:1"}, asked(b"")).code == "no_status"
    with pytest.raises(Unavailable):
        check_status(
            {"id": "urn:x:1", "issuer": "https://college.example", "credentialStatus": FORMER | {"id": f"{URL}/x"}},
            asked(b""),
        )
