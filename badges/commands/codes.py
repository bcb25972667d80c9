"""The commands ``lrs badges codes``: make a code for an event, list codes, end one. Prints; decides nothing."""

from __future__ import annotations

from datetime import datetime

import click

from badges.claims import event_codes
from badges.claims.event_codes import EventCode
from lrs.access import CODES_SOURCE
from lrs.kernel.printing import CommandGroup, json_option, print_list, time_of
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import with_tenant, with_tenant_to_read
from lrs.tenancy.tenants import Tenant


@click.group(cls=CommandGroup)
def codes() -> None:
    """Make, list and end codes that people type who were at an event."""


@codes.command("create")
@click.option("--activity", required=True, help="The address of the event, which a rule names.")
@click.option("--title", required=True, help="What people call the event.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The last day on which it can be used.")
@click.option(
    "--most", type=click.IntRange(1, event_codes.MOST_PEOPLE), help="How many people may use it; without it any number."
)
@with_tenant
def create_command(tenant: Tenant, *, activity: str, title: str, until: datetime, most: int | None) -> None:
    """Make a code: one for all who were there, each of whom can use it once."""
    ends = event_codes.end_of(until.date(), tenant.settings.zone)
    made = event_codes.create(tenant, EventCode(activity, title, ends, most, BY_COMMAND))
    click.echo(
        f"{made.code}\nit is told this once; learners type it at /me/code. It counts where a rule for {activity} names"
        f" the trusted source {CODES_SOURCE!r}"
    )


@codes.command("list")
@json_option
@with_tenant_to_read
def list_command(tenant: Tenant, *, as_json: bool) -> None:
    """List the codes: number, event, last day, and how many used each; the codes themselves are not kept."""
    print_list(
        [
            {
                "id": id,
                "title": code.title,
                "activity": code.activity,
                "until": time_of(code.until),
                "lastDay": code.last_day(tenant.settings.zone).isoformat(),
                "used": code.used,
                "most": code.most,
                "state": "ended" if code.is_over(tenant.clock()) else "open",
            }
            for id, code in event_codes.everyone(tenant.store)
        ],
        {"number": "id", "event": "title", "last day": "lastDay", "used": "used", "of": "most", "state": "state"},
        none="there are no codes: lrs badges codes create",
        as_json=as_json,
    )


@codes.command("end")
@click.argument("id")
@with_tenant
def end_command(tenant: Tenant, id: str) -> None:
    """End a code: nobody uses it from now on."""
    event_codes.end(tenant, id, by=BY_COMMAND)
    click.echo(f"{id} has ended; what it gave stays")
