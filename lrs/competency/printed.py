"""What the commands about frameworks and rules share: reading a table, printing."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from pathlib import Path

import click

from lrs.access.keys import list_keys
from lrs.competency.frameworks.frameworks import frameworks, published
from lrs.competency.rules import rulesets
from lrs.competency.rules.mapping import ALIASES, Known, ruleset_from_table
from lrs.competency.rules.rules import Ruleset
from lrs.competency.tables import Fault, told_of
from lrs.kernel.plain_text import one_line
from lrs.kernel.tables.notes import worth_saying
from lrs.tenancy.tenants import Tenant

BY = "command line"
file_argument = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


def read_rules(tenant: Tenant, file: Path) -> tuple[Ruleset, tuple[Fault, ...]]:
    """The rule set that the table in *file* makes of the one in force, and what is wrong with its rows."""
    ready = published(tenant.store)
    every = frameworks(tenant.store)
    sources = {str(one["name"]) for one in list_keys(tenant.store)}
    known = Known(
        [one for one in every if one.status == "published"], [one for one in every if one not in ready], sources
    )
    before, earlier = rulesets.current(tenant.store), rulesets.in_review(tenant.store)
    print_notes(file, ALIASES)
    return ruleset_from_table(file, known, before, earlier)


def print_notes(file: Path, aliases: Mapping[str, Sequence[str]]) -> None:
    """How the table in *file* is read, and what of it is not, on standard error."""
    for note in worth_saying(told_of(file, aliases)):
        click.echo(one_line(f"note: {note}"), err=True)


def print_faults(faults: Iterable[Fault]) -> None:
    """One line each, on standard error."""
    for fault in faults:
        click.echo(one_line(str(fault)), err=True)


def table_of(ruleset: Ruleset) -> str:
    """The rules as the table that makes them: a competency is named with the framework's version it means."""
    competencies = {one.key: one for one in ruleset.competencies}
    text = StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(ALIASES)
    for rule in ruleset.rules:
        about = competencies[rule.competency]
        cells = {
            "activity": rule.activity,
            "match": rule.match,
            "verb": "|".join(rule.verbs),
            "competency": f"{about.code}@{about.version}",
            "framework": about.framework,
            "level": rule.level,
            "threshold": "" if rule.threshold is None else f"{rule.threshold}%",
            "valid for": rule.valid_for,
            "requalify within": rule.window,
            "trusted source": "|".join(rule.sources),
            "scaled range": "-1..1" if rule.scaled_range[0] < 0 else "",
        }
        lines.writerow([cells[column] for column in ALIASES])
    return text.getvalue()
