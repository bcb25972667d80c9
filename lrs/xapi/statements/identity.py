"""When two agents are the same: their inverse functional identifier, and its name. Knows no validation and no store.

The text of an identifier (``ifi_text``) is what filters compare. Its name (``Identifier.id``) is what persons are found
by. They differ in one case: a mailbox and its SHA-1 are one identifier in two forms. Everybody computes the same hash
from a mailbox, so this is no join that could be wrong or taken back. Both have the name of the hash.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from lrs.kernel.names import hash_name, mailbox_name, name

IDENTIFIERS = ("mbox", "mbox_sha1sum", "openid", "account")
"""A valid agent or identified group has exactly one of these (xAPI 1.0.3 Data 2.4.2.3)."""

SAME_PERSON = "https://w3id.org/engraft/extensions/identifiers"
"""Key in ``context.extensions``: agents that, by the statement's source, are the same person as the actor."""


class Identifier(msgspec.Struct, frozen=True):
    """One identifier: *id* is its permanent name, *ifi* an agent with nothing else, *sort* its strong sort.

    Two different identifiers of one strong *sort* cannot belong to one person: accounts of one home page, and so
    learner numbers. People do have several mailboxes, so the sort of a mailbox is ``None``.
    """

    id: str
    ifi: dict[str, Any]
    sort: str | None = None


def ifi_text(agent: Mapping[str, Any]) -> str | None:
    """The identifier of a valid Agent or Group as text; ``None`` for an anonymous group.

    Equal texts mean the same agent: ``mbox:mailto:a@b.example``, ``account:<length>:<homePage>|<name>``. Because of the
    length, an account with a longer home page and a shorter name has another text.
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


def agent_of(text: str) -> dict[str, Any]:
    """The agent whose ``ifi_text`` is *text*, with nothing but its identifier."""
    word, _, value = text.partition(":")
    if word != "account":
        return {word: value}
    length, _, account = value.partition(":")
    home = int(length)
    return {"account": {"homePage": account[:home], "name": account[home + 1 :]}}


def identifier_of(agent: Any) -> Identifier | None:
    """The identifier of an xAPI Agent as received; ``None`` if it has none, or one that is no text."""
    if not isinstance(agent, dict):
        return None
    if isinstance(mbox := agent.get("mbox"), str):
        return Identifier(mailbox_name(mbox), {"mbox": mbox})
    if isinstance(hashed := agent.get("mbox_sha1sum"), str):
        return Identifier(hash_name(hashed.lower()), {"mbox_sha1sum": hashed})
    if isinstance(openid := agent.get("openid"), str):
        return Identifier(name("identifier", "openid", openid), {"openid": openid})
    if isinstance(account := agent.get("account"), dict):
        return _account(account.get("homePage"), account.get("name"))
    return None


def agents_in(statement: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every agent, group and member in a valid *statement*: actor, object, authority, context, SubStatement."""
    yield from _with_members(statement["actor"])
    if authority := statement.get("authority"):
        yield from _with_members(authority)
    target = statement["object"]
    kind = target.get("objectType")
    if kind == "SubStatement":
        yield from agents_in(target)
    elif kind in {"Agent", "Group"}:
        yield from _with_members(target)
    context = statement.get("context")
    if context:
        yield from _context_agents(context)


def named_in(statement: dict[str, Any]) -> set[str]:
    """The names of all identifiers in a valid *statement*, also of those that it says are the actor's."""
    further = statement.get("context", {}).get("extensions", {}).get(SAME_PERSON, ())
    agents = [*agents_in(statement), *(further if isinstance(further, list) else ())]
    return {one.id for agent in agents if (one := identifier_of(agent))}


def _context_agents(context: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for field in ("instructor", "team"):
        if field in context:
            yield from _with_members(context[field])
    for wrapped in context.get("contextAgents", ()):
        yield wrapped["agent"]
    for wrapped in context.get("contextGroups", ()):
        yield from _with_members(wrapped["group"])


def _with_members(agent: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield agent
    yield from agent.get("member", ())


def _account(home_page: Any, account_name: Any) -> Identifier | None:
    if not isinstance(home_page, str) or not isinstance(account_name, str):
        return None
    ifi = {"account": {"homePage": home_page, "name": account_name}}
    return Identifier(name("identifier", "account", home_page, account_name), ifi, f"account {home_page}")
