"""The command ``lrs``: one of three modules that know all packages; it only puts them together."""

from __future__ import annotations

import click

from lrs.auth.commands import keys
from lrs.serve import serve


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="engraft-lrs")
def main() -> None:
    """Engraft: a learning record store that turns evidence into recognised, portable, matchable skill."""


for command in (serve, keys):
    main.add_command(command)
