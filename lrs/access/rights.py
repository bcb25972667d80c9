"""The rights that each scope gives, and how far each right reaches. Keys and tokens are made with scopes.

The policy table and the program ask for rights. Rights never appear in a key or token.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from functools import lru_cache

from lrs.access import ALL, CONSENTED, OWN, REACHES

Rights = Mapping[str, str]
"""How far each right reaches, by the right."""

_READ_STATEMENTS: Rights = {"statements.read": ALL, "activities.read": ALL, "agents.read": ALL}
_WRITE_STATEMENTS: Rights = {"statements.write": ALL, "statements.void": OWN}
_STATE: Rights = {"state.read": ALL, "state.write": ALL, "activities.read": ALL}
_READ_PROFILES: Rights = {"activity-profiles.read": ALL, "agent-profiles.read": ALL}
_WRITE_PROFILES: Rights = {"activity-profiles.write": ALL, "agent-profiles.write": ALL}
_DEFINE: Rights = {"definitions.write": ALL}
_ALL_READ: Rights = {**_READ_STATEMENTS, "state.read": ALL, **_READ_PROFILES, "ledgers.read": ALL}
_CONSOLE = ("sessions.open", "learners.read", "consents.withdraw", "work.read", "work.retry", "deliveries.resend")
_PEOPLE = (
    "staff.enter",
    "staff.manage",
    "learners.invite",
    "services.manage",
    "deliveries.read",
    "persons.join",
    "questions.answer",
    "consents.answer",
)
_SENDERS = (
    "sources.connect",
    "arrivals.read",
    "imports.run",
    "rules.change",
    "lms.connect",
    "lms.approve",
    *("courses.read", "courses.open", "courses.manage"),
)
_CENTRES = (
    *("sessions.read", "sessions.run", "sessions.sign", "checklists.change", "catalogue.change"),
    *("planning.read", "planning.change", "planning.protect"),
)
_ADMIN = (
    "metrics.read",
    "badges.read",
    "badge-keys.change",
    "badge-words.change",
    "badges.stop",
    "names.confirm",
    "sources.name",
    "audit.read",
    *_CONSOLE,
    *_PEOPLE,
    *_SENDERS,
    *_CENTRES,
)

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
    "courses": {"course-clients.manage": ALL},
}
"""Scopes of API keys: those of xAPI 1.0.3 Communication 4.2, and ours. ``agents/profile/read`` reads the profile of a
learner, for content; ``void/any`` voids what other sources sent; ``import`` alone brings in files of the provider that
its source is, and lets statements that another scope may send keep their authority; ``admin`` manages keys, services,
people and pages; ``courses`` makes clients that import and launch courses by programs. ``all`` is everything of xAPI
and bringing files in, because it could send their statements anyway; it does not include ``void/any``, ``import`` of
statements, ``admin`` and ``courses``.
"""
_IMPORTS = {"statements.write", "ledgers.write"}
"""A caller with all of these may bring files in: an import does nothing that its key could not do itself."""
EVERY_KEY: Rights = {"source.read": OWN}
"""What every key may do: ask which source it has."""

SERVICE_SCOPES: Mapping[str, Rights] = {
    "profiles:read": {"profiles.read": CONSENTED},
    "profiles:read.evidence": {},  # adds evidence to what profiles:read shows
    "badges:read": {"badges.read": CONSENTED},
    "roles:read": {"roles.read": ALL},
    "gap:read": {"gap.read": CONSENTED},
    "outcomes:write": {"outcomes.write": CONSENTED},
}
"""Scopes of access tokens of matching services (RFC 6749 3.3)."""
EVERY_SERVICE: Rights = {"links.make": ALL}


def rights_of_key(scopes: Iterable[str]) -> Rights:
    """The rights of an API key with these *scopes*. Each reaches as far as the widest scope allows."""
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
        found["imports.run"] = max(OWN, found.get("imports.run", OWN), key=REACHES.index)
    return found


def scopes_within_own(scopes: Iterable[str]) -> tuple[str, ...]:
    """Those of *scopes* of a key that read and change nothing but what its own source sent.

    One to send statements is among them: what is sent with the key is of its source.
    """
    return tuple(
        scope
        for scope in scopes
        if all(reach == OWN or right == "statements.write" for right, reach in SCOPES[scope].items())
    )


def scopes_with(right: str, reaches: Container[str], table: Mapping[str, Rights] = SCOPES) -> tuple[str, ...]:
    """The scopes of *table* that give *right* with one of these *reaches*."""
    return tuple(scope for scope, rights in table.items() if rights.get(right, "") in reaches)
