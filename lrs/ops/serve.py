"""``lrs serve``: the server process, and beside it the worker process that pays what is owed."""

from __future__ import annotations

import os
import shlex
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import click
import uvicorn
from starlette.types import ASGIApp

from lrs.access.keys import create_key, list_keys
from lrs.app import Application, create_app
from lrs.kernel.errors import Misconfigured
from lrs.kernel.garbage import collect_rarely
from lrs.kernel.logs import log_to_stderr
from lrs.kernel.processes import ENDPOINT
from lrs.kernel.settings import Settings
from lrs.kernel.signals import on_ending
from lrs.ops.child import Child
from lrs.ops.demo.processes import SETTINGS
from lrs.tenancy.options import settings_for, tell_unknown
from lrs.tenancy.tenants import open_tenant
from lrs.web.protocol import Bounded

KEEP_ALIVE = 75
"""Seconds; clients that keep a connection longer than the server would find it closed under their next request."""
PARENT_LOOK = 1.0
"""Seconds between two looks whether the program that needs the server is still there."""
IN_FLIGHT = 25
"""Seconds that requests get to be answered after SIGTERM."""
HAND_OVER = 0.0001
"""Seconds after which a thread that computes lets another go on; at the default of 5 ms the writer, back from SQLite,
waits for the rest of a batch that is being parsed: a fifth of its time."""
PORT = click.IntRange(0, 65_535)
FIRST_STATEMENT = (
    '{"actor":{"mbox":"mailto:me@example.org"},"verb":{"id":"http://adlnet.gov/expapi/verbs/experienced"},'
    '"object":{"id":"http://example.org/first"}}'
)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, type=PORT, show_default=True, help="Port to listen on; 0 takes a free one.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the embedded store (default: LRS_DATA).")
@click.option("--demo", is_flag=True, help="Feed the sample programme in first, and tell what happens.")
@click.option("--parent", type=int, hidden=True, help="Only serve, without a worker, and end with this process.")
def serve(host: str, port: int, data: Path | None, *, demo: bool, parent: int | None) -> None:
    """Serve xAPI under /xapi, and pages, badges and profiles beside it."""
    if demo:
        os.environ |= SETTINGS
    settings = settings_for(data)
    tell_unknown()
    log_to_stderr(settings.log_format)
    listener = listen(host, port)
    address = address_of(host, listener.getsockname()[1])
    try:
        app = create_app(settings)  # what keeps the server from starting is told before a key is made
        for one in app.tenants.start():
            click.echo(f"tenant {one.tenant} cannot be opened, and is not served: {one.reason}", err=True)
    except BaseException:
        listener.close()
        raise
    click.echo(f"{ENDPOINT}{address}/xapi" if parent else first_key(settings, address, data))
    story = start_demo(settings, address) if demo else None
    try:
        run(app, settings, listener, parent)
    finally:
        if story is not None:
            story.terminate()
            story.wait()


def listen(host: str, port: int) -> socket.socket:
    """A bound socket. Raises ``Misconfigured`` that names the address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise Misconfigured(f"cannot listen on {host}:{port}: {error.strerror}; choose another --port") from error
    return listener


def address_of(host: str, port: int) -> str:
    """Where a server that listens there is found."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(app: Application, settings: Settings, listener: socket.socket, parent: int | None = None) -> None:
    """Serves *app* until it is asked to end: then answers what is in flight, closes the stores and ends the worker.

    With a broker there is no worker beside the server; the application itself says on the queue that there is work.
    For a *parent* there is none either: such a server is there for that process alone, and ends with it.
    """
    server = server_for(app)

    def stop() -> None:
        server.should_exit = True

    # uvicorn raises the signal again once it is done; without handlers of ours that would end the process there.
    on_ending(stop)
    if parent:
        threading.Thread(target=_await_end_of, args=(parent, stop), daemon=True).start()
    beside = settings.worker and not settings.celery_broker and not parent
    child = Child(settings, app.tenants.control, app.deaths) if beside else None
    if child is not None:
        server.leaving = child.stop
    try:
        server.run(sockets=[listener])
    finally:
        if child is not None:
            child.close()


def _await_end_of(parent: int, stop: Callable[[], None]) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_LOOK)
    stop()


class Server(uvicorn.Server):
    """uvicorn's, which also says when it begins to stop: one after the other, the worker and it would take too long."""

    leaving: Callable[[], None] = staticmethod(lambda: None)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn has it."""
        self.leaving()
        await super().shutdown(sockets)


def server_for(app: ASGIApp) -> Server:
    """The server that *app* runs on, in a process that is arranged for serving."""
    collect_rarely()
    sys.setswitchinterval(HAND_OVER)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=Bounded,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=IN_FLIGHT,
    )
    return Server(config)


def start_demo(settings: Settings, address: str) -> subprocess.Popen[bytes] | None:
    """Tells the demonstration's story on this server, in a process of its own, unless it was told to its end here."""
    out = settings.data / "demo"
    if (out / "gap.json").exists():
        click.echo(f"The sample programme is in already; its results are in {out}.")
        return None
    click.echo("\nThe sample programme is played through this server now; this takes half a minute:\n")
    command = [sys.executable, "-m", "lrs", "demo", "--data", str(settings.data), "--out", str(out)]
    return subprocess.Popen([*command, "--endpoint", address])  # noqa: S603 (our own program)


def first_key(settings: Settings, address: str, data: Path | None = None) -> str:
    """What to say at the start; on the very first one it makes a key and shows how to send a statement.

    *data* is the folder that was named on the command line: other commands need it too, to meet the same store.
    """
    known = f"{ENDPOINT}{address}/xapi\npages:         {address}/pages\nstart here:    {address}/"
    try:
        tenant = open_tenant(settings)
    except (Misconfigured, sqlite3.Error, OSError):
        return known  # it is told why; others are served
    try:
        if list_keys(tenant.store):
            return known
        new = create_key(tenant, "first", ["all", "admin"])
    finally:
        tenant.store.close()
    option = f"--data {shlex.quote(str(data))} " if data else ""
    return (
        f"{ENDPOINT}{address}/xapi\n"
        f"key:           {new.key}\n"
        f"secret:        {new.secret}   (shown this once)\n"
        f"pages:         {address}/pages   (sign in with this key and secret)\n"
        f"start here:    {address}/\n\n"
        "This key may do everything: keep it for yourself, and make one for each sender:\n"
        f"  lrs keys create {option}--name my-course --scope statements/write\n\n"
        "Send a first statement:\n"
        f"  curl -u '{new.key}:{new.secret}' -H 'X-Experience-API-Version: 1.0.3' \\\n"
        f"    -H 'Content-Type: application/json' {address}/xapi/statements \\\n"
        f"    -d '{FIRST_STATEMENT}'"
    )
