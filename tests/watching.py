"""What this process asks of SQLite, seen from below our own code: which files it opens and what it runs on them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest


@dataclass
class Asked:
    """The stores that were opened, once for each connection, and the statements that were run, with their store.

    A tenant's store is called as the tenant, the register ``control``.
    """

    opened: list[str] = field(default_factory=list)
    statements: list[tuple[str, str]] = field(default_factory=list)

    def count(self, *stores: str) -> int:
        """How many statements were run on *stores*."""
        return sum(store in stores for store, _ in self.statements)

    def clear(self) -> None:
        """Forgets what was asked so far."""
        self.opened.clear()
        self.statements.clear()


@contextmanager
def asked_of_sqlite() -> Iterator[Asked]:
    """What is asked from now on by connections that are made in the block, but for looks at the head of a file."""
    asked = Asked()
    connect = sqlite3.connect

    def watched(path: str, *args: Any, **more: Any) -> sqlite3.Connection:
        connection = connect(path, *args, **more)
        if "immutable=1" in str(path):
            return connection
        store = _name(path)
        asked.opened.append(store)
        connection.set_trace_callback(lambda text: asked.statements.append((store, text)))
        return connection

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sqlite3, "connect", watched)
        yield asked


def _name(path: str) -> str:
    file = Path(path)
    return file.parent.name if file.name == "store.db" else file.stem
