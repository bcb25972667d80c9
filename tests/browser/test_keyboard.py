"""Jobs of newcomers with the keyboard alone, from the sign-in to their end: Tab, Space, Enter and what is typed.

A learner who asks the staff, an administrator who invites and withdraws, a trainer who fills a roster and marks it, an
author who connects a program, a developer who sends a test event, an operator who adds an organisation. Consent stands
in ``test_consent``, files and rules in ``test_files``. Made for ``make browser``.
"""

import json
import re
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from adapters.training_centre import attendees, centre_sessions
from lrs.access import staff_acts
from lrs.access.roles import granted
from lrs.composition.steps import drain
from lrs.matching import registry
from lrs.people import questions, sign_in
from lrs.people.persons import person_named
from lrs.serving.server import first_operator
from lrs.storage import each
from tests.browser.chromium import Chromium, found
from tests.served import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(found() is None, reason="there is no Chromium here: no page was looked at"),
    pytest.mark.timeout(600),
]
ANN = "ann@example.org"
PASSWORD = "four words in a row"
KEYS = {"Tab": ("Tab", 9, ""), "Enter": ("Enter", 13, "\r"), "Space": (" ", 32, " "), "Down": ("ArrowDown", 40, "")}
MOST = 90


class Keyboard:
    """A browser that is told keys only. What has the focus can be seen, or the test fails."""

    def __init__(self, lrs, browser):
        self.lrs, self.browser, self.tenant = lrs, browser, lrs.tenant

    def open(self, path):
        self.browser.call("Network.clearBrowserCookies")
        size = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.browser.call("Emulation.setDeviceMetricsOverride", **size)
        self.browser.open(self.lrs.address + path)

    def key(self, name):
        key, code, text = KEYS[name]
        told = {"key": key, "windowsVirtualKeyCode": code} | ({"text": text} if text else {})
        self.browser.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **told)
        self.browser.call("Input.dispatchKeyEvent", type="keyUp", **told)

    def to(self, selector):
        """Presses Tab until what *selector* finds has the focus."""
        for _ in range(MOST):
            self.key("Tab")
            if self.browser.run(f"document.activeElement.matches({json.dumps(selector)})"):
                style = "(e => getComputedStyle(e).outlineStyle)(document.activeElement)"
                assert self.browser.run(style) != "none", selector
                return
        raise AssertionError(f"the tab key never comes to {selector}")

    def type(self, **fields):
        """Types into the fields by their names, each reached by Tab."""
        for name, text in fields.items():
            self.to(f"main [name={name}]")
            self.browser.call("Input.insertText", text=text)

    def clock(self, time):
        """Types a time of day into the field that has the focus, on a clock of twelve hours, as English has it."""
        hours, minutes = map(int, time.split(":"))
        for character in f"{hours % 12 or 12:02}{minutes:02}{'p' if hours >= 12 else 'a'}":
            self.browser.call("Input.dispatchKeyEvent", type="keyDown", key=character, text=character)
            self.browser.call("Input.dispatchKeyEvent", type="keyUp", key=character)

    def choose(self, name, value):
        """Goes down in the list *name* until *value* is chosen."""
        self.to(f"main [name={name}]")
        for _ in range(MOST):
            if self.browser.run("document.activeElement.value") == value:
                return
            self.key("Down")
        raise AssertionError(f"{value} is not in the list {name}")

    def enter(self, selector, leads_to=""):
        """Presses Enter on what *selector* finds, and waits for the page that it leads to."""
        self.to(selector)
        self.browser.forget()
        self.browser.errors.clear()
        self.key("Enter")
        self.browser.await_answer(self.lrs.address + leads_to)
        self.browser.run(
            "new Promise(done => document.readyState == 'complete' ? done() : addEventListener('load', done))"
        )

    def unfold(self, selector):
        """Opens what is folded up, by Space on its summary."""
        self.to(f"{selector} > summary")
        self.key("Space")

    def come_in(self, *roles, tenant=None):
        """Uses an invitation with these *roles*."""
        tenant = tenant or self.tenant
        email = f"{roles[0].partition(':')[0]}@example.org"
        made = staff_acts.invite(tenant, email, map(granted, roles), by="test", root=self.lrs.address)
        self.begin(urlsplit(made.link).path)

    def begin(self, path):
        self.open(path)
        self.type(name="Kay Board", password=PASSWORD, again=PASSWORD)
        self.enter("main form button", path)

    def text(self):
        return " ".join(self.browser.run("document.querySelector('main').innerText").split())


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    with (
        serving(tmp_path_factory.mktemp("lrs")) as served,
        closing(Chromium(found(), tmp_path_factory.mktemp("chromium"))) as browser,
    ):
        yield Keyboard(served, browser)


def test_a_learner_comes_in_by_a_link_and_asks_the_staff(board):
    board.lrs.post(
        [
            {
                "actor": {"mbox": f"mailto:{ANN}", "name": "Ann"},
                "verb": {"id": "http://v.example/did"},
                "object": {"id": "https://vle.example/x"},
            }
        ]
    )
    drain(board.tenant, ("match",))
    person = person_named(board.tenant, ANN)
    made = sign_in.invite(board.tenant, person, address=ANN, by="test", root=board.lrs.address)

    board.open(urlsplit(made.link).path)
    board.enter("main form button", "/invitation/")
    board.unfold("main details:has(form[action$='/me/questions'])")
    board.type(text="I passed Gowning on 3 November")
    board.enter("main details[open] form[action$='/me/questions'] button", "/me/questions")

    assert "I passed Gowning on 3 November" in board.text()
    assert [one.text for one in questions.of_group(board.tenant.store, [person])] == ["I passed Gowning on 3 November"]


def test_an_administrator_invites_somebody_and_withdraws_it(board):
    board.come_in("administrator")
    board.browser.open(board.lrs.address + "/staff/members")

    board.type(email="new@example.org")
    board.choose("role", "steward")
    board.enter("#invite ~ form button", "/staff/members")
    invited = board.text()
    board.unfold("tr:has(td) details:has(button.danger)")
    board.enter("tr details[open] button.danger", "/staff/members")

    assert "new@example.org is invited as Steward of skills and rules" in invited
    assert "The invitation is withdrawn" in board.text()


def test_a_trainer_makes_a_session_fills_its_roster_and_marks_who_came(board):
    board.come_in("trainer:north")
    board.browser.open(board.lrs.address + "/staff/new-session")
    board.type(title="Gowning")
    for name, clock in (("starts", "00:00"), ("ends", "23:59")):
        board.to(f"main [name={name}]")
        board.clock(clock)
        assert board.browser.run(f"document.querySelector('[name={name}]').value") == clock
    board.enter("main form > button", "/staff/sessions")
    (session,) = (centre_sessions.session_of(record) for record in each(board.tenant.store, centre_sessions.KIND))

    board.type(people="Ana Silva, ana@example.org")
    board.enter("form[action$='/people'] button", f"/staff/sessions/{session.id}/people")
    asked = board.text()
    board.enter("form[action$='/people'] button", f"/staff/sessions/{session.id}")
    board.enter("button[value=late]", f"/staff/sessions/{session.id}")

    said = board.text()
    (one,) = (one for _, one in attendees.of_session(board.tenant.store, session.id).values())
    assert "1 new, 0 known. Nobody is added yet." in asked
    assert (one.name, one.mark and one.mark.value) == ("Ana Silva", "late"), said


def test_an_author_connects_a_program_and_sees_its_values(board):
    board.come_in("author:quay")
    board.browser.open(board.lrs.address + "/connect")

    board.enter("main a[href$='/connect/python']", "/connect/python")
    board.type(source="quay")
    board.enter("main form button", "/connect/python")

    assert board.browser.run("!!document.querySelector('#endpoint') && !!document.querySelector('#secret')")


def test_a_developer_sends_a_test_event_of_their_service(board):
    made = registry.register(
        board.tenant, "Finder", webhook=None, scopes=("profiles:read",), purpose="To suggest jobs", by="test"
    ).service
    board.come_in(f"developer:{made.id}")
    board.browser.open(f"{board.lrs.address}/staff/services/{made.id}")

    board.enter("form[action$='/rotate'] button", f"/staff/services/{made.id}/rotate")

    assert board.browser.run("document.querySelectorAll('main code').length") > 0


def test_an_operator_adds_an_organisation(board):
    said = first_operator(board.lrs.app.tenants, urlsplit(board.lrs.address).port)
    path = urlsplit(re.search(r"http://\S+", said)[0]).path
    board.open(path)
    board.type(email="op@example.org", name="Kay Board", password=PASSWORD, again=PASSWORD)
    board.enter("main form[action*='/invitation/'] button", path)
    board.browser.open(board.lrs.address + "/operator/organisations")

    board.type(id="harbour", name="Harbour Skills")
    board.enter("main form:has([name=id]) button", "/operator/organisations")

    assert "Harbour Skills" in board.text()
