"""The commands ``lrs demand``: how many people are wanted, and the regions of postcodes. Prints; decides nothing."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from adapters.planning import demand as kept
from adapters.planning.demand import RowReason
from lrs.kernel.plain_text import counted, one_line
from lrs.kernel.printing import CommandGroup, json_option, print_json, print_list
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import file_argument, naming, with_tenant, with_tenant_to_read
from lrs.tenancy.tenants import Tenant


@click.group(cls=CommandGroup)
def demand() -> None:
    """Import and list how many people are wanted, by role, region and year, and the regions of postcodes."""


@demand.command("import")
@with_tenant
@file_argument
@json_option
def import_command(tenant: Tenant, file: Path, *, as_json: bool) -> None:
    """Read what is wanted from FILE (CSV or XLSX: role, region, year, headcount, source)."""
    with naming(file):
        taken = kept.take(tenant.store, file, BY_COMMAND)
    if as_json:
        print_json({"outcomes": taken.outcomes, "problems": _problems(taken.lost)})
    else:
        click.echo(", ".join(f"{count} {outcome}" for outcome, count in taken.outcomes.items()))
    _say_lost(taken.lost, as_json=as_json)


@demand.command("regions")
@with_tenant
@file_argument
@json_option
def regions_command(tenant: Tenant, file: Path, *, as_json: bool) -> None:
    """Read the region of each postcode district from FILE (CSV or XLSX: district, region), in place of those before."""
    with naming(file):
        lost = kept.take_regions(tenant.store, file, BY_COMMAND)
    known = kept.regions_of(tenant.store)
    if as_json:
        print_json({"districts": len(known), "regions": sorted(set(known.values())), "problems": _problems(lost)})
    else:
        click.echo(f"{counted(len(known), 'district')} in {counted(len(set(known.values())), 'region')}")
    _say_lost(lost, as_json=as_json)


@demand.command("list")
@with_tenant_to_read
@json_option
def list_command(tenant: Tenant, *, as_json: bool) -> None:
    """List how many people are wanted."""
    found = [msgspec.structs.asdict(one) for one in sorted(kept.everything(tenant.store))]
    columns = ("role", "region", "year", "headcount", "source")
    none = "there is no demand yet: lrs demand import FILE brings it in"
    print_list(found, {name: name for name in columns}, none=none, as_json=as_json)


def _problems(lost: list[RowReason]) -> list[dict[str, object]]:
    return [{"row": row, "reason": reason} for row, reason in lost]


def _say_lost(lost: list[RowReason], *, as_json: bool) -> None:
    if not as_json:
        for row, reason in lost:
            click.echo(one_line(f"row {row}: left out, {reason}"), err=True)
    if lost:
        raise click.exceptions.Exit(1)
