"""What a step asks of its store: how often, and what comes of it if something happens in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import monitoring

from lrs.storage import Store

READS = {"get", "get_many", "find", "get_all", "find_any"}


class Heard(monitoring.CommandListener):
    """The commands while it listens: their names, and whether they are within a transaction."""

    def __init__(self) -> None:
        self._listening = False
        self.commands: list[tuple[str, bool]] = []

    @contextmanager
    def listens(self) -> Iterator[None]:
        """Listens as long as the block lasts, and forgets what it heard before."""
        self.commands.clear()
        self._listening = True
        try:
            yield
        finally:
            self._listening = False

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if self._listening and "writer" not in event.command.values():  # the heartbeat is another thread's
            self.commands.append((event.command_name, event.command.get("autocommit") is False))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Not of interest."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Not of interest."""


class Beside:
    """The store, beside which *act* happens before its *number*th read."""

    def __init__(self, store: Store, number: int, act: Callable[[], None]) -> None:
        self._store, self.left, self._act = store, number, act

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        return (lambda *given, **named: self._counted(found, *given, **named)) if name in READS else found

    def _counted(self, found: Callable[..., Any], *given: Any, **named: Any) -> Any:
        self.left -= 1
        if self.left == 0:
            self._act()
        return found(*given, **named)
