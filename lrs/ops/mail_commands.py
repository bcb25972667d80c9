"""The command ``lrs mail test``: whether mails of this installation arrive."""

from __future__ import annotations

import click

from lrs.composition.channels import mail_text
from lrs.kernel.errors import Refused
from lrs.kernel.printing import CommandGroup
from lrs.outbox.channel import End
from lrs.outbox.channels.email import sender_of, try_out
from lrs.tenancy.options import with_tenant_to_read
from lrs.tenancy.tenants import Tenant


@click.group(cls=CommandGroup)
def mail() -> None:
    """See whether mails can be sent."""


@mail.command("test")
@with_tenant_to_read
@click.argument("address")
def test(tenant: Tenant, address: str) -> None:
    """Send a test message to ADDRESS, at once, and say what the mail server said."""
    try:
        outcome = try_out(tenant, mail_text, address)
    except ValueError as error:
        raise Refused(str(error)) from error
    if outcome.end is not End.DELIVERED:
        raise Refused(f"not sent: {outcome.reason}")
    click.echo(f"the mail server took a message from {sender_of(tenant)} to {address}: see whether it arrives")
