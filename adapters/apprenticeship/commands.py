"""The commands ``lrs standards``: bring records of apprenticeship standards in, list them, show one. Prints only."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from adapters.apprenticeship import standard_records as kept
from lrs.kernel.plain_text import one_line
from lrs.kernel.printing import CommandGroup, json_option, print_json, print_list, print_record
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import file_argument, naming, with_tenant, with_tenant_to_read
from lrs.tenancy.tenants import Tenant


@click.group(cls=CommandGroup)
def standards() -> None:
    """Import, list and show apprenticeship standards, with their knowledge, skills and behaviours."""


@standards.command("import")
@with_tenant
@file_argument
@json_option
def import_command(tenant: Tenant, file: Path, *, as_json: bool) -> None:
    """Read standards from FILE: JSON, one record of Skills England or a list of them.

    Each version is kept beside the others. Later ILR returns and uploads name the standard by its reference.
    """
    with naming(file):
        found, faults = kept.read_standards(file.read_bytes())
    outcomes = [tenant.store.write(partial(kept.keep, standard=one, by=BY_COMMAND)).result() for one in found]
    told = [one.shown() | {"outcome": outcome} for one, outcome in zip(found, outcomes, strict=True)]
    if as_json:
        problems = [{"record": one.place, "reference": one.reference, "reason": one.reason} for one in faults]
        print_json({"standards": told, "problems": problems})
    else:
        columns = {"outcome": "outcome", "reference": "reference", "version": "version", "title": "title"}
        print_list(told, columns, none="no standard could be read", as_json=False)
        for fault in faults:
            click.echo(one_line(f"record {fault.place} {fault.reference}: left out, {fault.reason}"), err=True)
    if faults:
        raise click.exceptions.Exit(1)


@standards.command("list")
@with_tenant_to_read
@json_option
def list_command(tenant: Tenant, *, as_json: bool) -> None:
    """List the standards, each version by itself."""
    found = [{"id": f"{one.reference} {one.version}"} | one.shown() for one in kept.every_standard(tenant.store)]
    columns = {
        "id": "id",
        "title": "title",
        "level": "level",
        "lars": "lars",
        "K": "knowledge",
        "S": "skills",
        "B": "behaviours",
    }
    none = "there are no standards yet: lrs standards import FILE brings them in"
    print_list(found, columns, none=none, as_json=as_json)


@standards.command("show")
@with_tenant_to_read
@click.argument("reference")
@click.argument("version", required=False, default="")
@json_option
def show_command(tenant: Tenant, reference: str, version: str, *, as_json: bool) -> None:
    """Show a standard, such as ST1406, in VERSION or its newest one, with its knowledge, skills and behaviours."""
    found = kept.standard_called(tenant.store, reference, version)
    criteria = [{"code": one.code, "guid": one.guid, "text": one.text} for one in found.criteria]
    if as_json:
        print_json(found.shown() | {"criteria": criteria})
        return
    print_record(found.shown(), as_json=False)
    print_list(criteria, {"code": "code", "identifier": "guid", "text": "text"}, none="", as_json=False)
