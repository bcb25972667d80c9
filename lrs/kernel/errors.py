"""The one error tree: what a caller can be told, and in which shape.

Knows nothing of HTTP frameworks or storage. The edge turns a ``Refused`` into
``{error, message, pointer, index, rule, requestId}``; anything else that escapes is our own fault.
"""

from __future__ import annotations


class Refused(Exception):
    """A request that was understood well enough to say no to.

    ``status`` is the HTTP status, ``error`` a short stable code, ``message`` one plain sentence.
    ``pointer`` is an RFC 6901 JSON pointer into the request body (``""`` is the whole body), ``index``
    the position of the statement in its batch, ``rule`` the requirement that was broken (for example
    ``xAPI 2.3.2``), ``headers`` are sent with the answer.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        error: str = "bad_request",
        pointer: str | None = None,
        index: int | None = None,
        rule: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.error = error
        self.pointer = pointer
        self.index = index
        self.rule = rule
        self.headers = headers

    def inside(self, prefix: str, index: int | None = None) -> Refused:
        """The same refusal seen from one level further out: *prefix* is put before the pointer.

        Always another one: an exception that is its own cause would keep all it has passed through in memory.
        """
        return Refused(
            self.message,
            status=self.status,
            error=self.error,
            pointer=prefix + (self.pointer or "") if prefix else self.pointer,
            index=self.index if index is None else index,
            rule=self.rule,
            headers=self.headers,
        )

    def shown(self, request_id: str) -> dict[str, object]:
        """The body every error of ours has; absent parts are left out."""
        parts: dict[str, object] = {
            "error": self.error,
            "message": self.message,
            "pointer": self.pointer,
            "index": self.index,
            "rule": self.rule,
            "requestId": request_id,
        }
        return {name: value for name, value in parts.items() if value is not None}


class Misconfigured(Exception):
    """The operator's settings or data cannot be used; the message says what to change."""


class NewerSchema(Misconfigured):
    """The store was written by a newer version of the program."""


class Damaged(OSError):
    """The file of a store is not what was written; the message says which, and what to do."""


class StoreFull(Exception):
    """The disk or the database has no room; nothing of the write was kept."""


class StoreReadOnly(StoreFull):
    """The store's folder may not be written to; nothing of the write was kept."""


class Overloaded(Exception):
    """The writer's queue is full or too old; ``retry_after`` is in seconds."""

    def __init__(self, retry_after: int = 1) -> None:
        super().__init__("too much work is waiting to be written")
        self.retry_after = retry_after


class OutcomeUnknown(Overloaded):
    """The store did not answer whether it has kept the write: it may have. Nothing of it is tried again by itself."""
