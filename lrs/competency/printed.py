"""What the commands about frameworks and rules share: reading a table, printing."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from pathlib import Path

import click

from lrs.competency.rules.applying import ruleset_in
from lrs.competency.rules.mapping import ALIASES
from lrs.competency.rules.rules import Ruleset
from lrs.competency.rules.table import cells_of
from lrs.competency.tables import RowFault, told_of
from lrs.kernel.plain_text import one_line
from lrs.kernel.tables.notes import worth_saying
from lrs.tenancy.tenants import Tenant


def read_rules(tenant: Tenant, file: Path) -> tuple[Ruleset, tuple[RowFault, ...]]:
    """The rule set that results from the table in *file* and the rules in force, and the faults of its rows."""
    print_notes(file, ALIASES)
    return ruleset_in(tenant, file)


def print_notes(file: Path, aliases: Mapping[str, Sequence[str]]) -> None:
    """Prints on standard error how the table in *file* is read, and which parts of the file are not."""
    for note in worth_saying(told_of(file, aliases)):
        click.echo(one_line(f"note: {note}"), err=True)


def print_faults(faults: Iterable[RowFault]) -> None:
    """Prints one line for each fault on standard error."""
    for fault in faults:
        click.echo(one_line(str(fault)), err=True)


def table_of(ruleset: Ruleset) -> str:
    """The rules as a table that gives these rules again. Each competency is named with the version of its framework."""
    text = StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(ALIASES)
    lines.writerows([cells[column] for column in ALIASES] for cells in cells_of(ruleset))
    return text.getvalue()
