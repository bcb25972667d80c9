"""One word for one thing: the name of a class or of a type is defined in one place (vocabulary in DECISIONS.md)."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("lrs", "adapters", "badges")
SHOWN = "lrs/matching/models.py"
"""The forms in which the API of matching services shows things: each has the name of what it shows."""
SHOWN_THINGS = {"Level", "Profile", "Requirement", "Role"}


def types_in(text: str) -> Iterator[str]:
    """The public classes and type aliases that a module defines: names such as ``Award``, not ``MAX`` or ``_Own``."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        else:
            continue
        yield from (name for name in names if name[0].isupper() and not name.isupper())


def places_by_name() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for name in types_in(path.read_text()):
                found[name].append(path.relative_to(ROOT).as_posix())
    return found


def test_a_public_name_of_a_type_is_defined_once() -> None:
    found = places_by_name()

    twice = {name: places for name, places in found.items() if len(places) > 1}

    assert {name for name, places in twice.items() if len(places) == 2 and SHOWN in places} == SHOWN_THINGS
    assert {name: places for name, places in twice.items() if name not in SHOWN_THINGS} == {}


def test_a_second_and_a_day_are_told_in_microseconds_in_one_place() -> None:
    of_their_own = [
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if re.search(r"(\*|//?) 1_000_000\b|^_?(SECOND|DAY) = \d", path.read_text(), re.MULTILINE)
    ]

    assert of_their_own == ["lrs/kernel/times.py"]


def test_classes_and_aliases_are_found_and_constants_and_private_names_are_not() -> None:
    text = "class Award: ...\nName = tuple[str, str]\nMAX = 3\n_Own = int\nvalue: int = 2\n\n\ndef Call(): ...\n"

    assert list(types_in(text)) == ["Award", "Name"]
