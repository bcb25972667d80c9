"""Identifiers as people type them, names that stand for nobody, and the check digit of learner numbers.

Knows no store, no person and no statement. Mailboxes that differ only in case are two identifiers: whether they are one
mailbox depends on the mail server, so that is only suggested.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha1
from typing import Any

from lrs.xapi.statements.identity import Identifier

ULN_HOME_PAGE = "https://www.gov.uk/uln"
"""``account.homePage`` of a Unique Learner Number (England). ``account.name`` is its ten digits."""

NOBODY = frozenset({"anonymous", "guest", "root@localhost"})
"""Names that stand for nobody if a source has no list of its own: Moodle's guest and its mailbox, and common other
names.
"""

TEMPORARY_ULN = "9999999999"
_ULN_WEIGHTS = range(10, 1, -1)
_ULN_DIGITS = re.compile(r"[0-9]{10}")
_EXPONENT = re.compile(r"[0-9]+([.,][0-9]+)?[eE]\+?[0-9]+")


def contradiction(sort: str) -> str:
    """Why two whose identifiers of one strong *sort* differ are not one person, in words."""
    return f"both have another {'learner number' if sort == f'account {ULN_HOME_PAGE}' else sort}"


def as_typed(ifi: dict[str, Any]) -> str:
    """An identifier in the form in which a person types it (see ``lrs.people.persons.named``)."""
    account = ifi.get("account")
    if account is None:
        return str(next(iter(ifi.values()))).removeprefix("mailto:")
    return str(account["name"]) if account["homePage"] == ULN_HOME_PAGE else f"{account['homePage']}|{account['name']}"


def matches_nobody(identifier: Identifier, names: frozenset[str] = NOBODY) -> str | None:
    """Why *identifier* stands for no person; ``None`` if it may stand for one.

    A temporary or invalid learner number, an account without a name, and one of *names* (see ``plain_name``) stand for
    no person. *names* are what a source calls its guests.
    """
    account = identifier.ifi.get("account")
    if account is not None:
        if not account["name"].strip():
            return "an account without a name stands for nobody"
        if account["homePage"] == ULN_HOME_PAGE:
            return uln_fault(account["name"])
    hashed = identifier.ifi.get("mbox_sha1sum")
    if hashed is not None:
        name = _hashes(names).get(hashed.lower())
    else:
        name = plain_name(account["name"] if account else identifier.ifi.get("mbox") or identifier.ifi["openid"])
    return f"{name} is a name for nobody" if name in names else None


def plain_name(text: str) -> str:
    """The name, mailbox or OpenID as it is compared with names for nobody: in lower case, without ``mailto:``."""
    return text.strip().casefold().removeprefix("mailto:")


@lru_cache(maxsize=64)
def _hashes(names: frozenset[str]) -> dict[str, str]:
    return {sha1(f"mailto:{name}".encode()).hexdigest(): name for name in names}  # noqa: S324 (xAPI says SHA-1)


def uln_fault(text: str) -> str | None:
    """What is wrong with a Unique Learner Number; ``None`` if it is valid.

    Ten digits, with weights 10 to 2; the remainder by 11 is not 0, and the last digit is 10 minus it (ILR rule DD01).
    9999999999 stands for a number that is not known yet, so it matches nobody.
    """
    if _EXPONENT.fullmatch(text):
        return "a learner number that a spreadsheet has rounded (like 1.23E+09): its digits are lost"
    if not _ULN_DIGITS.fullmatch(text):
        return "a learner number has ten digits"
    if text == TEMPORARY_ULN:
        return "9999999999 is a temporary learner number and matches nobody"
    remainder = sum(weight * int(digit) for weight, digit in zip(_ULN_WEIGHTS, text, strict=False)) % 11
    if remainder == 0 or 10 - remainder != int(text[9]):
        return "the learner number's check digit is wrong"
    return None


def same_mailbox_but_case(first: Identifier, second: Identifier) -> bool:
    """Whether the two are mailboxes that differ in upper and lower case only."""
    one, other = first.ifi.get("mbox"), second.ifi.get("mbox")
    return bool(one and other and one != other and one.casefold() == other.casefold())
