"""A mail is owed in the commit of its cause."""

import msgspec
import pytest

from lrs.kernel.settings import Settings
from lrs.outbox.deliveries import KIND
from lrs.outbox.mail import CHANNEL, Mail, good_until, send_mail
from lrs.storage import each
from lrs.tenancy.tenants import open_tenant
from lrs.web.letter import letter

VALUES = {"link": "https://lrs.example.org/invitation/x", "until": "2026-12-01T12:00:00Z"}


@pytest.fixture
def tenant(tmp_path):
    opened = open_tenant(Settings(data=tmp_path))
    yield opened
    opened.store.close()


def test_a_mail_is_a_delivery_of_the_channel_email_that_says_nothing_personal_in_lists(tenant):
    def decide(tx):
        return send_mail(tx, tenant, "ann@example.org", "staff-invitation", VALUES)

    id = tenant.store.write(decide).result()

    [record] = each(tenant.store, KIND)
    assert record.id == id
    assert dict(record.meta) == {"state": "queued", "channel": CHANNEL, "to": CHANNEL, "what": "staff-invitation"}
    assert msgspec.json.decode(record.body, type=Mail) == Mail("ann@example.org", "staff-invitation", VALUES)


def test_the_subject_has_the_organisations_name_as_it_is_written_and_the_page_has_it_escaped():
    made = letter("staff-invitation", VALUES, organisation="Smith & <Sons>", zone="Europe/London")

    assert made.subject == "You are invited to Smith & <Sons>"
    assert "Smith & <Sons>" in made.text
    assert "Smith &amp; &lt;Sons&gt;" in made.html
    assert "<Sons>" not in made.html


def test_a_mail_whose_cause_is_not_kept_is_not_owed(tenant):
    def decide(tx):
        send_mail(tx, tenant, "ann@example.org", "staff-invitation", VALUES)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        tenant.store.write(decide).result()

    assert list(each(tenant.store, KIND)) == []


@pytest.mark.parametrize("values", [{}, VALUES | {"more": ""}])
def test_a_template_is_given_just_its_values(tenant, values):
    with pytest.raises(ValueError, match="the template staff-invitation has the values link, until"):
        tenant.store.write(lambda tx: send_mail(tx, tenant, "ann@example.org", "staff-invitation", values)).result()


def test_a_code_is_good_for_its_minutes_a_link_until_its_time_and_other_mails_for_good():
    ends = [good_until(Mail("a@b.example", "t", told), 1_000) for told in ({"minutes": "15"}, VALUES, {"when": "now"})]

    assert ends == [900_001_000, 1_796_126_400_000_000, None]
