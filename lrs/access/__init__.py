"""Who is calling, and what it may do: callers, the rights of API keys and tokens, and the one policy table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

OWN_SOURCE = "engraft"
"""``meta.source`` of statements the product itself emits; they are never evidence, or awards would feed themselves.
So no key can stand for it."""

SELF, CONSENTED, OWN, OWN_LEARNERS, ALL = "self", "consented", "own source", "own learners", "all"
"""How far a right reaches, from the narrowest: the caller's own person, learners who agreed to it, what the caller's
source sent, persons of whom its source sent a fact, everything of the tenant."""
REACHES = (SELF, CONSENTED, OWN, OWN_LEARNERS, ALL)

KEY, TOKEN, SESSION, LINK, OPERATOR = "key", "token", "session", "link", "operator"
"""By what a caller shows who it is: an API key, a service's access token, a member of staff's session, a learner's
link; the installation's operator, who belongs to no tenant, has a key of the installation."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sent a request: what its credential stands for, what it may do, for which tenant, by which credential.

    ``subject`` is who it is, as the record of actions names it (``key default.0a1b``); ``source`` is the one its
    statements get. ``authority`` is the JSON text of the agent that they get as theirs (1.0.3 Data 2.4.9); a caller
    with the right ``statements.import`` brings others' statements, which keep the one they have. ``rights`` has how far
    each right reaches, ``via`` one of ``KEY``, ``TOKEN`` and so on.
    """

    subject: str
    source: str
    authority: bytes
    rights: Mapping[str, str]
    tenant: str
    via: str

    def may(self, right: str) -> bool:
        """Whether it has *right*, however far that reaches."""
        return right in self.rights

    def may_all(self, right: str) -> bool:
        """Whether it has *right* over everything of the tenant."""
        return self.rights.get(right) == ALL


NOBODY = Caller("", "", b"", {}, "", "")
"""A caller without any right."""
