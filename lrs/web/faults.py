"""What a client is told of any error: the one place where an exception becomes a status and a sentence."""

from __future__ import annotations

import structlog

from lrs.kernel.errors import OutcomeUnknown, Overloaded, Refused, StoreFull, StoreReadOnly
from lrs.storage.room import NO_ROOM

_LATER = (("retry-after", "30"),)
"""For what an operator has to mend first."""
_log = structlog.get_logger()


def refused_for(error: Exception, request_id: str = "") -> Refused:
    """What the client is told about *error*."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, Overloaded):
        return _later(error)
    if isinstance(error, StoreReadOnly):
        return Refused(str(error), status=503, error="store_read_only", headers=_LATER)
    if isinstance(error, StoreFull):
        return Refused(str(error), status=507, error="store_full", headers=_LATER)
    if isinstance(error, OSError) and error.errno in NO_ROOM:  # for a body on its way to the store
        message = "the disk is full: nothing of this request was stored"
        return Refused(message, status=507, error="store_full", headers=_LATER)
    _log.error("request failed", request=request_id, exc_info=error)
    return Refused("the server failed; its log says why", status=500, error="internal_error")


def _later(error: Overloaded) -> Refused:
    wait = (("retry-after", str(error.retry_after)),)
    if isinstance(error, OutcomeUnknown):
        message = "the database did not answer in time, so this may be stored or not: look before you send it again"
        return Refused(message, status=503, error="outcome_unknown", headers=wait)
    return Refused("the server is busy: send this again", status=503, error="overloaded", headers=wait)
