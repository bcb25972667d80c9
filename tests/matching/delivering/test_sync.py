"""What services are owed word of, and that they are owed it once."""

from __future__ import annotations

import dataclasses
import itertools
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

import msgspec
import pytest

from lrs.kernel.names import name
from lrs.matching import changes, services
from lrs.matching.consent import consent
from lrs.matching.consent.consent import Subject
from lrs.matching.sync import sync
from lrs.people import joins, minors, persons
from lrs.storage import Claim, Owed, Store, Tx, each
from lrs.tenancy.tenants import Tenant
from tests.matching.world import (
    HOUR,
    LEASE,
    SECOND,
    Clock,
    Receiver,
    agree,
    held,
    listed,
    put_badge,
    put_person,
    put_profile,
    put_service,
    run_all,
    run_deliver,
    run_sync,
    take_back,
)

T = TypeVar("T")


@pytest.fixture
def person(tenant: Tenant, receiving: Receiver) -> str:
    """A learner with a profile, who agreed to nothing yet, and a service."""
    put_service(tenant, receiving.url)
    learner = put_person(tenant, "mailto:ana@example.org")
    put_profile(tenant, learner, held("gown"))
    return learner


def queued(tenant: Tenant) -> list[tuple[str, int]]:
    return [(shown["event"], shown["version"]) for shown in listed(tenant)]


@pytest.mark.usefixtures("person")
def test_without_consent_nothing_is_queued(tenant: Tenant) -> None:
    run_sync(tenant)

    assert queued(tenant) == []
    assert tenant.store.count(changes.KIND) == 0


def test_consent_tells_the_service_whose_it_is_and_what_they_hold(
    tenant: Tenant, person: str, receiving: Receiver
) -> None:
    agree(tenant, person, reference="applicant 17", scopes=("profiles:read", "profiles:read.evidence"))
    run_all(tenant)

    (given,), (updated,) = receiving.of("consent.given"), receiving.of("profile.updated")
    subject = services.pairwise(tenant, "career-converter", person)
    assert given.json["data"] == {
        "subject": subject,
        "version": 1,
        "reference": "applicant 17",
        "scopes": ["profiles:read", "profiles:read.evidence"],
        "purpose": "To suggest jobs that fit what you can do",
        "given": "2026-11-18T11:06:40Z",
        "expires": None,
    }
    assert updated.json["data"]["subject"] == subject
    assert [one["competency"]["id"] for one in updated.json["data"]["competencies"]] == ["gown"]
    assert updated.json["data"]["competencies"][0]["evidenceCount"] == 3
    assert len(receiving.got) == 2


def test_running_the_step_again_queues_nothing_more(tenant: Tenant, person: str) -> None:
    agree(tenant, person)
    run_sync(tenant)
    for _ in range(3):
        tenant.store.write(lambda tx: tx.owe("profile", person, Owed("sync"))).result()
        run_sync(tenant)

    assert queued(tenant) == [("consent.given", 1), ("profile.updated", 1)]


def test_a_change_that_the_service_cannot_see_is_not_told(tenant: Tenant, person: str) -> None:
    agree(tenant, person)
    run_sync(tenant)
    put_profile(tenant, person, held("gown", evidence_count=4))
    run_sync(tenant)

    assert queued(tenant) == [("consent.given", 1), ("profile.updated", 1)]


def test_a_change_that_it_can_see_is_told_with_the_next_version(
    tenant: Tenant, person: str, receiving: Receiver
) -> None:
    agree(tenant, person)
    run_all(tenant)
    put_profile(tenant, person, held("gown", 3))
    run_all(tenant)

    tenant.store.write(lambda tx: changes.raise_versions(tx, 1_000 * SECOND)).result()  # as a restore does
    for ordinal in (1, 2):
        put_profile(tenant, person, held("gown", ordinal))
        run_all(tenant)

    assert [one.json["data"]["version"] for one in receiving.of("profile.updated")] == [1, 2, 1_001, 1_002]
    assert len({one.headers["webhook-id"] for one in receiving.got}) == 5


def test_badges_are_told_when_they_are_issued_and_when_they_are_revoked(
    tenant: Tenant, person: str, receiving: Receiver
) -> None:
    agree(tenant, person)
    run_all(tenant)
    put_badge(tenant, person, "b1")
    run_all(tenant)
    put_badge(tenant, person, "b1", "revoked")
    run_all(tenant)

    (issued,), (revoked,) = receiving.of("badge.issued"), receiving.of("badge.revoked")
    reference = services.badge_reference(tenant, "career-converter", "urn:uuid:b1")
    assert issued.json["data"]["badge"] == {
        "id": reference,
        "achievement": "https://lrs.test/achievements/1",
        "name": "Gowning",
        "validFrom": "2026-11-01T00:00:00Z",
        "validUntil": None,
        "state": "issued",
    }
    assert (revoked.json["data"]["badge"]["id"], revoked.json["data"]["badge"]["state"]) == (reference, "revoked")
    assert [len(one.json["data"]["badges"]) for one in receiving.of("profile.updated")] == [0, 1, 0]
    assert "sha256$abc" not in "".join(one.body.decode() for one in receiving.got)


def test_a_badge_that_is_gone_is_taken_back_once_and_others_stay(
    tenant: Tenant, person: str, receiving: Receiver
) -> None:
    put_badge(tenant, person, "b1")
    put_badge(tenant, person, "b2")
    agree(tenant, person)
    run_all(tenant)
    tenant.store.write(lambda tx: tx.delete("credential", "b1")).result()
    for _ in range(2):
        tenant.store.write(lambda tx: tx.owe("profile", person, Owed("sync"))).result()
        run_all(tenant)

    (revoked,) = receiving.of("badge.revoked")
    gone, left = (services.badge_reference(tenant, "career-converter", f"urn:uuid:{id}") for id in ("b1", "b2"))
    assert revoked.json["data"]["badge"] == {"id": gone, "state": "revoked"}
    assert [one["id"] for one in receiving.of("profile.updated")[-1].json["data"]["badges"]] == [left]


def test_the_id_of_a_badge_s_webhook_cannot_be_worked_out_from_the_badge_by_another_service(
    tenant: Tenant, person: str, receiving: Receiver
) -> None:
    agree(tenant, person)
    run_all(tenant)
    put_badge(tenant, person, "b1")
    run_all(tenant)
    put_badge(tenant, person, "b1", "revoked")
    run_all(tenant)

    subject = services.pairwise(tenant, "career-converter", person)
    for event, version in (("badge.issued", 2), ("badge.revoked", 3)):
        (one,) = receiving.of(event)
        guessed = name("delivery", "career-converter", event, subject, version, "urn:uuid:b1")
        assert one.headers["webhook-id"] != guessed


def test_a_service_that_may_have_the_badge_is_told_the_second_it_was_signed(
    tenant: Tenant, receiving: Receiver
) -> None:
    put_service(tenant, receiving.url, scopes=services.SCOPES)
    person = put_person(tenant, "mailto:ana@example.org")
    put_profile(tenant, person)
    agree(tenant, person, scopes=("profiles:read", "badges:read"))
    run_all(tenant)
    put_badge(tenant, person, "b1")
    run_all(tenant)

    (issued,) = receiving.of("badge.issued")
    assert issued.json["data"]["badge"]["validFrom"] == "2026-11-01T09:00:00Z"


def test_a_badge_that_was_revoked_before_consent_is_never_mentioned(
    tenant: Tenant, person: str, receiving: Receiver
) -> None:
    put_badge(tenant, person, "b1", "revoked")
    agree(tenant, person)
    run_all(tenant)

    assert sorted(receiving.events) == ["consent.given", "profile.updated"]
    assert b"urn:uuid:b1" not in b"".join(one.body for one in receiving.got)


def test_withdrawal_is_told_and_nothing_follows_it(tenant: Tenant, person: str, receiving: Receiver) -> None:
    agree(tenant, person, reference="applicant 17")
    run_all(tenant)
    take_back(tenant, person)
    run_all(tenant)
    put_profile(tenant, person, held("gown", 5))
    run_all(tenant)

    assert receiving.events[2:] == ["consent.withdrawn"]
    assert receiving.got[2].json["data"] == {
        "subject": services.pairwise(tenant, "career-converter", person),
        "version": 2,
        "reference": "applicant 17",
        "scopes": ["profiles:read"],
    }


def test_withdrawing_one_scope_narrows_what_is_shown(tenant: Tenant, person: str, receiving: Receiver) -> None:
    agree(tenant, person, scopes=("profiles:read", "profiles:read.evidence"))
    run_all(tenant)
    take_back(tenant, person, scope="profiles:read.evidence")
    run_all(tenant)

    assert receiving.of("consent.withdrawn")[0].json["data"]["scopes"] == ["profiles:read.evidence"]
    assert "evidenceCount" in receiving.of("profile.updated")[0].json["data"]["competencies"][0]
    assert "evidenceCount" not in receiving.of("profile.updated")[1].json["data"]["competencies"][0]


def test_consent_given_again_after_a_withdrawal_tells_everything_again_with_higher_versions(
    tenant: Tenant, person: str, receiving: Receiver
) -> None:
    agree(tenant, person)
    run_all(tenant)
    take_back(tenant, person)
    run_all(tenant)
    agree(tenant, person)
    run_all(tenant)

    assert [one.json["data"]["version"] for one in receiving.of("profile.updated")] == [1, 3]
    assert sorted(receiving.events[3:]) == ["consent.given", "profile.updated"]


def test_consent_given_anew_is_told_with_its_new_times_and_all_scopes_that_hold_now(
    tenant: Tenant, person: str, receiving: Receiver, clock: Clock
) -> None:
    agree(tenant, person, scopes=("profiles:read", "gap:read"), expires=clock.now + HOUR)
    run_all(tenant)
    clock.now += 60 * SECOND
    agree(tenant, person, reference="ref-2", expires=clock.now + 2 * HOUR)
    run_all(tenant)

    assert receiving.events[2:] == ["consent.given"]
    assert receiving.got[2].json["data"] == {
        "subject": services.pairwise(tenant, "career-converter", person),
        "version": 2,
        "reference": "ref-2",
        "scopes": ["gap:read", "profiles:read"],
        "purpose": "To suggest jobs that fit what you can do",
        "given": "2026-11-18T11:07:40Z",
        "expires": "2026-11-18T13:07:40Z",
    }


def test_consent_given_and_withdrawn_before_the_worker_runs_tells_nothing(tenant: Tenant, person: str) -> None:
    agree(tenant, person)
    take_back(tenant, person)
    run_sync(tenant)

    assert queued(tenant) == []


def test_a_consent_that_ends_by_itself_is_told_when_it_ends(
    tenant: Tenant, person: str, receiving: Receiver, clock: Clock
) -> None:
    agree(tenant, person, expires=clock.now + HOUR)
    run_all(tenant)
    before = list(receiving.events)
    clock.now += HOUR
    run_all(tenant)

    assert sorted(before) == ["consent.given", "profile.updated"]
    assert receiving.events[2:] == ["consent.withdrawn"]


def test_consent_before_there_is_a_profile_is_told_and_the_profile_when_it_comes(
    tenant: Tenant, receiving: Receiver
) -> None:
    put_service(tenant, receiving.url)
    newcomer = put_person(tenant, "mailto:new@example.org")
    agree(tenant, newcomer)
    run_all(tenant)
    put_profile(tenant, newcomer, held("gown"))
    run_all(tenant)

    assert [len(one.json["data"]["competencies"]) for one in receiving.of("profile.updated")] == [0, 1]


def test_each_service_gets_only_what_it_was_promised(tenant: Tenant, person: str, receiving: Receiver) -> None:
    put_service(tenant, receiving.url, name="Other")
    agree(tenant, person, "other")
    run_all(tenant)

    assert {one.json["data"]["subject"] for one in receiving.got} == {services.pairwise(tenant, "other", person)}


def test_a_service_without_a_webhook_has_its_feed_and_no_deliveries(tenant: Tenant) -> None:
    put_service(tenant)
    person = put_person(tenant, "mailto:ana@example.org")
    put_profile(tenant, person, held("gown"))
    agree(tenant, person)
    run_sync(tenant)

    assert queued(tenant) == []
    assert tenant.store.count(changes.KIND) == 1


def test_two_persons_that_turn_out_to_be_one_keep_their_names_and_show_the_same(
    tenant: Tenant, receiving: Receiver
) -> None:
    put_service(tenant, receiving.url)
    older = put_person(tenant, "mailto:ana@example.org")
    younger = put_person(tenant, "mailto:ana@college.example")
    agree(tenant, younger)
    put_profile(tenant, older, held("gown"))
    put_profile(tenant, younger, held("fill"))
    run_all(tenant)
    tenant.store.write(lambda tx: joins.merge(tx, older, younger, "test")).result()
    put_profile(tenant, younger)
    put_profile(tenant, older, held("gown"), held("fill"))
    run_all(tenant)

    first, *_, last = receiving.of("profile.updated")
    assert first.json["data"]["subject"] == last.json["data"]["subject"]
    assert first.json["data"]["subject"] == services.pairwise(tenant, "career-converter", younger)
    assert [one["competency"]["id"] for one in first.json["data"]["competencies"]] == ["fill"]
    assert [one["competency"]["id"] for one in last.json["data"]["competencies"]] == ["gown", "fill"]


ACTIONS: dict[str, Any] = {
    "agree": agree,
    "profile": lambda tenant, person: put_profile(tenant, person, held("gown", 4)),
    "badge": lambda tenant, person: put_badge(tenant, person, "b1"),
}


@pytest.mark.parametrize("order", list(itertools.permutations(ACTIONS)))
def test_whatever_comes_first_the_service_ends_up_knowing_the_same(
    tenant: Tenant, person: str, receiving: Receiver, order: tuple[str, ...]
) -> None:
    for action in order:
        ACTIONS[action](tenant, person)
        run_all(tenant)

    newest = max(receiving.of("profile.updated"), key=lambda one: one.json["data"]["version"]).json["data"]
    assert newest["competencies"][0]["level"]["ordinal"] == 4
    reference = services.badge_reference(tenant, "career-converter", "urn:uuid:b1")
    assert [badge["id"] for badge in newest["badges"]] == [reference]


def test_a_profile_that_cannot_be_read_stays_owed_and_holds_up_nobody_else(
    tenant: Tenant, person: str, receiving: Receiver
) -> None:
    broken = put_person(tenant, "mailto:broken@example.org")
    put_profile(tenant, broken, {"competency": "not an object"})
    agree(tenant, broken)
    agree(tenant, person)

    claims = tenant.store.claim(["sync"], limit=100, lease=LEASE)
    with pytest.raises(Exception, match="Expected `object`"):
        sync(tenant, claims)
    run_deliver(tenant)

    assert sorted(receiving.events) == ["consent.given", "profile.updated"]
    assert sum(one.waiting for one in tenant.store.backlog() if one.step == "sync") == 2


def test_what_changes_while_it_is_worked_out_is_worked_out_anew(tenant: Tenant, person: str) -> None:
    """The decision is made outside the writer; here a withdrawal is written between it and its commit."""
    agree(tenant, person)
    run_sync(tenant)
    put_profile(tenant, person, held("gown", 4))
    subjects = [Subject(person=person)]

    withdrawn = while_it_is_worked_out(tenant, lambda tx: consent.withdraw(tx, subjects, by="test"))

    assert len(withdrawn) == 1
    run_sync(tenant)
    assert queued(tenant) == [("consent.given", 1), ("profile.updated", 1), ("consent.withdrawn", 2)]
    assert "sync" not in {one.step for one in tenant.store.backlog()}


def test_that_somebody_is_under_age_holds_at_once_whichever_of_their_records_it_is_noted_on(
    tenant: Tenant, person: str
) -> None:
    other = put_person(tenant, "mailto:ana@elsewhere.example")
    tenant.store.write(lambda tx: joins.merge(tx, person, other, "test")).result()
    first, last = persons.members_of(tenant.store, person)
    tenant = dataclasses.replace(tenant, record=msgspec.structs.replace(tenant.record, consent_age=18))
    agree(tenant, person, how="link")
    run_sync(tenant)
    put_profile(tenant, first, held("gown", 4))

    while_it_is_worked_out(tenant, lambda tx: minors.note(tx, last, None, by="test"))

    (told,) = (changes.read(record) for record in each(tenant.store, changes.KIND))
    assert not told.scopes


def while_it_is_worked_out(tenant: Tenant, change: Callable[[Tx], T]) -> T:
    """Runs ``sync`` for what is due; *change* is written between what it decides and its commit."""
    claims = tenant.store.claim(["sync"], limit=100, lease=LEASE)
    begun, gate = threading.Event(), threading.Event()
    holding = tenant.store.write(lambda _: (begun.set(), gate.wait(30))[1])
    assert begun.wait(30)
    changed = tenant.store.write(change)
    working = threading.Thread(target=sync, args=(tenant, claims))
    working.start()
    until = time.monotonic() + 30
    while tenant.store.load().waiting < 2 and time.monotonic() < until:
        threading.Event().wait(0.001)
    gate.set()
    working.join()
    assert holding.result()
    return changed.result()


def test_nothing_is_worked_out_inside_the_writer(tenant: Tenant, receiving: Receiver) -> None:
    """40 learners with 40 badges each and nothing to tell held the writer for 1.6 s: it read and compared them all."""
    put_service(tenant, receiving.url)
    learners = [put_person(tenant, f"mailto:learner{number}@example.org") for number in range(3)]
    for learner in learners:
        put_profile(tenant, learner, held("gown"))
        agree(tenant, learner)
        for number in range(5):
            put_badge(tenant, learner, f"{learner}-{number}")
    run_sync(tenant)
    for learner in learners:
        tenant.store.write(lambda tx, learner=learner: tx.owe("profile", learner, Owed("sync"))).result()
    claims = tenant.store.claim(["sync"], limit=100, lease=LEASE)
    asked = Asked(tenant.store)

    sync(dataclasses.replace(tenant, store=asked), claims)

    assert len(claims) == 3
    assert asked.inside == []


class Asked:
    """The store, noting what decisions read inside its writer."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.inside: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def settle(self, claims: Sequence[Claim], decide: Callable[[Tx], Any], **more: Any) -> Future[Any]:
        return self._store.settle(claims, lambda tx: decide(Watched(tx, self.inside)), **more)


class Watched:
    """A transaction, noting what is read in it."""

    def __init__(self, tx: Tx, noted: list[str]) -> None:
        self._tx = tx
        self._noted = noted

    def __getattr__(self, name: str) -> Any:
        if name in {"get", "get_many", "find"}:
            self._noted.append(name)
        return getattr(self._tx, name)
