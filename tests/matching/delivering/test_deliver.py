"""Sending: signatures, and that nothing is said that may not be said any more."""

from __future__ import annotations

import base64
import datetime as dt
import json

import msgspec
import pytest
import standardwebhooks

from lrs.matching import services
from lrs.matching.notices import CHANNEL, Notice
from lrs.matching.webhook import sign
from lrs.outbox.deliveries import Delivery, queue
from lrs.storage import Record
from lrs.tenancy.tenants import Tenant
from tests.matching.world import (
    HOUR,
    LEASE,
    PURPOSE,
    SECOND,
    Clock,
    Receiver,
    agree,
    held,
    listed,
    only,
    put_badge,
    put_person,
    put_profile,
    put_service,
    resend,
    run_all,
    run_deliver,
    run_sync,
    take_back,
)


def put_learner(tenant: Tenant, number: int = 0) -> str:
    person = put_person(tenant, f"mailto:learner{number}@example.org")
    put_profile(tenant, person, held("gown"))
    agree(tenant, person)
    return person


def states(tenant: Tenant) -> list[tuple[str, str, str | None]]:
    return sorted((one["event"], one["state"], one["reason"]) for one in listed(tenant))


def test_the_signature_is_that_of_the_standards_own_example() -> None:
    """Standard Webhooks, specification, "Example": secret, id, timestamp, body and signature as printed there."""
    signature = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330,
        b'{"test": 2432232314}',
    )

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_an_independent_library_accepts_what_is_sent_and_refuses_it_changed(
    tenant: Tenant, receiving: Receiver, clock: Clock
) -> None:
    clock.now = round(dt.datetime.now(dt.UTC).timestamp()) * SECOND
    made = put_service(tenant, receiving.url)
    put_learner(tenant)
    run_all(tenant)

    webhook = standardwebhooks.Webhook(made.webhook_secret)
    assert len(receiving.got) == 2
    for got in receiving.got:
        assert webhook.verify(got.body, got.headers) == got.json
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            webhook.verify(got.body.replace(b"gown", b"crown").replace(b"consent", b"nonsense"), got.headers)


def test_the_secret_is_32_bytes_and_another_for_each_service(tenant: Tenant) -> None:
    one, two = put_service(tenant), put_service(tenant, name="Other")

    assert len(base64.b64decode(one.webhook_secret.removeprefix("whsec_"))) == 32
    assert one.webhook_secret != two.webhook_secret
    assert one.webhook_secret.encode() not in (tenant.store.get("service", "career-converter") or Record("", "")).body


def test_what_was_queued_before_a_withdrawal_is_not_sent_after_it(tenant: Tenant, receiving: Receiver) -> None:
    put_service(tenant, receiving.url)
    person = put_learner(tenant)
    put_badge(tenant, person, "b1")
    run_sync(tenant)
    take_back(tenant, person)
    run_deliver(tenant)
    sent_before_sync = list(receiving.events)
    run_all(tenant)

    assert sent_before_sync == []
    assert receiving.events == ["consent.withdrawn"]
    assert {state for _, state, _ in states(tenant)} == {"withheld", "delivered"}


def test_a_resend_after_a_withdrawal_sends_nothing(tenant: Tenant, receiving: Receiver) -> None:
    put_service(tenant, receiving.url)
    person = put_learner(tenant)
    run_all(tenant)
    (updated,) = [one["id"] for one in listed(tenant) if one["event"] == "profile.updated"]
    take_back(tenant, person)
    resend(tenant, id=updated)
    run_deliver(tenant)

    assert sorted(receiving.events) == ["consent.given", "profile.updated"]


def test_a_badge_that_is_revoked_before_it_was_told_of_is_not_announced(tenant: Tenant, receiving: Receiver) -> None:
    put_service(tenant, receiving.url)
    person = put_learner(tenant)
    run_all(tenant)
    put_badge(tenant, person, "b1")
    run_sync(tenant)
    put_badge(tenant, person, "b1", "revoked")
    run_deliver(tenant)

    assert receiving.of("badge.issued") == []
    assert ("badge.issued", "superseded", "the badge is not in force any more") in states(tenant)


def test_a_badge_that_an_earlier_version_queued_by_its_own_id_is_told_by_the_name_for_this_service(
    tenant: Tenant, receiving: Receiver
) -> None:
    put_service(tenant, receiving.url)
    person = put_learner(tenant)
    put_badge(tenant, person, "b1")
    run_all(tenant)
    subject = services.pairwise(tenant, "career-converter", person)
    for event in ("badge.issued", "badge.revoked"):
        notice = Notice("career-converter", event, person, subject, 9, about="urn:uuid:b1")
        queued = Delivery(notice.id, CHANNEL, notice.service, msgspec.json.encode(notice))
        tenant.store.write(lambda tx, queued=queued: queue(tx, queued, tenant.clock())).result()
    run_deliver(tenant)

    told = [receiving.of(event)[-1].json["data"]["badge"] for event in ("badge.issued", "badge.revoked")]
    reference = services.badge_reference(tenant, "career-converter", "urn:uuid:b1")
    assert [(one["id"], one["state"]) for one in told] == [(reference, "issued"), (reference, "revoked")]
    assert b"urn:uuid" not in b"".join(one.body for one in receiving.got)


def test_an_older_version_that_still_waits_gives_way_to_the_newest(
    tenant: Tenant, receiving: Receiver, clock: Clock
) -> None:
    put_service(tenant, receiving.url)
    person = put_learner(tenant)
    receiving.answers = only("profile.updated", 503)
    run_all(tenant)
    put_profile(tenant, person, held("gown", 5))
    clock.now += 5 * SECOND
    receiving.answers = lambda _: (200, {})
    run_all(tenant)

    sent = [
        (one.json["data"]["version"], one.json["data"]["competencies"][0]["level"]["ordinal"])
        for one in receiving.of("profile.updated")
    ]
    assert sent == [(1, 2), (2, 5)]
    assert ("profile.updated", "superseded", "a newer profile.updated says it all") in states(tenant)


def test_a_profile_that_waits_is_told_although_something_newer_was_told_that_does_not_say_it(
    tenant: Tenant, receiving: Receiver, clock: Clock
) -> None:
    put_service(tenant, receiving.url)
    person = put_learner(tenant)
    receiving.answers = only("profile.updated", 503)
    run_all(tenant)
    agree(tenant, person, scopes=("gap:read",))
    run_all(tenant)
    clock.now += 5 * SECOND
    receiving.answers = lambda _: (200, {})
    run_all(tenant)

    told = [(one.json["type"], one.json["data"]["version"]) for one in receiving.got]
    assert told == [("consent.given", 1), ("profile.updated", 1), ("consent.given", 2), ("profile.updated", 1)]


def test_nothing_is_told_of_a_learner_before_consent_given_has_arrived(
    tenant: Tenant, receiving: Receiver, clock: Clock
) -> None:
    put_service(tenant, receiving.url)
    person = put_learner(tenant)
    run_sync(tenant)
    receiving.answers = only("consent.given", 503)
    run_deliver(tenant)
    put_badge(tenant, person, "b1")
    put_profile(tenant, person, held("gown", 5))
    run_all(tenant)
    waiting = states(tenant)
    before = list(receiving.events)
    receiving.answers = lambda _: (204, {})
    clock.now += 5 * SECOND
    run_deliver(tenant)

    reason = "waits until consent.given has arrived"
    assert before == ["consent.given"]
    assert waiting == [
        ("badge.issued", "queued", reason),
        ("consent.given", "queued", None),
        ("profile.updated", "queued", reason),
        ("profile.updated", "queued", reason),
    ]
    assert receiving.events[:2] == ["consent.given", "consent.given"]
    assert sorted(receiving.events[2:]) == ["badge.issued", "profile.updated"]
    assert [one.json["data"]["version"] for one in receiving.of("profile.updated")] == [2]


def test_other_learners_and_what_follows_later_do_not_wait(tenant: Tenant, receiving: Receiver) -> None:
    put_service(tenant, receiving.url)
    first, second = put_learner(tenant), put_learner(tenant, 1)
    subject = services.pairwise(tenant, "career-converter", first)
    receiving.answers = lambda got: (503 if got.json["data"]["subject"] == subject else 204, {})
    run_all(tenant)
    put_profile(tenant, second, held("gown", 5))
    run_all(tenant)

    told = [(one.json["type"], one.json["data"]["subject"] == subject) for one in receiving.got]
    assert sorted(told) == [
        ("consent.given", False),
        ("consent.given", True),
        ("profile.updated", False),
        ("profile.updated", False),
    ]


def test_a_withdrawal_waits_for_nothing_and_what_waited_is_withheld(
    tenant: Tenant, receiving: Receiver, clock: Clock
) -> None:
    put_service(tenant, receiving.url)
    person = put_learner(tenant)
    receiving.answers = only("consent.given", 503)
    run_all(tenant)
    take_back(tenant, person)
    run_all(tenant)
    clock.now += 5 * SECOND
    run_deliver(tenant)

    assert receiving.events == ["consent.given", "consent.withdrawn"]
    assert [(event, state) for event, state, _ in states(tenant)] == [
        ("consent.given", "withheld"),
        ("consent.withdrawn", "delivered"),
        ("profile.updated", "withheld"),
    ]


def test_a_part_that_is_withdrawn_is_told_though_the_consent_has_not_arrived(
    tenant: Tenant, receiving: Receiver
) -> None:
    put_service(tenant, receiving.url)
    person = put_learner(tenant)
    agree(tenant, person, scopes=("gap:read",))
    receiving.answers = only("consent.given", 503)
    run_all(tenant)
    take_back(tenant, person, scope="gap:read")
    run_all(tenant)

    assert receiving.events == ["consent.given", "consent.withdrawn"]
    assert receiving.got[1].json["data"]["scopes"] == ["gap:read"]


def test_a_consent_whose_worker_never_came_back_is_not_waited_for_for_ever(
    tenant: Tenant, receiving: Receiver, clock: Clock
) -> None:
    put_service(tenant, receiving.url)
    put_learner(tenant)
    run_sync(tenant)
    (claim,) = tenant.store.claim(["deliver"], limit=9, lease=LEASE)
    tenant.store.defer(claim, due=clock.now, error="its worker ended 10 times", parked=True)
    clock.now += 10 * 24 * HOUR - SECOND
    before = run_deliver(tenant)
    clock.now += SECOND
    run_deliver(tenant)
    resend(tenant)
    run_deliver(tenant)

    assert before == 0
    assert receiving.events == ["profile.updated", "consent.given"]


def test_nothing_that_is_sent_names_the_learner(tenant: Tenant, receiving: Receiver) -> None:
    put_service(tenant, receiving.url)
    person = put_person(tenant, "mailto:ana.secret@example.org")
    put_profile(tenant, person, held("gown"))
    put_badge(tenant, person, "b1")
    agree(tenant, person)
    run_all(tenant)
    put_badge(tenant, person, "b2")
    run_all(tenant)
    take_back(tenant, person)
    run_all(tenant)

    sent = b"".join(one.body + json.dumps(one.headers).encode() for one in receiving.got)
    assert sorted(set(receiving.events)) == ["badge.issued", "consent.given", "consent.withdrawn", "profile.updated"]
    assert person.encode() not in sent
    assert b"secret" not in sent
    assert PURPOSE.encode() in sent
