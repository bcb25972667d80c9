"""The commands ``lrs adapter`` and ``lrs imports``: import providers' files here, or at a server from another machine.

Knows no columns.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from adapters.apprenticeship.missing import ADAPTER, missing_learners
from adapters.imports import job as jobs
from adapters.imports.elsewhere import Elsewhere, ServerUnusable
from adapters.imports.here import follow, job_here, somebody_works, try_here
from adapters.imports.job import Job
from adapters.imports.run import Order
from adapters.imports.senders import senders
from adapters.imports.sources import SOURCES
from adapters.reading.profile import MappingProfile, read_profile
from lrs.composition.steps import steps_of
from lrs.kernel.errors import Misconfigured, Refused
from lrs.kernel.plain_text import counted
from lrs.kernel.printing import CommandGroup, json_option, print_json, print_list, print_record
from lrs.kernel.settings import Settings
from lrs.kernel.strict_json import Json
from lrs.tenancy.control import registered
from lrs.tenancy.options import file_argument, settings_for, with_tenant_to_read
from lrs.tenancy.tenants import DEFAULT, Tenant

PROFILE_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
QUIET = 1.0
"""Seconds before the first line about progress, and between two such lines."""
_LOOK = 0.25
_OF_MISSING = ("provider", "standard", "year", "last", "newest")
_NONE = "there are no imports yet: lrs adapter run ADAPTER FILE brings a file in"


@click.group("adapter", cls=CommandGroup)
def adapter() -> None:
    """Bring in files of training centres and apprenticeship providers."""


@adapter.command("run")
@click.argument("name", metavar="ADAPTER", type=click.Choice(sorted(SOURCES)))
@file_argument
@click.option("--dry-run", is_flag=True, help="Say what would happen; write nothing.")
@json_option
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the embedded store (default: LRS_DATA).")
@click.option(
    "--endpoint",
    "--to",
    envvar="LRS_ENDPOINT",
    help="xAPI endpoint, such as https://lrs.example/xapi [default: the store on this machine].",
)
@click.option("--key", envvar="LRS_KEY", help="API key; its scopes: import, statements/write, profile.")
@click.option("--secret", envvar="LRS_SECRET", help="Secret of the API key (better in LRS_SECRET).")
@click.option("--profile", "mapping", type=PROFILE_FILE, help="Mapping profile (JSON).")
@click.option(
    "--provider",
    help="The provider of the file; always use the same name [default: the profile's, the key's; without an endpoint"
    " the adapter's]. Another name than the key's needs a key with the scope all.",
)
def run_command(
    name: str,
    file: Path,
    *,
    dry_run: bool,
    as_json: bool,
    data: Path | None,
    mapping: Path | None,
    provider: str | None,
    **access: str | None,
) -> None:
    """Bring FILE in through ADAPTER and say what became of every row.

    Running it again changes nothing. With --json the report has every row. An interrupted import continues by itself
    where a server or worker runs: lrs imports watch follows it.
    """
    progress = ProgressLine(as_json=as_json)
    try:
        profile = read_profile(mapping) if mapping else MappingProfile()
        order = Order(name, provider or profile.provider, file, file.name, profile, dry_run)
        if any(access.values()):
            run_elsewhere(order, server_of(data, **access), progress)
        else:
            settings = settings_for(data)
            run_here(msgspec.structs.replace(order, provider=order.provider or name), settings, progress)
    except (Refused, Misconfigured, ServerUnusable) as error:
        raise click.ClickException(str(error)) from error


class ProgressLine:
    """Prints on standard error how far a run is that takes longer than a second. Prints nothing for programs."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._next = time.monotonic() + QUIET
        self._said = ""

    def say(self, shown: Json) -> None:
        """Prints the progress of an import; *shown* is its present state."""
        if self.as_json or time.monotonic() < self._next:
            return
        line = f"{shown['name']}: {counted(shown['rows'], 'row')} so far"
        if not shown["rows"]:
            line = f"{shown['name']}: {'being read' if shown['state'] == 'running' else 'waits for its turn'}"
        if shown["reason"]:
            line = f"{line} ({shown['reason']})"
        if line != self._said:
            click.echo(line, err=True)
        self._said, self._next = line, time.monotonic() + QUIET


def run_here(order: Order, settings: Settings, progress: ProgressLine) -> None:
    """Imports the file into the store on this machine."""
    where = "LRS_STORE_URL" if settings.store_url else str(settings.data)
    click.echo(f"into the store on this machine ({where}), as the provider {order.provider}", err=True)
    with registered(settings, DEFAULT) as tenant:
        if order.dry_run:
            report = try_here(tenant, order)
            _tell(report.shown() if progress.as_json else report.text(), usable=report.usable)
            return
        theirs = somebody_works(settings)
        job = job_here(tenant, order)
        steps = steps_of([jobs.STEP])
        over = follow(tenant, job, steps, theirs=theirs, say=lambda now: progress.say(now.shown()))
        _tell_over(over.told_whole(), lambda: report_of(tenant, over), as_json=progress.as_json)


def run_elsewhere(order: Order, server: Elsewhere, progress: ProgressLine) -> None:
    """Imports the file at a server."""
    with server:
        shown = server.follow(server.upload(order), progress.say)
        shown = server.look(shown["id"])
        _tell_over(shown, lambda: server.report(shown["id"]), as_json=progress.as_json)


def server_of(
    data: Path | None, endpoint: str | None = None, key: str | None = None, secret: str | None = None
) -> Elsewhere:
    """The server in options or environment. Raises ``Refused``, which says what is missing or given twice."""
    if data:
        raise Refused("--data is a store on this machine: leave out --endpoint, --key, --secret, LRS_ENDPOINT, LRS_KEY")
    if not endpoint:
        raise Refused("which store? give --endpoint URL or set LRS_ENDPOINT, such as http://127.0.0.1:8080/xapi")
    if not key or not secret:
        raise Refused("which key? give --key and --secret, or set LRS_KEY and LRS_SECRET")
    return Elsewhere(endpoint, (key, secret))


def report_of(tenant: Tenant, job: Job) -> Json:
    """The report of a finished job, as ``--json`` prints it."""
    try:
        text = b"".join(tenant.store.blobs.open(job.blobs.get("report", "")))
    except KeyError as missing:
        raise Refused("the outcomes of the rows are no longer stored", status=404, error="not_found") from missing
    return msgspec.json.decode(text, type=Json)


def _tell_over(shown: Json, report: Callable[[], Json], *, as_json: bool) -> None:
    """Prints the result of an import. Ends with 1 if nothing of the file could be used."""
    if shown["problem"]:
        raise click.ClickException(shown["problem"]["message"])
    whole = {name: value for name, value in report().items() if name not in {"error", "message"}} if as_json else None
    _tell(whole or shown["report"]["text"], usable=shown["usable"])


def _tell(told: Json | str, *, usable: bool) -> None:
    if isinstance(told, str):
        click.echo(told)
    else:
        print_json(told)
    if not usable:
        raise click.exceptions.Exit(1)


@click.group("imports", cls=CommandGroup)
def imports() -> None:
    """List, show and watch imports: files that came in, how far they are, what they came to."""


@imports.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="At most so many.")
@json_option
@with_tenant_to_read
def list_imports(tenant: Tenant, *, limit: int, as_json: bool) -> None:
    """List imports, newest first."""
    found = [job.shown() for job in jobs.newest(tenant.store, limit)]
    print_list(
        found,
        {
            "created": "created",
            "id": "id",
            "state": "state",
            "adapter": "adapter",
            "provider": "provider",
            "file": "name",
            "rows": "rows",
            "came to": lambda one: one["reason"] or _counted(one),
        },
        none=_NONE,
        as_json=as_json,
    )


def _counted(shown: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{count} {what}" for what, count in (shown["counts"] or {}).items() if count)
    return f"{counts} (dry run)" if counts and shown["dryRun"] else counts


@imports.command("show")
@click.argument("id")
@json_option
@with_tenant_to_read
def show(tenant: Tenant, id: str, *, as_json: bool) -> None:
    """Show one import, and what became of its rows."""
    _show(jobs.find(tenant.store, id), as_json=as_json)


def _show(job: Job, *, as_json: bool) -> None:
    if as_json:
        print_json(job.told_whole())
        return
    shown = job.shown()
    print_record({name: _counted(shown) if name == "counts" else value for name, value in shown.items()}, as_json=False)
    if job.told and job.told.text:
        click.echo(f"\n{job.told.text}")


@imports.command("missing")
@click.option("--provider", help="Only of this provider [default: all that sent returns].")
@json_option
@with_tenant_to_read
def missing(tenant: Tenant, *, provider: str | None, as_json: bool) -> None:
    """List learners whose apprenticeship an earlier ILR return of a year had, and its newest one has not."""
    told = missing_learners(tenant, [provider] if provider else senders(tenant.store, ADAPTER))
    found = [{"id": one.person} | {name: getattr(one, name) for name in _OF_MISSING} for one in told.found]
    none = "there is nobody who is missing from the newest return of a provider"
    print_list(found, {name: name for name in ("id", *_OF_MISSING)}, none=none, as_json=as_json)
    if not told.whole:
        click.echo("there are too many to look through at once: some are left out", err=True)


@imports.command("watch")
@click.argument("id")
@json_option
@with_tenant_to_read
def watch(tenant: Tenant, id: str, *, as_json: bool) -> None:
    """Watch an import until it is over, and show what it came to."""
    progress = ProgressLine(as_json=as_json)
    while not (job := jobs.find(tenant.store, id)).is_over:
        progress.say(job.shown())
        time.sleep(_LOOK)
    _show(job, as_json=as_json)
