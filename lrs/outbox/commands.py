"""The commands for destinations, the same for every channel: add, list, pause, resume, remove. Knows no channel.

``lrs destinations`` has them for all channels. A channel may also have them under its own name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from lrs.kernel.errors import Refused
from lrs.kernel.printing import Shown, json_option, print_list
from lrs.outbox import destinations
from lrs.outbox.channel import Channel, Channels
from lrs.outbox.listing import listed_destinations, state_since
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import with_tenant, with_tenant_to_read
from lrs.tenancy.tenants import Tenant

_ACCESS = {
    "key": click.Option(["--key"], envvar="LRS_KEY", help="Key (user name) at the other side."),
    "secret": click.Option(
        ["--secret"], envvar="LRS_SECRET", help="Secret at the other side (better in LRS_SECRET); kept sealed."
    ),
}


def add_command(channel: Channel, name: str, told: str) -> click.Command:
    """The command *name*, which adds a destination of *channel*; *told* is its help."""

    @with_tenant
    def add(tenant: Tenant, **given: Any) -> None:
        id, address = given.pop("name"), given.pop("address")
        access = _access(channel, given)
        made = destinations.add(tenant, channel, id, address, access=access, given=given, by=BY_COMMAND)
        click.echo(f"{id} is added: {made.address}")

    params = [click.Argument(["name"]), click.Argument(["address"]), *(_ACCESS[one] for one in channel.access)]
    return click.command(name, help=told, params=[*params, *channel.options])(add)


def list_command(channels: Channels, columns: Mapping[str, str], none: str, *, told: str) -> click.Command:
    """The command ``list`` for destinations of *channels*, with further *columns* before the state."""

    @with_tenant_to_read
    @json_option
    def list_(tenant: Tenant, *, as_json: bool, channel: str | None = None) -> None:
        chosen = channels if channel is None else {channel: channels[channel]}
        print_list(
            listed_destinations(tenant, chosen),
            {
                **columns,
                "address": "address",
                "state": _state,
                "waiting": "waiting",
                "lag": lambda one: f"{one['lag']} s",
                "not taken": "dead",
            },
            none=none,
            as_json=as_json,
        )

    choice = click.Option(["--channel"], type=click.Choice([*channels]), help="Only those of this channel.")
    return click.command("list", help=told, params=[choice] if len(channels) > 1 else [])(list_)


def act_commands(channels: Channels) -> Sequence[click.Command]:
    """The commands ``pause``, ``resume`` and ``remove``. If there are several *channels*, each takes the channel."""

    def pause(tenant: Tenant, channel: Channel, name: str) -> str:
        """Send nothing to NAME until it is resumed; what is queued for it waits."""
        destinations.pause(tenant, channel, name, by=BY_COMMAND)
        return f"{name} is paused; {channel.resume_command(name)} goes on"

    def resume(tenant: Tenant, channel: Channel, name: str) -> str:
        """Send to NAME again at once, from where it stopped."""
        destinations.resume(tenant, channel, name, by=BY_COMMAND)
        again = f"lrs deliveries resend --channel {channel.name} --to {name}"
        return f"{name} goes on; what was put aside is sent again by {again}"

    def remove(tenant: Tenant, channel: Channel, name: str) -> str:
        """Remove NAME: its address, its key, and how far it had come."""
        destinations.remove(tenant, channel, name, by=BY_COMMAND)
        return f"{name} is removed; added again, it begins anew"

    return [_act_command(channels, act) for act in (pause, resume, remove)]


def _act_command(channels: Channels, act: Callable[[Tenant, Channel, str], str]) -> click.Command:
    @with_tenant
    def run(tenant: Tenant, *, name: str, channel: str | None = None) -> None:
        chosen = channels[channel] if channel else next(iter(channels.values()))
        click.echo(act(tenant, chosen, name))

    which = [click.Argument(["channel"], type=click.Choice([*channels]))] if len(channels) > 1 else []
    return click.command(act.__name__, help=act.__doc__, params=[*which, click.Argument(["name"])])(run)


def _access(channel: Channel, given: dict[str, Any]) -> list[str]:
    """The credentials, taken out of *given*."""
    access = [given.pop(name) for name in channel.access]
    if not all(access):
        options, variables = (" and ".join(map(form, channel.access)) for form in ("--{}".format, _variable))
        raise Refused(f"which {' and '.join(channel.access)}? give {options}, or set {variables}")
    return access


def _variable(name: str) -> str:
    return f"LRS_{name.upper()}"


def _state(one: Shown) -> str:
    state = one["state"]
    return f"{state_since(state, one['stateSince'])} ({one['reason']})" if one["reason"] else state
