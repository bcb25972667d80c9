"""The two steps, from a stored statement to awards and a profile, on an embedded store."""

import json
from hashlib import sha256

import msgspec
import pytest

from lrs.competency import listed
from lrs.competency.evaluate import evaluate, match
from lrs.competency.rules.walk import read_again
from lrs.competency.uncounted import uncounted
from lrs.kernel.keys import key
from lrs.people.ids import identified, ids_of
from lrs.people.joins import suggestions, trust
from lrs.storage import Owed, Record, Walk
from lrs.xapi.statements.identity import SAME_PERSON
from tests.competency.world import ANN, ANN_ACCOUNT, ASEPTIC, GOWNING, RULES, World, statement, statement_id


def test_a_pass_from_a_trusted_source_becomes_an_award_and_a_profile(world):
    world.send(statement("one"))

    world.work()

    (award,) = world.awards()
    assert award == {
        "v": 1,
        "person": world.person(ANN),
        "competency": {
            "id": award["competency"]["id"],
            "label": "Gowning",
            "framework": "https://example.org/frameworks/atmp",
            "version": 1,
            "code": "GOWN",
        },
        "level": {"ordinal": 1, "code": "1", "label": "Awareness"},
        "scale": {
            "id": "tiers",
            "name": "Skills for Health tiers",
            "levels": [
                {"ordinal": 1, "code": "1", "label": "Awareness"},
                {"ordinal": 2, "code": "2", "label": "Practitioner"},
                {"ordinal": 3, "code": "3", "label": "Lead or expert"},
            ],
        },
        "held_from": "2026-11-20",
        "valid_until": None,
        "state": "held",
        "evidence": [{"statement": statement_id("one"), "source": "vle", "timestamp": "2026-11-20T10:00:00Z"}],
        "rule": {"item": award["rule"]["item"], "version": 1},
    }
    (profile,) = world.all("profile")
    assert (profile["person"], profile["version"]) == (world.person(ANN), 1)
    (entry,) = profile["competencies"]
    assert (
        entry["competency"]["code"],
        entry["level"]["ordinal"],
        entry["state"],
        entry["evidence_count"],
        entry["since"],
    ) == (
        "GOWN",
        1,
        "held",
        1,
        "2026-11-20",
    )


def test_content_in_a_browser_that_writes_passed_awards_nothing_and_leaves_the_reason(world):
    world.send(statement("one"), source="browser-content")

    world.work()

    assert world.all("award") == []
    assert world.all("profile") == []
    assert [one["reason"] for one in world.all("evidence")] == ["source not trusted"]


def test_a_new_award_owes_its_badge_and_its_profile_owes_a_sync(world):
    world.send(statement("one"))

    world.work()

    waiting = {one.step: one.waiting for one in world.store.backlog()}
    assert waiting["issue"] == 1
    assert waiting["sync"] == 1


def test_voiding_the_only_evidence_withdraws_the_award_and_empties_the_profile(world):
    sent = world.send(statement("one"))
    world.work()

    world.void(sent)
    world.work()

    (award,) = world.all("award")
    assert (award["state"], award["evidence"], award["held_from"]) == ("withdrawn", [], "2026-11-20")
    assert world.all("evidence") == []
    (profile,) = world.all("profile")
    assert (profile["version"], profile["competencies"]) == (2, [])


def test_voiding_one_of_two_pieces_of_evidence_keeps_the_same_award(world):
    first = world.send(statement("one"))
    world.send(statement("two", timestamp="2026-11-21T10:00:00Z"))
    world.work()
    (before,) = world.store.find(Walk("award")).records

    world.void(first)
    world.work()

    (after,) = world.store.find(Walk("award")).records
    assert after.id == before.id
    body = json.loads(after.body)
    assert (body["state"], body["held_from"]) == ("held", "2026-11-21")
    assert [one["statement"] for one in body["evidence"]] == [statement_id("two")]


def test_a_statement_that_is_voided_counts_no_more_before_it_was_read_again(world):
    sent = [world.send(statement("one")), world.send(statement("two"))]
    world.work()

    world.void(sent[0])

    assert len(world.all("evidence")) == 2
    assert uncounted(world.store, world.person(ANN), sent) == {sent[0]}


def test_a_statement_voided_before_its_match_ran_leaves_nothing(world):
    world.void(world.send(statement("one")))

    world.work()

    assert world.all("evidence") == []
    assert world.all("award") == []


def test_our_own_statements_never_become_evidence(world):
    world.send(statement("one"), source="engraft")

    world.work()

    assert world.all("evidence") == []
    assert world.all("person") == []


def test_the_award_expires_in_the_night_after_its_last_day_in_london(world):
    world.send(statement("one", activity=ASEPTIC, timestamp="2025-07-01T10:00:00Z"))
    world.clock.set("2026-07-01T22:59:59Z")
    world.work()
    assert [(award["valid_until"], award["state"]) for award in world.all("award")] == [("2026-07-01", "held")]

    world.clock.set("2026-07-01T23:00:01Z")
    world.work()

    assert [award["state"] for award in world.all("award")] == ["expired"]
    (profile,) = world.all("profile")
    assert [one["state"] for one in profile["competencies"]] == ["expired"]


def test_a_profile_says_expiring_thirty_days_before_the_end(world):
    world.clock.set("2026-03-01T12:00:00Z")
    world.send(statement("one", activity=ASEPTIC, timestamp="2026-03-01T10:00:00Z"))
    world.work()

    world.clock.set("2027-01-29T23:59:59Z")
    world.work()
    assert [one["state"] for one in world.all("profile")[0]["competencies"]] == ["held"]
    world.clock.set("2027-01-30T00:00:01Z")
    world.work()

    assert [one["state"] for one in world.all("profile")[0]["competencies"]] == ["expiring"]
    assert [award["state"] for award in world.all("award")] == ["held"]


def test_a_pass_after_a_lapse_is_a_new_award_and_the_old_one_stays_expired(world):
    world.send(statement("old", activity=ASEPTIC, timestamp="2024-01-10T10:00:00Z"))
    world.work()
    world.send(statement("new", activity=ASEPTIC, timestamp="2026-10-10T10:00:00Z"))

    world.work()

    found = sorted((award["held_from"], award["valid_until"], award["state"]) for award in world.all("award"))
    assert found == [("2024-01-10", "2025-01-10", "expired"), ("2026-10-10", "2027-10-10", "held")]
    (entry,) = world.all("profile")[0]["competencies"]
    assert (entry["state"], entry["since"]) == ("held", "2026-10-10")


def test_a_period_that_falls_apart_keeps_its_name_for_its_beginning_and_its_end_has_another(world):
    def awards():
        records = world.store.find(Walk("award")).records
        told = {record.id == whole: json.loads(record.body) for record in records}
        return {name: (one["held_from"][:4], one["valid_until"], one["state"]) for name, one in told.items()}

    for year in ("2024", "2025", "2026"):
        world.send(statement(year, activity=ASEPTIC, timestamp=f"{year}-11-20T10:00:00Z"))
    world.work()
    (whole,) = [record.id for record in world.store.find(Walk("award")).records]

    world.void(statement_id("2025"))
    world.work()
    apart = awards()
    world.send(statement("again", activity=ASEPTIC, timestamp="2025-11-19T10:00:00Z"))
    world.work()

    assert apart == {True: ("2024", "2025-11-20", "expired"), False: ("2026", "2027-11-20", "held")}
    assert awards() == {True: ("2024", "2027-11-20", "held"), False: ("2026", "2027-11-20", "withdrawn")}


def test_the_list_of_learners_follows_a_skill_and_a_source_that_somebody_known_has_later(world, monkeypatch):
    monkeypatch.setattr(listed, "_STATEMENTS", 1)  # of more than that, what was known before counts
    world.send(statement("one"))
    world.work()

    def row():
        record = world.store.get(listed.KIND, world.person(ANN))
        read = listed.read(record)
        return len(read.skills), sorted(read.sources)

    told = [row()]
    world.send(statement("two", activity=ASEPTIC))
    world.work()
    told.append(row())
    world.send(statement("three"), source="centre")  # which this rule does not trust
    world.work()
    told.append(row())

    assert told == [(1, ["vle"]), (2, ["vle"]), (2, ["centre", "vle"])]


def test_a_lower_level_that_is_held_stands_in_the_profile_before_a_higher_one_that_has_ended(world):
    world.apply(RULES.replace("ASEP,2", "GOWN,2"))
    world.send(statement("high", activity=ASEPTIC, timestamp="2024-05-02T10:00:00Z"))
    world.send(statement("low", timestamp="2024-05-01T10:00:00Z"))
    world.work()

    (entry,) = world.all("profile")[0]["competencies"]
    assert (entry["level"]["ordinal"], entry["state"], entry["since"]) == (1, "held", "2024-05-01")


def test_evidence_that_comes_late_moves_the_first_day_and_keeps_the_award(world):
    world.send(statement("later", timestamp="2026-11-20T10:00:00Z"))
    world.work()
    (before,) = world.store.find(Walk("award")).records

    world.send(statement("earlier", timestamp="2026-05-02T10:00:00Z"))
    world.work()

    (after,) = world.store.find(Walk("award")).records
    assert after.id == before.id
    assert json.loads(after.body)["held_from"] == "2026-05-02"


def test_steps_run_five_times_leave_the_same_records_and_owe_nothing_new(world):
    sent = world.send(statement("one"))
    world.work()
    before = [record for kind in ("evidence", "award", "profile") for record in world.store.find(Walk(kind)).records]
    issue = world.store.claim(["issue", "sync"], limit=10, lease=60_000_000)
    world.store.settle(issue, lambda _: None).result()

    for _ in range(5):
        world.write(lambda tx: owe(tx, "statement", sent, "match"))
        world.write(lambda tx: owe(tx, "person", world.person(ANN), "evaluate"))
        world.work()

    after = [record for kind in ("evidence", "award", "profile") for record in world.store.find(Walk(kind)).records]
    assert after == before
    assert world.store.backlog() == []


def test_a_profile_that_an_earlier_version_counted_with_its_evidence_keeps_its_version_and_tells_nobody(world):
    world.send(statement("one"))
    world.work()
    person = world.person(ANN)
    body = world.store.get("profile", person).body.replace(b'"version":1,"competencies"', b'"version":0,"competencies"')
    head = world.store.get("profile-head", person)
    former = msgspec.structs.replace(head, meta=head.meta | {"digest": sha256(body).hexdigest()})
    world.write(lambda tx: tx.put(former))
    world.store.settle(world.store.claim(["issue", "sync"], limit=10, lease=60_000_000), lambda _: None).result()

    world.write(lambda tx: owe(tx, "person", person, "evaluate"))
    world.work()

    assert former.meta != head.meta
    assert world.store.get("profile-head", person).meta == head.meta
    assert [one["version"] for one in world.all("profile")] == [1]
    assert world.store.backlog() == []


def owe(tx, kind, id, step):
    tx.owe(kind, id, Owed(step))


def test_a_worker_that_dies_between_claim_and_settle_loses_nothing(world):
    world.work()
    world.send(statement("one"))
    lost = world.store.claim(["match"], limit=10, lease=60_000_000)
    assert len(lost) == 1
    assert world.work() == 0

    world.clock.now += 60_000_001
    world.work("match")
    assert len(world.store.claim(["evaluate"], limit=10, lease=60_000_000)) == 1
    assert world.work("match", "evaluate") == 0
    world.clock.now += 60_000_001
    world.work()

    assert len(world.awards()) == 1


def test_a_claim_whose_statement_was_voided_meanwhile_writes_nothing_and_is_owed_again(world):
    sent = world.send(statement("one"))
    other = world.send(statement("two", timestamp="2026-11-21T10:00:00Z"))
    claims = world.store.claim(["match"], limit=10, lease=60_000_000)
    world.void(sent)

    match(world.tenant, claims)

    assert [one["statement"] for one in world.all("evidence")] == [other]
    world.work()
    assert [one["statement"] for one in world.awards()[0]["evidence"]] == [other]


def test_a_statement_that_cannot_be_read_is_parked_and_the_others_go_on(world):
    world.write(lambda tx: tx.insert(Record("statement", "broken", b'{"id": 7}', owed=(Owed("match"),))))
    world.send(statement("one"))

    world.work()

    ((record, owed),) = world.store.parked("match")
    assert record.id == "broken"
    assert "cannot be read" in owed.error
    assert len(world.awards()) == 1


def test_a_higher_level_is_a_new_award_and_leaves_the_lower_one(tmp_path):
    rules = f"activity,verb,competency,level,trusted source\n{GOWNING},passed,GOWN,1,vle\n{ASEPTIC},passed,GOWN,2,vle\n"
    world = World(tmp_path, rules)
    world.send(statement("one"))
    world.send(statement("two", activity=ASEPTIC))

    world.work()

    assert sorted(award["level"]["ordinal"] for award in world.awards()) == [1, 2]
    assert [one["level"]["ordinal"] for one in world.all("profile")[0]["competencies"]] == [2]
    world.close()


def test_evidence_that_comes_while_a_person_is_evaluated_is_not_lost(world):
    world.send(statement("one"))
    world.work("match")
    claims = world.store.claim(["evaluate"], limit=10, lease=60_000_000)
    world.send(statement("two", timestamp="2026-11-21T10:00:00Z"))
    world.work("match")

    evaluate(world.tenant, claims)

    assert world.all("award") == []
    world.work()
    assert [len(award["evidence"]) for award in world.awards()] == [2]


def test_one_person_who_cannot_be_evaluated_keeps_nobody_else_from_it(world):
    world.send(statement("one"))
    world.send(statement("two", {"mbox": "mailto:bob@example.org"}))
    world.work("match")
    broken = Record("evidence", "broken", b"{}", keys=(key("ev-counted", identified(ANN, ids_of(world.tenant)).id),))
    world.write(lambda tx: tx.insert(broken))
    claims = world.store.claim(["evaluate"], limit=10, lease=60_000_000)

    with pytest.raises(msgspec.ValidationError):
        evaluate(world.tenant, claims)

    assert [award["person"] for award in world.awards()] == [world.person({"mbox": "mailto:bob@example.org"})]


def test_evidence_of_one_person_that_comes_meanwhile_keeps_nobody_else_of_the_batch_waiting(world):
    world.send(statement("one"))
    world.send(statement("two", {"mbox": "mailto:bob@example.org"}))
    world.work("match")
    claims = world.store.claim(["evaluate"], limit=10, lease=60_000_000)
    world.send(statement("three", timestamp="2026-11-21T10:00:00Z"))
    world.work("match")

    evaluate(world.tenant, claims)

    bob = world.person({"mbox": "mailto:bob@example.org"})
    assert [award["person"] for award in world.awards()] == [bob]
    assert [claim.record.id for claim in world.store.claim(["evaluate"], limit=10, lease=1)] == [world.person(ANN)]


def test_one_page_of_a_walk_done_twice_is_done_once(world):
    world.send(statement("one"))
    (walk,) = (one for one in world.store.claim(["match"], limit=10, lease=1) if one.record.kind == "rematch")
    match(world.tenant, [walk])

    match(world.tenant, [walk])

    assert world.store.find(Walk("rematch")).records == ()


def test_who_trusts_a_source_has_its_earlier_rows_read_again(world):
    named = {"extensions": {SAME_PERSON: [ANN_ACCOUNT]}}
    world.send(statement("early", ANN_ACCOUNT, timestamp="2026-11-19T10:00:00Z"))
    world.send(statement("late", context=named), source="registry")
    world.work()
    assert len(world.awards()) == 1
    assert len(suggestions(world.store)) == 1

    world.write(lambda tx: trust(tx, "registry", "test") and read_again(tx, "registry"))
    world.work()

    assert world.store.find(Walk("rematch")).records == ()
    assert suggestions(world.store) == []
    assert len({record.meta["into"] or record.id for record in world.store.find(Walk("person")).records}) == 1


def test_a_statement_that_names_further_identifiers_joins_them_if_its_source_may(world):
    world.write(lambda tx: trust(tx, "vle", "test"))
    world.send(statement("early", ANN_ACCOUNT, timestamp="2026-11-19T10:00:00Z"))
    world.work()

    world.send(statement("late", context={"extensions": {SAME_PERSON: [ANN_ACCOUNT, {"name": "nobody"}]}}))
    world.work()

    (award,) = world.awards()
    assert [proof["statement"] for proof in award["evidence"]] == [statement_id("early"), statement_id("late")]


def test_large_statements_that_a_badge_names_are_looked_at_whatever_they_have_together(world, monkeypatch):
    monkeypatch.setattr("lrs.storage.sizes.MOST_AT_ONCE", 15_000)
    large = {"extensions": {"https://vle.example/notes": "x" * 9_000}}
    sent = [world.send(statement(f"s{n}", context=large)) for n in range(3)]
    world.work()
    world.void(sent[1])

    assert uncounted(world.store, world.person(ANN), sent) == {sent[1]}
