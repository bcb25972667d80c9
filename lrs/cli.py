"""The command ``lrs``: one of three modules that know all packages; it only puts them together.

A command's module is loaded when the command is used: ``lrs keys`` need not wait for what signs badges.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from importlib import import_module

import click

from lrs.errors import Misconfigured, Overloaded, StoreFull

COMMANDS: Mapping[str, str] = {
    "serve": "lrs.serve:serve",
    "work": "lrs.work_commands:work_group",
    "requests": "lrs.requests_commands:requests_group",
    "doctor": "lrs.doctor_commands:doctor",
    "keys": "lrs.auth.commands:keys",
    "adapter": "adapters.commands:adapter",
    "framework": "lrs.competencies.commands:framework",
    "rules": "lrs.competencies.commands:rules",
    "rebuild": "lrs.competencies.commands:rebuild",
    "persons": "lrs.learners.commands:persons",
    "badges": "badges.commands:badges",
    "services": "adapters.matching.commands:services",
    "deliveries": "adapters.matching.commands:deliveries",
    "consent": "lrs.learners.consent_commands:consent",
    "roles": "lrs.profiles.commands:roles",
    "backup": "lrs.backup.commands:backup",
    "restore": "lrs.backup.commands:restore",
    "demo": "lrs.demo.commands:demo",
}
"""Where each command is: its module, and its name there."""

LINES: Mapping[str, str] = {
    "serve": "Serve xAPI under /xapi and everything else beside it.",
    "work": "Evaluate, issue badges, deliver: until SIGTERM. lrs serve starts this by itself.",
    "requests": "Look at requests that were refused: who sent them, which place, which rule.",
    "doctor": "Look for what is wrong, and say what to do about it.",
    "keys": "API keys: who may send and read.",
    "adapter": "Bring in files of training centres and apprenticeship providers.",
    "framework": "Competency frameworks: import as a draft, publish, list.",
    "rules": "Mapping tables: which activities prove which competency.",
    "rebuild": "Work out all derived state again, print the differences and put them right.",
    "persons": "Persons and their identifiers: list, merge, unmerge, suggestions, dismiss, names for nobody.",
    "badges": "Open Badges: verify, list, show, renew.",
    "services": "Matching services that learners can let see their profile.",
    "deliveries": "What was sent to services, what waits, and what was given up on.",
    "consent": "What learners let services see.",
    "roles": "Roles and the competencies they ask for.",
    "backup": "Write the whole embedded store to one new file, while the server runs.",
    "restore": "Put a backup back as the store in an empty folder.",
    "demo": "Show the product at work: evidence, levels, a badge, a delivered profile, a gap.",
}
"""What ``lrs --help`` says of each; the first sentence of its own help."""


class Commands(click.Group):
    """Finds commands in the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, as in the table."""
        _ = ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Loads the command of that name."""
        _ = ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Runs the command; what an operator can put right is told in one line, not in a traceback."""
        try:
            return super().invoke(ctx)
        except (Misconfigured, StoreFull) as error:
            raise click.ClickException(str(error)) from error
        except Overloaded as error:
            raise click.ClickException("the store is busy, or cannot be reached: try again in a moment") from error
        except OSError as error:
            if error.filename is None or error.errno == errno.EPIPE:
                raise
            raise click.ClickException(f"{error.filename}: {error.strerror}") from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes ``LINES``, which need no module."""
        _ = ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(LINES.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="engraft-lrs")
def main() -> None:
    """Engraft: a learning record store that turns evidence into recognised, portable, matchable skill."""
