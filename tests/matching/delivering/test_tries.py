"""Tries: the schedule, giving up visibly, and services that are gone."""

from __future__ import annotations

import pytest

from lrs.kernel.keys import key
from lrs.matching import registry, services
from lrs.outbox.schedule import next_try
from lrs.storage import Owed, Record, Walk
from lrs.tenancy.tenants import Tenant, open_tenant
from tests.matching.world import (
    SECOND,
    START,
    Clock,
    Got,
    Receiver,
    agree,
    held,
    listed,
    only,
    put_person,
    put_profile,
    put_service,
    resend,
    run_all,
    run_deliver,
    run_sync,
    settings_in,
)
from tests.rows import each_of

WAITS = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]


def put_learner(tenant: Tenant, number: int = 0) -> str:
    person = put_person(tenant, f"mailto:learner{number}@example.org")
    put_profile(tenant, person, held("gown"))
    agree(tenant, person)
    return person


def states(tenant: Tenant) -> list[tuple[str, str, str | None]]:
    return sorted((one["event"], one["state"], one["reason"]) for one in listed(tenant))


def test_a_receiver_that_is_down_is_tried_on_the_schedule_then_given_up_on_and_a_resend_works(
    tenant: Tenant, receiving: Receiver, clock: Clock
) -> None:
    put_service(tenant, receiving.url)
    put_learner(tenant)
    run_sync(tenant)
    receiving.answers = lambda _: (503, {})
    tried = []
    for wait in [0, *WAITS, *WAITS]:
        clock.now += wait * SECOND - 1 if wait else 0
        assert run_deliver(tenant) == 0 or wait == 0
        clock.now += 1 if wait else 0
        run_deliver(tenant)
        tried.append(len(receiving.got))
    dead = states(tenant)
    clock.now += 365 * 86_400 * SECOND
    run_deliver(tenant)
    after_a_year = len(receiving.got)
    receiving.answers = lambda _: (200, {})
    resent = resend(tenant, to="career-converter")
    run_deliver(tenant)

    # Once consent.given is given up, what waited for it has tries of its own.
    assert tried == [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]
    assert receiving.events[:11] == ["consent.given"] * 10 + ["profile.updated"]
    assert dead == [
        ("consent.given", "dead", "given up after 10 tries: answered 503"),
        ("profile.updated", "dead", "given up after 10 tries: answered 503"),
    ]
    assert after_a_year == 20
    assert resent == 2
    assert len(receiving.got) == 22
    assert states(tenant) == [("consent.given", "delivered", None), ("profile.updated", "delivered", None)]


def test_every_try_carries_the_same_id_and_body_and_its_own_time(
    tenant: Tenant, receiving: Receiver, clock: Clock
) -> None:
    put_service(tenant, receiving.url)
    put_learner(tenant)
    receiving.answers = only("profile.updated", 500)
    run_all(tenant)
    clock.now += 5 * SECOND
    receiving.answers = lambda _: (200, {})
    run_deliver(tenant)

    first, second = receiving.of("profile.updated")
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 5


def test_a_wait_grows_by_up_to_a_tenth_so_that_many_do_not_come_back_at_once() -> None:
    assert next_try(1, START, None, 0.0) == START + 300 * SECOND
    assert next_try(1, START, None, 0.5) == START + 315 * SECOND
    assert next_try(1, START, None, 1.0) == START + 330 * SECOND
    assert next_try(9, START, None, 0.0) is None


@each_of(
    ("header", "seconds"),
    [
        ("120", 120),
        ("1", 5),
        ("Wed, 18 Nov 2026 11:16:40 GMT", 600),
        ("Wed, 18 Nov 2026 10:00:00 GMT", 5),
        ("99999999999999999999", 86_400),
        ("soon", 5),
        ("-5", 5),
        ("", 5),
        ("²", 5),
    ],
)
def test_a_longer_wait_that_the_receiver_asks_for_is_kept_up_to_a_day(header: str, seconds: int) -> None:
    assert next_try(0, START, header, 0.0) == START + seconds * SECOND


def test_retry_after_is_read_from_the_answer(tenant: Tenant, receiving: Receiver, clock: Clock) -> None:
    put_service(tenant, receiving.url)
    put_learner(tenant)
    receiving.answers = lambda _: (429, {"Retry-After": "60"})
    run_all(tenant)
    clock.now += 59 * SECOND
    early = run_deliver(tenant)
    clock.now += SECOND
    late = run_deliver(tenant)

    assert (early, late) == (0, 1)


def test_a_receiver_that_is_not_there_is_tried_again(tenant: Tenant) -> None:
    put_service(tenant, "http://127.0.0.1:1/hook")
    put_learner(tenant)
    run_all(tenant)

    waiting = {one.step: one.waiting for one in tenant.store.backlog()}
    assert waiting == {"deliver": 2}


def test_one_bad_record_among_500_is_given_up_on_with_its_status_and_the_others_arrive(
    tenant: Tenant, receiving: Receiver, clock: Clock
) -> None:
    put_service(tenant, receiving.url)
    people = [put_learner(tenant, number) for number in range(250)]
    bad = services.pairwise(tenant, "career-converter", people[100])

    def answer(got: Got) -> tuple[int, dict[str, str]]:
        told = got.json
        return (422, {}) if told["type"] == "profile.updated" and told["data"]["subject"] == bad else (204, {})

    receiving.answers = answer
    run_all(tenant)
    for wait in WAITS:
        clock.now += wait * SECOND
        run_deliver(tenant)

    shown = list(listed(tenant))
    dead = [one for one in shown if one["state"] == "dead"]
    assert sum(one["state"] == "delivered" for one in shown) == 499
    assert [(one["subject"], one["event"], one["reason"], one["tries"]) for one in dead] == [
        (bad, "profile.updated", "given up after 10 tries: answered 422", 10)
    ]
    assert len(receiving.got) == 499 + 10


def test_what_waits_for_a_service_that_was_disabled_or_is_gone_is_parked_with_the_reason(
    tenant: Tenant, receiving: Receiver
) -> None:
    put_service(tenant, receiving.url)
    put_service(tenant, receiving.url, name="Gone")
    person = put_learner(tenant)
    agree(tenant, person, "gone")
    run_sync(tenant)
    tenant.store.write(lambda tx: services.disable(tx, "career-converter", "the contract ended", by="test")).result()
    tenant.store.write(lambda tx: tx.delete("service", "gone")).result()
    run_deliver(tenant)

    assert receiving.got == []
    assert {(one["service"], one["state"], one["reason"]) for one in listed(tenant)} == {
        ("career-converter", "dead", "the destination is disabled: the contract ended"),
        ("gone", "dead", "there is no destination gone of the channel webhook"),
    }


def test_a_delivery_that_is_unreadable_itself_is_listed_and_parked(tenant: Tenant) -> None:
    broken = Record("delivery", "d1", b"{", meta={"state": "queued"}, owed=(Owed("deliver"),))
    tenant.store.write(lambda tx: tx.insert(broken)).result()
    run_deliver(tenant)

    (shown,) = listed(tenant)
    assert (shown["id"], shown["state"], shown["reason"]) == (
        "d1",
        "dead",
        "cannot be composed: it names no destination",
    )


def test_a_delivery_that_cannot_be_put_together_is_parked_and_holds_up_nobody(
    tenant: Tenant, receiving: Receiver
) -> None:
    put_service(tenant, receiving.url)
    person = put_learner(tenant)
    put_learner(tenant, 1)
    run_sync(tenant)
    known = tenant.store.get("profile", person)
    assert known
    broken = Record("profile", person, b"{", rev=known.rev)
    tenant.store.write(lambda tx: tx.replace(broken)).result()
    run_deliver(tenant)

    assert sorted(receiving.events) == ["consent.given", "profile.updated"]
    assert [state for state in states(tenant) if state[1] == "dead"] == [
        ("consent.given", "dead", "cannot be composed: DecodeError"),
        ("profile.updated", "dead", "cannot be composed: DecodeError"),
    ]


def test_410_disables_the_service_and_what_waits_is_listed_until_it_is_back(
    tenant: Tenant, receiving: Receiver
) -> None:
    put_service(tenant, receiving.url)
    put_learner(tenant)
    receiving.answers = lambda _: (410, {})
    run_all(tenant)
    service = services.get(tenant.store, "career-converter")
    dead = [one["state"] for one in listed(tenant)]
    put_learner(tenant, 1)
    run_all(tenant)
    while_disabled = len(receiving.got)
    receiving.answers = lambda _: (200, {})
    registry.resync(tenant, "career-converter", by="test")
    resend(tenant, to="career-converter")
    run_all(tenant)

    assert service
    assert (service.state, service.reason) == ("disabled", "it answered 410 Gone")
    assert dead == ["dead", "dead"]
    assert while_disabled <= 2
    assert {one["state"] for one in listed(tenant)} <= {"delivered", "superseded"}
    told = {one.json["data"]["subject"] for one in receiving.of("profile.updated")}
    assert len(told) == 2


@pytest.mark.parametrize("location", ["http://127.0.0.1:1/elsewhere", "http://169.254.169.254/latest"])
def test_a_redirect_is_a_failure_and_is_not_followed(tenant: Tenant, receiving: Receiver, location: str) -> None:
    put_service(tenant, receiving.url)
    put_learner(tenant)
    receiving.answers = lambda _: (307, {"Location": location})
    run_all(tenant)

    assert receiving.events == ["consent.given"]
    assert {one["state"] for one in listed(tenant)} == {"queued"}


def test_a_webhook_that_has_come_to_lead_inside_is_not_called_and_parked_with_the_reason(
    tenant: Tenant, receiving: Receiver, clock: Clock
) -> None:
    put_service(tenant, receiving.url)
    put_learner(tenant)
    run_sync(tenant)
    strict = settings_in(tenant.settings.data).model_copy(update={"outbound_allow": ()})
    tenant.store.close()
    reopened = open_tenant(strict, clock=clock)
    try:
        run_deliver(reopened)
        parked = states(reopened)
    finally:
        reopened.store.close()

    assert receiving.got == []
    reason = "not sent: only https, except to what LRS_OUTBOUND_ALLOW names"
    assert parked == [("consent.given", "dead", reason), ("profile.updated", "dead", reason)]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_service_that_refuses_by_another_status_than_410_is_not_disabled_and_is_tried_again(
    tenant: Tenant, receiving: Receiver, clock: Clock, status: int
) -> None:
    put_service(tenant, receiving.url)
    put_learner(tenant)
    receiving.answers = lambda _: (status, {})
    run_all(tenant)
    service = services.get(tenant.store, "career-converter")
    waiting = [(one["state"], one["reason"]) for one in listed(tenant) if one["event"] == "consent.given"]
    receiving.answers = lambda _: (204, {})
    clock.now += 5 * SECOND
    run_all(tenant)

    assert service
    assert (service.state, service.reason) == ("active", None)
    assert waiting == [("queued", None)]
    assert {one["state"] for one in listed(tenant)} == {"delivered"}


def test_deliveries_that_release_0_2_0_left_go_out_in_their_order(tenant: Tenant, receiving: Receiver) -> None:
    put_service(tenant, receiving.url)
    person = put_learner(tenant)
    run_sync(tenant)
    for one in tenant.store.find(Walk("delivery")).records:  # as they stood then: no channel, no destination
        meta = {name: value for name, value in one.meta.items() if name not in {"channel", "to"}}
        old = Record("delivery", one.id, one.body, meta, rev=one.rev, seq=one.seq, keys=_keys_of_0_2_0(one, person))
        tenant.store.write(lambda tx, old=old: tx.replace(old)).result()
    receiving.answers = only("consent.given", 410)
    run_deliver(tenant)
    first = list(receiving.events)
    receiving.answers = lambda _: (204, {})
    registry.resync(tenant, "career-converter", by="test")
    resent = resend(tenant, to="career-converter")
    run_deliver(tenant)

    assert [(one["channel"], one["service"], one["state"]) for one in listed(tenant)] == [
        ("webhook", "career-converter", "delivered"),
        ("webhook", "career-converter", "delivered"),
    ]
    assert (first, resent) == (["consent.given"], 2)
    assert sorted(receiving.events[1:]) == ["consent.given", "profile.updated"]


def _keys_of_0_2_0(record: Record, person: str) -> tuple[int, ...]:
    after = (key("delivery after", record.meta["after"]),) if "after" in record.meta else ()
    return (key("service", "career-converter"), key("person", person), *after)
