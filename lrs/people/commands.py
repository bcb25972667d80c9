"""The commands ``persons``. They print, and decide nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from lrs.kernel.printing import CommandGroup, json_option, print_list, print_record
from lrs.kernel.times import SECOND
from lrs.people import confirmed_names, joins, minors
from lrs.people.confirmed_names import ConfirmedName
from lrs.people.identifiers import as_typed
from lrs.people.persons import members_of, person_named
from lrs.people.search import Somebody, found_one, search, somebody
from lrs.storage import Reader, each
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import with_tenant, with_tenant_to_read
from lrs.tenancy.tenants import Tenant


@click.group(cls=CommandGroup)
def persons() -> None:
    """List, invite, merge and unmerge persons, and set which names stand for nobody."""


@persons.command("list")
@click.argument("who", required=False)
@json_option
@with_tenant_to_read
def list_(tenant: Tenant, who: str | None, as_json: bool) -> None:
    """List persons with names and identifiers, oldest first; merged persons are one entry.

    With WHO (a name, any identifier, or a part of one), list only those that it names.
    """
    store = tenant.store
    found = _everybody(store) if who is None else _searched(tenant, who)
    print_list(
        [_shown(one, members_of(store, one.person)) for one in found],
        {"person": "person", "name": "name", "identifiers": lambda one: list(map(as_typed, one["identifiers"]))},
        none="there are no persons yet: they come with statements about them",
        as_json=as_json,
    )


def _shown(one: Somebody, members: Iterable[str]) -> dict[str, object]:
    others = [member for member in members if member != one.person]
    return {
        "id": one.person,
        "person": one.person,
        "name": one.name,
        "identifiers": one.identifiers,
        "merged": others,
    }


def _everybody(reader: Reader) -> Iterator[Somebody]:
    return (somebody(reader, record.id) for record in each(reader, "person") if record.meta["into"] is None)


def _searched(tenant: Tenant, who: str) -> Iterable[Somebody]:
    searched = search(tenant, who, every=True)
    if not searched.found:
        raise click.ClickException(f"nobody is known as {who}")
    if not searched.whole:
        click.echo("there may be more than are listed: say more of the name", err=True)
    return searched.found


@persons.command()
@click.argument("one")
@click.argument("other")
@click.option("--despite-conflict", is_flag=True, help="Merge although their identifiers contradict each other.")
@with_tenant
def merge(tenant: Tenant, one: str, other: str, despite_conflict: bool) -> None:
    """Make ONE and OTHER (ids, e-mails, learner numbers or homePage|name) one person.

    lrs persons unmerge takes it back.
    """
    first, second = _person(tenant, one), _person(tenant, other)
    holder = tenant.store.write(
        lambda tx: joins.merge(tx, first, second, BY_COMMAND, despite_conflict=despite_conflict)
    ).result()
    click.echo(f"{first} and {second} are one person: {holder}")


@persons.command()
@click.argument("person")
@with_tenant
def unmerge(tenant: Tenant, person: str) -> None:
    """Take PERSON out of the group it was merged into."""
    id = _person(tenant, person)
    others = tenant.store.write(lambda tx: joins.unmerge(tx, id, BY_COMMAND)).result()
    click.echo(f"{id} stands alone; it was one with {', '.join(others)}")


@persons.command()
@click.option("--dismissed", is_flag=True, help="List those that were dismissed.")
@json_option
@with_tenant_to_read
def suggestions(tenant: Tenant, dismissed: bool, as_json: bool) -> None:
    """List persons that may be one, and conflicts, to merge or dismiss."""
    store = tenant.store
    print_list(
        [joins.shown(store, suggestion) for suggestion in joins.suggestions(store, dismissed=dismissed)],
        {
            "identifiers": lambda one: [as_typed(side["identifier"]) for side in one["persons"]],
            "persons": lambda one: list(dict.fromkeys(side["person"] for side in one["persons"])),
            "reason": "reason",
            "source": "source",
            "conflict": "conflict",
        },
        none=f"nothing {'was dismissed' if dismissed else 'is suggested: no two persons look like one'}",
        as_json=as_json,
    )


@persons.command()
@click.argument("one")
@click.argument("other")
@click.option("--back", is_flag=True, help="Put back on the list what was dismissed.")
@with_tenant
def dismiss(tenant: Tenant, one: str, other: str, back: bool) -> None:
    """Keep ONE and OTHER apart: take the suggestion that they are one person off the list.

    If nothing suggests it, that is noted. Merges and unmerges nobody.
    """
    first, second = _person(tenant, one), _person(tenant, other)
    change = joins.bring_back if back else joins.dismiss
    count = tenant.store.write(lambda tx: change(tx, first, second, BY_COMMAND)).result()
    if not count:
        noted = "they are not kept apart any more" if back else "they are noted as two persons"
        click.echo(f"nothing suggested that they are one; {noted}")
        return
    click.echo(f"{count} {'suggestion' if count == 1 else 'suggestions'} {'back on' if back else 'taken off'} the list")


@persons.command("under-age")
@click.argument("person")
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), help="The day from which they decide alone, if it is known."
)
@click.option("--no", "of_age", is_flag=True, help="Take the note back.")
@with_tenant
def under_age(tenant: Tenant, person: str, *, until: datetime | None, of_age: bool) -> None:
    """Set that PERSON is under age: a parent or guardian must agree, too, where the organisation asks for that."""
    id, day = _person(tenant, person), until.date() if until else None
    if of_age:
        done = tenant.store.write(lambda tx: minors.clear(tx, id, by=BY_COMMAND)).result()
        click.echo(f"{id} is {'noted as under age no more' if done else 'not noted as under age'}")
        return
    today = datetime.fromtimestamp(tenant.clock() // SECOND, ZoneInfo(tenant.settings.zone)).date()
    if day is not None and day <= today:
        raise click.ClickException(f"--until {day}: from that day on they decide alone; --no takes the note back")
    tenant.store.write(lambda tx: minors.note(tx, id, day, by=BY_COMMAND)).result()
    told = f"{id} is noted as under age{f', until {day}' if day else ''}"
    click.echo(f"{told}; what they agreed to alone, by a link, does not hold")


@persons.command("confirm-name")
@click.argument("person")
@click.argument("name", required=False)
@click.option("--seen", default="", help="What proof you saw, and where, without its number: passport, at the centre.")
@click.option("--withdraw", is_flag=True, help="Take it back: badges that say the name are issued anew without it.")
@with_tenant
def confirm_name(tenant: Tenant, person: str, *, name: str | None, seen: str, withdraw: bool) -> None:
    """Confirm that PERSON has this NAME, because you saw a proof of identity.

    The learner may then put the name into badges. It takes the place of a name that was confirmed before.
    """
    if withdraw == (name is not None) or (name is not None and not seen):
        raise click.UsageError("give NAME and --seen, or --withdraw alone")
    id = _person(tenant, person)
    if name is None:
        done = tenant.store.write(lambda tx: confirmed_names.withdraw(tx, id, by=BY_COMMAND)).result()
        if not done:
            raise click.ClickException(f"no name of {id} is confirmed")
        click.echo(f"no name of {id} is confirmed any more; badges that say it are issued anew without it")
        return
    confirmed = ConfirmedName(name, seen, tenant.clock(), BY_COMMAND)
    kept = tenant.store.write(lambda tx: confirmed_names.confirm(tx, id, confirmed)).result()
    click.echo(f"{id} is confirmed as {kept}: the learner may put this name into badges")


@persons.command()
@click.argument("person")
@json_option
@with_tenant_to_read
def show(tenant: Tenant, person: str, *, as_json: bool) -> None:
    """Show the name and identifiers of PERSON (a name will do), and the persons merged with it."""
    id = found_one(tenant, person)
    if id is None:
        raise click.ClickException(f"nobody is known as {person}")
    one, members = somebody(tenant.store, id), members_of(tenant.store, id)
    identifiers = one.identifiers if as_json else list(map(as_typed, one.identifiers))
    confirmed = confirmed_names.confirmed_name(tenant.store, members)
    shown = {"id": id, "person": id, "name": one.name, "members": members, "identifiers": identifiers}
    if confirmed is not None:
        shown["confirmed_name"] = confirmed.name
    print_record(shown, as_json=as_json)


def _person(tenant: Tenant, text: str) -> str:
    found = person_named(tenant, text)
    if found is None:
        raise click.ClickException(f"nobody is known as {text}; lrs persons list finds ids by a part of a name")
    return found
