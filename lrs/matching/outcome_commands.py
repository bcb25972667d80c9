"""``lrs outcomes``: what services told of learners who were matched."""

from __future__ import annotations

from typing import Any

import click

from lrs.kernel.printing import CommandGroup, json_option, print_list, time_of
from lrs.matching import outcomes as kept
from lrs.matching import services
from lrs.matching.outcomes import JobOutcome
from lrs.people.persons import members_of, person_named
from lrs.people.search import found_one
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import with_tenant, with_tenant_to_read
from lrs.tenancy.tenants import Tenant


@click.group(cls=CommandGroup)
def outcomes() -> None:
    """List what services told became of learners, and take it back."""


@outcomes.command("list")
@with_tenant_to_read
@click.argument("learner", required=False)
@click.option("--service", help="Only what this service told.")
@json_option
def list_outcomes(tenant: Tenant, learner: str | None, *, service: str | None, as_json: bool) -> None:
    """List what services told became of LEARNER or of everybody: shortlisted, hired."""
    store = tenant.store
    if service is not None:
        service = services.meant(store, service).id
    found = list(kept.everything(store)) if learner is None else _of(tenant, learner)
    print_list(
        [_row(one) for one in found if service in {None, one.service}],
        {
            "service": "service",
            "id": "id",
            "learner": "person",
            "outcome": "outcome",
            "date": "date",
            "role": "role",
            "state": "state",
        },
        none="there are no outcomes yet: POST /api/outcomes tells one, with the learner's consent to outcomes:write",
        as_json=as_json,
    )


@outcomes.command("withdraw")
@with_tenant
@click.argument("service")
@click.argument("id")
def withdraw(tenant: Tenant, service: str, id: str) -> None:
    """Take back what SERVICE told under ID: it is shown as taken back, and counted no more."""
    of = services.meant(tenant.store, service).id
    if kept.known(tenant.store, of, id).withdrawn is not None:
        raise click.ClickException("it was taken back before")
    kept.withdraw(tenant, of, id, by=BY_COMMAND)
    click.echo(f"taken back: {id} of {service}")


def _of(tenant: Tenant, learner: str) -> list[JobOutcome]:
    person = person_named(tenant, learner) or found_one(tenant, learner)
    if person is None:
        raise click.ClickException("nobody is known by that: lrs persons list --search TEXT looks for somebody")
    members = members_of(tenant.store, person) or (person,)
    return [one for member in members for one in kept.of_person(tenant.store, member)]


def _row(one: JobOutcome) -> dict[str, Any]:
    return {
        "service": one.service,
        "id": one.name,
        "person": one.person,
        "outcome": one.what.outcome,
        "date": one.what.day.isoformat(),
        "role": one.what.role,
        "state": "taken back" if one.withdrawn is not None else "told",
        "told_at": time_of(one.told),
        "corrected_at": time_of(one.corrected),
        "withdrawn_at": time_of(one.withdrawn),
    }
