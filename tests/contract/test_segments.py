"""Search keys in segments: whatever is merged, whenever it stops, every walk gives the same (see ``merge``)."""

from __future__ import annotations

import random
import shutil
import sqlite3
import threading
import time
from contextlib import closing, nullcontext

import msgspec
import pytest
from structlog.testing import capture_logs

from lrs.kernel.errors import Damaged
from lrs.storage import Record, Walk, first_seq
from lrs.storage.sqlite.keys import SegmentSizes
from lrs.storage.sqlite.merge import LONGEST_S, PACE, Merging, merge_step
from lrs.storage.sqlite.read import SqliteReader
from lrs.storage.sqlite.store import SqliteStore
from tests.contract.acts import WAIT, ids, insert, walk
from tests.contract.merging import MergedByHand

SMALL = SegmentSizes(entries=12, fan_out=2, step=8)
ALL, EVEN, RARE = 1, 2, 3


@pytest.fixture
def store(tmp_path, clock):
    opened = MergedByHand(f"{tmp_path}/lrs.db", clock=clock, segments=SMALL)
    yield opened
    opened.close()


def fill(store, count, start=0):
    """Records with the key ``ALL``, every second one with ``EVEN``, every tenth with ``RARE``, and one of their own."""
    for n in range(start, start + count):
        keys = (ALL, *([EVEN] if n % 2 == 0 else []), *([RARE] if n % 10 == 0 else []), 1_000 + n)
        insert(store, f"{n:03}", body=b"%d" % n, keys=keys)


WALKS = [
    Walk("thing", keys, newest_first=newest, limit=37)
    for keys in ((ALL,), (RARE, EVEN), (EVEN, ~RARE))
    for newest in (False, True)
]


def told(store):
    """What every walk, count and joined page gives."""
    walks = [ids(walk(store, each.keys, newest_first=each.newest_first, limit=each.limit)) for each in WALKS]
    joined = [store.joined(each).bodies for each in WALKS if len(each.keys) == 1]
    return walks, [store.count("thing", each.keys) for each in WALKS], joined


def expected(count):
    names = [f"{n:03}" for n in range(count)]
    even, rare = names[::2], names[::10]
    by_keys = [names, rare, [name for name in even if name not in rare]]
    walks = [found if not newest else found[::-1] for found in by_keys for newest in (False, True)]
    joined = [b",".join(b"%d" % int(name) for name in found[:37]) for found in walks[:2]]
    return walks, [len(found) for found in walks], joined


def segments(store):
    return store.table("SELECT level FROM segment ORDER BY first")


def test_a_walk_gives_the_same_before_and_after_every_step_of_a_merge(store):
    fill(store, 60)
    steps = 0
    before = told(store)

    while store.merge():
        steps += 1
        assert told(store) == before

    assert before == expected(60)
    assert steps > 30
    assert [level for (level,) in segments(store)] == [3, 2, 0]
    assert store.table("SELECT count(*) FROM segment_key") == [(60 + 30 + 6 + 60,)]
    assert store.table("SELECT * FROM merged") == store.table("SELECT * FROM merge") == []
    assert store.mend_keys() == 0


def test_a_walk_between_two_places_misses_nothing_whatever_is_merged(store):
    fill(store, 40)
    names, places = [f"{n:03}" for n in range(40)], [record.seq for record in walk(store, (ALL,))]

    def found(first, last, newest):
        asked = Walk("thing", (ALL,), places[first], places[last], newest_first=newest)
        return ids(store.find(asked).records)

    while True:
        for first, last in ((0, 39), (11, 12), (12, 30), (29, 39), (39, 39)):
            assert found(first, last, newest=False) == names[first + 1 : last + 1]
            assert found(first, last, newest=True) == names[first + 1 : last + 1][::-1]
        if not store.merge():
            break


def test_a_walk_from_a_place_on_does_not_ask_the_segments_before_it(store, tmp_path):
    def steps():
        newest = store.find(Walk("thing", (ALL,), newest_first=True, limit=1)).records[0].seq
        made = []
        with closing(sqlite3.connect(tmp_path / "lrs.db")) as connection:
            connection.set_progress_handler(lambda: made.append(1), 1)
            assert SqliteReader(connection).find(Walk("thing", (ALL,), newest)).records == ()
        return len(made)

    fill(store, 12)
    few = steps()
    fill(store, 240, 12)

    assert len(segments(store)) > 20
    assert steps() < few + 20


def test_records_of_a_segment_that_is_merged_are_changed_moved_and_deleted_and_the_merge_keeps_it(store):
    fill(store, 30)
    chosen = random.Random(1)
    alive = {f"{n:03}": (ALL,) for n in range(30)}
    while store.merge() or len(alive) > 20:
        name = chosen.choice(sorted(alive))
        act = chosen.choice(["delete", "keys", "move"])
        if act == "delete":
            store.write(lambda tx, name=name: tx.delete("thing", name)).result(WAIT)
            del alive[name]
        else:
            keys = (ALL, 7) if act == "keys" else (ALL,)

            def change(tx, name=name, keys=keys, place=0 if act == "move" else None):
                old = tx.get("thing", name)
                tx.replace(msgspec.structs.replace(old, keys=keys, seq=old.seq if place is None else place))

            store.write(change).result(WAIT)
            alive[name] = keys

        found = walk(store, (ALL,))
        assert sorted(ids(found)) == sorted(alive)
        assert [record.seq for record in found] == sorted(record.seq for record in found)
        assert sorted(ids(walk(store, (7,)))) == sorted(name for name, keys in alive.items() if 7 in keys)
        assert store.count("thing", (EVEN,)) == len(walk(store, (EVEN,)))

    assert store.mend_keys() == 0


class Killed(BaseException):
    """The process is gone."""


class Dying:
    """A connection that ends its process at its statement number *lives*: before it, or just *after* it."""

    def __init__(self, connection, lives, *, after):
        self._connection, self._lives, self._after = connection, lives, after

    def execute(self, *asked):
        self._lives -= 1
        if self._lives < 0 and not self._after:
            raise Killed
        done = self._connection.execute(*asked)
        if self._lives < 0:
            raise Killed
        return done

    @property
    def in_transaction(self):
        return False  # a process that is gone rolls nothing back


def test_a_kill_before_or_after_any_statement_of_a_merge_loses_nothing_and_the_next_process_goes_on(tmp_path, clock):
    sizes = SegmentSizes(entries=6, fan_out=2, step=8)
    made = MergedByHand(f"{tmp_path}/made.db", clock=clock, segments=sizes)
    fill(made, 11)
    before = told(made)
    made.close()
    lives, is_killed = 0, True
    while is_killed:
        path = tmp_path / "lrs.db"
        shutil.copy(tmp_path / "made.db", path)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            is_killed = dies_merging(connection, sizes, lives)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            assert told(SqliteReader(connection)) == before
            while lives % 5 == 0 and merge_step(connection, sizes):
                assert told(SqliteReader(connection)) == before
        lives += 1

    again = MergedByHand(str(path), clock=clock, segments=sizes)
    assert segments(again)[0] > (1,)
    assert (told(again), again.mend_keys()) == (before, 0)
    again.close()
    assert lives > 50


def dies_merging(connection, sizes, lives):
    """Merges until all is done, or the process ends at its statement number *lives*; whether it did.

    Whoever closes *connection* then leaves what a kill leaves: what was not committed is gone.
    """
    merging = Merging(Dying(connection, lives, after=lives % 2 == 0), nullcontext(), sizes, lambda error: error)
    try:
        while merging.step():
            pass
    except Killed:
        return True
    return False


def test_two_processes_that_merge_in_turns_do_each_step_once(store, tmp_path, clock):
    fill(store, 40)
    other = MergedByHand(f"{tmp_path}/lrs.db", clock=clock, segments=SMALL)
    before, steps = told(store), 0

    while store.merge() and other.merge():
        steps += 2
        assert told(other) == before
        fill(other, 1, start=500 + steps)
        other.write(lambda tx, n=500 + steps: tx.delete("thing", f"{n:03}")).result(WAIT)

    assert told(store) == told(other) == before
    assert steps > 20
    assert store.mend_keys() == 0
    other.close()


def test_a_reader_that_began_before_a_merge_reads_on_as_it_was_and_pages_on_after_it(store):
    fill(store, 60)
    first = store.find(Walk("thing", (ALL,), limit=7))
    reader = store._reader().connection  # noqa: SLF001 (one question that is answered while others merge)
    half = reader.execute("SELECT f.row FROM segment s CROSS JOIN segment_key f ON f.segment = s.number AND f.key = 1")
    begun = half.fetchmany(5)

    assert store.merge_all() > 30

    assert len(begun) + len(half.fetchall()) == 60
    rest = walk(store, (ALL,), limit=7, start=first.next)
    assert ids(first.records) + ids(rest) == expected(60)[0][0]


def test_clocks_that_jump_and_places_in_past_and_future_leave_one_order(store, clock):
    now = clock.now
    for n, jump in enumerate((0, 3_600, -86_400, 7_200, -60) * 8):
        clock.forward(seconds=jump)
        insert(store, f"{n:03}", keys=(ALL,))
        store.merge()
    insert(store, "past", keys=(ALL,), seq=5)
    insert(store, "future", keys=(ALL,), seq=first_seq(now + 10**12))
    fill(store, 40, start=100)
    while store.merge():
        assert ids(walk(store, (ALL,)))[-1] == "future"
    late = [record.seq for record in walk(store, (ALL,))]
    clock.now = now + 2 * 10**12
    fill(store, 40, start=200)
    store.merge_all()

    found = walk(store, (ALL,))

    assert late == sorted(late)
    assert ids(found) == [
        "past",
        *(f"{n:03}" for n in (*range(40), *range(100, 140))),
        "future",
        *(f"{n:03}" for n in range(200, 240)),
    ]
    assert store.count("thing", (ALL,)) == 122
    assert segments(store)[0] > (2,), "places that were to come must not keep segments from being merged for ever"
    assert store.mend_keys() == 0


def test_one_key_for_everything_is_merged_in_steps_of_bounded_size(store):
    store.write(lambda tx: [tx.insert(Record("thing", f"{n:03}", keys=(ALL,))) for n in range(100)]).result(WAIT)
    store.write(lambda tx: [tx.insert(Record("thing", f"{n:03}", keys=(ALL,))) for n in range(100, 200)]).result(WAIT)
    done = []

    while step := store.merge():
        done.append(step)

    assert max(done) <= SMALL.step + 1
    assert ids(walk(store, (ALL,), limit=50)) == [f"{n:03}" for n in range(200)]


def test_a_full_disk_during_a_merge_leaves_reads_and_small_writes_and_it_goes_on_when_there_is_room(tmp_path, clock):
    sizes = SegmentSizes(entries=1_000, fan_out=2, step=10_000)
    store = MergedByHand(f"{tmp_path}/lrs.db", clock=clock, segments=sizes)
    for start in (0, 300):
        some = [Record("thing", f"{start + n:03}", keys=(ALL, *range(9_000, 9_009))) for n in range(300)]
        store.write(lambda tx, some=some: [tx.insert(one) for one in some]).result(WAIT)
    connection = store._writer.connection  # noqa: SLF001 (the disk is as full as SQLite is told)
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 3}")
    merging = store._merging  # noqa: SLF001
    merging.wrote(1, began=True)

    with capture_logs() as logs:
        merging.run(lambda: False)
        merging.wrote(1, began=True)
        merging.run(lambda: False)

    assert [one["event"] for one in logs if "merged" in one["event"]] == [
        "search keys could not be merged: they are found, but queries get slower; it is tried again"
    ]
    assert segments(store) == [(0,), (0,), (0,)]
    assert insert(store, "small", keys=(ALL,)).rev == 1
    assert len(walk(store, (ALL,), limit=100)) == 601
    connection.execute("PRAGMA max_page_count = 1073741823")
    merging.wrote(1, began=True)
    merging.run(lambda: False)
    assert segments(store) == [(1,), (0,)]
    assert len(walk(store, (ALL,), limit=100)) == 601
    store.close()


def test_an_error_that_is_not_sqlites_ends_neither_the_writer_nor_the_promise_to_merge(tmp_path, clock, monkeypatch):
    store = SqliteStore(f"{tmp_path}/lrs.db", clock=clock, segments=SMALL)
    steps = []

    def broken(*_):
        steps.append(1)
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr("lrs.storage.sqlite.merge.merge_step", broken)
        fill(store, 30)
    fill(store, 30, start=30)
    store.close()

    assert steps
    again = MergedByHand(f"{tmp_path}/lrs.db", clock=clock, segments=SMALL)
    assert segments(again)[0] > (0,)
    assert told(again) == expected(60)
    again.close()


def test_merging_takes_turns_with_decisions_that_wait_and_goes_on_by_itself_when_none_does(store, monkeypatch):
    fill(store, 60)
    merging = Merging(store._writer.connection, store._turn, SMALL, lambda error: error)  # noqa: SLF001
    seconds = iter(range(10_000))
    monkeypatch.setattr(time, "monotonic", lambda: next(seconds) * LONGEST_S / 3)

    merging.wrote(0, began=True)
    merging.run(lambda: True)
    assert segments(store)[0] == (0,)
    assert store.table("SELECT * FROM merge") == []  # nothing was written, so it is not its turn

    merging.wrote(1, began=False)
    merging.run(lambda: True)
    copied = store.table("SELECT count(*) FROM segment_key")[0][0] - 156
    assert 0 < copied <= PACE + SMALL.step  # no more than its share, nor longer than it may
    merging.run(lambda: False)
    assert merge_step(store._writer.connection, SMALL) == 0  # noqa: SLF001 (all is done)
    assert told(store) == expected(60)


def test_writers_that_never_pause_are_kept_up_with(tmp_path, clock, monkeypatch):
    monkeypatch.setattr("lrs.storage.sqlite.merge.LONGEST_S", 60.0)  # on a busy machine one step takes its time
    store = SqliteStore(f"{tmp_path}/lrs.db", clock=clock, segments=SegmentSizes(entries=20, fan_out=2, step=20))

    def busy(name):
        for n in range(60):
            insert(store, f"{name}-{n}", keys=(ALL, n, 1_000 + n, 2_000 + n))

    threads = [threading.Thread(target=busy, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    most = 0
    while any(thread.is_alive() for thread in threads):
        most = max(most, store._reader().connection.execute("SELECT count(*) FROM segment").fetchone()[0])  # noqa: SLF001
    store.close()

    assert most <= 16
    with sqlite3.connect(tmp_path / "lrs.db") as connection:
        assert connection.execute("SELECT count(*) FROM segment").fetchone()[0] <= 12
    connection.close()


# -- damage ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("merged", [False, True])
def test_search_keys_that_are_lost_or_stray_are_counted_and_mended(store, merged):
    fill(store, 40)
    if merged:
        store.merge_all()
    connection = store._writer.connection  # noqa: SLF001 (the damage)
    connection.execute("DELETE FROM segment_key WHERE key = ? AND row % 3 = 0", (ALL,))
    connection.execute("INSERT INTO segment_key SELECT number, 77, 5, 1 FROM segment")
    connection.execute("INSERT INTO segment_key SELECT segment, ?, seq, row FROM segment_key WHERE key = 1001", (EVEN,))
    connection.execute("INSERT INTO early_key VALUES (?, 1, 1)", (ALL,))
    assert told(store) != expected(40)

    count = store.wrong_keys()
    mended = store.mend_keys()

    assert count > 13
    assert mended >= count
    assert (store.wrong_keys(), store.mend_keys()) == (0, 0)
    assert told(store) == expected(40)
    store.merge_all()
    assert told(store) == expected(40)


def test_a_segment_that_is_missing_from_the_list_is_mended_and_an_empty_list_is_damage(store):
    fill(store, 40)
    connection = store._writer.connection  # noqa: SLF001 (the damage)
    connection.execute("DELETE FROM segment WHERE first = (SELECT first FROM segment LIMIT 1 OFFSET 1)")

    assert store.wrong_keys() > 0
    assert store.mend_keys() > 0
    assert told(store) == expected(40)
    connection.execute("DELETE FROM segment")
    with pytest.raises(Damaged, match="restore it from a backup"):
        store.wrong_keys()
    assert isinstance(store.write(lambda _: None).exception(WAIT), Damaged)


@pytest.mark.parametrize("newest_first", [False, True])
def test_entries_from_before_there_were_segments_stand_in_the_order_among_all_others(tmp_path, clock, newest_first):
    store = SqliteStore(f"{tmp_path}/lrs.db", clock=clock)
    for name in "abcdef":
        insert(store, name, keys=(ALL,))
    store.close()
    with closing(sqlite3.connect(tmp_path / "lrs.db")) as connection, connection:
        former = "WHERE key = ? AND seq <= (SELECT seq FROM record WHERE id = 'c')"
        connection.execute(f"INSERT INTO early_key SELECT key, seq, row FROM segment_key {former}", (ALL,))
        connection.execute(f"DELETE FROM segment_key {former}", (ALL,))

    with closing(SqliteStore(f"{tmp_path}/lrs.db", clock=clock)) as store:
        found = [ids(walk(store, (ALL,), limit=limit, newest_first=newest_first)) for limit in (2, 50)]

    assert found == [list("fedcba" if newest_first else "abcdef")] * 2
