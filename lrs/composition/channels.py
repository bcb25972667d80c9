"""The table of channels: by what means deliveries go out."""

from __future__ import annotations

from adapters.lms.lti import grades
from lrs.matching import webhook
from lrs.outbox.channel import Channels, by_name
from lrs.outbox.channels import email
from lrs.outbox.mail import Letter, Mail
from lrs.tenancy.tenants import Tenant
from lrs.transfer import xapi


def mail_text(tenant: Tenant, mail: Mail) -> Letter:
    """What *mail* says. It is found only when one is written, for a worker needs no pages until then."""
    from lrs.web.letter import letter  # noqa: PLC0415 (loads the templates)

    organisation, zone = tenant.record.name, tenant.settings.zone
    return letter(mail.template, mail.values, organisation=organisation, zone=zone, language=mail.language)


CHANNELS: Channels = by_name(
    webhook.CHANNEL,
    xapi.CHANNEL,
    email.channel(mail_text),
    grades.CHANNEL,
)
"""Each channel by its name, which stands in each delivery and is what ``lrs deliveries list --channel`` takes."""
