"""The commands ``lrs tenants``: make, show, suspend and delete organisations, and set what they decide."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
import msgspec
from msgspec.structs import asdict

from lrs.kernel.contacts import checked_contact, checked_page
from lrs.kernel.errors import Misconfigured
from lrs.kernel.printing import CommandGroup, Shown, json_option, print_json, print_list, print_record, time_of
from lrs.kernel.settings import Settings
from lrs.tenancy import master_key, states
from lrs.tenancy.control import Control
from lrs.tenancy.migrating import migrate
from lrs.tenancy.options import settings_for, with_control, with_new_control
from lrs.tenancy.record import Decided, TenantRecord
from lrs.tenancy.rewrap import rewrap
from lrs.tenancy.tenants import UNREADABLE, open_tenant_to_read, store_url
from lrs.tenancy.usage import COUNTED, stored_by

TOLD = ("contact", "privacy_notice", "consent_age", "guardian", "badge_mails")
"""What is decided about consent, and what learners are told of the organisation."""
DECIDED = ("zone", "rules_review", "outbound_allow", "mail_sender", "storage_limit", *TOLD)


@click.group(cls=CommandGroup)
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
    """Show a tenant and the settings in force for it, its own and those of the installation."""
    record = _known(control, tenant)
    holds = record.decided.settings(settings)
    decided: dict[str, object] = {
        "zone": holds.zone,
        "rules_review": holds.rules_review,
        "outbound_allow": list(holds.outbound_allow),
        "mail_sender": holds.mail_sender,
    }
    of_its_own = sorted(record.decided.named())
    print_record(
        {
            **_shown(tenant, record),
            **decided,
            **{name: getattr(record, name) for name in TOLD},
            "storage_limit": record.storage_limit,
            "decided": of_its_own,
        },
        as_json=as_json,
    )


@tenants.command("set")
@click.argument("tenant")
@click.option("--name", help="What people call the organisation.")
@click.option("--zone", help="The time zone of its dates, such as Europe/London.")
@click.option("--rules-review", type=click.FloatRange(0, 366 * 86_400), help="As LRS_RULES_REVIEW, in seconds.")
@click.option("--outbound-allow", multiple=True, help="As LRS_OUTBOUND_ALLOW: a host or network; may be repeated.")
@click.option("--mail-sender", help="The address that its mails come from, as LRS_MAIL_SENDER.")
@click.option("--contact", help="How learners reach it: an e-mail address, a page, a line of text.")
@click.option("--privacy-notice", help="The https address of its privacy notice.")
@click.option("--consent-age", type=click.IntRange(1, 30), help="From which age learners decide alone what is shared.")
@click.option(
    "--guardian/--no-guardian", default=None, help="Whether a guardian must agree, too, below that age (yes)."
)
@click.option(
    "--badge-mails/--no-badge-mails", default=None, help="Whether learners are sent a link when a badge is new (no)."
)
@click.option("--storage-limit", type=click.IntRange(1), help="Bytes that it may store.")
@click.option(
    "--default", "undecided", multiple=True, type=click.Choice(DECIDED), help="Holds as the settings have it."
)
@json_option
@with_control
def decide(settings: Settings, control: Control, tenant: str, as_json: bool, **given: Any) -> None:
    """Set what an organisation decides for itself; running servers and workers use it within a second."""
    changes = {name: value for name, value in given.items() if name != "undecided" and value not in {None, ()}}
    changes |= dict.fromkeys(given["undecided"])
    if not changes:
        raise Misconfigured("nothing to set: lrs tenants set --help lists what can be set")
    _check(settings, tenant, changes)
    _known(control, tenant)
    # In another store, so in another commit: first, as for a change of the state.
    states.put_down(settings, tenant, "tenant.set", {"set": " ".join(sorted(changes))})
    control.change(tenant, lambda record, _: _decided(record, changes))
    if as_json:
        print_json(_shown(tenant, _known(control, tenant)))
    else:
        click.echo(f"set for {tenant}: {', '.join(sorted(changes))}")


@tenants.command("suspend")
@click.argument("tenant")
@with_control
def suspend(settings: Settings, control: Control, tenant: str) -> None:
    """Suspend a tenant: nothing of it is served, no work is done for it, and nothing is lost."""
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
        f" until then lrs tenants resume {tenant} undoes it. Its id is not used again"
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
        with closing(open_tenant_to_read(settings, tenant).store) as store:
            return {**row, **{name: store.count(kind) for name, kind in COUNTED.items()}}
    except UNREADABLE as error:
        return {**row, "error": str(error)}


@tenants.command("rewrap")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the embedded store (default: LRS_DATA).")
def rewrap_keys(file: Path, data: Path | None) -> None:
    """Change the master key to the one in FILE, for all tenants; stop the server before.

    The master key encrypts the keys of the tenants. No key, badge, link or secret changes. If it was interrupted, run
    it again: it continues where it stopped.
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


@tenants.command("migrate")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the embedded store (default: LRS_DATA).")
@json_option
def migrate_stores(data: Path | None, as_json: bool) -> None:
    """Bring all stores to this program's schema, and say on stderr how far it is.

    A server does so when it starts, but for a database on MongoDB with many records: it does not open that until this
    was done. Broken off, it goes on where it stopped when it is run again. Ends with 1 if a store was not migrated.
    """
    settings = settings_for(data)
    try:
        done = [asdict(one) for one in migrate(settings, lambda text: click.echo(text, err=True))]
    except Misconfigured as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        print_json({"stores": done})
    else:
        columns = {"store": "store", "before": "before", "schema": "after", "error": "error"}
        print_list(done, columns, none="there are no stores", as_json=False)
    if any(one["error"] for one in done):
        raise SystemExit(1)


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
    if changes.get("contact") is not None:
        checked_contact(changes["contact"])
    if changes.get("privacy_notice") is not None:
        checked_page(changes["privacy_notice"], "privacy notice")
    if changes.get("storage_limit") is not None and not store_url(settings, tenant).startswith("sqlite"):
        raise Misconfigured("--storage-limit: the bytes of a store on MongoDB are not counted, so none can be set")


def _decided(record: TenantRecord, changes: Mapping[str, Any]) -> TenantRecord:
    own = {name: value for name, value in changes.items() if name in Decided.__struct_fields__}
    rest = {name: value for name, value in changes.items() if name not in own}
    return msgspec.structs.replace(record, decided=msgspec.structs.replace(record.decided, **own), **rest)
