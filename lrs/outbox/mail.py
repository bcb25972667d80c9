"""The only way to queue a mail: recipient, template and values. Knows no mail server and no template.

A mail is a delivery of the channel ``email``, queued in the commit of its cause. Its text is made when it is sent.
Without a mail server it is held in the list of deliveries.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import msgspec

from lrs.kernel.times import MINUTE, micros_of_timestamp
from lrs.outbox.deliveries import Delivery, queue
from lrs.storage import Tx
from lrs.tenancy.tenants import Tenant

CHANNEL = "email"
TEMPLATES: Mapping[str, frozenset[str]] = {
    "staff-invitation": frozenset({"link", "until"}),
    "staff-recovery": frozenset({"link", "until"}),
    "password-changed": frozenset({"when"}),
    "learner-invitation": frozenset({"link", "until"}),
    "learner-sign-in": frozenset({"link", "code", "minutes"}),
    "learner-address": frozenset({"code", "minutes"}),
    "guardian": frozenset({"link", "until"}),
    "badge": frozenset({"link", "until", "badge"}),
    "session-sign-off": frozenset({"link", "until"}),
    "seat-free": frozenset({"link", "session", "when"}),
    "session-changed": frozenset({"link", "session", "when"}),
    "session-cancelled": frozenset({"link", "session", "when"}),
}
"""The templates and the names of their values, which are all texts. *until* and *when* are RFC 3339."""


class Mail(msgspec.Struct, frozen=True):
    """The content of a delivery of this channel. *person* is the learner it is about, if any."""

    address: str
    template: str
    values: Mapping[str, str]
    person: str | None = None
    language: str = "en"
    v: int = 1


class Letter(msgspec.Struct, frozen=True):
    """The text of a mail: its subject, its plain text, and the same as HTML."""

    subject: str
    text: str
    html: str


def good_until(mail: Mail, at: int) -> int | None:
    """Until when the link or code in *mail*, queued *at*, is valid (microseconds UTC); ``None`` if it has none."""
    if "until" in mail.values:
        return micros_of_timestamp(mail.values["until"])
    return at + int(mail.values["minutes"]) * MINUTE if "minutes" in mail.values else None


def send_mail(
    tx: Tx,
    tenant: Tenant,
    to: str,
    template: str,
    values: Mapping[str, str],
    *,
    person: str | None = None,
    language: str = "en",
) -> str:
    """Queues a mail to the address *to* in this commit. Gives the id of its delivery.

    Raises ``ValueError`` unless *values* are exactly those of *template*.
    """
    if values.keys() != TEMPLATES[template]:
        raise ValueError(f"the template {template} has the values {', '.join(sorted(TEMPLATES[template]))}")
    content = msgspec.json.encode(Mail(to, template, values, person, language))
    delivery = Delivery(secrets.token_hex(16), CHANNEL, CHANNEL, content, what=template)
    queue(tx, delivery, tenant.clock())
    return delivery.id
