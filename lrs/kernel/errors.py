"""The tree of errors that a caller can be told, and their form.

Knows no HTTP framework and no storage. The web layer turns a ``Refused`` into ``{error, message, pointer, index, rule,
requestId}``. Any other exception that reaches it is a fault of the program.
"""

from __future__ import annotations

Headers = tuple[tuple[str, str], ...]
"""Header fields of an answer: names and values."""


class Refused(Exception):
    """A request that was understood and is refused.

    ``status`` is the HTTP status, ``error`` a short stable code, ``message`` one plain sentence. ``pointer`` is an RFC
    6901 JSON pointer into the request body (``""`` is the whole body), ``index`` the position of the statement in its
    batch, ``rule`` the requirement that was broken (for example ``xAPI 2.3.2``), ``headers`` are sent with the answer.
    ``plain`` is the sentence without anything that was sent, where there is one: it may be kept.
    """

    plain = ""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        error: str = "bad_request",
        pointer: str | None = None,
        index: int | None = None,
        rule: str | None = None,
        headers: Headers = (),
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
        """The same refusal for the value that contains this one: *prefix* is put before the pointer.

        Always a new exception: one that is its own cause would keep every frame it passed through in memory.
        """
        made = Refused(
            self.message,
            status=self.status,
            error=self.error,
            pointer=prefix + (self.pointer or "") if prefix else self.pointer,
            index=self.index if index is None else index,
            rule=self.rule,
            headers=self.headers,
        )
        made.plain = self.plain
        return made

    def shown(self, request_id: str) -> dict[str, object]:
        """The body of an error as JSON. Fields without a value are left out."""
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
    """The file of a store is damaged. The message says which file it is and what to do."""


class StoreFull(Exception):
    """The disk or the database has no room. Nothing of the write was kept."""


class StoreReadOnly(StoreFull):
    """The store's folder is read-only. Nothing of the write was kept."""
