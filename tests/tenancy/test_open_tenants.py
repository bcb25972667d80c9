"""Tenants are opened when somebody asks, held while they are used, and closed when nobody has used them for a while."""

import threading
from contextlib import suppress
from pathlib import Path

import pytest

from lrs.kernel.errors import Refused
from lrs.kernel.settings import Settings
from lrs.tenancy.open_tenants import Tenants


@pytest.fixture
def tenants(tmp_path):
    opened = Tenants(Settings(data=tmp_path, open_tenants=2))
    for name in ("a", "b", "c", "d"):
        opened.control.add(name)
    yield opened
    opened.close()


def names_open(tenants):
    return [name for name in tenants.control.tenants() if tenants.opened(name)]


def test_a_look_at_every_tenant_leaves_none_open_but_those_that_were(tenants):
    kept = tenants.take("b")

    assert [tenant.id for tenant in tenants.each()] == ["default", "a", "b", "c", "d"]

    assert names_open(tenants) == ["b"]
    tenants.give_back(kept)


def test_of_more_than_may_stay_open_the_longest_unused_is_closed_and_never_one_that_is_held(tenants):
    for name in ("b", "c"):
        with tenants.hold(name):
            pass
    held = tenants.take("a")
    with tenants.hold("d"):
        pass

    tenants.trim()

    assert names_open(tenants) == ["a", "d"]
    assert held.store.get("key", "none") is None
    tenants.give_back(held)


def test_to_open_one_more_than_may_stay_open_closes_one_that_nobody_holds(tenants):
    with tenants.hold("a"):
        pass
    for name in ("b", "c"):
        tenants.take(name)

    assert names_open(tenants) == ["b", "c"]


def test_who_only_looked_closes_nothing_that_somebody_took_meanwhile(tenants):
    with tenants.look("a"):
        held = tenants.take("a")

    assert names_open(tenants) == ["a"]
    assert held.store.get("key", "none") is None
    tenants.give_back(held)


def test_a_tenant_that_was_not_used_for_a_minute_is_closed_and_opened_again_on_demand(tenants):
    with tenants.hold("a") as first:
        pass
    tenants.trim()
    assert names_open(tenants) == ["a"]

    tenants.trim(idle=0.0)

    assert names_open(tenants) == []
    with tenants.hold("a") as second:
        assert second is not first
        assert second.store.get("key", "none") is None


def test_a_tenant_of_which_there_is_none_is_404_whatever_its_name_looks_like(tenants):
    for name in ("nobody", "UPPER", "../a", ""):
        with pytest.raises(Refused) as refused, tenants.hold(name):
            pass
        assert (refused.value.status, refused.value.error) == (404, "not_found")


def test_many_threads_that_hold_open_and_close_at_once_never_meet_a_closed_store(tenants):
    failed = []

    def work():
        try:
            for turn in range(40):
                with tenants.hold("abcd"[turn % 4]) as tenant:
                    assert tenant.store.get("key", "none") is None
                tenants.trim(idle=0.0)
        except BaseException as error:  # noqa: BLE001 (told in the test's own thread)
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    tenants.trim(idle=0.0)
    assert names_open(tenants) == []


def test_a_tenant_that_is_closed_leaves_no_file_and_no_thread(tenants, tmp_path):
    before = set(threading.enumerate())  # those of other tests may end meanwhile
    with tenants.hold("a") as tenant:
        tenant.store.write(lambda _: None).result()
        tenant.store.get("key", "none")
        while_open = open_below(tmp_path)

    tenants.trim(idle=0.0)

    assert set(threading.enumerate()) <= before
    assert while_open != [] or not FILES.exists()
    assert [path for path in open_below(tmp_path) if "control" not in path] == []


FILES = Path("/proc/self/fd")


def open_below(folder):
    """The files below *folder* that this process has open; none where the system does not tell."""
    found = []
    for one in FILES.iterdir() if FILES.exists() else ():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.append(str(one.readlink()))
    return [path for path in found if path.startswith(str(folder))]


def test_what_the_writers_did_is_still_counted_after_they_were_closed(tenants):
    with tenants.hold("a") as tenant:
        tenant.store.write(lambda _: None).result()
    done = sum(load.decisions for load in tenants.loads())

    tenants.trim(idle=0.0)

    assert done > 0
    assert sum(load.decisions for load in tenants.loads()) == done


def test_tenants_that_rest_are_neither_open_nor_due_after_a_start_and_a_walk(tmp_path):
    """The small twin of the soak row with a thousand: what is open does not grow with how many there are."""
    tenants = Tenants(Settings(data=tmp_path))
    for number in range(20):
        tenants.control.add(f"t{number}")
    tenants.start()  # makes the stores, which notes them
    for name in tenants.control.tenants():
        tenants.control.due.clear(name)
    files = Path("/proc/self/fd")
    before = len(list(files.iterdir())) if files.exists() else 0

    tenants.start()
    assert len(list(tenants.each())) == 21

    assert names_open(tenants) == []
    assert tenants.due() == []
    assert not before or len(list(files.iterdir())) <= before
    tenants.close()
