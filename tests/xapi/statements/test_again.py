"""Statements without ids that come again: stored once, and answered with the ids of the first time."""

import pytest

from lrs.access.switches import put_switches, switches_of
from lrs.kernel.times import DAY
from lrs.xapi.statements.replay import expire
from tests.builders import tenant_in
from tests.served import new_id, serving, something, statement
from tests.xapi.statements.switched import send

AT = "2026-11-29T10:00:00Z"


@pytest.fixture(scope="module")
def lrs(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("lrs")) as made:
        for source in ("moodle", "canvas"):
            made.tenant.store.write(
                lambda tx, source=source: put_switches(tx, source, ["deduplicate"], "test")
            ).result()
        yield made


@pytest.fixture(scope="module")
def moodle(lrs):
    return lrs.as_key("statements/write", name="moodle")


@pytest.fixture(scope="module")
def other(lrs):
    return lrs.as_key("statements/write", name="other")


def events(count, **parts):
    activity = something()
    return [
        statement(object={"id": activity}, timestamp=AT, result={"response": str(n)}, **parts) for n in range(count)
    ]


def ids_of(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()


def stored(lrs):
    return lrs.tenant.store.count("statement")


def test_a_batch_whose_answer_was_lost_stores_nothing_new_and_has_the_ids_of_the_first_time(lrs, moodle):
    batch = events(7)
    first = ids_of(moodle.post(batch))
    before = stored(lrs)

    assert ids_of(moodle.post(batch)) == first
    assert ids_of(moodle.post([dict(reversed(one.items())) for one in batch])) == first
    assert ids_of(moodle.post([{**one, "stored": AT} for one in batch])) == first
    assert ids_of(moodle.post(batch[3])) == [first[3]]
    assert stored(lrs) == before
    assert len(set(first)) == 7


def test_of_a_batch_of_old_and_new_ones_only_the_new_ones_are_stored_in_their_order(lrs, moodle):
    batch = events(5)
    first = ids_of(moodle.post([batch[1], batch[3]]))
    before = stored(lrs)

    again = ids_of(moodle.post(batch))

    assert [again[1], again[3]] == first
    assert len(set(again)) == 5
    assert stored(lrs) == before + 3
    assert lrs.one(again[4])["result"] == {"response": "4"}


def test_equal_statements_of_one_batch_are_each_stored_and_each_known_again(lrs, moodle):
    (one,) = events(1)
    before = stored(lrs)

    first = ids_of(moodle.post([one, one]))

    assert len(set(first)) == 2
    assert ids_of(moodle.post([one, one])) == first
    assert ids_of(moodle.post([one])) == first[:1]
    assert stored(lrs) == before + 2


def test_what_differs_in_anything_is_another_statement(moodle):
    (one,) = events(1)
    first = ids_of(moodle.post(one))

    for differs in ({"timestamp": "2026-11-29T10:00:01Z"}, {"result": {"response": "1"}}, {"version": "1.0.0"}):
        assert ids_of(moodle.post({**one, **differs})) != first


def in_session(one, registration, *, by_plugin=True):
    """An event as Moodle's plugin sends it, whose registration is of the session of the process that sends."""
    versions = {"http://moodle.org": "4.5.6", "https://github.com/xAPI-vle/moodle-logstore_xapi": "5.0.1"}
    told = {"http://lrs.learninglocker.net/define/extensions/info": versions if by_plugin else {}}
    return {**one, "context": {"registration": registration, "platform": "Moodle", "extensions": told}}


def test_moodles_plugin_gives_another_registration_each_time_it_sends_the_same(lrs, moodle):
    (one,) = events(1)
    first = ids_of(moodle.post(in_session(one, new_id())))
    before = stored(lrs)

    assert ids_of(moodle.post(in_session(one, new_id()))) == first
    assert stored(lrs) == before
    assert ids_of(moodle.post({**in_session(one, new_id()), "timestamp": "2026-11-29T10:00:09Z"})) != first


def test_of_any_other_sender_another_registration_is_another_attempt(moodle):
    (one,) = events(1)

    first, second = (ids_of(moodle.post(in_session(one, new_id(), by_plugin=False))) for _ in range(2))

    assert first != second


def test_each_source_has_its_own_and_only_a_source_that_asked_for_it(lrs, moodle, other):
    (one,) = events(1)
    first = ids_of(moodle.post(one))
    before = stored(lrs)

    canvas = lrs.as_key("statements/write", name="canvas")
    answers = [ids_of(who.post(one)) for who in (other, other, canvas, canvas)]

    assert len({*first, *answers[0], *answers[1], *answers[2]}) == 4
    assert answers[3] == answers[2]
    assert stored(lrs) == before + 3


def test_a_switch_that_there_is_not_is_turned_on_for_nobody(lrs):
    with pytest.raises(ValueError, match="unknown switch 'dedupe'"):
        lrs.tenant.store.write(lambda tx: put_switches(tx, "other", ["dedupe"], "test")).result()

    assert switches_of(lrs.tenant.store, "other") == frozenset()


def test_statements_with_ids_are_resent_as_ever(moodle):
    (one,) = events(1)
    with_id = {**one, "id": new_id()}

    assert ids_of(moodle.post(with_id)) == [with_id["id"]]
    assert ids_of(moodle.post(with_id)) == [with_id["id"]]
    assert moodle.post({**with_id, "timestamp": "2026-11-29T11:00:00Z"}).status_code == 409
    assert ids_of(moodle.post(one)) != [with_id["id"]]


def test_a_batch_that_is_refused_leaves_nothing_to_be_known_by(lrs, moodle):
    batch = events(2)
    bad = [*batch, {**batch[0], "verb": {"id": "no-iri"}}]
    before = stored(lrs), lrs.tenant.store.count("fingerprint")

    assert moodle.post(bad).status_code == 400
    assert (stored(lrs), lrs.tenant.store.count("fingerprint")) == before
    ids_of(moodle.post(batch))
    assert stored(lrs) == before[0] + 2


def test_it_is_known_for_seven_days_and_then_stored_as_new(tmp_path, store, clock):
    tenant = tenant_in(tmp_path, store, clock)
    (one,) = events(1)
    (first,) = send(tenant, one)

    clock.now += 7 * DAY - 1_000_000
    assert send(tenant, one) == [first]
    clock.now += 2_000_000
    (second,) = send(tenant, one)
    clock.now += DAY

    assert second != first
    assert send(tenant, one) == [second]


def test_what_is_not_stored_any_more_is_stored_anew(tmp_path, store, clock):
    tenant = tenant_in(tmp_path, store, clock)
    (one,) = events(1)
    (first,) = send(tenant, one)
    store.write(lambda tx: tx.delete("statement", first)).result()

    (second,) = send(tenant, one)

    assert second != first
    assert store.get("statement", second)


def test_fingerprints_are_deleted_after_seven_days(tmp_path, store, clock):
    tenant = tenant_in(tmp_path, store, clock)
    send(tenant, *events(3))
    clock.now += DAY
    send(tenant, *events(2))

    clock.now += 6 * DAY + 1_000_000

    assert expire(tenant) == 3
    assert expire(tenant) == 0
    assert store.count("fingerprint") == 2


def test_a_fingerprint_that_is_made_anew_while_old_ones_are_deleted_stays(tmp_path, store, clock, monkeypatch):
    tenant = tenant_in(tmp_path, store, clock)
    (one, other) = events(2)
    send(tenant, one, other)
    clock.now += 7 * DAY + 1_000_000
    write, second = store.write, []

    def sent_in_between(decide, **more):
        monkeypatch.setattr(store, "write", write)
        second.extend(send(tenant, one))
        return write(decide, **more)

    monkeypatch.setattr(store, "write", sent_in_between)
    expire(tenant)

    assert store.count("fingerprint") == 1
    assert send(tenant, one) == second
