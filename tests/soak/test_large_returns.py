"""An ILR return of 200 MB: it is filtered as it arrives, a learner at a time. The small twin is in ``test_ilr``."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator

import pytest

from adapters.imports.arriving_files import filtered
from tests.adapters.apprenticeship.returns import SECRETS, learner, made, uln

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1_800)]
SIZE = 200 * 1024 * 1024
MOST_MEMORY = 100
"""MB by which the process may grow."""


def blocks() -> Iterator[bytes]:
    head, _, tail = made(["<!--here-->"]).encode().partition(b"<!--here-->")
    yield head
    sent = at = 0
    while sent < SIZE:
        some = "".join(learner(f"L{at + one}", uln((at + one) * 1_000 % 700_000_000)) for one in range(40)).encode()
        at += 40
        sent += len(some)
        yield some
    yield tail


def test_a_return_of_200_megabytes_is_filtered_in_little_memory(row: Callable[..., None]) -> None:
    list(filtered([made([learner("L1", uln(1))]).encode()]))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    rows = kept = 0
    for some in filtered(blocks(), "ilr"):
        rows += some.count(b"\n")
        kept += len(some)
        assert not any(word.encode() in some for word in SECRETS)

    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    row("learners of a return of 200 MB", rows - 1, "learners", at_least=100_000)
    row("what is kept of a return of 200 MB", kept / 1e6, "MB", at_most=60)
    row("memory for a return of 200 MB", grown / 1024, "MB", at_most=MOST_MEMORY)
