"""The record of a tenant in the control store: its state, and what the organisation decided. Knows no store.

What the record does not say is taken from the settings of the process. Records of version 1, which had only the time of
creation, count as open tenants that decided nothing; they are rewritten when they change.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.settings import Settings
from lrs.kernel.times import DAY, timestamp_of_micros

TenantState = Literal["open", "suspended", "closing", "deleted"]
GRACE = 30 * DAY
"""Microseconds between the command to delete a tenant and the deletion."""


class Decided(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the organisation decided. ``None`` means the setting of the same name."""

    zone: str | None = None
    rules_review: float | None = None
    outbound_allow: tuple[str, ...] | None = None
    mail_sender: str | None = None

    def settings(self, settings: Settings) -> Settings:
        """*settings* with these decisions."""
        return settings.model_copy(update=self.named())

    def named(self) -> dict[str, object]:
        """The decisions, by the name of their setting."""
        return {name: value for name, value in msgspec.structs.asdict(self).items() if value is not None}


class TenantRecord(msgspec.Struct, frozen=True):
    """The record of a tenant. Times are microseconds UTC, sizes bytes.

    *since* is when it came into its state. A *closing* tenant is deleted from *delete_at* on. For a *deleted* one,
    *audit* is the number and hash of the last entry of its record of actions, and *erased* says whether its files are
    gone.
    """

    created: int
    v: int = 2
    name: str = ""
    state: TenantState = "open"
    since: int = 0
    delete_at: int | None = None
    decided: Decided = Decided()
    storage_limit: int | None = None
    contact: str | None = None
    """How learners reach the organisation, see ``lrs.kernel.contacts``."""
    privacy_notice: str | None = None
    consent_age: int | None = None
    """The age from which a learner decides alone about what services see. ``None``: everybody does."""
    guardian: bool | None = None
    """Whether a guardian must agree, too, for who is younger; ``None`` is yes."""
    badge_mails: bool | None = None
    """Whether a learner is sent a message with a link when a badge is new; ``None`` is no."""
    stored: int = 0
    """Bytes of its store and blobs when a worker measured them last."""
    audit: tuple[int, str] | None = None
    erased: bool = False

    @property
    def guardian_age(self) -> int | None:
        """The age below which a guardian must agree, too; ``None`` if nobody needs one."""
        return None if self.guardian is False else self.consent_age

    def check_open(self, id: str) -> None:
        """Refuses (403) unless the tenant is open. The message says why, and what its operator can do."""
        if self.state == "suspended":
            raise Refused(
                f"this tenant is suspended: its data is kept, and its operator resumes it with lrs tenants resume {id}",
                status=403,
                error="suspended",
            )
        if self.state == "closing":
            raise Refused(
                f"this tenant is to be deleted on {timestamp_of_micros(self.delete_at or 0)[:10]}: until then its"
                f" operator can resume it with lrs tenants resume {id}",
                status=403,
                error="closing",
            )

    def check_room(self) -> None:
        """Refuses (507) a write when the tenant has reached its limit."""
        if self.storage_limit is not None and self.stored >= self.storage_limit:
            raise Refused(
                f"this tenant may store {self.storage_limit} bytes and has {self.stored}: nothing of this request was"
                " stored; its operator can raise the limit",
                status=507,
                error="quota",
            )


_decoder = msgspec.json.Decoder(TenantRecord)


def record_of(body: bytes) -> TenantRecord:
    """The record in *body*."""
    return msgspec.structs.replace(_decoder.decode(body), v=2)
