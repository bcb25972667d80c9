"""``lrs destinations``: where things go out to, through whichever channel."""

from __future__ import annotations

from lrs.composition.channels import CHANNELS
from lrs.kernel.printing import CommandGroup
from lrs.outbox.commands import act_commands, add_command, list_command

_LIST = "List where things go out to, in which state each is, what waits for it, and what it did not take."
_NONE = "there are no destinations: lrs destinations add CHANNEL NAME ADDRESS adds one, lrs services add a service"

destinations = CommandGroup(
    "destinations",
    help="Add, list, pause and remove destinations: where statements, events and messages go out to.",
    commands=[
        CommandGroup(
            "add",
            help="Add a destination; each channel has a command for its own.",
            commands=[
                add_command(one, one.name, f"Add a destination NAME of the channel {one.name} at ADDRESS.")
                for one in CHANNELS.values()
                if one.own is None
            ],
        ),
        list_command(CHANNELS, {"channel": "channel", "name": "name"}, _NONE, told=_LIST),
        *act_commands(CHANNELS),
    ],
)
