"""The one way to owe a mail: to whom, from which template, with which values. Knows no mail server and no template.

A mail is a delivery of the channel ``email``, owed in the commit of its cause. Its text is put together when it is
sent. Without a mail server it is held, in the list of deliveries.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import msgspec

from lrs.kernel.times import MINUTE, micros_of_timestamp
from lrs.outbox.deliveries import Delivery, person_key, queue
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
}
"""The templates, and the values that each is given, all of them texts. *until* and *when* are RFC 3339."""


class Mail(msgspec.Struct, frozen=True):
    """The content of a delivery of this channel. *person* is the learner whom it is about, if it is about one."""

    address: str
    template: str
    values: Mapping[str, str]
    person: str | None = None
    language: str = "en"
    v: int = 1


class Letter(msgspec.Struct, frozen=True):
    """What a mail says: its subject, its text, and the same as HTML."""

    subject: str
    text: str
    html: str


def good_until(mail: Mail, at: int) -> int | None:
    """Until when the link or the code in *mail*, owed *at*, can be used, in microseconds UTC; ``None`` without one."""
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
    """Owes a mail to the address *to* with this commit; gives the id of its delivery.

    Raises ``ValueError`` unless *values* are just those of *template*.
    """
    if values.keys() != TEMPLATES[template]:
        raise ValueError(f"the template {template} has the values {', '.join(sorted(TEMPLATES[template]))}")
    content = msgspec.json.encode(Mail(to, template, values, person, language))
    keys = (person_key(person),) if person else ()
    delivery = Delivery(secrets.token_hex(16), CHANNEL, CHANNEL, content, what=template, keys=keys)
    queue(tx, delivery, tenant.clock())
    return delivery.id
