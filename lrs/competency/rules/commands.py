"""The commands ``lrs rules apply``, ``restore``, ``list`` and ``show``: they show what follows, and decide nothing."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec

from lrs.competency.dates import day_of
from lrs.competency.printed import BY, file_argument, print_faults, read_rules, table_of
from lrs.competency.rules import rulesets
from lrs.competency.rules.losses import Changed, Look, Swing, look_at, look_on, swings, swings_now, unchanged
from lrs.competency.rules.rules import Ruleset
from lrs.competency.rules.rulesets import Applied
from lrs.competency.shapes import Award
from lrs.kernel.errors import Refused
from lrs.kernel.keys import key
from lrs.kernel.plain_text import one_line
from lrs.kernel.printing import json_option, print_json, print_list, time_of
from lrs.people.persons import identifiers_of
from lrs.people.search import described, somebody
from lrs.storage import Reader, Tx, pages
from lrs.tenancy.options import with_tenant, with_tenant_to_read
from lrs.tenancy.tenants import Tenant

ATTEMPTS = 50
"""How often the levels that would go are counted because something changed meanwhile; after the first time that takes
as long as what changed, unless it is more than evidence that did.
"""
SECOND = 1_000_000

_NO_RULES = "no rules were ever applied: lrs rules apply FILE puts a mapping table in force"


@dataclass(frozen=True, slots=True)
class _Asked:
    """How rules are to be put in force: the version they bring back, only shown, so many losses, told as JSON."""

    restores: int | None
    dry_run: bool
    expected: int | None
    as_json: bool


_dry_run = click.option("--dry-run", is_flag=True, help="Only show who would gain and lose what.")
_expect_loss = click.option(
    "--expect-loss", type=click.IntRange(min=0), metavar="N", help="So many held levels may go, and no other number."
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

    What rules alone take away stays held for LRS_RULES_REVIEW (24 hours), and lrs rules restore brings it back.
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

    What those after it took away is held again; while it is in review, with the same badge.
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
    """Print the rules of VERSION, or those in force, as a table that can be applied."""
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
    """Shows who gains and loses; then, unless it is a dry run, puts *ruleset* in force if just that many are lost.

    With JSON, who gains and loses is told on standard error too: it says why nothing was changed, where that is so.
    Raises ``Refused`` if another number is, or if it went on changing while it was counted.
    """
    shown: Sequence[Swing] | None = None
    expected = asked.expected
    seen: Look | None = None
    found: list[Swing] = []
    for _ in range(ATTEMPTS):
        try:
            seen, found = _looked(tenant, ruleset, seen, found)
            told = [one for one in found if asked.dry_run or not one.gained]
            if told != shown:
                _print_swings(tenant, told, err=asked.as_json)
            shown = told
            done = False
            if not asked.dry_run:
                expected = _agreed(found, expected)
                done = _applied(tenant, ruleset, seen, asked.restores)
        except Changed:
            continue
        if asked.as_json:
            return print_json({"version": ruleset.version, "applied": done, "changes": _changes(tenant, found)})
        return _print_end(found) if asked.dry_run else _print_done(tenant, ruleset, found, done=done)
    raise Refused(
        f"statements that these rules are about, or persons, changed during each of {ATTEMPTS} attempts; nothing was"
        " changed: run it again when less comes in",
        status=409,
        error="busy",
    )


def _looked(tenant: Tenant, ruleset: Ruleset, seen: Look | None, found: list[Swing]) -> tuple[Look, list[Swing]]:
    """Who gains and loses, by a look at everything, or by what was *seen* and *found* and what has come since.

    Raises ``Changed``.
    """
    if seen:
        try:
            touched = look_on(tenant, seen)
        except Changed:
            pass  # more than evidence changed, so everything is looked at anew
        else:
            return seen, swings_now(tenant.store, seen, found, touched)
    seen = look_at(tenant, ruleset)
    return seen, swings(tenant.store, seen)


def _agreed(found: Sequence[Swing], expected: int | None) -> int:
    """How many held levels go, if that is *expected*, or typed by somebody who sits there. Raises ``Refused``."""
    lost = sum(not one.gained for one in found)
    if expected is None and lost and _somebody_is_there():
        expected = click.prompt(f"{_levels(lost)} would go. Type that number to go on", type=int, err=True)
    if expected is None and lost:
        raise Refused(
            f"{_levels(lost)} would go, so nothing was changed: see who loses them above, and if that is right, run it"
            f" again with --expect-loss {lost}"
        )
    if expected is not None and expected != lost:
        raise Refused(
            f"{_levels(lost)} would go, not {expected}, so nothing was changed: if that is right, run it again with"
            f" --expect-loss {lost}"
        )
    return lost


def _somebody_is_there() -> bool:
    return sys.stdin.isatty()


def _applied(tenant: Tenant, ruleset: Ruleset, seen: Look, restores: int | None) -> bool:
    review = round(tenant.settings.rules_review * SECOND)
    today = day_of(tenant.clock(), tenant.settings.zone)

    def decide(tx: Tx) -> bool:
        unchanged(tx, seen, today)
        return rulesets.put(tx, ruleset, BY, review=review, restores=restores)

    return tenant.store.write(decide).result()


# -- printing -------------------------------------------------------------------------------------------------------


def _print_swings(tenant: Tenant, found: Sequence[Swing], *, err: bool) -> None:
    for one in found:
        until = "" if one.ends is None else f", until {one.ends}"
        who = described(somebody(tenant.store, one.person))
        line = f"{_does(tenant.store, one)}  {who}  {one.code} level {one.level} ({one.label}){until}"
        click.echo(one_line(line), err=err)


def _does(reader: Reader, one: Swing) -> str:
    if not one.gained:
        return "loses" if one.ends is None else "has shorter"
    records = pages(reader, "award", key("award", one.person))
    awards = [msgspec.json.decode(record.body, type=Award) for record in records]
    in_review = {(award.competency.code, award.level.ordinal) for award in awards if award.review}
    return "keeps" if (one.code, one.level) in in_review else "gains"


def _changes(tenant: Tenant, found: Sequence[Swing]) -> list[dict[str, object]]:
    return [
        {
            "person": one.person,
            "identifiers": identifiers_of(tenant.store, one.person),
            "code": one.code,
            "label": one.label,
            "level": one.level,
            "gained": one.gained,
            "ends": one.ends,
        }
        for one in found
    ]


def _print_end(found: Sequence[Swing]) -> None:
    gained = sum(one.gained for one in found)
    click.echo(f"dry run: {gained} gained, {len(found) - gained} lost; nothing was changed")


def _print_done(tenant: Tenant, ruleset: Ruleset, found: Sequence[Swing], *, done: bool) -> None:
    if not done:
        click.echo(f"nothing changed: rules version {ruleset.version} is in force")
        return
    click.echo(f"rules version {ruleset.version} with {_rules(ruleset)}; what they touch is looked at again")
    lost = sum(not one.gained for one in found)
    if gained := len(found) - lost:
        click.echo(f"{gained} {'level is' if gained == 1 else 'levels are'} gained, or held again")
    until = rulesets.of_version(tenant.store, ruleset.version).until
    if lost and until:
        click.echo(
            f"{_levels(lost)} will go, and until {time_of(until)} stay held, in review:"
            f" lrs rules restore {ruleset.version - 1} brings them back"
        )


def _rules(ruleset: Ruleset) -> str:
    return f"{len(ruleset.rules)} {'rule' if len(ruleset.rules) == 1 else 'rules'}"


def _levels(count: int) -> str:
    return f"{count} held {'level' if count == 1 else 'levels'}"


def _as_json(one: Applied) -> dict[str, object]:
    return {
        "version": one.ruleset.version,
        "rules": len(one.ruleset.rules),
        "applied": time_of(one.at),
        "review_until": time_of(one.until),
        "by": one.by,
        "restores": one.restores,
    }
