"""A well-proven level: however often somebody passes on one day, it is one badge and one word to the service."""

import itertools
import json

import pytest

from lrs.competency.rebuild import rebuild
from lrs.composition.kinds import TENANT
from lrs.composition.steps import drain
from lrs.storage import Walk
from lrs.tenancy.root_keys import Secrets
from lrs.tenancy.tenants import Tenant
from tests.competency.world import ANN, HOUR, RULES, World, statement
from tests.matching.world import agree, put_service, settings_in

AT_ONCE = 500
HOW_MANY = {"sqlite": 2_000, "mongo": 60}
"""The stand-in for MongoDB takes a tenth of a second for each further piece of one learner, whatever we do."""


@pytest.fixture
def world(store_url, tmp_path):
    world = World(tmp_path, RULES.replace("passed,GOWN,1,80,,vle", "passed,GOWN,1,80,P12M,vle"), url=store_url)
    world.tenant = Tenant("default", world.store, settings_in(tmp_path), Secrets(b"k" * 32), world.clock)
    yield world
    world.close()


@pytest.fixture
def told(world, receiving):
    """Ann's first pass is worked through, and her service has heard of it."""
    put_service(world.tenant, receiving.url)
    world.send(statement("first", timestamp="2026-11-20T09:00:00Z"))
    drain(world.tenant)
    agree(world.tenant, world.person(ANN), scopes=("profiles:read", "profiles:read.evidence"))
    drain(world.tenant)
    return receiving


def passes(world, count, day="2026-11-20"):
    """As many passes on one day, some at a time, each time with all that follows."""
    times = [f"{day}T{10 + n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d}Z" for n in range(count)]
    made = (statement(f"{day} {n}", timestamp=time) for n, time in enumerate(times))
    while some := list(itertools.islice(made, AT_ONCE)):
        world.send_all(some)
        drain(world.tenant)


def badge(world):
    (record,) = world.store.find(Walk("credential")).records
    return record


@pytest.mark.mongo_in_soak
@pytest.mark.parametrize("times", [1, pytest.param(5, marks=pytest.mark.soak)])
def test_thousands_of_passes_on_one_day_are_one_badge_and_one_event(world, told, store_url, times):
    first, events = badge(world), list(told.events)
    count = times * HOW_MANY[store_url.partition(":")[0].removesuffix("db")]

    passes(world, count)

    assert badge(world) == first
    assert told.events == events
    assert sorted(events) == ["consent.given", "profile.updated"]
    (award,) = world.awards()
    assert (award["evidence_count"], len(award["evidence"])) == (count + 1, 20)
    (profile,) = world.all("profile")
    assert (profile["version"], profile["competencies"][0]["evidence_count"]) == (1, count + 1)
    (record,) = world.store.find(Walk("award")).records
    assert len(record.body) < 4_000
    assert rebuild(world.tenant, TENANT, apply=True).lines() == []


@pytest.mark.mongo_in_soak
def test_a_pass_on_the_next_day_moves_the_end_and_that_is_one_new_badge_and_one_event(world, told):
    passes(world, 30)
    first = badge(world)
    told.got.clear()

    passes(world, 30, day="2026-11-21")

    again = badge(world)
    assert (again.rev, again.meta["index"]) == (first.rev + 1, first.meta["index"])
    body = json.loads(again.body)
    assert body["validUntil"] == "2027-11-21T23:59:59+00:00"
    assert body["evidence"][-1]["name"] == "61 learning records in all; 5 of them are named here"
    assert len(body["evidence"]) == 6
    assert told.events == ["profile.updated"]


@pytest.mark.mongo_in_soak
def test_voiding_signs_anew_only_if_the_badge_names_what_is_voided(world, told):
    passes(world, 60)
    world.void(statement("2026-11-20 40")["id"])
    drain(world.tenant)
    first = badge(world)
    assert first.rev == 1
    told.got.clear()

    world.void(statement("first")["id"])
    drain(world.tenant)

    again = badge(world)
    named = [one["id"] for one in json.loads(again.body)["evidence"] if "id" in one]
    assert (again.rev, again.meta["index"]) == (2, first.meta["index"])
    assert f"urn:uuid:{statement('first')['id']}" not in named
    assert len(named) == 5
    assert (world.awards()[0]["evidence_count"], told.events) == (59, ["profile.updated"])
    assert rebuild(world.tenant, TENANT, apply=True).lines() == []


@pytest.mark.mongo_in_soak
def test_a_badge_that_names_a_piece_its_award_names_no_more_is_signed_anew_once_that_is_voided(world, told):
    passes(world, 40, day="2026-11-20")
    for n in range(30):  # on the same day and earlier, so that the first pass is no longer among the oldest ten
        world.send(statement(f"earlier {n}", timestamp=f"2026-11-20T08:00:{n:02d}Z"))
    drain(world.tenant)
    first = badge(world)
    assert statement("first")["id"] not in [one["statement"] for one in world.awards()[0]["evidence"]]

    world.void(statement("first")["id"])
    drain(world.tenant)

    assert badge(world).rev == first.rev + 1
    assert told.events.count("profile.updated") == 2


@pytest.mark.mongo_in_soak
def test_a_service_hears_nothing_of_a_review_nor_of_what_is_restored_in_it_but_of_its_end(world, told):
    told.got.clear()
    harder = RULES.replace("passed,GOWN,1,80,,vle", "passed,GOWN,1,95,P12M,vle")

    world.apply(harder, review=24)
    drain(world.tenant)
    world.restore(1, review=24)
    drain(world.tenant)
    world.apply(harder, review=24)
    drain(world.tenant)
    during = list(told.events)
    world.clock.now += 24 * HOUR
    drain(world.tenant)

    assert during == []
    assert sorted(told.events) == ["badge.revoked", "profile.updated"]
    assert told.of("profile.updated")[0].json["data"]["competencies"] == []
    assert badge(world).meta["state"] == "revoked"
