"""The channel of mails: what a mail server gets, what it may answer, and what becomes of mails without one."""

import asyncio
import email
import email.policy
import ssl
import subprocess
import threading
from contextlib import contextmanager

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from click.testing import CliRunner

from lrs.cli import main
from lrs.composition.channels import CHANNELS
from lrs.kernel.errors import Refused
from lrs.kernel.mail_server import MailServer, checked_mailbox, mail_server
from lrs.kernel.settings import Settings
from lrs.kernel.times import HOUR
from lrs.outbox.channels.email import NO_SERVER
from lrs.outbox.channels.smtp import hand_in
from lrs.outbox.listing import listed, resend_all
from lrs.outbox.mail import send_mail
from lrs.tenancy.tenants import open_tenant
from lrs.web.letter import as_text
from tests.matching.world import deliver

LINK = "https://lrs.example.org/invitation/abc"
INVITATION = {"link": LINK, "until": "2027-11-17T14:05:00Z"}


class Clock:
    def __init__(self):
        self.now = 1_795_000_000_000_000

    def __call__(self):
        return self.now


class Post:
    """A mail server; ``answers`` are what it says at a stage, in place of yes."""

    def __init__(self):
        self.messages, self.answers, self.logins = [], {}, []

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802 (called by aiosmtpd)
        if "RCPT" in self.answers:
            return self.answers["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 (called by aiosmtpd)
        if "DATA" in self.answers:
            return self.answers["DATA"]
        self.messages.append((envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=email.policy.SMTP)))
        return "250 taken"

    def authenticate(self, _server, _session, _envelope, _mechanism, data):
        self.logins.append((data.login, data.password))
        is_right = data.password == b"p@ss/word"
        return AuthResult(success=is_right, handled=is_right)


@contextmanager
def posting(*, asks_who=False, by_tls=None, **options):
    """A mail server on a free port, in a thread of its own."""
    post, loop = Post(), asyncio.new_event_loop()
    if asks_who:
        options |= {"auth_required": True, "auth_require_tls": False, "authenticator": post.authenticate}

    def session():
        return SMTP(post, hostname="127.0.0.1", loop=loop, **options)

    server = loop.run_until_complete(loop.create_server(session, "127.0.0.1", 0, ssl=by_tls))
    post.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield post
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


@pytest.fixture
def post():
    with posting() as running:
        yield running


@pytest.fixture
def tenant_with(tmp_path):
    opened = []

    def made(url=None, **more):
        for one in opened:
            one.store.close()
        settings = Settings(data=tmp_path, smtp_url=url, **more)
        opened[:] = [open_tenant(settings, clock=clock)]
        return opened[0]

    clock = Clock()
    made.clock = clock
    yield made
    for one in opened:
        one.store.close()


def owe(tenant, to="ann@example.org", template="staff-invitation", values=INVITATION):
    return tenant.store.write(lambda tx: send_mail(tx, tenant, to, template, values)).result()


def work(tenant):
    deliver(tenant, CHANNELS)


def seen(tenant):
    [one] = listed(tenant, CHANNELS, channel="email")
    return one["state"], one["reason"]


def waits(tenant):
    (_, owed), *more = tenant.store.failing(limit=10)
    assert not more, [one.error for _, one in tenant.store.failing(limit=10)]
    return owed.error


def test_a_mail_arrives_as_text_and_html_with_a_lasting_id_and_nothing_personal_in_its_subject(tenant_with, post):
    tenant = tenant_with(f"smtp://127.0.0.1:{post.port}", public_url="https://lrs.example.org")
    id = owe(tenant)

    work(tenant)

    [(to, message)] = post.messages
    assert to == ["ann@example.org"]
    assert {name: message[name] for name in ("From", "To", "Subject", "Message-ID", "Auto-Submitted")} == {
        "From": "noreply@lrs.example.org",
        "To": "ann@example.org",
        "Subject": "You are invited to Engraft",
        "Message-ID": f"<{id}@lrs.example.org>",
        "Auto-Submitted": "auto-generated",
    }
    text, page = (message.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("plain", "html"))
    assert f"Accept the invitation:\n{LINK}\n" in text
    assert "The link works once, until 17 November 2027, 14:05 GMT." in text
    assert f'href="{LINK}"' in page
    assert seen(tenant) == ("delivered", None)


@pytest.mark.parametrize(
    ("template", "values", "says"),
    [
        ("staff-recovery", INVITATION, LINK),
        ("password-changed", {"when": "2026-11-17T14:05:00Z"}, "17 November 2026, 14:05 GMT"),
        ("learner-invitation", INVITATION, "See my skills"),
        ("learner-sign-in", {"link": LINK, "code": "123456", "minutes": "15"}, "123456"),
        ("learner-address", {"code": "123456", "minutes": "15"}, "123456"),
    ],
)
def test_every_template_can_be_sent(tenant_with, post, template, values, says):
    tenant = tenant_with(f"smtp://127.0.0.1:{post.port}")
    owe(tenant, template=template, values=values)

    work(tenant)

    [(_, message)] = post.messages
    assert says in message.get_body(("plain",)).get_content()
    assert "ann" not in message["Subject"]


def test_a_tenants_own_sender_and_name_cannot_bring_in_a_header(tenant_with, post):
    tenant = tenant_with(f"smtp://127.0.0.1:{post.port}", mail_sender="skills@acme.example")
    record = type(tenant.record)(created=0, name='Acme\r\nBcc: all@example.org, "Ünïcode" <x@y>')
    tenant = type(tenant)(tenant.id, tenant.store, tenant.settings, tenant.secrets, tenant.clock, record=record)
    owe(tenant)

    work(tenant)

    [(to, message)] = post.messages
    assert to == ["ann@example.org"]
    assert message["Bcc"] is None
    assert message["From"].addresses[0].addr_spec == "skills@acme.example"
    assert "Acme Bcc: all@example.org" in message["From"].addresses[0].display_name


@pytest.mark.parametrize("address", ["ann@example.org\r\nBcc: b@x.example", "ann", "a b@x.example", "<ann@x.example>"])
def test_an_address_that_is_none_is_put_aside_and_nothing_is_sent(tenant_with, post, address):
    tenant = tenant_with(f"smtp://127.0.0.1:{post.port}")
    owe(tenant, to=address)

    work(tenant)

    assert post.messages == []
    state, reason = seen(tenant)
    assert state == "dead"
    assert "This is no e-mail address" in reason


@pytest.mark.parametrize("stage", ["RCPT", "DATA"])
def test_4xx_is_tried_later_and_arrives_then_under_the_same_id(tenant_with, post, stage):
    tenant = tenant_with(f"smtp://127.0.0.1:{post.port}")
    id = owe(tenant)
    post.answers[stage] = "451 4.7.1 greylisted, come back"

    work(tenant)

    assert waits(tenant) == "the mail server said 451 4.7.1 greylisted, come back"
    post.answers.clear()
    tenant_with.clock.now += HOUR
    work(tenant)
    assert post.messages[0][1]["Message-ID"] == f"<{id}@localhost>"
    assert seen(tenant) == ("delivered", None)


@pytest.mark.parametrize("stage", ["RCPT", "DATA"])
def test_5xx_refuses_this_mail_with_the_servers_words_and_without_the_address(tenant_with, post, stage):
    tenant = tenant_with(f"smtp://127.0.0.1:{post.port}")
    owe(tenant)
    post.answers[stage] = "550 5.1.1 <ann@example.org>: no such user here"

    work(tenant)

    assert seen(tenant) == ("dead", "the mail server said 550 5.1.1 <…>: no such user here")


def test_a_server_that_is_down_for_a_day_loses_nothing_but_links_whose_time_is_over(tenant_with):
    with posting() as post:
        tenant = tenant_with(f"smtp://127.0.0.1:{post.port}")
    owe(tenant)
    owe(tenant, template="learner-sign-in", values={"link": LINK, "code": "1", "minutes": "15"})
    work(tenant)
    reasons = {owed.error for _, owed in tenant.store.failing(limit=10)}

    tenant_with.clock.now += 24 * HOUR
    with posting() as again:
        tenant = tenant_with(f"smtp://127.0.0.1:{again.port}")
        work(tenant)

    assert reasons == {"the mail server cannot be reached: nothing takes connections at its address"}
    assert [message["Subject"] for _, message in again.messages] == ["You are invited to Engraft"]
    states = {one["what"]: (one["state"], one["reason"]) for one in listed(tenant, CHANNELS)}
    assert states["staff-invitation"][0] == "delivered"
    assert states["learner-sign-in"][0] == "withheld"
    assert states["learner-sign-in"][1].startswith("not sent: its link was good until 2026-11-18T")


def test_without_a_mail_server_a_mail_is_held_and_is_sent_once_there_is_one(tenant_with, post):
    tenant = tenant_with()
    owe(tenant)
    work(tenant)
    held, parked = seen(tenant), list(tenant.store.parked(limit=10))

    tenant = tenant_with(f"smtp://127.0.0.1:{post.port}")
    count = resend_all(tenant, CHANNELS, by="me", channel="email")
    work(tenant)

    assert (held, parked, count) == (("held", NO_SERVER), [], 1)
    assert len(post.messages) == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_user_and_a_password_are_decoded_and_a_wrong_one_is_told_and_tried_again(tenant_with):
    with posting(asks_who=True) as post:
        tenant = tenant_with(f"smtp://us%40er:p%40ss%2Fword@127.0.0.1:{post.port}")
        owe(tenant)
        work(tenant)
        wrong = tenant_with(f"smtp://us%40er:wrong@127.0.0.1:{post.port}")
        owe(wrong)
        work(wrong)

        assert waits(wrong) == "the mail server refuses our user or password (535)"
    assert post.logins[0] == (b"us@er", b"p@ss/word")
    assert len(post.messages) == 1


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    made += [*subject, "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(made, cwd=folder, check=True, capture_output=True)
    return folder


def context_of(certificate):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    return context


def message():
    made = email.message.EmailMessage()
    made["To"], made["From"], made["Message-ID"] = "ann@example.org", "us@example.org", "<1@example.org>"
    made.set_content("text")
    return made


def test_a_server_elsewhere_that_offers_no_starttls_gets_nothing(post, monkeypatch):
    monkeypatch.setattr(MailServer, "is_here", False)

    outcome = hand_in(MailServer("127.0.0.1", post.port, is_tls=False, user="u", password="p"), message())

    assert (outcome.end.value, outcome.reason) == (
        "later",
        "the mail server offers no STARTTLS, so nothing was sent to it",
    )
    assert (post.messages, post.logins) == ([], [])


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("sort", ["smtps", "starttls"])
def test_tls_is_used_and_a_certificate_that_nobody_vouches_for_is_refused(certificate, monkeypatch, sort, trusted):
    monkeypatch.setattr(MailServer, "is_here", False)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    context = context_of(certificate)
    tls = {"by_tls": context} if sort == "smtps" else {"tls_context": context, "require_starttls": True}
    with posting(**tls) as post:
        outcome = hand_in(MailServer("localhost", post.port, is_tls=sort == "smtps"), message())

    assert outcome.end.value == ("delivered" if trusted else "later")
    assert len(post.messages) == trusted
    assert trusted or "no encrypted connection to the mail server" in outcome.reason


@pytest.mark.parametrize(
    ("url", "host", "port", "is_tls"),
    [
        ("smtp://mail.example.org", "mail.example.org", 587, False),
        ("smtps://mail.example.org/", "mail.example.org", 465, True),
        ("smtp://[::1]:25", "::1", 25, False),
    ],
)
def test_the_address_of_a_mail_server(url, host, port, is_tls):
    assert mail_server(url) == MailServer(host, port, is_tls)


@pytest.mark.parametrize(
    "url",
    [
        "http://mail.example.org",
        "smtp://",
        "smtp://u:secret@",
        "smtp://u:secret@h:99999",
        "smtp://u@h",
        "smtp://u:secret@h/x",
    ],
)
def test_an_address_of_a_mail_server_that_is_none_stops_the_command_and_shows_no_password(tmp_path, url):
    told = CliRunner().invoke(
        main, ["mail", "test", "a@example.org", "--data", str(tmp_path)], env={"LRS_SMTP_URL": url}
    )

    assert told.exit_code == 1
    assert "LRS_SMTP_URL" in told.output
    assert "secret" not in told.output
    assert "secret" not in str(Settings(smtp_url="smtp://u:secret@h").model_dump())


@pytest.mark.parametrize("address", ["", "ann", "a@b@example.org", "ann@", "@example.org", "ann@exam ple.org"])
def test_an_address_that_can_be_none(address):
    with pytest.raises(Refused, match="This is no e-mail address"):
        checked_mailbox(address)


def test_lrs_mail_test_says_what_the_server_said(tmp_path, tenant_with, post):
    tenant_with(None)
    given = {"LRS_SMTP_URL": f"smtp://127.0.0.1:{post.port}", "LRS_DATA": str(tmp_path)}
    runner = CliRunner()

    took = runner.invoke(main, ["mail", "test", "ann@example.org"], env=given)
    post.answers["RCPT"] = "550 no such user"
    refused = runner.invoke(main, ["mail", "test", "ann@example.org"], env=given)
    none = runner.invoke(main, ["mail", "test", "ann@example.org"], env={"LRS_DATA": str(tmp_path)})
    odd = runner.invoke(main, ["mail", "test", "ann"], env=given)

    assert (took.exit_code, took.output) == (
        0,
        "the mail server took a message from noreply@localhost to ann@example.org: see whether it arrives\n",
    )
    assert (refused.exit_code, "the mail server said 550 no such user" in refused.output) == (1, True)
    assert (none.exit_code, "LRS_SMTP_URL" in none.output) == (1, True)
    assert (odd.exit_code, "This is no e-mail address" in odd.output) == (1, True)


def test_the_text_of_a_mail_has_the_address_of_each_link_and_no_style():
    markup = (
        "<style>p {}</style><h1>A</h1><p>b\n c <a href='https://x.example/?a=1&amp;b=2'>d</a></p><ul><li>e</li></ul>"
    )

    assert as_text(markup) == "A\n\nb c d:\nhttps://x.example/?a=1&b=2\n\n- e\n"
    loose = " <p>a</p> b <a href='https://x.example'>c</a>  d <div>e</div><li>f</li>g"
    assert as_text(loose) == "a\n\nb c:\nhttps://x.example\nd\n\ne\n\n- f\n\ng\n"
