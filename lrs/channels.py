"""Through which channels deliveries go out. One of the modules that put the rooms together."""

from __future__ import annotations

from lrs.matching import webhook
from lrs.outbox.channel import Channels
from lrs.transfer import xapi

CHANNELS: Channels = {
    "webhook": webhook,
    "xapi": xapi,
}
"""By the name that stands in each delivery and after ``lrs deliveries list --channel``."""
PLANNED = ("lti", "email")
"""Names that ``--channel`` knows already; nothing goes out through them yet."""
