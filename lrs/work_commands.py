"""``lrs work``: the process that pays what is owed, and what an operator sees and does about it."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path

import click

from lrs.control import Tenants
from lrs.errors import Misconfigured
from lrs.options import settings_for, with_tenant
from lrs.settings import Settings
from lrs.storage import Backlog
from lrs.tenants import Tenant
from lrs.worker import SECOND, work

PARENT_LOOK = 1.0
"""Seconds between two looks whether the server this process works for is still there."""


@click.group("work", invoke_without_command=True)
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the embedded store (default: LRS_DATA).")
@click.option("--parent", type=int, hidden=True, help="End with this process.")
@click.pass_context
def work_group(context: click.Context, data: Path | None, parent: int | None) -> None:
    """Evaluate, issue badges, deliver: until SIGTERM. lrs serve starts this by itself."""
    if context.invoked_subcommand is None:
        try:
            run_worker(settings_for(data), parent)
        except Misconfigured as error:
            raise click.ClickException(str(error)) from error


def run_worker(settings: Settings, parent: int | None = None) -> None:
    """Works for every tenant until SIGTERM, SIGINT or the end of *parent*; then finishes the step at hand."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent, stop), daemon=True).start()
    tenants = Tenants(settings)
    try:
        work(tenants.all, stop)
    finally:
        tenants.close()


def _end_with(parent: int, stop: threading.Event) -> None:
    while os.getppid() == parent and not stop.wait(PARENT_LOOK):
        pass
    stop.set()


@work_group.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@with_tenant
def status(tenant: Tenant, as_json: bool) -> None:
    """Show what waits, for how long, and what was put aside with which reason."""
    now = tenant.clock()
    rows = [_shown(backlog, now) for backlog in tenant.store.backlog()]
    aside = [
        {"step": owed.step, "kind": record.kind, "id": record.id, "tries": owed.tries, "error": owed.error}
        for record, owed in tenant.store.parked()
    ]
    if as_json:
        click.echo(json.dumps({"steps": rows, "parked": aside}))
        return
    for row in rows:
        click.echo(
            f"{row['step']:10} {row['waiting']:>8} waiting  {row['parked']:>6} put aside  lag {row['lag']:.1f} s"
        )
    for entry in aside:
        click.echo(f"put aside: {entry['step']} of {entry['kind']} {entry['id']}: {entry['error']}")
    if not rows:
        click.echo("nothing is owed")


def _shown(backlog: Backlog, now: int) -> dict[str, str | int | float | bool]:
    oldest = backlog.oldest_due
    due = oldest is not None and oldest <= now
    # What is due at once carries no time; its lag shows once something has tried it.
    lag = (now - oldest) / SECOND if due and oldest else 0.0
    return {"step": backlog.step, "waiting": backlog.waiting, "parked": backlog.parked, "due": due, "lag": lag}


@work_group.command("retry")
@click.option("--step", help="Only entries of this step.")
@with_tenant
def retry(tenant: Tenant, step: str | None) -> None:
    """Make what was put aside due again, with all tries before it."""
    click.echo(f"{tenant.store.retry(step)} entries are due again")
