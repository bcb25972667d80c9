"""The command ``lrs plan``: what of the catalogue a learner would take for a role. Prints; decides nothing."""

from __future__ import annotations

import click

from adapters.catalogue.role_planning import plan_here
from lrs.kernel.errors import Refused
from lrs.kernel.printing import CommandGroup, json_option, print_json, print_list
from lrs.matching.roles import roles
from lrs.matching.roles.gap import Requirement
from lrs.pages.me import facts
from lrs.people.persons import person_named
from lrs.tenancy.options import with_tenant_to_read
from lrs.tenancy.tenants import Tenant


@click.group(cls=CommandGroup)
def plan() -> None:
    """Show what of the catalogue a learner would take for a role."""


@plan.command("show")
@click.option("--person", "who", required=True, help="The learner: an id, or an identifier such as an address.")
@click.option("--role", "role", required=True, help="The id of the role (lrs roles list).")
@json_option
@with_tenant_to_read
def show(tenant: Tenant, who: str, role: str, *, as_json: bool) -> None:
    """Show what to take for a role, in order, and what nothing in the catalogue covers."""
    person = person_named(tenant, who)
    if person is None:
        raise click.ClickException(f"nobody is known as {who}; lrs persons list finds ids by a part of a name")
    try:
        wanted = roles.get(tenant.store, role)
    except Refused as refused:
        raise click.ClickException(f"{refused.message}: {role}; lrs roles list has their ids") from refused
    found = plan_here(tenant, wanted, facts.held(tenant.store, facts.own(tenant, person)))
    steps = [
        {
            "id": one.offered.id,
            "title": one.offered.title,
            "hours": one.offered.hours,
            "closes": ", ".join(map(_named, one.closes)),
            "opens": ", ".join(one.opens),
        }
        for one in found.steps
    ]
    left = [_named(one) for one in found.left]
    if as_json:
        blocked = [{"id": one.id, "title": one.title, "needs": list(needs)} for one, needs in found.blocked]
        told = {"hours": found.hours, "silent": found.silent, "left": left, "blocked": blocked}
        print_json({"role": role, "steps": steps, **told})
        return
    columns = {name: name for name in ("id", "title", "hours", "closes", "opens")}
    print_list(steps, columns, none="nothing in the catalogue closes anything of this gap", as_json=False)
    click.echo(
        f"{found.hours:g} {'hour' if found.hours == 1 else 'hours'} together"
        + (f"; {found.silent} of them say none" if found.silent else "")
    )
    for further, needs in found.blocked:
        first = ", ".join(needs)
        click.echo(f"{further.id} would close more; nothing in the catalogue gives what it needs first: {first}")
    for one in left:
        click.echo(f"nothing in the catalogue covers the rest of: {one}")


def _named(one: Requirement) -> str:
    return one.label or one.competency
