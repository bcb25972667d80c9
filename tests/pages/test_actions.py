"""Every action that is put into the record of actions has words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.lms.launching import own_account
from lrs.access.staff import Member
from lrs.pages.actions import ACTIONS, JOINED_HERE, action_said
from lrs.pages.console.view import audit_rows
from lrs.storage.about import sort_of
from lrs.tenancy.audit import AuditEntry
from tests.rows import each_of

ROOT = Path(__file__).parents[2]


def written() -> Iterator[tuple[str, str]]:
    """The place of each call of ``audit.append``, and a pattern for the actions that it may write."""
    for path in sorted(path for room in ("lrs", "adapters", "badges") for path in (ROOT / room).rglob("*.py")):
        text = path.read_text()
        for node in ast.walk(ast.parse(text)) if "audit.append(" in text else ():
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "audit.append":
                yield from ((f"{path.relative_to(ROOT)}:{node.lineno}", one) for one in patterns(node.args[2]))


def patterns(action: ast.expr) -> list[str]:
    if isinstance(action, ast.IfExp):
        return patterns(action.body) + patterns(action.orelse)
    if isinstance(action, ast.Constant):
        return [re.escape(action.value)]
    if isinstance(action, ast.JoinedStr):
        return ["".join(re.escape(one.value) if isinstance(one, ast.Constant) else ".+" for one in action.values)]
    return []  # it is given by whoever calls the function


def test_every_action_that_is_written_has_words():
    found = dict(written())

    assert len(found) > 60
    assert [place for place, action in found.items() if not any(re.fullmatch(action, one) for one in ACTIONS)] == []


def test_an_action_of_a_later_version_is_said_by_its_code():
    assert action_said("seat.given-back", "staff 1") == "A seat was given back"
    assert action_said("comet.came_by", "staff 1") == "Comet: came by"


@each_of(
    ("by", "said", "beneath"),
    [
        ("staff 1", "Ann", None),
        ("operator 2", "Olga", "operator 2"),  # the record of the installation, whose people operators are
        ("operator 3", "Operator", "operator 3"),
        ("operator", "Operator, by a command", None),
        ("command line", "Operator, by a command", None),
        ("key 4", "key 4", None),
    ],
)
def test_who_did_something_is_named_and_an_operator_is_told_from_the_next_by_the_id_beneath(by, said, beneath):
    people = {"1": Member("a@example.org", 0, "Ann", ""), "2": Member("o@example.org", 0, "Olga", "")}

    [row] = audit_rows([AuditEntry(1, 1, 0, by, "tenant.set", {}, "")], people, "Europe/London")

    assert (row.values["by"], row.shown["by"], row.beneath.get("by")) == (by, said, beneath)


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ("staff 3", ACTIONS["persons.merged"]),
        ("command line", ACTIONS["persons.merged"]),
        (own_account.SOURCE, JOINED_HERE),
        ("lti 1", JOINED_HERE),
        (sort_of("lti 1"), JOINED_HERE),
    ],
)
def test_a_merging_is_said_to_be_by_hand_only_where_people_did_it(by, said):
    assert action_said("persons.merged", by) == said
