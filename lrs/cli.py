"""The command ``lrs``: the table of commands, the sections of its help, and what it prints for an error.

The module of a command is loaded when the command is used, so that ``lrs keys`` does not wait for the code of badges.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Mapping

import click
import structlog

from lrs.kernel.admission import OutcomeUnknown, Overloaded
from lrs.kernel.errors import Misconfigured, StoreFull
from lrs.kernel.garbage import load

COMMANDS: Mapping[str, str] = {
    "serve": "lrs.serving.serve:serve",
    "demo": "lrs.ops.demo.commands:demo",
    "doctor": "lrs.ops.doctor_commands:doctor",
    "keys": "lrs.access.commands:keys",
    "staff": "lrs.ops.staff_commands:staff_group",
    "oidc": "lrs.ops.oidc_commands:oidc",
    "sessions": "lrs.access.session_commands:sessions",
    "adapter": "lrs.ops.import_commands:adapter",
    "imports": "lrs.ops.import_commands:imports",
    "standards": "adapters.apprenticeship.commands:standards",
    "checklists": "adapters.training_centre.commands:checklists",
    "catalogue": "adapters.catalogue.commands:catalogue",
    "plan": "adapters.catalogue.plan_commands:plan",
    "demand": "adapters.planning.commands:demand",
    "courses": "adapters.lms.commands:courses",
    "requests": "lrs.web.requests_commands:requests_group",
    "sources": "lrs.ops.sender_commands:sources",
    "quarantine": "lrs.ops.sender_commands:quarantine_group",
    "persons": "lrs.competency.source_commands:persons",
    "framework": "lrs.competency.commands:framework",
    "rules": "lrs.competency.commands:rules",
    "badges": "badges.commands.badges:badges",
    "lms": "adapters.lms.lti.commands:lms",
    "roles": "lrs.matching.roles.commands:roles",
    "occupations": "lrs.matching.occupation_commands:occupations",
    "services": "lrs.matching.service_commands:services",
    "consent": "lrs.matching.consent.commands:consent",
    "employers": "lrs.matching.employer_commands:employers",
    "outcomes": "lrs.matching.outcome_commands:outcomes",
    "deliveries": "lrs.ops.delivery_commands:deliveries",
    "destinations": "lrs.ops.destination_commands:destinations",
    "mail": "lrs.ops.mail_commands:mail",
    "forward": "lrs.transfer.commands:forward",
    "work": "lrs.ops.work_commands:work_group",
    "rebuild": "lrs.ops.rebuild_commands:rebuild",
    "operators": "lrs.access.operator_commands:operators",
    "tenants": "lrs.ops.tenant_commands:tenants",
    "backup": "lrs.ops.backup.commands:backup",
    "restore": "lrs.ops.backup.commands:restore",
}
"""Each command's module and its name there."""

SECTIONS: Mapping[str, Mapping[str, str]] = {
    "Begin": {
        "serve": "Serve xAPI under /xapi, and pages, badges and profiles beside it.",
        "demo": "Show the product at work: evidence, levels, a badge, a delivered profile, a gap.",
        "doctor": "Look for what is wrong, and say what to do about it.",
    },
    "Take evidence in": {
        "keys": "Make, list and revoke API keys: who may send and read.",
        "adapter": "Bring in files of training centres and apprenticeship providers.",
        "imports": "List, show and watch imports: files that came in, how far they are, what they came to.",
        "standards": "Import, list and show apprenticeship standards, with their knowledge, skills and behaviours.",
        "checklists": "Import and list checklists: what trainers look for at a session of a training centre.",
        "catalogue": "Import and list what is offered to learners: courses, sessions and placements, with their dates.",
        "demand": "Import and list how many people are wanted, by role, region and year, and the regions of postcodes.",
        "courses": "Import, list and show courses: packages that learners are launched into.",
        "lms": "Invite, approve and list learning platforms that show this product (LTI 1.3), and read their rosters.",
        "requests": "Look at requests that were refused: who sent them, which place, which rule.",
        "sources": "List sources and turn their switches on and off: resent statements, known faults.",
        "quarantine": "List statements that a known fault of their sender makes invalid, and store them mended.",
        "persons": "List, invite, merge and unmerge persons, and set which names stand for nobody.",
    },
    "From evidence to a badge": {
        "framework": "Import, publish and list competency frameworks.",
        "rules": "Check, apply, restore and explain rules: which activities prove which competency.",
        "badges": "Verify, list, show and renew Open Badges, and name their issuer.",
    },
    "Let services see profiles": {
        "roles": "Import and list roles and the competencies they ask for.",
        "plan": "Show what of the catalogue a learner would take for a role.",
        "occupations": "Import and list occupations that learners can come from, and the skills these suggest (ESCO).",
        "services": "Register and look after matching services that learners can let see their profile.",
        "consent": "Give, withdraw and list consents: what learners let services see.",
        "employers": "Add and list employers, who see the skills of those of their staff who agreed.",
        "outcomes": "List what services told became of learners, and take it back.",
        "deliveries": "List and resend deliveries: what was sent to others, what waits, what was given up on.",
    },
    "Keep it running": {
        "mail": "See whether mails can be sent.",
        "destinations": "Add, list, pause and remove destinations: where statements, events and messages go out to.",
        "forward": "Forward statements to another learning record store, in their order.",
        "work": "Evaluate evidence, issue badges and deliver profiles, until SIGTERM.",
        "rebuild": "Work out all derived state again, print the differences and put them right.",
        "staff": "Invite and list members of staff, change their roles, disable and recover them.",
        "oidc": "Add, list, check and remove sign-in providers (OpenID Connect) of staff and learners.",
        "sessions": "List and end sessions: who is signed in to the pages.",
        "operators": "Let in who runs the installation, and make keys for /metrics; neither opens a tenant's data.",
        "tenants": "Make, list, suspend and delete tenants: the organisations that share an installation and no data.",
        "backup": "Write the whole embedded store to one new file, while the server runs.",
        "restore": "Put a backup back as the store in an empty folder.",
    },
}
"""The lines of ``lrs --help``, in the order in which a newcomer needs them. Each is the first sentence of the help of
its command.
"""


class Commands(click.Group):
    """The group ``lrs``, which finds its commands in ``COMMANDS``."""

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
        command: click.Command = getattr(load(module), name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Runs the command. An error that an operator can correct becomes one line on stderr instead of a traceback."""
        log_beside()
        try:
            return super().invoke(ctx)
        except (Misconfigured, StoreFull) as error:
            raise click.ClickException(str(error)) from error
        except OutcomeUnknown as error:
            message = "the database did not answer in time: this may be done, or not; look before you do it again"
            raise click.ClickException(message) from error
        except Overloaded as error:
            raise click.ClickException("the store is busy, or cannot be reached: try again in a moment") from error
        except OSError as error:
            if error.filename is None or error.errno == errno.EPIPE:
                raise
            raise click.ClickException(f"{error.filename}: {error.strerror}") from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes ``SECTIONS``, so that no module of a command is loaded for the help."""
        _ = ctx
        width = max(map(len, COMMANDS))
        for title, lines in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), line) for name, line in lines.items()])


def log_beside() -> None:
    """Sends log lines to stderr unless the command has set up logging: programs read what it prints on stdout."""
    if not structlog.is_configured():
        structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="engraft-lrs")
def main() -> None:
    """Engraft: a learning record store that turns evidence into recognised, portable, matchable skill."""
