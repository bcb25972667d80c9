"""Segments go on while records keep being placed in a time to come, and what a former process left is merged."""

from __future__ import annotations

import time
from contextlib import closing

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from structlog.testing import capture_logs

from lrs.storage import Record, Walk, first_seq
from lrs.storage.sqlite.keys import SearchKeys, SegmentSizes
from lrs.storage.sqlite.store import SqliteStore
from tests.conftest import SetClock
from tests.contract.acts import WAIT, ids, insert, walk
from tests.contract.merging import MergedByHand

SMALL = SegmentSizes(entries=12, fan_out=2, step=8)
ALL, EVEN = 1, 2
OPEN = "SELECT entries FROM head"


def stream(store, clock, count, *, start=0, of_four=1, ahead=40):
    """Commits of four records each, ten microseconds apart; *of_four* of them are placed *ahead* microseconds ahead.

    Gives the entries of the open segment after each.
    """
    sizes = []
    for group in range(start, start + count, 4):
        clock.forward(micros=10)

        def add(tx, group=group):
            for n in range(group, group + 4):
                place = first_seq(clock.now + ahead) + n if n % 4 < of_four else 0
                tx.insert(Record("thing", f"{n:04}", keys=(ALL, EVEN + n % 2, 1_000 + n), seq=place))

        store.write(add).result(WAIT)
        sizes.append(store.table(OPEN)[0][0])
    return sizes


def in_order(store, count):
    found = walk(store, (ALL,), limit=50)
    assert [record.seq for record in found] == sorted(record.seq for record in found)
    assert sorted(ids(found)) == [f"{n:04}" for n in range(count)]
    assert store.count("thing", (ALL, EVEN)) == len(walk(store, (EVEN,), limit=50)) == count // 2
    assert (store.wrong_keys(), store.mend_keys()) == (0, 0)


@pytest.mark.parametrize("of_four", [1, 3])
def test_segments_begin_while_a_stream_of_records_is_placed_ahead_and_each_entry_moves_about_once(
    tmp_path, clock, monkeypatch, of_four
):
    moved, begin = [], SearchKeys._begin  # noqa: SLF001 (how many entries move)
    monkeypatch.setattr(
        SearchKeys, "_begin", lambda keys, first, ahead: (moved.append(ahead), begin(keys, first, ahead))
    )
    store = MergedByHand(f"{tmp_path}/lrs.db", clock=clock, segments=SMALL)

    sizes = stream(store, clock, 200, of_four=of_four)
    begun = len(moved)
    sizes += stream(store, clock, 200, start=200, of_four=of_four)

    waiting = 3 * 5 * of_four  # entries that lie ahead at any moment
    assert max(sizes) <= 4 * (waiting + SMALL.entries)
    assert len(moved) >= 2 * begun - 2 >= 10
    assert 0 < sum(moved) <= 3 * 400
    in_order(store, 400)
    store.merge_all()
    in_order(store, 400)
    assert store.table("SELECT max(level) FROM segment")[0][0] >= 3
    store.close()


def test_records_that_lie_ahead_keep_their_keys_whatever_segment_they_are_in(tmp_path, clock):
    store = MergedByHand(f"{tmp_path}/lrs.db", clock=clock, segments=SMALL)
    stream(store, clock, 40, ahead=10_000)
    before = store.table("SELECT max(number) FROM segment")
    assert before > [(3,)]

    def change(tx):
        for n in range(0, 40, 4):
            old = tx.get("thing", f"{n:04}")
            tx.replace(msgspec.structs.replace(old, keys=(ALL, 7)))

    store.write(change).result(WAIT)
    store.write(lambda tx: tx.delete("thing", "0004")).result(WAIT)

    assert ids(walk(store, (ALL, 7), limit=50)) == [f"{n:04}" for n in (0, *range(8, 40, 4))]
    assert ids(walk(store, (EVEN, 1_008))) == []
    assert (store.wrong_keys(), store.mend_keys()) == (0, 0)
    store.close()


ACTS = some.one_of(
    some.tuples(some.just("insert"), some.integers(0, 6), some.sampled_from([0, 0, 1, 30, 1_000, -50])),
    some.tuples(some.just("move"), some.integers(0, 90), some.sampled_from([0, 20, 1_000])),
    some.tuples(some.just("keys"), some.integers(0, 90), some.integers(5, 6)),
    some.tuples(some.just("delete"), some.integers(0, 90), some.none()),
    some.tuples(some.just("merge"), some.integers(1, 5), some.none()),
    some.tuples(some.just("pass"), some.sampled_from([5, 50, -20]), some.none()),
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=some.lists(ACTS, min_size=10, max_size=40))
def test_whatever_is_placed_ahead_walks_have_the_order_of_places_and_no_key_is_wrong(tmp_path_factory, acts):
    clock = SetClock()
    clock.made = 0
    sizes = SegmentSizes(entries=4, fan_out=2, step=4)
    known: dict[str, Record] = {}
    path = tmp_path_factory.mktemp("ahead") / "lrs.db"
    with closing(MergedByHand(str(path), clock=clock, segments=sizes)) as store:
        for number, act in enumerate(acts):
            done(store, clock, known, *act)
            if number % 5:
                continue
            found = walk(store, (ALL,), limit=7)
            assert [(each.seq, each.id) for each in found] == sorted((each.seq, each.id) for each in known.values())
        for key in (5, 6):
            assert sorted(ids(walk(store, (key,)))) == sorted(id for id, each in known.items() if key in each.keys)
        assert (store.wrong_keys(), store.mend_keys()) == (0, 0)


def done(store, clock, known, act, n, more):
    """Does *act* on the store, and in *known*, the records that are there by their ids."""
    clock.forward(micros=1)
    clock.made += 1
    place = first_seq(clock.now + more) + len(known) if act in {"insert", "move"} and more else 0
    name = sorted(known)[n % len(known)] if known else None
    if act == "insert":
        for each in range(n):
            id = f"{clock.made}-{each}"
            known[id] = insert(store, id, keys=(ALL, 5), seq=place + each if place else 0)
    elif act == "merge":
        for _ in range(n):
            store.merge()
    elif act == "pass":
        clock.forward(micros=n)
    elif name and act == "delete":
        store.write(lambda tx: tx.delete("thing", name)).result(WAIT)
        del known[name]
    elif name:
        parts = {"seq": place} if act == "move" else {"keys": (ALL, more)}
        known[name] = store.write(
            lambda tx: tx.replace(msgspec.structs.replace(tx.get("thing", name), **parts))
        ).result(WAIT)


# -- what a former process left -------------------------------------------------------------------------------------


def settled(store, query, wanted):
    """Waits until *query* gives *wanted*."""
    connection, end = store._reader().connection, time.monotonic() + WAIT  # noqa: SLF001
    while (found := connection.execute(query).fetchone()[0]) != wanted:
        assert time.monotonic() < end, found
        time.sleep(0.005)


def test_entries_of_erased_records_that_a_merge_left_are_deleted_after_a_restart(tmp_path, clock):
    path = f"{tmp_path}/lrs.db"
    with closing(MergedByHand(path, clock=clock, segments=SMALL)) as store:
        for n in range(12):
            insert(store, str(n), keys=(ALL, EVEN, 500 + n))
        while not store.table("SELECT * FROM merged"):
            store.merge()
        store.write(lambda tx: [tx.delete("thing", str(n)) for n in range(12)]).result(WAIT)
        assert store.table("SELECT count(*) FROM segment_key")[0][0] > 0

    with closing(SqliteStore(path, clock=clock, segments=SMALL)) as store:
        store.write(lambda _: None).result(WAIT)

        settled(store, "SELECT count(*) FROM segment_key", 0)
        settled(store, "SELECT count(*) FROM merged", 0)


def test_a_backlog_of_segments_is_merged_after_a_restart_though_nobody_writes_more(tmp_path, clock):
    path = f"{tmp_path}/lrs.db"
    with closing(MergedByHand(path, clock=clock, segments=SMALL)) as store:
        stream(store, clock, 100)
        assert store.table("SELECT count(*) FROM segment")[0][0] > 10

    with closing(SqliteStore(path, clock=clock, segments=SMALL)) as store:
        assert ids(store.find(Walk("thing", (1_001,))).records) == ["0001"]
        insert(store, "0100", keys=(ALL, EVEN))

        settled(
            store,
            "SELECT count(*) = count(DISTINCT level) FROM segment WHERE first < (SELECT max(first) FROM segment)",
            1,
        )
        settled(store, "SELECT count(*) FROM merged", 0)
        assert len(walk(store, (ALL,), limit=50)) == 101


def test_a_merge_without_room_says_so_in_the_log_and_not_that_requests_are_refused(tmp_path, clock):
    store = MergedByHand(f"{tmp_path}/lrs.db", clock=clock, segments=SegmentSizes(1_000, 2, 10_000))
    for start in (0, 300):
        some_of = [Record("thing", f"{start + n}", keys=(ALL, *range(9_000, 9_009))) for n in range(300)]
        store.write(lambda tx, some_of=some_of: [tx.insert(one) for one in some_of]).result(WAIT)
    connection = store._writer.connection  # noqa: SLF001 (the disk is as full as SQLite is told)
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 3}")

    with capture_logs() as logs:
        store._merging.run(lambda: False)  # noqa: SLF001

    assert [one["log_level"] for one in logs] == ["warning"]
    assert "queries get slower" in logs[0]["event"]
    assert logs[0]["reason"] == "OperationalError: database or disk is full"
    assert store.lacks is None
    insert(store, "small", keys=(ALL,))
    assert store.lacks is None
    store.close()
