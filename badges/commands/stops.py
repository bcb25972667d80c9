"""The commands ``lrs badges issue, revoke, suspend, resume, export``. Prints; decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import click

from badges.credentials.records import ISSUED
from badges.credentials.stored import stored_badge
from badges.forms import FORMS, NotInThisForm, form_named
from badges.held import stops
from lrs.kernel.files import content
from lrs.kernel.plain_text import counted
from lrs.kernel.printing import json_option, print_json
from lrs.storage import each
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import with_tenant, with_tenant_to_read
from lrs.tenancy.tenants import Tenant

MAX_IDS = 1024 * 1024
T = TypeVar("T", bound=Callable[..., object])


def _which(command: T) -> T:
    """Adds what says which badges, and why."""
    for added in (
        click.option("--reason", required=True, help="Why, in a sentence; it is kept here and goes into no list."),
        click.option(
            "--list",
            "listed",
            type=click.Path(path_type=Path, exists=True, dir_okay=False),
            help="A file of further ids, one a line.",
        ),
        click.argument("ids", metavar="[ID]...", nargs=-1),
    ):
        command = added(command)
    return command


@click.command("revoke")
@_which
@with_tenant
def revoke_command(tenant: Tenant, *, ids: tuple[str, ...], listed: Path | None, reason: str) -> None:
    """Revoke badges for good, whatever the awards say; lrs badges issue gives a new one."""
    _stop(tenant, _ids(ids, listed), "revoked", reason)


@click.command("suspend")
@_which
@with_tenant
def suspend_command(tenant: Tenant, *, ids: tuple[str, ...], listed: Path | None, reason: str) -> None:
    """Suspend badges: they are not valid until lrs badges resume ends it."""
    _stop(tenant, _ids(ids, listed), "suspended", reason)


@click.command("resume")
@click.argument("id")
@with_tenant
def resume_command(tenant: Tenant, *, id: str) -> None:
    """End the suspension of the badge ID: it is issued anew under its id, and the holder needs the new copy."""
    stops.resume(tenant, _bare(id), by=BY_COMMAND)
    click.echo(f"badge {_bare(id)} is issued anew by the server; copies from before stay revoked")


@click.command("issue")
@click.argument("id")
@with_tenant
def issue_command(tenant: Tenant, *, id: str) -> None:
    """Issue the badge of the award ID that is missing, or the badge ID that was revoked by hand."""
    badge = stops.issue_again(tenant, _bare(id), by=BY_COMMAND)
    click.echo(f"badge {badge} will be issued by the server, if its award is held")


@click.command("export")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="The folder for the files."
)
@click.option(
    "--form",
    "forms",
    multiple=True,
    type=click.Choice([form.name for form in FORMS]),
    default=(FORMS[0].name,),
    show_default=True,
    help="A form of each badge; may be given repeatedly.",
)
@json_option
@with_tenant_to_read
def export_command(tenant: Tenant, *, out: Path, forms: tuple[str, ...], as_json: bool) -> None:
    """Write every badge that is valid into a folder, a file for each form, or end with 1 if there is none."""
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    written, left = 0, list[str]()
    for record in each(tenant.store, "credential"):
        if record.meta["state"] != ISSUED:
            continue
        badge = stored_badge(tenant, record.id, record.body)
        for form in map(form_named, dict.fromkeys(forms)):
            try:
                made = form.make(badge)
            except NotInThisForm as error:
                left.append(f"{record.id}{form.ending}: {error}")
                continue
            (out / f"{record.id}{form.ending}").write_bytes(made)
            written += 1
    if as_json:
        print_json({"files": written, "left": left})
    else:
        for one in left:
            click.echo(one, err=True)
        if written:
            click.echo(f"{counted(written, 'file is', 'files are')} in {out}")
    if not written:
        raise click.ClickException("no badge is valid that has one of these forms: nothing was written")


def _stop(tenant: Tenant, badges: Sequence[str], state: stops.StopState, reason: str) -> None:
    count = stops.stop(tenant, badges, state, reason=reason, by=BY_COMMAND)
    already = "revoked already" if state == "revoked" else "suspended or revoked already"
    left = len(dict.fromkeys(badges)) - count
    if not count:
        raise click.ClickException(f"nothing was changed: {counted(left, 'badge is', 'badges are')} {already}")
    more = f"; {counted(left, 'badge was', 'badges were')} {already}" if left else ""
    click.echo(f"{counted(count, 'badge is', 'badges are')} {state}; the server publishes it{more}")


def _ids(ids: Sequence[str], listed: Path | None) -> list[str]:
    """The ids that are given and those in the file; at least one."""
    lines = content(listed, MAX_IDS).decode("utf-8-sig", "replace").splitlines() if listed else []
    found = [_bare(one.strip()) for one in (*ids, *lines) if one.strip()]
    if not found:
        raise click.UsageError("say which badges: ids, or --list FILE")
    return found


def _bare(id: str) -> str:
    return id.removeprefix("urn:uuid:")


COMMANDS = (revoke_command, suspend_command, resume_command, issue_command, export_command)
