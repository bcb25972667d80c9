"""The commands ``lrs badges issuers``: the issuers whose badges an organisation believes. Prints; decides nothing."""

from __future__ import annotations

import functools

import click

from badges.prior import trusted
from badges.prior.trusted import TrustedIssuer
from lrs.kernel.printing import CommandGroup, json_option, print_list, time_of
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import with_tenant, with_tenant_to_read
from lrs.tenancy.tenants import Tenant


@click.group(cls=CommandGroup)
def issuers() -> None:
    """List, name and take out the issuers whose badges count as prior learning."""


@issuers.command("list")
@json_option
@with_tenant_to_read
def list_command(tenant: Tenant, *, as_json: bool) -> None:
    """List the trusted issuers: id, name, home page, and since when."""
    rows = [
        {"id": one.id, "name": one.name, "url": one.url, "since": time_of(one.at)}
        for one in trusted.trusted(tenant.store)
    ]
    columns = {"id": "id", "name": "name", "home page": "url", "since": "since"}
    print_list(rows, columns, none="there are no trusted issuers: lrs badges issuers trust names one", as_json=as_json)


@issuers.command("trust")
@click.argument("id")
@click.option("--name", required=True, help="Who that is, for people.")
@click.option("--url", default="", help="Its home page.")
@with_tenant
def trust_command(tenant: Tenant, id: str, *, name: str, url: str) -> None:
    """Trust the badges of the issuer ID (a DID or an https address, as its badges have it).

    Badges of it that learners bring from then on are evidence for rules that name the source "engraft prior badges".
    """
    issuer = TrustedIssuer(id, name, tenant.clock(), url)
    tenant.store.write(functools.partial(trusted.trust, issuer=issuer, by=BY_COMMAND)).result()
    click.echo(f"badges of {id} are believed from now on")


@issuers.command("distrust")
@click.argument("id")
@with_tenant
def distrust_command(tenant: Tenant, id: str) -> None:
    """Remove the issuer ID from those that are trusted.

    What was recorded of it stays; a steward corrects it if it is wrong.
    """
    if not tenant.store.write(functools.partial(trusted.distrust, issuer=id, by=BY_COMMAND)).result():
        raise click.ClickException(f"{id} was not trusted: lrs badges issuers list shows who is")
    click.echo(f"badges of {id} have no effect from now on")
