"""A SQLite store whose segments of search keys are merged when a test says so."""

from __future__ import annotations

from collections.abc import Callable

from lrs.storage.sqlite.store import SqliteStore


class MergedByHand(SqliteStore):
    """Nothing is merged between its commits. Call ``merge`` while nobody writes."""

    def _between(self, is_wanted: Callable[[], bool]) -> None:
        """Nothing."""

    def merge(self) -> int:
        """One step; 0 if nothing was due."""
        return self._merging.step()

    def merge_all(self) -> int:
        """All that is due; the number of steps."""
        steps = 0
        while self.merge():
            steps += 1
        return steps

    def table(self, query: str) -> list[tuple]:
        """What *query* gives."""
        return self._reader().connection.execute(query).fetchall()
