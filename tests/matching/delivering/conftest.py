"""A receiver on a free port."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.matching.world import Receiver, receiver


@pytest.fixture
def receiving() -> Iterator[Receiver]:
    with receiver() as started:
        yield started
