"""How every command prints: JSON for programs; columns under a heading, or one sentence, for people.

Knows no command. The convention is in DECISIONS.md (*One way to print*); ``tests/test_command_tree.py`` tests that each
command follows it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click
import msgspec

from lrs.kernel.plain_text import one_line
from lrs.kernel.times import short_timestamp

Shown = Mapping[str, Any]
"""One thing as ``--json`` shows it."""
Column = str | Callable[[Shown], object]
"""The content of a column: the value of that name in ``Shown``, or the result of a function."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")


class CommandGroup(click.Group):
    """A group of commands whose help shows the whole first sentence of each command; click cuts it off."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the commands in the order of their names."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, first_sentence(one)) for name, one in found if one and not one.hidden])


def first_sentence(command: click.Command) -> str:
    """The first paragraph of the help of *command*."""
    return " ".join((command.help or "").partition("\n\n")[0].split())


def print_json(value: object) -> None:
    """Prints *value* as one JSON document on standard output, indented."""
    click.echo(msgspec.json.format(msgspec.json.encode(value)).decode())


def print_list(found: Sequence[Shown], columns: Mapping[str, Column], *, none: str, as_json: bool) -> None:
    """Prints *found* as a JSON array, or as *columns* (heading to content).

    If there is none, prints *none* on standard error: a sentence that says so and what to do.
    """
    if as_json:
        print_json(found)
    elif not found:
        click.echo(none, err=True)
    else:
        print_table(list(columns), [[_of(one, column) for column in columns.values()] for one in found])


def print_table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints *rows* as aligned columns, two blanks apart, each row on one line."""
    lines = [tuple(heading.upper() for heading in headings), *(tuple(map(cell, row)) for row in rows)]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = (text + " " * (width - _width(text)) for text, width in zip(line, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def print_record(shown: Shown, *, as_json: bool) -> None:
    """Prints one thing as a JSON object, or as one line for each name."""
    if as_json:
        print_json(shown)
        return
    width = max(map(len, shown))
    for name, value in shown.items():
        click.echo(f"{name.ljust(width)}  {cell(value)}")


def cell(value: object) -> str:
    """*value* as text for a column, on one line: a list with commas, ``-`` for nothing."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(cell, value)) or "-"
    return one_line("" if value is None else str(value)) or "-"


def time_of(micros: int | None) -> str | None:
    """*micros* (microseconds UTC) as ISO 8601 with its zone, to the second; ``None`` for ``None``."""
    return None if micros is None else short_timestamp(micros)


def _of(one: Shown, column: Column) -> object:
    return column(one) if callable(column) else one[column]


def _width(text: str) -> int:
    """How many columns of a terminal *text* takes: combining marks none, wide East Asian letters two (UAX 11)."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1
        for char in text
    )
