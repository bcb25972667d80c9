"""``lrs services``: the operator's view of who may be told of learners."""

from __future__ import annotations

import click

from lrs.kernel.printing import Group, json_option, print_list, print_record
from lrs.matching import registry
from lrs.matching import services as kept
from lrs.tenancy.options import with_tenant, with_tenant_to_read
from lrs.tenancy.tenants import Tenant

BY = "operator"

_PUBLIC = ("id", "name", "state", "reason", "webhook", "scopes", "purpose")


@click.group(cls=Group)
def services() -> None:
    """Register and look after matching services that learners can let see their profile."""


@services.command("add")
@with_tenant
@click.argument("name")
@click.option("--webhook", help="Where events are posted; without it the service can only ask.")
@click.option("--scopes", required=True, help=f"Comma-separated, of: {', '.join(kept.SCOPES)}.")
@click.option("--purpose", required=True, help="What for, in the words that the learner will read.")
@json_option
def add(tenant: Tenant, name: str, *, webhook: str | None, scopes: str, purpose: str, as_json: bool) -> None:
    """Register a service and print its secrets, which are shown this once."""
    wanted = [scope for scope in scopes.replace(",", " ").split() if scope]
    made = registry.register(tenant, name, webhook=webhook, scopes=wanted, purpose=purpose, by=BY)
    _show_secrets(made, as_json=as_json)


@services.command("rotate")
@with_tenant
@click.argument("service")
@json_option
def rotate(tenant: Tenant, service: str, *, as_json: bool) -> None:
    """Give SERVICE new secrets and print them, once; the former end at once.

    What it refuses until it knows them is sent again, for about three days.
    """
    made = registry.rotate(tenant, service, by=BY)
    _show_secrets(made, as_json=as_json)


@services.command("disable")
@with_tenant
@click.argument("service")
def disable(tenant: Tenant, service: str) -> None:
    """Shut SERVICE out: it is told and answered nothing, until lrs services resync."""
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
    print_record(shown, as_json=as_json)
    if not as_json:
        click.echo("The client secret is shown only now.")


@services.command("list")
@with_tenant_to_read
@json_option
def list_services(tenant: Tenant, *, as_json: bool) -> None:
    """List the services, and whether they are active."""
    found = [{name: getattr(one, name) for name in _PUBLIC} for one in kept.everyone(tenant.store)]
    print_list(
        found,
        {
            "id": "id",
            "name": "name",
            "state": lambda one: f"{one['state']} ({one['reason']})" if one["reason"] else one["state"],
            "webhook": lambda one: one["webhook"] or "pull only",
            "scopes": "scopes",
        },
        none="there are no services yet: lrs services add NAME registers one",
        as_json=as_json,
    )


@services.command("resync")
@with_tenant
@click.argument("service")
def resync(tenant: Tenant, service: str) -> None:
    """Make SERVICE active again and send it everything its learners agreed to once more."""
    count = registry.resync(tenant, service, by=BY)
    click.echo(f"{count} consents of {service} will be told again")
