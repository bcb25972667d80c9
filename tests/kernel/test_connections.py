"""A connection that stays open serves the next call to the same place for a while, and costs no call when gone."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic

import httpcore2
import pytest

from lrs.kernel import connections, outbound
from lrs.kernel.connections import CheckedAddress, Deadline, UntilDeadline
from lrs.kernel.outbound import Blocked, Unreachable
from lrs.kernel.settings import Settings
from lrs.kernel.unreached import why

LOOPBACK = Settings(outbound_allow=("127.0.0.0/8",))
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
LAST = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"


@dataclass
class Other:
    """Another server: how many connections it took, the requests on each, and what it answers to each request.

    ``None`` hangs up without an answer, ``b""`` answers nothing more on this connection.
    """

    listener: socket.socket
    answers: list[bytes | None] = field(default_factory=list)
    taken: list[list[bytes]] = field(default_factory=list)
    ended: list[threading.Event] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/hook"

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.taken.append([])
            self.ended.append(threading.Event())
            arguments = (connection, self.taken[-1], self.ended[-1])
            threading.Thread(target=self.serve, args=arguments, daemon=True).start()

    def serve(self, connection: socket.socket, requests: list[bytes], ended: threading.Event) -> None:
        with connection, suppress(OSError):
            while request := whole(connection):
                requests.append(request)
                answer = self.answers.pop(0) if self.answers else ANSWER
                if answer is None:
                    break
                connection.sendall(answer)
                if answer == LAST:
                    break
        ended.set()


def whole(connection: socket.socket) -> bytes:
    """One request, whose body is ``{}``; nothing at the end."""
    request = b""
    while not request.endswith(b"{}"):
        more = connection.recv(65_536)
        if not more:
            return b""
        request += more
    return request


@pytest.fixture
def other() -> Iterator[Other]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = Other(listener)
        threading.Thread(target=made.run, daemon=True).start()
        yield made
        outbound._kept.close()  # noqa: SLF001 (of this process, so of other tests)
        listener.shutdown(socket.SHUT_RDWR)


def call(other: Other, settings: Settings = LOOPBACK) -> int:
    return outbound.post_again(other.url, b"{}", {"webhook-id": "1"}, settings).status


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names that are looked up."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def ask(host: str, *rest: object, **named: object) -> object:
        asked.append(host)
        return real(host, *rest, **named)

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", ask)
        yield asked


def test_calls_one_after_the_other_use_one_connection_and_look_the_name_up_once(other, monkeypatch):
    with counted(monkeypatch) as asked:
        statuses = [call(other) for _ in range(3)]

    assert statuses == [204, 204, 204]
    assert [len(requests) for requests in other.taken] == [3]
    assert len(asked) == 2  # the check, and the connection to the address that it gave


def test_a_connection_that_the_other_side_closed_meanwhile_costs_no_call(other):
    other.answers = [LAST]
    statuses = [call(other)]
    other.ended[0].wait(10)

    statuses += [call(other), call(other)]

    assert statuses == [204, 204, 204]
    assert [len(requests) for requests in other.taken] == [1, 2]


def test_a_call_on_whose_kept_connection_the_other_side_hangs_up_is_made_once_more(other):
    other.answers = [ANSWER, None]

    assert [call(other), call(other)] == [204, 204]
    assert [len(requests) for requests in other.taken] == [2, 1]


def test_a_call_that_is_not_answered_in_time_is_made_once_whatever_it_was_made_over(other, monkeypatch):
    monkeypatch.setattr(outbound, "SECONDS", 0.3)
    other.answers = [ANSWER, b"", b""]
    call(other)

    for _ in ("over the connection that was kept", "over a new one"):
        with pytest.raises(outbound.Silent):
            call(other)

    assert [len(requests) for requests in other.taken] == [2, 1]


def test_a_new_connection_on_which_the_other_side_hangs_up_is_no_answer(other):
    other.answers = [None]

    with pytest.raises(Unreachable):
        call(other)
    assert [len(requests) for requests in other.taken] == [1]


@pytest.mark.parametrize("limit", ["IDLE", "OLDEST"])
def test_what_is_idle_or_open_for_too_long_is_not_used_again(other, monkeypatch, limit):
    assert [call(other), call(other)] == [204, 204]
    monkeypatch.setattr(connections, limit, -1.0)  # since the call before, this time has gone by

    assert [call(other), call(other)] == [204, 204]
    assert [len(requests) for requests in other.taken] == [2, 1, 1]


def test_an_address_that_was_checked_is_connected_to_once(other):
    network = CheckedAddress("127.0.0.1", Deadline(monotonic() + 60))
    port = other.listener.getsockname()[1]

    network.connect_tcp("name.example", port).close()

    with pytest.raises(httpcore2.ConnectError):
        network.connect_tcp("name.example", port)


def test_a_call_whose_time_is_over_before_its_next_part_is_sent_says_so_in_words(other):
    stream = UntilDeadline(httpcore2.SyncBackend().connect_tcp(*other.listener.getsockname()), Deadline(monotonic()))

    with pytest.raises(httpcore2.WriteTimeout) as caught:
        stream.write(b"hello")

    stream.close()
    assert why(caught.value) == "it did not answer in time"


def test_an_idle_connection_is_closed_though_no_further_call_comes(other, monkeypatch):
    monkeypatch.setattr(connections, "IDLE", 0.05)
    call(other)

    assert other.ended[0].wait(10)


def test_no_more_than_a_few_connections_to_one_place_stay_open(other, monkeypatch):
    monkeypatch.setattr(connections, "EACH", 1)
    kept = connections.KeptConnections()
    monkeypatch.setattr(outbound, "_kept", kept)
    both = threading.Barrier(2)
    real = outbound._exchange  # noqa: SLF001 (so that both calls are under way)

    def together(*given):
        both.wait(10)
        return real(*given)

    monkeypatch.setattr(outbound, "_exchange", together)
    threads = [threading.Thread(target=call, args=(other,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [len(requests) for requests in other.taken] == [1, 1]
    assert [len(some) for some in kept._idle.values()] == [1]  # noqa: SLF001 (nobody else can ask what was kept)
    kept.close()


def test_whoever_may_not_call_there_uses_no_connection_of_others(other):
    call(other)

    with pytest.raises(Blocked):
        call(other, Settings(outbound_allow=()))
    assert [len(requests) for requests in other.taken] == [1]


def test_a_plain_post_leaves_no_connection_open(other):
    outbound.post(other.url, b"{}", {}, LOOPBACK)

    assert other.ended[0].wait(10)
