"""Documents that are read block by block: how much may come between two parts, and what is refused."""

from __future__ import annotations

import pytest

from lrs.kernel.errors import Refused
from lrs.kernel.xml import XmlFeed

PART = b"<part>" + b"x" * 94 + b"</part>"


def read(*blocks: bytes, most: int = 300) -> list[int]:
    """The lengths of the texts of the parts."""
    feed = XmlFeed("the file", ["part"], most, lambda _: None)
    found = [len(one.text) for block in (b"<all>", *blocks, b"</all>") for one in feed.feed(block)]
    return found + [len(one.text) for one in feed.close()]


def test_a_document_may_be_as_long_as_it_likes_and_one_part_of_it_only_so_long():
    assert read(*[PART] * 50) == [94] * 50
    assert read(*[PART] * 5, b"<rest>" + b"x" * 200, b"</rest>", PART) == [94] * 6
    with pytest.raises(Refused, match="one part of the file has more than 300 bytes") as refused:
        read(PART, b"<rest>" + b"x" * 300, b"</rest>", PART)

    assert refused.value.status == 413


@pytest.mark.parametrize("block", [b"<part>", b"</part>", b"<!DOCTYPE a>", b"&none;", b"\x00"])
def test_what_is_no_such_document_is_refused(block):
    with pytest.raises(Refused):
        read(PART, block)
