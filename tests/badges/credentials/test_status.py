"""Status lists: which bit is which, what is refused, where the next badge goes."""

from __future__ import annotations

import zlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from badges.credentials import status
from lrs.storage import Record
from tests.rows import each_of

# The list without any bit set, as W3C "Bitstring Status List v1.0" prints it in its examples.
EMPTY_IN_THE_SPECIFICATION = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"
PLACES = st.integers(0, status.ENTRIES - 1)


def packed(bits: bytes) -> str:
    packer = zlib.compressobj(wbits=31)
    return "u" + urlsafe_b64encode(packer.compress(bits) + packer.flush()).decode().rstrip("=")


def test_the_empty_list_of_the_specification_is_ours():
    assert status.decode(EMPTY_IN_THE_SPECIFICATION) == status.EMPTY
    assert len(status.EMPTY) == 16_384


def test_the_first_place_is_the_leftmost_bit():
    assert status.with_all_set(status.EMPTY, [0])[:2] == b"\x80\x00"
    assert status.with_all_set(status.EMPTY, [7])[:2] == b"\x01\x00"
    assert status.with_all_set(status.EMPTY, [8])[:2] == b"\x00\x80"
    assert status.with_all_set(status.EMPTY, [131_071])[-1:] == b"\x01"


@given(st.sets(PLACES, max_size=40), PLACES)
def test_exactly_the_places_that_were_set_are_set_after_a_round_trip(places, other):
    bits = status.EMPTY
    for place in places:
        bits = status.with_all_set(bits, [place])

    read = status.decode(status.encode(bits))

    assert all(status.is_set(read, place) for place in places)
    assert status.is_set(read, other) == (other in places)
    assert int.from_bytes(read).bit_count() == len(places)


def test_setting_a_place_twice_changes_nothing():
    once = status.with_all_set(status.EMPTY, [94_567])

    assert status.with_all_set(once, [94_567, 94_567]) == once


@pytest.mark.parametrize("index", [-1, 131_072, 10**9])
def test_a_place_outside_the_list_is_an_error_and_not_a_no(index):
    with pytest.raises(IndexError):
        status.is_set(status.EMPTY, index)


@each_of(
    ("encoded", "why"),
    [
        ("", "multibase"),
        ("zabc", "multibase"),
        (7, "multibase"),
        ("u!!!!", "gzip"),
        ("uAAAA", "gzip"),
        (packed(bytes(16_383)), "fewer than 131072"),
        (packed(bytes(5 * 1024 * 1024)), "more than 4 MiB"),
        (packed(bytes(16_384))[:40], "cut off|gzip"),
    ],
)
def test_a_list_that_cannot_be_trusted_is_refused(encoded, why):
    with pytest.raises(ValueError, match=why):
        status.decode(encoded)


class Taken:
    """A reader that has these places."""

    def __init__(self, *ids: str) -> None:
        self.ids = set(ids)

    def get_many(self, kind: str, ids: Iterable[str]) -> dict[str, Record]:
        return {id: Record(kind, id) for id in ids if id in self.ids}


def lists() -> Iterator[str]:
    return (f"revocation-{number}" for number in (1, 2))


def test_a_place_that_is_taken_is_passed_over():
    draws = iter([5, 5, 9, *range(100, 200)])

    assert status.free_place(Taken("status:revocation-1:5"), lists(), lambda _n: next(draws)) == (
        "revocation-1",
        9,
    )


def test_a_full_list_is_left_for_the_next_one():
    full = Taken(*(f"status:revocation-1:{n}" for n in range(16)))
    draws = iter([*range(16), *range(16)])

    assert status.free_place(full, lists(), lambda _n: next(draws)) == ("revocation-2", 0)


def test_draws_are_asked_for_within_the_list():
    asked = []

    status.free_place(Taken(), lists(), lambda bound: asked.append(bound) or 3)

    assert set(asked) == {131_072}
