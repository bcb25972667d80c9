"""The mail server that ``LRS_SMTP_URL`` names, and whether an address can be one. Connects to nothing."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from email_validator import EmailNotValidError, validate_email

from lrs.kernel.errors import Refused

PORTS = {"smtp": 587, "smtps": 465}
"""RFC 6409 (submission) and RFC 8314 (submissions)."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails are handed in. *is_tls*: by TLS from the first byte; else STARTTLS is asked for.

    *user* and *password* are empty where the server asks for none.
    """

    host: str
    port: int
    is_tls: bool
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def is_here(self) -> bool:
        """Whether it is this machine, to which nothing needs to be encrypted."""
        return is_loopback(self.host)


def mail_server(url: str) -> MailServer:
    """The server in *url*, such as ``smtp://USER:PASSWORD@mail.example.org``.

    Raises ``ValueError``, whose text quotes nothing of it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        user, password = unquote(parts.username or "", errors="strict"), unquote(parts.password or "", errors="strict")
    except ValueError:  # its text may quote the password
        raise ValueError("is no address of a mail server; write it like smtp://USER:PASSWORD@HOST:587") from None
    if parts.scheme not in PORTS or not parts.hostname or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError("is no address of a mail server; write it like smtp://USER:PASSWORD@HOST:587 or smtps://HOST")
    if bool(user) != bool(password):
        raise ValueError("has a user or a password, but not both; write signs such as @ and / as %40 and %2F")
    return MailServer(parts.hostname, port or PORTS[parts.scheme], parts.scheme == "smtps", user, password)


def is_loopback(host: str) -> bool:
    """Whether *host* is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def checked_mailbox(address: str) -> str:
    """*address* in its usual form, if it can be one; nobody is asked whether it exists. Raises ``Refused`` (400)."""
    try:
        return validate_email(address.strip(), check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise Refused(f"This is no e-mail address: {error} Write it like name@example.org.") from error
