"""What the tests cost in CPU, told at the end of each whole run: the sum, the budget, and the dearest files.

A test's cost is the CPU seconds of its process and of the child processes that ended during it, its own fixtures
included; what a module or a session shares counts for the first test that uses it. Two cores may be halves of one, so
the same work counts up to twice as much on a busy machine; nothing fails by it: whoever adds tests reads the line, and
compares runs of one machine. Wall time is shown by pytest.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

BUDGET = 600
"""CPU seconds of all tests, without collecting them: two cores have them done within six minutes."""
WORTH_TELLING = 60
DEAREST = 10
_COST, _APART = "cpu", "cpu apart"
_BEFORE = pytest.StashKey[float]()
_apart: Counter[str] = Counter()


def spent() -> float:
    """CPU seconds of this process and of its children that have ended."""
    now = os.times()
    return now.user + now.system + now.children_user + now.children_system


@contextmanager
def counted_apart(of: str) -> Iterator[None]:
    """For the end of what lasts as long as the session: it would count for the test that happens to be the last."""
    before = spent()
    yield
    _apart[of] += spent() - before


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Notes what was spent before the test."""
    item.stash[_BEFORE] = spent()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Puts the cost of the test into its last report, which pytest-xdist brings to the process that tells it."""
    report = yield
    if call.when == "teardown":
        report.user_properties += [(_COST, spent() - item.stash[_BEFORE] - _apart.total()), (_APART, dict(_apart))]
        _apart.clear()
    return report


_costs: Counter[str] = Counter()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Adds the cost of a test to that of its file."""
    told = dict(report.user_properties) if report.when == "teardown" else {}
    _costs[report.nodeid.split("::")[0]] += told.get(_COST, 0)
    _costs.update(told.get(_APART, {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tells the costs of a run that cost something."""
    for line in lines(_costs):
        terminalreporter.write_line(line)


def lines(costs: Mapping[str, float]) -> list[str]:
    """What is told of *costs* by file, in CPU seconds; nothing of a run of a few files."""
    total = sum(costs.values())
    if total < WORTH_TELLING:
        return []
    dearest = sorted(costs.items(), key=lambda one: -one[1])[:DEAREST]
    over = f", more than the budget of {BUDGET} s: see docs/tests.md" if total > BUDGET else f" of {BUDGET} s"
    return [f"CPU of the tests: {total:.0f} s{over}. The dearest:", *(f"{cost:6.1f} s  {of}" for of, cost in dearest)]
