"""The line at the end of a run that says what the tests cost."""

import os
import subprocess
import sys

from tests import cost


def test_the_dearest_files_are_told_dearest_first_and_a_run_within_its_budget_says_so():
    costs = {f"tests/test_{n}.py": float(n) for n in range(12)}

    told = cost.lines(costs)

    assert told[0] == "CPU of the tests: 66 s of 600 s. The dearest:"
    assert told[1:3] == ["  11.0 s  tests/test_11.py", "  10.0 s  tests/test_10.py"]
    assert len(told) == 1 + 10


def test_a_run_over_its_budget_says_where_to_read_what_to_do():
    assert cost.lines({"tests/test_a.py": 700.0})[0] == (
        "CPU of the tests: 700 s, more than the budget of 600 s: see docs/tests.md. The dearest:"
    )


def test_of_a_run_of_a_few_files_nothing_is_told():
    assert cost.lines({"tests/test_a.py": 59.0}) == []


def test_what_ended_children_cost_is_counted():
    before = cost.spent()

    subprocess.run([sys.executable, "-c", "import os\nwhile os.times().user < 0.2: pass"], check=True)

    assert cost.spent() - before >= 0.2


def test_every_test_brings_its_cost_along(request):
    """The report of this test is made later, so the hooks are looked at: both are this run's."""
    manager = request.config.pluginmanager

    assert manager.get_plugin("tests.cost") is cost
    assert os.times().user > 0
