"""How long the product's files and functions may be. What grows beyond that is cut by sense, not by a line here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("lrs", "adapters", "badges")
MOST_OF_A_FILE, MOST_OF_A_FUNCTION = 300, 40


def files() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text()


def functions_in(text: str) -> Iterator[tuple[str, int]]:
    """Each function with its lines, from ``def`` to its end; what is defined within it counts for both."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def test_a_file_has_at_most_300_lines():
    too_long = {path: lines for path, text in files() if (lines := text.count("\n")) > MOST_OF_A_FILE}

    assert too_long == {}


def test_a_function_has_at_most_40_lines():
    too_long = {
        f"{path}:{name}": lines
        for path, text in files()
        for name, lines in functions_in(text)
        if lines > MOST_OF_A_FUNCTION
    }

    assert too_long == {}


def test_the_lines_of_a_function_are_counted_with_what_is_defined_in_it():
    text = "def outer():\n    async def inner():\n        return 1\n\n    return inner\n"

    assert list(functions_in(text)) == [("outer", 5), ("inner", 2)]
