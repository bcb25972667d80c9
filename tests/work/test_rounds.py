"""Rounds of one tenant's work: steps share by time, deaths count for who was run, a clock put right locks nothing."""

from __future__ import annotations

from contextlib import contextmanager
from unittest.mock import patch

import pytest
import structlog

from lrs.composition.steps import STEPS, drain
from lrs.kernel.admission import OutcomeUnknown
from lrs.kernel.times import SECOND
from lrs.storage import Owed, Record
from lrs.work import rounds, under_way, worker
from lrs.work.rounds import Work, unlock
from lrs.work.step import Alone, Step, park
from tests.builders import tenant_in
from tests.conftest import START

pytestmark = pytest.mark.mongo_in_soak


@pytest.fixture
def tenant(tmp_path, store, clock):
    return tenant_in(tmp_path, store, clock)


@pytest.fixture
def stopwatch(monkeypatch):
    """What the rounds take for the time, in seconds; steps set it forward."""

    class Stopwatch:
        now = 1_000.0

        computed = 0.0

        def monotonic(self):
            return self.now

        def thread_time(self):
            return self.computed

    watch = Stopwatch()
    monkeypatch.setattr(rounds, "time", watch)
    return watch


def owe(tenant, step, *ids, due=0):
    def decide(tx):
        for id in ids:
            tx.insert(Record("thing", id, owed=(Owed(step, due),)))

    tenant.store.write(decide).result()


def settling(done, watch=None, seconds=0.0):
    """A step that settles what it gets; each entry takes *seconds*."""

    def run(tenant, claims):
        done.append([claim.record.id for claim in claims])
        if watch:
            watch.now += seconds * len(claims)
            watch.computed += seconds * len(claims)
        tenant.store.settle(claims, lambda _: None).result()

    return run


def in_turns(work):
    while (pause := work.turn()) is None or pause.claimed:
        pass


def test_a_batch_that_only_waited_its_turn_is_not_made_smaller_until_its_lease_is_in_danger(tenant, stopwatch):
    done = []

    def slow(seconds):
        def run(tenant, claims):
            stopwatch.now += seconds
            settling(done)(tenant, claims)

        return run

    owe(tenant, "busy", *(f"b{number}" for number in range(60)))
    in_turns(Work(tenant, {"busy": Step(slow(10), batch=20)}))
    assert [len(batch) for batch in done] == [20, 20, 20]
    done.clear()
    owe(tenant, "busier", *(f"c{number}" for number in range(35)))
    in_turns(Work(tenant, {"busier": Step(slow(16), batch=20)}))
    assert [len(batch) for batch in done] == [20, 10, 5]


def test_a_step_of_few_at_a_time_gets_as_much_time_as_one_with_a_long_queue(tenant, stopwatch):
    many, few = [], []
    owe(tenant, "many", *(f"m{number}" for number in range(200)))
    owe(tenant, "few", *(f"f{number}" for number in range(40)))
    work = Work(
        tenant,
        {
            "many": Step(settling(many, stopwatch, 0.01), batch=50),
            "few": Step(settling(few, stopwatch, 0.05), batch=4),
        },
    )

    while work.turn() is None:
        pass

    assert [len(batch) for batch in many] == [50]
    assert [len(batch) for batch in few] == [4, 4, 4]  # 0.2 s each, until they have used the 0.5 s of the other
    in_turns(work)
    assert (sum(map(len, many)), sum(map(len, few))) == (200, 40)


def whole_rounds(work, count):
    for _ in range(count):
        while work.turn() is None:
            pass


def test_a_step_with_a_share_gets_that_share_of_the_time_and_smaller_batches(tenant, stopwatch):
    read, told = [], []
    owe(tenant, "read", *(f"r{number}" for number in range(300)))
    owe(tenant, "told", *(f"t{number}" for number in range(100)))
    steps = {
        "read": Step(settling(read, stopwatch, 0.016), batch=50),
        "told": Step(settling(told, stopwatch, 0.022), batch=20, share=1 / 8),
    }
    work = Work(tenant, steps)

    whole_rounds(work, 4)
    early = [len(batch) for batch in told]
    whole_rounds(work, 1)

    assert [len(batch) for batch in read] == [50] * 5  # 0.8 s each, an eighth is 0.1
    assert (early, [len(batch) for batch in told]) == (
        [20],
        [20, 10],
    )  # 0.34 s too many


@pytest.mark.parametrize(("seconds", "found"), [(0.0008, [20, 10]), (0.0012, [20])])
def test_a_step_that_had_more_than_its_share_goes_on_where_a_round_is_not_busy(tenant, stopwatch, seconds, found):
    read, told = [], []
    owe(tenant, "read", *(f"r{number}" for number in range(100)))
    owe(tenant, "told", *(f"t{number}" for number in range(100)))
    steps = {
        "read": Step(settling(read, stopwatch, seconds), batch=50),
        "told": Step(settling(told, stopwatch, 0.022), batch=20, share=1 / 8),
    }
    work = Work(tenant, steps)

    whole_rounds(work, 2)
    busy = [len(batch) for batch in told]
    whole_rounds(work, 1)

    assert busy == found
    assert len(told) == len(found) + 1  # nothing was left to read


def test_a_step_waits_a_second_at_a_time_while_the_one_before_it_has_more_due(tenant, stopwatch):
    done = []
    owe(tenant, "sign", *(f"s{number}" for number in range(12)))
    owe(tenant, "tell", "t0", "t1", "t2")
    run = settling(done, stopwatch, 0.2)
    steps = {"sign": Step(run, batch=2), "tell": Step(run, after="sign")}

    in_turns(Work(tenant, steps))

    assert ["".join(sorted(id[0] for id in batch)) for batch in done] == [
        "ss",
        "ss",
        "ss",
        "ss",
        "t",
        "ss",
        "ss",
        "t",
        "t",
    ]
    owe(tenant, "sign", "s12")
    owe(tenant, "tell", "t3")
    done.clear()
    in_turns(Work(tenant, {"tell": steps["tell"]}))
    assert done == [["t3"]]


def test_where_nothing_is_short_each_step_has_one_batch_a_round_in_the_order_of_the_steps(tenant, stopwatch):
    done = []
    owe(tenant, "first", "a", "b")
    owe(tenant, "second", "c", "d", "e")
    run = settling(done, stopwatch, 0.001)
    work = Work(tenant, {"first": Step(run, batch=10), "second": Step(run, batch=2)})

    while (pause := work.turn()) is None:
        pass

    assert [sorted(batch) for batch in done[:1]] == [["a", "b"]]
    assert [len(batch) for batch in done] == [2, 2]
    assert pause == rounds.Pause(4, 0.0)  # one was full: there may be more
    stopwatch.now += 0.01
    while (pause := work.turn()) is None:
        pass
    assert (pause.claimed, round(pause.seconds, 3)) == (1, 0.049)


def test_a_batch_that_took_too_long_is_followed_by_a_smaller_one_and_quick_ones_grow_again(tenant, stopwatch):
    done = []
    owe(tenant, "heavy", *(f"h{number}" for number in range(100)))
    work = Work(tenant, {"heavy": Step(settling(done, stopwatch, 0.2), batch=20)})

    in_turns(work)

    assert [len(batch) for batch in done][:4] == [20, 10, 5, 5]
    done.clear()
    owe(tenant, "light", *(f"l{number}" for number in range(100)))
    quick = Work(tenant, {"light": Step(settling(done, stopwatch, 0.001), batch=20)})
    quick._limits["light"] = 5  # noqa: SLF001 (as a slow one has left it)
    in_turns(quick)
    assert [len(batch) for batch in done][:3] == [5, 10, 20]


class Ended(BaseException):
    """The process ended here."""


def deadly(ran, *guilty):
    """A step during which the process ends whenever one of *guilty* is among the claims."""

    def run(tenant, claims):
        ids = [claim.record.id for claim in claims]
        ran.append(sorted(ids))
        if set(ids) & set(guilty):
            raise Ended
        tenant.store.settle(claims, lambda _: None).result()

    return run


def live(tenant, steps):
    """One life of a worker, in a process of which nothing is left; whether it ended badly."""
    with own_process():
        try:
            in_turns(Work(tenant, steps))
        except Ended:
            return True
    return False


@contextmanager
def own_process():
    """As in a process that runs nothing else: what other tests left unfinished in this one is none of its business."""
    alone = Alone()
    with patch.object(rounds, "ALONE", alone), patch.object(under_way, "ALONE", alone):
        yield


@pytest.fixture(autouse=True)
def process_of_its_own():
    with own_process():
        yield


def test_after_a_death_entries_are_run_one_by_one_and_only_the_guilty_one_is_put_aside(tenant, clock):
    ran = []
    innocent = [f"i{number}" for number in range(9)]
    owe(tenant, "step", "guilty", *innocent)
    steps = {"step": Step(deadly(ran, "guilty"), batch=10)}

    deaths = 0
    for _ in range(14):
        deaths += live(tenant, steps)
        clock.forward(seconds=61)

    ((record, owed),) = tenant.store.parked()
    assert (record.id, owed.error) == ("guilty", "its worker ended 10 times while it was run")
    assert deaths == 11  # with all of them, and ten times by itself
    assert ran[0] == sorted(["guilty", *innocent])
    assert {len(batch) for batch in ran[1:]} == {1}
    assert sorted(batch[0] for batch in ran[1:] if batch != ["guilty"]) == innocent
    assert [(one.waiting, one.parked) for one in tenant.store.backlog()] == [(0, 1)]


def test_what_comes_after_a_death_is_not_run_beside_what_died_and_does_not_wait_for_it(tenant, clock):
    ran = []
    owe(tenant, "step", "guilty", "innocent")
    steps = {"step": Step(deadly(ran, "guilty"), batch=10)}
    live(tenant, steps)
    clock.forward(seconds=61)
    owe(tenant, "step", "new", "newer")

    live(tenant, steps)

    assert ran[1] == ["new", "newer"]
    assert ["guilty", "innocent"] not in ran[1:]


def test_while_one_that_died_is_run_no_other_is_in_this_process(tenant, clock):
    ran = []
    owe(tenant, "step", "a", "b")
    tenant.store.claim(["step"], limit=2, lease=SECOND)
    clock.forward(seconds=2)

    def nested(tenant, claims):
        ran.append([claim.record.id for claim in claims])
        in_turns(Work(tenant, {"step": Step(settling(ran))}))  # as another lane would
        tenant.store.settle(claims, lambda _: None).result()

    in_turns(Work(tenant, {"step": Step(nested)}))

    assert sorted(ran) == [["a"], ["b"]]


class Elsewhere:
    """Something that goes on aside, and has ended as soon as it is waited for."""

    def __init__(self):
        self.claims, self._ended, self.began = [], [], []

    def room(self, _):
        return 1, ()

    def begin(self, _, claims, __):
        self.claims += claims
        self.began += [claim.record.id for claim in claims]
        return ()

    def put_down(self, tenant):
        if self._ended:
            tenant.store.settle(self._ended, lambda _: None).result()
            self.claims, self._ended = [], []
        return ()

    def rest(self, tenant):
        pass

    def release(self, tenant):
        pass

    def wait(self):
        self._ended = list(self.claims)


def test_what_waited_for_one_that_died_and_goes_on_aside_is_done_before_the_drain_ends(tenant, clock):
    ran, elsewhere = [], Elsewhere()
    owe(tenant, "step", "a", "b")
    owe(tenant, "aside", "c")
    for step in ("step", "aside"):
        tenant.store.claim([step], limit=2, lease=SECOND)
    clock.forward(seconds=2)

    worker.drain(tenant, {"step": Step(settling(ran)), "aside": Step(aside=lambda _: elsewhere)})

    assert elsewhere.began == ["c"]
    assert sorted(ran) == [["a"], ["b"]]
    assert not any(one.waiting for one in tenant.store.backlog())


def test_what_kills_every_worker_that_begins_it_aside_is_put_aside_too(tenant, clock):
    class Deadly(Elsewhere):
        def begin(self, *_):
            raise Ended

    owe(tenant, "aside", "guilty")
    steps = {"aside": Step(aside=lambda _: Deadly())}

    deaths = 0
    for _ in range(14):
        deaths += live(tenant, steps)
        clock.forward(seconds=61)

    ((record, owed),) = tenant.store.parked()
    assert (record.id, owed.error) == ("guilty", "its worker ended 10 times while it was run")
    assert deaths == 11  # begun with what was due, and ten times by itself


def test_a_step_may_have_its_own_way_to_give_one_up(tenant, clock):
    given_up = []

    def give_up(tenant, claim, reason):
        given_up.append((claim.record.id, reason))
        park(tenant, claim, reason)

    def fail(_tenant, _claims):
        raise ValueError("no")

    owe(tenant, "step", "a")
    work = Work(tenant, {"step": Step(fail, tries=2, give_up=give_up)})
    in_turns(work)
    clock.forward(seconds=60)
    in_turns(work)

    assert given_up == [("a", "ValueError: no")]
    assert [record.id for record, _ in tenant.store.parked()] == ["a"]


def test_what_a_clock_that_was_ahead_has_locked_is_done_once_it_is_right(tenant, clock):
    done = []
    steps = {"step": Step(settling(done), planned=None)}
    for id in ("leased", "failed"):
        owe(tenant, "step", id)
    owe(tenant, "step", "planned", due=START + 2 * 365 * 86_400 * SECOND)
    work = Work(tenant, steps)
    clock.forward(seconds=86_400)
    for claim in tenant.store.claim(["step"], limit=2, lease=60 * SECOND):
        if claim.record.id == "failed":
            tenant.store.defer(claim, due=clock.now + 3_600 * SECOND, error="503")
    in_turns(work)
    assert done == []

    clock.forward(seconds=-86_400)
    with structlog.testing.capture_logs() as logged:
        in_turns(work)

    assert sorted(id for batch in done for id in batch) == ["failed", "leased"]
    assert [(line["step"], line["count"]) for line in logged] == [("step", 2)]
    assert unlock(tenant, steps) == {}


def test_the_steps_lie_no_further_ahead_than_their_leases_and_their_waits():
    day = 86_400 * SECOND
    skew = 600 * SECOND
    ahead = {name: step.ahead for name, step in STEPS.items()}

    assert (ahead["match"].lease, ahead["match"].tried, ahead["match"].untried) == (
        120 * SECOND,
        2 * 3_600 * SECOND + skew,
        skew,
    )
    assert ahead["issue"] == ahead["refs"] == ahead["match"]
    assert ahead["evaluate"].untried is ahead["sync"].untried is None  # the end of a validity, of a consent
    assert (ahead["deliver"].lease, ahead["deliver"].untried) == (360 * SECOND, 10 * day + skew)
    assert ahead["deliver"].tried == round(1.1 * day) + skew


def test_a_drain_frees_what_is_locked_too(tenant, clock):
    owe(tenant, "refs", "a")
    clock.forward(seconds=86_400)
    tenant.store.claim(["refs"], limit=1, lease=60 * SECOND)
    clock.forward(seconds=-86_400)

    drain(tenant, ("refs",))

    assert tenant.store.backlog() == []


def test_what_comes_before_a_step_is_done_once_and_again_only_where_it_failed(tenant):
    called = []

    def first(tenant):
        called.append(tenant.id)
        if len(called) == 1:
            raise OSError("busy")

    work = Work(tenant, {"step": Step(settling([]), first=first)})
    with pytest.raises(OSError, match="busy"):
        work.turn()

    assert [work.turn() is None for _ in range(4)] == [False] * 4
    assert called == ["default", "default"]


@pytest.mark.parametrize("batch", [1, 2])
def test_a_step_that_fails_after_it_was_settled_is_not_given_up(tenant, batch):
    given_up = []

    def run(tenant, claims):
        tenant.store.settle(claims, lambda _: None).result()
        raise OutcomeUnknown

    step = Step(run, batch, tries=1, give_up=lambda _, claim, reason: given_up.append((claim.record.id, reason)))
    owe(tenant, "evaluate", "a", "b")

    in_turns(Work(tenant, {"evaluate": step}))

    assert given_up == []
    assert tenant.store.backlog() == []


def test_what_goes_on_aside_is_leased_and_told_until_when_as_its_step_says(tenant, clock):
    told, elsewhere = [], Elsewhere()
    begin = elsewhere.begin
    elsewhere.begin = lambda tenant, claims, until: told.append(until - clock.now) or begin(tenant, claims, until)
    steps = {"aside": Step(aside=lambda _: elsewhere, lease=30)}
    owe(tenant, "aside", "lost", "new")
    tenant.store.claim(["aside"], limit=1, lease=SECOND)
    clock.forward(seconds=2)

    Work(tenant, steps, [list(steps)]).turn()

    assert (sorted(elsewhere.began), told) == (["lost", "new"], [30 * SECOND] * 2)
    clock.forward(seconds=29)
    assert tenant.store.claim_lost(["aside"], lease=SECOND) is None
    clock.forward(seconds=1)
    assert tenant.store.claim_lost(["aside"], lease=SECOND) is not None


def test_what_cannot_be_begun_or_stored_aside_stays_owed_with_the_reason(tenant):
    elsewhere = Elsewhere()
    elsewhere.begin = lambda _tenant, claims, _until: [(claim, ValueError("no place")) for claim in claims]
    steps = {"aside": Step(aside=lambda _: elsewhere)}
    owe(tenant, "aside", "a")

    Work(tenant, steps, [list(steps)]).turn()

    ((record, owed),) = tenant.store.failing()
    assert (record.id, owed.tries, "ValueError" in owed.error) == ("a", 1, True)
