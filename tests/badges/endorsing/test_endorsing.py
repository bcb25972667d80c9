"""Endorsements: by this issuer and by others, of a badge and of an achievement, inside the badge."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from badges.endorsing import endorsing
from badges.endorsing.endorsements import MAX_BYTES, endorsements_of
from badges.issuing import rotation
from badges.keys.issuer import issuer_of
from badges.proofs.sign import sign
from badges.views import badge_view, verdict_view
from lrs.composition.steps import drain
from lrs.kernel.errors import Refused
from lrs.tenancy.tenants import Tenant
from tests.audits import broken_at
from tests.badges.made import AWARD, NOON, again, badge_in, failed, put_award, run_issue, tenant_in, verdict_on

LATER = NOON + 60_000_000
ONE, TWO, THREE = (f"{n}5555555-5555-4555-8555-555555555555" for n in (1, 2, 3))


@pytest.fixture
def held(tmp_path):
    opened = tenant_in(tmp_path)
    put_award(opened)
    run_issue(opened)
    yield opened
    opened.store.close()


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """Another issuer, whose key is its identity."""
    opened = tenant_in(tmp_path_factory.mktemp("other"), public_url=None)
    yield opened
    opened.store.close()


def thing_of(tenant: Tenant) -> endorsing.EndorsedThing:
    return endorsing.thing_named(tenant, badge_in(tenant)[0].id)


def by_other(tenant: Tenant, other: Tenant, **changes: Any) -> bytes:
    """The draft that *tenant* gives out, filled in and signed by *other*."""
    issuer = issuer_of(other)
    drafted = endorsing.drafted(tenant, thing_of(tenant), id=TWO)
    drafted["credentialSubject"]["endorsementComment"] = "They gown for us every day"
    unsigned = {**drafted, "issuer": issuer.profile(), **changes}
    return json.dumps(sign(unsigned, issuer.key, issuer.method, "2026-11-21T12:00:00Z")).encode()


def test_a_badge_that_is_endorsed_is_issued_anew_under_its_id_with_the_endorsement_in_it(held):
    before = badge_in(held)[1]

    id = endorsing.endorse(held, thing_of(held), "I saw it in the clean room", id=ONE, by="test")
    run_issue(held)

    badge = badge_in(held)[1]
    (inside,) = badge["endorsement"]
    assert (badge["id"], badge["credentialStatus"]) == (before["id"], before["credentialStatus"])
    assert inside["id"] == id == f"urn:uuid:{ONE}"
    assert inside["credentialSubject"] == {
        "id": badge["id"],
        "type": ["EndorsementSubject"],
        "endorsementComment": "I saw it in the clean room",
    }
    verdict = verdict_on(held, badge, LATER)
    assert failed(verdict) == []
    assert [check.why for check in verdict.checks if check.name == "endorsements"] == ["1 valid"]
    assert broken_at(held.store) is None


def test_an_endorsed_badge_that_is_looked_at_again_is_left_as_it_is(held):
    endorsing.endorse(held, thing_of(held), "I saw it", id=ONE, by="test")
    run_issue(held)
    before = badge_in(held)

    again(held)
    run_issue(held)

    assert badge_in(held) == before


def test_one_by_others_is_kept_as_it_was_signed_and_taken_away_again(held, other):
    content = by_other(held, other)

    id = endorsing.take_in(held, thing_of(held), content, None, by="test")
    run_issue(held)
    inside = badge_in(held)[1]["endorsement"]
    valid = failed(verdict_on(held, badge_in(held)[1], LATER))
    endorsing.remove(held, thing_of(held), id, by="test")
    run_issue(held)

    assert inside == [json.loads(content)]
    assert inside[0]["issuer"]["id"].startswith("did:key:")
    assert valid == []
    assert "endorsement" not in badge_in(held)[1]


def test_one_of_an_achievement_reaches_the_badges_that_are_held_and_leaves_them_again(held):
    before = badge_in(held)[1]
    achievement = before["credentialSubject"]["achievement"]
    thing = endorsing.thing_named(held, badge_in(held)[0].meta["achievement"])

    id = endorsing.endorse(held, thing, "What we look for when we hire", id=ONE, by="test")
    drain(held, ["reword"])
    run_issue(held)

    badge = badge_in(held)[1]
    (inside,) = badge["credentialSubject"]["achievement"]["endorsement"]
    assert (badge["id"], badge["credentialStatus"]) == (before["id"], before["credentialStatus"])
    assert inside["credentialSubject"]["id"] == thing.about == achievement["id"]
    assert failed(verdict_on(held, badge, LATER)) == []
    own = {"id": badge["issuer"]["id"], "who": badge["issuer"]["name"], "says": "What we look for when we hire"}
    assert badge_view.endorsed(badge, {}) == [own | {"known": "", "is_issuer": True}]
    again(held)
    run_issue(held)
    assert badge_in(held)[1] == badge

    endorsing.remove(held, thing, id, by="test")
    drain(held, ["reword"])
    run_issue(held)

    assert badge_in(held)[1]["credentialSubject"]["achievement"] == achievement


def test_one_of_other_words_than_a_badge_has_owes_nothing_for_it(held):
    thing = endorsing.thing_named(held, badge_in(held)[0].meta["achievement"])
    endorsing.endorse(held, replace(thing, id="other words"), "Not about yours", id=ONE, by="test")

    drain(held, ["reword"])

    assert run_issue(held) == 0


def test_our_own_is_signed_anew_when_its_key_is_given_up_and_stays_when_it_is_only_replaced(held):
    endorsing.endorse(held, thing_of(held), "I saw it", id=ONE, by="test")
    run_issue(held)
    rotation.rotate(held, "Ed25519", wait=0, by="test")
    drain(held, ["rotate"])
    again(held)
    run_issue(held)
    retired = badge_in(held)[1]["endorsement"][0]
    rotation.compromise(held, "badge-signing-key/1", by="test")
    drain(held, ["reissue"])
    run_issue(held)

    anew = badge_in(held)[1]
    assert retired["proof"] != anew["endorsement"][0]["proof"]
    assert failed(verdict_on(held, anew, LATER)) == []
    assert anew["endorsement"][0]["id"] == f"urn:uuid:{ONE}"


BAD = {
    "about another thing": ({"credentialSubject": {"id": "urn:uuid:1", "type": ["EndorsementSubject"]}}, "else"),
    "expired": ({"validUntil": "2020-01-01T00:00:00Z"}, "expired"),
    "no endorsement": ({"type": ["VerifiableCredential"]}, "not an EndorsementCredential"),
    "an issuer without a name": ({"issuer": "did:key:z6Mk"}, "not taken"),
}


@pytest.mark.parametrize("what", [*BAD, "changed", "empty", "deep", "long"])
def test_an_endorsement_that_a_verifier_would_refuse_is_not_taken(held, other, what):
    changes, why = BAD.get(what, ({}, "not taken"))
    signed = by_other(held, other, **changes)
    contents = {
        "changed": signed.replace(b"every day", b"every hour"),
        "empty": b"{}",
        "deep": b"[" * 10_000,
        "long": json.dumps({"proof": "x" * MAX_BYTES}).encode(),
    }

    with pytest.raises(Refused, match=why):
        endorsing.take_in(held, thing_of(held), contents.get(what, signed), None, by="test")

    assert endorsements_of(held.store, badge_in(held)[0].id) is None


def test_a_fourth_one_and_one_that_is_there_are_refused_and_so_is_a_comment_that_says_nothing(held, other):
    content = by_other(held, other)
    endorsing.take_in(held, thing_of(held), content, None, by="test")
    with pytest.raises(Refused, match="is there already"):
        endorsing.take_in(held, thing_of(held), content, None, by="test")
    for n in (3, 4):
        endorsing.endorse(held, thing_of(held), f"Yes, {n}", id=f"{n}" + ONE[1:], by="test")

    with pytest.raises(Refused, match="take one away first"):
        endorsing.endorse(held, thing_of(held), "Yes", id=ONE, by="test")
    for comment in ("", " ", "x" * 1_001, "bell \x07", "\u202egnol"):
        with pytest.raises(Refused, match="comment"):
            endorsing.endorse(held, thing_of(held), comment, id=ONE, by="test")


def test_the_same_words_of_the_same_issuer_are_kept_once_and_owe_nothing_again(held, other):
    achievement = endorsing.thing_named(held, badge_in(held)[0].meta["achievement"])
    for thing in (achievement, thing_of(held)):
        endorsing.endorse(held, thing, "I saw it", id=ONE, by="test")
    endorsing.take_in(held, thing_of(held), by_other(held, other), None, by="test")
    drain(held, ["reword"])
    run_issue(held)

    anew = by_other(held, other, id=f"urn:uuid:{THREE}")
    doubles = [
        lambda: endorsing.endorse(held, achievement, " I saw it ", id=THREE, by="test"),
        lambda: endorsing.endorse(held, thing_of(held), "I saw it", id=THREE, by="test"),
        lambda: endorsing.take_in(held, thing_of(held), anew, None, by="test"),
    ]
    for double in doubles:
        with pytest.raises(Refused, match="says the same of it already") as refused:
            double()
        assert (refused.value.status, refused.value.error) == (409, "endorsed_already")
    drain(held, ["reword"])

    assert run_issue(held) == 0
    endorsing.endorse(held, thing_of(held), "They gown for us every day", id=THREE, by="test")  # the words of another


def test_an_endorser_is_told_by_the_id_that_signed_and_is_known_or_not_whatever_the_name(held, other):
    claims = issuer_of(other).profile() | {"name": "NHS England"}
    endorsing.take_in(held, thing_of(held), by_other(held, other, issuer=claims), None, by="test")
    endorsing.endorse(held, thing_of(held), "I saw it", id=ONE, by="test")
    run_issue(held)
    badge, own, stranger = badge_in(held)[1], issuer_of(held).id, issuer_of(other).id
    verdict = verdict_on(held, badge, LATER)

    told = verdict_view.told(verdict, {own: "Engraft"})["endorsements"]
    found = [
        [(one["who"], one["id"], one["known"], one["is_issuer"]) for one in endorsed]
        for known in ({own: "Engraft"}, {stranger: "College"})
        for endorsed in (badge_view.endorsed(badge, known), verdict_view.shown(verdict, known)["badges"][0]["endorsed"])
    ]

    name = badge["issuer"]["name"]
    assert found[0] == found[1] == [("NHS England", stranger, "", False), (name, own, "Engraft", True)]
    assert found[2] == found[3] == [("NHS England", stranger, "College", False), (name, own, "", True)]
    assert [(one["issuerId"], one["issuerKnown"], one["byIssuerOfBadge"]) for one in told] == [
        (stranger, False, False),
        (own, True, True),
    ]


@pytest.mark.parametrize("id", ["none", AWARD, "../x"])
def test_what_is_no_badge_and_no_achievement_cannot_be_endorsed(held, id):
    with pytest.raises(Refused, match="no badge and no achievement"):
        endorsing.thing_named(held, id)
