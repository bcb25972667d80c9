"""``lrs employers``: the employers who can ask their staff to show them their skills."""

from __future__ import annotations

import click

from lrs.kernel.printing import CommandGroup, json_option, print_list
from lrs.matching import registry, services
from lrs.matching.registry import AboutService
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import with_tenant, with_tenant_to_read
from lrs.tenancy.tenants import Tenant


@click.group(cls=CommandGroup)
def employers() -> None:
    """Add and list employers, who see the skills of those of their staff who agreed."""


@employers.command("add")
@with_tenant
@click.argument("name")
@click.option("--contact", help="How its staff reach it: an e-mail address, a page, a line of text.")
@click.option("--privacy-notice", help="The https address of its privacy notice.")
def add(tenant: Tenant, name: str, *, contact: str | None, privacy_notice: str | None) -> None:
    """Add the employer NAME; whom its role is given to sees its page (lrs staff invite --role employer:ID)."""
    made = registry.add_employer(tenant, name, AboutService(contact, privacy_notice), by=BY_COMMAND)
    click.echo(f"added: {made.id}")
    click.echo(f"now let somebody see its page: lrs staff invite ADDRESS --role employer:{made.id}", err=True)


@employers.command("list")
@with_tenant_to_read
@json_option
def list_employers(tenant: Tenant, *, as_json: bool) -> None:
    """List the employers; lrs services disable shuts one out."""
    found = [
        {"id": one.id, "name": one.name, "state": one.state, "contact": one.contact}
        for one in services.everyone(tenant.store)
        if one.employer
    ]
    columns = {"id": "id", "name": "name", "state": "state", "contact": "contact"}
    print_list(found, columns, none="there are no employers yet: lrs employers add NAME", as_json=as_json)
