"""``lrs services``: an operator registers and manages matching services."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

import click

from lrs.kernel.errors import Refused
from lrs.kernel.plain_text import counted
from lrs.kernel.printing import CommandGroup, json_option, print_list, print_record
from lrs.kernel.times import HOUR
from lrs.matching import registry
from lrs.matching import services as kept
from lrs.matching.registry import AboutService
from lrs.outbox.listing import fate_of
from lrs.tenancy.audit import BY_COMMAND
from lrs.tenancy.options import with_tenant, with_tenant_to_read
from lrs.tenancy.tenants import Tenant

_PUBLIC = (
    *("id", "name", "state", "reason", "webhook", "scopes"),
    *("purpose", "contact", "privacy_notice", "return_urls"),
)


def _told(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options for what learners are told, and passes them as ``told``."""

    @click.option("--contact", help="How learners reach the service: an e-mail address, a page, a line of text.")
    @click.option("--privacy-notice", help="The https address of the service's privacy notice.")
    @click.option(
        "--return-url",
        "return_urls",
        multiple=True,
        help="An address that learners may be led back to; may be repeated.",
    )
    @functools.wraps(command)
    def wrapped(
        *args: object, contact: str | None, privacy_notice: str | None, return_urls: tuple[str, ...], **given: object
    ) -> None:
        command(*args, told=AboutService(contact, privacy_notice, return_urls or None), **given)

    return wrapped


@click.group(cls=CommandGroup)
def services() -> None:
    """Register and look after matching services that learners can let see their profile."""


@services.command("add")
@with_tenant
@click.argument("name")
@click.option("--webhook", help="Where events are posted; without it the service can only ask.")
@click.option("--scopes", required=True, help=f"Comma-separated, of: {', '.join(kept.SCOPES)}.")
@click.option("--purpose", required=True, help="What for, in the words that the learner will read.")
@_told
@json_option
def add(
    tenant: Tenant, name: str, *, webhook: str | None, scopes: str, purpose: str, told: AboutService, as_json: bool
) -> None:
    """Register a service and print its secrets, which are shown only now."""
    wanted = [scope for scope in scopes.replace(",", " ").split() if scope]
    made = registry.register(tenant, name, webhook=webhook, scopes=wanted, purpose=purpose, by=BY_COMMAND, told=told)
    _show_secrets(made, as_json=as_json)


@services.command("set")
@with_tenant
@click.argument("service")
@click.option("--webhook", help="Where events are posted from now on, also those that wait.")
@_told
def change(tenant: Tenant, service: str, *, webhook: str | None, told: AboutService) -> None:
    """Set what learners are told of SERVICE, and where its events go."""
    id = kept.meant(tenant.store, service).id
    if webhook is not None:
        registry.redirect(tenant, id, webhook, by=BY_COMMAND)
        click.echo(f"set for {service}: its events go there from now on; lrs services test {id} sends one")
    if webhook is None or told != AboutService():
        registry.tell(tenant, id, told, by=BY_COMMAND)
        click.echo(f"set for {service}: learners are told it from now on")


@services.command("rotate")
@with_tenant
@click.argument("service")
@click.option("--overlap", type=click.IntRange(min=0), default=0, help="Hours for which the former secrets go on.")
@json_option
def rotate(tenant: Tenant, service: str, *, overlap: int, as_json: bool) -> None:
    """Give SERVICE new secrets and print them once; the former ones end at once, or after the overlap.

    During the overlap events are signed with both. What the service refuses until it knows the new ones is sent again
    for about three days.
    """
    made = registry.rotate(tenant, kept.meant(tenant.store, service).id, by=BY_COMMAND, overlap=overlap * HOUR)
    _show_secrets(made, as_json=as_json)


@services.command("test")
@with_tenant
@click.argument("service")
@click.option("--wait", type=click.IntRange(min=0), default=30, help="Seconds to wait for what becomes of it.")
def send_test(tenant: Tenant, service: str, *, wait: int) -> None:
    """Send SERVICE a test event, in the same way as any event, and print the outcome."""
    to = kept.meant(tenant.store, service).id
    id = registry.send_test(tenant, to, by=BY_COMMAND)
    until = time.monotonic() + wait
    while not (fate := fate_of(tenant, id)) and time.monotonic() < until:
        time.sleep(0.2)
    if fate is None:
        raise Refused(f"{id} is not sent yet: does a worker run? lrs deliveries list --to {to} says what it came to")
    arrived, told = fate
    if not arrived:
        raise Refused(f"{service} did not take it: {told}")
    click.echo(f"{service} took the test event {id} ({told})")


@services.command("disable")
@with_tenant
@click.argument("service")
def disable(tenant: Tenant, service: str) -> None:
    """Disable SERVICE: it is sent nothing and gets no answer until lrs services resync."""
    id = kept.meant(tenant.store, service).id
    tenant.store.write(lambda tx: kept.disable(tx, id, "by command", by=BY_COMMAND)).result()
    click.echo(f"{service} is disabled; lrs services resync {id} takes it back")


def _show_secrets(made: registry.Registered, *, as_json: bool) -> None:
    shown = {
        "client_id": made.service.id,
        "client_secret": made.client_secret,
        "webhook_secret": made.webhook_secret,
        "webhook": made.service.webhook,
        "scopes": list(made.service.scopes),
    }
    print_record(shown, as_json=as_json)
    if not as_json:
        click.echo("The client secret is shown only now.")


@services.command("list")
@with_tenant_to_read
@json_option
def list_services(tenant: Tenant, *, as_json: bool) -> None:
    """List the services, and whether they are active."""
    found = [{name: getattr(one, name) for name in _PUBLIC} for one in kept.everyone(tenant.store)]
    print_list(
        found,
        {
            "id": "id",
            "name": "name",
            "state": lambda one: f"{one['state']} ({one['reason']})" if one["reason"] else one["state"],
            "webhook": lambda one: one["webhook"] or "pull only",
            "scopes": "scopes",
        },
        none="there are no services yet: lrs services add NAME registers one",
        as_json=as_json,
    )


@services.command("resync")
@with_tenant
@click.argument("service")
def resync(tenant: Tenant, service: str) -> None:
    """Make SERVICE active again and send it everything its learners agreed to once more.

    Fails if it is active and there is nothing to send.
    """
    count = registry.resync(tenant, kept.meant(tenant.store, service).id, by=BY_COMMAND)
    again = f": {counted(count, 'consent')} will be told again" if count else ""
    click.echo(f"{service} is active{again}")
