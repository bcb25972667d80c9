"""Turns any error into a status and a message: the only place where that happens."""

from __future__ import annotations

import structlog

from lrs.kernel.admission import DISK_FULL, READ_ONLY, TENANT, Overloaded, RetryLater
from lrs.kernel.errors import Refused, StoreFull, StoreReadOnly
from lrs.storage.damage import is_damage
from lrs.storage.room import NO_ROOM

_DAMAGED = "the store of this tenant cannot be read at present; lrs doctor tells its operator why"
_log = structlog.get_logger()


def refused_for(error: Exception, request_id: str = "") -> Refused:
    """The refusal that the client gets for *error*."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, Overloaded):
        return RetryLater(error.cause)
    if isinstance(error, StoreFull):
        return RetryLater(READ_ONLY if isinstance(error, StoreReadOnly) else DISK_FULL, str(error))
    if isinstance(error, OSError) and error.errno in NO_ROOM:  # raised while a body is on its way to the store
        return RetryLater(DISK_FULL)
    if is_damage(error):
        _log.error("the store of a tenant is damaged: restore it from a backup", request=request_id, reason=str(error))
        return RetryLater(TENANT, _DAMAGED)
    _log.error("request failed", request=request_id, exc_info=error)
    return Refused("the server failed; its log says why", status=500, error="internal_error")
