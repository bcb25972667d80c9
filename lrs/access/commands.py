"""The commands ``lrs keys``: make, list and revoke API keys."""

from __future__ import annotations

import click

from lrs.access.keys import create_key, list_keys, revoke_key
from lrs.access.rights import SCOPES
from lrs.kernel.errors import Misconfigured
from lrs.kernel.printing import CommandGroup, json_option, print_json, print_list
from lrs.tenancy.options import with_tenant, with_tenant_to_read
from lrs.tenancy.tenants import Tenant

_SCOPES = f"May be given repeatedly; one of: {', '.join(sorted(SCOPES))}."


@click.group(cls=CommandGroup)
def keys() -> None:
    """Make, list and revoke API keys: who may send and read."""


@keys.command("create")
@click.option("--name", required=True, help="The source this key stands for, e.g. 'moodle'.")
@click.option("--scope", "scopes", multiple=True, default=("all",), show_default=True, help=_SCOPES)
@json_option
@with_tenant
def create(tenant: Tenant, name: str, scopes: tuple[str, ...], as_json: bool) -> None:
    """Make a key and print it with its secret, which is shown only once."""
    try:
        new = create_key(tenant, name, scopes)
    except Misconfigured as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        print_json({"key": new.key, "secret": new.secret})
    else:
        click.echo(f"key:    {new.key}\nsecret: {new.secret}\nThe secret is not shown again.")


@keys.command("list")
@json_option
@with_tenant_to_read
def list_all(tenant: Tenant, as_json: bool) -> None:
    """List the keys, never their secrets."""
    found = [
        {"id": key["key"], **key, "state": "revoked" if key["revoked"] else "active"} for key in list_keys(tenant.store)
    ]
    print_list(
        found,
        {"key": "key", "name": "name", "state": "state", "scopes": "scopes"},
        none="there are no keys yet: lrs keys create --name NAME makes one",
        as_json=as_json,
    )


@keys.command("revoke")
@click.argument("key")
@with_tenant
def revoke(tenant: Tenant, key: str) -> None:
    """Revoke KEY; a running server refuses it within a second."""
    if not revoke_key(tenant, key):
        raise click.ClickException(f"there is no key {key!r}; lrs keys list shows them")
    click.echo(f"revoked {key}")
