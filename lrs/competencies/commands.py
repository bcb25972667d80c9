"""The commands ``framework``, ``rules`` and ``rebuild``. They read files, print, and decide nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lrs.competencies import explain as explaining
from lrs.competencies import rulesets
from lrs.competencies.dates import moment
from lrs.competencies.framework import Change
from lrs.competencies.frameworks import frameworks, keep, publish
from lrs.competencies.levels import PRESETS
from lrs.competencies.printed import (
    BY,
    file_argument,
    json_option,
    plainly,
    print_faults,
    print_json,
    print_notes,
    read_rules,
)
from lrs.competencies.rebuild import rebuild as rebuild_derived
from lrs.competencies.rules_commands import apply_, restore, show
from lrs.competencies.rules_commands import list_ as list_rules
from lrs.competencies.sheets import ALIASES as COLUMNS
from lrs.competencies.sheets import framework_from_sheet
from lrs.competencies.sightings import NeverSeen, never_seen
from lrs.competencies.unmatched import Unmatched, legible, unmatched, with_names
from lrs.options import with_tenant
from lrs.plain_text import one_line
from lrs.storage import pages
from lrs.tenants import Tenant

# -- framework ------------------------------------------------------------------------------------------------------


@click.group()
def framework() -> None:
    """Competency frameworks: import as a draft, publish, list."""


@framework.command("import")
@file_argument
@click.option("--id", "uri", help="The framework's URI, the same for ever (default: made from the file's name).")
@click.option("--title", help="Its title (default: the file's name).")
@click.option("--scale", default="tiers", show_default=True, type=click.Choice(sorted(PRESETS)), help="Its levels.")
@with_tenant
@plainly
def import_(tenant: Tenant, file: Path, uri: str | None, title: str | None, scale: str) -> None:
    """Import a sheet with the columns domain, capability, statement and tier (CSV or XLSX), as a draft."""
    print_notes(file, COLUMNS)
    draft, faults = framework_from_sheet(
        file,
        uri=uri or f"urn:engraft:framework:{_slug(file.stem)}",
        title=title or file.stem,
        scale=PRESETS[scale],
    )
    kept, changes = tenant.store.write(lambda tx: keep(tx, draft)).result()
    print_faults(faults)
    state = f"version {kept.version} ({kept.status})"
    click.echo(f"{kept.id}: {state}, {len(kept.items)} items, {len(changes) or 'no'} changes")
    for change in changes:
        click.echo(f"  {_shown(change)}")


@framework.command("publish")
@click.argument("uri")
@with_tenant
@plainly
def publish_(tenant: Tenant, uri: str) -> None:
    """Publish the latest draft of the framework URI; that version never changes again."""
    done = tenant.store.write(lambda tx: publish(tx, uri, BY)).result()
    click.echo(f"{done.id}: version {done.version} is published")


@framework.command("list")
@json_option
@with_tenant
def list_(tenant: Tenant, as_json: bool) -> None:
    """List all versions of all frameworks."""
    found = frameworks(tenant.store)
    if as_json:
        print_json([{"id": one.id, "version": one.version, "status": one.status, "title": one.title} for one in found])
        return
    for one in found:
        click.echo(f"{one.id}  version {one.version}  {one.status}  {one.title}  ({len(one.items)} items)")


# -- rules ----------------------------------------------------------------------------------------------------------


@click.group()
def rules() -> None:
    """Mapping tables: which activities prove which competency."""


@rules.command()
@file_argument
@with_tenant
@plainly
def check(tenant: Tenant, file: Path) -> None:
    """Check a mapping table, row by row, and tell what no source ever sent; exit code 1 if a row cannot be used."""
    ruleset, faults = read_rules(tenant, file)
    print_faults(faults)
    click.echo(f"{len(ruleset.rules)} rules can be used")
    for one in never_seen(tenant.store, ruleset.rules):
        click.echo(_never(one))
    if any(not fault.warning for fault in faults):
        raise SystemExit(1)


for _command in (apply_, restore, list_rules, show):
    rules.add_command(_command)


@rules.command()
@click.argument("who")
@click.option("--competency", help="Only this one: its code or id.")
@json_option
@with_tenant
@plainly
def explain(tenant: Tenant, who: str, competency: str | None, as_json: bool) -> None:
    """Say why WHO (a person's id, a name, or any identifier) holds what, and why not."""
    found = explaining.explain(tenant.store, who, competency)
    if as_json:
        print_json(found)
        return
    name = f" ({one_line(found.name)})" if found.name else ""
    click.echo(f"person {found.person or 'unknown'}{name}, rules version {found.rules}")
    for answer in found.answers:
        _print_answer(answer, tenant.settings.zone)
    if not found.answers:
        click.echo("no evidence: nothing this person did meets a rule")


@rules.command("unmatched")
@click.option("--limit", default=100, show_default=True, help="How many lines, most frequent first.")
@json_option
@with_tenant
def unmatched_(tenant: Tenant, limit: int, as_json: bool) -> None:
    """List what was seen that no rule is about: how often, verb, activity, and its name.

    Attempts are put together under what they are attempts at: a rule for them has "parent" in its column match.
    """
    store = tenant.store
    found = unmatched(legible(pages(store, "statement")), rulesets.in_force(store).rules)[: max(limit, 0)]
    listed = with_names(store, found)
    if as_json:
        print_json([_unmatched_shown(one) for one in listed])
        return
    for one in listed:
        name = f"  {one.name}" if one.name else ""
        attempts = f"  (match: parent; attempts: {len(one.attempts)})" if one.attempts else ""
        click.echo(one_line(f"{one.count:8}  {one.verb}  {one.activity}{name}{attempts}"))


# -- rebuild --------------------------------------------------------------------------------------------------------


@click.command()
@click.option("--dry-run", is_flag=True, help="Only print the differences.")
@with_tenant
@plainly
def rebuild(tenant: Tenant, dry_run: bool) -> None:
    """Work out all derived state again, print the differences and put them right. Sends nothing."""
    diff = rebuild_derived(tenant, apply=not dry_run)
    for line in diff.lines():
        click.echo(line)
    click.echo(f"{len(diff.added)} added, {len(diff.removed)} removed, {len(diff.changed)} changed")


# -- shared ---------------------------------------------------------------------------------------------------------


def _unmatched_shown(one: Unmatched) -> dict[str, Any]:
    shown = {"activity": one.activity, "verb": one.verb, "count": one.count, "name": one.name, "match": one.match}
    return {**shown, "attempts": len(one.attempts)} if one.attempts else shown


def _never(one: NeverSeen) -> str:
    role = "" if one.match == "activity" else f" as {one.match}"
    but = "; with other verbs of its row it was" if one.partly else ""
    return f"never seen from {one.source}: {one.activity}{role} with {' or '.join(one.verbs)}{but}"


def _print_answer(answer: explaining.Answer, zone: str) -> None:
    states = ", ".join(_state(one, zone) for one in answer.awards) or "not held"
    click.echo(f"{answer.code} {answer.label}, level {answer.level}: {states}")
    if not answer.evidence:
        click.echo("  no evidence is left: it was voided, or its rule is gone")
    for one in answer.evidence:
        seen = "" if one.score is None else f", score {one.score:g} %"
        asked = "" if one.threshold is None else f" (asked: {one.threshold:g} %)"
        verdict = "counts" if one.counted else f"does not count: {one.reason}"
        click.echo(f"  {one.timestamp}  {one.statement}  from {one.source}{seen}{asked}: {verdict}")


def _state(award: dict[str, Any], zone: str) -> str:
    until = award["valid_until"]
    held = f"from {award['held_from']}" + (f" until {until}" if until else "")
    if award["state"] != explaining.IN_REVIEW:
        return f"{award['state']} {held}"
    return f"held {held}, in review until {moment(award['review_until'], zone)} because {award['because']}"


def _shown(change: Change) -> str:
    what = " -> ".join(part for part in (change.before, change.after) if part)
    return f"{change.sort}: {change.code}  {what}".rstrip()


def _slug(text: str) -> str:
    return "-".join("".join(letter if letter.isalnum() else " " for letter in text.casefold()).split())
