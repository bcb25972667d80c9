"""The commands ``lrs badges``: verify a badge, list, show and renew badges, set the issuer. Prints; decides nothing."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import msgspec

from badges.commands import endorsements as endorse_commands
from badges.commands import issuers as trusted_commands
from badges.commands import stops as stop_commands
from badges.commands.claims import claim_command
from badges.commands.codes import codes
from badges.commands.keys import key_named, keys
from badges.credentials.lists import former_lists
from badges.credentials.records import method_of
from badges.credentials.stored import stored_badge
from badges.forms import FORMS, form_named
from badges.held import stops
from badges.issuing.renew import renew
from badges.keys import issuer as issuers
from badges.verifying.containers import MAX_IMAGE
from badges.verifying.lookup import resolver, status_lists
from badges.verifying.verdict import Verdict
from badges.verifying.verification import MAX_LIST
from badges.verifying.verify import verify
from lrs.kernel import outbound
from lrs.kernel.files import content
from lrs.kernel.plain_text import counted, one_line
from lrs.kernel.printing import CommandGroup, json_option, print_json, print_list, print_record
from lrs.people.persons import members_of
from lrs.people.search import found_one
from lrs.storage import Record, each
from lrs.tenancy.options import with_tenant, with_tenant_if_any, with_tenant_to_read
from lrs.tenancy.tenants import Tenant

_NO_BADGES = "there are no such badges: one is issued when a rule is met (lrs rules list, lrs rules explain LEARNER)"


LONGEST_WHY = 400
"""Characters of a check's reason on a terminal."""


@click.group(cls=CommandGroup)
def badges() -> None:
    """Verify, list, show and renew Open Badges, and name their issuer."""


badges.add_command(keys)
badges.add_command(trusted_commands.issuers)
badges.add_command(claim_command)
badges.add_command(codes)
for _command in (*stop_commands.COMMANDS, *endorse_commands.COMMANDS):
    badges.add_command(_command)


@badges.command("verify")
@click.argument("source", metavar="FILE_OR_URL")
@click.option("--offline", is_flag=True, help="Fetch nothing: only our own badges and did:key issuers can pass.")
@click.option(
    "--status-list",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A saved status list of the issuer, used instead of fetching it: it has the revocations up to that time.",
)
@json_option
@with_tenant_if_any
def verify_command(tenant: Tenant, source: str, *, offline: bool, status_list: Path | None, as_json: bool) -> None:
    """Check a badge: form, badge, signature, dates, status.

    Ends with 1 unless all checks pass.
    """
    fetch = None if offline else functools.partial(outbound.fetch, settings=tenant.settings)
    saved = content(status_list, MAX_LIST) if status_list else None
    verdict = verify(
        _document(tenant, source),
        at=tenant.clock(),
        resolve=resolver(tenant, fetch),
        fetch=status_lists(tenant, fetch) if saved is None else lambda _url: saved,
    )
    if as_json:
        print_json(verdict.shown())
    else:
        click.echo(_told(verdict))
    sys.exit(0 if verdict.valid else 1)


@badges.command("list")
@click.option("--holder", help="Only badges of this person: an id, a name, or any identifier.")
@click.option("--key", help="Only badges that this key signed, or that replace one of it because it was given up.")
@json_option
@with_tenant_to_read
def list_command(tenant: Tenant, *, holder: str | None, key: str | None, as_json: bool) -> None:
    """List badges: id, state, first day of validity, person and name."""
    stopped = {record.id: stops.read(record).state for record in each(tenant.store, stops.KIND)}
    found = [_row(record, stopped) for record in _of_key(tenant, key)]
    if holder:
        person = found_one(tenant, holder)
        if person is None:
            raise click.ClickException(f"nobody here is known as {holder}")
        members = members_of(tenant.store, person)
        found = [row for row in found if row["person"] in members]
    print_list(
        found,
        {"id": "id", "state": "state", "valid from": "valid_from", "person": "person", "name": "name"},
        none=_NO_BADGES,
        as_json=as_json,
    )


def _of_key(tenant: Tenant, key: str | None) -> Iterator[Record]:
    """The badges that *key* signed, and those whose former signature was of *key*; all without one."""
    fragment = None if key is None else key_named(tenant, key).fragment
    for record in each(tenant.store, "credential"):
        signed = {method_of(json.loads(record.body)).rpartition("#")[2], record.meta.get("replaces")}
        if fragment is None or fragment in signed:
            yield record


def _row(record: Record, stopped: Mapping[str, str]) -> dict[str, str]:
    shown = {name: str(record.meta[name]) for name in ("state", "valid_from", "person")}
    shown["state"] = stopped.get(record.id, shown["state"])
    return {"id": record.id, **shown, "name": str(json.loads(record.body).get("name", ""))}


@badges.command("show")
@click.argument("id")
@click.option(
    "--form",
    "named",
    type=click.Choice([form.name for form in FORMS]),
    default=FORMS[0].name,
    show_default=True,
    help="The form to print; send a form that is not text to a file (--out FILE).",
)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it to this file, and print nothing."
)
@json_option
@with_tenant_to_read
def show_command(tenant: Tenant, id: str, *, named: str, out: Path | None, as_json: bool) -> None:
    """Print the badge ID, byte for byte: as it is signed, or in the form that --form names.

    With --json the signed document is indented.
    """
    record = _kept(tenant, "credential", id)
    if as_json and named != FORMS[0].name:
        raise click.UsageError(f"--json lays out the form {FORMS[0].name} only")
    if out is not None and as_json:
        raise click.UsageError("--json prints, --out writes a file: one of them")
    if out is not None:
        out.write_bytes(form_named(named).make(stored_badge(tenant, record.id, record.body)))
        return
    if named == FORMS[0].name:
        _print_document(record, as_json=as_json)
    else:
        made = form_named(named).make(stored_badge(tenant, record.id, record.body))
        click.echo(made, nl=False)


@badges.command("status-list")
@click.argument("id")
@json_option
@with_tenant_to_read
def status_list_command(tenant: Tenant, id: str, *, as_json: bool) -> None:
    """Print the status list that the badge ID is in, as it is signed now; with --json it is indented.

    For those who cannot fetch it: lrs badges verify FILE --status-list FILE.
    """
    name = str(_kept(tenant, "credential", id).meta["list"])
    _print_document(_kept(tenant, "status-list", name), as_json=as_json)


@badges.command("renew")
@with_tenant
def renew_command(tenant: Tenant) -> None:
    """Issue again every badge that was issued under another LRS_PUBLIC_URL; the former one is revoked."""
    issuer = issuers.issuer_of(tenant)
    for _, did, count in former_lists(tenant, issuer) if issuer.demonstration else ():
        if count and did.startswith("did:web:"):
            raise click.ClickException(
                f"LRS_PUBLIC_URL is not set for this command, and {counted(count, 'badge')} of {did} would become"
                f" {'a demonstration' if count == 1 else 'demonstrations'}: give it the settings of the server"
            )
    click.echo(f"{counted(renew(tenant), 'badge')} will be issued anew by {issuer.id}")


@badges.command("issuer")
@click.option("--name", help="The name that badges show; those that are held are issued anew with it.")
@click.option("--url", help="The issuer's home page; empty takes it away.")
@json_option
@with_tenant
def issuer_command(tenant: Tenant, name: str | None, url: str | None, *, as_json: bool) -> None:
    """Show the issuer of the badges; with --name or --url, change that first."""
    if name is not None or url is not None:
        issuers.rename(tenant, name, url)
    print_record(issuers.issuer_of(tenant).profile(), as_json=as_json)


def _kept(tenant: Tenant, kind: str, id: str) -> Record:
    record = tenant.store.get(kind, id.removeprefix("urn:uuid:"))
    if record is None:
        what = "badge" if kind == "credential" else "status list"
        raise click.ClickException(f"there is no {what} {id}: lrs badges list shows them")
    return record


def _print_document(record: Record, *, as_json: bool) -> None:
    if as_json:
        print_json(msgspec.Raw(record.body))
    else:
        click.echo(record.body.decode())


def _document(tenant: Tenant, source: str) -> bytes:
    if not source.startswith(("https://", "http://")):
        try:
            return content(Path(source), MAX_IMAGE)
        except OSError as error:
            raise click.ClickException(f"{source}: {error.strerror}") from error
    try:
        return outbound.fetch(source, tenant.settings)
    except (outbound.Blocked, outbound.Unreachable) as error:
        raise click.ClickException(f"{source}: {error}") from error


def _told(verdict: Verdict) -> str:
    lines = [f"{'ok ' if check.ok else 'NO '} {check.name}: {_in_short(check.why)}" for check in verdict.checks]
    return "\n".join([*lines, "valid" if verdict.valid else "not valid"])


def _in_short(why: str) -> str:
    """*why*, shortened: it may quote a badge from outside, whose name can be very long."""
    shown = one_line(why)
    return shown if len(shown) <= LONGEST_WHY else shown[: LONGEST_WHY - 1] + "…"
