"""Sends one message to a mail server (RFC 5321, RFC 3207) and gives the outcome. Knows no store.

Runs in a thread of the outbox. It sends nothing to a server without encryption, unless that is on this machine.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage

from lrs.kernel.mail_server import MailServer
from lrs.kernel.unreached import why
from lrs.outbox.channel import End, Outcome

SECONDS = 30
"""Seconds without a byte after which the call has failed."""
_LONGEST = 300


def hand_in(server: MailServer, message: EmailMessage) -> Outcome:
    """The outcome: 4xx is tried later; 5xx for this mail or address is a refusal, with the server's words."""
    address, us = str(message["To"]), str(message["Message-ID"]).strip("<>").rpartition("@")[2]
    try:
        with _connected(server, us) as smtp:
            smtp.send_message(message)
    except smtplib.SMTPRecipientsRefused as refused:
        return _answered(*next(iter(refused.recipients.values())), address)
    except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as refused:
        return _answered(refused.smtp_code, refused.smtp_error, address)
    except smtplib.SMTPNotSupportedError as error:
        return Outcome(End.REFUSED, f"the mail server cannot take it: {error}")
    except (smtplib.SMTPException, OSError, _Unencrypted) as error:
        return Outcome(End.LATER, _why(error))
    return Outcome(End.DELIVERED, "taken by the mail server", 250)


def _why(error: Exception) -> str:
    """The reason why the server could not be asked. It may be reachable later."""
    if isinstance(error, _Unencrypted):
        return "the mail server offers no STARTTLS, so nothing was sent to it"
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"the mail server refuses our user or password ({error.smtp_code})"
    if isinstance(error, smtplib.SMTPResponseException):
        return _said(error.smtp_code, error.smtp_error)
    if isinstance(error, ssl.SSLError):
        return f"no encrypted connection to the mail server: {error.reason or 'TLS failed'}"
    return f"the mail server cannot be reached: {why(error)}"


class _Unencrypted(Exception):
    """The server offers no encryption and is not on this machine."""


@contextmanager
def _connected(server: MailServer, us: str) -> Iterator[smtplib.SMTP]:
    """An encrypted and signed-in session with *server*. Errors at its end are ignored: the mail was accepted or not."""
    if server.is_tls:
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, us, timeout=SECONDS, context=ssl.create_default_context()
        )
    else:
        smtp = smtplib.SMTP(server.host, server.port, us, timeout=SECONDS)
    try:
        smtp.ehlo_or_helo_if_needed()
        if not server.is_tls and not server.is_here:
            if not smtp.has_extn("starttls"):
                raise _Unencrypted
            smtp.starttls(context=ssl.create_default_context())
            smtp.ehlo()
        if server.user:
            smtp.login(server.user, server.password)
        yield smtp
        with suppress(smtplib.SMTPException, OSError):
            smtp.quit()
    finally:
        smtp.close()


def _answered(code: int, words: bytes | str, address: str) -> Outcome:
    return Outcome(End.REFUSED if code >= 500 else End.LATER, _said(code, words, address), code)


def _said(code: int, words: bytes | str, address: str = "") -> str:
    """The server's words on one line, without the address, because lists show reasons and must name nobody."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    text = text.replace(address, "…") if address else text
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return f"the mail server said {code} {' '.join(plain.split())}"[:_LONGEST]
