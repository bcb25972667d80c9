"""The commands ``lrs deliveries``: list what goes out through every channel, and send it again."""

from __future__ import annotations

import click

from lrs.composition.channels import CHANNELS
from lrs.kernel.plain_text import counted
from lrs.kernel.printing import CommandGroup, json_option, print_list
from lrs.matching import services
from lrs.outbox import listing
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import with_tenant, with_tenant_to_read
from lrs.tenancy.tenants import Tenant

_NONE = (
    "there are no such deliveries: one is made when there is something to tell, to a service once a learner has agreed"
    " (lrs consent list), to another LRS for a statement that it refused (lrs forward list), through any other channel"
    " once what it tells of has happened (lrs destinations list)"
)
_channel = click.option("--channel", type=click.Choice([*CHANNELS]), help="Only what goes out through this channel.")


@click.group(cls=CommandGroup)
def deliveries() -> None:
    """List and resend deliveries: what was sent to others, what waits, what was given up on."""


@deliveries.command("list")
@with_tenant_to_read
@_channel
@click.option("--service", help="Only to this service.")
@click.option("--to", help="Only to this destination, of whichever channel.")
@click.option(
    "--state", type=click.Choice(listing.STATES), help='Only those in this state; "dead" are those given up on.'
)
@json_option
def list_deliveries(
    tenant: Tenant, *, channel: str | None, service: str | None, to: str | None, state: str | None, as_json: bool
) -> None:
    """List deliveries, oldest first."""
    channel, to = _destination(tenant, channel, service, to)
    print_list(
        list(listing.listed(tenant, CHANNELS, to=to, channel=channel, state=state)),
        {
            "queued": "queued",
            "id": "id",
            "channel": "channel",
            "to": "to",
            "what": "what",
            "state": "state",
            "reason": lambda one: one["reason"] or one["status"],
        },
        none=_NONE,
        as_json=as_json,
    )


@deliveries.command("resend")
@with_tenant
@click.argument("delivery", required=False)
@_channel
@click.option("--service", help="All to this service that were given up on.")
@click.option("--to", help="All to this destination that were given up on.")
@click.option("--all", "everything", is_flag=True, help="All that were given up on.")
def resend(
    tenant: Tenant, delivery: str | None, *, channel: str | None, service: str | None, to: str | None, everything: bool
) -> None:
    """Send DELIVERY again, whatever became of it, or those that were given up on."""
    chosen = [delivery is not None, service is not None, to is not None, everything]
    if chosen.count(True) != 1 and not (channel and not any(chosen)):
        raise click.UsageError("name one delivery, or --service NAME, or --to NAME, or --channel NAME, or --all")
    channel, to = _destination(tenant, channel, service, to)
    if delivery is not None:
        listing.resend(tenant, delivery, by=BY_COMMAND)
        count = 1
    else:
        count = listing.resend_all(tenant, CHANNELS, by=BY_COMMAND, to=to, channel=channel)
        if not count:
            raise click.ClickException("no such delivery was given up on or is held: lrs deliveries list shows all")
    click.echo(f"{counted(count, 'delivery', 'deliveries')} will be sent again")


def _destination(
    tenant: Tenant, channel: str | None, service: str | None, to: str | None
) -> tuple[str | None, str | None]:
    """The channel and the destination in the options. Raises ``Refused`` (404) for an unknown service."""
    if service is None:
        return channel, to
    if to is not None or channel not in {None, "webhook"}:
        raise click.UsageError("--service is a destination of the channel webhook: leave out --to and --channel")
    return "webhook", services.meant(tenant.store, service).id
