"""The commands ``persons trust`` and ``persons nobody``: settings of a source that decide who is one person.

They belong to the group of ``lrs.people.commands``. They are here because they make the source's statements be read
again, which is a walk of this room. They print, and decide nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import click

from lrs.competency.known_sources import UNKNOWN_SOURCE, KnownSources
from lrs.competency.rules.walk import read_again
from lrs.kernel.plain_text import one_line
from lrs.kernel.printing import json_option, print_json
from lrs.people import invite_commands, joins, nobody
from lrs.people.commands import persons
from lrs.people.identifiers import NOBODY
from lrs.storage import Tx
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import with_tenant
from lrs.tenancy.tenants import Tenant

persons.add_command(invite_commands.invite)
_UNKNOWN = f"{UNKNOWN_SOURCE}: see lrs keys list"


@persons.command()
@click.argument("source")
@with_tenant
def trust(tenant: Tenant, source: str) -> None:
    """Mark SOURCE (the name of an API key) as identity authority: its rows with two identifiers join two persons.

    Rows that it has sent already are read again.
    """

    def decide(tx: Tx) -> None:
        if joins.trust(tx, source, BY_COMMAND):
            read_again(tx, source)

    known = source in KnownSources(tenant.store)
    tenant.store.write(decide).result()
    click.echo(f"{source} is an identity authority")
    if not known:
        click.echo(f"WARNING: {_UNKNOWN.format(source)}; it joins nobody until a key of that name sends", err=True)


@persons.command("nobody")
@click.argument("source", required=False)
@click.argument("names", nargs=-1)
@click.option("--default", "to_default", is_flag=True, help="The names that sources have without a list of their own.")
@click.option("--none", "to_none", is_flag=True, help="No names: only accounts without a name stand for nobody.")
@json_option
@with_tenant
def nobody_(
    tenant: Tenant, source: str | None, names: tuple[str, ...], *, to_default: bool, to_none: bool, as_json: bool
) -> None:
    """Set which NAMES (of accounts, mailboxes, OpenIDs) stand for nobody in what SOURCE sends.

    Without NAMES, show them. What SOURCE has sent already is read again: levels and badges of a guest are taken back.
    """
    if bool(names) + to_default + to_none > 1:
        raise click.UsageError("give names, --default or --none")
    if source is None and (to_default or to_none):
        raise click.UsageError("name the SOURCE whose list it is")
    if source is None:
        lists: dict[str | None, Collection[str]] = {None: NOBODY}
        lists.update(nobody.own_lists(tenant.store))
        _print_lists(lists, as_json=as_json)
        return
    told = ""
    if names or to_default or to_none:
        changed = _set_nobody(tenant, source, NOBODY if to_default else names)
        told = "what it has sent is read again" if changed else "nothing changed: that is its list already"
    _print_lists({source: nobody.names_of(tenant.store, source)}, as_json=as_json)
    if told:
        click.echo(told, err=as_json)


def _set_nobody(tenant: Tenant, source: str, names: Collection[str]) -> bool:
    if source not in KnownSources(tenant.store):
        raise click.ClickException(_UNKNOWN.format(source))
    if not all(name.strip() for name in names):
        raise click.ClickException("a name is empty: accounts without a name stand for nobody anyway")

    def decide(tx: Tx) -> bool:
        changed = nobody.put_names(tx, source, names, BY_COMMAND)
        if changed:
            read_again(tx, source)
        return changed

    return tenant.store.write(decide).result()


def _print_lists(lists: Mapping[str | None, Collection[str]], *, as_json: bool) -> None:
    """Prints the names for nobody of each source; ``None`` are the sources without a list of their own."""
    if as_json:
        print_json([{"source": whose, "names": sorted(found)} for whose, found in lists.items()])
        return
    for whose, found in sorted(lists.items(), key=lambda one: one[0] or ""):
        click.echo(one_line(_listed(whose or "every source without a list of its own", found)))


def _listed(whose: str, names: Collection[str]) -> str:
    return f"{whose}: {', '.join(sorted(names)) or 'no names'}; and accounts without a name"
