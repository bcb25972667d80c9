"""``lrs serve``: the server process, and beside it the worker process that pays what is owed."""

from __future__ import annotations

from pathlib import Path

import click
import uvicorn

from lrs.app import create_app
from lrs.auth.keys import create_key, list_keys
from lrs.errors import Misconfigured
from lrs.options import settings_for
from lrs.settings import Settings
from lrs.tenants import open_tenant

KEEP_ALIVE = 75
"""Seconds; clients that keep a connection longer than the server would find it closed under their next request."""

FIRST_STATEMENT = (
    '{"actor":{"mbox":"mailto:me@example.org"},"verb":{"id":"http://adlnet.gov/expapi/verbs/experienced"},'
    '"object":{"id":"http://example.org/first"}}'
)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, help="Port to listen on; 0 takes a free one.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the embedded store (default: LRS_DATA).")
def serve(host: str, port: int, data: Path | None) -> None:
    """Serve xAPI under /xapi and everything else beside it."""
    settings = settings_for(data)
    try:
        first_key(settings, f"http://{host}:{port}")
    except Misconfigured as error:
        raise click.ClickException(str(error)) from error
    run(settings, host, port)


def run(settings: Settings, host: str, port: int) -> None:
    """Serves until SIGTERM or SIGINT: then answers what is in flight and closes the stores."""
    uvicorn.run(
        create_app(settings),
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=25,
        h11_max_incomplete_event_size=settings.max_header,
    )


def first_key(settings: Settings, address: str) -> None:
    """On the very first start: makes a key, prints it once, and shows how to send a statement."""
    tenant = open_tenant(settings)
    try:
        if list_keys(tenant.store):
            click.echo(f"xAPI endpoint: {address}/xapi")
            return
        new = create_key(tenant, "first", ["all"])
    finally:
        tenant.store.close()
    click.echo(
        f"xAPI endpoint: {address}/xapi\n"
        f"key:           {new.key}\n"
        f"secret:        {new.secret}   (shown this once; make others with: lrs keys create)\n\n"
        "Send a first statement:\n"
        f"  curl -u '{new.key}:{new.secret}' -H 'X-Experience-API-Version: 1.0.3' \\\n"
        f"    -H 'Content-Type: application/json' {address}/xapi/statements \\\n"
        f"    -d '{FIRST_STATEMENT}'"
    )
