"""The commands ``lrs forward``: the commands for destinations, for the channel ``xapi``."""

from __future__ import annotations

from lrs.kernel.printing import CommandGroup
from lrs.outbox.channel import by_name
from lrs.outbox.commands import act_commands, add_command, list_command
from lrs.transfer.xapi import CHANNEL

_ADD = "Forward what is stored here to ADDRESS, such as https://lrs.example/xapi, under NAME."
_LIST = "List where statements are forwarded to, how far behind each is, and what it did not take."
_NONE = "nothing is forwarded: lrs forward add NAME ADDRESS begins"
_CHANNELS = by_name(CHANNEL)

forward = CommandGroup(
    "forward",
    help="Forward statements to another learning record store, in their order.",
    commands=[
        add_command(CHANNEL, "add", _ADD),
        list_command(_CHANNELS, {"name": "name"}, _NONE, told=_LIST),
        *act_commands(_CHANNELS),
    ],
)
