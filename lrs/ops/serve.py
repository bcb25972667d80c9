"""What ``lrs serve`` is made of: a socket, a server, the first key, the demonstration. Knows no application."""

from __future__ import annotations

import shlex
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import uvicorn
from starlette.types import ASGIApp

from lrs.access.keys import create_key, list_keys
from lrs.kernel.errors import Misconfigured, Refused
from lrs.kernel.garbage import collect_rarely
from lrs.kernel.processes import ENDPOINT
from lrs.kernel.settings import Settings
from lrs.tenancy.open_tenants import Tenants
from lrs.tenancy.tenants import DEFAULT
from lrs.web.protocol import Bounded

KEEP_ALIVE = 75
"""Seconds; clients that keep a connection longer than the server would find it closed under their next request."""
IN_FLIGHT = 25
"""Seconds that requests get to be answered after SIGTERM."""
HAND_OVER = 0.0001
"""Seconds after which a thread that computes lets another go on; at the default of 5 ms the writer, back from SQLite,
waits for the rest of a batch that is being parsed: a fifth of its time."""
FIRST_STATEMENT = (
    '{"actor":{"mbox":"mailto:me@example.org"},"verb":{"id":"http://adlnet.gov/expapi/verbs/experienced"},'
    '"object":{"id":"http://example.org/first"}}'
)


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


def first_key(tenants: Tenants, address: str, data: Path | None = None) -> str:
    """What to say at the start; on the very first one it makes a key and shows how to send a statement.

    *data* is the folder that was named on the command line: other commands need it too, to meet the same store.
    """
    known = f"{ENDPOINT}{address}/xapi\npages:         {address}/pages\nstart here:    {address}/"
    try:
        with tenants.hold(DEFAULT) as tenant:
            if list_keys(tenant.store):
                return known
            new = create_key(tenant, "first", ["all", "admin"])
    except Refused:
        return known  # it is told why; others are served
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
