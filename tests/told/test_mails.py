"""Every mail, in each language in which it is sent, when one is not sent, what a mail server's answer comes to, and when it is tried again."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import contextmanager

import msgspec
import pytest

from lrs.composition.channels import CHANNELS, mail_text
from lrs.kernel.mail_server import mail_server
from lrs.kernel.times import HOUR, MINUTE, SECOND, timestamp_of_micros
from lrs.outbox import schedule
from lrs.outbox.channel import Destination, Undeliverable, Unneeded
from lrs.outbox.channels import email, smtp
from lrs.outbox.mail import TEMPLATES, Mail, good_until
from lrs.storage import Record
from tests.badges.made import NOON, tenant_in
from tests.told.story import Story, inline, plain, tried

VALUES = {
    "link": "https://skills.example.org/x/TOKEN?a=1&b=2",
    "until": timestamp_of_micros(NOON + 24 * HOUR),
    "when": "2026-12-01T09:30:00+00:00",
    "code": "123456",
    "minutes": "15",
    "badge": "Gowning & <Fill>: Practitioner",
    "session": "Gowning, day 1",
}

TRANSLATED = ("learner-sign-in", "guardian", "badge")
"""Those that are sent in the language of whoever reads them."""


@pytest.fixture
def tenant(tmp_path, draws):
    assert draws
    made = tenant_in(tmp_path)
    yield made
    made.store.close()


def mail(template: str = "badge", language: str = "en", address: str = "Ann@learners.example", **more: str) -> Mail:
    values = {name: VALUES[name] for name in TEMPLATES.get(template, ())}
    return Mail(address, template, values | more, language=language)


def test_every_mail(told, tenant):
    story = Story()
    for language in ("en", "cy"):
        story.head(language)
        for template in (*TEMPLATES, "test") if language == "en" else TRANSLATED:
            written = email.written(
                tenant, mail(template, language), mail_text(tenant, mail(template, language)), template, NOON
            )
            story.say(f"=== {template}", *(f"{name}: {one}" for name, one in written.items() if name != "Content-Type"))
            part = written.get_body(("plain",))
            assert part is not None
            story.say(part.get_content())

    told(str(story))


def test_mails_that_are_not_sent(told, tenant):
    story, channel = Story(), CHANNELS["email"]
    there = Destination("email", "email", "")

    def compose(one: Mail):
        given = Record("delivery", "d", msgspec.json.encode(one))
        tenant.store.write(lambda tx: tx.put(given)).result()
        record = tenant.store.get("delivery", "d")
        assert record
        return channel.compose(tenant, record, there)

    def outcome(one: Mail) -> str:
        try:
            compose(one)
        except Unneeded as unneeded:
            return f"{unneeded.state}: {unneeded}"
        except Undeliverable as undeliverable:
            return f"undeliverable: {undeliverable}"
        return "sent"

    cases = {
        "without a server": mail(),
        "its link over": mail(until=timestamp_of_micros(NOON)),
        "its link over in a second": mail(until=timestamp_of_micros(NOON + SECOND)),
        "its code, for no minutes": mail("learner-sign-in", minutes="0"),
    }
    for case, one in cases.items():
        story.say(f"{case}: {outcome(one)}")
    for one in (mail(), mail("learner-sign-in"), mail("password-changed"), mail("seat-free")):
        until = good_until(one, NOON)
        story.say(f"{one.template}: good until {until and (until - NOON) // MINUTE} minutes later")
    for address in ("nobody", "Ann <a@x.example>", "a@x.example\nBcc: b@x.example", ""):
        wanted = mail(address=address)
        story.say(
            f"to {address!r}: {tried(lambda wanted=wanted: email.written(tenant, wanted, mail_text(tenant, wanted), 'd', NOON)['To'])}"
        )

    told(str(story))


def test_answers_of_a_mail_server(told, tenant, monkeypatch):
    story, message = Story(), email.written(tenant, mail(), mail_text(tenant, mail()), "d", NOON)
    to, server = "Ann@learners.example", mail_server("smtps://mail.example:465")
    untold = ssl.SSLError(1, "wrong version number")
    untold.reason = "WRONG_VERSION_NUMBER"
    answers = {
        "taken": None,
        "no such mailbox": smtplib.SMTPRecipientsRefused({to: (550, b"5.1.1 no such user Ann@learners.example")}),
        "full for now": smtplib.SMTPRecipientsRefused({to: (452, b"4.2.2 mailbox full")}),
        "not from us": smtplib.SMTPSenderRefused(553, b"not yours", "noreply@skills.example.org"),
        "a long answer": smtplib.SMTPDataError(554, b"spam " * 200),
        "wait": smtplib.SMTPDataError(451, b"greylisted"),
        "a wrong password": smtplib.SMTPAuthenticationError(535, b"bad credentials"),
        "an address in other letters": smtplib.SMTPNotSupportedError("SMTPUTF8 not supported"),
        "closed": smtplib.SMTPServerDisconnected("Connection unexpectedly closed"),
        "busy at the door": smtplib.SMTPConnectError(421, b"too many connections"),
        "no encryption": untold,
        "nobody there": ConnectionRefusedError(111, "Connection refused"),
        "silent": TimeoutError("timed out"),
    }
    for case, answer in answers.items():

        class Session:
            def send_message(self, _, found=answer):
                if found:
                    raise found

        @contextmanager
        def connected(*_, session=Session):
            yield session()

        monkeypatch.setattr(smtp, "_connected", connected)
        story.say(f"{case}: {inline(plain(smtp.hand_in(server, message)))}")
    story.head("tried again")
    for tries in range(len(schedule.SCHEDULE) + 1):
        waits = [
            schedule.next_try(tries, NOON, asked, jitter)
            for asked, jitter in ((None, 0.0), (None, 1.0), ("600", 0.5), ("999999", 0.0))
        ]
        story.say(f"after {tries} more: {inline([one and (one - NOON) // SECOND for one in waits])} seconds")
    for asked in (
        "Sat, 21 Nov 2026 12:10:00 GMT",
        "Sat, 21 Nov 2026 11:00:00 GMT",
        "soon",
        "-5",
        "1.5",
        " 60 ",
        "9" * 30,
    ):
        wait = schedule.next_try(0, NOON, asked, 0.0)
        story.say(f"asked for {asked!r}: {wait and (wait - NOON) // SECOND} seconds")

    told(str(story))
