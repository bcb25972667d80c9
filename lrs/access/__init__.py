"""Who is calling: API keys, their scopes, and the one policy table."""

from __future__ import annotations

from dataclasses import dataclass

OWN_SOURCE = "engraft"
"""``meta.source`` of statements the product itself emits; they are never evidence, or awards would feed themselves.
So no key can stand for it."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sent a request: the *source* its credential stands for, what it may do, and for which tenant.

    ``authority`` is the JSON text of the agent that its statements get as theirs (1.0.3 Data 2.4.9); a caller that may
    ``import`` brings others' statements, which keep the one they have.
    """

    source: str
    scopes: frozenset[str]
    tenant: str
    authority: bytes = b""
    key: str = ""

    def may(self, *scopes: str) -> bool:
        """Whether one of *scopes* was granted."""
        return not self.scopes.isdisjoint(scopes)


NOBODY = Caller("", frozenset(), "")
"""A caller without any right."""
