"""A gowning session of twelve people on a phone, from an empty page to badges that are due. Made for ``make browser``.

With ``LRS_TEST_PICTURES`` set to a folder, pictures of each page are put there, to be looked at.
"""

import base64
import json
import os
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.catalogue import offerings
from adapters.catalogue.table import read_catalogue
from adapters.reading.people import mailbox
from adapters.reading.vocabulary import iri
from adapters.training_centre import attendees, centre_sessions, hosts
from adapters.training_centre.centre_sessions import Marker
from adapters.training_centre.day import CentreDay
from adapters.training_centre.marks import mark_step
from lrs.access import learners, staff
from lrs.access.roles import Granted
from lrs.access.sessions import SigningIn, open_session
from lrs.access.staff import ACTIVE, Member
from lrs.competency.frameworks.frameworks import keep, publish, published
from lrs.competency.frameworks.levels import PRESETS
from lrs.competency.frameworks.sheets import framework_from_sheet
from lrs.competency.rules.mapping import KnownNames, ruleset_from_table
from lrs.competency.rules.rulesets import current, put
from lrs.composition.steps import drain
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.people.persons import person_named
from lrs.web.origins import session_cookie
from tests.adapters.training_centre.made import Centre
from tests.browser.chromium import Chromium, found
from tests.browser.test_pages import AXE, LOOK
from tests.browser.test_staff import SHEET, URI
from tests.npm import packages
from tests.served import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(found() is None, reason="there is no Chromium here: no page was looked at"),
    pytest.mark.timeout(600),
]
RULES = f"""activity,verb,competency,level,threshold,valid for,trusted source
{iri("centres", "north", "checklists", "gowning")},passed,GOWN,1,,P12M,north
"""
EXPERIENCED = {
    "verb": {"id": "http://adlnet.gov/expapi/verbs/experienced"},
    "object": {"id": "https://vle.example/gmp"},
}
NAMES = (
    *("Ana Silva", "Ben Birch", "Chidi Okafor", "Dilys Rees", "Emeka Bello", "Farah Khan", "Gwen Pugh"),
    *("Hana Novak", "Idris Vaughan", "Jaswinder Kaur Dhaliwal", "Kofi Mensah", "Lleucu Llwyd"),
)
STEPS = """Hands washed and dried !
Hood on before coverall, hair covered
Coverall does not touch the floor !
Gloves over the cuffs !
Goggles seal all round"""


class Day:
    """A server with a rule for gowning, and a phone on which a trainer is signed in."""

    def __init__(self, lrs, browser):
        self.lrs, self.browser, self.tenant, self.width, self.shown = lrs, browser, lrs.tenant, 390, set()
        self.checker = (packages(Path(__file__).parent) / "node_modules/axe-core/axe.min.js").read_text()
        framework, _ = framework_from_sheet(SHEET.encode(), uri=URI, title="Advanced therapies", scale=PRESETS["tiers"])
        self.write(lambda tx: keep(tx, framework))
        self.write(lambda tx: publish(tx, URI, "test"))
        rules, faults = ruleset_from_table(
            RULES.encode(), KnownNames(published(self.tenant.store)), current(self.tenant.store)
        )
        assert rules, faults
        self.write(lambda tx: put(tx, rules, "test"))
        member = Member(
            "tess@centre.example", self.tenant.clock(), "Tess", (Granted("trainer", "north"),), state=ACTIVE
        )
        self.write(lambda tx: staff.put(tx, "tess", member))
        cookie = open_session(self.tenant, f"{staff.SUBJECT}tess")
        self.cookie(session_cookie(self.tenant), cookie)

    def cookie(self, name, value):
        self.browser.call("Network.setCookie", name=name, value=value, url=self.lrs.address, secure=True, path="/")

    def write(self, decide):
        return self.tenant.store.write(decide).result()

    def at(self, width):
        self.width = width
        self.browser.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=844, deviceScaleFactor=1, mobile=width < 700
        )

    def open(self, path, name=""):
        self.browser.open(self.lrs.address + path)
        if name:
            self.check(name)

    def check(self, name):
        """The page fits, can be read and pressed, and axe finds nothing wrong; a picture of it is kept."""
        look = json.loads(self.browser.run(LOOK))
        assert look.pop("texts") > 3
        assert look == {"scrolls": False, "wide": [], "small": [], "pale": [], "broken": []}, name
        self.browser.run(self.checker)
        assert json.loads(self.browser.run(AXE)) == [], name
        if folder := os.environ.get("LRS_TEST_PICTURES"):
            told = self.browser.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
            Path(folder, f"session-{name}-{self.width}.png").write_bytes(base64.b64decode(told["data"]))

    def fill(self, **fields):
        for name, value in fields.items():
            self.browser.run(f"document.querySelector('main [name={name}]').value = {json.dumps(value)}")

    def press(self, selector, leads_to):
        """Presses what *selector* finds, by a tap in its middle, and waits for the page."""
        self.browser.run(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'center'}})")
        box = json.loads(
            self.browser.run(
                f"JSON.stringify(document.querySelector({json.dumps(selector)}).getBoundingClientRect().toJSON())"
            )
        )
        self.browser.run("sessionStorage.clear()")  # a person's next tap comes later than that of a double click
        self.browser.forget()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        for kind in ("mousePressed", "mouseReleased"):
            self.browser.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        self.browser.await_answer(self.lrs.address + leads_to)
        return box

    def people(self, session):
        return {one.name: one for _, one in attendees.of_session(self.tenant.store, session).values()}


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    with (
        serving(tmp_path_factory.mktemp("server"), public_url=None) as lrs,
        closing(Chromium(found(), tmp_path_factory.mktemp("browser"))) as browser,
    ):
        made = Day(lrs, browser)
        made.at(390)
        yield made


def test_twelve_people_and_one_gowning_session_on_a_phone_end_in_badges_that_are_due(day):
    place = plan(day)
    session = place.rpartition("/")[2]
    attendance(day, place, session)
    for number in "12345":
        day.open(f"{place}/steps/{number}", "step" if number == "1" else "")
        if number == "2":
            fail_from_elsewhere(day, place, session)
        if number == "3":
            day.press(f"#p-{day.people(session)[NAMES[3]].id} button[value=fail]", f"{place}/steps/3")
        day.press("button[value=others]", f"{place}/steps/{number}")
    day.check("step-done")
    day.open(f"{place}/people/{day.people(session)[NAMES[3]].id}", "person")
    day.open(f"{place}/close", "close")
    assert "Nothing is open" in day.browser.run("document.body.innerText")
    day.press("form[action$='/close'] button", place)
    day.check("closed")
    day.open(f"{place}/people/{day.people(session)[NAMES[3]].id}", "person-closed")

    drain(day.tenant, ("refs", "match", "evaluate"))

    due = day.tenant.store.claim(["issue"], limit=50, lease=1)
    assert len(due) == 9  # of eleven who were there, two failed a step
    assert {mark.by.said for one in day.people(session).values() for mark in one.steps} == {"Tess", "Ray"}


def plan(day):
    """Makes the checklist, the session and its roster on the pages; gives the path of the session."""
    now = datetime.fromtimestamp(day.tenant.clock() / 1e6, UTC)
    day.open("/staff/checklists", "checklists")
    day.fill(name="gowning", title="Gowning into grade B", steps=STEPS, percent="100")
    day.press("main form button", "/staff/checklists/")
    day.check("checklist")
    day.open("/staff/new-session", "new")
    starts = max(0, now.hour * 60 + now.minute - 45)
    record = day.browser.run("document.querySelector('#checklist option:nth-child(2)').value")
    clock = [f"{minutes // 60:02}:{minutes % 60:02}" for minutes in (starts, starts + 40)]
    day.fill(title="Gowning", date=f"{now:%Y-%m-%d}", starts=clock[0], ends=clock[1], checklist=record, place="Room 2")
    day.press("main form > button", "/staff/sessions/")
    place = day.browser.run("location.pathname")
    day.check("empty")
    day.fill(people="\n".join(f"{name}, {name.split()[0].lower()}@learners.example" for name in NAMES))
    day.press("form[action$='/people'] button", f"{place}/people")
    day.check("people")
    day.press("form[action$='/people'] button", place)
    day.open(place, "roster")
    day.open("/staff/sessions", "today")
    return place


def attendance(day, place, session):
    """Marks three by hand, on buttons that a thumb hits, and the others together, without scripts."""
    day.open(place)
    for name, value in ((NAMES[0], "present"), (NAMES[1], "late"), (NAMES[2], "absent")):
        box = day.press(f"#p-{day.people(session)[name].id} button[value={value}]", place)
        assert box["height"] >= 48
        assert box["width"] >= 75
        assert day.people(session)[name].mark.value == value
    day.browser.call("Emulation.setScriptExecutionDisabled", value=True)
    day.open(place)
    day.press("button[value=all]", place)
    day.browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert sum(one.mark.value == "present" for one in day.people(session).values()) == 10
    day.open(place, "marked")


def fail_from_elsewhere(day, place, session):
    """Another trainer marks a step as failed at the same time: the mark of the phone is not stored over it."""
    other = Marker(mailbox("ray@centre.example"), "Ray", "staff ray")
    ben, elsewhere = day.people(session)[NAMES[1]], CentreDay(day.tenant, SUBSCRIPTIONS, other, frozenset({"north"}))
    mark = attendees.StepMark(1, "2", "fail", day.tenant.clock(), other)
    mark_step(elsewhere, session, ben.id, mark, seen=0, version=1)
    stale = f"document.querySelector('#p-{ben.id} [name=seen]').value = 0"  # whatever the page has followed since
    day.browser.run(stale)
    day.press(f"#p-{ben.id} button[value=pass]", f"{place}/steps/2")
    assert "Meanwhile Ray marked Ben Birch here: Failed" in day.browser.run("document.body.innerText")
    day.check("conflict")
    day.open(f"{place}/steps/2")


def test_the_pages_fit_a_desk_too(day):
    day.at(1280)
    day.open("/staff/sessions", "today")
    place = day.browser.run("document.querySelector('main table a').getAttribute('href')")
    day.open(place, "closed")
    day.open("/staff/new-session", "new")
    day.open("/staff/checklists", "checklists")


OFFERED = """offering,title,kind,provider,description,competency,level,hours,place,online,language,cost,enrol_at,\
centre,date,starts,ends,seats
basics,Gowning basics,Workshop,North Centre,Dress for a grade B room under the eyes of a trainer.,GOWN,1,7.5,Leeds,no,\
English,250,,north,2031-02-03,09:00,17:00,1
basics,Gowning basics,,,,,,,,,,,,north,2031-03-03,09:00,17:00,12
gmp,GMP for newcomers,Course,West College,What good manufacturing practice asks of everybody.,GMP,1,3,,yes,Welsh,free,\
https://west.example/gmp,,,,,
works,Placement in a filling line,Placement,Cell Works,Six weeks at the side of an operator.,,,210,Stevenage,no,,,,,,,,
"""


def offered(day):
    """The catalogue of ``OFFERED``, and the session of its first date."""
    found = read_catalogue(OFFERED.encode(), "Europe/London", "staff t", 1, {})
    assert found.faults == []
    for one in found.offerings.values():
        day.write(lambda tx, one=one: offerings.keep(tx, one, "test"))
    for one in found.sessions:
        day.write(lambda tx, one=one: centre_sessions.add(tx, one))
    return found.sessions[0].id


def test_a_learner_looks_into_the_catalogue_without_an_account_and_books_a_seat(day):
    session = offered(day)
    ana = {"mbox": "mailto:ana@learners.example"}
    day.lrs.as_key("statements/write", name="north").store([{"actor": ana, **EXPERIENCED}])
    drain(day.tenant, ("refs", "match"))
    person = person_named(day.tenant, "ana@learners.example")
    day.write(lambda tx: learners.open_account(tx, person, address="ana@learners.example", by="test"))
    token = open_session(day.tenant, learners.SUBJECT + person, SigningIn("link"))
    for width in (390, 768, 1280):
        day.at(width)
        day.browser.call("Network.clearBrowserCookies")
        day.open("/catalogue", "catalogue")
        day.open("/catalogue/basics", "entry")
    day.cookie(session_cookie(day.tenant), token)
    day.at(390)
    day.open(f"/me/plan?book={session}", "plan-book")
    day.press("main .card button", "/me/plan")
    day.check("plan-booked")
    day.press("button[value=calendar]", "/me/plan")
    day.check("plan-calendar")
    assert "/calendar/" in day.browser.run("document.querySelector('#address').textContent")
    day.open("/catalogue/basics", "entry-full")
    day.at(1280)
    day.open("/me/plan", "plan")


def test_a_supervisor_signs_hours_off_on_a_phone(day):
    centre = Centre(day.tenant, [day.tenant.clock()])
    told = {"kind": "placement", "host": "Cell Works", "hours": "37.5", "number": "P1", "until": "2026-11-25"}
    session = centre.session(None, "Ana Silva, ana@learners.example", title="Filling line", **told)
    one = centre.who(session, "Ana")
    asked = hosts.ask(centre.day(), session.id, one.id, ("Sue Sharp", "sue@host.example"), day.lrs.address)
    day.browser.call("Network.clearBrowserCookies")
    for width in (1280, 390):
        day.at(width)
        day.open(f"/sign-off/{asked.token}", "sign-off")
    day.fill(hours="36.5")
    day.press("button[value=yes]", "/sign-off/")
    day.check("signed-off")
    assert centre.who(session, "Ana").mark.minutes == 2190
    day.open(f"/sign-off/{asked.token}", "sign-off-used")
    assert "This link was used already" in day.browser.run("document.body.innerText")
