"""``lrs roles``: what a role asks for, from a CSV or XLSX file. Knows no learner."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import click

from lrs.competencies.tables import told_of
from lrs.errors import Refused
from lrs.options import with_tenant
from lrs.profiles import roles as kept
from lrs.tenants import Tenant


@contextlib.contextmanager
def plainly() -> Iterator[None]:
    """Says a refusal in one sentence and ends with status 1."""
    try:
        yield
    except Refused as refused:
        raise click.ClickException(refused.message) from refused


@click.group()
def roles() -> None:
    """Roles and the competencies they ask for."""


@roles.command("import")
@with_tenant
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def import_roles(tenant: Tenant, file: Path, *, as_json: bool) -> None:
    """Reads roles from FILE (CSV or XLSX: role, competency, level, importance, weight)."""
    with plainly():
        notes = told_of(file, kept.COLUMNS)
        found, problems = kept.read_roles(file)
        outcomes = tenant.store.write(lambda tx: {role.id: kept.keep(tx, role) for role in found}).result()
    unknown = kept.unknown(tenant.store, found)
    if as_json:
        rows = [{"row": problem.row, "reason": problem.reason} for problem in problems]
        click.echo(json.dumps({"roles": outcomes, "problems": rows, "unknown": unknown, "notes": notes}, indent=2))
    else:
        for id, outcome in outcomes.items():
            click.echo(f"{outcome:10} {id}")
        for problem in problems:
            click.echo(f"row {problem.row}: left out, {problem.reason}", err=True)
        for told in (*notes, *unknown):
            click.echo(f"note: {told}", err=True)
    if problems:
        raise click.exceptions.Exit(1)


@roles.command("list")
@with_tenant
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_roles(tenant: Tenant, *, as_json: bool) -> None:
    """Lists the roles."""
    found = [
        {"id": role.id, "label": role.label, "requirements": len(role.requirements)}
        for role in kept.everyone(tenant.store)
    ]
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for role in found:
        click.echo(f"{role['id']}  {role['label']}  ({role['requirements']} requirements)")
