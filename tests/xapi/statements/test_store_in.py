"""Statements stored by whoever has some: prepared without the store, and written beside other records in one commit."""

import json
from functools import partial
from hashlib import sha256, sha512
from io import BytesIO

import msgspec
import pytest

from lrs.access import KEY, Caller
from lrs.access.rights import rights_of_key
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.errors import Refused
from lrs.kernel.settings import Settings
from lrs.storage import Owed, Record
from lrs.xapi.statements.attachments import Attachments, keep
from lrs.xapi.statements.parts import BodyPart, attached
from lrs.xapi.statements.plan import Plan
from lrs.xapi.statements.prepare import Terms, prepare
from lrs.xapi.statements.subscriptions import StepQuestion, Subscription
from lrs.xapi.statements.write import COMPARED_INSIDE, Compare, compared, store_in
from tests.served import new_id, statement


def caller_named(source, *scopes):
    authority = b'{"mbox":"mailto:%s@example.org"}' % source.encode()
    return Caller(f"key {source}", source, authority, rights_of_key(scopes or {"statements/write"}), "default", KEY)


COURSE, OTHER, TEACHER = caller_named("course"), caller_named("other"), caller_named("course", "all")


def plan_of(*statements, caller=COURSE, subscriptions=SUBSCRIPTIONS, **terms):
    return prepare(caller, "1.0.3", json.dumps(statements).encode(), Terms(Settings(), subscriptions, **terms))


def voiding(target, **parts):
    verb = {"id": "http://adlnet.gov/expapi/verbs/voided"}
    return statement(verb=verb, object={"objectType": "StatementRef", "id": target}, **parts)


def owed(store):
    """What is owed of which record, each cleared: pairs of id and step."""
    claims = store.claim(["match", "forward"], limit=100, lease=60_000_000)
    store.settle(claims, lambda _: None).result()
    return sorted((claim.record.id, claim.owed.step) for claim in claims)


def write_all(store, *decisions):
    """All in one decision, in this order; what the last one gives."""

    def decide(tx):
        return [decision(tx) for decision in decisions][-1]

    return store.write(decide).result()


def storing(plan):
    return partial(store_in, plan=plan)


def row(tx):
    return tx.insert(Record("thing", "row 7"))


def test_statements_and_other_records_are_one_commit(store):
    first, second = statement(id=new_id()), statement(id=new_id())

    ids = write_all(store, storing(plan_of(first)), row, storing(plan_of(second)))

    assert ids == [second["id"]]
    assert [store.get("statement", one["id"]).rev for one in (first, second)] == [1, 1]
    assert store.get("thing", "row 7") is not None
    assert owed(store) == sorted([(first["id"], "match"), (second["id"], "match")])


def job_with_claim(store):
    store.write(lambda tx: tx.insert(Record("thing", "job", owed=(Owed("match"),)))).result()
    (claim,) = store.claim(["match"], limit=1, lease=60_000_000)
    return claim


def test_a_job_stores_statements_in_the_commit_that_settles_its_turn(store):
    claim = job_with_claim(store)
    plans = [plan_of(statement(id=new_id())) for _ in range(3)]
    reads = [name for plan in plans for name in plan.reads]

    def decide(tx):
        return [id for plan in plans for id in store_in(tx, plan)]

    stored = store.settle([claim], decide, weight=sum(plan.weight for plan in plans), reads=reads).result()

    assert stored == [plan.ids[0] for plan in plans]
    assert not store.holds(claim)
    assert owed(store) == sorted((id, "match") for id in stored)


def test_a_turn_whose_statements_are_refused_is_still_the_jobs_to_settle(store):
    claim = job_with_claim(store)
    known = statement(id=new_id())
    write_all(store, storing(plan_of(known)))
    other = plan_of(known | {"verb": {"id": "http://example.org/other"}})

    with pytest.raises(Refused):
        store.settle([claim], storing(other), reads=other.reads).result()

    assert store.holds(claim)


def test_a_plan_that_is_refused_keeps_nothing_of_its_decision(store):
    known, first, last = (statement(id=new_id()) for _ in range(3))
    write_all(store, storing(plan_of(known)))
    owed(store)
    contradicting = plan_of(statement(id=new_id()), known | {"verb": {"id": "http://example.org/other"}})

    with pytest.raises(Refused) as caught:
        write_all(store, storing(plan_of(first)), row, storing(contradicting), storing(plan_of(last)))

    assert (caught.value.status, caught.value.index) == (409, 1)
    assert store.count("statement") == 1
    assert store.get("thing", "row 7") is None
    assert owed(store) == []


def test_the_same_plan_twice_is_stored_once(store):
    one = statement(id=new_id())
    plan = plan_of(one, caller=TEACHER)

    twice = write_all(store, storing(plan), storing(plan))
    again = write_all(store, storing(plan))

    assert twice == again == [one["id"]]
    assert store.count("statement") == 1
    assert (store.get("statement", one["id"]).rev, owed(store)) == (1, [(one["id"], "match")])


def test_a_plan_made_again_of_the_same_text_is_stored_once(store):
    one = statement(id=new_id())

    write_all(store, storing(plan_of(one)), storing(plan_of(one)))

    assert store.count("statement") == 1


def test_a_later_plan_of_a_decision_voids_what_an_earlier_one_stored(store):
    target, voider = statement(id=new_id()), new_id()

    write_all(store, storing(plan_of(target)), storing(plan_of(voiding(target["id"], id=voider))))

    assert store.get("statement", target["id"]).meta["voided"] == voider
    assert owed(store) == sorted([(target["id"], "match"), (voider, "match")])


def test_a_plan_voids_a_statement_that_a_later_one_of_the_decision_stores(store):
    target, voider = statement(id=new_id()), new_id()

    write_all(store, storing(plan_of(voiding(target["id"], id=voider))), storing(plan_of(target)))

    assert store.get("statement", target["id"]).meta["voided"] == voider


def test_nobody_voids_what_another_source_sent_in_the_same_decision(store):
    target = statement(id=new_id())
    voider = plan_of(voiding(target["id"]), caller=OTHER)

    with pytest.raises(Refused) as caught:
        write_all(store, storing(plan_of(target)), storing(voider))

    assert (caught.value.status, store.count("statement")) == (403, 0)


def test_a_reference_is_found_by_what_an_earlier_plan_of_the_decision_is_found_by(store):
    target = statement(id=new_id())
    referring = statement(id=new_id(), object={"objectType": "StatementRef", "id": target["id"]})

    write_all(store, storing(plan_of(target)), storing(plan_of(referring)))

    own = set(store.get("statement", target["id"]).keys)
    assert own < set(store.get("statement", referring["id"]).keys)


def test_a_reference_is_found_by_what_a_later_plan_of_the_decision_is_found_by(store):
    target = statement(id=new_id())
    referring = statement(id=new_id(), object={"objectType": "StatementRef", "id": target["id"]})

    write_all(store, storing(plan_of(referring)), storing(plan_of(target)))

    own = set(store.get("statement", target["id"]).keys)
    assert own < set(store.get("statement", referring["id"]).keys)


def test_what_is_large_and_stored_already_is_compared_outside_the_writer(store):
    large = statement(id=new_id(), result={"response": "x" * (COMPARED_INSIDE + 1)})
    plan = plan_of(large)
    write_all(store, storing(plan))

    with pytest.raises(Compare) as caught:
        write_all(store, row, storing(plan))
    again = write_all(store, row, storing(compared(plan, caught.value.stored)))

    assert again == [large["id"]]
    assert (store.count("statement"), store.count("thing")) == (1, 1)


def test_what_is_stored_already_may_be_compared_before_the_writer_is_asked(store):
    large = statement(id=new_id(), result={"response": "x" * (COMPARED_INSIDE + 1)})
    write_all(store, storing(plan_of(large)))
    plan = plan_of(large)
    other = plan_of(large | {"verb": {"id": "http://example.org/other"}})
    stored = store.get_many("statement", plan.ids)

    ids = write_all(store, storing(compared(plan, stored)))

    assert ids == [large["id"]]
    with pytest.raises(Refused, match="is stored already with other content"):
        compared(other, stored)


def of_others(tx, records):
    return [one.id for one in records if tx.get("other", "t") is not None and one.meta["source"] == "other"]


def test_a_subscribed_step_is_owed_of_the_statements_that_it_wants(store):
    table = {
        "match": Subscription(voided=True),
        "forward": Subscription(lambda *_: StepQuestion(of_others, (("other", "t"),))),
    }
    early, mine, theirs = (statement(id=new_id()) for _ in range(3))

    write_all(store, storing(plan_of(early, caller=OTHER, subscriptions=table)))
    before = owed(store)
    store.write(lambda tx: tx.insert(Record("other", "t"))).result()
    plan = plan_of(theirs, caller=OTHER, subscriptions=table)
    write_all(store, storing(plan_of(mine, subscriptions=table)), storing(plan))

    assert before == [(early["id"], "match")]
    assert owed(store) == sorted([(mine["id"], "match"), (theirs["id"], "match"), (theirs["id"], "forward")])
    assert plan.reads == [("statement", theirs["id"]), ("awaited", theirs["id"]), ("other", "t")]


def test_a_plan_says_what_is_asked_about_its_statements():
    with pytest.raises(TypeError, match="questions"):
        Plan((), (), SUBSCRIPTIONS, 0, [])


def test_only_what_asks_for_it_is_told_that_a_statement_was_voided(store):
    table = {"match": Subscription(voided=True), "forward": Subscription()}
    target, voider = statement(id=new_id()), new_id()
    write_all(store, storing(plan_of(target, subscriptions=table)))
    owed(store)

    write_all(store, storing(plan_of(voiding(target["id"], id=voider), subscriptions=table)))

    assert owed(store) == sorted([(target["id"], "match"), (voider, "match"), (voider, "forward")])


def test_a_plan_is_weighed_in_rows_and_names_what_it_reads():
    one, two = statement(id=new_id()), statement(id=new_id())

    single, both = plan_of(one), plan_of(one, two)

    assert (single.weight, both.weight) == (12, 24)
    assert both.reads == [(kind, id) for id in (one["id"], two["id"]) for kind in ("statement", "awaited")]


def test_a_large_statement_weighs_what_its_bytes_do():
    text = json.dumps(statement(id=new_id(), result={"response": ""}))
    large = text.replace('"response": ""', f'"response": "{"x" * (256_001 - len(text))}"').encode()

    plan = prepare(COURSE, "1.0.3", large, Terms(Settings(), SUBSCRIPTIONS))

    assert (len(large), plan.weight) == (256_001, 1_000)


def test_what_is_known_to_be_stored_is_not_brought_along_again():
    named = statement(object={"id": "http://example.org/a", "definition": {"name": {"en": "A"}}})

    (brought,) = plan_of(named, caller=TEACHER).side
    known = plan_of(named, caller=TEACHER, seen={brought.id})

    assert (brought.kind, known.side) == ("definition", ())


def test_one_statement_by_itself_and_one_in_an_array_are_told_apart():
    broken = json.dumps(statement(verb={})).encode()
    terms = Terms(Settings(), SUBSCRIPTIONS)

    with pytest.raises(Refused) as alone:
        prepare(COURSE, "1.0.3", broken, terms)
    with pytest.raises(Refused) as listed:
        prepare(COURSE, "1.0.3", b"[%s]" % broken, terms)

    assert (alone.value.pointer, alone.value.index) == ("/verb", None)
    assert (listed.value.pointer, listed.value.index) == ("/0/verb", 0)


def test_the_received_text_is_the_record(store):
    sent = statement(id=new_id(), timestamp="2026-01-01T00:00:00Z", version="1.0.0")
    text = json.dumps(sent).replace('"verb"', '  "verb"').encode()
    plan = prepare(COURSE, "1.0.3", text, Terms(Settings(), SUBSCRIPTIONS))

    write_all(store, storing(plan))

    assert store.get("statement", sent["id"]).body.endswith(b'"authority":' + COURSE.authority + b"," + text[1:])


@pytest.mark.parametrize("digest", [sha256, sha512])
def test_a_plan_names_the_blobs_of_its_attachments_whatever_hash_they_came_under(store, digest):
    data = b"some minutes of sound"
    headers = {"content-transfer-encoding": "binary", "x-experience-api-hash": digest(data).hexdigest()}
    came = attached(BodyPart(2, headers, BytesIO(data), len(data)), "1.0.3")
    sent = statement(
        id=new_id(),
        attachments=[
            {
                "usageType": "http://example.org/recording",
                "display": {"en": "recording"},
                "contentType": "audio/ogg",
                "length": len(data),
                "sha2": digest(data).hexdigest(),
            }
        ],
    )
    attachments = Attachments({came.sha2: came}, (), 0)
    terms = Terms(Settings(), SUBSCRIPTIONS)

    plan = prepare(COURSE, "1.0.3", json.dumps(sent).encode(), terms, attachments)
    keep(store.blobs, attachments)
    write_all(store, storing(plan))

    named = store.get("statement", sent["id"]).meta["attachments"]
    assert named == {digest(data).hexdigest(): sha256(data).hexdigest()}
    assert b"".join(store.blobs.open(sha256(data).hexdigest())) == data


def test_a_caller_can_be_kept_in_a_record_and_prepares_the_same_afterwards():
    text = json.dumps(statement(id=new_id())).encode()
    kept = msgspec.json.encode(COURSE)

    again = msgspec.json.decode(kept, type=Caller)

    terms = Terms(Settings(), SUBSCRIPTIONS)
    assert prepare(again, "1.0.3", text, terms) == prepare(COURSE, "1.0.3", text, terms)


def test_two_that_were_prepared_before_either_was_stored_bring_along_the_same_definition_once(store):
    target = {"id": "https://example.org/a", "definition": {"name": {"en": "A"}}}
    one, two = (plan_of(statement(id=new_id(), object=target), caller=TEACHER) for _ in range(2))

    for plan in (one, two):
        write_all(store, storing(plan))

    assert [record.id for record in one.side] == [record.id for record in two.side] != []
    assert store.count("statement") == 2
