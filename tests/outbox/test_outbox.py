"""The outbox with a channel of this test: order, outcomes, the list, the replay, the lag of a destination."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import msgspec
import pytest

from lrs.composition.channels import CHANNELS
from lrs.composition.steps import retry, retry_one
from lrs.kernel import outbound
from lrs.kernel.admission import OutcomeUnknown
from lrs.kernel.errors import Refused
from lrs.ops.doctor import Finding, of_destinations
from lrs.outbox import deliveries, destinations, fate, listing
from lrs.outbox.channel import Channel, Destination, End, Message, Outcome, Undeliverable, by_name
from lrs.outbox.deliveries import Delivery
from lrs.pages import acts
from lrs.storage import Exists, Owed, Record, Walk, put_aside
from lrs.storage.about import Whose
from lrs.tenancy import audit
from tests.dying import Dying, Killed
from tests.matching.world import LEASE, SECOND, START, Clock, deliver, send, tenant_in

ARRIVED = Outcome(End.DELIVERED, status=202)
HANDED_IN = SimpleNamespace(retry=retry_one)


@dataclass
class Pigeons:
    """What a channel of this test sends, which is nothing: *answers* says what becomes of each content."""

    answers: Callable[[str], Outcome] = lambda _: ARRIVED
    sent: list[str] = field(default_factory=list)

    def compose(self, _tenant, record, _destination):
        return Message(lambda _: self._send(record.body.decode()))

    def _send(self, content):
        self.sent.append(content)
        return self.answers(content)

    @property
    def channel(self):
        return Channel("pigeon", self.compose)

    @property
    def channels(self):
        return by_name(self.channel)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pigeons():
    return Pigeons()


@pytest.fixture
def tenant(tmp_path, clock, pigeons):
    with tenant_in(tmp_path, clock) as opened:
        destinations.add(opened, pigeons.channel, "coop", "https://coop.invalid", by="test")
        yield opened


def owe(tenant, content, **more):
    delivery = Delivery(id=content, channel="pigeon", to="coop", content=content.encode(), what=content, **more)
    tenant.store.write(lambda tx: deliveries.queue(tx, delivery, tenant.clock())).result()


def run(tenant, pigeons):
    deliver(tenant, pigeons.channels)


def states(tenant, pigeons):
    return [(one["what"], one["state"]) for one in listing.listed(tenant, pigeons.channels)]


def test_nothing_with_one_order_key_overtakes_what_was_queued_before_it(tenant, pigeons, clock):
    for content in ("one", "two", "three"):
        owe(tenant, content, order="ana")
    owe(tenant, "other", order="ben")
    pigeons.answers = lambda content: Outcome(End.LATER, "busy") if content == "one" else ARRIVED

    run(tenant, pigeons)
    before = sorted(pigeons.sent)
    pigeons.answers = lambda _: ARRIVED
    clock.now += 5 * SECOND
    run(tenant, pigeons)

    assert before == ["one", "other"]
    assert pigeons.sent[2:] == ["one", "two", "three"]
    assert {state for _, state in states(tenant, pigeons)} == {"delivered"}


def test_of_what_went_out_about_a_person_the_newest_are_told_the_newest_first(tenant, pigeons):
    def told(*persons):
        return [one["what"] for one in listing.about(tenant, pigeons.channels, persons, limit=2)]

    for content, person in (("one", "ana"), ("two", "ana"), ("three", "ana"), ("four", "ben")):
        about = Delivery(content, "pigeon", "coop", msgspec.json.encode({"person": person}), what=content)
        tenant.store.write(lambda tx, about=about: deliveries.queue(tx, about, tenant.clock())).result()

    assert told("ana") == ["three", "two"]
    assert told("ana", "ben") == ["four", "three"]
    assert told("cleo") == []


def test_each_waits_for_the_one_right_before_it(tenant, pigeons, clock):
    for content in ("one", "two", "three"):
        owe(tenant, content, order="ana")
    pigeons.answers = lambda content: Outcome(End.LATER, "busy") if content == "two" else ARRIVED

    run(tenant, pigeons)
    before = list(pigeons.sent)
    pigeons.answers = lambda _: ARRIVED
    clock.now += 5 * SECOND
    run(tenant, pigeons)

    assert before == ["one", "two"]
    assert pigeons.sent == ["one", "two", "two", "three"]


def test_what_is_queued_once_the_one_before_has_arrived_waits_for_nothing(tenant, pigeons):
    owe(tenant, "one", order="ana")
    run(tenant, pigeons)
    owe(tenant, "two", order="ana")
    run(tenant, pigeons)

    assert pigeons.sent == ["one", "two"]


def test_what_is_given_up_holds_up_nothing_behind_it(tenant, pigeons):
    for content in ("one", "two"):
        owe(tenant, content, order="ana")
    pigeons.answers = lambda content: Outcome(End.REFUSED, "no such bird") if content == "one" else ARRIVED

    run(tenant, pigeons)

    assert pigeons.sent == ["one", "two"]
    assert states(tenant, pigeons) == [("one", "dead"), ("two", "delivered")]


def test_a_dead_letter_that_is_resent_and_fails_again_is_in_the_list_once(tenant, pigeons):
    owe(tenant, "one")
    pigeons.answers = lambda _: Outcome(End.REFUSED, "no such bird")
    run(tenant, pigeons)

    resent = listing.resend_all(tenant, pigeons.channels, by="me", channel="pigeon")
    run(tenant, pigeons)

    assert resent == 1
    assert pigeons.sent == ["one", "one"]
    assert [(one["id"], one["reason"]) for one in listing.failed(tenant, pigeons.channels)] == [("one", "no such bird")]
    assert states(tenant, pigeons) == [("one", "dead")]


def test_what_is_deleted_while_all_are_resent_keeps_none_of_the_others_back(tenant, pigeons):
    for content in ("one", "two", "three"):
        owe(tenant, content)
    pigeons.answers = lambda _: Outcome(End.REFUSED, "no such bird")
    run(tenant, pigeons)

    class Deleting:
        """The store, in which somebody deletes *two* after the deliveries were listed."""

        def __getattr__(self, name):
            return getattr(tenant.store, name)

        def write(self, decide):
            tenant.store.write(lambda tx: tx.delete(deliveries.KIND, "two")).result()
            return tenant.store.write(decide)

    resent = listing.resend_all(replace(tenant, store=Deleting()), pigeons.channels, by="me")

    assert (resent, states(tenant, pigeons)) == (2, [("one", "queued"), ("three", "queued")])


@pytest.mark.parametrize("end", [End.LATER, End.REFUSED])
def test_what_is_discarded_owes_nothing_any_more_and_is_in_no_list_of_work(tenant, pigeons, clock, end):
    for content in ("one", "two"):
        owe(tenant, content, order="ana")
    pigeons.answers = lambda content: Outcome(end, "busy") if content == "one" else ARRIVED
    run(tenant, pigeons)

    listing.discard(tenant, "one", by="me")
    clock.now += 4 * LEASE
    run(tenant, pigeons)

    assert states(tenant, pigeons) == [("one", "withheld"), ("two", "delivered")]
    assert (tenant.store.backlog(), sorted(pigeons.sent)) == ([], ["one", "two"])


def test_what_became_of_one_delivery_is_told_however_many_others_failed(tenant, pigeons):
    for number in range(101):
        owe(tenant, f"other-{number}")
    pigeons.answers = lambda _: Outcome(End.REFUSED, "no such bird")
    run(tenant, pigeons)
    for content in ("late", "refused", "arrived", "waits"):
        owe(tenant, content, order=content)
    owe(tenant, "discarded", order="late")
    tenant.store.write(lambda tx: deliveries.withdraw(tx, "discarded", "not wanted")).result()
    before = listing.fate_of(tenant, "waits")
    ends = {"late": Outcome(End.LATER, "busy"), "refused": Outcome(End.REFUSED, "too heavy")}
    pigeons.answers = lambda content: ends.get(content, Outcome(End.DELIVERED, status=204))
    run(tenant, pigeons)

    told = {id: listing.fate_of(tenant, id) for id in ("late", "refused", "arrived", "discarded", "gone")}
    with pytest.raises(Refused) as unknown:
        listing.discard(tenant, "gone", by="test")

    assert before is None
    assert told == {
        "late": (False, "busy"),
        "refused": (False, "too heavy"),
        "arrived": (True, "it answered 204"),
        "discarded": (False, "not wanted"),
        "gone": (False, "it is gone"),
    }
    assert (unknown.value.status, unknown.value.error) == (404, "delivery_unknown")


def test_what_was_given_up_is_shown_as_that_however_many_were(tenant, pigeons, monkeypatch):
    pigeons.answers = lambda content: ARRIVED if content == "three" else Outcome(End.REFUSED, "no such bird")
    for content in ("one", "two", "three"):
        owe(tenant, content)
    run(tenant, pigeons)
    owe(tenant, "four")
    monkeypatch.setattr(listing, "_MOST_LOOKED_AT", 1)

    found = listing.sent_to(tenant, pigeons.channels, "coop")

    assert [(one["id"], one["state"]) for one in found] == [
        *(("four", "queued"), ("three", "delivered"), ("two", "dead"), ("one", "dead")),
    ]
    reasons = {"no such bird", "given up, as many others: not each reason is looked up here"}
    assert {one["reason"] for one in found if one["state"] == "dead"} == reasons


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize(("act", "outcome"), [("defer", Outcome(End.LATER, "busy")), ("settle", ARRIVED)])
def test_an_outcome_of_which_it_is_not_known_whether_it_was_stored_is_stored_once_and_not_called_again(
    tenant, pigeons, monkeypatch, act, outcome, kept
):
    owe(tenant, "one")
    pigeons.answers = lambda _: outcome
    real = getattr(tenant.store, act)

    def unknown(*given, **named):
        monkeypatch.setattr(tenant.store, act, real)
        if kept and act == "settle":
            real(*given, **named).result()
        elif kept:
            real(*given, **named)
        if act == "defer":
            raise OutcomeUnknown
        told = Future()
        told.set_exception(OutcomeUnknown())
        return told

    monkeypatch.setattr(tenant.store, act, unknown)
    run(tenant, pigeons)
    run(tenant, pigeons)

    assert pigeons.sent == ["one"]
    waits = [(owed.tries, owed.error) for _, owed in tenant.store.failing("deliver")]
    assert (waits, states(tenant, pigeons)) == (
        ([(1, "busy")], [("one", "queued")]) if act == "defer" else ([], [("one", "delivered")])
    )


def test_what_is_discarded_during_its_call_is_delivered_if_the_call_arrived(tenant, pigeons):
    owe(tenant, "one")
    owe(tenant, "two")

    def slow(content):
        listing.discard(tenant, content, by="me")
        return ARRIVED if content == "one" else Outcome(End.REFUSED, "no such bird")

    pigeons.answers = slow
    run(tenant, pigeons)

    assert states(tenant, pigeons) == [("one", "delivered"), ("two", "withheld")]
    assert (tenant.store.backlog(), sorted(pigeons.sent)) == ([], ["one", "two"])


def test_what_failed_is_sent_at_once_when_its_destination_is_resumed_that_was_active(tenant, pigeons):
    owe(tenant, "one")
    pigeons.answers = lambda _: Outcome(End.LATER, "busy")
    run(tenant, pigeons)
    pigeons.answers = lambda _: ARRIVED

    destinations.resume(tenant, pigeons.channel, "coop", by="test")
    run(tenant, pigeons)

    assert pigeons.sent == ["one", "one"]


@pytest.mark.parametrize("end", [End.REFUSED, End.DENIED])
def test_what_another_worker_has_delivered_meanwhile_stays_delivered(tenant, pigeons, clock, end):
    owe(tenant, "one")

    def slow(_):
        clock.now += 4 * LEASE
        lost = tenant.store.claim_lost(["deliver"], lease=LEASE)
        send(tenant, [lost], Pigeons().channels)
        return Outcome(end, "no such bird")

    pigeons.answers = slow
    run(tenant, pigeons)

    assert states(tenant, pigeons) == [("one", "delivered")]
    assert tenant.store.parked() == []
    assert [one.active for one in listing.destinations(tenant, pigeons.channels)] == [True]


def test_a_destination_that_answers_410_is_disabled_and_what_waits_is_put_aside_with_the_reason(tenant, pigeons):
    owe(tenant, "one")
    pigeons.answers = lambda _: Outcome(End.GONE, "it said so")
    run(tenant, pigeons)
    owe(tenant, "two")
    run(tenant, pigeons)

    assert pigeons.sent == ["one"]
    (coop,) = listing.destinations(tenant, pigeons.channels)
    assert (coop.destination.state, coop.destination.reason) == ("disabled", "it said so")
    reason = "the destination is disabled: it said so"
    assert [one["reason"] for one in listing.failed(tenant, pigeons.channels)] == [reason, reason]
    assert [entry.action for entry, _ in audit.walk(tenant.store)] == ["destination.added", "destination.disabled"]


def test_a_destination_that_denies_is_paused_and_what_was_sent_and_what_waits_is_sent_once_it_is_resumed(
    tenant, pigeons
):
    for content in ("one", "two", "three"):
        owe(tenant, content)
    pigeons.answers = lambda _: Outcome(End.DENIED, "answered 401")
    run(tenant, pigeons)
    (coop,) = listing.listed_destinations(tenant, pigeons.channels)
    waiting = [(one["state"], one["reason"]) for one in listing.listed(tenant, pigeons.channels)]
    pigeons.answers = lambda _: ARRIVED
    destinations.resume(tenant, pigeons.channel, "coop", by="test")
    run(tenant, pigeons)

    assert (coop["state"], coop["stateSince"][:16], coop["waiting"], coop["dead"]) == (
        *("paused", "2026-11-18T11:06"),
        *(3, 0),
    )
    assert waiting == [("queued", "the destination is paused: answered 401")] * 3
    assert pigeons.sent == ["one", "one", "two", "three"]
    assert states(tenant, pigeons) == [("one", "delivered"), ("two", "delivered"), ("three", "delivered")]


def test_a_call_that_may_not_be_made_is_given_up_and_one_without_an_answer_is_tried_again(tenant, pigeons):
    def answer(content):
        raise outbound.Blocked("inside") if content == "one" else outbound.Unreachable("no answer")

    pigeons.answers = answer
    owe(tenant, "one")
    owe(tenant, "two")

    run(tenant, pigeons)

    assert states(tenant, pigeons) == [("one", "dead"), ("two", "queued")]
    assert [owed.error for _, owed in tenant.store.failing("deliver")] == ["no answer"]


def test_a_resend_while_the_call_is_under_way_is_a_call_of_its_own(tenant, pigeons):
    def answer(content):
        if len(pigeons.sent) == 1:
            listing.resend(tenant, content, by="me")
        return ARRIVED

    pigeons.answers = answer
    owe(tenant, "one")

    run(tenant, pigeons)

    assert pigeons.sent == ["one", "one"]
    assert states(tenant, pigeons) == [("one", "delivered")]


def test_a_delivery_that_waits_for_another_is_not_resent_before_that(tenant, pigeons, clock):
    owe(tenant, "one", order="ana")
    owe(tenant, "two", order="ana")
    pigeons.answers = lambda _: Outcome(End.LATER, "busy")
    run(tenant, pigeons)

    with pytest.raises(Refused, match="two cannot be sent now: it waits for the delivery one") as refused:
        listing.resend(tenant, "two", by="me")
    pigeons.answers = lambda _: ARRIVED
    clock.now += 5 * SECOND
    run(tenant, pigeons)

    assert (refused.value.status, refused.value.error) == (409, "delivery_waits")
    assert pigeons.sent == ["one", "one", "two"]


def test_what_is_queued_behind_one_that_was_resent_waits_for_it(tenant, pigeons, clock):
    owe(tenant, "one", order="ana")
    pigeons.answers = lambda _: Outcome(End.LATER, "busy")
    run(tenant, pigeons)

    listing.resend(tenant, "one", by="me")
    owe(tenant, "two", order="ana")
    run(tenant, pigeons)

    assert pigeons.sent == ["one", "one"]
    clock.now += 5 * SECOND
    pigeons.answers = lambda _: ARRIVED
    run(tenant, pigeons)
    assert pigeons.sent == ["one", "one", "one", "two"]


def test_of_deliveries_that_name_no_destination_each_has_a_turn_of_its_own(pigeons):
    found = [fate.where(Record(deliveries.KIND, id, b"", {"channel": "pigeon"}), pigeons.channels) for id in "ab"]

    assert found == [("?", "a"), ("?", "b")]


def test_how_many_were_retried_of_each_step_stands_in_the_record_of_actions(tenant, pigeons):
    for content in ("one", "two", "three"):
        owe(tenant, content)
    owe(tenant, "gone")
    pigeons.answers = lambda _: Outcome(End.REFUSED, "no such bird")
    run(tenant, pigeons)
    parked = [(record.id, owed.step) for record, owed in tenant.store.parked(None, limit=9)]
    tenant.store.write(lambda tx: tx.owe(deliveries.KIND, "one", Owed("match"))).result()
    put_aside(tenant.store, tenant.store.claim(["match"], limit=1, lease=LEASE)[0], lambda _: "no", tenant.clock())

    count = retry(tenant, by="me")

    told = [entry.about for entry in audit.newest(tenant.store, 9) if entry.action == "work.retried"]
    assert len(parked) == 4
    assert (count, sorted(told, key=str)) == (
        5,
        [{"step": "deliver", "entries": "4"}, {"step": "match", "entries": "1"}],
    )


@pytest.mark.parametrize(
    "again",
    [
        lambda tenant, _: retry(tenant, by="me"),
        lambda tenant, _: retry(tenant, "deliver", by="me"),
        lambda tenant, pigeons: listing.resend_all(tenant, pigeons.channels, by="me"),
    ],
)
def test_what_was_given_up_waits_again_whichever_way_it_is_made_due(tenant, pigeons, clock, again):
    owe(tenant, "one")
    owe(tenant, "two")
    pigeons.answers = lambda _: Outcome(End.REFUSED, "no such bird")
    run(tenant, pigeons)
    clock.now += 7_200 * SECOND

    count = again(tenant, pigeons)

    (standing,) = listing.destinations(tenant, pigeons.channels)
    clock.now += SECOND
    assert (count, standing.waiting, standing.lag(clock.now) // SECOND) == (2, 2, 1)
    assert sorted(states(tenant, pigeons)) == [("one", "queued"), ("two", "queued")]


@pytest.mark.parametrize(
    ("again", "told"),
    [
        (lambda tenant, _: retry(tenant, by="me"), ("work.retried", {"step": "deliver", "entries": "1"})),
        (lambda tenant, _: listing.resend(tenant, "one", by="me"), ("delivery.resent", {"delivery": "one"})),
        (
            lambda tenant, pigeons: listing.resend_all(tenant, pigeons.channels, by="me"),
            ("delivery.resent", {"delivery": "one"}),
        ),
        (
            lambda tenant, _: acts.retry(tenant, HANDED_IN, step="deliver", kind="delivery", id="one", by="me"),
            ("work.retried", {"step": "deliver", "kind": "delivery", "id": "one"}),
        ),
    ],
)
def test_what_is_made_due_again_and_who_did_it_are_stored_together_or_not_at_all(tenant, pigeons, again, told):
    owe(tenant, "one")
    pigeons.answers = lambda _: Outcome(End.REFUSED, "no such bird")
    run(tenant, pigeons)

    again(tenant, pigeons)

    (entry,) = audit.newest(tenant.store, 1)
    assert (entry.by, entry.action, entry.about) == ("me", *told)
    run(tenant, pigeons)
    tenant.store.write(lambda tx: tx.delete("audit-head", "head")).result()  # so the next entry finds its place taken
    with pytest.raises(Exists):
        again(tenant, pigeons)
    assert [(record.id, owed.parked) for record, owed in tenant.store.parked()] == [("one", True)]


def test_of_what_was_put_aside_the_chosen_record_alone_is_made_due(tenant, pigeons):
    for content in ("one", "two"):
        owe(tenant, content)
    pigeons.answers = lambda _: Outcome(End.REFUSED, "no such bird")
    run(tenant, pigeons)
    for id in ("a", "b"):
        record = Record("destination", id, owed=(Owed("deliver", parked=True, error="x"),))
        tenant.store.write(lambda tx, record=record: tx.insert(record)).result()

    chosen = (("delivery", "one"), ("destination", "a"), ("destination", "a"))
    done = tenant.store.write(lambda tx: [retry_one(tx, "deliver", *name) for name in chosen]).result()

    assert done == [True, True, False]
    assert sorted(record.id for record, _ in tenant.store.parked()) == ["b", "two"]


def test_the_lag_of_a_destination_is_the_age_of_the_oldest_that_waits_and_what_is_dead_does_not_wait(
    tenant, pigeons, clock
):
    pigeons.answers = lambda content: Outcome(End.REFUSED, "no") if content == "one" else Outcome(End.LATER, "busy")
    owe(tenant, "one")
    run(tenant, pigeons)
    clock.now += 60 * SECOND
    owe(tenant, "two")
    run(tenant, pigeons)
    owe(tenant, "three")

    (waiting,) = listing.destinations(tenant, pigeons.channels)
    clock.now += 60 * SECOND
    pigeons.answers = lambda _: ARRIVED
    run(tenant, pigeons)
    (done,) = listing.destinations(tenant, pigeons.channels)

    assert (waiting.waiting, (waiting.since or 0) // SECOND * SECOND) == (2, START + 60 * SECOND)
    assert (done.waiting, done.since) == (0, None)


def test_what_is_resent_waits_since_it_was_resent(tenant, pigeons, clock):
    owe(tenant, "one")
    run(tenant, pigeons)
    clock.now += 3_600 * SECOND

    listing.resend(tenant, "one", by="me")

    (waiting,) = listing.destinations(tenant, pigeons.channels)
    assert (waiting.waiting, waiting.since // SECOND * SECOND) == (1, START + 3_600 * SECOND)


def test_a_delivery_of_a_channel_that_is_gone_is_listed_and_put_aside(tenant):
    owe(tenant, "one")

    deliver(tenant, {})

    (shown,) = listing.listed(tenant, {}, channel="pigeon")
    assert list(listing.listed(tenant, {}, channel="email")) == []
    assert (shown["channel"], shown["what"], shown["state"]) == ("pigeon", "?", "dead")
    assert shown["reason"] == "there is no channel pigeon"


def test_the_doctor_warns_of_a_stopped_destination_of_any_channel(tenant, pigeons):
    working = list(of_destinations(tenant, pigeons.channels))
    destinations.pause(tenant, pigeons.channel, "coop", by="test")

    stopped = list(of_destinations(tenant, pigeons.channels))

    assert working == []
    told = "paused since 2026-11-18T11:06:40Z: by command; once it is put right: lrs destinations resume pigeon coop"
    assert stopped == [Finding("destination pigeon coop", "warning", told)]


def test_the_doctor_warns_of_a_destination_that_is_more_than_an_hour_behind(tenant, pigeons, clock):
    owe(tenant, "one")
    clock.now += 3_701 * SECOND - 1

    (behind,) = of_destinations(tenant, pigeons.channels)

    assert (behind.check, behind.status) == ("destination pigeon coop", "warning")
    assert behind.message == "3700 s behind: lrs destinations list, lrs work status say more"


# -- destinations -----------------------------------------------------------------------------------------------------


def test_a_paused_destination_waits_without_a_try_and_without_ageing_and_resume_sends_in_order(tenant, pigeons, clock):
    owe(tenant, "first")
    pigeons.answers = lambda _: Outcome(End.LATER, "busy")
    run(tenant, pigeons)
    tried = len(pigeons.sent)
    destinations.pause(tenant, pigeons.channel, "coop", by="test")
    for number in range(30):
        owe(tenant, f"{number:02}")
    looks = []
    for _ in range(400):
        looks.append(deliver(tenant, pigeons.channels))
        clock.now += 3_600 * SECOND
    paused = pigeons.sent[tried:]
    failed = listing.failed(tenant, pigeons.channels)
    (coop,) = listing.listed_destinations(tenant, pigeons.channels)
    pigeons.answers = lambda _: ARRIVED
    destinations.resume(tenant, pigeons.channel, "coop", by="test")
    owe(tenant, "new")
    run(tenant, pigeons)

    assert (paused, failed) == ([], [])
    assert sum(looks) < 70  # each once after the pause, and once in ten days
    assert (coop["waiting"], coop["stateSince"]) == (31, "2026-11-18T11:06:40Z")
    assert round(coop["lag"] / 3_600) == 400
    assert pigeons.sent[tried:] == ["first", *(f"{number:02}" for number in range(30)), "new"]
    assert tenant.store.backlog() == []


def test_a_resume_that_dies_after_its_first_commit_loses_nothing(tenant, pigeons, clock, monkeypatch):
    monkeypatch.setattr(deliveries, "PAGE", 3)
    destinations.pause(tenant, pigeons.channel, "coop", by="test")
    for number in range(8):
        owe(tenant, f"{number}")
    run(tenant, pigeons)
    dying = replace(tenant, store=Dying(tenant.store, 1, after=True))
    with pytest.raises(Killed):
        destinations.resume(dying, pigeons.channel, "coop", by="test")
    run(tenant, pigeons)
    before = list(pigeons.sent)
    clock.now += deliveries.LONGEST_WAIT + SECOND
    run(tenant, pigeons)

    assert before == ["0", "1", "2"]
    assert pigeons.sent == [str(number) for number in range(8)]


def test_a_resume_of_many_sends_all_of_them_in_order(tenant, pigeons, monkeypatch):
    monkeypatch.setattr(deliveries, "PAGE", 3)
    destinations.pause(tenant, pigeons.channel, "coop", by="test")
    for number in range(8):
        owe(tenant, f"{number}")
    run(tenant, pigeons)
    destinations.resume(tenant, pigeons.channel, "coop", by="test")
    run(tenant, pigeons)

    assert pigeons.sent == [str(number) for number in range(8)]


def test_what_waits_for_a_paused_destination_that_is_removed_is_put_aside_with_the_reason(tenant, pigeons):
    destinations.pause(tenant, pigeons.channel, "coop", by="test")
    owe(tenant, "one")
    run(tenant, pigeons)
    destinations.remove(tenant, pigeons.channel, "coop", by="test")
    run(tenant, pigeons)

    assert [(one["state"], one["reason"]) for one in listing.listed(tenant, pigeons.channels)] == [
        ("dead", "there is no destination coop of the channel pigeon")
    ]


def test_what_waits_for_the_one_before_it_still_does_after_a_pause(tenant, pigeons, clock):
    for content in ("one", "two"):
        owe(tenant, content, order="ana")
    destinations.pause(tenant, pigeons.channel, "coop", by="test")
    run(tenant, pigeons)
    pigeons.answers = lambda content: Outcome(End.LATER, "busy") if content == "one" else ARRIVED
    destinations.resume(tenant, pigeons.channel, "coop", by="test")
    run(tenant, pigeons)
    before = list(pigeons.sent)
    pigeons.answers = lambda _: ARRIVED
    clock.now += 5 * SECOND
    run(tenant, pigeons)

    assert (before, pigeons.sent) == (["one"], ["one", "one", "two"])


def test_what_is_not_among_those_that_wait_is_due_at_once_if_its_destination_is_resumed_before_it_is_held(
    tenant, pigeons
):
    owe(tenant, "one")
    (record,) = tenant.store.find(Walk("delivery")).records
    as_in_0_2_0 = msgspec.structs.replace(record, keys=(deliveries.destination_key("coop"),), owed=(Owed("deliver"),))
    tenant.store.write(lambda tx: tx.replace(as_in_0_2_0)).result()
    destinations.pause(tenant, pigeons.channel, "coop", by="test")
    (claim,) = tenant.store.claim(["deliver"], limit=9, lease=LEASE)
    destinations.resume(tenant, pigeons.channel, "coop", by="test")
    tenant.store.settle([claim], lambda tx: destinations.hold(tx, pigeons.channel, "coop", claim.record.id)).result()
    run(tenant, pigeons)

    assert pigeons.sent == ["one"]


def test_what_is_gone_or_over_does_not_wait_for_a_destination_again(tenant, pigeons):
    owe(tenant, "one")
    run(tenant, pigeons)
    before = tenant.store.get(deliveries.KIND, "one")

    def decide(tx):
        deliveries.rejoin(tx, "one", "pigeon", "coop")
        deliveries.rejoin(tx, "gone", "pigeon", "coop")
        deliveries.hold(tx, "gone", "pigeon", "coop", "it is paused")

    tenant.store.write(decide).result()

    assert tenant.store.get(deliveries.KIND, "one") == before
    assert tenant.store.get(deliveries.KIND, "gone") is None
    assert tenant.store.backlog() == []


def test_what_is_no_delivery_and_not_sent_now_is_due_a_little_later(tenant, pigeons, clock):
    stream = Record(destinations.KIND, "stream", meta={"channel": "pigeon", "to": "coop"}, owed=(Owed("deliver"),))
    tenant.store.write(lambda tx: tx.insert(stream)).result()

    fate.leave(tenant, tenant.store.claim(["deliver"], limit=1, lease=LEASE), pigeons.channels)

    assert tenant.store.claim(["deliver"], limit=1, lease=LEASE) == []
    clock.now += fate.LATER * SECOND
    assert [one.owed.tries for one in tenant.store.claim(["deliver"], limit=1, lease=LEASE)] == [0]


class Loft:
    """Destinations that another room keeps: this one notes which are stopped."""

    def __init__(self):
        self.stopped = []

    def find(self, _tenant, id):
        return Destination("pigeon", id, "https://coop.invalid")

    def stop(self, _tx, id, state, reason):
        self.stopped.append((id, state, reason))


def test_what_a_destination_of_another_room_denies_is_put_aside_for_nobody_here_resumes_it(tenant, pigeons):
    loft = Loft()
    channels = by_name(msgspec.structs.replace(pigeons.channel, own=loft))
    pigeons.answers = lambda _: Outcome(End.DENIED, "answered 401", 401)
    owe(tenant, "one")

    deliver(tenant, channels)

    assert loft.stopped == [("coop", "paused", "answered 401")]
    ((record, owed),) = tenant.store.parked()
    assert (record.id, owed.error) == ("one", "the destination is paused: answered 401")
    assert [one.waiting for one in tenant.store.backlog()] == [0]


def test_two_channels_may_have_destinations_of_one_name(tenant, pigeons):
    other = msgspec.structs.replace(pigeons.channel, name="raven")
    destinations.add(tenant, other, "coop", "https://tower.invalid", by="test")
    destinations.pause(tenant, other, "coop", by="test")
    owe(tenant, "one")
    run(tenant, pigeons)

    assert pigeons.sent == ["one"]
    assert [(one["channel"], one["address"], one["state"]) for one in listed(tenant, pigeons.channel, other)] == [
        ("pigeon", "https://coop.invalid", "active"),
        ("raven", "https://tower.invalid", "paused"),
    ]


def listed(tenant, *channels):
    return listing.listed_destinations(tenant, by_name(*channels))


def test_what_lets_us_in_is_hidden_and_opens_no_other_destination(tenant, pigeons):
    made = [
        destinations.add(tenant, pigeons.channel, name, "https://coop.invalid", access=["k", "s3cret"], by="test")
        for name in ("one", "two")
    ]
    swapped = msgspec.structs.replace(made[0], access=made[1].access)

    assert destinations.access(tenant, made[0]) == ["k", "s3cret"]
    assert not [record for record in tenant.store.find(Walk("destination")).records if b"s3cret" in record.body]
    assert made[0].access != made[1].access
    with pytest.raises(Undeliverable, match="its key cannot be read"):
        destinations.access(tenant, swapped)


@pytest.mark.parametrize(
    ("name", "address", "status", "message"),
    [
        ("coop", "https://coop.invalid", 409, "a destination coop of the channel pigeon exists already"),
        ("Two Words", "https://coop.invalid", 400, "use 1 to 40 lower-case letters"),
        ("inside", "https://10.0.0.8", 400, "leads to an address outside the public internet"),
        ("ftp", "ftp://coop.invalid", 400, "only https URLs with a host"),
    ],
)
def test_a_destination_that_cannot_be_is_refused(tenant, pigeons, name, address, status, message):
    with pytest.raises(Refused, match=message) as refused:
        destinations.add(tenant, pigeons.channel, name, address, by="test")

    assert refused.value.status == status


@pytest.mark.parametrize("act", [destinations.pause, destinations.resume, destinations.remove])
def test_what_is_not_there_and_what_another_room_keeps_is_changed_by_nobody(tenant, pigeons, act):
    with pytest.raises(Refused, match="there is no destination tower of the channel pigeon") as unknown:
        act(tenant, pigeons.channel, "tower", by="test")
    with pytest.raises(Refused, match="commands of their own, such as: lrs services resync converter"):
        act(tenant, CHANNELS["webhook"], "converter", by="test")

    assert unknown.value.status == 404


def test_a_delivery_whose_content_names_a_learner_is_found_with_what_is_kept_about_them(tenant):
    owe(tenant, '{"person":"ada"}')
    owe(tenant, '{"person":"bea"}')
    owe(tenant, "{}")
    (kind,) = deliveries.KINDS

    found = kind.find(tenant.store, Whose(("ada",), (), ()))

    assert [record.id for record in found] == ['{"person":"ada"}']
