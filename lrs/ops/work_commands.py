"""The commands ``lrs work``: the process that does owed work, and how an operator looks at it and repairs it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterable
from contextlib import closing
from functools import partial
from pathlib import Path

import click

from lrs.composition.steps import STEPS, steps_of, undone
from lrs.composition.steps import retry as retry_steps
from lrs.kernel.logs import log_to_stderr
from lrs.kernel.plain_text import counted, one_line
from lrs.kernel.printing import Column, CommandGroup, json_option, print_json, print_list
from lrs.kernel.settings import Settings
from lrs.kernel.signals import on_ending
from lrs.kernel.times import SECOND
from lrs.ops.team import number_of, run_team, until_told
from lrs.ops.worker_process import name_of_process, working
from lrs.storage import Backlog, Owed, Record
from lrs.storage.wakeups import Listener, wakeups_in
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import settings_for, tell_unknown, with_tenant, with_tenant_to_read
from lrs.tenancy.tenants import Tenant
from lrs.work.rounds import unlock
from lrs.work.worker import IDLE, Crew

_MOST = 100
"""The most entries that fail, and that were put aside, that ``lrs work status`` names."""
_STEP_COLUMNS: dict[str, Column] = {
    "step": "step",
    "waiting": "waiting",
    "put aside": "parked",
    "lag": lambda row: f"{row['lag']:.1f} s",
}


@click.group("work", cls=CommandGroup, invoke_without_command=True)
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the embedded store (default: LRS_DATA).")
@click.option("--celery", is_flag=True, help="Be a Celery worker on LRS_CELERY_BROKER, one of as many as you start.")
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    help="How many processes work (default: LRS_WORKER_PROCESSES, or one less than there are cores, at most 4).",
)
@click.option("--parent", type=(int, int), hidden=True, help="End with this process; the place among those it started.")
@click.pass_context
def work_group(
    context: click.Context, data: Path | None, celery: bool, processes: int | None, parent: tuple[int, int] | None
) -> None:
    """Evaluate evidence, issue badges and deliver profiles, until SIGTERM.

    lrs serve starts this by itself.
    """
    if context.invoked_subcommand is None:
        settings = settings_for(data)
        if celery and not settings.celery_broker:
            raise click.ClickException("LRS_CELERY_BROKER is not set: name a broker, redis://HOST/0 or amqp://HOST")
        if parent is None:
            tell_unknown()
        log_to_stderr(settings.log_format)
        count = 1 if parent else processes or number_of(settings)
        if count > 1:
            run_team(settings, count, celery=celery)
        elif celery:
            run_celery_worker(settings, *(parent or ()))
        else:
            run_worker(settings, *(parent or ()))


def run_worker(settings: Settings, parent: int | None = None, place: int = 0) -> None:
    """Works for every tenant until SIGTERM, SIGINT, SIGHUP or the end of *parent*. Then finishes the current step.

    Upkeep is done by the process at *place* 0 of those that *parent* started.

    With a *parent*, SIGINT and SIGHUP are left to the parent: Ctrl-C and a closed terminal reach both processes, and a
    worker that ended first would be restarted.
    """
    stop = threading.Event()
    on_ending(stop.set)
    if parent is not None:
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
    with working(settings, IDLE, place) as crew, closing(Listener(wakeups_in(settings.data), partial(_woken, crew))):
        until_told(stop, parent)


def run_celery_worker(settings: Settings, parent: int | None = None, place: int = 0) -> None:
    """Works for the tenant of each message, and for every tenant once a sweep, until it is asked to end.

    Also ends with *parent*. *place* is as in ``run_worker``.
    """
    from lrs.work.broker import celery_app, listen_to_broker  # noqa: PLC0415 (Celery is loaded where it is used)

    # Celery handles signals once it listens, except SIGHUP of a closed terminal. It also stops on SystemExit.
    on_ending(lambda: sys.exit(0))
    over = threading.Event()
    with working(settings, settings.sweep, place) as crew:
        if parent is not None:
            threading.Thread(target=_end_with, args=(parent, over), name="parent-look", daemon=True).start()
        try:
            listen_to_broker(celery_app(settings, crew.call), name_of_process())
        finally:
            over.set()


def _end_with(parent: int, over: threading.Event) -> None:
    """Asks this process to end once *parent* has, unless it is *over* before."""
    until_told(over, parent)
    if not over.is_set():
        os.kill(os.getpid(), signal.SIGTERM)


def _woken(crew: Crew, line: str) -> None:
    """Calls *crew* for the tenant and the steps that a wake-up names."""
    tenant, *steps = line.split() or [""]
    crew.call(tenant, steps)


@work_group.command("status")
@json_option
@with_tenant_to_read
def status(tenant: Tenant, as_json: bool) -> None:
    """Show what waits, for how long, what fails, and what was put aside, with the reasons."""
    now = tenant.clock()
    rows = [_shown(backlog, now) for backlog in tenant.store.backlog()]
    failing = _entries(tenant.store.failing(limit=_MOST + 1))
    aside = _entries(tenant.store.parked(limit=_MOST + 1))
    if as_json:
        more = {"failing": len(failing) > _MOST, "parked": len(aside) > _MOST}
        print_json({"steps": rows, "failing": failing[:_MOST], "parked": aside[:_MOST], "more": more})
        return
    print_list(rows, _STEP_COLUMNS, none="nothing is owed", as_json=False)
    for title, entries in (("failing", failing), ("put aside", aside)):
        for entry in entries[:_MOST]:
            what = f"{entry['step']} of {entry['kind']} {entry['id']}"
            click.echo(
                one_line(f"{title}: {what}: {counted(int(entry['tries'] or 0), 'try', 'tries')}, {entry['error']}")
            )
            if "waiting_for_it" in entry:
                click.echo(f"  until it is tried again, {entry['waiting_for_it']}")
        if len(entries) > _MOST:
            click.echo(f"{title}: more than these {_MOST}")


def _shown(backlog: Backlog, now: int) -> dict[str, str | int | float | bool]:
    due = backlog.oldest_due is not None and backlog.oldest_due <= now
    return {
        "step": backlog.step,
        "waiting": backlog.waiting,
        "parked": backlog.parked,
        "due": due,
        "lag": backlog.lag(now) / SECOND,
    }


def _entries(found: Iterable[tuple[Record, Owed]]) -> list[dict[str, str | int | None]]:
    shown = []
    for record, owed in found:
        entry: dict[str, str | int | None] = {
            "step": owed.step,
            "kind": record.kind,
            "id": record.id,
            "tries": owed.tries,
            "error": owed.error,
        }
        if owed.parked:
            entry["waiting_for_it"] = undone(owed.step, record.kind)
        shown.append(entry)
    return shown


@work_group.command("retry")
@click.option("--step", help="Only entries of this step.")
@with_tenant
def retry(tenant: Tenant, step: str | None) -> None:
    """Make what was put aside due again, with all tries before it, and what a clock that was ahead has locked."""
    if step is not None and step not in STEPS:
        raise click.ClickException(f"there is no step {step!r}; there are {', '.join(STEPS)}")
    again = retry_steps(tenant, step, by=BY_COMMAND)
    freed = unlock(tenant, STEPS if step is None else steps_of([step]))
    if not again and not freed:
        of = "" if step is None else f" of the step {step}"
        raise click.ClickException(f"nothing{of} is put aside or locked: lrs work status shows what waits")
    if again:
        click.echo(f"{counted(again, 'entry is', 'entries are')} due again")
    if freed:
        click.echo(
            f"{counted(sum(freed.values()), 'entry is', 'entries are')} due that a clock that was ahead had locked"
        )
