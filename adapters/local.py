"""The door of the store on this machine: a server and a key of its own for as long as a run lasts.

So a file that is brought in here goes the way it would go from anywhere: checked, stored and remembered alike.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from adapters.door import Door, basic
from lrs.access.keys import create_key, forget_key
from lrs.kernel.processes import serving
from lrs.kernel.settings import Settings
from lrs.tenancy.control import registered
from lrs.tenancy.tenants import DEFAULT

SCOPES = ("statements/write", "profile")


@contextmanager
def door_of(settings: Settings, source: str) -> Iterator[Door]:
    """The door of the default tenant's store, with a key of *source* that is gone at the end, also on SIGTERM.

    Raises ``Misconfigured`` for settings or a name that cannot be used, or if the server does not start.
    """
    with registered(settings, DEFAULT) as tenant:
        new = create_key(tenant, source, SCOPES)
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            with serving(settings.data, "--parent", str(os.getpid())) as address:
                yield Door(f"{address}/xapi", basic(new.key, new.secret))
        finally:
            signal.signal(signal.SIGTERM, before)
            forget_key(tenant, new.key)
