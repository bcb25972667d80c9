"""The table of requirements: each is shown by a test that there is, or has its reason."""

import re
from importlib import import_module

from tests.adapters.lms.requirements import NOT_SHOWN, SHOWN

ID = re.compile(r"\d+\.\d+\.\d+\.\d+-\d+")


def test_each_requirement_is_shown_by_a_test_that_there_is():
    for requirement, shown in SHOWN.items():
        module, _, name = shown.partition("::")

        assert ID.fullmatch(requirement)
        assert callable(getattr(import_module(f"tests.adapters.lms.{module}"), name, None)), (requirement, shown)


def test_no_requirement_is_both_shown_and_not():
    assert not SHOWN.keys() & NOT_SHOWN.keys()
    assert len(SHOWN) + len(NOT_SHOWN) == 208


def test_each_rule_that_a_test_breaks_is_in_the_table():
    rules = import_module("tests.adapters.lms.cmi5.test_rules")
    broken = {requirement for requirement, *_ in rules.BREACHES}

    assert broken <= SHOWN.keys()
    assert {one for one, shown in SHOWN.items() if "test_rules::test_a_statement_that" in shown} - broken == {
        # said of several statements, or by another name of the same rule
        *("6.0.0.0-4", "7.1.1.0-1", "7.1.2.0-1", "7.1.3.0-1", "9.4.0.0-2", "9.5.1.0-1", "9.6.2.0-1"),
    }
