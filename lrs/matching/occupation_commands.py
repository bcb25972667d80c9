"""``lrs occupations``: the occupations that learners can say they come from, with the skills that they suggest."""

from __future__ import annotations

from pathlib import Path

import click

from lrs.kernel.plain_text import one_line
from lrs.kernel.printing import CommandGroup, json_option, print_json, print_list
from lrs.matching import occupations as kept
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import with_tenant, with_tenant_to_read
from lrs.tenancy.tenants import Tenant


@click.group(cls=CommandGroup)
def occupations() -> None:
    """Import and list occupations that learners can come from, and the skills these suggest (ESCO)."""


@occupations.command("import")
@with_tenant
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@json_option
def import_occupations(tenant: Tenant, folder: Path, *, as_json: bool) -> None:
    """Read occupations and their skills from FOLDER, with the CSV files of ESCO."""
    read = kept.read_folder(folder)
    done = kept.keep_all(tenant.store, read.found, BY_COMMAND)
    if as_json:
        problems = [{"file": file, "row": row, "reason": reason} for file, row, reason in read.lost]
        print_json({"occupations": done, "problems": problems})
    else:
        print_list(
            [{"id": id, "outcome": outcome} for id, outcome in done.items()],
            {"outcome": "outcome", "occupation": "id"},
            none="no occupation could be read",
            as_json=False,
        )
        for file, row, reason in read.lost:
            click.echo(one_line(f"{file}, row {row}: left out, {reason}"), err=True)
    if read.lost or not done:
        raise click.exceptions.Exit(1)


@occupations.command("list")
@with_tenant_to_read
@json_option
def list_occupations(tenant: Tenant, *, as_json: bool) -> None:
    """List the occupations."""
    found = [{"id": id, "name": label, "names": list(others)} for id, label, others in kept.names(tenant.store)]
    print_list(
        found,
        {"name": "name", "id": "id"},
        none="there are no occupations yet: lrs occupations import FOLDER brings those of ESCO in",
        as_json=as_json,
    )
