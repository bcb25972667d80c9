"""The rules for Agents, Groups and authorities (xAPI 1.0.3 Data 2.4.2 and 2.4.9; 2.0 4.2.2.1 and 4.2.4.2).

They describe persons, so no message contains one of their values. Knows nothing of who is one person, or of where in a
statement an agent is.
"""

from __future__ import annotations

from typing import Any

from lrs.xapi.statements import formats
from lrs.xapi.statements.checks import ValueCheck, formatted, iri, list_of, mistyped, one_of, refusal, shape, text
from lrs.xapi.statements.identity import IDENTIFIERS

_IDENTIFIERS = frozenset(IDENTIFIERS)
_NAMES = "mbox, mbox_sha1sum, openid or account"
_account = shape(
    "The account",
    "2.4.2.4",
    {
        "homePage": iri("The account's homePage", "2.4.2.4", private=True),
        "name": text("The account's name", "2.4.2.4"),
    },
    ("homePage", "name"),
)
_mbox_form = "mailto: and an e-mail address, as in mailto:name@example.com"
_sha1_form = "the SHA-1 of a mailto IRI, 40 hexadecimal digits"
_identifier_fields: dict[str, ValueCheck] = {
    "mbox": formatted("The mbox", "2.4.2.3", formats.is_mailto, _mbox_form, private=True),
    "mbox_sha1sum": formatted("The mbox_sha1sum", "2.4.2.3", formats.is_sha1, _sha1_form, private=True),
    "openid": iri("The openid", "2.4.2.3", private=True),
    "account": _account,
}
_check_agent_fields = shape(
    "An Agent",
    "2.4.2.1",
    {
        "objectType": one_of("The objectType of an Agent", "2.4.2.1", ("Agent",)),
        "name": text("The name of an Agent", "2.4.2.1"),
        **_identifier_fields,
    },
)


def check_agent(value: Any) -> None:
    """Checks an Agent: exactly one identifier; ``objectType`` may be left out."""
    _check_agent_fields(value)
    if len(_IDENTIFIERS & value.keys()) != 1:
        raise _identifiers("An Agent", "2.4.2.1", len(_IDENTIFIERS & value.keys()))


_check_group_fields = shape(
    "A Group",
    "2.4.2.2",
    {
        "objectType": one_of("The objectType of a Group", "2.4.2.2", ("Group",)),
        "name": text("The name of a Group", "2.4.2.2"),
        "member": list_of("The member list of a Group", "2.4.2.2", check_agent),
        **_identifier_fields,
    },
    ("objectType",),
)


def check_group(value: Any) -> None:
    """Checks a Group: with exactly one identifier, or anonymous with at least one member. Members are Agents."""
    _check_group_fields(value)
    count = len(_IDENTIFIERS & value.keys())
    if count > 1:
        raise _identifiers("A Group", "2.4.2.2", count)
    if not count and not value.get("member"):
        raise refusal(f"A Group without {_NAMES} must list its Agents in member.", "2.4.2.2")


def check_identified(value: Any) -> None:
    """Checks an Agent or an Identified Group, as the ``agent`` parameter of a request names one."""
    check_actor(value)
    if not _IDENTIFIERS & value.keys():
        raise refusal(f"A Group can only be asked for by {_NAMES}.", "2.4.2.2")


def check_actor(value: Any) -> None:
    """Checks an Agent or a Group, by its ``objectType``; without one it is an Agent."""
    if type(value) is not dict:
        raise mistyped(value, "This", "an Agent or a Group (an object)", "2.4.2")
    kind = value.get("objectType", "Agent")
    if kind == "Agent":
        check_agent(value)
    elif kind == "Group":
        check_group(value)
    elif type(kind) is not str:
        raise mistyped(kind, "The objectType", "Agent or Group", "2.4.2").inside("/objectType")
    else:
        raise refusal("The objectType must be Agent or Group (exactly so).", "2.4.2", "objectType")


def check_authority(value: Any) -> None:
    """Checks an Agent, or a Group of exactly two Agents without identifier, which OAuth with three parties gives."""
    check_actor(value)
    if value.get("objectType") == "Group" and (_IDENTIFIERS & value.keys() or len(value["member"]) != 2):
        raise refusal("A Group as authority must have exactly two members and no identifier of its own.", "2.4.9")


def _identifiers(what: str, section: str, count: int) -> Exception:
    problem = "has none" if not count else f"has {count}"
    return refusal(f"{what} must have exactly one of {_NAMES}; this one {problem}.", section)
