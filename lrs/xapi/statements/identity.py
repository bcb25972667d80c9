"""What makes two agents the same: their inverse functional identifier. Knows no validation and no storage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

IDENTIFIERS = ("mbox", "mbox_sha1sum", "openid", "account")
"""xAPI 1.0.3 Data 2.4.2.3: of these a valid agent or identified group has exactly one."""


def ifi_text(agent: Mapping[str, Any]) -> str | None:
    """The identifier of a valid Agent or Group as text; ``None`` for an anonymous group.

    Equal texts mean the same agent: ``mbox:mailto:a@b.example``, ``account:<length>:<homePage>|<name>``. The length
    keeps an account apart from one whose home page ends where the other's name begins.
    """
    account = agent.get("account")
    if account is not None:
        home = account["homePage"]
        return f"account:{len(home)}:{home}|{account['name']}"
    for identifier in ("mbox", "mbox_sha1sum", "openid"):
        value = agent.get(identifier)
        if value is not None:
            return f"{identifier}:{value}"
    return None
