"""Who sends a request and what they may do: callers, rights of API keys and tokens, and the one policy table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

OWN_SOURCE = "engraft"
"""``meta.source`` of statements that the product itself makes. They are never evidence, because awards would otherwise
prove themselves; so no key may have this source.
"""

CONTENT_SOURCE = "engraft courses"
"""``meta.source`` of statements that content sends which was launched here. No key may have it, so content that anybody
wrote never shares the trust that a person or a system was given. Content of a course that a client or an author of one
source sent has a source of its own, which begins like this and a blank.
"""


def is_of_content(source: str) -> bool:
    """Whether *source* is that of launched content, of whichever course."""
    return source == CONTENT_SOURCE or source.startswith(f"{CONTENT_SOURCE} ")


PRIOR_SOURCE = "engraft prior badges"
"""``meta.source`` of statements about badges of others that learners brought along and whose issuer is trusted. No key
may have it.
"""
RESULTS_SOURCE = "engraft results"
"""What ``meta.source`` begins with of statements that tell a learning platform what its learners hold (the rest is the
id of the platform). They are never evidence, either; a key of such a source only reads them.
"""

CODES_SOURCE = "engraft codes"
"""``meta.source`` of what codes of events give. No key may have it."""


MADE_HERE = (CONTENT_SOURCE, PRIOR_SOURCE, CODES_SOURCE)
"""The sources of statements made here that a rule may trust. Those of content are more: see ``is_of_content``."""


def is_own(source: str | None) -> bool:
    """Whether statements of *source* are the product's own, which never prove anything."""
    return source == OWN_SOURCE or (source or "").startswith(f"{RESULTS_SOURCE} ")


SELF, CONSENTED, OWN_COURSE, OWN, OWN_SERVICE, OWN_LEARNERS, ALL = (
    "self",
    "consented",
    "own course",
    "own source",
    "own service",
    "own learners",
    "all",
)
"""How far a right reaches, from narrow to wide: the caller's own person, learners who consented, one course of one
learning platform, what the caller's source sent, what belongs to the caller's matching service, persons about whom its
source sent a fact, everything of the tenant.
"""
REACHES = (SELF, CONSENTED, OWN_COURSE, OWN, OWN_SERVICE, OWN_LEARNERS, ALL)

KEY, TOKEN, SESSION, LINK, OPERATOR, LAUNCH = "key", "token", "session", "link", "operator", "launch"
CONTENT, COURSE_CLIENT = "content", "course-client"
"""The type of credential: an API key, a service's access token, a session of somebody who is signed in, a learner's
link, a key of an operator of the installation, who belongs to no tenant, or the session that a launch from a learning
platform (LTI) opened; the token of content that was launched for a learner (cmi5), or that of a program that
launches courses.
"""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sent a request: what its credential stands for, what it may do, for which tenant, by which credential.

    ``subject`` is its name in the record of actions (``key default.0a1b``); ``source`` is the source of its statements.
    ``authority`` is the JSON text of the agent that its statements get as authority (1.0.3 Data 2.4.9); with the right
    ``statements.import`` they keep the authority that they have. ``rights`` says how far each right reaches, ``via`` is
    one of ``KEY``, ``TOKEN`` and so on.

    Somebody who is signed in has a *name*, and a learner the id of its *person*. *own* are the sources or services that
    a right reaches, by the right, where a role is bound to some; a key or a token has the one of its *source*. For a
    learner it is the *person*. *switches* are those that are on for a key's source (``lrs.access.switches``).
    """

    subject: str
    source: str
    authority: bytes
    rights: Mapping[str, str]
    tenant: str
    via: str
    name: str = ""
    person: str = ""
    own: Mapping[str, frozenset[str]] = field(default_factory=dict)
    switches: frozenset[str] = frozenset()

    def owned(self, right: str) -> frozenset[str]:
        """The sources, the services, or the person that *right* reaches where it does not reach all."""
        return self.own.get(right, frozenset({self.source} if self.source else ()))

    @property
    def key(self) -> str:
        """The id of the API key that was sent; empty for another credential."""
        return self.subject.removeprefix("key ") if self.via == KEY else ""

    def may(self, right: str) -> bool:
        """Whether it has *right*, however far it reaches."""
        return right in self.rights

    def may_all(self, right: str) -> bool:
        """Whether it has *right* for everything of the tenant."""
        return self.rights.get(right) == ALL


NOBODY = Caller("", "", b"", {}, "", "")
"""A caller without any right."""
