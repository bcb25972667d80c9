"""Options that commands share: which data, which tenant. Knows no command."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from lrs.errors import Misconfigured
from lrs.settings import Settings
from lrs.tenants import DEFAULT, open_tenant

Command = Callable[..., Any]


def settings_for(data: Path | None) -> Settings:
    """The settings from the environment, with ``--data`` before ``LRS_DATA``."""
    return Settings() if data is None else Settings(data=data)


def with_tenant(command: Command) -> Command:
    """Adds ``--data`` and ``--tenant`` and passes the opened ``Tenant`` first; closes its store afterwards."""

    @click.option("--data", type=click.Path(path_type=Path), help="Folder of the embedded store (default: LRS_DATA).")
    @click.option("--tenant", default=DEFAULT, show_default=True, help="Which tenant.")
    @functools.wraps(command)
    def wrapped(data: Path | None, tenant: str, **given: object) -> object:
        try:
            opened = open_tenant(settings_for(data), tenant)
        except Misconfigured as error:
            raise click.ClickException(str(error)) from error
        try:
            return command(opened, **given)
        finally:
            opened.store.close()

    return wrapped
