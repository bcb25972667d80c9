"""``lrs roles``: what a role asks for, from a CSV or XLSX file. Knows no learner."""

from __future__ import annotations

from pathlib import Path

import click

from lrs.competency.tables import told_of
from lrs.kernel.plain_text import one_line
from lrs.kernel.printing import CommandGroup, json_option, print_json, print_list
from lrs.kernel.tables.notes import worth_saying
from lrs.matching.roles import roles as kept
from lrs.tenancy.options import file_argument, with_tenant, with_tenant_to_read
from lrs.tenancy.tenants import Tenant


@click.group(cls=CommandGroup)
def roles() -> None:
    """Import and list roles and the competencies they ask for."""


@roles.command("import")
@with_tenant
@file_argument
@json_option
def import_roles(tenant: Tenant, file: Path, *, as_json: bool) -> None:
    """Read roles from FILE (CSV or XLSX: role, competency, level, importance, weight)."""
    notes = told_of(file, kept.COLUMNS)
    found, problems = kept.read_roles(file)
    outcomes = tenant.store.write(lambda tx: {role.id: kept.keep(tx, role) for role in found}).result()
    unknown = kept.unknown(tenant.store, found)
    if as_json:
        rows = [{"row": problem.row, "reason": problem.reason} for problem in problems]
        print_json({"roles": outcomes, "problems": rows, "unknown": unknown, "notes": notes})
    else:
        print_list(
            [{"id": id, "outcome": outcome} for id, outcome in outcomes.items()],
            {"outcome": "outcome", "role": "id"},
            none="no role could be read",
            as_json=False,
        )
        for problem in problems:
            click.echo(one_line(f"row {problem.row}: left out, {problem.reason}"), err=True)
        for told in (*worth_saying(notes), *unknown):
            click.echo(one_line(f"note: {told}"), err=True)
    if problems:
        raise click.exceptions.Exit(1)


@roles.command("list")
@with_tenant_to_read
@json_option
def list_roles(tenant: Tenant, *, as_json: bool) -> None:
    """List the roles."""
    found = [
        {
            "id": role.id,
            "name": role.label,
            "label": role.label,
            "requirements": len(role.requirements),
            "valid_from": role.valid_from.isoformat() if role.valid_from else None,
            "valid_until": role.valid_until.isoformat() if role.valid_until else None,
        }
        for role in kept.everyone(tenant.store)
    ]
    print_list(
        found,
        {
            "id": "id",
            "name": "name",
            "requirements": "requirements",
            "from": "valid_from",
            "until": "valid_until",
        },
        none="there are no roles yet: lrs roles import FILE brings them in",
        as_json=as_json,
    )
