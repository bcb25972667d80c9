"""The commands ``lrs rules apply``, ``restore``, ``list`` and ``show``. They show what follows, and decide nothing."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from lrs.competency.printed import print_faults, read_rules, table_of
from lrs.competency.rules import rulesets
from lrs.competency.rules.applying import look, put_in
from lrs.competency.rules.applying import lost as count_lost
from lrs.competency.rules.losses import LossSurvey, Swing
from lrs.competency.rules.printed_swings import changes, levels, print_done, print_end, print_swings
from lrs.competency.rules.rules import Ruleset
from lrs.competency.rules.rulesets import Applied
from lrs.kernel.errors import Refused
from lrs.kernel.printing import json_option, print_json, print_list, time_of
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import file_argument, with_tenant, with_tenant_to_read
from lrs.tenancy.tenants import Tenant

_NO_RULES = "no rules were ever applied: lrs rules apply FILE puts a mapping table in force"


class _Asked(msgspec.Struct, frozen=True):
    """How rules are to be applied.

    *restores* is the version that they bring back, *dry_run* says that nothing is to be changed, *expected* is the
    number of held levels that may go, *as_json* asks for JSON.
    """

    restores: int | None
    dry_run: bool
    expected: int | None
    as_json: bool


_dry_run = click.option("--dry-run", is_flag=True, help="Only show who would gain and lose what.")
_expect_loss = click.option(
    "--expect-loss",
    type=click.IntRange(min=0),
    metavar="N",
    help="Apply only if exactly N held levels would go or end earlier.",
)


@click.command("apply")
@file_argument
@_dry_run
@_expect_loss
@click.option("--skip-unusable", is_flag=True, help="Leave out rows that cannot be used.")
@json_option
@with_tenant
def apply_(
    tenant: Tenant, file: Path, *, dry_run: bool, expect_loss: int | None, skip_unusable: bool, as_json: bool
) -> None:
    """Put the mapping table FILE in force, unless a row cannot be used or a held level would go unexpectedly.

    Levels that only the change of rules takes away stay held for LRS_RULES_REVIEW (24 hours). lrs rules restore brings
    them back.
    """
    ruleset, faults = read_rules(tenant, file)
    print_faults(faults)
    unusable = sum(not fault.warning for fault in faults)
    if unusable and not ruleset.rules:
        raise Refused("no row can be used, so nothing was changed; a table with a header only takes all rules away")
    if unusable and not skip_unusable:
        raise Refused(
            f"{unusable} {'row' if unusable == 1 else 'rows'} cannot be used, so nothing was changed: mend the table,"
            " or run it with --skip-unusable to go without them"
        )
    _put(tenant, ruleset, _Asked(None, dry_run, expect_loss, as_json))


@click.command("restore")
@click.argument("version", type=click.IntRange(min=1))
@_dry_run
@_expect_loss
@json_option
@with_tenant
def restore(tenant: Tenant, version: int, *, dry_run: bool, expect_loss: int | None, as_json: bool) -> None:
    """Put the rules of an earlier VERSION in force again, as the next version.

    Levels that later versions took away are held again; if they are still in review, with the same badge.
    """
    ruleset = rulesets.restored(tenant.store, version)
    _put(tenant, ruleset, _Asked(version, dry_run, expect_loss, as_json))


@click.command("list")
@json_option
@with_tenant_to_read
def list_(tenant: Tenant, as_json: bool) -> None:
    """List all versions of the rules, oldest first; the last is in force."""
    found = rulesets.applied(tenant.store)
    now = str(time_of(tenant.clock()))
    print_list(
        [_as_json(one) | {"state": "in force" if one is found[-1] else "former"} for one in found],
        {
            "version": "version",
            "state": "state",
            "rules": "rules",
            "applied": "applied",
            "by": "by",
            "restores": "restores",
            "losses in review until": lambda one: one["review_until"] if (one["review_until"] or "") > now else None,
        },
        none=_NO_RULES,
        as_json=as_json,
    )


@click.command("show")
@click.argument("version", type=click.IntRange(min=1), required=False)
@json_option
@with_tenant_to_read
def show(tenant: Tenant, version: int | None, as_json: bool) -> None:
    """Print the rules of VERSION, or those in force, as a table that lrs rules apply accepts."""
    wanted = version or rulesets.current(tenant.store).version
    if not wanted:
        raise click.ClickException(_NO_RULES)
    found = rulesets.of_version(tenant.store, wanted)
    if as_json:
        print_json({**_as_json(found), "ruleset": found.ruleset})
        return
    click.echo(table_of(found.ruleset), nl=False)


# -- applying -------------------------------------------------------------------------------------------------------


def _put(tenant: Tenant, ruleset: Ruleset, asked: _Asked) -> None:
    """Shows who gains and loses. Then puts *ruleset* in force, unless it is a dry run.

    With JSON, gains and losses are also printed on standard error, because they explain why nothing was changed. Raises
    ``Refused`` if the number of losses is not the expected one, or kept changing while it was counted.
    """
    shown: Sequence[Swing] | None = None
    expected = asked.expected

    def act(seen: LossSurvey, found: list[Swing]) -> None:
        nonlocal shown, expected
        told = [one for one in found if asked.dry_run or not one.gained]
        if told != shown:
            print_swings(tenant, told, err=asked.as_json)
        shown = told
        done = False
        if not asked.dry_run:
            expected = _agreed(found, expected)
            done = tenant.store.write(lambda tx: put_in(tx, tenant, seen, BY_COMMAND, asked.restores)).result()
        if asked.as_json:
            print_json({"version": ruleset.version, "applied": done, "changes": changes(tenant, found)})
        elif asked.dry_run:
            print_end(found)
        else:
            print_done(tenant, ruleset, found, done=done)

    look(tenant, ruleset, act)


def _agreed(found: Sequence[Swing], expected: int | None) -> int:
    """The number of held levels that go, if it is *expected* or somebody at the terminal types it.

    Raises ``Refused``.
    """
    lost = count_lost(found)
    going = f"{levels(lost)} would go or end earlier"
    if expected is None and lost and _somebody_is_there():
        expected = click.prompt(f"{going}. Type that number to go on", type=int, err=True)
    if expected is None and lost:
        raise Refused(
            f"{going}, so nothing was changed: see who loses them above, and if that is right, run it again with"
            f" --expect-loss {lost}"
        )
    if expected is not None and expected != lost:
        raise Refused(
            f"{going}, not {expected}, so nothing was changed: if that is right, run it again with --expect-loss {lost}"
        )
    return lost


def _somebody_is_there() -> bool:
    return sys.stdin.isatty()


def _as_json(one: Applied) -> dict[str, object]:
    return {
        "version": one.ruleset.version,
        "rules": len(one.ruleset.rules),
        "applied": time_of(one.at),
        "review_until": time_of(one.until),
        "by": one.by,
        "restores": one.restores,
    }
