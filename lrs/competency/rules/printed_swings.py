"""Prints who gains and who loses levels by a change of rules. Decides nothing."""

from __future__ import annotations

from collections.abc import Sequence

import click
import msgspec

from lrs.competency.rules import rulesets
from lrs.competency.rules.losses import Swing
from lrs.competency.rules.rules import Ruleset
from lrs.competency.shapes import Award
from lrs.kernel.keys import key
from lrs.kernel.plain_text import one_line
from lrs.kernel.printing import time_of
from lrs.people.persons import identifiers_of
from lrs.people.search import described, somebody
from lrs.storage import Reader, each
from lrs.tenancy.tenants import Tenant


def print_swings(tenant: Tenant, found: Sequence[Swing], *, err: bool) -> None:
    """A line for each level that somebody gains, keeps or loses."""
    for one in found:
        until = "" if one.ends is None else f", until {one.ends}"
        who = described(somebody(tenant.store, one.person))
        line = f"{_does(tenant.store, one)}  {who}  {one.code} level {one.level} ({one.label}){until}"
        click.echo(one_line(line), err=err)


def _does(reader: Reader, one: Swing) -> str:
    if not one.gained:
        return "loses" if one.ends is None else "has shorter"
    records = each(reader, "award", key("award", one.person))
    awards = [msgspec.json.decode(record.body, type=Award) for record in records]
    in_review = {(award.competency.key, award.level.ordinal) for award in awards if award.review}
    return "keeps" if (one.competency, one.level) in in_review else "gains"


def changes(tenant: Tenant, found: Sequence[Swing]) -> list[dict[str, object]]:
    """The same for programs."""
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


def print_end(found: Sequence[Swing]) -> None:
    """The last line of a dry run."""
    gained = sum(one.gained for one in found)
    click.echo(f"dry run: {gained} gained, {len(found) - gained} lost; nothing was changed")


def print_done(tenant: Tenant, ruleset: Ruleset, found: Sequence[Swing], *, done: bool) -> None:
    """What was done, and what is held in review."""
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
            f"{levels(lost)} will go, and until {time_of(until)} stay held, in review:"
            f" lrs rules restore {ruleset.version - 1} brings them back"
        )


def _rules(ruleset: Ruleset) -> str:
    return f"{len(ruleset.rules)} {'rule' if len(ruleset.rules) == 1 else 'rules'}"


def levels(count: int) -> str:
    """So many held levels, in words."""
    return f"{count} held {'level' if count == 1 else 'levels'}"
