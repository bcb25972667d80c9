"""A tenant is looked at when something may be due for it, and no work is missed, whoever writes or dies when."""

from concurrent.futures import Future

import pytest

from lrs.kernel.errors import StoreFull
from lrs.kernel.settings import Settings
from lrs.kernel.times import SECOND
from lrs.storage import Owed, Record, first_seq, open_store
from lrs.tenancy.due import AGAIN, KIND, LINGER, NEVER, DueIndex
from lrs.tenancy.open_tenants import Tenants


@pytest.fixture
def register(tmp_path, clock):
    opened = open_store(f"sqlite:///{tmp_path}/control.db", clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def due(register, clock):
    return DueIndex(register, clock)


def test_a_tenant_that_was_noted_is_due_and_stays_so_for_a_while_though_nothing_is_found(due, clock):
    due.mark("a")

    assert due.tenants() == ["a"]
    clock.now += LINGER - SECOND
    assert due.rest("a", lambda: None) is False
    assert due.tenants() == ["a"]


def test_a_tenant_at_rest_is_left_out_until_it_is_noted_again(due, clock):
    due.mark("a")
    clock.now += LINGER

    assert due.rest("a", lambda: None) is True
    assert due.tenants() == []
    due.mark("a")

    assert due.tenants() == ["a"]


def test_a_tenant_comes_back_at_the_time_of_what_it_owes_ahead(due, clock):
    due.mark("a")
    clock.now += LINGER
    later = clock.now + 3_600 * SECOND

    assert due.rest("a", lambda: later) is True
    assert due.tenants() == []
    clock.now = later

    assert due.tenants() == ["a"]


def test_a_tenant_that_owes_something_now_does_not_rest(due, clock):
    due.mark("a")
    clock.now += LINGER

    assert due.rest("a", lambda: 0) is False
    assert due.tenants() == ["a"]


def test_what_is_committed_between_the_two_looks_of_a_worker_is_found_by_the_second(due, clock):
    due.mark("a")
    clock.now += LINGER
    looks = iter([None, 0])

    assert due.rest("a", lambda: next(looks)) is False
    assert due.tenants() == ["a"]


def test_a_note_that_comes_after_the_second_look_is_not_overwritten_by_what_that_saw(due, clock):
    due.mark("a")
    clock.now += LINGER
    looks = []

    def next_due():
        looks.append(1)
        if len(looks) == 2:  # committed and noted a moment after this look
            due.mark("a")

    assert due.rest("a", next_due) is False
    assert due.tenants() == ["a"]


def test_a_worker_that_dies_between_its_looks_leaves_a_look_a_minute_later(due, clock):
    due.mark("a")
    clock.now += LINGER
    looks = []

    def next_due():
        looks.append(1)
        if len(looks) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        due.rest("a", next_due)

    assert due.tenants() == []
    clock.now += AGAIN
    assert due.tenants() == ["a"]


def test_a_note_that_was_not_kept_is_made_again_with_the_next_commit(due, register, monkeypatch):
    lost = Future()
    with monkeypatch.context() as patched:
        patched.setattr(register, "write", lambda _: lost)
        due.note("a")
        due.note("a")  # within the seconds for which one note does
    lost.set_exception(StoreFull("the disk is full"))

    due.note("a")

    register.write(lambda _: None).result()
    assert due.tenants() == ["a"]


def test_a_tenant_that_rests_costs_no_write(due, register, clock):
    due.mark("a")
    clock.now += LINGER
    due.rest("a", lambda: None)
    commits = register.load().commits

    assert due.rest("a", lambda: None) is True
    assert due.rest("never heard of", lambda: None) is True

    assert register.load().commits == commits


def test_a_process_that_noted_a_tenant_a_moment_ago_does_not_write_it_again(due, register):
    due.note("a")
    due.note("a")
    register.write(lambda _: None).result()

    assert register.get(KIND, "a").rev == 1


def test_what_upkeep_commits_makes_no_tenant_due(due, register):
    due.hush("a")
    due.note("a")
    register.write(lambda _: None).result()

    assert due.tenants() == []


def test_a_note_that_could_not_be_kept_is_made_by_the_next_commit(due, register, clock, tmp_path):
    register.close()
    due.note("a")
    again = open_store(f"sqlite:///{tmp_path}/control.db", clock=clock)
    due._store = again  # noqa: SLF001 (as if the same one had come back)

    due.note("a")
    again.write(lambda _: None).result()

    assert due.tenants() == ["a"]
    again.close()


def test_an_entry_that_a_clock_put_a_day_ahead_is_due_again_with_the_next_note(due, clock):
    clock.now += 86_400 * SECOND
    due.mark("a")
    clock.now -= 86_400 * SECOND
    assert due.tenants() == []

    due.mark("a")

    assert due.tenants() == ["a"]


def test_entries_of_a_thousand_and_more_tenants_are_all_found(due, register, clock):
    def decide(tx):
        for number in range(1_001):
            tx.insert(Record(KIND, f"t{number}", meta={"noted": clock.now}, seq=first_seq(clock.now)))
        tx.insert(Record(KIND, "resting", meta={"noted": 0}, seq=NEVER))

    register.write(decide).result()

    assert sorted(due.tenants()) == sorted(f"t{number}" for number in range(1_001))


def test_whatever_is_committed_to_a_tenants_store_makes_it_due(tmp_path):
    tenants = Tenants(Settings(data=tmp_path))
    tenants.control.add("a")
    with tenants.hold("a") as tenant:
        tenants.control.due.clear("a")
        tenants.control.due._noted.clear()  # noqa: SLF001 (as if the seconds had passed)
        assert tenants.due() == []

        tenant.store.write(lambda tx: tx.insert(Record("statement", "s", owed=(Owed("refs"),)))).result()
        tenants.control.store.write(lambda _: None).result()

    assert tenants.due() == ["a"]
    tenants.close()


def test_a_worker_that_finds_nothing_closes_the_tenant(tmp_path, clock):
    tenants = Tenants(Settings(data=tmp_path), clock)
    with tenants.hold("default"):
        pass
    clock.now += LINGER + SECOND

    assert tenants.rest("default", ["refs"]) is True

    assert not tenants.opened("default")
    tenants.close()


@pytest.mark.parametrize(("owed", "expected"), [((), None), ((Owed("refs"),), 0), ((Owed("refs", 5),), 5)])
def test_a_store_tells_when_the_first_of_some_steps_is_due(store, owed, expected):
    store.write(lambda tx: tx.insert(Record("statement", "a", owed=owed))).result()

    assert store.next_due(["refs", "match"]) == expected
    assert store.next_due([]) is None


def test_a_lease_is_due_when_it_ends_and_what_was_put_aside_never(store, clock):
    store.write(lambda tx: tx.insert(Record("statement", "a", owed=(Owed("refs"),)))).result()
    (claim,) = store.claim(["refs"], limit=1, lease=7)
    assert store.next_due(["refs"]) == clock.now + 7

    store.defer(claim, due=0, error="no", parked=True)

    assert store.next_due(["refs"]) is None


def test_a_tenant_that_is_due_is_not_put_off_by_the_note_of_a_clock_that_is_ahead(due, clock):
    due.mark("a")
    clock.now += 10 * SECOND
    due.mark("a")
    clock.now -= 10 * SECOND

    assert due.tenants() == ["a"]
