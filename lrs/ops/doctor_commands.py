"""The command ``lrs doctor``: all checks of one tenant, for people or as JSON."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click

from badges.credentials.lists import former_lists
from badges.keys.issuer import did_url, fault_of, issuer_of
from lrs.composition.channels import CHANNELS
from lrs.composition.steps import STEPS
from lrs.kernel.errors import Misconfigured, Refused
from lrs.kernel.plain_text import one_line
from lrs.kernel.printing import json_option, print_json
from lrs.kernel.settings import Settings
from lrs.ops.doctor import (
    Finding,
    is_older,
    of_clock,
    of_destinations,
    of_disk,
    of_others,
    of_search_keys,
    of_settings,
    of_store,
    of_strangers,
    of_work,
)
from lrs.ops.doctor_audit import of_audit
from lrs.ops.doctor_consent import of_consent
from lrs.ops.doctor_content import of_content
from lrs.ops.doctor_keys import of_keys
from lrs.storage import each
from lrs.storage.opening import open_to_read
from lrs.tenancy.control import KIND as TENANT
from lrs.tenancy.master_key import OtherKey
from lrs.tenancy.open_tenants import Tenants
from lrs.tenancy.opening import TenantUnusable
from lrs.tenancy.options import read_settings
from lrs.tenancy.record import record_of
from lrs.tenancy.tenants import DEFAULT, Tenant, control_url, open_tenant_to_read, store_url

_MARKS = {"ok": "ok     ", "warning": "WARNING", "problem": "PROBLEM"}
_LEFT_OUT = "not looked at before the stores have the schema of this version: {}. Run lrs doctor again then"


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the embedded store (default: LRS_DATA).")
@click.option("--tenant", default=DEFAULT, show_default=True, help="Which tenant.")
@json_option
def doctor(data: Path | None, tenant: str, as_json: bool) -> None:
    """Look for what is wrong, and say what to do about it.

    Ends with 1 if there is a problem.
    """
    findings = list(_findings(data, tenant))
    problems = sum(finding.status == "problem" for finding in findings)
    if as_json:
        print_json({"ok": not problems, "findings": [finding.shown() for finding in findings]})
    else:
        for finding in findings:
            click.echo(one_line(f"{_MARKS[finding.status]} {finding.check}: {finding.message}"))
    sys.exit(1 if problems else 0)


def _findings(data: Path | None, name: str) -> Iterator[Finding]:
    try:
        settings = read_settings(data)
    except Misconfigured as error:
        yield Finding("settings", "problem", str(error))
        return
    yield from of_settings(settings, os.environ)
    yield from of_disk(settings)
    store = of_store(settings, name)
    yield store
    if store.status != "ok":
        yield from of_content(settings, 1)
    if is_older(control_url(settings)) or is_older(store_url(settings, name)):
        yield from _before_the_migration(settings, name)
    elif store.status == "ok":
        yield from _of_tenant(settings, name)


def _before_the_migration(settings: Settings, name: str) -> Iterator[Finding]:
    """What is found without opening a store for writing, or a database at all: both migrate it."""
    if not store_url(settings, name).startswith("sqlite:///"):
        yield Finding("left-out", "warning", _LEFT_OUT.format("everything else in the database"))
        return
    try:
        yield from _other_stores(settings, name)
        tenant = open_tenant_to_read(settings, name)
    except (Misconfigured, sqlite3.Error) as error:
        yield Finding("tenant", "problem", str(error))
        return
    try:
        yield from _of_what_is_stored(tenant)
    except (Refused, sqlite3.Error) as error:
        yield Finding("tenant", "problem", str(error))
    finally:
        tenant.store.close()
    yield Finding("left-out", "warning", _LEFT_OUT.format("whether a worker runs, and owed work"))


def _other_stores(settings: Settings, name: str) -> Iterator[Finding]:
    """The schema of every other tenant's store, by the register as it is."""
    with closing(open_to_read(control_url(settings))) as register:
        known = {record.id: record_of(record.body) for record in each(register, TENANT)}
    for other in (id for id, record in known.items() if id != name and record.state != "deleted"):
        found = of_store(settings, other)
        if found.status != "ok":
            yield Finding(f"tenant {other}", found.status, found.message)


def _of_what_is_stored(tenant: Tenant) -> Iterator[Finding]:
    yield of_clock(tenant)
    yield from of_audit(tenant)
    yield from _issuer(tenant)
    yield from of_keys(tenant)
    yield from of_destinations(tenant, CHANNELS)
    yield from of_strangers(tenant)


def _of_tenant(settings: Settings, name: str) -> Iterator[Finding]:
    try:
        tenants = Tenants(settings)
    except OtherKey as error:
        yield Finding("master-key", "problem", str(error))
        return
    except Misconfigured as error:
        yield Finding("control", "problem", str(error))
        return
    try:
        yield from of_content(settings, len(tenants.control.open_tenants()))
        yield from of_others(settings, tenants, name)
        if not tenants.control.has(name):
            yield Finding("tenant", "problem", f"there is no tenant {name!r}")
            return
        with tenants.hold(name) as tenant:
            locked = {step: tenant.store.locked(step, STEPS[step].ahead) for step in STEPS}
            yield from of_work(tenant, tenants.control.workers(), tenants.control.deaths(), locked)
            yield of_search_keys(tenant)
            yield from _of_what_is_stored(tenant)
            yield from of_consent(tenant)
    except TenantUnusable as error:
        yield Finding("tenant", "problem", error.reason)
    except Refused as error:
        yield Finding("tenant", "problem", error.message)
    except (Misconfigured, sqlite3.Error) as error:
        yield Finding("tenant", "problem", str(error))
    finally:
        tenants.close()


def _issuer(tenant: Tenant) -> Iterator[Finding]:
    issuer = issuer_of(tenant)
    fault = fault_of(issuer.name, issuer.url)
    if fault:
        yield Finding("issuer", "problem", f"no badge can be signed: {fault} (lrs badges issuer --name NAME)")
    if issuer.demonstration:
        message = f"{issuer.id}, a demonstration: set LRS_PUBLIC_URL to an https address"
        yield Finding("issuer", "warning", message)
    else:
        yield Finding("issuer", "ok", issuer.id)
    for url, did, count in former_lists(tenant, issuer):
        if count:
            yield Finding("issuer-before", "warning", _former(url, did, count))


def _former(url: str, did: str, count: int) -> str:
    told = f"badges of {did} that are not revoked: {count}; lrs badges renew issues those that are held anew"
    asked = [url] if url.startswith("http") else []
    asked += [did_url(did)] if did.startswith("did:web:") else []
    return f"{told}; whoever checks one asks at {' and '.join(asked)}" if asked else told
