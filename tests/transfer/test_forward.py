"""Forwarding statements to another LRS: which, in what order, and what becomes of those it will not take."""

from __future__ import annotations

import base64
import json
import threading

import msgspec
import pytest

from lrs.composition.channels import CHANNELS
from lrs.composition.steps import drain
from lrs.kernel import outbound
from lrs.kernel.errors import Refused
from lrs.kernel.settings import MIB
from lrs.outbox import fate, listing
from lrs.outbox.channel import End, Outcome
from lrs.storage import Owed, Record
from lrs.tenancy.tenants import open_tenant
from lrs.transfer import forwards
from lrs.transfer.batch import next_batch
from lrs.transfer.forwards import Filter, forward_of
from tests.competency.storing import store as as_a_request
from tests.matching.world import LEASE, SECOND, send, settings_in
from tests.transfer import forwarding

PASSED, FAILED = "http://adlnet.gov/expapi/verbs/passed", "http://adlnet.gov/expapi/verbs/failed"
ALL = Filter()
VOIDED = "http://adlnet.gov/expapi/verbs/voided"
GOWNING, ASEPTIC = "https://vle.example/gowning", "https://vle.example/aseptic"


def number(count):
    return f"00000000-0000-4000-8000-{count:012d}"


def statement(count, verb=PASSED, activity=GOWNING, **more):
    actor = {"mbox": "mailto:ana@example.org"}
    return {"id": number(count), "actor": actor, "verb": {"id": verb}, "object": {"id": activity}, **more}


def store(tenant, *statements, source="vle", version="1.0.3"):
    def keep(tx):
        for one in statements:
            meta = {"source": source, "version": version}
            if one["verb"]["id"] == VOIDED:
                meta |= {"voids": True, "refers": one["object"]["id"]}
            tx.insert(Record("statement", one["id"], json.dumps(one).encode(), meta, owed=(Owed("match"),)))

    tenant.store.write(keep).result()


def add(tenant, other, wanted=ALL, *, since=0, name="national"):
    return forwarding.add(tenant, name, other.endpoint, ("key", "s3cret"), wanted, since=since)


def work(tenant):
    drain(tenant, ["match", "list", "deliver"])


def listed(tenant, **only):
    return list(listing.listed(tenant, CHANNELS, **only))


def state(tenant, name="national"):
    found = forwarding.find(tenant, name)
    return found.state, found.reason


def lag(tenant):
    return [one.since for one in listing.destinations(tenant, CHANNELS)]


def test_what_is_stored_and_what_will_be_is_sent_in_its_order(tenant, other):
    store(tenant, *map(statement, range(3)))
    add(tenant, other)
    work(tenant)
    store(tenant, statement(3))
    work(tenant)

    assert other.posts == [[number(0), number(1), number(2)], [number(3)]]
    assert lag(tenant) == [None]
    sent = other.headers[0]
    assert base64.b64decode(sent["authorization"].removeprefix("Basic ")) == b"key:s3cret"
    assert (sent["x-experience-api-version"], sent["content-type"]) == ("1.0.3", "application/json")


def test_the_key_and_the_secret_are_not_readable_in_the_store(tenant, other):
    add(tenant, other)

    assert b"s3cret" not in tenant.store.get("destination", "xapi/national").body


def test_many_statements_go_in_pages(tenant, other):
    store(tenant, *map(statement, range(600)))
    add(tenant, other)
    work(tenant)

    assert [len(ids) for ids in other.posts] == [250, 250, 100]
    assert [id for ids in other.posts for id in ids] == [number(count) for count in range(600)]


def test_statements_of_two_versions_are_not_sent_in_one_request(tenant, other):
    store(tenant, statement(0))
    store(tenant, statement(1), version="2.0.0")
    store(tenant, statement(2))
    add(tenant, other)
    work(tenant)

    assert [one["x-experience-api-version"] for one in other.headers] == ["1.0.3", "2.0.0", "1.0.3"]


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (Filter(), [0, 1, 2, 3]),
        (Filter(verbs=(PASSED,)), [0, 2, 3]),
        (Filter(verbs=(PASSED,), activities=(GOWNING,)), [0, 3]),
        (Filter(sources=("centre",)), [3]),
        (Filter(without=("centre",)), [0, 1, 2]),
    ],
)
def test_only_what_meets_the_filter_is_sent(tenant, other, wanted, numbers):
    store(tenant, statement(0), statement(1, verb=FAILED), statement(2, activity=ASEPTIC))
    store(tenant, statement(3), source="centre")
    add(tenant, other, wanted)
    work(tenant)

    assert sorted(other.kept) == [number(count) for count in numbers]
    assert lag(tenant) == [None]


def test_nothing_from_before_the_time_since_is_sent(tenant, other, clock):
    store(tenant, statement(0))
    clock.now += SECOND
    store(tenant, statement(1))
    add(tenant, other, since=clock.now)
    work(tenant)

    assert sorted(other.kept) == [number(1)]


def test_a_voiding_statement_goes_where_the_voided_one_went(tenant, other):
    store(tenant, statement(0), statement(1, verb=FAILED))
    for count in (0, 1, 2):  # the last one's target is not here yet
        target = {"objectType": "StatementRef", "id": number(count)}
        store(tenant, statement(10 + count, verb=VOIDED, object=target))
    add(tenant, other, Filter(verbs=(PASSED,)))
    work(tenant)

    assert sorted(other.kept) == [number(0), number(10), number(12)]


def test_the_one_bad_statement_is_found_by_halving_and_alone_is_given_up_with_the_reason(tenant, other):
    bad = number(137)
    other.answers = lambda statements: (
        (400, {}, b'{"message": "no such verb"}') if any(one["id"] == bad for one in statements) else None
    )
    store(tenant, *map(statement, range(600)))
    add(tenant, other)
    work(tenant)

    (dead,) = listed(tenant)
    assert (dead["channel"], dead["to"], dead["what"], dead["state"]) == ("xapi", "national", bad, "dead")
    assert dead["reason"] == 'answered 400: {"message": "no such verb"}'
    assert sorted(other.kept) == [number(count) for count in range(600) if count != 137]
    assert len(other.posts) < 25
    assert (state(tenant), lag(tenant)) == (("active", None), [None])


def test_a_dead_letter_that_is_resent_and_refused_again_is_in_the_list_once_and_one_that_is_taken_is_delivered(
    tenant, other
):
    other.answers = lambda _: (400, {}, b"")
    store(tenant, statement(0))
    add(tenant, other)
    work(tenant)
    again = listing.resend_all(tenant, CHANNELS, by="me", channel="xapi")
    work(tenant)
    refused = [(one["id"], one["state"]) for one in listed(tenant)]
    other.answers = lambda _: None
    listing.resend_all(tenant, CHANNELS, by="me", to="national")
    work(tenant)

    assert again == 1
    assert [state for _, state in refused] == ["dead"]
    assert [(one["id"], one["state"]) for one in listed(tenant)] == [(refused[0][0], "delivered")]


def test_twenty_refused_in_a_row_pause_the_destination_and_no_further_one_is_put_aside(tenant, other):
    other.answers = lambda _: (400, {}, b"no")
    store(tenant, *map(statement, range(40)))
    add(tenant, other)
    work(tenant)

    first = len(listed(tenant))
    paused = state(tenant)
    forwarding.resume(tenant, "national")
    work(tenant)

    assert (first, len(listed(tenant))) == (20, 40)
    assert paused == ("paused", "20 statements were refused in a row, the last one with: answered 400: no")


def test_what_is_not_to_be_sent_between_two_refused_ones_does_not_part_them(tenant, other, monkeypatch):
    monkeypatch.setattr("lrs.transfer.batch.MOST", 5)
    other.answers = lambda _: (400, {}, b"no")
    verbs = [PASSED] * 10 + [FAILED] * 12 + [PASSED] * 10
    store(tenant, *(statement(count, verb) for count, verb in enumerate(verbs)))
    add(tenant, other, Filter(verbs=(PASSED,)))
    work(tenant)

    assert state(tenant) == ("paused", "20 statements were refused in a row, the last one with: answered 400: no")


def test_409_for_what_is_there_already_counts_as_arrived_and_for_another_statement_is_given_up(tenant, other):
    store(tenant, statement(0), statement(1), statement(2))
    other.kept = {
        number(0): {**statement(0), "stored": "2026-01-01T00:00:00Z"},
        number(1): statement(1, verb=FAILED),
    }
    other.answers = lambda statements: (409, {}, b"") if any(one["id"] != number(2) for one in statements) else None
    add(tenant, other)
    work(tenant)

    (dead,) = listed(tenant)
    assert (dead["what"], dead["reason"]) == (number(1), "answered 409: another statement has this id there")
    assert number(2) in other.kept


def test_409_for_one_that_was_voided_there_or_has_another_time_of_arrival_counts_as_arrived(tenant, other):
    stored = "2026-11-28T10:00:00.000001Z"
    ours = json.dumps({"stored": stored, "timestamp": stored, **statement(1)}, separators=(",", ":")).encode()
    store(tenant, statement(0))
    record = Record("statement", number(1), ours, {"source": "vle", "version": "1.0.3"})
    tenant.store.write(lambda tx: tx.insert(record)).result()
    other.kept = {
        number(0): statement(0),
        number(1): {**statement(1), "timestamp": "2026-11-28T09:59:58Z", "stored": "2026-11-28T09:59:59Z"},
    }
    other.voided = {number(0)}
    other.answers = lambda _: (409, {}, b"")
    add(tenant, other)
    work(tenant)

    assert listed(tenant) == []
    assert lag(tenant) == [None]


@pytest.mark.parametrize(
    ("shows", "outcome"),
    [
        ((503, {"retry-after": "60"}, b""), (None, ("active", None))),
        ((401, {}, b""), (None, ("paused", "answered 401"))),
        ((404, {}, b""), ("answered 409, but shows no statement with this id", ("active", None))),
        ((200, {}, b"<html>"), ("answered 409: another statement has this id there", ("active", None))),
    ],
)
def test_409_whose_question_is_not_answered_is_no_arrival(tenant, other, clock, shows, outcome):
    store(tenant, statement(0))
    other.answers, other.shows = lambda _: (409, {}, b""), shows
    add(tenant, other)
    work(tenant)

    assert (next((one["reason"] for one in listed(tenant)), None), state(tenant)) == outcome
    if outcome[0] is None:  # it was not given up: it arrives once the other side tells what it has
        other.kept, other.shows = {number(0): statement(0)}, None
        clock.now += 60 * SECOND
        forwarding.resume(tenant, "national")
        work(tenant)
        assert (lag(tenant), listed(tenant)) == ([None], [])


def test_a_dead_letter_whose_statement_is_gone_stays_one_and_says_so(tenant, other):
    other.answers = lambda _: (400, {}, b"")
    store(tenant, statement(0))
    add(tenant, other)
    work(tenant)
    tenant.store.write(lambda tx: tx.delete("statement", number(0))).result()
    other.answers = lambda _: None
    listing.resend_all(tenant, CHANNELS, by="me")
    work(tenant)

    assert [(one["state"], one["reason"]) for one in listed(tenant)] == [("dead", "the statement is not in the store")]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_says_that_a_statement_will_never_be_taken_gives_it_up_at_once(tenant, other, status):
    other.answers = lambda _: (status, {}, b"")
    store(tenant, statement(0))
    add(tenant, other)
    work(tenant)

    assert [(one["state"], one["reason"]) for one in listed(tenant)] == [("dead", f"answered {status}")]


def test_413_halves_until_it_fits(tenant, other):
    other.answers = lambda statements: (413, {}, b"") if len(statements) > 30 else None
    store(tenant, *map(statement, range(100)))
    add(tenant, other)
    work(tenant)

    assert len(other.kept) == 100
    assert listed(tenant) == []


@pytest.mark.parametrize(("status", "wanted"), [(401, "paused"), (403, "paused"), (410, "disabled")])
def test_a_destination_that_shuts_us_out_keeps_its_place_until_it_is_resumed(tenant, other, clock, status, wanted):
    other.answers = lambda _: (status, {}, b"")
    store(tenant, statement(0))
    add(tenant, other)
    work(tenant)
    stopped = state(tenant)
    clock.now += 86_400 * SECOND
    store(tenant, statement(1))
    work(tenant)
    calls, behind = len(other.posts), lag(tenant)
    other.answers = lambda _: None
    forwarding.resume(tenant, "national")
    work(tenant)

    assert stopped[0] == wanted
    assert str(status) in stopped[1]
    assert calls == 1
    assert clock.now - behind[0] >= 86_399 * SECOND
    assert other.posts[1:] == [[number(0), number(1)]]
    assert listed(tenant) == []


def test_a_receiver_that_is_down_is_tried_on_the_schedule_and_never_given_up(tenant, other, clock):
    other.answers = lambda _: (503, {}, b"")
    store(tenant, statement(0))
    add(tenant, other)
    for _ in range(15):
        work(tenant)
        clock.now += 8_000 * SECOND
    tries = len(other.posts)
    other.answers = lambda _: None
    work(tenant)

    assert tries == 15
    assert sorted(other.kept) == [number(0)]
    assert tenant.store.parked() == []


def test_a_wait_that_is_asked_for_is_kept(tenant, other, clock):
    other.answers = lambda _: (429, {"Retry-After": "120"}, b"")
    store(tenant, statement(0))
    add(tenant, other)
    work(tenant)
    clock.now += 119 * SECOND
    work(tenant)
    early = len(other.posts)
    clock.now += SECOND
    work(tenant)

    assert (early, len(other.posts)) == (1, 2)


def test_a_redirect_is_not_followed_and_tried_again(tenant, other):
    other.answers = lambda _: (307, {"Location": "http://169.254.169.254/"}, b"")
    store(tenant, statement(0))
    add(tenant, other)
    work(tenant)

    assert (len(other.posts), state(tenant)) == (1, ("active", None))


def test_a_destination_that_has_come_to_lead_inside_is_paused(tenant, other, clock):
    store(tenant, statement(0))
    add(tenant, other)
    strict = settings_in(tenant.settings.data).model_copy(update={"outbound_allow": ()})
    tenant.store.close()
    reopened = open_tenant(strict, clock=clock)
    try:
        work(reopened)
        found = state(reopened)
    finally:
        reopened.store.close()

    assert other.posts == []
    assert found == ("paused", "not sent: only https, except to what LRS_OUTBOUND_ALLOW names")


def test_one_that_is_paused_after_it_was_claimed_sends_nothing_and_nothing_of_it_is_put_aside(tenant, other):
    add(tenant, other)
    store(tenant, statement(1))
    forwards.wake(tenant)
    (claim,) = tenant.store.claim(["deliver"], limit=5, lease=SECOND)
    forwarding.pause(tenant, "national")

    over = fate.begin(tenant, claim, CHANNELS, fresh=True)
    failed = fate.settle(tenant, [over]).finish()

    assert (over.meta["state"], failed, tenant.store.parked()) == ("paused", [], [])
    forwarding.resume(tenant, "national")
    work(tenant)
    assert other.posts == [[number(1)]]


def test_pausing_and_removing_while_a_request_is_under_way_loses_nothing_and_sends_nothing_after(tenant, other):
    def answer(_):
        forwarding.pause(tenant, "national")
        forwarding.remove(tenant, "second")

    other.answers = answer
    store(tenant, *map(statement, range(300)))
    add(tenant, other)
    add(tenant, other, name="second")
    claims = tenant.store.claim(["deliver"], limit=9, lease=LEASE)
    first = [claim for claim in claims if claim.record.id == "xapi/national"]
    send(tenant, first)
    other.answers = lambda _: None
    send(tenant, [claim for claim in claims if claim.record.id == "xapi/second"])
    work(tenant)
    calls = len(other.posts)
    forwarding.resume(tenant, "national")
    work(tenant)

    assert calls == 1
    assert other.posts[1] == [number(count) for count in range(250, 300)]


def test_dead_letters_of_a_forward_that_was_removed_stay_in_the_list_with_the_reason(tenant, other):
    other.answers = lambda _: (400, {}, b"")
    store(tenant, statement(0))
    add(tenant, other)
    work(tenant)
    forwarding.remove(tenant, "national")
    listing.resend_all(tenant, CHANNELS, by="me", channel="xapi")
    work(tenant)

    reason = "there is no destination national of the channel xapi"
    assert [(one["state"], one["reason"]) for one in listed(tenant)] == [("dead", reason)]


def test_a_batch_whose_arrival_was_not_stored_is_sent_again_with_the_same_ids(tenant, other):
    store(tenant, statement(0))
    add(tenant, other)
    (claim,) = tenant.store.claim(["deliver"], limit=9, lease=LEASE)
    tenant.store.write(
        lambda tx: tx.owe("destination", "xapi/national", Owed("deliver"))
    ).result()  # another worker has it
    send(tenant, [claim])
    work(tenant)

    assert other.posts == [[number(0)], [number(0)]]
    assert lag(tenant) == [None]


def test_a_claim_that_is_run_twice_moves_the_place_once(tenant, other):
    store(tenant, *map(statement, range(300)))
    add(tenant, other)
    claims = tenant.store.claim(["deliver"], limit=9, lease=LEASE)
    send(tenant, claims)
    send(tenant, claims)
    work(tenant)

    assert sorted(other.kept) == [number(count) for count in range(300)]
    assert lag(tenant) == [None]


def test_an_outcome_that_comes_late_moves_nothing_that_has_gone_on_meanwhile(tenant, other):
    store(tenant, *map(statement, range(300)))
    add(tenant, other)
    (claim,) = tenant.store.claim(["deliver"], limit=9, lease=LEASE)
    destination = forwarding.find(tenant, "national")
    late = CHANNELS["xapi"].compose(tenant, claim.record, destination).advance
    tenant.store.release([claim])
    work(tenant)
    reached, posts = forward_of(forwarding.find(tenant, "national")), len(other.posts)

    for outcome in (Outcome(End.DELIVERED), Outcome(End.REFUSED, "no")):
        tenant.store.write(lambda tx, outcome=outcome: late(tx, outcome)).result()

    assert forward_of(forwarding.find(tenant, "national")) == reached
    work(tenant)
    assert len(other.posts) == posts


def test_a_forward_with_nothing_left_owes_nothing_and_costs_no_commit(tenant, other):
    store(tenant, statement(0))
    add(tenant, other)
    work(tenant)
    commits = tenant.store.load().commits
    for _ in range(3):
        work(tenant)

    assert tenant.store.backlog() == []
    assert tenant.store.load().commits == commits


@pytest.mark.parametrize(
    ("name", "url", "message"),
    [
        ("Two Words", "https://lrs.example/xapi", "use 1 to 40 lower-case letters"),
        ("inside", "https://10.0.0.8/xapi", "leads to an address outside the public internet"),
        ("ftp", "ftp://lrs.example/xapi", "only https URLs with a host"),
        ("query", "https://lrs.invalid/xapi?x=1", "no query"),
        ("self", "https://US.example:443/xapi/", "this server's own"),
        ("self", "https://us.example/t/default/xapi/statements", "this server's own"),
    ],
)
def test_a_destination_that_cannot_be_is_refused(tmp_path, clock, name, url, message):
    tenant = open_tenant(settings_in(tmp_path, public_url="https://us.example"), clock=clock)
    try:
        with pytest.raises(Refused, match=message):
            forwarding.add(tenant, name, url)
    finally:
        tenant.store.close()


def test_a_receiver_too_slow_for_many_gets_fewer_at_once(tenant, other, monkeypatch):
    monkeypatch.setattr(outbound, "SECONDS", 0.5)
    over = threading.Event()
    other.answers = lambda statements: over.wait(30) and None if len(statements) > 30 else None
    store(tenant, *map(statement, range(100)))
    add(tenant, other)
    try:
        work(tenant)
    finally:
        over.set()

    assert sorted(other.kept)[:100] == [number(count) for count in range(100)]
    assert listed(tenant) == []
    assert (state(tenant), lag(tenant)) == (("active", None), [None])


def test_one_that_a_receiver_fails_over_is_set_apart_after_hours_and_the_others_go_on(tenant, other, clock):
    bad = number(3)
    other.answers = lambda statements: (500, {}, b"oops") if any(one["id"] == bad for one in statements) else None
    store(tenant, *map(statement, range(10)))
    add(tenant, other)
    for wait in (0, 6, 330, 1_980, 7_920):
        clock.now += wait * SECOND
        early = sorted(other.kept)
        work(tenant)

    assert early == [number(0), number(1), number(2)]
    assert sorted(other.kept) == [number(count) for count in range(10) if count != 3]
    (apart,) = listed(tenant)
    assert (apart["what"], apart["state"]) == (bad, "queued")  # it has tries of its own, as every delivery
    assert (state(tenant), lag(tenant)[0] is not None) == (("active", None), True)


def test_a_receiver_that_fails_over_everything_for_an_hour_gets_all_in_order_afterwards(tenant, other, clock):
    other.answers = lambda _: (500, {}, b"oops")
    store(tenant, *map(statement, range(10)))
    add(tenant, other)
    for wait in (0, 6, 330, 1_980):
        clock.now += wait * SECOND
        work(tenant)
    other.answers = lambda _: None
    clock.now += 7_920 * SECOND
    work(tenant)

    assert list(other.kept) == [number(count) for count in range(10)]
    assert listed(tenant) == []


def test_a_statement_whose_data_is_missing_here_is_set_apart_and_the_others_go_on(tenant, other):
    attachment = {"usageType": "https://x.example/u", "display": {}, "contentType": "a/b", "length": 1, "sha2": "ab"}
    store(tenant, statement(0), statement(2))
    lacking = json.dumps(statement(1, attachments=[attachment])).encode()
    meta = {"source": "vle", "version": "1.0.3", "attachments": {"ab": "0" * 64}}
    tenant.store.write(lambda tx: tx.insert(Record("statement", number(1), lacking, meta))).result()
    add(tenant, other)
    work(tenant)

    assert sorted(other.kept) == [number(0), number(2)]
    assert [(one["what"], one["state"], one["reason"]) for one in listed(tenant)] == [
        (number(1), "dead", "the data of an attachment is missing in this store")
    ]


def test_large_statements_go_a_mebibyte_at_a_time_and_what_is_larger_by_itself(tenant, other):
    large = {"extensions": {"https://x.example/text": "x" * 400_000}}
    store(tenant, *(statement(count, result=large) for count in range(5)))
    add(tenant, other)
    work(tenant)

    assert [len(ids) for ids in other.posts] == [2, 2, 1]


def test_attachments_go_as_many_as_fit_in_one_request_together_and_what_is_larger_by_itself(tenant, other, monkeypatch):
    monkeypatch.setattr("lrs.transfer.batch.MOST_DATA", 10)
    for count, size in enumerate((4, 6, 1, 11, 9, 1)):
        blob = tenant.store.blobs.put([bytes([count]) * size])
        meta = {"source": "vle", "version": "1.0.3", "attachments": {"ab": blob}}
        record = Record("statement", number(count), json.dumps(statement(count)).encode(), meta)
        tenant.store.write(lambda tx, record=record: tx.insert(record)).result()
    forward = forward_of(add(tenant, other))
    batches = []
    while records := (batch := next_batch(tenant.store, forward)).records:
        batches.append([int(record.id[-1]) for record in records])
        forward = msgspec.structs.replace(forward, position=batch.until)

    assert batches == [[0, 1], [2], [3], [4, 5]]


def test_what_came_from_there_is_not_sent_back_not_even_its_voiding(tenant, other):
    target = {"objectType": "StatementRef", "id": number(0)}
    store(tenant, statement(0))
    store(tenant, statement(1), statement(2, verb=VOIDED, object=target), source="national")
    add(tenant, other, Filter(without=("national",)))
    work(tenant)

    assert sorted(other.kept) == [number(0)]


def test_what_owes_nothing_else_is_sent_by_a_forward_that_rests_and_by_one_that_does_not(tenant, other):
    """Ana is known and no rule is about it, so only the forward that rests makes it owe the step that wakes it."""
    store(tenant, statement(0))
    add(tenant, other)
    work(tenant)
    rests = tenant.store.get(*forwards.RESTING)

    for count in range(1, 4):
        as_a_request(tenant, statement(count))
    drain(tenant, ["match", "list"])
    awake = tenant.store.get(*forwards.RESTING)
    as_a_request(tenant, statement(4))
    owed = {one.step for one in tenant.store.backlog()}
    work(tenant)

    assert (rests is not None, awake, owed) == (True, None, {"deliver"})
    assert other.posts == [[number(0)], [number(count) for count in range(1, 5)]]


def test_a_forward_that_was_removed_as_it_rested_lets_statements_owe_nothing(tenant, other):
    store(tenant, statement(0))
    add(tenant, other)
    work(tenant)
    forwarding.remove(tenant, "national")
    as_a_request(tenant, statement(1))
    as_a_request(tenant, statement(2))
    work(tenant)
    as_a_request(tenant, statement(3))

    assert tenant.store.get(*forwards.RESTING) is None
    assert tenant.store.backlog() == []


def test_being_woken_with_nothing_new_writes_nothing(tenant, other):
    store(tenant, statement(0))
    add(tenant, other)
    work(tenant)
    commits = tenant.store.load().commits

    forwards.wake(tenant)

    assert tenant.store.load().commits == commits


def test_bad_ones_among_good_ones_pause_nothing_however_many_they_are(tenant, other):
    other.answers = lambda statements: (400, {}, b"") if any(int(one["id"][-4:]) % 2 for one in statements) else None
    store(tenant, *map(statement, range(50)))
    add(tenant, other)
    work(tenant)

    assert sorted(other.kept) == [number(count) for count in range(0, 50, 2)]
    assert len(listed(tenant)) == 25
    assert (state(tenant), lag(tenant)) == (("active", None), [None])


def test_a_forward_that_is_added_anew_has_its_former_dead_letter_in_the_list_once(tenant, other):
    other.answers = lambda _: (400, {}, b"no")
    store(tenant, statement(0))
    behind = []
    for _ in range(2):
        add(tenant, other)
        work(tenant)
        behind += lag(tenant)
        forwarding.remove(tenant, "national")

    assert behind == [None, None]
    assert [(one["what"], one["state"], one["reason"]) for one in listed(tenant)] == [
        (number(0), "dead", "answered 400: no")
    ]


def test_a_request_has_at_most_eight_mebibytes_of_attachments_and_a_larger_statement_is_sent_alone(tenant, other):
    forward = forward_of(add(tenant, other))
    for count, size in enumerate((3, 3, 3, 9, 1)):
        meta = {"source": "vle", "version": "1.0.3", "attachments": {"ab": tenant.store.blobs.put([b"x" * size * MIB])}}
        record = Record("statement", number(count), json.dumps(statement(count)).encode(), meta)
        tenant.store.write(lambda tx, record=record: tx.insert(record)).result()

    found = []
    while (batch := next_batch(tenant.store, forward)).records:
        found.append([record.id for record in batch.records])
        forward = msgspec.structs.replace(forward, position=batch.until)

    assert found == [[number(0), number(1)], [number(2)], [number(3)], [number(4)]]
