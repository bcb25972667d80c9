"""Work for the writer, cut into decisions that hold it for a bounded time. Knows no queue and no engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from lrs.storage.groups import GROUP_WEIGHT

T = TypeVar("T")


def cut(items: Iterable[T], weight: Callable[[T], int], most: int = GROUP_WEIGHT) -> Iterator[list[T]]:
    """*items* in their order, as many together as weigh at most *most*, what one commit of a group may; none is parted.

    *weight* is about how many rows the writing of one item is, as ``Store.write`` counts them: of a plan of statements
    its ``weight``, of other records a row each and one for each key and each entry owed, and of what is large one more
    for each ``ROW_BYTES`` of it. What is heavier by itself is alone. Items are taken only as they are needed.
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
