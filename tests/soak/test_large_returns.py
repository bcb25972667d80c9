"""An ILR return of 200 MB: it is filtered as it arrives, a learner at a time. The small twin is in ``test_ilr``."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.imports.arriving_files import filtered
from tests.adapters.apprenticeship.returns import SECRETS, learner, made, uln
from tests.pages.conftest import Site, text_of
from tests.pages.members import signed_in
from tests.pages.test_imports import checked

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


def test_a_return_of_200_megabytes_that_is_sent_on_the_page_is_checked(tmp_path: Path) -> None:
    """Nearly all of it are addresses that are not kept: 110 learners of 1.8 MB each."""
    site = Site(tmp_path)
    browser = signed_in(site, "provider:north")
    address = f"<AddLine2>{'x' * 1_800_000}</AddLine2><TelNo>"
    sent = made(learner(f"L{at}", uln(at * 1_000)).replace("<TelNo>", address) for at in range(1, 112))

    page = text_of(browser.get(checked(site, browser, sent, "return.xml")))

    assert len(sent) > SIZE * 0.95
    assert "What would go in New 111 " in page
    assert "Learners of the return: 111 with an apprenticeship that is read, 0 left out with a fault" in page
    site.close()
