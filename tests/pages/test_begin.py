"""The first minutes: an operator is led from an empty installation to the first source, in whatever order they come."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from lrs.access import one_time, operators, passwords, staff, staff_acts
from lrs.access.keys import create_key, revoke_key
from lrs.access.roles import Granted
from lrs.access.sessions import open_session
from lrs.access.staff import ACTIVE, DISABLED, WITHDRAWN, Member
from lrs.kernel.errors import Refused
from lrs.pages.operator import setup
from lrs.tenancy import open_tenants
from lrs.web.origins import session_cookie
from tests.outbox.test_email import posting
from tests.pages.conftest import Browser, text_of
from tests.pages.operators import Installation, operator_of
from tests.rows import each_of
from tests.served import serving

BEGIN = "/operator/begin"


@pytest.fixture
def made(tmp_path):
    installation = Installation(tmp_path)
    yield installation
    installation.close()


def states(installation):
    """Of each step: done, skipped, or neither."""
    found = setup.steps(installation.own, installation.tenants)
    return {one.name: "done" if one.is_done else "skipped" if one.is_skipped else "" for one in found}


def do(browser, step, **given):
    page = browser.get(f"{BEGIN}?step={step}")
    return browser.send(page, f"{BEGIN}/{step}", act="do", **given)


def skip(browser, step):
    page = browser.get(f"{BEGIN}?step={step}")
    token = page.text.partition('name="form" value="')[2].partition('"')[0]
    return browser.ask("POST", f"{BEGIN}/{step}", data={"form": token, "act": "skip"})


def test_the_steps_lead_from_the_name_to_the_first_source_and_each_is_seen_from_what_there_is(made):
    browser = operator_of(made, "Olga", passwords.hashed("four words in a row"))
    first = text_of(browser.get(BEGIN))
    do(browser, "organisation", name=" North   Centre ")
    let_in = do(browser, "administrator", who="me")
    skip(browser, "address")
    skip(browser, "mail")
    skip(browser, "content")
    before, one_left = text_of(browser.get(BEGIN)), text_of(browser.get("/operator"))
    console, connect = browser.get("/console").status_code, browser.get("/connect").status_code
    create_key(made.tenant, "moodle", ["statements/write"])
    after = text_of(browser.get(BEGIN))

    assert "Setting up this server The organisation" in first
    assert let_in.headers["location"] == f"{BEGIN}?done=administrator_in"
    assert "The first source of records" in before
    assert "One step of setting up is left. Go on with it" in one_left
    assert (console, connect) == (200, 200)
    assert "This server is ready" in after
    assert made.tenants.control.get("default").name == "North Centre"
    assert states(made) == {
        "organisation": "done",
        "administrator": "done",
        "address": "skipped",
        "mail": "skipped",
        "content": "skipped",
        "source": "done",
    }
    assert "left" not in text_of(browser.get("/operator"))
    assert 'href="/staff/members#invite">Invite somebody else' in browser.get(BEGIN).text


def test_who_signs_out_as_operator_is_told_in_which_organisation_they_still_are(made):
    browser = operator_of(made, "Olga", passwords.hashed("four words in a row"))
    nobody_yet = text_of(browser.get("/operator/sign-in"))
    do(browser, "organisation", name="North Centre")
    do(browser, "administrator", who="me")

    left = browser.send(browser.get("/operator"), "/operator/sign-out")
    page = browser.get(left.headers["location"])

    assert "still signed in" not in nobody_yet
    assert "You are signed out. You are still signed in to North Centre, as Olga: sign out there, too" in text_of(page)
    assert 'href="/account">sign out there, too' in page.text


def test_an_operator_who_is_an_administrator_too_signs_in_there_with_the_same_password(made):
    browser = operator_of(made, "Olga", passwords.hashed("four words in a row"))
    email, steward = f"{browser.member}@example.org", [Granted("steward")]
    before = staff_acts.invite(made.tenant, email, steward, by="test", root="http://x.example").link
    do(browser, "administrator", who="me")
    again = do(browser, "administrator", who="me")

    with pytest.raises(Refused, match="used already"):
        one_time.look(made.tenant, before.rpartition("/")[2], *staff_acts.LETTING_IN)
    [(_, member)] = staff.everyone(made.tenant.store)
    assert passwords.is_right("four words in a row", member.password)
    assert (member.name, [one.role for one in member.all_roles]) == ("Olga", ["steward", "administrator"])
    assert member.factor is None
    assert (again.status_code, "You are a member of this organisation already" in text_of(again)) == (409, True)


def test_somebody_else_is_invited_and_the_link_is_shown(made):
    answer = do(made.operator, "administrator", who="other", email="ann@example.org")
    wrong = do(made.operator, "administrator", who="other", email="no address")

    assert "http://127.0.0.1:8080/invitation/" in answer.text
    assert (wrong.status_code, "no address" in wrong.text) == (400, True)
    assert states(made)["administrator"] == "done"


def test_an_address_that_is_typed_for_somebody_else_lets_not_oneself_in(made):
    answer = do(made.operator, "administrator", who="me", email="ann@example.org")

    assert (answer.status_code, "Choose Somebody else" in text_of(answer)) == (400, True)
    assert 'value="ann@example.org"' in answer.text
    assert states(made)["administrator"] == ""


def test_setting_up_says_which_settings_let_packages_of_courses_be_opened(made):
    page = text_of(made.operator.get(f"{BEGIN}?step=content"))

    assert "LRS_PAGES_URL=http://127.0.0.1:8080" in page
    assert "LRS_CONTENT_URL=http://localhost:8080" in page
    assert skip(made.operator, "content").status_code == 303
    assert states(made)["content"] == "skipped"


FIRST, THEN = "Do it before you connect the first source", "enter the new one there, too"
"""What the step of the one start says of sources: of those to come, of those that are connected."""


@each_of(
    ("written", "source", "says", "first"),
    [
        (("content",), "", (), False),  # the address is skipped, and stays as it is
        (("address",), "", (FIRST,), True),
        (("address", "content"), "moodle", (THEN,), False),
        (("mail",), "moodle", (), False),
    ],
)
def test_sources_wait_for_the_start_only_if_it_changes_the_address_and_none_is_connected(
    made, written, source, says, first
):
    setup.change(made.own, lambda before: setup.Setup(before.word))
    for step in written:
        setup.write_down(made.own, step, address="https://lrs.example.org" if step == "address" else "")
    if source:
        create_key(made.tenant, source, ["statements/write"])

    start, page = (text_of(made.operator.get(f"{BEGIN}?step={step}")) for step in ("start", "source"))

    assert tuple(one for one in (FIRST, THEN) if one in start) == says
    assert ("start the server with it first" in page) == first


def test_one_start_is_enough_for_all_settings_and_it_is_told_once_more_what_to_write(tmp_path, made):
    do(made.operator, "organisation", name="Centre")
    do(made.operator, "administrator", who="me")
    setup.write_down(made.own, "address", address="https://lrs.example.org")
    with posting() as post:
        tried = do(made.operator, "mail", server=f"127.0.0.1:{post.port}", email="olga@example.org")
    next_one = made.operator.get(BEGIN)
    written = do(made.operator, "content")
    start = made.operator.get(BEGIN)
    made.close()
    after = Installation(
        tmp_path,
        public_url="https://lrs.example.org",
        content_url="https://content.lrs.example.org",
        smtp_url="smtp://mail.example.org",
    )
    found, page = states(after), text_of(after.operator.get(BEGIN))
    after.close()

    assert "It holds from the next start on, with this line:" in text_of(tried)
    assert "Packages of courses" in text_of(next_one)
    assert "LRS_CONTENT_URL=https://content.lrs.example.org" in next_one.text
    assert written.headers["location"].endswith("done=written_down")
    for line in ("LRS_PUBLIC_URL=https://lrs.example.org", "LRS_CONTENT_URL=https://content.lrs", "LRS_SMTP_URL=…"):
        assert line in start.text
    assert "One start with what you wrote down" in text_of(start)
    assert {name: state for name, state in found.items() if name != "organisation"} == {
        "administrator": "done",
        "address": "done",
        "mail": "",  # one message more says that the line was written as it was tried
        "content": "done",
        "source": "",
    }
    assert "Mails go out from" in page


def test_the_steps_can_be_done_by_somebody_else_and_in_another_order(made):
    create_key(made.tenant, "moodle", ["statements/write"])
    made.operator.get(BEGIN)
    other = operator_of(made, "Kim")
    do(other, "organisation", name="Centre")

    done = [name for name, state in states(made).items() if state == "done"]
    assert done == ["organisation", "source"]


def test_who_is_let_in_by_a_group_of_a_provider_is_an_administrator_and_a_key_that_was_revoked_is_no_source(made):
    roles = {"by_group": (Granted("administrator"),)}
    members = {"kim": Member("kim@example.org", 1, "Kim", state=ACTIVE, **roles)}
    members |= {state: Member(f"{state}@example.org", 1, state=state, **roles) for state in (DISABLED, WITHDRAWN)}
    for id, member in members.items():
        made.tenant.store.write(lambda tx, id=id, member=member: staff.put(tx, id, member)).result()
    keys = [create_key(made.tenant, name, ["statements/write"]) for name in ("moodle", "centre", "former")]
    revoke_key(made.tenant, keys[2].key)

    told = {one.name: one.told for one in setup.steps(made.own, made.tenants)}

    assert (told["administrator"], told["source"]) == ("Kim", "centre, moodle")


@pytest.mark.parametrize("step", ["organisation", "nothing"])
def test_what_cannot_be_skipped_is_not(made, step):
    assert skip(made.operator, step).status_code in {400, 404}
    assert states(made)["organisation"] == ""


@pytest.mark.parametrize("name", ["", " ", "x" * 201])
def test_a_name_that_is_none_changes_nothing(made, name):
    answer = do(made.operator, "organisation", name=name)

    assert (answer.status_code, "Write a name of 1 to 200 characters." in text_of(answer)) == (400, True)
    assert made.tenants.control.get("default").name == ""


def test_without_a_mail_server_it_is_said_where_mails_wait_and_with_one_that_is_away_why_none_went_out(tmp_path, made):
    without = made.operator.get(f"{BEGIN}?step=mail")
    away = Installation(tmp_path / "away", smtp_url="smtp://127.0.0.1:9")
    answer = do(away.operator, "mail", email="olga@example.org")
    wrong = do(away.operator, "mail", email="no address")
    done = states(away)["mail"]
    away.close()

    assert "No mail server is set." in text_of(without)
    assert "/console/mails" in without.text
    assert (answer.status_code, "The message was not sent:" in text_of(answer)) == (400, True)
    assert (wrong.status_code, done) == (400, "")


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_mail_server_is_tried_before_it_is_set_and_the_line_that_sets_it_is_told(made):
    given = {"user": "olga@example.org", "password": "p@ss/word", "email": "olga@example.org"}
    with posting(asks_who=True) as post:
        answer = do(made.operator, "mail", server=f"127.0.0.1:{post.port}", **given)
        wrong = do(made.operator, "mail", server=f"127.0.0.1:{post.port}", **given | {"password": "guess"})
    with posting() as post_for_all:
        open_to_all = do(made.operator, "mail", server=f"127.0.0.1:{post_for_all.port}", email="olga@example.org")

    line = f"LRS_SMTP_URL=smtp://olga%40example.org:p%40ss%2Fword@127.0.0.1:{post.port}"
    assert (answer.status_code, line in answer.text, "/etc/engraft/engraft.env" in answer.text) == (200, True, True)
    assert "The line has the password, and is not shown again: write it down now." in text_of(answer)
    assert "The line has the password" not in text_of(open_to_all)
    assert "After that start, send one more from here: this step will be done." in text_of(open_to_all)
    assert [to for to, _ in post.messages] == [["olga@example.org"]]
    assert (wrong.status_code, "refuses our user or password" in text_of(wrong)) == (400, True)
    assert "guess" not in wrong.text
    assert states(made)["mail"] == ""
    assert "p%40ss" not in made.operator.get(f"{BEGIN}?step=mail").text


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"server": " "}, "Name your mail server"),
        ({"server": "mail.example.org/x"}, "is no address of a mail server"),
        ({"server": "ftp://mail.example.org"}, "is no address of a mail server"),
        ({"server": "mail.example.org", "user": "olga"}, "has a user or a password, but not both"),
        ({"server": "127.0.0.1:9"}, "The message was not sent: the mail server cannot be reached"),
    ],
)
def test_what_is_no_mail_server_is_said_and_nothing_is_kept(made, given, says):
    answer = do(made.operator, "mail", **{"email": "olga@example.org"} | given)

    assert (answer.status_code, says in text_of(answer)) == (400, True)


@pytest.mark.parametrize(
    ("server", "url"),
    [
        ("mail.example.org", "smtp://mail.example.org"),
        ("mail.example.org:465", "smtps://mail.example.org:465"),
        ("smtps://mail.example.org", "smtps://mail.example.org"),
    ],
)
def test_a_mail_server_is_written_as_people_write_it(server, url):
    assert setup.mail_url(server, "", "") == url


@pytest.fixture
def forgetful(monkeypatch):
    """No state of a tenant is remembered; else a suspended one would be served half a second longer."""
    monkeypatch.setattr(open_tenants, "REMEMBERED", -1)


@pytest.mark.usefixtures("forgetful")
def test_while_the_organisation_is_suspended_its_steps_are_not_done_and_nothing_fails(made):
    page = made.operator.get("/operator/organisations/default")
    made.operator.send(page, "/operator/organisations/default/state")

    assert made.operator.get(f"{BEGIN}?step=source").status_code == 200
    shut = text_of(Browser(made.app).get("/sign-in"))
    assert "This organisation's pages are closed for now. Ask whoever runs them." in shut
    assert "lrs tenants resume" not in shut
    assert do(made.operator, "administrator", who="other", email="a@example.org").status_code == 403
    assert made.operator.get("/operator").status_code == 200


# -- the address ------------------------------------------------------------------------------------------------------


@contextmanager
def somebody_else():
    """A server that is not ours, and answers everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"reached": "something"}')

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_address_is_reached_only_where_this_very_server_answers(tmp_path):
    with serving(tmp_path) as lrs, somebody_else() as other:
        own, tenants = lrs.app.tenants.installation, lrs.app.tenants
        found = setup.reach(own, f" {lrs.address}/ ")
        kept = setup.known(own.store)
        guessed = lrs.clients[0].get(f"{lrs.address}/operator/reached/{kept.word[:-1]}")
        with pytest.raises(Refused, match="but not this server"):
            setup.reach(own, other)
        with pytest.raises(Refused, match="was not reached from here"):
            setup.reach(own, "http://127.0.0.1:9")
        after, is_done = setup.known(own.store), setup.steps(own, tenants)[2].is_done

    assert (found, kept.address, after.address) == (lrs.address, lrs.address, lrs.address)
    assert guessed.status_code == 404
    assert not is_done  # it was reached, and is not in force


@pytest.mark.parametrize("address", ["", "lrs.example.org", "ftp://x.example", "https://u:p@x.example", "https://"])
def test_what_is_no_address_is_refused_without_a_call(made, address):
    answer = do(made.operator, "address", address=address)

    assert (answer.status_code, "This is no address of a server." in text_of(answer)) == (400, True)


def test_an_address_that_is_in_force_and_was_reached_is_done(tmp_path):
    made = Installation(tmp_path, public_url="https://lrs.example.org")
    reached = setup.Setup("word", address="https://lrs.example.org", reached_at=1)
    setup.change(made.own, lambda _: reached)
    found = states(made)["address"]
    made.close()

    assert found == "done"


def test_an_operator_without_a_cookie_of_the_organisation_is_told_where_the_source_is_made(made):
    own = made.own
    id = "nobody-else"
    member = Member("o@example.org", own.clock(), "O", operators.ROLE, state=ACTIVE)
    own.store.write(lambda tx: staff.put(tx, id, member)).result()
    made.operator.cookies.set(session_cookie(own), open_session(own, staff.SUBJECT + id))

    page = text_of(made.operator.get(f"{BEGIN}?step=source"))

    assert "That is done in the organisation, by an administrator of it" in page
