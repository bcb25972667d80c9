"""``find`` and ``count``: keys, ranges, directions, pages."""

from __future__ import annotations

from contextlib import closing

import msgspec
import pytest

from lrs.kernel.errors import Refused
from lrs.storage import JoinedPage, Record, Walk, open_store, pages
from lrs.storage.records import SMALL_BODY
from tests.conftest import SetClock
from tests.contract.acts import WAIT, ids, insert, walk


def with_ten(store):
    """Records ``0`` to ``9`` at the places 100 to 109, keys: 1 all, 2 the even, 3 those over 6, 4 none."""
    keys = [(1, *([2] if n % 2 == 0 else []), *([3] if n > 6 else [])) for n in range(10)]
    records = [Record("thing", str(n), keys=keys[n], seq=100 + n) for n in range(10)]
    store.write(lambda tx: [tx.insert(record) for record in reversed(records)]).result(WAIT)
    store.write(lambda tx: tx.insert(Record("other", "x", keys=(1, 2, 3), seq=105))).result(WAIT)
    return store


@pytest.fixture(scope="module")
def ten(shared_store_url):
    """For those who only look."""
    with closing(open_store(shared_store_url, clock=SetClock(), secret=bytes(32))) as store:
        yield with_ten(store)


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ((), "0123456789"),
        ((1,), "0123456789"),
        ((2,), "02468"),
        ((2, 3), "8"),
        ((3, 2, 1), "8"),
        ((2, 2), "02468"),
        ((1, ~2), "13579"),
        ((1, ~2, ~3), "135"),
        ((3, ~2, 1), "79"),
        ((1, ~4), "0123456789"),
        ((4,), ""),
        ((1, 4), ""),
        ((4, 1), ""),
    ],
)
def test_a_walk_finds_the_records_of_the_kind_that_carry_all_keys_oldest_first(ten, keys, found):
    told = {limit: "".join(ids(walk(ten, keys, limit=limit))) for limit in (1, 3, 10, 11)}

    assert told == dict.fromkeys((1, 3, 10, 11), found)


def test_records_of_several_kinds_and_those_with_any_of_several_keys_are_found_at_once(ten):
    named = ten.get_all([("thing", "3"), ("other", "x"), ("thing", "none"), ("nothing", "3")])
    carrying = ten.find_any("thing", [3, 2, 4, 3])

    assert {name: (record.kind, record.id) for name, record in named.items()} == {
        ("thing", "3"): ("thing", "3"),
        ("other", "x"): ("other", "x"),
    }
    assert {key: "".join(ids(records)) for key, records in carrying.items()} == {3: "789", 2: "02468", 4: ""}
    assert (ten.get_all([]), ten.find_any("thing", [])) == ({}, {})


def test_a_transaction_finds_its_own_writes_by_any_of_several_keys(store):
    def decide(tx):
        tx.insert(Record("thing", "1", keys=(1,)))
        first = tx.insert(Record("thing", "2", keys=(2,)))
        before = tx.find_any("thing", [1, 2, 3])
        tx.replace(msgspec.structs.replace(first, keys=(3,)))
        return before, tx.find_any("thing", [1, 2, 3])

    found = store.write(decide).result(WAIT)

    told = [{key: "".join(ids(records)) for key, records in one.items()} for one in found]
    assert told == [{1: "1", 2: "2", 3: ""}, {1: "1", 2: "", 3: "2"}]


def test_what_is_found_by_several_keys_is_bounded(store, monkeypatch):
    monkeypatch.setattr("lrs.storage.sizes.MOST_AT_ONCE", 100)
    store.write(lambda tx: [tx.insert(Record("thing", n, b"x" * 40, keys=(int(n),))) for n in "123"]).result(WAIT)

    assert [len(found) for found in store.find_any("thing", [1, 2]).values()] == [1, 1]
    with pytest.raises(Refused, match="more than 100 bytes"):
        store.find_any("thing", [1, 2, 3])


@pytest.mark.parametrize(("keys", "found"), [((), "9876543210"), ((2,), "86420"), ((1, 3), "987")])
def test_newest_first_turns_the_walk_round(ten, keys, found):
    told = {limit: "".join(ids(walk(ten, keys, limit=limit, newest_first=True))) for limit in (1, 3, 10)}

    assert told == dict.fromkeys((1, 3, 10), found)


@pytest.mark.parametrize("keys", [(), (7,), (7, 8)])
def test_a_bare_walk_gives_the_same_records_without_bodies(store, keys):
    store.write(lambda tx: [tx.insert(Record("thing", n, b"body", {"n": n}, (7, 8))) for n in "12"]).result(WAIT)

    whole, bare = (store.find(Walk("thing", keys, limit=1, bare=is_bare)) for is_bare in (False, True))
    within = store.write(lambda tx: tx.find(Walk("thing", keys, bare=True)).records).result(WAIT)

    assert [one.body for one in whole.records] == [b"body"]
    assert bare == msgspec.structs.replace(whole, records=(msgspec.structs.replace(whole.records[0], body=b""),))
    assert [(one.id, one.body) for one in within] == [("1", b""), ("2", b"")]


@pytest.mark.parametrize(
    ("newest_first", "found"), [(False, [b"0,\xff\x00", b"2,3", b","]), (True, [b",", b"3,2", b"\xff\x00,0"])]
)
def test_joined_pages_have_the_bodies_of_a_walk_as_they_are_and_in_its_order(store, newest_first, found):
    bodies = [b"0", b"\xff\x00", b"2", b"3", b"", b""]
    store.write(
        lambda tx: [tx.insert(Record("thing", str(n), body, keys=(7,), seq=100 + n)) for n, body in enumerate(bodies)]
    ).result(WAIT)
    insert(store, "x", body=b"another key", keys=(8,))
    store.write(lambda tx: tx.insert(Record("other", "x", b"another kind", keys=(7,)))).result(WAIT)

    parts, start = [], None
    for _ in range(3):
        page = store.joined(Walk("thing", (7,), limit=2, newest_first=newest_first, start=start))
        parts.append(page.bodies)
        start = page.next

    assert (parts, start) == (found, None)


@pytest.mark.parametrize("newest_first", [False, True])
def test_joined_pages_part_records_of_one_place_as_a_walk_does(store, newest_first):
    store.write(lambda tx: [tx.insert(Record("thing", n, n.encode(), keys=(7,), seq=100)) for n in "abcde"]).result(
        WAIT
    )
    asked = Walk("thing", (7,), limit=2, newest_first=newest_first)

    parts, start = [], None
    for _ in range(3):
        page = store.joined(msgspec.structs.replace(asked, start=start))
        parts.append(page.bodies)
        start = page.next

    assert start is None
    assert parts == ([b"e,d", b"c,b", b"a"] if newest_first else [b"a,b", b"c,d", b"e"])


def test_a_joined_page_of_nothing_is_empty_and_one_that_would_be_large_is_none(store):
    for n in "123":
        insert(store, n, body=b"x" * 1_000, keys=(7,))
    insert(store, "large", body=b"x" * (SMALL_BODY + 1), keys=(8,))

    assert store.joined(Walk("thing", (9,))) == store.joined(Walk("never", (7,))) == JoinedPage(b"")
    assert store.joined(Walk("thing", (7,), most=2_999)) is None
    assert len(store.joined(Walk("thing", (7,), most=3_000)).bodies) == 3_002
    assert store.joined(Walk("thing", (8,))) is None


@pytest.mark.parametrize("keys", [(), (1,), (1, 1)])
def test_after_is_left_out_and_until_is_included(ten, keys):
    among = {"after": 103, "until": 106}
    oldest = {limit: "".join(ids(walk(ten, keys, limit=limit, **among))) for limit in (2, 10)}
    newest = {limit: "".join(ids(walk(ten, keys, limit=limit, newest_first=True, **among))) for limit in (2, 10)}

    assert oldest == {2: "456", 10: "456"}
    assert newest == {2: "654", 10: "654"}


@pytest.mark.parametrize("keys", [(), (7,), (7, 8)])
def test_a_page_ends_with_the_record_that_makes_it_too_large(store, monkeypatch, keys):
    monkeypatch.setattr("lrs.storage.records.PAGE_BYTES", 1_000)
    large = [Record("thing", str(n), b"x" * 400, keys=(7, 8)) for n in range(20)]
    store.write(lambda tx: [tx.insert(record) for record in large]).result(WAIT)

    found = [len(page.records) for page in pages(store, Walk("thing", keys))]

    assert (sum(found), max(found)) == (20, 3)


def test_an_empty_range_has_no_records_and_no_next(ten):
    assert ten.find(Walk("thing", (1,), after=109)) == ten.find(Walk("thing", (), until=99)) == ten.find(Walk("none"))
    assert ten.find(Walk("none")).records == ()
    assert ten.find(Walk("none")).next is None


@pytest.mark.parametrize("keys", [(), (1,), (1, 1)])
def test_a_page_has_at_most_limit_records_and_a_next_only_if_there_is_more(ten, keys):
    exact, less = ten.find(Walk("thing", keys, limit=10)), ten.find(Walk("thing", keys, limit=9))

    assert (len(exact.records), exact.next) == (10, None)
    assert len(less.records) == 9
    assert less.next is not None
    assert ids(ten.find(Walk("thing", keys, limit=9, start=less.next)).records) == ["9"]


@pytest.mark.parametrize("keys", [(), (1,), (1, 1)])
def test_a_page_ends_where_bodies_and_keys_are_together_too_large(store, monkeypatch, keys):
    monkeypatch.setattr("lrs.storage.records.PAGE_BYTES", 10_000)
    wide = [Record("thing", str(n), b"x" * 1_000, keys=(1, *range(100 * n + 10, 100 * n + 60))) for n in range(40)]
    store.write(lambda tx: [tx.insert(record) for record in wide]).result(WAIT)

    page = store.find(Walk("thing", keys))

    assert 8 <= len(page.records) <= 16
    assert page.next is not None


def test_records_asked_for_by_id_have_a_size_at_most(store, monkeypatch):
    monkeypatch.setattr("lrs.storage.sizes.MOST_AT_ONCE", 2_500)
    for id in "abc":
        insert(store, id, body=b"x" * 1_000)

    assert set(store.get_many("thing", ["a", "b", "d"])) == {"a", "b"}
    with pytest.raises(Refused, match="together more than 2500 bytes"):
        store.get_many("thing", ["a", "b", "c"])


def test_a_page_holds_at_most_100_records_unless_told(store):
    records = [Record("thing", str(n)) for n in range(101)]
    store.write(lambda tx: [tx.insert(record) for record in records], weight=101).result(WAIT)

    assert len(store.find(Walk("thing")).records) == 100


@pytest.mark.parametrize("keys", [(), (7,), (7, 8)])
def test_records_that_share_a_place_are_each_walked_once_in_an_order_that_turns_round(store, keys):
    places = {"a": 50, "b": 51, "c.1": 51, "d": 51, "e.": 51, "f": 51, "g": 52}
    store.write(lambda tx: [tx.insert(Record("thing", id, seq=seq, keys=(7, 8))) for id, seq in places.items()]).result(
        WAIT
    )

    whole = ids(walk(store, keys, limit=100))
    oldest = {limit: ids(walk(store, keys, limit=limit)) for limit in (1, 2, 4)}
    newest = {limit: ids(walk(store, keys, limit=limit, newest_first=True)) for limit in (1, 2, 4)}

    assert (whole[0], whole[-1]) == ("a", "g")
    assert sorted(whole) == ["a", "b", "c.1", "d", "e.", "f", "g"]
    assert oldest == dict.fromkeys((1, 2, 4), whole)
    assert newest == dict.fromkeys((1, 2, 4), whole[::-1])


@pytest.mark.parametrize("keys", [(), (1,), (1, 1)])
def test_a_walk_goes_on_where_it_was_when_records_come_and_go(store, keys):
    ten = with_ten(store)
    first = ten.find(Walk("thing", keys, limit=5))
    ten.write(lambda tx: tx.delete("thing", "4")).result(WAIT)
    ten.write(lambda tx: tx.delete("thing", "5")).result(WAIT)
    insert(ten, "late", keys=(1,), seq=107)
    insert(ten, "early", keys=(1,), seq=101)

    rest = ids(ten.find(Walk("thing", keys, limit=100, start=first.next)).records)

    assert sorted(rest) == ["6", "7", "8", "9", "late"]


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_walk_that_looks_at_too_many_stops_early_and_goes_on(store, monkeypatch, newest_first):
    for engine in ("sqlite", "mongo"):
        monkeypatch.setattr(f"lrs.storage.{engine}.read.WALK_CAP", 4)
    rare = {0, 5, 11}
    records = [Record("thing", f"{n:02}", keys=(1, 10 + n, *([2] if n in rare else []))) for n in range(12)]
    store.write(lambda tx: [tx.insert(record) for record in records]).result(WAIT)

    found = [ids(page.records) for page in pages(store, Walk("thing", (1, 2), limit=2, newest_first=newest_first))]
    each = [ids(walk(store, (1, 10 + n), newest_first=newest_first)) for n in range(12)]

    assert found == ([["11"], ["05"], ["00"]] if newest_first else [["00"], ["05"], ["11"]])
    assert each == [[f"{n:02}"] for n in range(12)]  # wherever it stands, also where a call stops


def test_a_walk_in_a_transaction_is_the_same_walk(ten):
    def decide(tx):
        page = tx.find(Walk("thing", (2,), limit=2, newest_first=True))
        return ids(page.records) + ids(tx.find(Walk("thing", (2,), newest_first=True, start=page.next)).records)

    assert ten.write(decide).result(WAIT) == ["8", "6", "4", "2", "0"]


@pytest.mark.parametrize(
    ("keys", "number"), [((), 10), ((1,), 10), ((2,), 5), ((1, 2, 3), 1), ((1, 4), 0), ((1, ~2), 5), ((3, ~2, 1), 2)]
)
def test_count_tells_how_many_carry_all_keys(ten, keys, number):
    assert ten.count("thing", keys) == number
    assert ten.count("none", keys) == 0


def test_a_key_given_twice_is_one_key(store):
    insert(store, "a", keys=(5, 5, 5))

    assert store.count("thing", (5,)) == 1
    assert ids(walk(store, (5,))) == ["a"]


@pytest.mark.parametrize("keys", [(), (1,), (1, 1)])
def test_a_page_ends_at_the_bytes_that_are_asked_for(store, keys):
    records = [Record("thing", f"{number:02}", body=b"x" * 1_000, keys=(1,)) for number in range(12)]
    store.write(lambda tx: [tx.insert(record) for record in records]).result(WAIT)

    page = store.find(Walk("thing", keys, most=2_500))

    assert 3 <= len(page.records) <= 4
    assert ids(store.find(Walk("thing", keys, start=page.next)).records)[0] == f"{len(page.records):02}"
