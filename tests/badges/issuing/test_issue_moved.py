"""The step "issue" on a store whose tenant has another address, or another key, than when its badges were issued."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from badges.credentials.lists import former_lists
from badges.credentials.status import bits_of
from badges.issuing.renew import renew
from badges.keys.issuer import KeyLost, issuer_of
from lrs.kernel.settings import Settings
from lrs.kernel.times import HOUR
from lrs.storage import Record, Walk
from lrs.tenancy.root_keys import Secrets
from lrs.tenancy.tenants import Tenant
from tests.badges.made import (
    AWARD,
    BODY,
    again,
    badge_in,
    failed,
    list_in,
    put_award,
    run_issue,
    verdict_on,
)

pytestmark = pytest.mark.mongo_in_soak

OTHER = "7d2f3c1a-0c64-5b3e-8a52-2f4f6f1d0a02"
HTTPS, HTTPS_2 = "https://skills.example.org", "https://badges.example.com/lrs"
HTTP, HTTP_2 = "http://127.0.0.1:8080", "http://10.0.0.7"
MOVES = [(None, HTTPS), (HTTP, HTTPS), (HTTPS, HTTPS_2), (HTTPS, None), (HTTP, HTTP_2)]


def at(tenant: Tenant, public_url: str | None) -> Tenant:
    """The same store, keys and clock under another address."""
    return replace(tenant, settings=Settings(data=tenant.settings.data, public_url=public_url))


def verdict(tenant: Tenant, badge: dict[str, Any], *public_urls: str | None) -> list[tuple[str, str]]:
    """What fails for a stranger who can look up the issuers that the tenant is under *public_urls*."""
    issuers = [issuer_of(at(tenant, url)) for url in public_urls]
    documents = {issuer.id: issuer.did_document() for issuer in issuers}
    return failed(verdict_on(tenant, badge, resolve=documents.__getitem__))


def badge_of(tenant: Tenant, named: str) -> dict[str, Any]:
    """The badge whose achievement has this name."""
    (found,) = (
        badge
        for badge in (json.loads(record.body) for record in tenant.store.find(Walk("credential")).records)
        if badge["name"] == named
    )
    return found


def revoked_in(tenant: Tenant, number: int) -> int:
    """How many places are set in the list of this number."""
    return sum(map(int.bit_count, bits_of(list_in(tenant, f"revocation-{number}"), "revocation")))


def owed(tenant: Tenant) -> list[tuple[str, int, int]]:
    """What waits or was put aside."""
    found = [(backlog.step, backlog.waiting, backlog.parked) for backlog in tenant.store.backlog()]
    return [entry for entry in found if entry[1:] != (0, 0)]


@pytest.mark.parametrize(("before", "after"), MOVES)
def test_the_next_badge_after_a_move_is_of_the_new_issuer_and_the_one_before_stays_as_it_was(tenant, before, after):
    put_award(at(tenant, before))
    run_issue(at(tenant, before))
    first, list_before = badge_in(tenant)[1], list_in(tenant)

    moved = at(tenant, after)
    put_award(moved, OTHER, level={"ordinal": 3, "code": "E", "label": "Expert"})
    run_issue(moved)

    second = badge_of(moved, "Aseptic gowning: Expert")
    assert second["issuer"]["id"] == issuer_of(moved).id
    assert second["credentialStatus"]["statusListCredential"] == list_in(moved, "revocation-2")["id"]
    assert badge_of(moved, "Aseptic gowning: Practitioner") == first
    assert list_in(moved) == list_before
    assert verdict(moved, second, after) == []
    assert verdict(moved, first, before) == []
    assert owed(moved) == []


@pytest.mark.parametrize(("before", "after"), MOVES)
def test_a_badge_that_is_issued_anew_after_a_move_is_revoked_in_the_list_of_its_former_issuer(tenant, before, after):
    put_award(at(tenant, before))
    run_issue(at(tenant, before))
    first, list_before = badge_in(tenant)[1], list_in(tenant)
    tenant.clock.now += HOUR

    moved = at(tenant, after)
    again(moved)
    run_issue(moved)

    second, list_after = badge_in(moved)[1], list_in(moved)
    assert second["id"] == first["id"]
    assert second["validFrom"] == "2026-11-21T13:00:00Z"
    assert second["issuer"]["id"] == issuer_of(moved).id
    assert (list_after["id"], list_after["issuer"]) == (list_before["id"], list_before["issuer"])
    assert verdict(moved, first, before) == [("status", "revoked")]
    assert verdict(moved, second, after) == []
    assert [revoked_in(moved, number) for number in (1, 2)] == [1, 0]
    assert owed(moved) == []


def test_a_badge_of_a_former_issuer_is_revoked_where_verifiers_look_for_it_when_its_award_is_withdrawn(tenant):
    put_award(at(tenant, None))
    run_issue(at(tenant, None))
    badge = badge_in(tenant)[1]

    put_award(tenant, state="withdrawn")
    run_issue(tenant)

    assert verdict(tenant, badge, None) == [("status", "revoked")]
    assert badge_in(tenant)[0].meta["state"] == "revoked"
    assert tenant.store.count("status-list") == 1
    assert owed(tenant) == []


def test_whoever_goes_back_to_an_address_goes_on_with_its_lists(tenant):
    for url in (HTTPS, HTTPS_2, HTTPS, HTTPS_2):
        put_award(at(tenant, url))
        run_issue(at(tenant, url))
        assert verdict(tenant, badge_in(tenant)[1], url) == []
        tenant.clock.now += HOUR

    assert {record.id for record in tenant.store.find(Walk("status-list")).records} == {"revocation-1", "revocation-2"}
    assert [revoked_in(tenant, number) for number in (1, 2)] == [2, 1]


def test_a_badge_that_says_the_same_at_the_new_address_is_issued_anew_for_its_list_is_elsewhere(tenant):
    tenant.store.write(
        lambda tx: tx.insert(Record("issuer", "profile", b'{"v": 1, "name": "Centre", "url": "https://c.example"}'))
    ).result()
    told = {"id": "urn:example:gowning", "name": "Gowning", "description": "Gowns.", "criteria": "Gown."}
    put_award(at(tenant, HTTP), achievement=told)
    run_issue(at(tenant, HTTP))
    again(at(tenant, HTTP_2))

    run_issue(at(tenant, HTTP_2))

    assert badge_in(tenant)[1]["credentialStatus"]["statusListCredential"].startswith(HTTP_2)


def test_what_was_signed_by_a_key_that_nobody_publishes_is_signed_again_in_its_place(tenant):
    put_award(tenant)
    run_issue(tenant)
    changed = replace(tenant, secrets=Secrets(b"\x08" * 32))
    tenant.clock.now += HOUR

    again(changed)
    run_issue(changed)

    assert failed(verdict_on(changed, badge_in(changed)[1])) == []
    assert list_in(changed)["proof"][0]["verificationMethod"] == issuer_of(changed).method
    assert owed(changed) == []


def test_a_list_whose_issuer_is_a_key_that_is_gone_is_not_signed_with_another(tenant):
    put_award(at(tenant, None))
    run_issue(at(tenant, None))
    before = list_in(tenant)
    put_award(tenant, state="withdrawn")

    with pytest.raises(
        KeyLost, match=r"revocation-1 cannot be signed: the key of did:key:z6Mk.*bring back the master key"
    ):
        run_issue(replace(tenant, secrets=Secrets(b"\x08" * 32)))

    assert list_in(tenant) == before
    assert badge_in(tenant)[0].meta["state"] == "revoked"  # a fact, whoever can publish it
    assert tenant.store.backlog()[0].step == "publish"


def test_renewing_owes_the_badges_that_are_held_under_a_former_address_and_no_others(tenant):
    old = at(tenant, None)
    ended = "8d2f3c1a-0c64-5b3e-8a52-2f4f6f1d0a03"
    over = "9d2f3c1a-0c64-5b3e-8a52-2f4f6f1d0a04"
    for award in (AWARD, ended, over):
        put_award(old, award)
    run_issue(old)
    put_award(old, ended, state="withdrawn")
    put_award(old, over, state="expired")  # its badge says until when it is valid, and stays
    run_issue(old)
    put_award(tenant, OTHER)
    run_issue(tenant)

    assert renew(old) == 1
    assert renew(tenant) == 1
    assert run_issue(tenant) == 2
    assert renew(tenant) == 0
    issuers = [badge["issuer"]["id"] for badge in badges_in(tenant, "issued")]
    assert sorted(issuers) == sorted([issuer_of(tenant).id] * 2 + [issuer_of(old).id])


def badges_in(tenant: Tenant, state: str) -> list[dict[str, Any]]:
    found = tenant.store.find(Walk("credential")).records
    return [json.loads(record.body) for record in found if record.meta["state"] == state]


def test_former_lists_tell_how_many_of_their_badges_are_not_revoked(tenant):
    old = at(tenant, None)
    for award in (AWARD, OTHER):
        put_award(old, award)
    run_issue(old)
    first = list_in(tenant)
    assert list(former_lists(old, issuer_of(old))) == []
    assert list(former_lists(tenant, issuer_of(tenant))) == [(first["id"], issuer_of(old).id, 2)]

    put_award(tenant, AWARD, evidence=BODY["evidence"][:0])
    run_issue(tenant)

    assert list(former_lists(tenant, issuer_of(tenant))) == [(first["id"], issuer_of(old).id, 1)]
