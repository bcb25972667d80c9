"""Options that commands share: which data, which tenant. Knows no command."""

from __future__ import annotations

import functools
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory  # noqa: TID251 (for a store that stays empty)
from typing import Any

import click
from pydantic import ValidationError
from pydantic_settings import SettingsError

from lrs.kernel.errors import Damaged, Misconfigured, Refused
from lrs.kernel.settings import UNKNOWN, Settings, unknown_names
from lrs.tenancy.audit_head import putting_down
from lrs.tenancy.control import Control, check_made, control_there, open_control, registered, registered_to_read
from lrs.tenancy.tenants import DEFAULT, Tenant, open_tenant

Command = Callable[..., Any]

file_argument = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """Says of which file it is what is refused within."""
    try:
        yield
    except Refused as refused:
        raise click.ClickException(f"{file.name}: {refused.message}") from refused


def settings_for(data: Path | None) -> Settings:
    """The settings of the environment; ``--data`` overrides ``LRS_DATA``. Ends the command if one is wrong."""
    try:
        return read_settings(data)
    except Misconfigured as error:
        raise click.ClickException(str(error)) from error


def read_settings(data: Path | None) -> Settings:
    """The same. Raises ``Misconfigured`` with every fault, but without the values, which may be secrets."""
    try:
        return Settings() if data is None else Settings(data=data)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        told = (f"LRS_{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}" for fault in faults)
        raise Misconfigured("; ".join(told).replace(": Value error, ", ": ")) from error
    except SettingsError as error:  # for example a list that is not JSON
        raise Misconfigured(f"LRS_ settings: {error}") from error


def tell_unknown() -> None:
    """Prints on standard error which ``LRS_`` variables nothing reads."""
    for name in unknown_names(os.environ):
        click.echo(UNKNOWN.format(name), err=True)


def with_tenant(command: Command) -> Command:
    """Adds ``--data`` and ``--tenant``, passes the opened ``Tenant`` first, and closes its store afterwards.

    A refusal becomes one line, and the command ends with 1.
    """
    return _with_tenant(command, registered, putting_down)


def with_tenant_to_read(command: Command) -> Command:
    """The same for a command that only shows something. Nothing is written, so the folder may be read-only."""
    return _with_tenant(command, registered_to_read, lambda _: nullcontext())


def with_tenant_if_any(command: Command) -> Command:
    """The same for a command that needs no store. If there is none it gets a temporary one."""
    return _with_tenant(command, _registered_or_passing, lambda _: nullcontext())


@contextmanager
def _registered_or_passing(settings: Settings, tenant: str) -> Iterator[Tenant]:
    try:
        check_made(settings, tenant)
    except Misconfigured:
        with TemporaryDirectory() as folder:
            own = {"data": Path(folder), "store_url": None, "control_url": None, "master_key_file": None}
            opened = open_tenant(settings.model_copy(update=own))
            try:
                yield opened
            finally:
                opened.store.close()
        return
    with registered(settings, tenant) as found:
        yield found


def _with_tenant(
    command: Command,
    opening: Callable[[Settings, str], AbstractContextManager[Tenant]],
    around: Callable[[Tenant], AbstractContextManager[None]],
) -> Command:
    @click.option("--data", type=click.Path(path_type=Path), help="Folder of the embedded store (default: LRS_DATA).")
    @click.option("--tenant", default=DEFAULT, show_default=True, help="Which tenant.")
    @functools.wraps(command)
    def wrapped(data: Path | None, tenant: str, **given: object) -> object:
        settings = settings_for(data)
        with _in_one_line(f"the store of tenant {tenant!r}"), opening(settings, tenant) as opened, around(opened):
            return command(opened, **given)

    return wrapped


@contextmanager
def _in_one_line(store: str) -> Iterator[None]:
    """Ends the command with one line where it is refused, is set up wrongly, or its *store* is damaged."""
    try:
        yield
    except Refused as refusal:
        raise click.ClickException(refusal.message) from refusal
    except (Damaged, Misconfigured) as error:
        raise click.ClickException(str(error)) from error
    except sqlite3.DatabaseError as error:
        raise click.ClickException(f"{store} cannot be read: {error}; restore it from a backup") from error


def with_control(command: Command) -> Command:
    """Adds ``--data``, passes the settings and the control store first, and closes that afterwards."""
    return _with_control(command, control_there)


def with_new_control(command: Command) -> Command:
    """The same for a command that makes a store: the control store is made if there is none."""
    return _with_control(command, lambda settings: closing(open_control(settings)))


def _with_control(command: Command, opening: Callable[[Settings], AbstractContextManager[Control]]) -> Command:

    @click.option("--data", type=click.Path(path_type=Path), help="Folder of the embedded store (default: LRS_DATA).")
    @functools.wraps(command)
    def wrapped(data: Path | None, **given: object) -> object:
        settings = settings_for(data)
        with _in_one_line("the control store"), opening(settings) as control:
            return command(settings, control, **given)

    return wrapped
