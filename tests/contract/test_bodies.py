"""Bodies that are compressed: what is kept of them, that they come back as they were, and what is damaged."""

from __future__ import annotations

import hashlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib.resources import files
from random import Random

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from lrs.kernel.errors import Damaged
from lrs.storage import Owed, Record, Walk, open_store
from lrs.storage.records import SMALL_BODY
from lrs.storage.sqlite import bodies
from tests.contract.acts import MINUTE, WAIT, claim, ids, insert, only
from tests.contract.frozen.make import LONG
from tests.rows import each_of

TEXT = LONG * 3


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lrs.db"


@pytest.fixture
def store(path, clock):
    opened = open_store(f"sqlite:///{path}", clock=clock)
    yield opened
    opened.close()


def changed(path, change, *values):
    """What another program does to the file."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(change, values)


def as_it_came(path, which):
    """Keeps bodies as a program did that compressed none."""
    change = "UPDATE record SET kept = ?, size = 0 WHERE id = ?"
    for id in which:
        changed(path, change, f"{id}{id * 60}".encode(), id)


def long(id):
    return f"{id}{id * 60}".encode()


def test_the_dictionary_is_the_one_that_was_released():
    data = files("lrs.storage.sqlite").joinpath(bodies.DICTIONARY).read_bytes()

    assert hashlib.sha256(data).hexdigest() == "ea8ea25c730a3725798192efa70e284771ee449684b0bef67fb7a4b17da64c9f"
    assert zstandard.ZstdCompressionDict(data).dict_id() == 1


KEPT = {
    "empty": (b"", False),
    "too short to gain": (LONG[:47], False),
    "short": (LONG[:80], True),
    "a statement": (LONG, True),
    "chance": (Random(5).randbytes(2_000), False),
    "as large as a small one may be": (b"x" * SMALL_BODY, True),
    "large": (b"x" * (SMALL_BODY + 1), False),
    "a frame of its own": (zstandard.compress(TEXT), False),
}


@each_of("name", KEPT)
def test_what_becomes_shorter_is_compressed_and_all_else_kept_as_it_came(name):
    body, is_compressed = KEPT[name]

    ((size, kept),) = bodies.kept([body])
    together = dict(zip(KEPT, bodies.kept([each for each, _ in KEPT.values()]), strict=True))

    assert together[name] == (size, kept)
    assert (size, len(kept) < len(body)) == ((len(body), True) if is_compressed else (0, False))
    assert is_compressed or kept == body
    assert bodies.body_of(size, kept) == body


@given(st.lists(st.binary(max_size=200).map(lambda some: some * 3), max_size=5))
def test_any_bodies_come_back_alone_and_joined(some):
    kept = bodies.kept(some)

    assert [bodies.body_of(*each) for each in kept] == some
    if some and all(size for size, _ in kept):
        joined = b",".join(some)
        assert bodies.joined_bodies(b"".join(frame for _, frame in kept), len(joined)) == joined


def test_threads_that_compress_and_read_at_once_get_what_is_theirs():
    def there_and_back(number):
        some = [str(number).encode() * 100 + LONG] * 3
        return [bodies.body_of(*each) for each in bodies.kept(some)] == some

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(there_and_back, range(400)))


def test_a_frame_with_any_bit_turned_gives_a_body_of_its_size_or_is_damaged():
    ((size, frame),) = bodies.kept([TEXT])
    damaged = 0
    for place in range(8 * len(frame)):
        turned = bytearray(frame)
        turned[place // 8] ^= 1 << place % 8
        joined = bodies.joined_bodies(bytes(turned), size)
        try:
            alone = bodies.body_of(size, bytes(turned))
        except Damaged:
            damaged += 1
        else:
            assert len(alone) == size
            assert joined == alone

    assert damaged > 2 * len(frame)


SIZE, FRAME = bodies.kept([TEXT])[0]
NO_FRAMES = {
    "nothing": (SIZE, b""),
    "text": (SIZE, TEXT),
    "cut off": (SIZE, FRAME[:-1]),
    "without its end": (SIZE, FRAME[: len(FRAME) // 2]),
    "another size": (SIZE + 1, FRAME),
    "another dictionary": (SIZE, FRAME[:5] + b"\x02" + FRAME[6:]),
}


@each_of("name", NO_FRAMES)
def test_what_is_no_frame_of_that_size_and_dictionary_is_damaged(name):
    with pytest.raises(Damaged, match="the body of a record of the store is damaged; restore it from a backup"):
        bodies.body_of(*NO_FRAMES[name])


READS = {
    "get": lambda store: store.get("thing", "b"),
    "get many": lambda store: store.get_many("thing", "ab"),
    "find": lambda store: store.find(Walk("thing", (7,))),
    "scan": lambda store: store.find(Walk("thing")),
    "two keys": lambda store: store.find(Walk("thing", (7, 8))),
    "find any": lambda store: store.find_any("thing", (7,)),
    "in a decision": lambda store: store.write(lambda tx: tx.get("thing", "b")).result(WAIT),
}


def test_a_damaged_body_is_told_wherever_it_is_read_and_the_others_are_read(store, path):
    for id in "abc":
        insert(store, id, body=long(id), keys=(7, 8))
    changed(path, "UPDATE record SET kept = substr(kept, 1, 12) WHERE id = 'b'")

    for name, read in READS.items():
        with pytest.raises(Damaged, match=r"^thing b: the body of a record of the store is damaged"):
            pytest.fail(f"{name}: {read(store)}")

    assert store.joined(Walk("thing", (7,))) is None
    assert store.joined(Walk("thing", (7,), limit=1)).bodies == long("a")
    assert store.get("thing", "c").body == long("c")
    assert ids(store.find(Walk("thing", (7,), bare=True)).records) == ["a", "b", "c"]
    assert store.wrong_keys() == 0


def test_what_a_record_with_a_damaged_body_owes_is_put_aside_with_the_reason_and_can_be_tried_again(store, path):
    for id in "abc":
        insert(store, id, body=long(id), owed=(Owed("evaluate"),))
    ((whole,),) = store._reader().connection.execute("SELECT kept FROM record WHERE id = 'b'").fetchall()  # noqa: SLF001 (to put it back)
    changed(path, "UPDATE record SET kept = zeroblob(20) WHERE id = 'b'")

    claimed = claim(store, "evaluate")
    ((record, owed),) = store.parked()
    changed(path, "UPDATE record SET kept = ? WHERE id = 'b'", whole)
    tried = store.write(lambda tx: tx.retry("thing", "b", "evaluate")).result(WAIT)

    assert sorted(each.record.id for each in claimed) == ["a", "c"]
    assert (record.id, record.body) == ("b", b"")
    assert owed.error == "thing b: the body of a record of the store is damaged; restore it from a backup"
    assert tried
    assert only(claim(store, "evaluate")).record.body == long("b")


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("plain", ["", "abcdef", "abc", "f", "bd"])
def test_pages_are_the_same_whichever_bodies_were_kept_as_they_came(store, path, plain, newest_first):
    for id in "abcdef":
        insert(store, id, body=long(id), keys=(7,), seq=100)
    as_it_came(path, plain)

    found, starts = [], [None]
    while len(starts) == len(found) + 1 and len(found) < 5:
        asked = Walk("thing", (7,), limit=2, newest_first=newest_first, start=starts[-1])
        page, joined = store.find(asked), store.joined(asked)
        assert joined is None or (joined.bodies, joined.next) == (b",".join(r.body for r in page.records), page.next)
        assert joined is not None or 0 < len(plain) < 6
        found.append("".join(ids(page.records)))
        starts += [page.next] if page.next else []

    assert found == (["fe", "dc", "ba"] if newest_first else ["ab", "cd", "ef"])


def test_limits_of_bytes_count_what_is_read_and_not_what_is_kept(store, monkeypatch):
    for id in "abc":
        insert(store, id, body=b"x" * 4_000, keys=(7,), owed=(Owed("evaluate"),))

    assert len(store.find(Walk("thing", (7,), most=7_000)).records) == 2
    assert store.joined(Walk("thing", (7,), most=11_999)) is None
    assert len(store.joined(Walk("thing", (7,), most=12_000)).bodies) == 12_002
    monkeypatch.setattr("lrs.storage.records.PAGE_BYTES", 7_000)
    assert [len(store.claim(["evaluate"], limit=9, lease=MINUTE)) for _ in range(4)] == [1, 1, 1, 0]


def test_a_body_that_is_replaced_is_kept_by_its_new_size(store, path):
    insert(store, "a", body=TEXT)
    for body in (LONG, b"x", TEXT):
        store.write(lambda tx, body=body: tx.put(Record("thing", "a", body))).result(WAIT)
        assert store.get("thing", "a").body == body
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT size FROM record").fetchall() == [(len(TEXT),)]
