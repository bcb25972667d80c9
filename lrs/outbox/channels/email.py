"""The channel ``email``: sends mails through the mail server in ``LRS_SMTP_URL``.

Without a mail server a mail is *held*: it stays in the list, its link can be copied there, and it can be sent later.
The caller who makes the channel gives the function that writes the mails (``Render``). Sources: RFC 5321 (SMTP), RFC
3207 (STARTTLS), RFC 3834 (Auto-Submitted).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import urlsplit

import msgspec

from lrs.kernel.errors import Refused
from lrs.kernel.mail_server import MailServer, checked_mailbox, mail_server
from lrs.kernel.settings import Settings
from lrs.kernel.times import SECOND, timestamp_of_micros
from lrs.outbox.channel import Channel, Destination, Message, Outcome, Undeliverable, Unneeded
from lrs.outbox.channels.smtp import hand_in
from lrs.outbox.deliveries import HELD, WITHHELD
from lrs.outbox.mail import CHANNEL, Letter, Mail, good_until
from lrs.storage import Record, Tx, micros_of
from lrs.tenancy.tenants import Tenant

Render = Callable[[Tenant, Mail], Letter]
UNSET = "no mail server is set (LRS_SMTP_URL)"
NO_SERVER = f"{UNSET}: copy its link from the console, or set one and send it again"


def channel(render: Render) -> Channel:
    """The channel whose mails *render* writes."""
    return Channel(
        CHANNEL,
        functools.partial(compose, render),
        own=_Servers(),
        resume="lrs mail test ADDRESS",
        called=lambda _: "Mails",
    )


def compose(render: Render, tenant: Tenant, record: Record, _: Destination) -> Message:
    """The mail in *record*. See ``Channel``. A mail whose link has expired is not sent."""
    mail = msgspec.json.decode(record.body, type=Mail)
    now, until = tenant.clock(), good_until(mail, micros_of(record.seq))
    if until is not None and now >= until:
        raise Unneeded(WITHHELD, f"not sent: its link was good until {timestamp_of_micros(until)}")
    if tenant.settings.smtp_url is None:
        raise Unneeded(HELD, NO_SERVER)
    try:
        message = written(tenant, mail, render(tenant, mail), record.id, micros_of(record.seq))
    except (Refused, ValueError) as error:
        raise Undeliverable(str(error)) from error
    return Message(functools.partial(_send, message))


def try_out(tenant: Tenant, render: Render, address: str, url: str = "") -> Outcome:
    """Sends a test mail at once and gives the outcome. Raises ``Refused`` for a bad *address*.

    *url* is a mail server to try, written like ``LRS_SMTP_URL``, instead of the one that is set. Raises ``ValueError``
    if it is none.
    """
    server = mail_server(url) if url else server_of(tenant.settings)
    mail = Mail(checked_mailbox(address), "test", {})
    now = tenant.clock()
    return hand_in(server, written(tenant, mail, render(tenant, mail), f"test-{now}", now))


def written(tenant: Tenant, mail: Mail, letter: Letter, id: str, at: int) -> EmailMessage:
    """The message. It is always the same for one delivery *id*, queued *at*. Raises ``Refused`` for a bad address.

    No value can add a header: the library refuses line ends, and whitespace becomes one blank.
    """
    sender = sender_of(tenant)
    organisation = " ".join(tenant.record.name.split())
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(organisation, addr_spec=sender)
    message["To"] = checked_mailbox(mail.address)
    message["Subject"] = " ".join(letter.subject.split())
    message["Date"] = format_datetime(datetime.fromtimestamp(at // SECOND, UTC))
    message["Message-ID"] = f"<{id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    return message


def sender_of(tenant: Tenant) -> str:
    """The sender address of *tenant*: its own, or ``noreply`` at the host of the pages."""
    settings = tenant.settings
    if settings.mail_sender is not None:
        return settings.mail_sender
    host = urlsplit(settings.pages_root or "").hostname or "localhost"
    return f"noreply@{host if '.' in host or host == 'localhost' else f'{host}.localdomain'}"


def _send(message: EmailMessage, settings: Settings) -> Outcome:
    return hand_in(server_of(settings), message)


def server_of(settings: Settings) -> MailServer:
    """The mail server of *settings*. Raises ``ValueError`` if there is none."""
    if settings.smtp_url is None:
        raise ValueError(UNSET)
    return mail_server(settings.smtp_url.get_secret_value())


class _Servers:
    """The mail server as the only destination. It is in the settings, so its state never changes here."""

    def find(self, tenant: Tenant, id: str) -> Destination | None:
        """See ``Destinations.find``. It is active also without a server, because then each mail is held."""
        if id != CHANNEL:
            return None
        server = server_of(tenant.settings) if tenant.settings.smtp_url is not None else None
        return Destination(CHANNEL, CHANNEL, f"{server.host}:{server.port}" if server else "")

    def everyone(self, tenant: Tenant) -> Iterable[Destination]:
        """See ``Destinations.everyone``: none, where no server is set."""
        found = self.find(tenant, CHANNEL) if tenant.settings.smtp_url else None
        return [found] if found else []

    def stop(self, tx: Tx, id: str, state: str, reason: str) -> None:
        """See ``Destinations.stop``. No outcome stops the server: after a wrong password the mail is tried again."""
