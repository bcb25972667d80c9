"""The commands ``lrs lms``: learning platforms that show this product (LTI 1.3). They print, and decide nothing."""

from __future__ import annotations

import click

from adapters.lms.lti import courses, invitations, platforms, results, rosters, tool_keys
from adapters.lms.lti.addresses import tool_root
from adapters.lms.lti.courses import LtiCourse
from adapters.lms.lti.services import ServiceFailed
from lrs.competency.frameworks.frameworks import published
from lrs.kernel.printing import CommandGroup, json_option, print_json, print_list, print_record, time_of
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import with_tenant, with_tenant_to_read
from lrs.tenancy.tenants import Tenant


@click.group(cls=CommandGroup)
def lms() -> None:
    """Invite, approve and list learning platforms that show this product (LTI 1.3), and read their rosters."""


@lms.command()
@click.argument("name")
@json_option
@with_tenant
def invite(tenant: Tenant, name: str, *, as_json: bool) -> None:
    """Make an address for the platform NAME, by which it registers itself once within three days."""
    root = tool_root(tenant.settings, tenant.id)
    address, expires = invitations.invite(tenant, name, by=BY_COMMAND, root=root)
    if as_json:
        print_json({"name": name, "address": address, "expires": time_of(expires)})
    else:
        click.echo(f"Paste this address in {name} where a tool is added by its address (until {time_of(expires)}):")
        click.echo(f"  {address}")


@lms.command("invitations")
@json_option
@with_tenant_to_read
def list_invitations(tenant: Tenant, *, as_json: bool) -> None:
    """List the invitations that no platform has used yet."""
    found = [{"name": one.about, "expires": time_of(one.expires)} for one in invitations.waiting(tenant)]
    none = "there are no invitations that wait: lrs lms invite NAME makes one"
    print_list(found, {"name": "name", "until": "expires"}, none=none, as_json=as_json)


@lms.command()
@click.argument("name")
@with_tenant
def withdraw(tenant: Tenant, name: str) -> None:
    """Withdraw the invitation of the platform NAME: its address opens nothing any more."""
    invitations.withdraw(tenant, name, by=BY_COMMAND)
    click.echo(f"the invitation of {name} is withdrawn")


@lms.command()
@click.argument("platform")
@click.option("--deployment", help="Accept this deployment of it, too.")
@with_tenant
def approve(tenant: Tenant, platform: str, *, deployment: str | None) -> None:
    """Approve PLATFORM (its id or name): what it opens is let in from now on, by each deployment that is accepted."""
    found = platforms.named(tenant.store, platform)
    tenant.store.write(lambda tx: platforms.set_state(tx, found.id, "approved", BY_COMMAND)).result()
    click.echo(f"{found.name} is approved")
    if deployment:
        tenant.store.write(lambda tx: platforms.accept_deployment(tx, found.id, deployment, BY_COMMAND)).result()
        click.echo(f"its deployment {deployment} is accepted")


@lms.command()
@click.argument("platform")
@with_tenant
def suspend(tenant: Tenant, platform: str) -> None:
    """Let in nothing of PLATFORM (its id or name) any more, until it is approved again."""
    found = platforms.named(tenant.store, platform)
    tenant.store.write(lambda tx: platforms.set_state(tx, found.id, "suspended", BY_COMMAND)).result()
    click.echo(f"{found.name} is suspended")


@lms.command("list")
@json_option
@with_tenant_to_read
def list_all(tenant: Tenant, *, as_json: bool) -> None:
    """List the platforms, and the deployments that wait to be accepted."""
    found = [
        {
            "id": one.id,
            "name": one.name,
            "issuer": one.issuer,
            "clientId": one.client_id,
            "state": one.state,
            "deployments": one.deployments,
            "waiting": one.waiting,
        }
        for one in platforms.everyone(tenant.store)
    ]
    columns = {"id": "id", "name": "name", "issuer": "issuer", "state": "state", "waiting": "waiting"}
    print_list(found, columns, none="there are no platforms yet: lrs lms invite NAME begins", as_json=as_json)


@lms.command()
@click.argument("platform", required=False)
@json_option
@with_tenant
def sync(tenant: Tenant, platform: str | None, *, as_json: bool) -> None:
    """Read the rosters of all courses of PLATFORM (its id or name) now, or of all platforms."""
    wanted = [platforms.named(tenant.store, platform)] if platform else platforms.everyone(tenant.store)
    found = [_synced(tenant, id, course) for one in wanted for id, course in courses.courses_of(tenant.store, one.id)]
    columns = {"course": "course", "members": "members", "gone": "gone", "problem": "problem"}
    none = "there are no courses yet: they appear once something is opened in one"
    print_list(found, columns, none=none, as_json=as_json)
    if found and all(one["problem"] for one in found):
        raise click.ClickException("no roster was read")


def _synced(tenant: Tenant, id: str, course: LtiCourse) -> dict[str, object]:
    told: dict[str, object] = {"id": id, "course": course.title, "members": 0, "gone": 0, "problem": None}
    if not course.members:
        return told | {"problem": "the platform does not give its roster"}
    try:
        read = rosters.read(tenant, id)
    except ServiceFailed as failed:
        return told | {"problem": failed.why}
    return told | {"members": read.members, "gone": read.gone}


@lms.command("results")
@click.argument("platform")
@click.option("--framework", "frameworks", multiple=True, help="Its URI; may be given repeatedly.")
@click.option("--off", is_flag=True, help="Tell it nothing any more; its keys stay until they are revoked.")
@json_option
@with_tenant
def tell_results(tenant: Tenant, platform: str, frameworks: tuple[str, ...], *, off: bool, as_json: bool) -> None:
    """Tell PLATFORM (its id or name) which competencies its learners hold, as statements that it reads.

    Moodle's plugin tool_lptmanager polls them. It prints a key to read them with, and nothing else, which is shown
    once; without --framework it says how many were told.
    """
    found = platforms.named(tenant.store, platform)
    if off:
        tenant.store.write(lambda tx: platforms.set_results(tx, found.id, (), BY_COMMAND)).result()
    key = None
    if frameworks:
        results.check_frameworks([one.id for one in published(tenant.store)], frameworks)
        key = results.turn_on(tenant, found, frameworks, by=BY_COMMAND)
    now = platforms.named(tenant.store, found.id)
    shown: dict[str, object] = {"id": now.id, "name": now.name, "frameworks": list(now.results)}
    shown |= results.told_of(tenant.store, now)
    print_record(shown | ({"key": key.key, "secret": key.secret} if key else {}), as_json=as_json)


@lms.command()
@with_tenant
def rotate(tenant: Tenant) -> None:
    """Sign with the next key from now on.

    The former one stays published for 30 days.
    """
    click.echo(f"the key {tool_keys.rotate(tenant, by=BY_COMMAND)} signs now")
