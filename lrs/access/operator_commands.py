"""The commands ``lrs operators``: who runs the installation: their sign-in, and their keys."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from lrs.access import operators as acts
from lrs.access import staff, staff_acts, staff_once
from lrs.access.operators import ROLE, create_operator_key, list_operator_keys, revoke_operator_key
from lrs.access.staff_acts import Invitation
from lrs.kernel.errors import Misconfigured
from lrs.kernel.printing import CommandGroup, json_option, print_json, print_list, time_of
from lrs.kernel.settings import Settings
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.control import Control
from lrs.tenancy.installation import installation
from lrs.tenancy.options import with_control
from lrs.tenancy.pages import pages_address
from lrs.tenancy.tenants import Tenant

_Command = Callable[..., Any]


def _with_installation(command: _Command) -> _Command:
    """Passes the installation, for its operators."""

    @with_control
    @functools.wraps(command)
    def wrapped(settings: Settings, control: Control, /, **given: object) -> object:
        return command(installation(control, settings), **given)

    return wrapped


@click.group(cls=CommandGroup)
def operators() -> None:
    """Let in who runs the installation, and make keys for /metrics; neither opens a tenant's data."""


@operators.command("invite")
@click.argument("email")
@json_option
@_with_installation
def invite(found: Tenant, email: str, *, as_json: bool) -> None:
    """Invite EMAIL as an operator, and print the link, which works once within 72 hours."""
    _show(staff_acts.invite(found, email, ROLE, by=BY_COMMAND, root=_root(found)), as_json=as_json)


@operators.command("begin")
@json_option
@_with_installation
def begin(found: Tenant, *, as_json: bool) -> None:
    """Print a link by which the first operator comes in, as long as nobody has."""
    made = acts.first_link(found, _root(found))
    if made is None:
        raise click.ClickException("somebody has come in already: lrs operators people shows them")
    _show(made, as_json=as_json)


@operators.command("people")
@json_option
@_with_installation
def people(found: Tenant, *, as_json: bool) -> None:
    """List the operators who sign in."""
    rows = [
        {
            "id": id,
            "email": one.email,
            "name": one.name,
            "state": one.state,
            "secondFactor": one.factor is not None,
        }
        for id, one in staff.everyone(found.store)
    ]
    columns = {"operator": "id", "email": "email", "name": "name", "state": "state"}
    none = "there are no operators who sign in yet: lrs operators begin prints a link for the first"
    print_list(rows, columns, none=none, as_json=as_json)


@operators.command("recover")
@click.argument("operator")
@click.option("--without-second-factor", is_flag=True, help="Take the second factor away, too: the phone is lost.")
@json_option
@_with_installation
def recover(found: Tenant, operator: str, *, without_second_factor: bool, as_json: bool) -> None:
    """Print a link by which OPERATOR (id or e-mail address) sets a new password, once within 72 hours."""
    id = _named(found, operator)
    made = staff_acts.recover(found, id, by=BY_COMMAND, root=_root(found), without_factor=without_second_factor)
    _show(made, as_json=as_json)


@operators.command("sign-in")
@click.argument("operator")
@json_option
@_with_installation
def sign_in(found: Tenant, operator: str, *, as_json: bool) -> None:
    """Print a link by which OPERATOR (id or e-mail address) signs in once within 24 hours, without a password."""
    _show(staff_once.link(found, _named(found, operator), by=BY_COMMAND, root=_root(found)), as_json=as_json)


@operators.command("disable")
@click.argument("operator")
@_with_installation
def disable(found: Tenant, operator: str) -> None:
    """Shut OPERATOR (id or e-mail address) out at once, also on a running server."""
    staff_acts.disable(found, _named(found, operator), by=BY_COMMAND, keep_one=False)
    click.echo(f"{operator} is disabled; lrs operators enable lets them in again")


@operators.command("enable")
@click.argument("operator")
@_with_installation
def enable(found: Tenant, operator: str) -> None:
    """Let OPERATOR (id or e-mail address) in again, who was disabled."""
    staff_acts.enable(found, _named(found, operator), by=BY_COMMAND)
    click.echo(f"{operator} can sign in again")


@operators.command("create")
@click.option("--name", required=True, help="Whom or what the key is for, e.g. 'prometheus'.")
@json_option
@_with_installation
def create(found: Tenant, name: str, *, as_json: bool) -> None:
    """Make a key and print it with its secret, which is shown only once."""
    new = create_operator_key(found, name)
    if as_json:
        print_json({"id": new.key, "key": new.key, "secret": new.secret})
    else:
        click.echo(f"key:    {new.key}\nsecret: {new.secret}\nThe secret is not shown again.")


@operators.command("list")
@json_option
@with_control
def list_all(_settings: Settings, control: Control, as_json: bool) -> None:
    """List the keys, never their secrets."""
    print_list(
        list_operator_keys(control.store),
        {"key": "id", "name": "name", "state": "state"},
        none="there are no operators' keys yet: lrs operators create --name NAME makes one",
        as_json=as_json,
    )


@operators.command("revoke")
@click.argument("key")
@_with_installation
def revoke(found: Tenant, key: str) -> None:
    """Revoke KEY, at once, also on a running server."""
    if not revoke_operator_key(found, key):
        raise Misconfigured(f"there is no key {key!r}; lrs operators list shows them")
    click.echo(f"revoked {key}")


def _root(found: Tenant) -> str:
    return pages_address(found.settings, found.id)


def _named(found: Tenant, operator: str) -> str:
    record = staff.named(found.store, operator)
    if record is None:
        raise click.ClickException(f"there is no operator {operator!r}; lrs operators people shows them")
    return record.id


def _show(made: Invitation, *, as_json: bool) -> None:
    if as_json:
        print_json({"id": made.id, "link": made.link, "expires": time_of(made.expires)})
    else:
        click.echo(f"operator: {made.id}\nlink:     {made.link}\nuntil:    {time_of(made.expires)}, once")
