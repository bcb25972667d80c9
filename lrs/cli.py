"""The command ``lrs``: one of three modules that know all packages; it only puts them together."""

from __future__ import annotations

import click

from adapters.commands import adapter
from adapters.matching.commands import deliveries, services
from badges.commands import badges
from lrs.auth.commands import keys
from lrs.competencies.commands import framework, rebuild, rules
from lrs.demo.commands import demo_command
from lrs.learners.commands import persons
from lrs.learners.consent_commands import consent
from lrs.profiles.commands import roles
from lrs.serve import serve
from lrs.work_commands import work_group


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="engraft-lrs")
def main() -> None:
    """Engraft: a learning record store that turns evidence into recognised, portable, matchable skill."""


for command in (
    *(serve, work_group, keys, adapter),
    *(framework, rules, rebuild, persons),
    *(badges, services, deliveries, consent, roles),
    demo_command(main),
):
    main.add_command(command)
