"""The commands ``lrs badges keys``: list the keys that sign badges, rotate them, give one up. Decides nothing."""

from __future__ import annotations

from typing import Any, cast

import click

from badges.issuing import rotation
from badges.keys.ring import Key, ring_of
from lrs.kernel.printing import CommandGroup, json_option, print_list, time_of
from lrs.kernel.times import HOUR
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import with_tenant, with_tenant_to_read
from lrs.tenancy.signing_keys import ALGORITHMS, PREFIX, Algorithm
from lrs.tenancy.tenants import Tenant


@click.group(cls=CommandGroup)
def keys() -> None:
    """List, rotate and give up the keys that sign badges."""


@keys.command("list")
@json_option
@with_tenant_to_read
def list_command(tenant: Tenant, *, as_json: bool) -> None:
    """List the keys: number, algorithm, state, from and until when each signs, and its name in proofs."""
    print_list(
        [shown(key) for key in ring_of(tenant).keys],
        {
            "key": "id",
            "algorithm": "algorithm",
            "state": "state",
            "signs from": "from",
            "until": "until",
            "in proofs": "kid",
        },
        none="there are no keys",
        as_json=as_json,
    )


@keys.command("rotate")
@click.option(
    "--algorithm",
    type=click.Choice(ALGORITHMS),
    default="Ed25519",
    show_default=True,
    help="Ed25519 signs badges and status lists; ES256 or RS256 signs badges as JWT.",
)
@click.option(
    "--wait",
    type=click.FloatRange(min=0, max=24 * 365),
    default=rotation.WAIT / HOUR,
    show_default=True,
    help="Hours for which the new key is published before it signs. With less than 0.1, who has just read the old DID"
    " document refuses new badges for some minutes.",
)
@with_tenant
def rotate_command(tenant: Tenant, *, algorithm: str, wait: float) -> None:
    """Make a new key and publish it; it signs when the wait is over, and the one before stays valid."""
    id = rotation.rotate(tenant, cast("Algorithm", algorithm), wait=round(wait * HOUR), by=BY_COMMAND)
    made = next(key for key in ring_of(tenant).keys if key.id == id)
    when = "signs now" if made.state == "active" else f"is published now and signs from {time_of(made.since)}"
    click.echo(f"key {number_of(made)} ({made.algorithm}, {made.fragment}) {when}")


@keys.command("compromise")
@click.argument("key")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_tenant
def compromise_command(tenant: Tenant, key: str, *, yes: bool) -> None:
    """Give up KEY because others may have it: nothing that it signed is valid, and its badges are issued anew.

    The badges keep their ids. lrs badges list --key KEY shows them: their holders need the new copies. A name that
    begins with a hyphen stands after two: lrs badges keys compromise -- KEY.
    """
    named = key_named(tenant, key)
    number = number_of(named)
    if not yes:
        click.confirm(f"Make every badge that key {number} signed invalid, and issue them anew?", abort=True)
    heir = rotation.compromise(tenant, named.id, by=BY_COMMAND)
    instead = f"key {heir.removeprefix(PREFIX)} signs now" if heir else "it signed nothing any more"
    if named.algorithm != "Ed25519":
        click.echo(f"key {number} is given up; {instead}. The JWTs and SD-JWTs that it signed are invalid:")
        click.echo("whoever has one takes it anew from the page of the badge; the badges themselves stay valid")
        return
    click.echo(f"key {number} is given up; {instead}. Its badges are issued anew by the server:")
    click.echo(f"lrs badges list --key {number} shows them, lrs doctor how much is left to do")


def key_named(tenant: Tenant, text: str) -> Key:
    """The key that is named by its number, its id or its name in proofs. Raises ``ClickException`` if there is none."""
    for key in ring_of(tenant).keys:
        if text in {number_of(key), key.id, key.fragment}:
            return key
    raise click.ClickException(f"there is no key {text}: lrs badges keys list shows them")


def number_of(key: Key) -> str:
    """The number by which people name it."""
    return key.id.removeprefix(PREFIX)


def shown(key: Key) -> dict[str, Any]:
    """*key* as ``--json`` shows it."""
    return {
        "id": number_of(key),
        "algorithm": key.algorithm,
        "state": key.state,
        "from": time_of(key.since) if key.since else None,
        "until": time_of(key.until),
        "kid": key.fragment,
    }
