"""The commands ``framework`` and ``rules``. They read files, print, and decide nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lrs.competency import explain as explaining
from lrs.competency.frameworks.framework import Framework, VersionChange
from lrs.competency.frameworks.frameworks import frameworks, keep, publish
from lrs.competency.frameworks.levels import PRESETS
from lrs.competency.frameworks.sheets import ALIASES as COLUMNS
from lrs.competency.frameworks.sheets import framework_from_sheet
from lrs.competency.printed import print_faults, print_notes, read_rules
from lrs.competency.rules import rulesets
from lrs.competency.rules.commands import apply_, restore, show
from lrs.competency.rules.commands import list_ as list_rules
from lrs.competency.rules.sightings import NeverSeen, never_seen
from lrs.competency.rules.unmatched import Unmatched, legible, unmatched, with_names
from lrs.kernel.plain_text import counted, one_line
from lrs.kernel.printing import CommandGroup, json_option, print_json, print_list, time_of
from lrs.storage import each
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import file_argument, with_tenant, with_tenant_to_read
from lrs.tenancy.tenants import Tenant

# -- framework ------------------------------------------------------------------------------------------------------


@click.group(cls=CommandGroup)
def framework() -> None:
    """Import, publish and list competency frameworks."""


@framework.command("import")
@file_argument
@click.option("--id", "uri", help="The framework's URI, the same for ever (default: made from the file's name).")
@click.option("--title", help="Its title (default: the file's name).")
@click.option("--scale", default="tiers", show_default=True, type=click.Choice(sorted(PRESETS)), help="Its levels.")
@json_option
@with_tenant
def import_(tenant: Tenant, file: Path, *, uri: str | None, title: str | None, scale: str, as_json: bool) -> None:
    """Import FILE, a sheet with the columns domain, capability, statement and tier (CSV or XLSX), as a draft."""
    print_notes(file, COLUMNS)
    draft, faults = framework_from_sheet(
        file,
        uri=uri or f"urn:engraft:framework:{_slug(file.stem)}",
        title=title or file.stem,
        scale=PRESETS[scale],
    )
    kept, changes = tenant.store.write(lambda tx: keep(tx, draft)).result()
    print_faults(faults)
    if as_json:
        print_json({**_framework(kept), "changes": changes, "problems": faults})
        return
    state = f"version {kept.version} ({kept.status})"
    changed = counted(len(changes), "change") if changes else "no changes"
    click.echo(f"{kept.id}: {state}, {counted(len(kept.items), 'item')}, {changed}")
    for change in changes:
        click.echo(f"  {one_line(_shown(change))}")


@framework.command("publish")
@click.argument("uri")
@with_tenant
def publish_(tenant: Tenant, uri: str) -> None:
    """Publish the latest draft of the framework URI; that version never changes again."""
    done = tenant.store.write(lambda tx: publish(tx, uri, BY_COMMAND)).result()
    click.echo(f"{done.id}: version {done.version} is published")


@framework.command("list")
@json_option
@with_tenant_to_read
def list_(tenant: Tenant, as_json: bool) -> None:
    """List all versions of all frameworks."""
    print_list(
        [_framework(one) for one in frameworks(tenant.store)],
        {"id": "id", "version": "version", "state": "state", "name": "name", "items": "items"},
        none="there are no frameworks yet: lrs framework import FILE brings one in",
        as_json=as_json,
    )


# -- rules ----------------------------------------------------------------------------------------------------------


@click.group(cls=CommandGroup)
def rules() -> None:
    """Check, apply, restore and explain rules: which activities prove which competency."""


@rules.command()
@file_argument
@json_option
@with_tenant_to_read
def check(tenant: Tenant, file: Path, *, as_json: bool) -> None:
    """Check the mapping table FILE row by row, and list the activities that no source has ever sent.

    Ends with 1 if a row cannot be used.
    """
    ruleset, faults = read_rules(tenant, file)
    never = never_seen(tenant.store, ruleset.rules)
    print_faults(faults)
    if as_json:
        print_json({"rules": len(ruleset.rules), "problems": faults, "never_seen": never})
    else:
        click.echo(f"{counted(len(ruleset.rules), 'rule')} can be used")
        for one in never:
            click.echo(one_line(_never(one)))
    if any(not fault.warning for fault in faults):
        raise SystemExit(1)


for _command in (apply_, restore, list_rules, show):
    rules.add_command(_command)


@rules.command()
@click.argument("who")
@click.option("--competency", help="Only this one: its code or id.")
@json_option
@with_tenant_to_read
def explain(tenant: Tenant, who: str, competency: str | None, as_json: bool) -> None:
    """Say why WHO (a person's id, a name, or any identifier) holds a level or does not."""
    found = explaining.explain(tenant, who, competency)
    if as_json:
        print_json(found)
        return
    name = f" ({one_line(found.name)})" if found.name else ""
    click.echo(f"person {found.person or 'unknown'}{name}, rules version {found.rules}")
    for answer in found.answers:
        _print_answer(answer)
    if not found.answers:
        click.echo("no evidence: nothing this person did meets a rule")


@rules.command("unmatched")
@click.option("--limit", default=100, show_default=True, help="How many lines, most frequent first.")
@json_option
@with_tenant_to_read
def unmatched_(tenant: Tenant, limit: int, as_json: bool) -> None:
    """List activities that no rule is about: how often they were seen, with which verb, and their names.

    Attempts are counted under the activity they are attempts at. A rule for that activity has "parent" in its column
    match.
    """
    store = tenant.store
    found = unmatched(legible(each(store, "statement")), rulesets.in_force(store).rules)[: max(limit, 0)]
    listed = with_names(store, found)
    print_list(
        [_unmatched_shown(one) for one in listed],
        {
            "count": "count",
            "verb": "verb",
            "activity": "activity",
            "name": "name",
            "match": "match",
            "attempts": lambda one: one.get("attempts"),
        },
        none="there is nothing that no rule is about: all that was seen meets one, or nothing came in yet",
        as_json=as_json,
    )


# -- shared ---------------------------------------------------------------------------------------------------------


def _framework(one: Framework) -> dict[str, Any]:
    return {
        "id": one.id,
        "version": one.version,
        "state": one.status,
        "status": one.status,
        "name": one.title,
        "title": one.title,
        "items": len(one.items),
    }


def _unmatched_shown(one: Unmatched) -> dict[str, Any]:
    shown = {"activity": one.activity, "verb": one.verb, "count": one.count, "name": one.name, "match": one.match}
    return {**shown, "attempts": len(one.attempts)} if one.attempts else shown


def _never(one: NeverSeen) -> str:
    role = "" if one.match == "activity" else f" as {one.match}"
    but = "; with other verbs of its row it was" if one.partly else ""
    return f"never seen from {one.source}: {one.activity}{role} with {' or '.join(one.verbs)}{but}"


def _print_answer(answer: explaining.LevelExplanation) -> None:
    states = ", ".join(_state(one) for one in answer.awards) or "not held"
    click.echo(one_line(f"{answer.code} {answer.label}, level {answer.level}: {states}"))
    if not answer.evidence:
        click.echo("  no evidence is left: it was voided, or its rule is gone")
    for one in answer.evidence:
        seen = "" if one.score is None else f", score {one.score:g} %"
        asked = "" if one.threshold is None else f" (asked: {one.threshold:g} %)"
        verdict = "counts" if one.counted else f"does not count: {one.reason}"
        click.echo(one_line(f"  {one.timestamp}  {one.statement}  from {one.source}{seen}{asked}: {verdict}"))


def _state(award: dict[str, Any]) -> str:
    until = award["valid_until"]
    held = f"from {award['held_from']}" + (f" until {until}" if until else "")
    if award["state"] != explaining.IN_REVIEW:
        return f"{award['state']} {held}"
    return f"held {held}, in review until {time_of(award['review_until'])} because {award['because']}"


def _shown(change: VersionChange) -> str:
    what = " -> ".join(part for part in (change.before, change.after) if part)
    return f"{change.sort}: {change.code}  {what}".rstrip()


def _slug(text: str) -> str:
    return "-".join("".join(letter if letter.isalnum() else " " for letter in text.casefold()).split())
