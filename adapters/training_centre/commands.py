"""The commands ``lrs checklists``: bring checklists of a centre in, and list them. Prints; decides nothing."""

from __future__ import annotations

from pathlib import Path

import click

from adapters.training_centre import checklists as kept
from adapters.training_centre.checklist_table import COLUMNS, read_checklists
from lrs.access.keys import check_source
from lrs.competency.tables import told_of
from lrs.kernel.plain_text import one_line
from lrs.kernel.printing import CommandGroup, json_option, print_json, print_list
from lrs.kernel.tables.notes import worth_saying
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import file_argument, naming, with_tenant, with_tenant_to_read
from lrs.tenancy.tenants import Tenant


@click.group(cls=CommandGroup)
def checklists() -> None:
    """Import and list checklists: what trainers look for at a session of a training centre."""


@checklists.command("import")
@with_tenant
@file_argument
@click.option("--centre", required=True, help="The training centre: the name of its source, as in --provider.")
@json_option
def import_command(tenant: Tenant, file: Path, centre: str, *, as_json: bool) -> None:
    """Read checklists of a centre from FILE (CSV or XLSX: checklist, text, step, title, critical, and more).

    A checklist that changed gets a new version; one that is as it was changes nothing.
    """
    check_source(centre)
    with naming(file):
        notes = told_of(file, COLUMNS)
        found, faults = read_checklists(file, centre)
    now = tenant.clock()
    done = tenant.store.write(lambda tx: [kept.keep(tx, one, now, BY_COMMAND) for one in found]).result()
    told = [one.shown() | {"outcome": "new version" if is_new else "unchanged"} for one, is_new in done]
    if as_json:
        problems = [{"row": one.row, "reason": one.reason} for one in faults]
        print_json({"checklists": told, "problems": problems, "notes": notes})
    else:
        columns = {"outcome": "outcome", "name": "name", "version": "version", "steps": "steps"}
        print_list(told, columns, none="no checklist could be read", as_json=False)
        for fault in faults:
            which = f" {fault.checklist}" if fault.checklist else ""
            click.echo(one_line(f"row {fault.row}: {fault.reason}; the checklist{which} is left as it was"), err=True)
        for note in worth_saying(notes):
            click.echo(one_line(f"note: {note}"), err=True)
    if faults:
        raise click.exceptions.Exit(1)


@checklists.command("list")
@with_tenant_to_read
@json_option
def list_command(tenant: Tenant, *, as_json: bool) -> None:
    """List the checklists with their current versions."""
    columns = ("centre", "name", "title", "version", "steps", "critical", "signatures", "changed")
    print_list(
        [one.shown() for one in kept.everyone(tenant.store)],
        {name: name for name in columns},
        none="there are no checklists yet: lrs checklists import FILE --centre NAME brings them in",
        as_json=as_json,
    )
