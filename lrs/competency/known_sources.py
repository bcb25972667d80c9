"""Which sources there are: those with a key, and those that told something without one, as providers do by files."""

from __future__ import annotations

from functools import cached_property

from lrs.access.keys import known_keys
from lrs.storage import Reader, Walk
from lrs.xapi.statements.keys import source_key
from lrs.xapi.statements.plan import KIND as STATEMENT

UNKNOWN_SOURCE = "no key is called {}, and nothing came from it"


class KnownSources:
    """The sources of which a key was ever made, or from which a statement came; looked up as they are asked for."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def __contains__(self, source: object) -> bool:
        return source in self._keyed or self._has_told(str(source))

    def _has_told(self, source: str) -> bool:
        return bool(self._reader.find(Walk(STATEMENT, [source_key(source)], limit=1)).records)

    @cached_property
    def _keyed(self) -> frozenset[str]:
        return frozenset(one.source for one in known_keys(self._reader))
