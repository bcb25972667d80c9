"""What statements depend on of their caller: its source, its authority, and what it may do with them. Pure."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from lrs.access import Caller
from lrs.xapi.statements.identity import ifi_text


class StatementSender(msgspec.Struct, frozen=True):
    """Who sends statements. *identity* is that of the agent in *authority*."""

    source: str
    authority: bytes
    identity: str | None
    imports: bool
    voids_any: bool
    defines: bool
    key: str = ""
    switches: frozenset[str] = frozenset()


def sender_of(caller: Caller) -> StatementSender:
    """The sender that *caller* is."""
    return StatementSender(
        source=caller.source,
        authority=caller.authority,
        identity=_identity(caller.authority),
        imports=caller.may("statements.import"),
        voids_any=caller.may_all("statements.void"),
        defines=caller.may("definitions.write"),
        key=caller.key,
        switches=caller.switches,
    )


@lru_cache(maxsize=1_024)
def _identity(authority: bytes) -> str | None:
    return ifi_text(msgspec.json.decode(authority)) if authority else None
