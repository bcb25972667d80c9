"""The feed of changes: complete, resumable, and gone when consent is."""

from __future__ import annotations

import httpx
import pytest

from lrs.matching import services
from lrs.tenancy.tenants import Tenant
from tests.matching.world import (
    HOUR,
    Clock,
    agree,
    bearer,
    held,
    put_person,
    put_profile,
    put_service,
    run_sync,
    take_back,
    web,
)


def subject_of(tenant: Tenant, person: str, service: str = "career-converter") -> str:
    return services.pairwise(tenant, service, person)


def put_learners(tenant: Tenant, count: int) -> list[str]:
    people = [put_person(tenant, f"mailto:learner{number}@example.org") for number in range(count)]
    for person in people:
        put_profile(tenant, person, held("gown"))
        agree(tenant, person)
    run_sync(tenant)
    return people


def walk(client: httpx.Client, headers: dict[str, str], cursor: str | None = None, limit: int = 2) -> tuple[list, str]:
    """Follows the feed to its end: the entries, and where to go on next time."""
    entries = []
    while True:
        answer = client.get(
            "/api/profiles", headers=headers, params={"limit": limit, **({"cursor": cursor} if cursor else {})}
        )
        assert answer.status_code == 200, answer.text
        entries += answer.json()["profiles"]
        cursor = answer.json()["cursor"]
        if not answer.json()["more"]:
            return entries, cursor


def test_the_feed_shows_each_consented_profile_once_and_goes_on_where_it_stopped(tenant: Tenant) -> None:
    made = put_service(tenant)
    people = put_learners(tenant, 5)

    with web(tenant) as client:
        headers = bearer(client, made)
        first, cursor = walk(client, headers)
        nothing, same = walk(client, headers, cursor)
        put_profile(tenant, people[1], held("gown", 3))
        run_sync(tenant)
        changed, _ = walk(client, headers, same)

    assert sorted(entry["subject"] for entry in first) == sorted(subject_of(tenant, person) for person in people)
    assert nothing == []
    assert [(entry["subject"], entry["version"]) for entry in changed] == [(subject_of(tenant, people[1]), 2)]
    assert changed[0]["profile"]["competencies"][0]["level"]["ordinal"] == 3


def test_a_profile_that_changes_during_a_walk_is_met_again_and_none_is_missed(tenant: Tenant) -> None:
    made = put_service(tenant)
    people = put_learners(tenant, 4)

    with web(tenant) as client:
        headers = bearer(client, made)
        page = client.get("/api/profiles", headers=headers, params={"limit": 2}).json()
        seen = page["profiles"][0]["subject"]
        person = next(one for one in people if subject_of(tenant, one) == seen)
        put_profile(tenant, person, held("gown", 4))
        run_sync(tenant)
        rest, _ = walk(client, headers, page["cursor"])

    subjects = [entry["subject"] for entry in page["profiles"] + rest]
    assert sorted(set(subjects)) == sorted(subject_of(tenant, one) for one in people)
    assert subjects.count(seen) == 2
    assert subjects[-1] == seen


def test_a_cursor_that_was_changed_or_is_another_services_is_refused(tenant: Tenant) -> None:
    made, other = put_service(tenant), put_service(tenant, name="Other")
    put_learners(tenant, 1)

    with web(tenant) as client:
        headers = bearer(client, made)
        cursor = client.get("/api/profiles", headers=headers).json()["cursor"]
        middle = len(cursor) // 2
        tampered = cursor[:middle] + ("A" if cursor[middle] != "A" else "B") + cursor[middle + 1 :]
        bad = [tampered, cursor[:-3], "x", "", "é", "A" * 10_000]
        answers = [client.get("/api/profiles", headers=headers, params={"cursor": text}) for text in bad]
        foreign = client.get("/api/profiles", headers=bearer(client, other), params={"cursor": cursor})

    assert [answer.status_code for answer in [*answers, foreign]] == [400] * 7
    assert {answer.json()["error"] for answer in [*answers, foreign]} == {"bad_cursor"}


@pytest.mark.parametrize("limit", ["0", "1001", "many", "-1"])
def test_a_limit_out_of_range_is_400_in_our_one_shape(tenant: Tenant, limit: str) -> None:
    made = put_service(tenant)

    with web(tenant) as client:
        answer = client.get("/api/profiles", headers=bearer(client, made), params={"limit": limit})

    assert answer.status_code == 400
    assert set(answer.json()) >= {"error", "message"}


def test_a_withdrawn_profile_is_a_tombstone_even_before_the_worker_has_run(tenant: Tenant) -> None:
    made = put_service(tenant)
    person, other = put_learners(tenant, 2)

    with web(tenant) as client:
        headers = bearer(client, made)
        _, cursor = walk(client, headers)
        take_back(tenant, person)
        at_once, _ = walk(client, headers)
        gone = client.get(f"/api/profiles/{subject_of(tenant, person)}", headers=headers)
        run_sync(tenant)
        news, _ = walk(client, headers, cursor)

    tombstones = [entry for entry in at_once if entry["deleted"]]
    assert [entry["subject"] for entry in tombstones] == [subject_of(tenant, person)]
    assert "profile" not in tombstones[0]
    assert [entry["subject"] for entry in at_once if not entry["deleted"]] == [subject_of(tenant, other)]
    assert gone.status_code == 404
    assert [(entry["subject"], entry["deleted"]) for entry in news] == [(subject_of(tenant, person), True)]


def test_a_consent_that_ends_by_itself_ends_the_view_and_leaves_a_tombstone(tenant: Tenant, clock: Clock) -> None:
    made = put_service(tenant)
    person = put_person(tenant, "mailto:a@example.org")
    put_profile(tenant, person, held("gown"))
    agree(tenant, person, expires=clock.now + HOUR)
    run_sync(tenant)

    with web(tenant) as client:
        before, cursor = walk(client, bearer(client, made))
        clock.now += HOUR
        run_sync(tenant)
        headers = bearer(client, made)
        after, _ = walk(client, headers, cursor)

    assert [entry["deleted"] for entry in before] == [False]
    assert [entry["deleted"] for entry in after] == [True]


def test_two_services_know_the_same_learner_by_names_that_have_nothing_in_common(tenant: Tenant) -> None:
    one, two = put_service(tenant), put_service(tenant, name="Other")
    person = put_person(tenant, "mailto:a@example.org")
    put_profile(tenant, person, held("gown"))
    agree(tenant, person)
    agree(tenant, person, "other")
    run_sync(tenant)

    with web(tenant) as client:
        first, _ = walk(client, bearer(client, one))
        second, _ = walk(client, bearer(client, two))
        crossed = client.get(f"/api/profiles/{first[0]['subject']}", headers=bearer(client, two))

    assert len(first) == len(second) == 1
    assert first[0]["subject"] != second[0]["subject"]
    assert person not in (first[0]["subject"], second[0]["subject"])
    assert crossed.status_code == 404
