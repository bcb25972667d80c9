"""The commands ``lrs work``: the process that does owed work, and how an operator looks at it and repairs it."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import click
import msgspec
import structlog

from lrs.composition.kinds import TENANT
from lrs.composition.steps import LANES, STEPS, steps_of, undone
from lrs.composition.steps import retry as retry_steps
from lrs.kernel.garbage import collect_rarely
from lrs.kernel.logs import log_to_stderr
from lrs.kernel.plain_text import one_line
from lrs.kernel.printing import Column, CommandGroup, json_option, print_json, print_list
from lrs.kernel.settings import Settings
from lrs.kernel.signals import on_ending
from lrs.kernel.times import SECOND
from lrs.storage import Backlog, Owed, Record
from lrs.storage.drafts import drafts_in, remove_left
from lrs.storage.wakeups import Listener, wakeups_in
from lrs.tenancy.audit_head import Publisher
from lrs.tenancy.control import check_made
from lrs.tenancy.open_tenants import Tenants
from lrs.tenancy.options import settings_for, tell_unknown, with_tenant, with_tenant_to_read
from lrs.tenancy.states import erase_due
from lrs.tenancy.tenants import Tenant
from lrs.tenancy.usage import stored_by
from lrs.work.rounds import unlock
from lrs.work.sweep import swept
from lrs.work.upkeep import Rest, Task, Upkeep
from lrs.work.visits import Visits
from lrs.work.worker import IDLE, Crew
from lrs.xapi.statements.replay import expire

PARENT_LOOK = 1.0
"""Seconds between two checks whether the server that this process works for still runs."""
BEAT = 20.0
"""Seconds between two signs of life, which ``lrs doctor`` reads."""
BEATS_BETWEEN_DELETIONS = 30
"""Signs of life between two checks for tenants that are due to be deleted, which read all tenants."""


BY = "operator"
_STEP_COLUMNS: dict[str, Column] = {
    "step": "step",
    "waiting": "waiting",
    "put aside": "parked",
    "lag": lambda row: f"{row['lag']:.1f} s",
}
_log = structlog.get_logger()
T = TypeVar("T")


@click.group("work", cls=CommandGroup, invoke_without_command=True)
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the embedded store (default: LRS_DATA).")
@click.option("--celery", is_flag=True, help="Be a Celery worker on LRS_CELERY_BROKER, one of as many as you start.")
@click.option("--parent", type=int, hidden=True, help="End with this process.")
@click.pass_context
def work_group(context: click.Context, data: Path | None, celery: bool, parent: int | None) -> None:
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
        if celery:
            run_celery_worker(settings)
        else:
            run_worker(settings, parent)


def run_worker(settings: Settings, parent: int | None = None) -> None:
    """Works for every tenant until SIGTERM, SIGINT, SIGHUP or the end of *parent*. Then finishes the current step.

    With a *parent*, SIGINT and SIGHUP are left to the parent: Ctrl-C and a closed terminal reach both processes, and a
    worker that ended first would be restarted.
    """
    stop = threading.Event()
    on_ending(stop.set)
    if parent is not None:
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
    with _crew(settings, IDLE) as crew, closing(Listener(wakeups_in(settings.data), partial(_woken, crew))):
        while not stop.wait(PARENT_LOOK):
            if parent is not None and os.getppid() != parent:
                return


def run_celery_worker(settings: Settings) -> None:
    """Works for the tenant of each message, and for every tenant once a sweep, until it is asked to end."""
    from lrs.work.broker import celery_app, listen_to_broker  # noqa: PLC0415 (Celery is loaded where it is used)

    # Celery handles signals once it listens, except SIGHUP of a closed terminal. It also stops on SystemExit.
    on_ending(lambda: sys.exit(0))
    with _crew(settings, settings.sweep) as crew:
        listen_to_broker(celery_app(settings, crew.call), _name())


@contextmanager
def _crew(settings: Settings, idle: float) -> Iterator[Crew]:
    collect_rarely()
    check_made(settings)
    remove_left(drafts_in(settings.data))
    tenants = Tenants(settings)
    over = threading.Event()
    pulse = threading.Thread(target=_beat, args=(settings, tenants, over), name="pulse")
    try:
        tenants.start()
        visits = Visits()
        crew = Crew([steps_of(names) for names in LANES], tenants, idle, visits.hear)
        tenants.control.due.call_here(crew.call)
        publisher = Publisher(tenants.busy, settings.audit_head, every=settings.audit_log_every)
        upkeep = Upkeep(partial(_visited, tenants, visits), _tasks(tenants, crew, publisher))
        pulse.start()
        try:
            yield crew
        finally:
            over.set()
            upkeep.close()
            crew.close()
            publisher.close()
            pulse.join()
    finally:
        tenants.close()


def _woken(crew: Crew, line: str) -> None:
    """Calls *crew* for the tenant and the steps that a wake-up names."""
    tenant, *steps = line.split() or [""]
    crew.call(tenant, steps)


def _visited(tenants: Tenants, visits: Visits) -> Iterator[Tenant]:
    """The tenants that one walk of upkeep visits. The walk also finds what a dead process left undone."""
    names = tenants.control.open_tenants()
    for name in tenants.left_open(names):
        visits.hear(name)
    return tenants.each_of(visits.walk(names))


def _tasks(tenants: Tenants, crew: Crew, publisher: Publisher) -> list[Task]:
    """The tasks of upkeep."""

    def call(tenant: Tenant, _: Rest) -> None:
        """Calls the crew for a tenant that owes anything, which also frees what a clock that was ahead has locked."""
        if tenant.store.next_due(list(STEPS)) is not None:
            crew.call(tenant.id)

    def publish(tenant: Tenant, _: Rest) -> None:
        publisher.look_at(tenant)

    def sweep(tenant: Tenant, rest: Rest) -> None:
        tenants.control.due.hush(tenant.id)
        swept(TENANT, tenant, rest)

    def end_waits(tenant: Tenant, _: Rest) -> None:
        """Deletes what was in quarantine, or known by its fingerprint, for long enough."""
        expire(tenant)

    return [sweep, end_waits, partial(_measure, tenants), publish, call]


def _measure(tenants: Tenants, tenant: Tenant, _rest: Rest) -> None:
    """Stores how many bytes a tenant has, if it has a limit."""
    if tenant.record.storage_limit is not None and (stored := stored_by(tenant.settings, tenant.id)) is not None:
        tenants.control.change(tenant.id, lambda record, _: msgspec.structs.replace(record, stored=stored.bytes))


def _beat(settings: Settings, tenants: Tenants, over: threading.Event) -> None:
    name = _name()
    beats = 0
    while not over.is_set():
        _tell(tenants.control.beat, name)
        tenants.trim()
        if beats % BEATS_BETWEEN_DELETIONS == 0:
            _tell(partial(erase_due, settings, tenants.control), tenants.control.clock())
        beats += 1
        over.wait(BEAT)
    _tell(tenants.control.leave, name)


def _tell(sign: Callable[[T], object], about: T) -> None:
    try:
        sign(about)
    except Exception as error:  # noqa: BLE001 (a sign of life, or a deletion, that is late harms nothing)
        _log.warning("the control store cannot be written", error=type(error).__name__)


def _name() -> str:
    return f"lrs-{os.getpid()}@{socket.gethostname()}"


@work_group.command("status")
@json_option
@with_tenant_to_read
def status(tenant: Tenant, as_json: bool) -> None:
    """Show what waits, for how long, what fails, and what was put aside, with the reasons."""
    now = tenant.clock()
    rows = [_shown(backlog, now) for backlog in tenant.store.backlog()]
    failing, aside = _entries(tenant.store.failing()), _entries(tenant.store.parked())
    if as_json:
        print_json({"steps": rows, "failing": failing, "parked": aside})
        return
    print_list(rows, _STEP_COLUMNS, none="nothing is owed", as_json=False)
    for title, entries in (("failing", failing), ("put aside", aside)):
        for entry in entries:
            what = f"{entry['step']} of {entry['kind']} {entry['id']}"
            click.echo(one_line(f"{title}: {what}: {entry['tries']} tries, {entry['error']}"))
            if "waiting_for_it" in entry:
                click.echo(f"  until it is tried again, {entry['waiting_for_it']}")


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
    click.echo(f"{retry_steps(tenant, step, by=BY)} entries are due again")
    freed = unlock(tenant, STEPS if step is None else steps_of([step]))
    if freed:
        click.echo(f"{sum(freed.values())} entries that a clock that was ahead had locked are due")
