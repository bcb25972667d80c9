"""The commands ``lrs oidc``: sign-in providers, at which staff and learners sign in."""

from __future__ import annotations

from typing import Any

import click

from lrs.access import staff
from lrs.access.oidc import providers
from lrs.access.oidc.documents import Documents
from lrs.access.oidc.providers import RETURN, Provider
from lrs.access.roles import Granted, granted
from lrs.kernel.printing import CommandGroup, json_option, print_json, print_list, print_record
from lrs.matching.developers import with_services
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import with_tenant, with_tenant_to_read
from lrs.tenancy.pages import pages_address
from lrs.tenancy.tenants import Tenant


@click.group(cls=CommandGroup)
def oidc() -> None:
    """Add, list, check and remove sign-in providers (OpenID Connect) of staff and learners."""


@oidc.command()
@click.argument("name")
@click.option("--issuer", required=True, help="The issuer, exactly as the provider writes it.")
@click.option("--client-id", required=True, help="The client id that the provider gave for this server.")
@click.option("--secret", envvar="LRS_SECRET", help="The client secret, if any (better in LRS_SECRET); kept hidden.")
@click.option("--label", help="What people read on the button (default: NAME).")
@click.option(
    "--for",
    "audience",
    type=click.Choice(["staff", "learners", "both"]),
    default="staff",
    show_default=True,
    help="Who signs in there.",
)
@click.option("--group", "groups", multiple=True, help="A role of whoever is in a group: GROUP=ROLE; repeatable.")
@click.option("--groups-claim", default="groups", show_default=True, help="The claim that names the groups.")
@click.option("--host", "hosts", multiple=True, help="A further host on which endpoints of it are; repeatable.")
@json_option
@with_tenant
def add(tenant: Tenant, name: str, *, as_json: bool, secret: str | None, label: str | None, **given: Any) -> None:
    """Add the provider NAME, or change it, and print the address to enter there."""
    groups = _groups(tenant, given.pop("groups"))
    providers.add(
        tenant, Provider(name, label or name, created=tenant.clock(), groups=groups, **given), secret, by=BY_COMMAND
    )
    back = pages_address(tenant.settings, tenant.id) + RETURN
    if as_json:
        print_json({"name": name, "redirectUri": back})
    else:
        click.echo(f"{name} is set. Enter this address (redirect URI) there:\n  {back}")


@oidc.command("list")
@json_option
@with_tenant_to_read
def list_all(tenant: Tenant, *, as_json: bool) -> None:
    """List the providers, never their secrets."""
    found = [
        {
            "id": one.name,
            "name": one.name,
            "label": one.label,
            "issuer": one.issuer,
            "clientId": one.client_id,
            "for": one.audience,
            "groups": {group: staff.roles_shown(roles) for group, roles in one.groups},
            "hosts": one.hosts,
        }
        for one in providers.everyone(tenant.store)
    ]
    columns = {"name": "name", "issuer": "issuer", "for": "for", "label": "label"}
    none = "there are no sign-in providers yet: lrs oidc add NAME adds one"
    print_list(found, columns, none=none, as_json=as_json)


@oidc.command()
@click.argument("name")
@json_option
@with_tenant_to_read
def check(tenant: Tenant, name: str, *, as_json: bool) -> None:
    """Check whether the provider NAME answers, and whether what it says of itself can be believed."""
    documents, provider = Documents(), providers.provider(tenant.store, name)
    discovery = documents.discovery(tenant, provider)
    keys = documents.keys(tenant, provider, discovery, None)
    told = {"name": name, "authorization": discovery.authorization, "token": discovery.token, "keys": len(keys)}
    print_record(told, as_json=as_json)


@oidc.command()
@click.argument("name")
@with_tenant
def remove(tenant: Tenant, name: str) -> None:
    """Take the provider NAME away: nobody signs in there any more."""
    if not providers.remove(tenant, name, by=BY_COMMAND):
        raise click.ClickException(f"there is no sign-in provider {name!r}; lrs oidc list shows them")
    click.echo(f"removed {name}")


def _groups(tenant: Tenant, told: tuple[str, ...]) -> tuple[tuple[str, tuple[Granted, ...]], ...]:
    found: dict[str, list[Granted]] = {}
    for one in told:
        group, equals, role = one.rpartition("=")
        if not equals or not group.strip():
            raise click.BadParameter(f"{one!r}: write it like 'lrs-admins=administrator'", param_hint="--group")
        found.setdefault(group.strip(), []).append(granted(role))
    return tuple((group, tuple(with_services(tenant.store, roles))) for group, roles in found.items())
