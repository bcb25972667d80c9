"""The parts of ``lrs serve``: a socket, a server, the first key, the demonstration. Knows no application."""

from __future__ import annotations

import asyncio
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

import click
import uvicorn
from starlette.types import ASGIApp

from lrs.access import operators
from lrs.access.keys import FIRST_KEY, create_key, list_keys
from lrs.access.source_names import put_name
from lrs.kernel.errors import Misconfigured, Refused
from lrs.kernel.processes import ENDPOINT
from lrs.kernel.settings import Settings
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.open_tenants import Tenants
from lrs.tenancy.pages import pages_address
from lrs.tenancy.tenants import DEFAULT
from lrs.web.protocol import Bounded

KEEP_ALIVE = 75
"""Seconds. A client that keeps connections longer than the server may send its next request on a closed one."""
IN_FLIGHT = 25
"""Seconds that open requests have to be answered after SIGTERM."""
TICK = 1.0
"""Seconds between two updates of the date in answers."""
HAND_OVER = 0.0001
"""Seconds after which Python lets another thread run. At the default of 5 ms the writer, back from SQLite, waits for a
batch that is being parsed: a fifth of its time.
"""
FIRST_STATEMENT = (
    '{"actor":{"mbox":"mailto:me@example.org"},"verb":{"id":"http://adlnet.gov/expapi/verbs/experienced"},'
    '"object":{"id":"http://example.org/first"}}'
)


def listen(host: str, port: int) -> socket.socket:
    """A bound socket. Raises ``Misconfigured``, which names the address."""
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
    """The URL of a server that listens there."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Server(uvicorn.Server):
    """uvicorn's server, which also calls *leaving* when it begins to stop, so that the worker ends at the same time.

    It is woken when it should end. uvicorn checks ten times a second, which is most of the cost of an idle server.
    """

    leaving: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self, config: uvicorn.Config) -> None:
        self._wake: Callable[[], object] = lambda: None
        super().__init__(config)

    @property
    def should_exit(self) -> bool:
        """Whether it should end. A signal handler or another thread may set it."""
        return self._should_exit

    @should_exit.setter
    def should_exit(self, value: bool) -> None:
        self._should_exit = value
        self._wake()

    async def main_loop(self) -> None:
        """As in uvicorn: ``on_tick`` updates the date in answers when its argument is a multiple of ten."""
        ending, loop = asyncio.Event(), asyncio.get_running_loop()
        self._wake = partial(loop.call_soon_threadsafe, ending.set)
        try:
            while not await self.on_tick(0):
                with suppress(TimeoutError):
                    await asyncio.wait_for(ending.wait(), TICK)
        finally:
            self._wake = lambda: None

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As in uvicorn."""
        self.leaving()
        await super().shutdown(sockets)


def server_for(app: ASGIApp) -> Server:
    """A server for *app*, in a process whose threads hand over as serving wants it."""
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


def start_demo(settings: Settings, address: str) -> subprocess.Popen[bytes]:
    """Starts the demonstration on this server in a process of its own.

    If it ran to its end here before, it only prints where to go.
    """
    out = settings.data / "demo"
    is_told = (out / "gap.json").exists()
    if is_told:
        click.echo(f"The sample programme is in already; its results are in {out}.")
    else:
        click.echo("\nThe sample programme is played through this server now; this takes half a minute:\n")
    command = [sys.executable, "-m", "lrs", "demo", "--data", str(settings.data), "--out", str(out)]
    told = ["--told"] if is_told else []
    return subprocess.Popen([*command, "--endpoint", address, *told])  # noqa: S603 (our own program)


def hosts_of_demo(host: str, port: int, environment: Mapping[str, str]) -> dict[str, str]:
    """Settings for the demonstration: pages on one name of this machine, content on the other, unless they are set."""
    if host != "127.0.0.1" or not port or {"LRS_PUBLIC_URL", "LRS_PAGES_URL", "LRS_CONTENT_URL"} & environment.keys():
        return {}
    return {"LRS_PAGES_URL": f"http://127.0.0.1:{port}", "LRS_CONTENT_URL": f"http://localhost:{port}"}


def first_operator(tenants: Tenants, port: int) -> str:
    """What to print at a start for the operator: the address of their pages, or a link until somebody has come in."""
    installation = tenants.installation
    root = pages_address(installation.settings, installation.id, port)
    made = operators.first_link(installation, root)
    if made is None:
        return f"operator:      {root}"
    return f"\nOpen this to set the server up, in a few steps. It works once, within 72 hours:\n  {made.link}\n"


FIRST_SHOWN = "The first key of this server"
"""What people read where the source of that key is named."""


def first_key(tenants: Tenants, address: str, data: Path | None = None) -> str:
    """What to print at the start. On the very first start it makes a key and shows how to send a statement.

    *data* is the folder given on the command line: other commands need it too, to use the same store.
    """
    known = f"{ENDPOINT}{address}/xapi\npages:         {address}/pages\nstart here:    {address}/"
    try:
        with tenants.hold(DEFAULT) as tenant:
            if list_keys(tenant.store):
                return known
            new = create_key(tenant, FIRST_KEY, ["all", "admin"])
            tenant.store.write(lambda tx: put_name(tx, FIRST_KEY, FIRST_SHOWN, by=BY_COMMAND)).result()
    except Refused:
        return known  # the reason is printed elsewhere; other tenants are served
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
