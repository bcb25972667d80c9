"""What services ask about a learner is put down: once a day for each, with what it was, and only if it was given."""

from __future__ import annotations

from concurrent.futures import Future

from lrs.kernel.errors import Refused, StoreFull
from lrs.matching import disclosures, pull, services
from lrs.matching.roles import roles
from lrs.storage import each
from tests.competency.world import micros
from tests.matching.world import HOUR, agree, held, put_badge, put_person, put_profile, put_service, run_sync, take_back

ALL = ("profiles:read", "badges:read", "gap:read")


def learners(tenant, count, scopes=ALL):
    people = [put_person(tenant, f"mailto:learner{number}@example.org") for number in range(count)]
    for person in people:
        put_profile(tenant, person, held("gown"))
        put_badge(tenant, person, f"badge-{person}")
        agree(tenant, person, scopes=scopes)
    run_sync(tenant)
    return people


def told(tenant, person):
    return [(one.service, one.day.isoformat(), one.what) for one in disclosures.of_person(tenant.store, person, 0, 10)]


def test_a_day_has_one_record_for_a_service_and_a_learner_with_all_that_was_asked_for(tenant, clock):
    service = put_service(tenant).service
    ann, bea = learners(tenant, 2)
    subject = services.pairwise(tenant, service.id, ann)
    (role,), _ = roles.read_roles(b"role,competency\noperator,GOWN\n")
    tenant.store.write(lambda tx: roles.keep(tx, role)).result()
    for _ in range(3):
        profile = pull.one(tenant, service, subject)
        pull.gap_of(tenant, service, subject, "operator")
        pull.badge(tenant, service, subject, profile["badges"][0]["id"])
        clock.now += HOUR
    clock.now += 24 * HOUR

    pull.feed(tenant, service, None, 10)

    first = ("career-converter", "2026-11-18", ("badge", "gap", "profile"))
    assert told(tenant, ann) == [("career-converter", "2026-11-19", ("profile",)), first]
    assert told(tenant, bea) == [("career-converter", "2026-11-19", ("profile",))]
    assert len(list(each(tenant.store, disclosures.KIND))) == 3


def test_that_the_nearest_roles_were_given_is_put_down_as_a_gap(tenant):
    service = put_service(tenant).service
    ann, bea = learners(tenant, 2)

    pull.nearest_to(tenant, service, services.pairwise(tenant, service.id, ann))

    assert told(tenant, ann) == [("career-converter", "2026-11-18", ("gap",))]
    assert told(tenant, bea) == []


def test_the_day_is_that_of_the_organisation(tenant, clock):
    clock.now = micros("2026-07-01T23:30:00Z")
    service = put_service(tenant).service
    (ann,) = learners(tenant, 1)

    pull.one(tenant, service, services.pairwise(tenant, service.id, ann))

    assert told(tenant, ann) == [("career-converter", "2026-07-02", ("profile",))]


def test_a_refused_request_is_not_stored_as_a_disclosure(tenant):
    service = put_service(tenant).service
    (ann,) = learners(tenant, 1, scopes=("profiles:read",))
    subject = services.pairwise(tenant, service.id, ann)
    (role,), _ = roles.read_roles(b"role,competency\noperator,GOWN\n")
    tenant.store.write(lambda tx: roles.keep(tx, role)).result()
    refused = []
    take_back(tenant, ann)

    pull.feed(tenant, service, None, 10)
    for ask in (
        lambda: pull.one(tenant, service, subject),
        lambda: pull.gap_of(tenant, service, subject, "operator"),
        lambda: pull.badge(tenant, service, subject, "none"),
    ):
        try:
            ask()
        except Refused as error:
            refused.append(error.status)

    assert refused == [404] * 3
    assert told(tenant, ann) == []


def test_a_full_store_still_answers(tenant, monkeypatch):

    service = put_service(tenant).service
    (ann,) = learners(tenant, 1)
    full = Future()
    full.set_exception(StoreFull("full"))
    monkeypatch.setattr(tenant.store, "write", lambda *_, **__: full)

    shown = pull.one(tenant, service, services.pairwise(tenant, service.id, ann))

    assert len(shown["competencies"]) == 1
    assert told(tenant, ann) == []
