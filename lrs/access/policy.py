"""The one table of who may do what; what is not in it is refused. Knows no handler."""

from __future__ import annotations

from lrs.access import Caller
from lrs.kernel.errors import Refused

SCOPES = frozenset(
    {
        "all",
        "all/read",
        "statements/write",
        "statements/read",
        "statements/read/mine",
        "state",
        "define",
        "profile",
        "agents/profile/read",
        "void/any",
        "import",
        "admin",
    }
)
"""xAPI 1.0.3 Communication 4.2, and ours: ``agents/profile/read`` reads what content asks of its learner's profile,
``void/any`` voids what other sources sent, ``import`` brings files, and statements with their authority, in, ``admin``
manages keys, services, people and pages. ``all`` is everything of xAPI, nothing of the last three."""

_READ = ("all", "all/read")
POLICY: dict[tuple[str, str], tuple[str, ...]] = {
    ("statements", "POST"): ("all", "statements/write"),
    ("statements", "PUT"): ("all", "statements/write"),
    ("statements", "GET"): (*_READ, "statements/read", "statements/read/mine"),
    ("activities/state", "GET"): (*_READ, "state"),
    ("activities/state", "PUT"): ("all", "state"),
    ("activities/state", "POST"): ("all", "state"),
    ("activities/state", "DELETE"): ("all", "state"),
    ("activities/profile", "GET"): (*_READ, "profile"),
    ("activities/profile", "PUT"): ("all", "profile"),
    ("activities/profile", "POST"): ("all", "profile"),
    ("activities/profile", "DELETE"): ("all", "profile"),
    ("agents/profile", "GET"): (*_READ, "profile", "agents/profile/read"),
    ("agents/profile", "PUT"): ("all", "profile"),
    ("agents/profile", "POST"): ("all", "profile"),
    ("agents/profile", "DELETE"): ("all", "profile"),
    ("activities", "GET"): (*_READ, "statements/read", "profile", "state"),
    ("agents", "GET"): (*_READ, "statements/read", "profile"),
    ("imports", "POST"): ("import",),
    ("admin", "GET"): ("admin",),
    ("admin", "POST"): ("admin",),
    ("metrics", "GET"): ("admin",),
    ("pages", "GET"): ("admin",),
    ("pages", "POST"): ("admin",),
}
OPEN = frozenset({("about", "GET")})


def allow(caller: Caller, resource: str, method: str) -> None:
    """Refuses with 403 unless one of the scopes the table names was granted."""
    needed = POLICY.get((resource, method), ())
    if not caller.may(*needed):
        text = " or ".join(needed) if needed else "nobody"
        raise Refused(f"this key may not {method} {resource}: it needs the scope {text}", status=403, error="forbidden")
