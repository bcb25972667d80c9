"""What the register knows of a tenant: its state, and what an organisation decides for itself. Knows no store.

What the record does not say is as the process's settings have it. Records of version 1, which had nothing but the time
of creation, read as open ones of which nothing was decided; they are written anew when something of them changes.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.settings import Settings
from lrs.kernel.times import timestamp_of_micros

State = Literal["open", "suspended", "closing", "deleted"]
DAY = 24 * 3_600 * 1_000_000
GRACE = 30 * DAY
"""Microseconds between the order to delete a tenant and the deletion."""


class Decided(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the organisation decided; ``None`` is the setting of the same name."""

    zone: str | None = None
    rules_review: float | None = None
    outbound_allow: tuple[str, ...] | None = None

    def settings(self, settings: Settings) -> Settings:
        """*settings* with this in its place."""
        return settings.model_copy(update=self.named())

    def named(self) -> dict[str, object]:
        """What was decided, by the name of its setting."""
        return {name: value for name, value in msgspec.structs.asdict(self).items() if value is not None}


class TenantRecord(msgspec.Struct, frozen=True):
    """A tenant in the register. Times are microseconds UTC, sizes bytes.

    *since* is when it came into its state. A *closing* one is deleted from *delete_at* on; of a *deleted* one *audit*
    is the number and hash of the last entry of its record of actions, and *erased* whether its files are gone.
    """

    created: int
    v: int = 2
    name: str = ""
    state: State = "open"
    since: int = 0
    delete_at: int | None = None
    decided: Decided = Decided()
    storage_limit: int | None = None
    stored: int = 0
    """Bytes that its store and blobs had when a worker looked last."""
    audit: tuple[int, str] | None = None
    erased: bool = False

    def check_open(self, id: str) -> None:
        """Refuses (403) unless the tenant is open: with why, and what its operator can do."""
        if self.state == "suspended":
            raise Refused(
                "this tenant is suspended: nothing of it is lost, and its operator lets it go on with"
                f" lrs tenants resume {id}",
                status=403,
                error="suspended",
            )
        if self.state == "closing":
            raise Refused(
                f"this tenant is to be deleted on {timestamp_of_micros(self.delete_at or 0)[:10]}: until then its"
                f" operator brings it back with lrs tenants resume {id}",
                status=403,
                error="closing",
            )

    def check_room(self) -> None:
        """Refuses (507) what would be stored while the tenant has as much as it may have."""
        if self.storage_limit is not None and self.stored >= self.storage_limit:
            raise Refused(
                f"this tenant may store {self.storage_limit} bytes and has {self.stored}: nothing of this request was"
                " stored; its operator can raise the limit",
                status=507,
                error="quota",
            )


_decoder = msgspec.json.Decoder(TenantRecord)


def record_of(body: bytes) -> TenantRecord:
    """What *body* says."""
    return msgspec.structs.replace(_decoder.decode(body), v=2)
