"""The server that ``lrs serve`` runs: it waits to be told that it is to end, and keeps the date of its answers."""

import socket
import sys
import threading
from email.utils import parsedate_to_datetime

import httpx
import uvicorn

from lrs.serving import server as serve
from lrs.serving.server import Server, listen
from tests.programs import PATIENCE, until


async def answer(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def run(server, listener):
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    until(lambda: server.started, "the server")
    return thread


def test_a_server_that_is_told_to_end_does_not_wait_for_its_next_tick(monkeypatch):
    monkeypatch.setattr(serve, "TICK", 3_600)
    server, left = Server(uvicorn.Config(answer, lifespan="off", log_config=None)), []
    server.leaving = lambda: left.append("the worker is told")
    thread = run(server, listen("127.0.0.1", 0))

    server.should_exit = True

    thread.join(30)
    assert (thread.is_alive(), left) == (False, ["the worker is told"])


def test_a_server_that_was_told_to_end_before_it_began_ends(monkeypatch):
    monkeypatch.setattr(serve, "TICK", 3_600)
    server = Server(uvicorn.Config(answer, lifespan="off", log_config=None))
    server.should_exit = True

    thread = threading.Thread(target=server.run, kwargs={"sockets": [listen("127.0.0.1", 0)]})
    thread.start()

    thread.join(30)
    assert not thread.is_alive()


def test_the_date_of_answers_goes_on(monkeypatch):
    monkeypatch.setattr(serve, "TICK", 0.05)
    server, listener = Server(uvicorn.Config(answer, lifespan="off", log_config=None)), listen("127.0.0.1", 0)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread = run(server, listener)
    try:
        with httpx.Client(trust_env=False) as client:
            first = date_of(client, address)
            until(lambda: date_of(client, address) > first, "a later date")
    finally:
        server.should_exit = True
        thread.join(30)


def date_of(client, address):
    return parsedate_to_datetime(client.get(address).headers["date"])


def test_a_request_that_never_ends_keeps_the_server_from_ending_for_no_longer_than_is_promised(monkeypatch):
    monkeypatch.setattr(serve, "IN_FLIGHT", 0.05)
    monkeypatch.setattr(sys, "setswitchinterval", lambda _: None)
    begun = threading.Event()

    async def endless(scope, receive, _send):
        assert scope["type"] == "http"
        begun.set()
        while (await receive())["type"] != "http.disconnect":
            pass

    server, listener = serve.server_for(endless), listen("127.0.0.1", 0)
    thread = run(server, listener)
    with socket.create_connection(listener.getsockname()) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: lrs.test\r\n\r\n")
        assert begun.wait(PATIENCE)

        server.should_exit = True

        thread.join(30)
        ended = not thread.is_alive()
    server.force_exit = True
    thread.join(PATIENCE)
    assert ended


def test_an_answer_does_not_say_which_server_gave_it(monkeypatch):
    monkeypatch.setattr(sys, "setswitchinterval", lambda _: None)
    server, listener = serve.server_for(answer), listen("127.0.0.1", 0)
    thread = run(server, listener)
    try:
        told = httpx.get(f"http://127.0.0.1:{listener.getsockname()[1]}", trust_env=False)
    finally:
        server.should_exit = True
        thread.join(PATIENCE)

    assert sorted(told.headers) == ["date"]
