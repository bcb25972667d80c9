"""On each engine: what came in goes out, and many writers on one document lose no update (promises.md, documents)."""

import threading

import msgspec
import pytest

from tests.builders import tenant_in

WRITERS = 16


@pytest.fixture
def tenant(tmp_path, store, clock):
    return tenant_in(tmp_path, store, clock, max_document=600_000)


def together(work):
    """Runs *work(number)* in 16 threads that start at once; what they returned, by number."""
    results = [None] * WRITERS
    start = threading.Barrier(WRITERS)

    def run(number):
        start.wait(30)
        results[number] = work(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_writers_that_read_then_put_with_if_match_lose_no_update(documents):
    documents.create("counter", b"0")

    def count(_):
        while True:
            seen = documents.get("counter")
            put = documents.put("counter", b"%d" % (int(seen.body) + 1), if_match=seen.headers["etag"])
            if put.status != 412:
                return put.status

    assert together(count) == [204] * WRITERS
    assert documents.get("counter").body == b"16"


def test_of_many_writers_that_create_only_one_succeeds(documents):
    statuses = together(lambda number: documents.put("once", b"%d" % number, if_none_match="*").status)

    assert sorted(statuses) == [204] + [412] * 15
    assert documents.get("once").body == b"%d" % statuses.index(204)


def test_writers_that_post_one_member_each_all_find_it_there_afterwards(documents):
    statuses = together(lambda number: documents.post("all", b'{"m%d":%d}' % (number, number)).status)

    assert statuses == [204] * WRITERS
    assert msgspec.json.decode(documents.get("all").body) == {f"m{number}": number for number in range(16)}


def test_posts_to_a_large_document_lose_no_member_either(states):
    states.put("large", b'{"a":"' + b"x" * 300_000 + b'"}')

    def post(number):
        return states.post("large", b'{"m%d":%d}' % (number, number)).status if number < 6 else 204

    statuses = together(post)

    members = msgspec.json.decode(states.get("large").body)
    assert statuses == [204] * WRITERS
    assert members.keys() == {"a", "m0", "m1", "m2", "m3", "m4", "m5"}


def test_a_deleted_context_and_writers_beside_it_leave_whole_documents_only(states):
    def work(number):
        return states.delete(None).status if number % 4 == 0 else states.put(f"s{number}", b"{}").status

    assert together(work) == [204] * WRITERS
    assert all(states.get(name).body == b"{}" for name in states.get(None).json)


def test_a_document_with_odd_keys_and_numbers_comes_back_as_it_was_and_merges_by_text(documents):
    odd = b'{ "$set": 0.10, "a.b":1e2, "":12345678901234567890123,\n "\\u00e9":"\xf0\x9f\x8e\x93" }'
    documents.create("odd", odd)
    before = documents.get("odd").body

    documents.post("odd", b'{"new":1.50}')

    assert before == odd
    assert documents.get("odd").body == (
        b'{"$set":0.10,"a.b":1e2,"":12345678901234567890123,"\xc3\xa9":"\xf0\x9f\x8e\x93","new":1.50}'
    )


@pytest.mark.parametrize("content_type", ["application/json", "video/mp4"])
def test_a_large_document_comes_back_whole(states, content_type):
    large = b'"' + b"0123456789" * 55_000 + b'"'
    states.put("large", large, content_type=content_type)

    seen = states.get("large")

    assert seen.body == large
    assert seen.headers["content-length"] == "550002"


def test_ids_are_listed_by_last_change_after_since_and_deleted_together(states, clock):
    for name in ("one", "two", "one"):
        clock.forward(seconds=1)
        states.put(name, b"{}")

    assert states.get(None).json == ["two", "one"]
    assert states.get(None, more={"since": states.get("two").headers["last-modified"]}).status == 400
    assert states.get(None, more={"since": "2026-11-18T11:06:42Z"}).json == ["one"]
    assert states.delete(None).status == 204
    assert states.get(None).json == []
