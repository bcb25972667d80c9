"""The commands ``lrs operators``: keys of the operators of the installation."""

from __future__ import annotations

import click

from lrs.access.operators import create_operator_key, list_operator_keys, revoke_operator_key
from lrs.kernel.errors import Misconfigured
from lrs.kernel.printing import CommandGroup, json_option, print_json, print_list
from lrs.kernel.settings import Settings
from lrs.tenancy.control import Control
from lrs.tenancy.options import with_control


@click.group(cls=CommandGroup)
def operators() -> None:
    """Make, list and revoke keys of who runs the installation: for /metrics, for no tenant's data."""


@operators.command("create")
@click.option("--name", required=True, help="Whom or what the key is for, e.g. 'prometheus'.")
@json_option
@with_control
def create(settings: Settings, control: Control, name: str, as_json: bool) -> None:
    """Make a key and print it with its secret, which is shown only once."""
    new = create_operator_key(settings, control, name)
    if as_json:
        print_json({"id": new.key, "key": new.key, "secret": new.secret})
    else:
        click.echo(f"key:    {new.key}\nsecret: {new.secret}\nThe secret is not shown again.")


@operators.command("list")
@json_option
@with_control
def list_all(_settings: Settings, control: Control, as_json: bool) -> None:
    """List the keys, never their secrets."""
    print_list(
        list_operator_keys(control),
        {"key": "id", "name": "name", "state": "state"},
        none="there are no operators' keys yet: lrs operators create --name NAME makes one",
        as_json=as_json,
    )


@operators.command("revoke")
@click.argument("key")
@with_control
def revoke(settings: Settings, control: Control, key: str) -> None:
    """Revoke KEY, at once, also on a running server."""
    if not revoke_operator_key(settings, control, key):
        raise Misconfigured(f"there is no key {key!r}; lrs operators list shows them")
    click.echo(f"revoked {key}")
