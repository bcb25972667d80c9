"""``lrs keys``: API keys made, listed and revoked."""

from __future__ import annotations

import json

import click

from lrs.auth.keys import create_key, list_keys, revoke_key
from lrs.auth.policy import SCOPES
from lrs.errors import Misconfigured
from lrs.options import with_tenant
from lrs.tenants import Tenant

_SCOPES = f"May be given repeatedly; one of: {', '.join(sorted(SCOPES))}."


@click.group()
def keys() -> None:
    """API keys: who may send and read."""


@keys.command("create")
@click.option("--name", required=True, help="The source this key stands for, e.g. 'moodle'.")
@click.option("--scope", "scopes", multiple=True, default=("all",), show_default=True, help=_SCOPES)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_tenant
def create(tenant: Tenant, name: str, scopes: tuple[str, ...], as_json: bool) -> None:
    """Make a key; its secret is shown this once."""
    try:
        new = create_key(tenant, name, scopes)
    except Misconfigured as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps({"key": new.key, "secret": new.secret}))
    else:
        click.echo(f"key:    {new.key}\nsecret: {new.secret}\nThe secret is not shown again.")


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@with_tenant
def list_all(tenant: Tenant, as_json: bool) -> None:
    """Show the keys, never their secrets."""
    found = list_keys(tenant.store)
    if as_json:
        click.echo(json.dumps(found))
        return
    for key in found:
        state = "revoked" if key["revoked"] else "active"
        click.echo(f"{key['key']}  {state:7}  {key['name']}  {', '.join(key['scopes'])}")


@keys.command("revoke")
@click.argument("key")
@with_tenant
def revoke(tenant: Tenant, key: str) -> None:
    """Take KEY out of use, within a second, on a running server too."""
    if not revoke_key(tenant, key):
        raise click.ClickException(f"there is no key {key!r}; lrs keys list shows them")
    click.echo(f"revoked {key}")
