"""``lrs forward``: which other learning record stores get our statements, and how far each has come."""

from __future__ import annotations

from typing import Any

import click

from lrs.kernel.errors import Refused
from lrs.kernel.printing import Group, json_option, print_list, time_of
from lrs.kernel.times import SECOND, is_iso_timestamp, micros_of_timestamp
from lrs.outbox import listing
from lrs.storage import micros_of
from lrs.tenancy.options import with_tenant, with_tenant_to_read
from lrs.tenancy.tenants import Tenant
from lrs.transfer import forwards
from lrs.transfer.forwards import Filter, Forward

BY = "operator"


@click.group("forward", cls=Group)
def forward() -> None:
    """Forward statements to another learning record store, in their order."""


@forward.command("add")
@with_tenant
@click.argument("name")
@click.argument("endpoint")
@click.option("--key", envvar="LRS_KEY", help="Key (user name) at the other store.")
@click.option("--secret", envvar="LRS_SECRET", help="Its secret (better in LRS_SECRET); kept sealed.")
@click.option("--verb", "verbs", multiple=True, help="Only statements with this verb; may be given again.")
@click.option("--activity", "activities", multiple=True, help="Only what is about this activity; may be given again.")
@click.option("--source", "sources", multiple=True, help="Only what this source sent us; may be given again.")
@click.option("--not-from", "without", multiple=True, help="Nothing that this source sent us: what came from there.")
@click.option("--since", help="Only what was stored from this time on (ISO 8601) [default: everything].")
def add(
    tenant: Tenant, name: str, endpoint: str, *, key: str | None, secret: str | None, since: str | None, **only: Any
) -> None:
    """Forward what is stored here to ENDPOINT, such as https://lrs.example/xapi, under NAME."""
    if not key or not secret:
        raise Refused("which key? give --key and --secret, or set LRS_KEY and LRS_SECRET")
    made = forwards.add(tenant, name, endpoint, (key, secret), Filter(**only), since=_micros(since), by=BY)
    click.echo(f"{name} gets what is stored here at {made.url}/statements; lrs forward list says how far it is")


@forward.command("list")
@with_tenant_to_read
@json_option
def list_forwards(tenant: Tenant, *, as_json: bool) -> None:
    """List where statements are forwarded to, how far behind each is, and what it did not take."""
    print_list(
        [_shown(tenant, one) for one in forwards.everyone(tenant.store)],
        {
            "name": "name",
            "endpoint": "endpoint",
            "state": lambda one: f"{one['state']} ({one['reason']})" if one["reason"] else one["state"],
            "up to": "upTo",
            "lag": lambda one: f"{one['lag']} s",
            "not taken": "dead",
        },
        none="nothing is forwarded: lrs forward add NAME ENDPOINT begins",
        as_json=as_json,
    )


@forward.command("pause")
@with_tenant
@click.argument("name")
def pause(tenant: Tenant, name: str) -> None:
    """Send nothing more to NAME until lrs forward resume; nothing is lost meanwhile."""
    forwards.pause(tenant, name, by=BY)
    click.echo(f"{name} is paused; lrs forward resume {name} goes on where it stopped")


@forward.command("resume")
@with_tenant
@click.argument("name")
def resume(tenant: Tenant, name: str) -> None:
    """Send to NAME again, from where it stopped, at once."""
    forwards.resume(tenant, name, by=BY)
    click.echo(f"{name} goes on; what it did not take is sent again by lrs deliveries resend --to {name}")


@forward.command("remove")
@with_tenant
@click.argument("name")
def remove(tenant: Tenant, name: str) -> None:
    """Take NAME off: its address, its key, and how far it was."""
    forwards.remove(tenant, name, by=BY)
    click.echo(f"{name} is removed; added again, it begins anew")


def _shown(tenant: Tenant, one: Forward) -> dict[str, Any]:
    since = forwards.behind_since(tenant.store, one)
    dead = listing.dead(tenant, forwards.CHANNEL, one.id)
    return {
        "name": one.id,
        "endpoint": one.url,
        "state": one.state,
        "reason": one.reason,
        "verbs": one.filter.verbs,
        "activities": one.filter.activities,
        "sources": one.filter.sources,
        "notFrom": one.filter.without,
        "since": time_of(one.since) if one.since else None,
        "upTo": time_of(micros_of(one.position)) if one.position else None,
        "lag": 0 if since is None else max(0, tenant.clock() - since) // SECOND,
        "dead": dead,
    }


def _micros(since: str | None) -> int:
    if since is None:
        return 0
    for text in (since, f"{since}T00:00:00Z"):
        if is_iso_timestamp(text):
            return micros_of_timestamp(text)
    raise Refused(f"--since {since!r}: write a time like 2026-11-28 or 2026-11-28T09:00:00Z")
