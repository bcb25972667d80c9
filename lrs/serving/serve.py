"""``lrs serve``: runs the application on a server, and beside it the worker processes that do owed work."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import click

from lrs.app import Application, create_app
from lrs.kernel.arenas import share_arenas
from lrs.kernel.logs import log_to_stderr
from lrs.kernel.settings import Settings
from lrs.kernel.signals import on_ending
from lrs.ops.demo.processes import SETTINGS
from lrs.ops.team import Team, number_of
from lrs.serving.server import address_of, first_key, first_operator, hosts_of_demo, listen, server_for, start_demo
from lrs.tenancy.options import settings_for, tell_unknown
from lrs.tenancy.pages import note_port

PORT = click.IntRange(0, 65_535)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, type=PORT, show_default=True, help="Port to listen on; 0 takes a free one.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the embedded store (default: LRS_DATA).")
@click.option("--demo", is_flag=True, help="Feed the sample programme in first, and tell what happens.")
def serve(host: str, port: int, data: Path | None, *, demo: bool) -> None:
    """Serve xAPI under /xapi, and pages, badges and profiles beside it."""
    if demo:
        os.environ |= SETTINGS | hosts_of_demo(host, port, os.environ)
    settings = settings_for(data)
    tell_unknown()
    share_arenas()
    log_to_stderr(settings.log_format)
    listener = listen(host, port)
    address = address_of(host, listener.getsockname()[1])
    try:
        app = create_app(settings)  # before the first key is made, so that a wrong setting makes no key
        for one in app.tenants.start():
            click.echo(f"tenant {one.tenant} cannot be opened, and is not served: {one.reason}", err=True)
    except BaseException:
        listener.close()
        raise
    note_port(settings, listener.getsockname()[1])
    click.echo(first_key(app.tenants, address, data))
    if not demo:  # the demonstration tells all addresses at its end
        click.echo(first_operator(app.tenants, listener.getsockname()[1]))
    story = start_demo(settings, address) if demo else None
    try:
        run(app, settings, listener)
    finally:
        if story is not None:
            story.terminate()
            story.wait()


def run(app: Application, settings: Settings, listener: socket.socket) -> None:
    """Serves *app* until it is asked to end. Then answers the open requests, closes the stores and ends the worker.

    With a broker there is no worker beside the server: the application announces work on the broker's queue.
    """
    server = server_for(app)

    def stop() -> None:
        server.should_exit = True

    # uvicorn raises the signal again when it is done. Without handlers of ours the process would end there.
    on_ending(stop)
    beside = settings.worker and not settings.celery_broker
    team = Team(settings, app.tenants.control, app.deaths, number_of(settings), celery=False) if beside else None
    if team is not None:
        server.leaving = team.stop
    try:
        server.run(sockets=[listener])
    finally:
        if team is not None:
            team.close()
