"""Which rights a scope stands for, and how far each reaches. Scopes are the names that keys and tokens are made with.

Rights are the names that the policy table and the program ask for; no key or token has them as its own words.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from functools import lru_cache

from lrs.access import ALL, CONSENTED, OWN, REACHES

Rights = Mapping[str, str]
"""Right to reach."""

_READ_STATEMENTS: Rights = {"statements.read": ALL, "activities.read": ALL, "agents.read": ALL}
_WRITE_STATEMENTS: Rights = {"statements.write": ALL, "statements.void": OWN}
_STATE: Rights = {"state.read": ALL, "state.write": ALL, "activities.read": ALL}
_READ_PROFILES: Rights = {"activity-profiles.read": ALL, "agent-profiles.read": ALL}
_WRITE_PROFILES: Rights = {"activity-profiles.write": ALL, "agent-profiles.write": ALL}
_DEFINE: Rights = {"definitions.write": ALL}
_ALL_READ: Rights = {**_READ_STATEMENTS, "state.read": ALL, **_READ_PROFILES, "ledgers.read": ALL}
_CONSOLE = ("sessions.open", "learners.read", "consents.withdraw", "work.read", "work.retry", "deliveries.resend")
_ADMIN = ("metrics.read", "badges.read", *_CONSOLE)

SCOPES: Mapping[str, Rights] = {
    "all": {
        **_ALL_READ,
        **_WRITE_STATEMENTS,
        **_STATE,
        **_WRITE_PROFILES,
        **_DEFINE,
        "ledgers.write": ALL,
        "imports.run": OWN,
    },
    "all/read": _ALL_READ,
    "statements/write": _WRITE_STATEMENTS,
    "statements/read": _READ_STATEMENTS,
    "statements/read/mine": {"statements.read": OWN},
    "profile": {
        **_READ_PROFILES,
        **_WRITE_PROFILES,
        **dict.fromkeys(("activities.read", "agents.read"), ALL),
        **dict.fromkeys(("ledgers.read", "ledgers.write"), OWN),
    },
    "state": _STATE,
    "define": _DEFINE,
    "agents/profile/read": {"agent-profiles.read": ALL},
    "void/any": {"statements.void": ALL},
    "import": {"statements.import": ALL, "imports.run": OWN},
    "admin": dict.fromkeys(_ADMIN, ALL),
}
"""Of API keys. xAPI 1.0.3 Communication 4.2, and ours: ``agents/profile/read`` reads what content asks of its learner's
profile, ``void/any`` voids what other sources sent, ``import`` brings files, and statements with their authority, in,
``admin`` manages keys, services, people and pages. ``all`` is everything of xAPI, and brings files in, whose statements
it could send as well; nothing else of the last three."""
_IMPORTS = {"statements.write", "ledgers.write"}
"""Whoever has these may bring files in, too: an import does nothing that such a key could not do by itself."""
EVERY_KEY: Rights = {"source.read": OWN}
"""What any key may: ask for whose files it brings in."""

SERVICE_SCOPES: Mapping[str, Rights] = {
    "profiles:read": {"profiles.read": CONSENTED},
    "profiles:read.evidence": {},  # more of what profiles:read shows
    "badges:read": {"badges.read": CONSENTED},
    "roles:read": {"roles.read": ALL},
    "gap:read": {"gap.read": CONSENTED},
}
"""Of matching services' access tokens (RFC 6749 3.3)."""
EVERY_SERVICE: Rights = {"links.make": ALL}


def rights_of_key(scopes: Iterable[str]) -> Rights:
    """The rights of an API key with these *scopes*, each as far as the widest of them reaches."""
    return _joined(frozenset(scopes), "key")


def rights_of_service(scopes: Iterable[str]) -> Rights:
    """The rights of a service's token with these *scopes*."""
    return _joined(frozenset(scopes), "service")


@lru_cache(maxsize=1_024)
def _joined(scopes: frozenset[str], of: str) -> Rights:
    table, every = (SCOPES, EVERY_KEY) if of == "key" else (SERVICE_SCOPES, EVERY_SERVICE)
    found = dict(every)
    for scope in scopes:
        for right, reach in table.get(scope, {}).items():
            found[right] = max(reach, found.get(right, reach), key=REACHES.index)
    if found.keys() >= _IMPORTS:
        found["imports.run"] = OWN
    return found


def scopes_with(right: str, reaches: Container[str], table: Mapping[str, Rights] = SCOPES) -> tuple[str, ...]:
    """The scopes of *table* that give *right* with one of these *reaches*."""
    return tuple(scope for scope, rights in table.items() if rights.get(right, "") in reaches)
