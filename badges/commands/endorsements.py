"""The commands ``lrs badges endorse`` and ``lrs badges endorsements``. Prints; decides nothing."""

from __future__ import annotations

import functools
from pathlib import Path
from uuid import uuid4

import click

from badges.endorsing import endorsing
from badges.endorsing.endorsements import MAX_BYTES, endorsements_of
from lrs.kernel import outbound
from lrs.kernel.files import content
from lrs.kernel.plain_text import one_line
from lrs.kernel.printing import json_option, print_json, time_of
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import with_tenant, with_tenant_to_read
from lrs.tenancy.tenants import Tenant


@click.command("endorse")
@click.argument("target")
@click.option("--comment", help="What you vouch for: the endorsement is this issuer's own.")
@click.option(
    "--from",
    "signed",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The file of an endorsement that somebody else signed: it is verified, and kept as it is.",
)
@click.option("--draft", is_flag=True, help="Print what somebody else has to sign, and change nothing.")
@click.option("--remove", help="Take away the endorsement with this id.")
@with_tenant
def endorse_command(
    tenant: Tenant, *, target: str, comment: str | None, signed: Path | None, draft: bool, remove: str | None
) -> None:
    """Endorse TARGET, the id of a badge or of an achievement: in your own name, or in another's.

    A badge is issued anew with the endorsement in it; so are those whose achievement is endorsed.
    """
    if sum((comment is not None, signed is not None, draft, remove is not None)) != 1:
        raise click.UsageError("one of --comment, --from, --draft and --remove")
    thing = endorsing.thing_named(tenant, target)
    if draft:
        print_json(endorsing.drafted(tenant, thing, id=str(uuid4())))
    elif remove is not None:
        endorsing.remove(tenant, thing, remove, by=BY_COMMAND)
        click.echo(f"the endorsement {remove} is taken away")
    elif signed is not None:
        fetch = functools.partial(outbound.fetch, settings=tenant.settings)
        id = endorsing.take_in(tenant, thing, content(signed, MAX_BYTES), fetch, by=BY_COMMAND)
        click.echo(f"{thing.name} is endorsed: {id}")
    else:
        id = endorsing.endorse(tenant, thing, comment or "", id=str(uuid4()), by=BY_COMMAND)
        click.echo(f"{thing.name} is endorsed: {id}")


@click.command("endorsements")
@click.argument("target")
@json_option
@with_tenant_to_read
def endorsements_command(tenant: Tenant, *, target: str, as_json: bool) -> None:
    """Show the endorsements of TARGET, the id of a badge or of an achievement: who, when, and what they say."""
    thing = endorsing.thing_named(tenant, target)
    found = endorsements_of(tenant.store, thing.id)
    shown = [
        {"id": one.id, "endorser": one.endorser, "since": time_of(one.at), "comment": one.comment}
        for one in (found.given if found else ())
    ]
    if as_json:
        print_json({"of": thing.id, "name": thing.name, "endorsements": shown})
        return
    for one in shown:
        click.echo(one_line(f"{one['id']}  {one['endorser']}  {one['since']}  {one['comment']}"))
    if not shown:
        click.echo(f"nobody has endorsed {thing.name}", err=True)


COMMANDS = (endorse_command, endorsements_command)
