"""``lrs adapter``: a provider's file from the command line, here or from another machine. Knows no columns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from adapters.door import Changed, Closed, Door, basic
from adapters.ledger import LEASE, Busy
from adapters.local import door_of
from adapters.profile import Profile, read_profile
from adapters.run import SOURCES, Order, run_file
from lrs.kernel.errors import Misconfigured, Refused
from lrs.kernel.printing import Group, json_option, print_json
from lrs.tenancy.options import settings_for

FALLBACK_PROVIDER = "default"
PROFILE_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("adapter", cls=Group)
def adapter() -> None:
    """Bring in files of training centres and apprenticeship providers."""


@adapter.command("run")
@click.argument("name", metavar="ADAPTER", type=click.Choice(sorted(SOURCES)))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would happen; write nothing.")
@json_option
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the embedded store (default: LRS_DATA).")
@click.option(
    "--endpoint",
    envvar="LRS_ENDPOINT",
    help="xAPI endpoint, such as https://lrs.example/xapi [default: one of its own for the store on this machine].",
)
@click.option("--key", envvar="LRS_KEY", help="API key; its scopes: statements/write, profile.")
@click.option("--secret", envvar="LRS_SECRET", help="Secret of the API key (better in LRS_SECRET).")
@click.option("--profile", "mapping", type=PROFILE_FILE, help="Mapping profile (JSON).")
@click.option(
    "--provider",
    help="Whose file it is; keep to one name for ever [default: the profile's, the key's; without an endpoint"
    " the adapter's]. Another name than the key's needs a key with the scope all.",
)
def run_command(
    name: str,
    file: Path,
    *,
    dry_run: bool,
    as_json: bool,
    data: Path | None,
    mapping: Path | None,
    provider: str | None,
    **access: str | None,
) -> None:
    """Bring FILE in through ADAPTER and say what became of every row.

    Running it again changes nothing. With --json the report has every row.
    """
    try:
        profile = read_profile(mapping) if mapping else Profile()
        named = provider or profile.provider
        with open_door(data, named or name, **access) as door:
            whose = named or door.owner() or FALLBACK_PROVIDER
            report = run_file(Order(name, whose, file, file.name, profile, dry_run), door, wait=2 * LEASE / 1_000_000)
    except (Refused, Misconfigured, Closed, Busy) as error:
        raise click.ClickException(str(error)) from error
    except Changed as error:
        raise click.ClickException("another run for this provider took over; run the file again") from error
    if as_json:
        print_json(report.shown())
    else:
        click.echo(report.text())
    if not report.usable:
        raise click.exceptions.Exit(1)


@contextmanager
def open_door(
    data: Path | None, source: str, endpoint: str | None = None, key: str | None = None, secret: str | None = None
) -> Iterator[Door]:
    """The door that options or environment name; without any, that of the store on this machine, for *source*.

    Raises ``Refused`` saying what is missing, or given twice.
    """
    if not endpoint and not key and not secret:
        settings = settings_for(data)
        where = "LRS_STORE_URL" if settings.store_url else str(settings.data)
        click.echo(f"into the store on this machine ({where}), as the provider {source}", err=True)
        with door_of(settings, source) as door:
            yield door
        return
    if data:
        raise Refused("--data is a store on this machine: leave out --endpoint, --key, --secret, LRS_ENDPOINT, LRS_KEY")
    if not endpoint:
        raise Refused("which store? give --endpoint URL or set LRS_ENDPOINT, such as http://127.0.0.1:8080/xapi")
    if not key or not secret:
        raise Refused("which key? give --key and --secret, or set LRS_KEY and LRS_SECRET")
    yield Door(endpoint, basic(key, secret))
