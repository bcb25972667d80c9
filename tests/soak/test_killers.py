"""100 KB made to be slow, into every pattern of the product: each gets its answer in under 50 ms.

The patterns are found in the sources, so that a new one is measured too.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from adapters.reading import cells, hours, times
from adapters.reading.hours import Numbers
from adapters.reading.times import Calendar
from lrs.access.policy.table import TABLE
from lrs.kernel.errors import Refused
from lrs.kernel.tables.row import Row, RowPlace, Unusable
from lrs.matching.consent.link_routes import Learner
from lrs.pages.session import safe_return
from lrs.web.addresses import Addresses
from lrs.xapi.documents.concurrency import conditions_of
from lrs.xapi.endpoint import OF_XAPI
from lrs.xapi.statements.validate import check
from tests.served import statement
from tests.soak.patterns import LONG, killers, never_used, uses
from tests.xapi.statements.test_formats import STARTS, TESTS, UNITS

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1_200)]
MOST_MS = 50
MADE_WHEN_USED = {"lrs.web.addresses", "lrs.xapi.endpoint", "lrs.xapi.statements.validate"}
"""Modules with patterns that are put together when they are used: what uses them stands in ``FUNCTIONS``."""


ADDRESSES = Addresses(TABLE)


def cell(text: str) -> Row:
    return Row(RowPlace("", 2), {"at": text})


FUNCTIONS: dict[str, Callable[[str], object]] = {
    **{test.__name__: test for test in TESTS},
    "the ETags of a header": lambda text: conditions_of({"if-match": text}),
    "an e-mail address in a cell": lambda text: cells.email(cell(text), "at"),
    "a day in a cell": lambda text: times.day(cell(text), "at", Calendar(ZoneInfo("Europe/London"))),
    "an instant in a cell": lambda text: times.moment(cell(text), "at", Calendar(ZoneInfo("Europe/London"))),
    "a time span in a cell": lambda text: hours.minutes(cell(text), "at", Numbers("h:mm")),
    "the learner of a link": lambda text: Learner.model_validate({"mbox": text}),
    "the version of a statement, 1.0.3": lambda text: check(statement(version=text), "1.0.3"),
    "the version of a statement, 2.0.0": lambda text: check(statement(version=text), "2.0.0"),
    "the address of a page": ADDRESSES.place,
    "the address of a resource of xAPI": OF_XAPI.place,
    "the way back after a sign-in": lambda text: safe_return("/pages", text),
}


def took(act: Callable[[], object]) -> float:
    """Milliseconds; of three tries the shortest if the first is long, for others use this machine too."""
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        with contextlib.suppress(Refused, Unusable, ValidationError):
            act()
        times.append((time.perf_counter() - begun) * 1_000)
        if times[0] < MOST_MS:
            break
    return min(times)


def test_no_pattern_takes_long(row):
    found, made_when_used = uses()
    slowest = {use: max(took(use.on(text)) for text in killers(use.pattern)) for use in found}

    assert made_when_used == MADE_WHEN_USED
    assert never_used(found) == []
    row("killer strings: patterns", len({use.pattern for use in found}), "patterns", at_least=50)
    for use, most in slowest.items():
        row(f"killer strings: {use.module} {use.name} {use.way}", most, "ms", at_most=MOST_MS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nothing_that_uses_patterns_takes_long(name, row):
    texts = (
        start + unit * (LONG // len(unit)) + end
        for start, unit, end in itertools.product(
            [*STARTS, "1.0.", "/staff/learners/", "/t/north/content/", "/t/north/xapi/"], UNITS, ("", "!", "\n")
        )
    )

    most = max(took(lambda text=text: FUNCTIONS[name](text)) for text in texts)

    row(f"killer strings: {name}", most, "ms", at_most=MOST_MS)
