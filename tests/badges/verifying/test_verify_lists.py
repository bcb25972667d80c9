"""Status lists as the verifier meets them: ours, a stranger's, none."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from badges.credentials.status import EMPTY, compose_list, with_all_set
from badges.keys.issuer import Issuer
from badges.proofs.sign import sign
from badges.verifying.verdict import Unavailable
from badges.views.verdict_view import outcome
from lrs.kernel.times import HOUR
from tests.badges.made import NOON, failed, list_in, signed_anew, verdict_on

STRANGER = Ed25519PrivateKey.from_private_bytes(b"\x09" * 32)


def served(by: Issuer, url: str, key: Ed25519PrivateKey | None = None, **changes: Any) -> Callable[[str], bytes]:
    """A status list as somebody might serve it in the place of ours."""
    unsigned = {**compose_list(url, by.id, "revocation", EMPTY, "2026-11-21T12:00:00Z"), **changes}
    listed = sign(unsigned, key or by.key, by.method, "2026-11-21T12:00:00Z")
    return lambda _url: json.dumps(listed).encode()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"id": "https://skills.example.org/t/default/status/revocation-2"}, "another one"),
        ({"issuer": "did:web:other.example.org"}, "another issuer's"),
        ({"validFrom": "2026-11-21T13:00:00Z"}, "not valid before"),
        ({"validUntil": "2026-11-21T11:00:00Z"}, "expired"),
        ({"type": ["VerifiableCredential"]}, "not a BitstringStatusListCredential"),
        ({"credentialSubject": {"id": "urn:x:1"}}, "no BitstringStatusList"),
        ({"credentialSubject": {"type": "BitstringStatusList", "statusPurpose": "suspension"}}, "not about revocation"),
        ({"credentialSubject": {"type": "BitstringStatusList", "statusPurpose": "revocation"}}, "multibase"),
    ],
)
def test_a_status_list_that_cannot_be_believed_makes_the_badge_not_valid(issued, badge, issuer, changes, why):
    verdict = verdict_on(issued, badge, fetch=served(issuer, list_in(issued)["id"], **changes))

    assert [name for name, _why in failed(verdict)] == ["status"]
    assert why in failed(verdict)[0][1]


def test_a_status_list_that_a_stranger_signed_makes_the_badge_not_valid(issued, badge, issuer):
    verdict = verdict_on(issued, badge, fetch=served(issuer, list_in(issued)["id"], STRANGER))

    assert failed(verdict) == [("status", "the status list is not shown to be signed by the issuer (bad_signature)")]
    assert outcome(verdict) == "not_valid"  # the badge itself was not changed


def test_a_status_list_that_is_cut_off_is_not_told_as_a_fault_of_the_badge(issued, badge, issuer):
    whole = served(issuer, list_in(issued)["id"])("")

    verdict = verdict_on(issued, badge, fetch=lambda _url: whole[:-200])

    assert [(check.name, check.code) for check in verdict.checks if not check.ok] == [("status", "bad_status_list")]
    assert "the status list cannot be read: the text is not valid JSON" in failed(verdict)[0][1]
    assert outcome(verdict) == "not_valid"


def test_a_status_list_that_cannot_be_had_makes_the_badge_not_valid(issued, badge):
    def nowhere(url: str) -> bytes:
        raise Unavailable(f"{url} did not answer")

    assert failed(verdict_on(issued, badge, fetch=nowhere)) == [
        ("status", "https://skills.example.org/t/default/status/revocation-1 did not answer")
    ]


def test_a_suspended_badge_is_not_valid_and_says_so(issued, badge, issuer):
    url = "https://skills.example.org/t/default/status/suspension-1"
    entry = {**badge["credentialStatus"], "id": f"{url}#5", "statusPurpose": "suspension", "statusListIndex": "5"}
    suspended = signed_anew(issuer, badge, credentialStatus={**entry, "statusListCredential": url})
    unsigned = compose_list(url, issuer.id, "suspension", with_all_set(EMPTY, [5]), "2026-11-21T12:00:00Z")
    listed = json.dumps(sign(unsigned, issuer.key, issuer.method, "2026-11-21T12:00:00Z")).encode()

    verdict = verdict_on(issued, suspended, fetch=lambda _url: listed)

    assert failed(verdict) == [("status", "suspended")]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"statusPurpose": "praise"}, "neither a revocation nor a suspension"),
        ({"statusListIndex": "-1"}, "not a whole number"),
        ({"statusListIndex": "131072"}, "not in a list"),
        ({"statusListIndex": "²"}, "not a whole number"),
    ],
)
def test_a_place_that_is_none_makes_the_badge_not_valid(issued, badge, issuer, change, why):
    changed = signed_anew(issuer, badge, credentialStatus={**badge["credentialStatus"], **change})

    assert why in dict(failed(verdict_on(issued, changed)))["status"]


def test_a_badge_without_a_status_list_is_valid_for_its_time(issued, badge, issuer):
    changed = signed_anew(issuer, badge, credentialStatus=None)

    assert verdict_on(issued, changed).valid
    assert not verdict_on(issued, changed, at=NOON + 365 * 24 * HOUR).valid
