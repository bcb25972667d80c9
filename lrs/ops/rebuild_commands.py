"""The command ``lrs rebuild``. It prints, and decides nothing."""

from __future__ import annotations

import click

from lrs.competency.rebuild import rebuild as rebuild_derived
from lrs.composition.kinds import TENANT
from lrs.kernel.plain_text import counted
from lrs.kernel.printing import json_option, print_json
from lrs.tenancy.options import with_tenant
from lrs.tenancy.tenants import Tenant


@click.command()
@click.option("--dry-run", is_flag=True, help="Only print the differences.")
@json_option
@with_tenant
def rebuild(tenant: Tenant, *, dry_run: bool, as_json: bool) -> None:
    """Work out all derived state again, print the differences and put them right.

    Before that, search keys that are not as their records say are put right. Sends nothing.
    """
    wrong = tenant.store.wrong_keys() if dry_run else tenant.store.mend_keys()
    diff = rebuild_derived(tenant, TENANT, apply=not dry_run)
    if as_json:
        found = {"added": diff.added, "removed": diff.removed, "changed": diff.changed}
        shown = {sort: [{"kind": kind, "id": id} for kind, id in names] for sort, names in found.items()}
        print_json({"dry_run": dry_run, **shown, "wrong_search_keys": wrong})
        return
    if wrong:
        click.echo(counted(wrong, "search key was wrong", "search keys were wrong"))
    for line in diff.lines():
        click.echo(line)
    click.echo(f"{len(diff.added)} added, {len(diff.removed)} removed, {len(diff.changed)} changed")
