"""What a sender's known habit makes invalid: kept aside, readable, counted, and stored later after its mends."""

import json

import msgspec
import pytest

from lrs.access.switches import put_switches
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.errors import Refused
from lrs.kernel.times import DAY
from lrs.storage import ROWS, Walk
from lrs.storage.about import Whose
from lrs.tenancy import audit
from lrs.xapi.statements import quarantine
from lrs.xapi.statements import replay as replaying
from lrs.xapi.statements.quarantine import QuarantineTally, quarantined, tally_of
from lrs.xapi.statements.replay import expire, replay, replay_each
from lrs.xapi.statements.write import COMPARED_INSIDE
from tests.builders import tenant_in
from tests.served import new_id, serving, something, statement
from tests.xapi.statements.switched import planned, send, sender

EMPTY = {"score": {"min": 0, "max": 0, "raw": 0}, "completion": True}


def group(**parts):
    return statement(object={"objectType": "GroupActivity", "id": something()}, **parts)


@pytest.fixture(scope="module")
def lrs(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("lrs")) as made:
        made.tenant.store.write(lambda tx: put_switches(tx, "open-edx", ["quarantine"], "test")).result()
        yield made


@pytest.fixture(scope="module")
def edx(lrs):
    return lrs.as_key("statements/write", name="open-edx")


@pytest.fixture
def tenant(tmp_path, store, clock):
    return tenant_in(tmp_path, store, clock)


def ready(tenant, id, *mends):
    return replay(tenant, id, mends, SUBSCRIPTIONS, by="test")


def test_the_batch_is_answered_200_its_valid_statements_are_stored_and_the_others_are_kept_aside(lrs, edx):
    good, bad, late = statement(id=new_id().upper()), group(id=new_id().upper()), statement(result=EMPTY)

    answer = edx.post([good, bad, late, statement()])

    assert answer.status_code == 200
    assert answer.json()[:2] == [good["id"], bad["id"]]
    assert [lrs.get(statementId=id).status_code for id in answer.json()] == [200, 404, 404, 200]
    first, second = (quarantine.find(lrs.tenant.store, id) for id in answer.json()[1:3])
    assert json.loads(bytes(quarantined(first).statement)) == bad
    told = [(one.place, one.rule, one.index, one.habits) for one in map(quarantined, (first, second))]
    assert told == [
        ("/object/objectType", "xAPI 1.0.3 Data 2.4.4", 1, ("group-activity",)),
        ("/result/score/min", "xAPI 1.0.3 Data 2.4.5.1", 2, ("empty-score-range",)),
    ]


def test_one_that_is_sent_alone_or_by_put_is_kept_aside_too(lrs, edx):
    id = new_id()

    alone = edx.post(group())
    put = edx.put(group(), id)

    assert (alone.status_code, put.status_code, put.content) == (200, 204, b"")
    assert quarantine.find(lrs.tenant.store, alone.json()[0])
    assert quarantine.find(lrs.tenant.store, id)


@pytest.mark.parametrize(
    "wrong",
    [
        {"verb": {"id": "no-iri"}},
        {"zoe": 1},
        {"result": {"score": {"min": 5, "max": 1}}},
        {"id": "not-a-uuid"},
        {"timestamp": "yesterday"},
    ],
    ids=str,
)
def test_a_batch_with_any_other_fault_is_refused_and_nothing_of_it_is_kept(lrs, edx, wrong):
    before = tally_of(lrs.tenant.store, "open-edx"), lrs.tenant.store.count("statement")

    answer = edx.post([statement(), group(), {**group(), **wrong}])

    assert answer.status_code == 400
    assert answer.json()["index"] == 2
    assert (tally_of(lrs.tenant.store, "open-edx"), lrs.tenant.store.count("statement")) == before


def test_without_the_switch_the_batch_is_refused_with_place_and_rule(lrs):
    answer = lrs.as_key("statements/write", name="other").post([statement(), group()])

    assert answer.status_code == 400
    assert (answer.json()["pointer"], answer.json()["rule"]) == ("/1/object/objectType", "xAPI 1.0.3 Data 2.4.4")


def test_one_that_comes_again_is_kept_once_and_another_under_its_id_is_a_conflict(lrs, edx):
    bad = group(id=new_id())
    first = edx.post([bad])
    before = tally_of(lrs.tenant.store, "open-edx").count

    again, other = edx.post([bad, statement()]), edx.post([statement(), {**bad, "actor": group()["actor"]}])

    assert (first.status_code, again.status_code, other.status_code) == (200, 200, 409)
    assert other.json()["index"] == 1
    assert tally_of(lrs.tenant.store, "open-edx").count == before


def test_an_id_stands_once_in_a_batch_also_among_those_kept_aside(edx):
    id = new_id()

    assert edx.post([group(id=id), statement(id=id)]).status_code == 400


def test_after_its_mend_it_is_stored_under_its_id_and_time_and_is_out_of_quarantine(tenant, clock):
    (id, lone) = send(tenant, group(id=new_id(), timestamp="2026-11-01T10:00:00Z"), statement(result=EMPTY))
    clock.now += DAY

    assert ready(tenant, id, "group-activity") == id
    ready(tenant, lone, "empty-score-range")

    one, two = (msgspec.json.decode(tenant.store.get("statement", each).body) for each in (id, lone))
    assert (one["object"]["objectType"], one["timestamp"]) == ("Activity", "2026-11-01T10:00:00Z")
    assert one["authority"]["account"]["name"] == "default.00"
    assert two["id"] == lone
    assert two["result"] == {"completion": True}
    assert (two["timestamp"][:16], two["stored"][:16]) == ("2026-11-18T11:06", "2026-11-19T11:06")
    assert tenant.store.get("statement", id).meta["mended"] == ["group-activity"]
    assert tenant.store.get("statement", id).meta["source"] == "vle"
    assert tenant.store.count("quarantined") == 0
    tally = tally_of(tenant.store, "vle")
    assert (tally.count, tally.size, tally.ever) == (0, 0, 2)


def test_as_it_came_it_is_refused_again_and_stays_and_a_mend_it_does_not_need_is_refused(tenant):
    (id,) = send(tenant, group())

    with pytest.raises(Refused, match="The objectType must be one of"):
        ready(tenant, id)
    with pytest.raises(Refused, match="The mends of this statement are: group-activity"):
        ready(tenant, id, "no-iri")
    with pytest.raises(Refused, match="no such statement in quarantine"):
        ready(tenant, new_id(), "group-activity")

    assert tenant.store.count("quarantined") == 1
    assert tenant.store.count("statement") == 0


def test_many_are_stored_in_few_commits_and_one_that_conflicts_stays_alone(tenant, monkeypatch):
    ids = send(tenant, *(group(id=new_id()) for _ in range(12)))
    send(tenant, statement(id=ids[5], verb={"id": something()}))
    write, commits = tenant.store.write, []

    def counted(decide, **more):
        commits.append(decide)
        return write(decide, **more)

    monkeypatch.setattr(tenant.store, "write", counted)
    named = [id.upper() for id in ids]
    done = replay_each(tenant, [*named, new_id(), ids[0]], ["group-activity"], SUBSCRIPTIONS, by="test")

    assert next((one.id, one.refused.status) for one in done if one.refused) == (ids[5], 409)
    assert [one.refused.status for one in done if one.refused] == [409, 404]
    assert (len(done), tenant.store.count("quarantined")) == (13, 1)
    assert len(tenant.store.get_many("statement", ids)) == 12
    assert len([one for one in audit.newest(tenant.store, 50) if one.action == "quarantine.replayed"]) == 11
    assert len(commits) < 12


def test_however_many_are_stored_a_commit_has_so_many_rows(tenant, monkeypatch):
    ids = send(tenant, *(group(id=new_id()) for _ in range(5)))
    monkeypatch.setattr(replaying, "MOST_WEIGHT", 2 * ROWS)
    write, weights = tenant.store.write, []
    monkeypatch.setattr(
        tenant.store, "write", lambda decide, **more: weights.append(more["weight"]) or write(decide, **more)
    )

    done = replay_each(tenant, ids, ["group-activity"], SUBSCRIPTIONS, by="test")

    assert [one.refused for one in done] == [None] * 5
    assert len(weights) > 1
    assert max(weights) <= 2 * ROWS


def test_one_that_was_sent_right_meanwhile_is_compared_outside_the_writer_and_taken_out(tenant):
    long = {"response": "x" * (COMPARED_INSIDE + 1)}
    bad = group(id=new_id(), result=long, timestamp="2026-11-01T10:00:00Z")
    other = group(id=new_id(), result=long)
    right = [{**one, "object": {**one["object"], "objectType": "Activity"}} for one in (bad, other)]
    send(tenant, bad, other)
    send(tenant, right[0], {**right[1], "verb": {"id": something()}})

    assert ready(tenant, bad["id"], "group-activity") == bad["id"]
    with pytest.raises(Refused) as refused:
        ready(tenant, other["id"], "group-activity")

    assert refused.value.status == 409
    assert [record.id for record in tenant.store.find(Walk("quarantined")).records] == [other["id"]]


def test_of_two_who_store_the_same_at_once_one_does_and_the_other_is_told(tenant, monkeypatch):
    ids = send(tenant, group(id=new_id()), group(id=new_id()))
    write, first = tenant.store.write, []

    def second_comes_before(decide, **more):
        monkeypatch.setattr(tenant.store, "write", write)
        first.append(ready(tenant, ids[0], "group-activity"))
        return write(decide, **more)

    monkeypatch.setattr(tenant.store, "write", second_comes_before)
    done = replay_each(tenant, ids, ["group-activity"], SUBSCRIPTIONS, by="test")

    assert first == [ids[0]]
    assert [one.refused.status if one.refused else None for one in done] == [404, None]
    replayed = [one.about["statement"] for one in audit.newest(tenant.store, 50) if one.action == "quarantine.replayed"]
    assert sorted(replayed) == sorted(ids)


def test_once_stored_the_same_comes_again_and_changes_nothing(tenant):
    bad = group(id=new_id())
    (id,) = send(tenant, bad)
    ready(tenant, id, "group-activity")

    assert send(tenant, bad) == [id]
    assert tenant.store.count("quarantined") == 0
    assert tenant.store.count("statement") == 1


def test_one_without_an_id_that_comes_again_is_known_in_quarantine_and_after_it(tenant):
    bad = statement(result=EMPTY)
    (id,) = send(tenant, bad)

    assert send(tenant, bad) == [id]
    ready(tenant, id, "empty-score-range")

    assert send(tenant, bad) == [id]
    assert (tenant.store.count("quarantined"), tenant.store.count("statement")) == (0, 1)


def test_what_is_stored_later_may_do_what_its_sender_might(tenant):
    defined = {"objectType": "GroupActivity", "id": "http://a.example/1", "definition": {"name": {"en": "One"}}}
    writer, definer = sender(), sender(scopes=("statements/write", "define"))

    for who, count in ((writer, 0), (definer, 1)):
        (id,) = send(tenant, statement(object=defined), who=who)
        ready(tenant, id, "group-activity")
        assert tenant.store.count("definition") == count


def test_after_thirty_days_it_is_deleted(tenant, clock):
    send(tenant, group(), group())
    clock.now += DAY
    (kept,) = send(tenant, group())

    clock.now += 29 * DAY + 1_000_000

    assert expire(tenant) == 2 + 3  # and the fingerprints of all
    assert [one.id for one in quarantine.newest(tenant.store, "vle", 10)] == [kept]
    assert tally_of(tenant.store, "vle").count == 1
    with pytest.raises(Refused, match="no such statement in quarantine"):
        ready(tenant, "00000000-0000-4000-8000-000000000000", "group-activity")


def test_when_the_quarantine_of_a_source_is_full_its_faults_are_refused_as_ever(tenant, monkeypatch):
    monkeypatch.setattr(quarantine, "MOST_BYTES", 600)
    send(tenant, group())

    with pytest.raises(Refused) as refused:
        send(tenant, statement(), group(result={"response": "x" * 600}))

    assert (refused.value.status, refused.value.pointer, refused.value.index) == (400, "/1/object/objectType", 1)
    assert tally_of(tenant.store, "vle").count == 1
    assert tenant.store.count("statement") == 0


def test_a_statement_with_attachments_is_never_kept_aside(tenant):
    attached = {"usageType": "http://a.example", "display": {"en": "a"}, "contentType": "text/plain", "length": 1}
    attached |= {"sha2": "0" * 64, "fileUrl": "http://a.example/file"}

    with pytest.raises(Refused, match="objectType"):
        planned(tenant, group(attachments=[attached]))


def test_everybody_in_one_that_is_kept_aside_is_found_by_it(tenant):
    actor, target, teacher, member = ({"mbox": f"mailto:{who}@example.org"} for who in ("ann", "ben", "cat", "dan"))
    team = {"objectType": "Group", "member": [member]}
    (id,) = send(
        tenant,
        statement(
            actor=actor,
            object={"objectType": "Agent", **target},
            context={"instructor": teacher, "team": team},
            result=EMPTY,
        ),
    )
    kind = next(one for one in quarantine.KINDS if one.name == quarantine.KIND)

    found = [
        [record.id for record in kind.find(tenant.store, Whose((), (), (who,)))]
        for who in (actor, target, teacher, member, {"mbox": "mailto:eve@example.org"})
    ]

    assert found == [*[[id]] * 4, []]
    kept = tenant.store.get(quarantine.KIND, id)
    told = kind.shown(kept, Whose((), (), (actor,)))
    assert (told["id"], told["at"][:19], told["statement"]["id"]) == (id, "2026-11-18T11:06:40", id)
    assert told["says"] == quarantined(kept).says


def test_the_tally_of_a_source_that_never_had_any_is_nothing(tenant):
    assert tally_of(tenant.store, "nobody") == QuarantineTally(0, 0, 0)
