"""Sending: one call at a time to each destination, in order, and none of them delays another destination's."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

import msgspec
import pytest

from lrs.composition.steps import delivering
from lrs.kernel import outbound
from lrs.kernel.errors import Refused
from lrs.outbox import deliveries, destinations, lines, listing, turns
from lrs.outbox.channel import Channel, End, Message, Outcome, by_name, outcome_of
from lrs.outbox.deliver import Sending
from lrs.outbox.deliveries import Delivery
from lrs.outbox.fate import Outgoing
from lrs.outbox.lines import Composed
from lrs.outbox.senders import Senders
from lrs.storage import Owed, Record
from lrs.tenancy.tenants import open_tenant
from lrs.work.step import Step
from lrs.work.worker import Crew, drain
from tests.builders import Always, retried
from tests.matching.world import HOUR, LEASE, SECOND, Clock, receiver, settings_in, tenant_in
from tests.programs import until

ARRIVED = Outcome(End.DELIVERED, status=202)


@dataclass
class Pigeons:
    """A channel of which calls to the destinations *held* do not end before ``let_go``."""

    held: set = field(default_factory=set)
    sent: list = field(default_factory=list)
    at_once: dict = field(default_factory=dict)
    most: dict = field(default_factory=dict)
    opened: threading.Event = field(default_factory=threading.Event)
    answers: object = lambda _to, _content: ARRIVED
    longest: float = 20

    @property
    def channels(self):
        return by_name(Channel("pigeon", self.compose))

    def compose(self, _tenant, record, destination):
        return Message(lambda _: self._send(destination.id, record.body.decode()), longest=self.longest)

    def _send(self, to, content):
        self.at_once[to] = self.at_once.get(to, 0) + 1
        self.most[to] = max(self.most.get(to, 0), self.at_once[to])
        self.sent.append((to, content))
        if to in self.held:
            self.opened.wait(20)
        self.at_once[to] -= 1
        return self.answers(to, content)

    def to(self, name):
        return [content for to, content in self.sent if to == name]

    def let_go(self):
        self.opened.set()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pigeons():
    made = Pigeons()
    yield made
    made.let_go()


@pytest.fixture
def tenant(tmp_path, clock, pigeons):
    with tenant_in(tmp_path, clock) as opened:
        yield opened
        pigeons.let_go()


def add(tenant, pigeons, *names):
    for name in names:
        destinations.add(tenant, pigeons.channels["pigeon"], name, "https://coop.invalid", by="test")


def owe(tenant, to, *contents):
    def decide(tx):
        for content in contents:
            one = Delivery(id=f"{to}-{content}", channel="pigeon", to=to, content=content.encode())
            deliveries.queue(tx, one, tenant.clock())

    tenant.store.write(decide).result()


def contents(count):
    return [f"{number:03}" for number in range(count)]


@contextmanager
def at_work(step, *tenants, other=None):
    crew = Crew([{"deliver": step}, *([other] if other else [])], Always(*tenants), idle=0.01)
    try:
        yield crew
    finally:
        crew.close()


def test_deliveries_to_one_destination_are_sent_in_their_order_one_at_a_time(tenant, pigeons):
    add(tenant, pigeons, "coop", "loft")
    owe(tenant, "coop", *contents(40))
    owe(tenant, "loft", *contents(40))

    drain(tenant, {"deliver": delivering(pigeons.channels, Senders())})

    assert pigeons.to("coop") == pigeons.to("loft") == contents(40)
    assert pigeons.most == {"coop": 1, "loft": 1}
    assert tenant.store.backlog() == []
    assert tenant.store.count(turns.KIND) == 0


def test_calls_foreseen_together_are_made_in_a_row_until_one_does_not_arrive(tenant, pigeons, clock):
    foreseen = by_name(msgspec.structs.replace(pigeons.channels["pigeon"], foresee=lambda *_: None))
    refused = [Outcome(End.LATER, "busy"), ARRIVED]
    pigeons.answers = lambda _to, content: refused.pop(0) if content == "003" else ARRIVED
    add(tenant, pigeons, "coop")
    owe(tenant, "coop", *contents(12))
    step = {"deliver": delivering(foreseen, Senders())}
    commits = tenant.store.load().commits

    drain(tenant, step)
    first, commits = pigeons.to("coop"), tenant.store.load().commits - commits
    clock.now += 3_600 * SECOND
    drain(tenant, step)

    assert first == contents(12)
    assert pigeons.to("coop")[12:] == ["003"]
    assert pigeons.most == {"coop": 1}
    assert commits < 12
    assert tenant.store.backlog() == []


def test_of_a_row_nothing_is_sent_that_is_out_of_date(monkeypatch):
    monkeypatch.setattr(lines, "monotonic", lambda: 4.5)
    sent = []
    row = [
        Composed(None, Outgoing(None, None, "", Message(lambda _, name=name: sent.append(name) or ARRIVED)), until)
        for name, until in (("first", 0.0), ("second", 5.0), ("composed before", 4.0), ("last", 5.0))
    ]

    made = lines.make(row, None)

    assert (sent, len(made)) == (["first", "second"], 2)


def test_what_a_row_leaves_over_while_its_worker_ends_is_handed_back(tenant, pigeons):
    foreseen = by_name(msgspec.structs.replace(pigeons.channels["pigeon"], foresee=lambda *_: None))
    pigeons.held, pigeons.answers = {"coop"}, lambda *_: Outcome(End.LATER, "busy")
    add(tenant, pigeons, "coop")
    owe(tenant, "coop", *contents(3))
    sending = Sending(foreseen, Senders())
    sending.begin(tenant, tenant.store.claim(["deliver"], limit=9, lease=LEASE), tenant.clock() + LEASE)
    until(lambda: pigeons.sent, "the call")

    sending.release(tenant)
    pigeons.let_go()
    while sending.claims:
        sending.wait()
        sending.put_down(tenant)

    assert pigeons.to("coop") == ["000"]
    assert len(tenant.store.claim(["deliver"], limit=9, lease=LEASE)) == 2


def test_destinations_that_do_not_answer_delay_no_other_destination_no_other_tenant_and_no_other_step(
    tenant, pigeons, tmp_path, clock
):
    slow, quick = [f"slow-{number}" for number in range(5)], [f"quick-{number}" for number in range(45)]
    pigeons.held = set(slow)
    other = open_tenant(settings_in(tmp_path), "other", clock=clock)
    add(tenant, pigeons, *slow, *quick)
    add(other, pigeons, "theirs")
    for name in (*slow, *quick):
        owe(tenant, name, *contents(4))
    owe(other, "theirs", *contents(4))
    done = []
    step = Step(lambda tenant, claims: done.extend(claims) or tenant.store.settle(claims, lambda _: None).result())
    tenant.store.write(lambda tx: tx.insert(Record("statement", "a", owed=(Owed("match"),)))).result()

    with at_work(delivering(pigeons.channels, Senders()), tenant, other, other={"match": step}):
        until(lambda: sum(len(pigeons.to(name)) for name in quick) == 4 * len(quick), "all healthy ones")
        until(lambda: len(pigeons.to("theirs")) == 4, "those of the other tenant")
        until(lambda: done, "the other step")
        begun = {name: pigeons.to(name) for name in slow}
        pigeons.let_go()
        until(lambda: not tenant.store.backlog(), "the slow ones")

    other.store.close()
    assert begun == {name: ["000"] for name in slow}
    assert {name: pigeons.to(name) for name in slow} == {name: contents(4) for name in slow}
    assert set(pigeons.most.values()) == {1}


def test_receivers_that_take_the_connection_and_never_answer_delay_no_other_receiver(tenant):
    def compose(_tenant, record, destination):
        headers = {"content-type": "text/plain", "content-length": str(len(record.body))}
        return Message(lambda settings: outcome_of(outbound.post(destination.address, record.body, headers, settings)))

    channel = Channel("pigeon", compose)
    with socket.create_server(("127.0.0.1", 0)) as silent, ExitStack() as stack:
        good = [stack.enter_context(receiver()) for _ in range(4)]
        for number in range(5):
            address = f"http://127.0.0.1:{silent.getsockname()[1]}"
            destinations.add(tenant, channel, f"silent-{number}", address, by="test")
            owe(tenant, f"silent-{number}", *contents(3))
        for number, one in enumerate(good):
            destinations.add(tenant, channel, f"good-{number}", one.url, by="test")
            owe(tenant, f"good-{number}", *contents(10))
        with at_work(delivering(by_name(channel), Senders()), tenant):
            until(lambda: [len(one.got) for one in good] == [10] * 4, "all of the good ones")
            waiting = {one["id"] for one in listing.listed(tenant, by_name(channel), state="queued")}
            silent.close()

    assert [[got.body.decode() for got in one.got] for one in good] == [contents(10)] * 4
    assert {f"silent-{number}-000" for number in range(5)} <= waiting


def test_a_long_queue_for_a_destination_that_does_not_answer_is_stepped_over(tenant, pigeons):
    pigeons.held = {"slow"}
    add(tenant, pigeons, "slow", "quick")
    owe(tenant, "slow", *contents(300))
    owe(tenant, "quick", *contents(3))

    with at_work(delivering(pigeons.channels, Senders()), tenant):
        until(lambda: pigeons.to("quick") == contents(3), "the healthy one")
        begun = pigeons.to("slow")
        leased = 303 - sum(1 for one in tenant.store.claim(["deliver"], limit=400, lease=1))
        pigeons.held = set()
        pigeons.let_go()

    assert begun == ["000"]
    assert leased < 25  # those that went to the other one, and what waits in the line


def test_slow_destinations_never_take_all_threads(tenant, pigeons):
    pigeons.answers = lambda _to, content: Outcome(End.LATER, "busy") if content == "first" else ARRIVED
    slow = [f"slow-{number}" for number in range(6)]
    senders = Senders(4, 2)
    step = delivering(pigeons.channels, senders)
    add(tenant, pigeons, *slow, "quick")
    with at_work(replace(step, aside=lambda wake: _all_slow(Sending(pigeons.channels, senders, wake), slow)), tenant):
        pigeons.held = set(slow)
        for name in slow:
            owe(tenant, name, "one")
        until(lambda: len(pigeons.sent) == 2, "two slow calls")
        owe(tenant, "quick", *contents(5))
        until(lambda: pigeons.to("quick") == contents(5), "the quick one")
        under_way = [to for to, _ in pigeons.sent if to in slow]
        pigeons.let_go()
        until(lambda: not tenant.store.backlog(), "all others")

    assert len(under_way) == 2
    assert len(pigeons.sent) == len(slow) + 5


def _all_slow(sending, names):
    sending._slow |= {f"pigeon/{name}" for name in names}  # noqa: SLF001 (as their last calls have left it)
    return sending


def test_more_calls_than_threads_wait_for_a_thread_also_if_another_tenant_has_it(tenant, pigeons, tmp_path, clock):
    senders = Senders(1, 1)
    other = open_tenant(settings_in(tmp_path), "other", clock=clock)
    add(tenant, pigeons, "a", "b")
    add(other, pigeons, "c")
    pigeons.held = {"a"}
    owe(tenant, "a", "1")
    with at_work(delivering(pigeons.channels, senders), tenant, other):
        until(lambda: pigeons.to("a"), "the call")
        owe(tenant, "b", "1")
        owe(other, "c", "1")
        time.sleep(0.05)
        before = [to for to, _ in pigeons.sent]
        pigeons.let_go()
        until(lambda: not tenant.store.backlog() and not other.store.backlog(), "the others")

    other.store.close()
    assert before == ["a"]
    assert sorted(to for to, _ in pigeons.sent) == ["a", "b", "c"]


def test_two_workers_send_to_one_destination_one_at_a_time_and_in_its_order(tenant, pigeons):
    add(tenant, pigeons, "coop")
    owe(tenant, "coop", *contents(60))
    step = delivering(pigeons.channels, Senders())
    with at_work(step, tenant), at_work(delivering(pigeons.channels, Senders()), tenant):
        until(lambda: not tenant.store.backlog(), "all of it")

    assert sorted(pigeons.to("coop")) == contents(60)
    assert pigeons.most == {"coop": 1}


def test_while_another_worker_has_the_turn_nothing_is_claimed_and_after_its_death_the_turn_runs_out(
    tenant, pigeons, clock
):
    add(tenant, pigeons, "coop")
    owe(tenant, "coop", "1")
    turns.HeldTurns().take(tenant, ["pigeon/coop"], 20)

    drain(tenant, {"deliver": delivering(pigeons.channels, Senders())})
    before = pigeons.to("coop")
    clock.now += 31 * SECOND
    drain(tenant, {"deliver": delivering(pigeons.channels, Senders())})

    assert (before, pigeons.to("coop")) == ([], ["1"])


def test_a_turn_that_is_held_already_is_prolonged_for_a_call_that_it_would_end_in(tenant, clock):
    ours, others = turns.HeldTurns(), turns.HeldTurns()
    begun, taken = clock.now, {}
    for second, whose in ((0, ours), (25, ours), (31, others), (54, others), (56, others)):  # it lasts for 30 s
        clock.now = begun + second * SECOND
        taken[second] = len(whose.take(tenant, ["pigeon/coop"], 20))

    assert taken == {0: 1, 25: 1, 31: 0, 54: 0, 56: 1}


def test_a_turn_that_a_wrong_clock_wrote_keeps_nobody_waiting(tenant, clock):
    ahead = replace(tenant, clock=lambda: clock() + 2 * HOUR)
    turns.HeldTurns().take(ahead, ["pigeon/coop"], 20)

    assert turns.HeldTurns().of_others(tenant) == []


def test_what_was_claimed_before_another_worker_got_the_turn_is_handed_back(tenant, pigeons):
    add(tenant, pigeons, "coop")
    owe(tenant, "coop", "1", "2")
    other = turns.HeldTurns()
    sending = Sending(pigeons.channels, Senders())
    claims = tenant.store.claim(["deliver"], limit=9, lease=LEASE)
    other.take(tenant, ["pigeon/coop"], 20)

    failures = sending.begin(tenant, claims, tenant.clock() + LEASE)
    other.leave(tenant, ["pigeon/coop"])

    assert (failures, sending.claims, pigeons.sent) == ([], [], [])
    assert len(tenant.store.claim(["deliver"], limit=9, lease=LEASE)) == 2


def test_what_was_put_aside_and_is_due_again_does_not_fill_the_way_of_the_others(tenant, pigeons):
    pigeons.answers = lambda _to, _content: Outcome(End.REFUSED, "no")
    add(tenant, pigeons, "slow", "quick")
    owe(tenant, "slow", *contents(100))
    drain(tenant, {"deliver": delivering(pigeons.channels, Senders())})
    pigeons.sent.clear()
    pigeons.held, pigeons.answers = {"slow"}, lambda _to, _content: ARRIVED
    retried(tenant.store, "deliver")
    owe(tenant, "quick", "1")

    with at_work(delivering(pigeons.channels, Senders()), tenant):
        until(lambda: pigeons.to("quick"), "the healthy one")
        begun = len(pigeons.to("slow"))
        pigeons.let_go()
        until(lambda: not tenant.store.backlog(), "all others")

    assert begun == 1
    assert len(pigeons.to("slow")) == 100


def test_a_lease_that_is_shorter_than_a_call_may_take_is_handed_back_and_nothing_is_sent_twice(tenant, pigeons, clock):
    add(tenant, pigeons, "coop")
    owe(tenant, "coop", "1", "2", "3")
    pigeons.answers = lambda _to, _content: setattr(clock, "now", clock.now + 50 * SECOND) or ARRIVED
    sending = Sending(pigeons.channels, Senders())
    sending.begin(tenant, tenant.store.claim(["deliver"], limit=9, lease=LEASE), tenant.clock() + LEASE)
    while sending.claims:
        sending.wait()
        sending.put_down(tenant)
    sending.rest(tenant)

    assert pigeons.sent == [("coop", "1")]
    assert [one.record.id for one in tenant.store.claim(["deliver"], limit=9, lease=LEASE, oldest=True)] == [
        "coop-2",
        "coop-3",
    ]


def test_the_end_of_a_worker_waits_for_the_call_under_way_and_hands_back_the_rest(tenant, pigeons):
    pigeons.held = {"coop"}
    add(tenant, pigeons, "coop")
    owe(tenant, "coop", "1", "2", "3")
    with at_work(delivering(pigeons.channels, Senders()), tenant) as crew:
        until(lambda: pigeons.sent, "the call")
        ending = threading.Thread(target=crew.close)
        ending.start()
        until(lambda: tenant.store.next_due(["deliver"]) == 0, "the rest to be handed back")
        pigeons.let_go()
        ending.join(20)

    assert pigeons.sent == [("coop", "1")]
    assert {one["id"]: one["state"] for one in listing.listed(tenant, pigeons.channels)} == {
        "coop-1": "delivered",
        "coop-2": "queued",
        "coop-3": "queued",
    }
    assert len(tenant.store.claim(["deliver"], limit=9, lease=LEASE)) == 2
    assert tenant.store.count(turns.KIND) == 0


def test_what_a_call_came_to_is_stored_although_its_tenant_was_suspended_meanwhile(tenant, pigeons):
    class Suspended(Always):
        refused = False

        def hold(self, name):
            if self.refused:
                raise Refused("suspended", status=403)
            return super().hold(name)

    pigeons.held = {"coop"}
    add(tenant, pigeons, "coop")
    owe(tenant, "coop", "1", "2")
    tenants = Suspended(tenant)
    crew = Crew([{"deliver": delivering(pigeons.channels, Senders())}], tenants, idle=0.01)
    try:
        until(lambda: pigeons.sent, "the call")
        tenants.refused = True
        pigeons.let_go()
        until(lambda: tenant.store.get("delivery", "coop-1").meta["state"] == "delivered", "its outcome")
    finally:
        crew.close()

    assert pigeons.sent == [("coop", "1")]


def test_a_store_that_is_held_as_long_as_a_call_is_under_way_is_let_go_after_it(tenant, pigeons):
    held = []

    class Counting(Always):
        def hold(self, name):
            @contextmanager
            def holding():
                held.append(1)
                with super(Counting, self).hold(name) as one:
                    yield one
                held.pop()

            return holding()

    pigeons.held = {"coop"}
    add(tenant, pigeons, "coop")
    owe(tenant, "coop", "1")
    crew = Crew([{"deliver": delivering(pigeons.channels, Senders())}], Counting(tenant), idle=0.01)
    try:
        until(lambda: pigeons.sent, "the call")
        time.sleep(0.05)
        while_under_way = len(held)
        pigeons.let_go()
        until(lambda: not tenant.store.backlog(), "its outcome")
        until(lambda: not held, "the end of the hold")
    finally:
        crew.close()

    assert while_under_way >= 1


def test_a_failure_of_one_delivery_is_kept_with_its_reason_and_the_next_goes_on(tenant, pigeons):
    def answer(_to, content):
        if content == "bad":
            raise ValueError("unforeseen")
        return ARRIVED

    pigeons.answers = answer
    add(tenant, pigeons, "coop")
    owe(tenant, "coop", "bad", "good")

    drain(tenant, {"deliver": delivering(pigeons.channels, Senders())})

    assert pigeons.to("coop") == ["bad", "good"]
    assert [(record.id, owed.error, owed.tries) for record, owed in tenant.store.failing("deliver")] == [
        ("coop-bad", "ValueError: unforeseen", 1)
    ]


def test_entries_whose_worker_died_are_sent_one_at_a_time(tenant, pigeons, clock):
    add(tenant, pigeons, "a", "b")
    owe(tenant, "a", "1")
    owe(tenant, "b", "1")
    tenant.store.claim(["deliver"], limit=9, lease=LEASE)
    clock.now += LEASE + SECOND
    pigeons.held = {"a", "b"}
    with at_work(delivering(pigeons.channels, Senders()), tenant):
        until(lambda: pigeons.sent, "the first")
        time.sleep(0.05)
        begun = len(pigeons.sent)
        pigeons.let_go()
        until(lambda: not tenant.store.backlog(), "the other")

    assert begun == 1
    assert len(pigeons.sent) == 2


def test_a_call_that_may_take_longer_than_the_lease_is_made(tenant, pigeons):
    pigeons.longest = 1_000
    add(tenant, pigeons, "coop")
    owe(tenant, "coop", "1")

    drain(tenant, {"deliver": delivering(pigeons.channels, Senders())})

    assert pigeons.sent == [("coop", "1")]


def test_what_was_done_elsewhere_while_it_waited_in_its_line_is_not_sent(tenant, pigeons):
    pigeons.held = {"coop"}
    add(tenant, pigeons, "coop")
    owe(tenant, "coop", "1", "2", "3")
    sending = Sending(pigeons.channels, Senders())
    sending.begin(tenant, tenant.store.claim(["deliver"], limit=9, lease=LEASE), tenant.clock() + LEASE)
    until(lambda: pigeons.sent, "the call")
    tenant.store.write(lambda tx: deliveries.mark(tx, {"coop-2": {"state": deliveries.DELIVERED}})).result()
    pigeons.let_go()
    while sending.claims:
        sending.wait()
        sending.put_down(tenant)

    assert pigeons.to("coop") == ["1", "3"]


def test_a_resume_while_a_row_of_calls_is_under_way_sends_none_of_them_again(tenant, pigeons):
    foreseen = by_name(msgspec.structs.replace(pigeons.channels["pigeon"], foresee=lambda *_: None))
    pigeons.held = {"coop"}
    add(tenant, pigeons, "coop")
    owe(tenant, "coop", *contents(4))
    sending = Sending(foreseen, Senders())
    sending.begin(tenant, tenant.store.claim(["deliver"], limit=9, lease=LEASE), tenant.clock() + LEASE)
    until(lambda: pigeons.sent, "the call")

    destinations.resume(tenant, foreseen["pigeon"], "coop", by="test")
    pigeons.let_go()
    while sending.claims:
        sending.wait()
        sending.put_down(tenant)
    sending.rest(tenant)
    drain(tenant, {"deliver": delivering(foreseen, Senders())})

    assert pigeons.to("coop") == contents(4)
    assert tenant.store.backlog() == []
