"""Adding, pausing, resuming and removing a forward, as the commands do it."""

from __future__ import annotations

from functools import partial

from msgspec.structs import asdict

from lrs.kernel.times import timestamp_of_micros
from lrs.outbox import destinations
from lrs.transfer.forwards import Filter
from lrs.transfer.xapi import CHANNEL

KEY_AND_SECRET = ("key", "secret")
ALL = Filter()


def add(tenant, name, endpoint, access=KEY_AND_SECRET, wanted=ALL, *, since=0):
    """The destination; *since* is in microseconds UTC."""
    given = {**asdict(wanted), "since": timestamp_of_micros(since) if since else None}
    return destinations.add(tenant, CHANNEL, name, endpoint, access=access, given=given, by="test")


def find(tenant, name):
    return destinations.find(tenant, CHANNEL, name)


def act(what, tenant, name):
    what(tenant, CHANNEL, name, by="test")


pause = partial(act, destinations.pause)
resume = partial(act, destinations.resume)
remove = partial(act, destinations.remove)
