"""What a line of the table of rights says: who gets past. The table itself is ``lrs.access.policy.table``."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from lrs.access import ALL

PUBLIC = "public"
"""Used instead of a right: open to everybody."""


class PolicyLine(msgspec.Struct, frozen=True):
    """Who gets past: callers with *right*, by one of the credentials *via*, if it reaches as one of *reaches*.

    The first credential of *via* is the one that is asked for. A handler whose line has more than one reach narrows
    what it does to the caller's. *pages* names the pages (``lrs.web.page.Pages``) that its answers are, so that its
    refusals are pages, too; empty where they are JSON. *any_origin*: scripts of any site may read every answer, for
    nothing in it depends on who asks (the Fetch standard, CORS protocol). *foreign_forms*: pages of other sites send
    forms there, because a protocol says so; what is sent is proven in another way.
    """

    right: str
    via: tuple[str, ...] = ()
    reaches: frozenset[str] = frozenset({ALL})
    pages: str = ""
    any_origin: bool = False
    foreign_forms: bool = False

    @property
    def is_public(self) -> bool:
        """Whether nobody needs to show who they are."""
        return self.right == PUBLIC


PolicyTable = Mapping[tuple[str, str], PolicyLine]


def listed(path: str, line: PolicyLine) -> dict[tuple[str, str], PolicyLine]:
    """The lines of a list: its page, and its rows as files."""
    return {("GET", path + file): line for file in ("", ".csv", ".json")}
