"""The outbox with a channel of this test: order, outcomes, the list, the replay, the lag of a destination."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from lrs.kernel import outbound
from lrs.ops.doctor import Finding, of_destinations
from lrs.outbox import deliveries, listing
from lrs.outbox.channel import Destination, End, Message, Outcome, Undeliverable
from lrs.outbox.deliver import deliver
from lrs.outbox.deliveries import Delivery
from tests.matching.world import LEASE, SECOND, START, Clock, tenant_in

ARRIVED = Outcome(End.DELIVERED, status=202)


@dataclass
class Pigeons:
    """A channel that sends nothing: *answers* says what becomes of each content, *stopped* whom it will not call."""

    answers: Callable[[str], Outcome] = lambda _: ARRIVED
    sent: list[str] = field(default_factory=list)
    stopped: dict[str, str] = field(default_factory=dict)

    def compose(self, _tenant, record):
        to = record.meta["to"]
        if to in self.stopped:
            raise Undeliverable(f"{to} is {self.stopped[to]}")
        return Message(to, lambda _: self._send(record.body.decode()))

    def stop(self, _tx, to, outcome):
        self.stopped[to] = "stopped"
        return f"{to} is stopped: {outcome.reason}"

    def destinations(self, _tenant):
        yield Destination("pigeon", "coop", "stopped" if "coop" in self.stopped else "active")

    def about(self, record):
        return {"to": record.meta["to"], "what": record.body.decode()}

    def _send(self, content):
        self.sent.append(content)
        return self.answers(content)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tenant(tmp_path, clock):
    with tenant_in(tmp_path, clock) as opened:
        yield opened


@pytest.fixture
def pigeons():
    return Pigeons()


def owe(tenant, content, **more):
    delivery = Delivery(id=content, channel="pigeon", to="coop", content=content.encode(), **more)
    tenant.store.write(lambda tx: deliveries.queue(tx, delivery, tenant.clock())).result()


def run(tenant, pigeons):
    while claims := tenant.store.claim(["deliver"], limit=100, lease=LEASE):
        deliver(tenant, claims, channels={"pigeon": pigeons}, jitter=lambda: 0.0)


def states(tenant, pigeons):
    return [(one["what"], one["state"]) for one in listing.listed(tenant, {"pigeon": pigeons})]


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

    resent = listing.resend(tenant, {"pigeon": pigeons}, channel="pigeon")
    run(tenant, pigeons)

    assert resent == 1
    assert pigeons.sent == ["one", "one"]
    assert [(one["id"], one["reason"]) for one in listing.failed(tenant, {"pigeon": pigeons})] == [
        ("one", "no such bird")
    ]
    assert states(tenant, pigeons) == [("one", "dead")]


@pytest.mark.parametrize("end", [End.DENIED, End.GONE])
def test_a_destination_that_wants_no_more_is_stopped_and_what_waits_is_put_aside_with_the_reason(tenant, pigeons, end):
    owe(tenant, "one")
    pigeons.answers = lambda _: Outcome(end, "it said so")
    run(tenant, pigeons)
    owe(tenant, "two")
    run(tenant, pigeons)

    assert pigeons.sent == ["one"]
    assert [one["reason"] for one in listing.failed(tenant, {"pigeon": pigeons})] == [
        "coop is stopped: it said so",
        "coop is stopped",
    ]


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
            listing.resend(tenant, {"pigeon": pigeons}, id=content)
        return ARRIVED

    pigeons.answers = answer
    owe(tenant, "one")

    run(tenant, pigeons)

    assert pigeons.sent == ["one", "one"]
    assert states(tenant, pigeons) == [("one", "delivered")]


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

    (waiting,) = listing.destinations(tenant, {"pigeon": pigeons})
    clock.now += 60 * SECOND
    pigeons.answers = lambda _: ARRIVED
    run(tenant, pigeons)
    (done,) = listing.destinations(tenant, {"pigeon": pigeons})

    assert (waiting.waiting, (waiting.since or 0) // SECOND * SECOND) == (2, START + 60 * SECOND)
    assert (done.waiting, done.since) == (0, None)


def test_what_is_resent_waits_since_it_was_resent(tenant, pigeons, clock):
    owe(tenant, "one")
    run(tenant, pigeons)
    clock.now += 3_600 * SECOND

    listing.resend(tenant, {"pigeon": pigeons}, id="one")

    (waiting,) = listing.destinations(tenant, {"pigeon": pigeons})
    assert (waiting.waiting, waiting.since // SECOND * SECOND) == (1, START + 3_600 * SECOND)


def test_a_delivery_of_a_channel_that_is_gone_is_listed_and_put_aside(tenant):
    owe(tenant, "one")

    claims = tenant.store.claim(["deliver"], limit=9, lease=LEASE)
    deliver(tenant, claims, channels={})

    (shown,) = listing.listed(tenant, {})
    assert (shown["channel"], shown["what"], shown["state"]) == ("pigeon", "?", "dead")
    assert shown["reason"] == "there is no channel pigeon"


def test_the_doctor_warns_of_a_stopped_destination_of_any_channel(tenant, pigeons):
    working = list(of_destinations(tenant, {"pigeon": pigeons}))
    pigeons.stopped["coop"] = "stopped"

    stopped = list(of_destinations(tenant, {"pigeon": pigeons}))

    assert working == []
    assert stopped == [Finding("destination pigeon coop", "warning", "stopped: None")]


def test_the_doctor_warns_of_a_destination_that_is_more_than_an_hour_behind(tenant, pigeons, clock):
    owe(tenant, "one")
    clock.now += 3_701 * SECOND - 1

    (behind,) = of_destinations(tenant, {"pigeon": pigeons})

    assert (behind.check, behind.status) == ("destination pigeon coop", "warning")
    assert behind.message == "3700 s behind: lrs work status says more"
