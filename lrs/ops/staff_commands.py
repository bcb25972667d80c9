"""The commands ``lrs staff``: invite and list members of staff, change their roles, disable and recover them."""

from __future__ import annotations

from collections.abc import Sequence

import click

from lrs.access import staff, staff_acts, staff_once
from lrs.access.roles import OF_STAFF, Granted, granted
from lrs.access.staff_acts import Invitation
from lrs.kernel.printing import CommandGroup, json_option, print_json, print_list, time_of
from lrs.matching.developers import same_role, with_services
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import with_tenant, with_tenant_to_read
from lrs.tenancy.pages import pages_address
from lrs.tenancy.tenants import Tenant

_ROLES = (
    f"May be given repeatedly; one of: {', '.join(OF_STAFF)}; bound to a source like provider:NAME, or to a service"
    " like developer:NAME (its name or client id)."
)


@click.group("staff", cls=CommandGroup)
def staff_group() -> None:
    """Invite and list members of staff, change their roles, disable and recover them."""


@staff_group.command()
@click.argument("email")
@click.option("--role", "roles", multiple=True, required=True, help=_ROLES)
@json_option
@with_tenant
def invite(tenant: Tenant, email: str, roles: tuple[str, ...], *, as_json: bool) -> None:
    """Invite EMAIL as a member of staff, and print the link, which works once within 72 hours."""
    root = pages_address(tenant.settings, tenant.id)
    wanted = with_services(tenant.store, map(granted, roles))
    _show(staff_acts.invite(tenant, email, wanted, by=BY_COMMAND, root=root), as_json=as_json)


@staff_group.command("list")
@json_option
@with_tenant_to_read
def list_all(tenant: Tenant, *, as_json: bool) -> None:
    """List members of staff with their roles and states."""
    found = [
        {
            "id": id,
            "email": one.email,
            "name": one.name,
            "state": one.state,
            "roles": staff.roles_shown(one.all_roles),
            "secondFactor": one.factor is not None,
            "providers": [login.issuer for login in one.logins],
        }
        for id, one in staff.everyone(tenant.store)
    ]
    columns = {"member": "id", "email": "email", "name": "name", "state": "state", "roles": "roles"}
    none = "there are no members of staff yet: lrs staff invite EMAIL --role administrator invites one"
    print_list(found, columns, none=none, as_json=as_json)


@staff_group.command()
@click.argument("member")
@click.option("--give", "given", multiple=True, help=_ROLES)
@click.option("--take", "taken", multiple=True, help="A role to take away; may be given repeatedly.")
@with_tenant
def role(tenant: Tenant, member: str, given: tuple[str, ...], taken: tuple[str, ...]) -> None:
    """Give and take roles of MEMBER (id or e-mail address), who then signs in anew."""
    id = _named(tenant, member)
    _, before = staff.existing(tenant.store, id)
    less = _taken(tenant, before.roles, [granted(one) for one in taken])
    more = with_services(tenant.store, map(granted, given))
    roles = [*(one for one in before.roles if one not in less), *more]
    staff_acts.set_roles(tenant, id, roles, by=BY_COMMAND, keep_one=False)
    click.echo(f"{member}: {', '.join(staff.roles_shown(roles)) or 'no role'}")


def _taken(tenant: Tenant, held: Sequence[Granted], wanted: Sequence[Granted]) -> set[Granted]:
    """Those of the roles *held* that are *wanted* back, a service by its id or name. Raises ``ClickException``."""
    named = {one: {one, same_role(tenant.store, one)} for one in wanted}
    if missing := [one for one, both in named.items() if both.isdisjoint(held)]:
        has = ", ".join(staff.roles_shown(held)) or "no role"
        raise click.ClickException(f"not held: {', '.join(staff.roles_shown(missing))}. There is: {has}")
    return set().union(*named.values())


@staff_group.command()
@click.argument("member")
@with_tenant
def disable(tenant: Tenant, member: str) -> None:
    """Shut MEMBER (id or e-mail address) out at once, also on a running server; withdraws an invitation."""
    state = staff_acts.disable(tenant, _named(tenant, member), by=BY_COMMAND, keep_one=False)
    if state == staff.WITHDRAWN:
        click.echo(f"the invitation of {member} is withdrawn; lrs staff invite invites them again")
    else:
        click.echo(f"{member} is disabled; lrs staff enable lets them in again")


@staff_group.command()
@click.argument("member")
@with_tenant
def enable(tenant: Tenant, member: str) -> None:
    """Let MEMBER (id or e-mail address) in again, who was disabled."""
    staff_acts.enable(tenant, _named(tenant, member), by=BY_COMMAND)
    click.echo(f"{member} can sign in again")


@staff_group.command()
@click.argument("member")
@click.option("--without-second-factor", is_flag=True, help="Take the second factor away, too: the phone is lost.")
@json_option
@with_tenant
def recover(tenant: Tenant, member: str, *, without_second_factor: bool, as_json: bool) -> None:
    """Print a link by which MEMBER (id or e-mail address) sets a new password, once within 72 hours."""
    root = pages_address(tenant.settings, tenant.id)
    id = _named(tenant, member)
    _show(
        staff_acts.recover(tenant, id, by=BY_COMMAND, root=root, without_factor=without_second_factor), as_json=as_json
    )


@staff_group.command("sign-in")
@click.argument("member")
@json_option
@with_tenant
def sign_in(tenant: Tenant, member: str, *, as_json: bool) -> None:
    """Print a link by which MEMBER (id or e-mail address) signs in once within 24 hours, without a password."""
    root = pages_address(tenant.settings, tenant.id)
    _show(staff_once.link(tenant, _named(tenant, member), by=BY_COMMAND, root=root), as_json=as_json)


def _named(tenant: Tenant, member: str) -> str:
    found = staff.named(tenant.store, member)
    if found is None:
        raise click.ClickException(f"there is no member of staff {member!r}; lrs staff list shows them")
    return found.id


def _show(made: Invitation, *, as_json: bool) -> None:
    if as_json:
        print_json({"id": made.id, "link": made.link, "expires": time_of(made.expires)})
    else:
        click.echo(f"member: {made.id}\nlink:   {made.link}\nuntil:  {time_of(made.expires)}, once")
