"""Tallies say what the evidence says, whatever comes and goes; and a store from before them goes on as it was."""

import dataclasses
import itertools
import json

import msgspec
import pytest

from badges.issuing.issue import issue
from lrs.competency import tallies
from lrs.competency.evidence import evidence_from, evidence_keys, former_id
from lrs.competency.rebuild import rebuild
from lrs.composition.kinds import TENANT
from lrs.kernel.keys import key
from lrs.people.ids import identified, ids_of
from lrs.storage import Owed, Walk, each
from tests.competency.world import ANN, RULES, World, statement, statement_id

pytestmark = pytest.mark.mongo_in_soak

BOB = {"mbox": "mailto:bob@example.org"}


@pytest.fixture
def world(store_url, tmp_path):
    world = World(tmp_path, url=store_url)
    yield world
    world.close()


def set_zone(world, zone):
    settings = world.tenant.settings.model_copy(update={"zone": zone})
    world.tenant = dataclasses.replace(world.tenant, settings=settings)


def tally(world):
    (found,) = world.all("tally")
    return found["count"], [piece["statement"] for piece in found["pieces"]]


def passes(world, count):
    """As many passes at the very same moment; their ids in the order in which they are named."""
    sent = [statement(f"s{n}") for n in range(count)]
    world.send_all(sent)
    world.work()
    return sorted(one["id"] for one in sent)


def test_the_first_twenty_of_a_day_are_named_and_all_are_counted(world):
    sent = passes(world, 25)

    assert tally(world) == (25, sent[:20])


def test_evidence_that_is_written_anew_is_counted_once(world):
    sent = passes(world, 3)
    told = [evidence_from(record) for record in each(world.tenant.store, "evidence")]

    world.write(lambda tx: tallies.keep(tx, told[:2], told[:2], world.tenant.settings.zone))

    assert tally(world) == (3, sent)


def test_a_named_piece_that_is_voided_makes_room_for_the_next_and_another_is_only_counted_off(world):
    sent = passes(world, 25)

    world.void(sent[24])
    world.work()
    assert tally(world) == (24, sent[:20])
    world.void(sent[3])
    world.work()

    assert tally(world) == (23, [*sent[:3], *sent[4:21]])
    assert rebuild(world.tenant, TENANT, apply=True).lines() == []


def test_named_pieces_that_are_voided_together_make_room_for_as_many_of_the_next(world):
    sent = [statement(f"s{n:02d}", timestamp=f"2026-11-20T10:00:{n:02d}Z") for n in range(50)]
    world.send_all(sent[:49])
    world.work()
    for one in sent[1:20]:
        world.void(one["id"])
    world.send(sent[49])

    world.work()

    assert tally(world) == (31, [one["id"] for one in (sent[0], *sent[20:39])])
    assert rebuild(world.tenant, TENANT, apply=True).lines() == []


def test_a_day_without_evidence_has_no_tally(world):
    (sent,) = passes(world, 1)

    world.void(sent)
    world.work()

    assert world.all("tally") == []


def test_passes_of_two_days_in_london_are_two_tallies_though_they_are_one_day_in_utc(world):
    world.send(statement("before", timestamp="2026-07-01T22:59:00Z"))
    world.send(statement("after", timestamp="2026-07-01T23:01:00Z"))

    world.work()

    assert sorted(one["day"] for one in world.all("tally")) == ["2026-07-01", "2026-07-02"]


def test_evidence_that_was_counted_before_the_zone_changed_leaves_its_tally_when_it_is_voided(world):
    world.send(statement("one", timestamp="2026-11-20T02:00:00Z"))
    world.send(statement("two", BOB, timestamp="2026-11-20T02:00:00Z"))
    world.work()
    set_zone(world, "America/New_York")

    world.void(statement_id("one"))
    world.work()

    assert [one["day"] for one in world.all("tally")] == ["2026-11-20"]
    assert [one["person"] for one in world.awards()] == [world.person(BOB)]


def test_named_pieces_are_replaced_by_those_that_were_counted_before_the_zone_changed(world):
    sent = [statement(f"s{n:02d}", timestamp=f"2026-11-20T02:00:{n:02d}Z") for n in range(25)]
    world.send_all(sent)
    world.work()
    set_zone(world, "America/New_York")

    world.void(sent[0]["id"])
    world.work()

    assert tally(world) == (24, [one["id"] for one in sent[1:21]])


def test_a_rebuild_gives_all_evidence_its_day_in_the_zone_that_is_in_force(world):
    world.send(statement("one", timestamp="2026-11-20T02:00:00Z"))
    world.work()
    set_zone(world, "America/New_York")

    rebuild(world.tenant, TENANT, apply=True)

    assert [one["day"] for one in (*world.all("evidence"), *world.all("tally"))] == ["2026-11-19", "2026-11-19"]
    assert rebuild(world.tenant, TENANT, apply=True).lines() == []


def test_evidence_of_another_instructor_is_a_tally_of_its_own(world):
    world.send(statement("alone"))
    world.send(statement("watched", context={"instructor": {"mbox": "mailto:ivy@example.org"}}))

    world.work()

    assert [one["count"] for one in world.all("tally")] == [1, 1]
    assert world.awards()[0]["evidence"] == [
        {"statement": id, "source": "vle", "timestamp": "2026-11-20T10:00:00Z"}
        for id in sorted(map(statement_id, ("alone", "watched")))
    ]


def test_in_any_order_and_in_portions_the_same_evidence_gives_the_same_tally(world):
    names = ["a", "b", "c", "d"]
    found = set()
    for n, order in enumerate(itertools.permutations(names)):
        who = {"mbox": f"mailto:{n}@example.org"}
        for portion in (order[:1], order[1:]):
            world.send_all([{**statement(name, who), "id": statement_id(f"{n} {name}")} for name in portion])
            world.work()
        (record,) = world.store.find(Walk("tally", [key("tally", identified(who, ids_of(world.tenant)).id)])).records
        body = json.loads(record.body)
        assert [piece["statement"] for piece in body["pieces"]] == sorted(statement_id(f"{n} {name}") for name in names)
        found.add(body["count"])

    assert found == {4}


# -- a store from before there were tallies ---------------------------------------------------------------------------


def make_former(world):
    """Evidence as it was written once: named without the version of its rule, with a key of its own if it counts.

    It did not say what was completed, nor its day.
    """

    def decide(tx):
        for record in tx.find(Walk("evidence", limit=1000)).records:
            one = evidence_from(record)
            counted = (tallies.counted_key(one.identifier),) if one.reason is None else ()
            tx.delete("evidence", record.id)
            id = former_id(one.statement, one.rule, one.identifier)
            known = msgspec.structs.replace(one, completes=msgspec.UNSET, day=msgspec.UNSET)
            keys = (*evidence_keys(known), *counted)
            tx.insert(msgspec.structs.replace(record, id=id, body=msgspec.json.encode(known), keys=keys, rev=0))
        for record in tx.find(Walk("tally", limit=1000)).records:
            tx.delete("tally", record.id)

    world.write(decide)


@pytest.fixture
def former(world):
    world.send_all([statement(f"s{n}", timestamp=f"2026-11-{n + 1:02d}T10:00:00Z") for n in range(3)])
    world.work()
    sign(world)
    make_former(world)
    return world


def sign(world):
    issue(world.tenant, world.store.claim(["issue"], limit=10, lease=60_000_000))


def badge(world):
    (record,) = world.store.find(Walk("credential")).records
    return record


def test_it_holds_what_it_held_and_a_further_pass_is_counted_with_the_others(former):
    award, signed = former.awards(), badge(former)

    former.write(lambda tx: tx.owe("person", former.person(ANN), Owed("evaluate")))
    former.work()
    assert former.awards() == award
    former.send(statement("further", timestamp="2026-11-21T10:00:00Z"))
    former.work()
    sign(former)

    assert [one["statement"] for one in former.awards()[0]["evidence"]] == [
        *(one["statement"] for one in award[0]["evidence"]),
        statement_id("further"),
    ]
    assert badge(former) == signed


def test_what_it_has_can_be_voided(former):
    former.void(statement_id("s0"))
    former.work()

    assert former.awards()[0]["held_from"] == "2026-11-02"
    assert len(former.all("evidence")) == 2


def test_a_change_of_rules_brings_its_evidence_into_the_new_form(former):
    award, signed = former.awards(), badge(former)

    former.apply(RULES.replace(",80,", ",85,"), review=24)
    former.work()
    sign(former)

    assert [one["evidence"] for one in former.awards()] == [award[0]["evidence"]]
    assert badge(former) == signed
    assert rebuild(former.tenant, TENANT, apply=True).lines() == []


def test_rules_that_are_gone_are_reviewed_and_then_gone_from_it_as_well(former):
    former.apply(RULES.splitlines()[0] + "\n", review=24)
    former.work()
    assert [one["review"]["rules"] for one in former.awards()] == [2]

    former.clock.now += 25 * 3_600_000_000
    former.work()
    former.apply(RULES.replace("gowning", "other"))
    former.work()

    assert (former.awards(), former.all("evidence")) == ([], [])


def test_a_rebuild_brings_it_into_the_new_form_and_signs_nothing(former):
    award, signed = former.awards(), badge(former)

    rebuild(former.tenant, TENANT, apply=True)

    assert rebuild(former.tenant, TENANT, apply=True).lines() == []
    former.write(lambda tx: tx.owe("person", former.person(ANN), Owed("evaluate")))
    former.work()
    sign(former)
    assert (former.awards(), badge(former)) == (award, signed)
