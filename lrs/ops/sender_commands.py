"""The commands ``lrs sources`` and ``lrs quarantine``: switches of sources, and statements kept aside. Prints only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click
import msgspec

from adapters.imports.senders import arrived_from
from lrs.access.keys import known_keys
from lrs.access.source_names import SourceNames, put_name, shown_name
from lrs.access.switches import SWITCHES, all_switches, put_switches, switches_of
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.printing import CommandGroup, json_option, print_json, print_list, print_record
from lrs.kernel.times import timestamp_of_micros
from lrs.storage import Record, Tx, micros_of
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import with_tenant, with_tenant_to_read
from lrs.tenancy.tenants import Tenant
from lrs.xapi.statements import quarantine
from lrs.xapi.statements.habits import HABITS
from lrs.xapi.statements.quarantine import all_tallies, quarantined, tally_of
from lrs.xapi.statements.replay import Replayed, replay_each

_MOST = 1_000
_MENDS = "; ".join(f"{one.name}: {one.does}" for one in HABITS.values())


@click.group(cls=CommandGroup)
def sources() -> None:
    """List sources and turn their switches on and off: resent statements, known faults."""


@sources.command("list")
@json_option
@with_tenant_to_read
def list_sources(tenant: Tenant, as_json: bool) -> None:
    """List the sources with their switches, and how many of their statements are in quarantine."""
    tallies, switches = all_tallies(tenant.store), all_switches(tenant.store)
    names = {one.source for one in known_keys(tenant.store)} | SourceNames(tenant.store).known.keys()
    names |= tallies.keys() | switches.keys() | arrived_from(tenant.store)
    print_list(
        [_source(tenant, name) for name in sorted(names)],
        {"name": "name", "shown": "shown", "on": "on", "quarantined": "quarantined", "ever": "quarantinedEver"},
        none="there are no sources yet: lrs keys create --name NAME makes a key of one",
        as_json=as_json,
    )


@sources.command("switch")
@click.argument("source")
@click.option("--on", "on", multiple=True, type=click.Choice(SWITCHES), help="May be given repeatedly.")
@click.option("--off", "off", multiple=True, type=click.Choice(SWITCHES), help="May be given repeatedly.")
@json_option
@with_tenant
def switch(tenant: Tenant, source: str, on: tuple[str, ...], off: tuple[str, ...], as_json: bool) -> None:
    """Turn switches of SOURCE on or off.

    SOURCE is the name of its keys. A running server follows within a second.

    deduplicate: a statement without an id that says the same as one of the last seven days is taken as sent again.
    quarantine: what a known fault of the sender makes invalid is kept aside for 30 days, and the rest is stored.
    """
    if (not on and not off) or set(on) & set(off):
        raise click.UsageError("name a switch with --on or --off, and none with both")
    if all(one.source != source for one in known_keys(tenant.store)):
        raise click.ClickException(f"no key is called {source}: see lrs keys list")

    def decide(tx: Tx) -> bool:
        return put_switches(tx, source, (switches_of(tx, source) | set(on)) - set(off), BY_COMMAND)

    tenant.store.write(decide).result()
    print_record(_source(tenant, source), as_json=as_json)


@sources.command("name")
@click.argument("source")
@click.argument("shown", required=False, default="")
@click.option("--clear", is_flag=True, help="Take the shown name away.")
@json_option
@with_tenant
def name(tenant: Tenant, source: str, shown: str, *, clear: bool, as_json: bool) -> None:
    """Give SOURCE the name SHOWN, which people read instead of it: a platform, a centre or a provider.

    Rules, keys and files keep SOURCE. Badges that are signed from now on say SHOWN.
    """
    if clear == bool(shown.strip()):
        raise click.UsageError("give a name, or --clear")
    changed = tenant.store.write(lambda tx: put_name(tx, source, shown, by=BY_COMMAND)).result()
    if not changed:
        raise click.ClickException(f"{source} is called so already")
    print_record(_source(tenant, source), as_json=as_json)


def _source(tenant: Tenant, name: str) -> dict[str, object]:
    tally = tally_of(tenant.store, name)
    on, shown = sorted(switches_of(tenant.store, name)), shown_name(tenant.store, name)
    return {
        "id": name,
        "name": name,
        "shown": shown,
        "on": on,
        "quarantined": tally.count,
        "quarantinedEver": tally.ever,
    }


@click.group("quarantine", cls=CommandGroup)
def quarantine_group() -> None:
    """List statements that a known fault of their sender makes invalid, and store them mended."""


@quarantine_group.command("list")
@click.option("--source", help="Only of this source.")
@json_option
@with_tenant_to_read
def list_all(tenant: Tenant, source: str | None, as_json: bool) -> None:
    """List the newest statements in quarantine: when they came, which place, which rule, and their mends."""
    print_list(
        [_aside(one) for one in _of_sources(tenant, source)],
        {"came": "came", "source": "source", "id": "id", "place": "place", "rule": "rule", "mends": "mends"},
        none="nothing is in quarantine",
        as_json=as_json,
    )


@quarantine_group.command("show")
@click.argument("id")
@json_option
@with_tenant_to_read
def show(tenant: Tenant, id: str, as_json: bool) -> None:
    """Show the statement ID as it came, and what is wrong with it."""
    record = quarantine.find(tenant.store, id)
    if record is None:
        raise click.ClickException(f"no statement {id} is in quarantine: see lrs quarantine list")
    kept = quarantined(record)
    if as_json:
        print_json({**_aside(record), "says": kept.says, "statement": msgspec.json.decode(kept.statement)})
        return
    print_record({**_aside(record), "says": kept.says}, as_json=False)
    click.echo(msgspec.json.format(bytes(kept.statement)).decode())


@quarantine_group.command("replay")
@click.argument("ids", nargs=-1)
@click.option("--source", help="All statements of this source that need no other mends than these.")
@click.option("--mend", "mends", multiple=True, type=click.Choice(tuple(HABITS)), help=f"{_MENDS}.")
@json_option
@with_tenant
def replay_(tenant: Tenant, ids: tuple[str, ...], source: str | None, mends: tuple[str, ...], as_json: bool) -> None:
    """Store the statements IDS, or those of --source, after mends.

    Without --mend they are stored as they came. What cannot be stored stays, with the reason, and the command ends
    with 1.
    """
    if bool(ids) == bool(source):
        raise click.UsageError("name statements by their ids, or a source with --source")
    chosen = list(ids) or [one.id for one in _fitting(quarantine.of_source(tenant.store, source or ""), mends)]
    done = [_told(one) for one in replay_each(tenant, chosen, mends, SUBSCRIPTIONS, by=BY_COMMAND)]
    if as_json:
        print_json({"stored": sum(not one["problem"] for one in done), "statements": done})
    elif done:
        print_list(done, {"id": "id", "state": "state", "problem": "problem"}, none="", as_json=False)
    else:
        click.echo("no statement in quarantine needs just these mends", err=True)
    if not done or any(one["problem"] for one in done):
        raise SystemExit(1)


def _told(one: Replayed) -> dict[str, str]:
    if one.refused:
        return {"id": one.id, "state": "quarantined", "problem": one.refused.message}
    return {"id": one.id, "state": "stored", "problem": ""}


def _fitting(found: Iterable[Record], mends: tuple[str, ...]) -> Iterator[Record]:
    """Those of *found* that the *mends* make valid; all of them where they are stored as they came."""
    return (one for one in found if not mends or set(quarantined(one).habits) == set(mends))


def _of_sources(tenant: Tenant, source: str | None) -> list[Record]:
    names = [source] if source else sorted(all_tallies(tenant.store))
    found = [one for name in names for one in quarantine.newest(tenant.store, name, _MOST)]
    return sorted(found, key=lambda one: one.seq, reverse=True)[:_MOST]


def _aside(record: Record) -> dict[str, object]:
    kept = quarantined(record)
    return {
        "id": record.id,
        "source": kept.sender.source,
        "came": timestamp_of_micros(micros_of(record.seq)),
        "until": timestamp_of_micros(quarantine.ends(record)),
        "place": kept.place,
        "rule": kept.rule,
        "mends": list(kept.habits),
    }
