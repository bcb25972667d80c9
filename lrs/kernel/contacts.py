"""How people reach somebody who asks for their data or keeps it, and where their privacy notice is. Calls nothing."""

from __future__ import annotations

from lrs.kernel.addresses import web_address
from lrs.kernel.errors import Refused
from lrs.kernel.mail_server import checked_mailbox, is_loopback
from lrs.kernel.plain_text import hidden_character

LONGEST = 200


def checked_contact(text: str) -> str:
    """*text* as a way to reach somebody: an e-mail address, a web address, or a line such as a telephone number.

    Raises ``Refused``.
    """
    contact = text.strip()
    if not contact or len(contact) > LONGEST or hidden_character(contact):
        raise Refused(f"the contact is one line of 1 to {LONGEST} characters, such as an e-mail address")
    if "://" in contact:
        return checked_page(contact, "contact")
    return checked_mailbox(contact) if "@" in contact and " " not in contact else contact


def checked_page(url: str, what: str) -> str:
    """*url* as the address of a page that learners are led to: https, or http on this machine. Raises ``Refused``.

    Messages call it *what*.
    """
    try:
        parts = web_address(url.strip())
    except ValueError as error:
        raise Refused(f"the {what} is no address of a page: {error}") from error
    if parts.scheme != "https" and not is_loopback(parts.host):
        raise Refused(f"the {what} must be an https address")
    if "#" in url or len(url) > 2_000:
        raise Refused(f"the {what} may have no part after # and at most 2000 characters")
    return url.strip()


def contact_link(contact: str) -> str:
    """The address of a link for *contact* as ``checked_contact`` gave it, or nothing for a text."""
    if "://" in contact:
        return contact
    return f"mailto:{contact}" if "@" in contact and " " not in contact else ""
