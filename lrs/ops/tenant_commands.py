"""``lrs tenants``: the organisations of an installation made, shown, suspended and deleted, and what they decide."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
import msgspec

from lrs.kernel.errors import Misconfigured
from lrs.kernel.printing import Group, Shown, json_option, print_json, print_list, print_record, time_of
from lrs.kernel.settings import Settings
from lrs.tenancy import master_key, states
from lrs.tenancy.control import Control
from lrs.tenancy.options import settings_for, with_control, with_new_control
from lrs.tenancy.record import Decided, TenantRecord
from lrs.tenancy.rewrap import rewrap
from lrs.tenancy.tenants import open_tenant_to_read, store_url
from lrs.tenancy.usage import stored_by

COUNTED = {"statements": "statement", "persons": "person", "badges": "badge"}
"""What is counted, and the kind of its records."""
DECIDED = ("zone", "rules_review", "outbound_allow", "storage_limit")


@click.group(cls=Group)
def tenants() -> None:
    """Make, list, suspend and delete tenants: the organisations that share an installation and no data."""


@tenants.command("create")
@click.argument("tenant")
@click.option("--name", default="", help="What people call the organisation.")
@json_option
@with_new_control
def create(settings: Settings, control: Control, tenant: str, name: str, as_json: bool) -> None:
    """Make a tenant; its endpoint is /t/TENANT/xapi."""
    if not states.create(settings, control, tenant, name):
        raise Misconfigured(f"there is a tenant {tenant!r} already: lrs tenants show {tenant}")
    if as_json:
        print_json(_shown(tenant, _known(control, tenant)))
        return
    click.echo(f"made the tenant {tenant}: its endpoint is /t/{tenant}/xapi, on a running server too")
    click.echo(f"a first key for it: lrs keys create --tenant {tenant} --name NAME")


@tenants.command("list")
@json_option
@with_control
def list_all(_settings: Settings, control: Control, as_json: bool) -> None:
    """List the tenants, and those that were deleted."""
    print_list(
        [_shown(id, record) for id, record in control.records().items()],
        {"tenant": "id", "name": "name", "state": "state", "since": "since", "deleted on": "delete_at"},
        none="there are no tenants: lrs tenants create TENANT makes one",
        as_json=as_json,
    )


@tenants.command("show")
@click.argument("tenant")
@json_option
@with_control
def show(settings: Settings, control: Control, tenant: str, as_json: bool) -> None:
    """Show a tenant, and what holds for it: decided by the organisation, or as the settings have it."""
    record = _known(control, tenant)
    holds = record.decided.settings(settings)
    decided: dict[str, object] = {
        "zone": holds.zone,
        "rules_review": holds.rules_review,
        "outbound_allow": list(holds.outbound_allow),
    }
    of_its_own = sorted(record.decided.named())
    print_record(
        {**_shown(tenant, record), **decided, "storage_limit": record.storage_limit, "decided": of_its_own},
        as_json=as_json,
    )


@tenants.command("set")
@click.argument("tenant")
@click.option("--name", help="What people call the organisation.")
@click.option("--zone", help="The time zone in which its days are days, like Europe/London.")
@click.option("--rules-review", type=click.FloatRange(0, 366 * 86_400), help="As LRS_RULES_REVIEW, in seconds.")
@click.option("--outbound-allow", multiple=True, help="As LRS_OUTBOUND_ALLOW: a host or network; may be repeated.")
@click.option("--storage-limit", type=click.IntRange(1), help="Bytes that it may store.")
@click.option(
    "--default", "undecided", multiple=True, type=click.Choice(DECIDED), help="Holds as the settings have it."
)
@json_option
@with_control
def decide(settings: Settings, control: Control, tenant: str, as_json: bool, **given: Any) -> None:
    """Set what an organisation decides for itself; running servers and workers go by it within a second."""
    changes = {name: value for name, value in given.items() if name != "undecided" and value not in {None, ()}}
    changes |= dict.fromkeys(given["undecided"])
    if not changes:
        raise Misconfigured("nothing was named to be set: lrs tenants set --help lists what can be")
    _check(settings, tenant, changes)
    control.change(tenant, lambda record, _: _decided(record, changes))
    states.put_down(settings, tenant, "tenant.set", {"set": " ".join(sorted(changes))})
    if as_json:
        print_json(_shown(tenant, _known(control, tenant)))
    else:
        click.echo(f"set for {tenant}: {', '.join(sorted(changes))}")


@tenants.command("suspend")
@click.argument("tenant")
@with_control
def suspend(settings: Settings, control: Control, tenant: str) -> None:
    """Suspend a tenant: nothing of it is served or worked for, and nothing is lost."""
    states.suspend(settings, control, tenant)
    click.echo(f"{tenant} is suspended, within a second on a running server; lrs tenants resume {tenant} undoes it")


@tenants.command("resume")
@click.argument("tenant")
@with_control
def resume(settings: Settings, control: Control, tenant: str) -> None:
    """Resume a tenant that was suspended, or was to be deleted."""
    states.resume(settings, control, tenant)
    click.echo(f"{tenant} is served and worked for again")


@tenants.command("delete")
@click.argument("tenant")
@with_control
def delete(settings: Settings, control: Control, tenant: str) -> None:
    """Delete a tenant with all its data, in 30 days; until then it can be resumed."""
    record = states.delete(settings, control, tenant)
    click.echo(
        f"{tenant} is shut, and is deleted with all its statements, badges and blobs after {time_of(record.delete_at)};"
        f" until then lrs tenants resume {tenant} undoes it. Its id is not given out again"
    )


@tenants.command("usage")
@click.argument("tenant", required=False)
@json_option
@with_control
def usage(settings: Settings, control: Control, tenant: str | None, as_json: bool) -> None:
    """Show how much each tenant has: statements, persons, badges, blobs and bytes."""
    chosen = [tenant] if tenant else control.tenants()
    rows = [_usage(settings, id, _known(control, id)) for id in chosen]
    columns = {name: name for name in ("id", *COUNTED, "blobs", "bytes", "limit", "error")}
    print_list(rows, columns, none="there are no tenants", as_json=as_json)


def _usage(settings: Settings, tenant: str, record: TenantRecord) -> Shown:
    stored = stored_by(settings, tenant)
    row: dict[str, object] = {"id": tenant, "state": record.state, **dict.fromkeys(COUNTED)}
    row |= {"blobs": stored and stored.blobs, "bytes": stored and stored.bytes}
    row |= {"limit": record.storage_limit, "error": None}
    try:
        opened = open_tenant_to_read(settings, tenant)
    except Misconfigured as error:
        return {**row, "error": str(error)}
    try:
        return {**row, **{name: opened.store.count(kind) for name, kind in COUNTED.items()}}
    finally:
        opened.store.close()


@tenants.command("rewrap")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the embedded store (default: LRS_DATA).")
def rewrap_keys(file: Path, data: Path | None) -> None:
    """Change the master key to the one in FILE, for all tenants; stop the server before.

    The keys of the tenants are wrapped by it. No key, badge, link or secret changes. Broken off, it goes on where it
    stopped when it is run again.
    """
    settings = settings_for(data)
    try:
        done = rewrap(settings, file)
    except Misconfigured as error:
        raise click.ClickException(str(error)) from error
    before = master_key.path_of(settings)
    click.echo(f"keys wrapped by {file} now, of tenants: {', '.join(done) or 'none, all were already'}")
    click.echo(f"put {file} in the place of {before} before anything is started")
    click.echo(f"keep what was in {before}: backups that were made before open with it alone")


def _known(control: Control, tenant: str) -> TenantRecord:
    record = control.get(tenant)
    if record is None:
        raise Misconfigured(control.none_such(tenant))
    return record


def _shown(tenant: str, record: TenantRecord) -> Shown:
    return {
        "id": tenant,
        "name": record.name,
        "state": record.state,
        "since": time_of(record.since or record.created),
        "created": time_of(record.created),
        "delete_at": time_of(record.delete_at),
    }


def _check(settings: Settings, tenant: str, changes: Mapping[str, Any]) -> None:
    if (zone := changes.get("zone")) is not None:
        try:
            ZoneInfo(zone)
        except (ValueError, OSError, KeyError) as error:
            raise Misconfigured(f"--zone {zone!r}: no time zone of that name; write it like Europe/London") from error
    if changes.get("storage_limit") is not None and not store_url(settings, tenant).startswith("sqlite"):
        raise Misconfigured("--storage-limit: the bytes of a store on MongoDB are not counted, so none can be set")


def _decided(record: TenantRecord, changes: Mapping[str, Any]) -> TenantRecord:
    own = {name: value for name, value in changes.items() if name in Decided.__struct_fields__}
    rest = {name: value for name, value in changes.items() if name not in own}
    return msgspec.structs.replace(record, decided=msgspec.structs.replace(record.decided, **own), **rest)
