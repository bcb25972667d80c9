"""Faults of a MongoDB server: commands that fail, by its own fail points, and answers that do not come."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import pytest
from pymongo.errors import OperationFailure


@contextmanager
def failing(client, *commands: str, times: int = 1, **how) -> Iterator[None]:
    """The next *times* that one of *commands* comes, the server fails as told."""
    data = {"failCommands": list(commands), **how}
    try:
        client.admin.command("configureFailPoint", "failCommand", mode={"times": times}, data=data)
    except OperationFailure as error:
        pytest.skip(f"the server has no fail points (enableTestCommands): {error}")
    try:
        yield
    finally:
        client.admin.command("configureFailPoint", "failCommand", mode="off")


class Wire:
    """A way to a server that can be cut, so that what is sent stays without an answer; *change* alters its answers.

    Cut for *word* alone, it holds the questions in which that stands. What is held goes on when the ``open`` by which
    it was held is set.
    """

    def __init__(
        self, server: str, change: Callable[[bytes], bytes] = lambda answer: answer, *, word: bytes = b""
    ) -> None:
        self._word = word
        self.answers = 0
        self._to = (urlsplit(server).hostname, urlsplit(server).port)
        self._change = change
        self.open = threading.Event()
        self.open.set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._sockets = [self._listening]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        """The server's address by this way."""
        return f"mongodb://127.0.0.1:{self._listening.getsockname()[1]}"

    def close(self) -> None:
        """Nobody waits any more."""
        self.open.set()
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, far = self._listening.accept()[0], socket.create_connection(self._to)
                self._sockets += [near, far]
                for pair in ((near, far, bytes), (far, near, self._change)):
                    threading.Thread(target=self._carry, args=pair, daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, change: Callable[[bytes], bytes]) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if self._word in data:
                    self.open.wait()
                if change is self._change:
                    self.answers += 1
                target.sendall(change(data))
