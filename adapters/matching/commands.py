"""``lrs services`` and ``lrs deliveries``: the operator's view of who is told what."""

from __future__ import annotations

import json

import click

from adapters.matching import registry
from lrs.options import with_tenant
from lrs.profiles import services as kept
from lrs.profiles.commands import plainly
from lrs.tenants import Tenant

BY = "operator"


_PUBLIC = ("id", "name", "state", "reason", "webhook", "scopes", "purpose")


@click.group()
def services() -> None:
    """Matching services that learners can let see their profile."""


@services.command("add")
@with_tenant
@click.argument("name")
@click.option("--webhook", help="Where events are posted; without it the service can only ask.")
@click.option("--scopes", required=True, help=f"Comma-separated, of: {', '.join(kept.SCOPES)}.")
@click.option("--purpose", required=True, help="What for, in the words that the learner will read.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def add(tenant: Tenant, name: str, *, webhook: str | None, scopes: str, purpose: str, as_json: bool) -> None:
    """Registers a service and prints its secrets, once."""
    wanted = [scope for scope in scopes.replace(",", " ").split() if scope]
    with plainly():
        made = registry.register(tenant, name, webhook=webhook, scopes=wanted, purpose=purpose, by=BY)
    _show_secrets(made, as_json=as_json)


@services.command("rotate")
@with_tenant
@click.argument("service")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def rotate(tenant: Tenant, service: str, *, as_json: bool) -> None:
    """Gives SERVICE new secrets and prints them, once; the former end at once.

    What it refuses until it knows them is sent again, for about three days.
    """
    with plainly():
        made = registry.rotate(tenant, service, by=BY)
    _show_secrets(made, as_json=as_json)


@services.command("disable")
@with_tenant
@click.argument("service")
def disable(tenant: Tenant, service: str) -> None:
    """Tells SERVICE nothing more and answers it nothing, until lrs services resync."""
    with plainly():
        tenant.store.write(lambda tx: kept.disable(tx, service, "by command", by=BY)).result()
    click.echo(f"{service} is disabled; lrs services resync {service} takes it back")


def _show_secrets(made: registry.Registered, *, as_json: bool) -> None:
    shown = {
        "client_id": made.service.id,
        "client_secret": made.client_secret,
        "webhook_secret": made.webhook_secret,
        "webhook": made.service.webhook,
        "scopes": list(made.service.scopes),
    }
    if as_json:
        click.echo(json.dumps(shown, indent=2))
        return
    for label, value in shown.items():
        click.echo(f"{label:15} {' '.join(value) if isinstance(value, list) else value or '-'}")
    click.echo("The client secret is shown only now.")


@services.command("list")
@with_tenant
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_services(tenant: Tenant, *, as_json: bool) -> None:
    """Lists the services and whether they are active."""
    found = list(kept.everyone(tenant.store))
    if as_json:
        click.echo(json.dumps([{name: getattr(one, name) for name in _PUBLIC} for one in found], indent=2))
        return
    for one in found:
        why = f" ({one.reason})" if one.reason else ""
        click.echo(f"{one.id}  {one.state}{why}  {one.webhook or 'pull only'}  {' '.join(one.scopes)}")


@services.command("resync")
@with_tenant
@click.argument("service")
def resync(tenant: Tenant, service: str) -> None:
    """Makes SERVICE active again and sends it everything its learners agreed to once more."""
    with plainly():
        count = registry.resync(tenant, service, by=BY)
    click.echo(f"{count} consents of {service} will be told again")


@click.group()
def deliveries() -> None:
    """What was sent to services, what waits, and what was given up on."""


@deliveries.command("list")
@with_tenant
@click.option("--service", help="Only of this service.")
@click.option("--state", type=click.Choice(["queued", "delivered", "superseded", "withheld", registry.PARKED]))
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_deliveries(tenant: Tenant, *, service: str | None, state: str | None, as_json: bool) -> None:
    """Lists deliveries, oldest first; "dead" are those that were given up on."""
    found = registry.listed(tenant, service=service, state=state)
    if as_json:
        click.echo(json.dumps(list(found), indent=2))
        return
    for one in found:
        why = one["reason"] or one["status"] or ""
        click.echo(f"{one['queued']}  {one['id']}  {one['service']}  {one['event']}  {one['state']}  {why}")


@deliveries.command("resend")
@with_tenant
@click.argument("delivery", required=False)
@click.option("--service", help="All of this service that were given up on.")
@click.option("--all", "everything", is_flag=True, help="All that were given up on.")
def resend(tenant: Tenant, delivery: str | None, *, service: str | None, everything: bool) -> None:
    """Sends DELIVERY again, whatever became of it, or what was given up on."""
    if [delivery is not None, service is not None, everything].count(True) != 1:
        raise click.UsageError("name one delivery, or --service NAME, or --all")
    with plainly():
        count = registry.resend(tenant, id=delivery, service=service)
    click.echo(f"{count} deliveries will be sent again")
