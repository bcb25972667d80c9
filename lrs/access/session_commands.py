"""The commands ``lrs sessions``: list who is signed in to the pages, and end sessions."""

from __future__ import annotations

import click

from lrs.access.sessions import end_session, list_sessions
from lrs.kernel.printing import CommandGroup, json_option, print_list
from lrs.kernel.times import timestamp_of_micros
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import with_tenant, with_tenant_to_read
from lrs.tenancy.tenants import Tenant


@click.group(cls=CommandGroup)
def sessions() -> None:
    """List and end sessions: who is signed in to the pages."""


@sessions.command("list")
@json_option
@with_tenant_to_read
def list_all(tenant: Tenant, *, as_json: bool) -> None:
    """List who is signed in, since when, and when each session was last used."""
    found = [
        {
            "id": one.id,
            "who": one.subject,
            "opened": timestamp_of_micros(one.opened),
            "seen": timestamp_of_micros(one.seen),
        }
        for one in list_sessions(tenant.store, tenant.clock())
    ]
    columns = {"session": "id", "who": "who", "since": "opened", "last seen": "seen"}
    print_list(found, columns, none="there are no sessions: nobody is signed in", as_json=as_json)


@sessions.command("end")
@click.argument("session")
@with_tenant
def end(tenant: Tenant, session: str) -> None:
    """End SESSION at once, also on a running server."""
    if not end_session(tenant, session, by=BY_COMMAND):
        raise click.ClickException(f"there is no session {session!r}; lrs sessions list shows them")
    click.echo(f"ended {session}")
