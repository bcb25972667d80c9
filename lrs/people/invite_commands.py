"""The command ``persons invite``: links by which learners sign in. It prints, and decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from lrs.kernel.errors import Refused
from lrs.kernel.printing import json_option, print_json, print_table, time_of
from lrs.people.invite_table import rows_in
from lrs.people.sign_in import LearnerInvitation, invite_list
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import with_tenant
from lrs.tenancy.pages import pages_address
from lrs.tenancy.tenants import Tenant


@click.command()
@click.argument("who", required=False)
@click.option("--email", default="", help="Where to send the link; without it, it is only printed.")
@click.option(
    "--list",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A table (CSV, XLSX) with columns learner and email.",
)
@json_option
@with_tenant
def invite(tenant: Tenant, who: str | None, *, email: str, file: Path | None, as_json: bool) -> None:
    """Invite WHO (id, e-mail, learner number or homePage|name) to see their own record, by a link for them alone.

    The link works once within 14 days. With --list, everybody in the table is invited.
    """
    if (who is None) == (file is None):
        raise click.UsageError("name one learner, or a table with --list")
    rows = rows_in(file) if file is not None else [(who or "", email)]
    found = invite_list(tenant, rows, by=BY_COMMAND, root=pages_address(tenant.settings, tenant.id))
    failed = [(row, one) for row, one in zip(rows, found, strict=True) if isinstance(one, Refused)]
    made = [(row, one) for row, one in zip(rows, found, strict=True) if isinstance(one, LearnerInvitation)]
    if as_json:
        invited = [_shown(row, one) for row, one in made]
        print_json({"invited": invited, "failed": [{"learner": row[0], "reason": one.message} for row, one in failed]})
    elif made:
        lines = [[row[0], row[1], one.link, time_of(one.expires)] for row, one in made]
        print_table(["learner", "email", "link", "until"], lines)
    for row, one in failed:
        click.echo(f"{row[0]}: {one.message}", err=True)
    if failed and not made:
        raise click.ClickException("nobody was invited")


def _shown(row: Sequence[str], one: LearnerInvitation) -> dict[str, object]:
    told = {"learner": row[0], "email": row[1], "person": one.person}
    return {**told, "link": one.link, "expires": time_of(one.expires)}
