from __future__ import annotations

import pytest

from adapters.door import Changed, Closed, Door


def test_overload_is_waited_out_as_long_as_the_store_asks(endpoint):
    waits = []
    answers = [(429, {"Retry-After": "7"}), (503, {"Retry-After": "1"}), (503, {})]
    endpoint.before = lambda _: answers.pop(0) if answers else None
    door = Door(endpoint.url, "Basic eDp5", sleep=waits.append)

    assert door.read("https://example.org/a", "none") is None
    assert waits == [7.0, 1.0, 1.0]


def test_a_store_that_stays_away_ends_the_run_with_a_reason(endpoint):
    waits = []
    endpoint.before = lambda _: (503, {})
    door = Door(endpoint.url, "Basic eDp5", sleep=waits.append)

    with pytest.raises(Closed, match="answers 503; given up after 8 tries"):
        door.read("https://example.org/a", "none")

    assert waits == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0]


@pytest.mark.parametrize(("status", "words"), [(401, "secret is wrong"), (403, "lacks a right"), (500, "refused")])
def test_what_no_waiting_helps_against_is_said_at_once(endpoint, door, status, words):
    endpoint.before = lambda _: (status, {})

    with pytest.raises(Closed, match=words):
        door.read("https://example.org/a", "none")


def test_an_address_that_is_no_endpoint_is_refused():
    with pytest.raises(Closed, match="no endpoint"):
        Door("file:///etc/passwd", "")


def test_a_store_may_ask_for_patience_by_date_and_nonsense_is_no_date(endpoint):
    waits = []
    answers = [(503, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), (503, {"Retry-After": "soon"})]
    endpoint.before = lambda _: answers.pop(0) if answers else None

    Door(endpoint.url, "Basic eDp5", sleep=waits.append).read("https://example.org/a", "none")

    assert waits == [0.25, 0.5]


def test_a_document_is_replaced_only_as_it_was_read(door):
    first = door.write("https://example.org/a", "doc", b'{"n":1}', None)
    second = door.write("https://example.org/a", "doc", b'{"n":2}', first)

    with pytest.raises(Changed):
        door.write("https://example.org/a", "doc", b'{"n":3}', first)

    assert door.read("https://example.org/a", "doc") == (b'{"n":2}', second)


def test_a_write_whose_answer_was_lost_is_recognised_as_our_own(endpoint, door):
    lost = []

    def lose_first_answer(name):
        if name.startswith("PUT") and not lost:
            lost.append(name)
            raise ConnectionAbortedError

    endpoint.after = lose_first_answer

    etag = door.write("https://example.org/a", "doc", b'{"n":1}', None)

    assert lost
    assert door.read("https://example.org/a", "doc") == (b'{"n":1}', etag)
