"""The commands ``lrs catalogue``: bring offerings and their dates in, and list them. Prints; decides nothing."""

from __future__ import annotations

from pathlib import Path

import click

from adapters.catalogue import offerings, view
from adapters.catalogue.entries import MOST, looked_at
from adapters.catalogue.scales import scales_of
from adapters.catalogue.table import COLUMNS, read_catalogue
from adapters.training_centre import centre_sessions
from lrs.competency.frameworks.frameworks import published
from lrs.competency.tables import told_of
from lrs.kernel.plain_text import one_line
from lrs.kernel.printing import CommandGroup, json_option, print_json, print_list, time_of
from lrs.kernel.tables.notes import worth_saying
from lrs.storage import Tx
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import file_argument, naming, with_tenant, with_tenant_to_read
from lrs.tenancy.tenants import Tenant


@click.group(cls=CommandGroup)
def catalogue() -> None:
    """Import and list what is offered to learners: courses, sessions and placements, with their dates."""


@catalogue.command("import")
@with_tenant
@file_argument
@json_option
def import_command(tenant: Tenant, file: Path, *, as_json: bool) -> None:
    """Read offerings and their dates from FILE (CSV or XLSX: offering, title, competency, level, date, and more).

    A date whose session is there already changes nothing: what is there may have a roster.
    """
    with naming(file):
        notes = told_of(file, COLUMNS)
        found = read_catalogue(
            file, tenant.settings.zone, BY_COMMAND, tenant.clock(), scales_of(published(tenant.store))
        )

    def decide(tx: Tx) -> dict[str, str]:
        done = {one.id: offerings.keep(tx, one, BY_COMMAND) for one in found.offerings.values()}
        for one in found.sessions:
            there = tx.get(centre_sessions.KIND, one.id) is not None
            if not there:
                centre_sessions.add(tx, one)
            done[f"{one.centre} {one.number}"] = "unchanged" if there else "new"
        return done

    outcomes = tenant.store.write(decide, weight=20 * (1 + len(found.offerings) + len(found.sessions))).result()
    if as_json:
        problems = [{"row": row, "reason": reason} for row, reason in found.faults]
        print_json({"outcomes": outcomes, "problems": problems, "notes": notes})
    else:
        told = [{"id": id, "outcome": outcome} for id, outcome in outcomes.items()]
        print_list(told, {"outcome": "outcome", "name": "id"}, none="no offering could be read", as_json=False)
        for row, reason in found.faults:
            click.echo(one_line(f"{file.name}, row {row}: left out. {reason}"), err=True)
        for note in worth_saying(notes):
            click.echo(one_line(f"note: {note}"), err=True)
    if found.faults:
        raise click.exceptions.Exit(1)


@catalogue.command("list")
@with_tenant_to_read
@json_option
def list_command(tenant: Tenant, *, as_json: bool) -> None:
    """List the catalogue as learners see it."""
    looked = looked_at(tenant.store, tenant.clock())
    found = [
        {
            "id": one.id,
            "title": one.title,
            "kind": one.sort,
            "gives": view.given(one),
            "hours": one.hours,
            "where": view.where(one),
            "cost": view.cost(one.cost),
            "next": time_of(one.next_date),
            "dates": len(one.dates),
        }
        for one in looked.found
    ]
    columns = ("id", "title", "kind", "gives", "hours", "where", "cost", "next")
    none = "there is nothing in the catalogue yet: lrs catalogue import FILE and lrs courses import FILE fill it"
    print_list(found, {name: name for name in columns}, none=none, as_json=as_json)
    if looked.is_cut:
        click.echo(f"note: only the newest {MOST} offerings, courses and sessions each are listed", err=True)
