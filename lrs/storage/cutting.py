"""Cuts work for the writer into decisions of bounded weight. Knows no queue and no engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from lrs.storage.groups import GROUP_WEIGHT

T = TypeVar("T")


def cut(items: Iterable[T], weight: Callable[[T], int], most: int = GROUP_WEIGHT) -> Iterator[list[T]]:
    """*items* in order, in lists with a weight of at most *most*, the limit of one commit of a group.

    *weight* is about how many rows writing one item takes, as in ``Store.write``: for a plan of statements its
    ``weight``, for other records one row, one for each key and each owed entry, and for a large one another for each
    ``ROW_BYTES``. A heavier item is alone in its list. Items are taken only when they are needed.
    """
    together: list[T] = []
    total = 0
    for item in items:
        one = weight(item)
        if together and total + one > most:
            yield together
            together, total = [], 0
        together.append(item)
        total += one
    if together:
        yield together
