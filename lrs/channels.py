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
"""Names that ``--channel`` takes already. There is no module for them yet: who adds one takes its name out here."""
