"""The lines of the table of rights for the operator of the installation. They hold at the root only.

Whoever is signed in there is known by the control store alone, and by a cookie of its own; no role of an organisation
gives one of these rights, and they give none of an organisation's.
"""

from __future__ import annotations

from lrs.access import ALL, SELF, SESSION
from lrs.access.policy.lines import PUBLIC, PolicyLine, PolicyTable, listed

OPERATOR = "/operator"
"""The path in front of all pages of the operator."""
_ENTRANCE = PolicyLine(PUBLIC, pages="operator")
_ACCOUNT = PolicyLine("account.use", (SESSION,), frozenset({SELF}), pages="operator")


def _operator(right: str) -> PolicyLine:
    return PolicyLine(right, (SESSION,), frozenset({ALL}), pages="operator")


_LOOK, _TENANTS, _OPERATORS = (_operator(one) for one in ("installation.read", "tenants.manage", "operators.manage"))
_BEGIN = _operator("installation.begin")

OPERATOR_TABLE: PolicyTable = {
    ("GET", f"{OPERATOR}/sign-in"): _ENTRANCE,
    ("POST", f"{OPERATOR}/sign-in"): _ENTRANCE,
    ("POST", f"{OPERATOR}/sign-in/code"): _ENTRANCE,
    ("GET", f"{OPERATOR}/invitation/{{token}}"): _ENTRANCE,
    ("POST", f"{OPERATOR}/invitation/{{token}}"): _ENTRANCE,
    ("POST", f"{OPERATOR}/sign-out"): _ACCOUNT,
    ("GET", f"{OPERATOR}/account"): _ACCOUNT,
    ("POST", f"{OPERATOR}/account/name"): _ACCOUNT,
    ("POST", f"{OPERATOR}/account/password"): _ACCOUNT,
    ("POST", f"{OPERATOR}/account/sessions"): _ACCOUNT,
    ("GET", f"{OPERATOR}/account/second-factor"): _ACCOUNT,
    ("POST", f"{OPERATOR}/account/second-factor"): _ACCOUNT,
    ("POST", f"{OPERATOR}/account/second-factor/off"): _ACCOUNT,
    ("GET", OPERATOR): _LOOK,
    ("GET", f"{OPERATOR}/system"): _LOOK,
    **listed(f"{OPERATOR}/audit", _LOOK),
    **listed(f"{OPERATOR}/organisations", _TENANTS),
    ("POST", f"{OPERATOR}/organisations"): _TENANTS,
    ("GET", f"{OPERATOR}/organisations/{{id}}"): _TENANTS,
    ("POST", f"{OPERATOR}/organisations/{{id}}/state"): _TENANTS,
    ("POST", f"{OPERATOR}/organisations/{{id}}/administrator"): _TENANTS,
    ("GET", f"{OPERATOR}/people"): _OPERATORS,
    ("POST", f"{OPERATOR}/people"): _OPERATORS,
    ("POST", f"{OPERATOR}/people/{{id}}/state"): _OPERATORS,
    ("POST", f"{OPERATOR}/keys"): _OPERATORS,
    ("POST", f"{OPERATOR}/keys/{{key}}/revoke"): _OPERATORS,
    ("GET", f"{OPERATOR}/begin"): _BEGIN,
    ("POST", f"{OPERATOR}/begin/{{step}}"): _BEGIN,
    # asked by this server of itself, to see whether an address leads here
    ("GET", f"{OPERATOR}/reached/{{token}}"): PolicyLine(PUBLIC),
}
OF_INSTALLATION = frozenset(pattern for _, pattern in OPERATOR_TABLE)
"""Patterns that are about the installation, and about no organisation."""
