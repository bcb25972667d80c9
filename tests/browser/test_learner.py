"""A learner's job in a browser, from the invitation to the end, on a phone and at a desk. Made for ``make browser``.

With ``LRS_TEST_PICTURES`` set to a folder, pictures of each page are put there, to be looked at.
"""

import base64
import json
import os
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from lrs.competency.frameworks.frameworks import keep, publish, published
from lrs.competency.frameworks.levels import PRESETS
from lrs.competency.frameworks.sheets import framework_from_sheet
from lrs.competency.rules.mapping import KnownNames, ruleset_from_table
from lrs.competency.rules.rulesets import current, put
from lrs.composition.steps import drain
from lrs.matching import disclosures, registry
from lrs.matching.consent import consent
from lrs.matching.consent.consent import Grant, Subject
from lrs.matching.roles import roles
from lrs.people import questions, sign_in
from lrs.people.persons import person_named
from tests.browser.chromium import Chromium, found
from tests.browser.test_pages import AXE, LOOK
from tests.npm import packages
from tests.served import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(found() is None, reason="there is no Chromium here: no page was looked at"),
    pytest.mark.timeout(600),
]
ANN = "ann@example.org"
URI = "https://example.org/frameworks/atmp"
PURPOSE = "To find roles that fit you"
SHEET = """domain,domain code,capability,capability code,statement,statement code,tier
Clean working,D1,Gowning,GOWN,Gowns without touching the outside,GOWN-1,1
,,Aseptic technique,ASEP,Works in a laminar flow cabinet,ASEP-1,1
,,Records,RECO,Writes a batch record that others can follow,RECO-1,1
,,Cleaning,CLEA,Cleans a room by the book,CLEA-1,1
"""
RULES = """activity,verb,competency,level,threshold,valid for,trusted source
https://vle.example/gown,passed,GOWN,1,80,P12M,tests
https://vle.example/asep,passed,ASEP,2,,P12M,tests
https://vle.example/reco,passed,RECO,3,,,tests
https://vle.example/clea,passed,CLEA,1,,P3M,tests
"""
ROLE = f"""role,role_label,competency,label,framework,level,importance
operator,Aseptic operator,GOWN,,{URI},1,
operator,,ASEP,,{URI},3,
operator,,RECO,,{URI},1,optional
operator,,NONE,Isolator technology,,,
"""
NAMES = {
    "gown": "Gowning, practical",
    "asep": "Aseptic technique 2",
    "reco": "Batch records",
    "clea": "Cleaning a room",
}
DAYS = {"gown": 40, "asep": 300, "reco": 500, "clea": 200}
WIDTHS = (390, 1280)


def lived(lrs):
    """Four skills of Ann, one of which has ended and one of which ends soon; a role; a service. Gives the person."""
    store, tenant = lrs.tenant.store, lrs.tenant
    framework, _ = framework_from_sheet(SHEET.encode(), uri=URI, title="Advanced therapies", scale=PRESETS["tiers"])
    store.write(lambda tx: (keep(tx, framework), publish(tx, URI, "test"))).result()
    ruleset, faults = ruleset_from_table(RULES.encode(), KnownNames(published(store)), current(store))
    assert faults == ()
    store.write(lambda tx: put(tx, ruleset, "test")).result()
    lrs.store([passed(name) for name in NAMES])
    drain(tenant, ("refs", "match", "evaluate", "issue", "sync"))
    person = person_named(tenant, ANN)
    (role,), _ = roles.read_roles(ROLE.encode())
    store.write(lambda tx: roles.keep(tx, role)).result()
    registry.register(
        tenant, "Career Converter", webhook=None, scopes=["profiles:read", "gap:read"], purpose=PURPOSE, by="test"
    )
    grant = Grant(
        Subject(person=person), "career-converter", ("profiles:read", "gap:read"), PURPOSE, "operator", "test"
    )
    store.write(lambda tx: consent.give(tx, grant)).result()
    disclosures.note(tenant, "career-converter", [person], "profile")
    return person


def passed(name):
    day = datetime.now(UTC).date() - timedelta(days=DAYS[name])
    return {
        "actor": {"mbox": f"mailto:{ANN}", "name": "Ann Smith"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/passed"},
        "object": {"id": f"https://vle.example/{name}", "definition": {"name": {"en": NAMES[name]}}},
        "context": {"instructor": {"mbox": "mailto:ray@example.org", "name": "Ray Brown"}},
        "result": {"score": {"raw": 90, "min": 0, "max": 100}},
        "timestamp": f"{day.isoformat()}T10:00:00Z",
    }


class Learner:
    """Ann, in a browser of some width."""

    def __init__(self, lrs, browser, person, width, checker):
        self.lrs, self.browser, self.person, self.width, self.checker = lrs, browser, person, width, checker
        browser.call("Network.clearBrowserCookies")
        browser.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=True)
        self.scheme("light")

    def scheme(self, name, media=""):
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.browser.call("Emulation.setEmulatedMedia", media=media, features=features)

    def open(self, path):
        self.browser.open(self.lrs.address + path)

    def press(self, script, path):
        """Presses what *script* gives, and waits until *path* is shown."""
        self.browser.forget()
        self.browser.run(f"({script}).click()")
        self.browser.await_answer(self.lrs.address + path)

    def text(self):
        return " ".join(self.browser.run("document.querySelector('main').innerText").split())

    def looked_at(self, name):
        """What is wrong with the page as it is shown: nothing."""
        look = json.loads(self.browser.run(LOOK))
        self.browser.run(self.checker)
        wrong = json.loads(self.browser.run(AXE))
        self.picture(f"learner-{name}-{self.width}")
        assert (look.pop("texts") > 3, wrong, self.browser.errors) == (True, [], [])
        assert look == {"scrolls": False, "wide": [], "small": [], "pale": [], "broken": []}

    def picture(self, name):
        if folder := os.environ.get("LRS_TEST_PICTURES"):
            size = self.browser.call("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 2_600), "scale": 1}
            told = self.browser.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
            Path(folder, f"{name}.png").write_bytes(base64.b64decode(told["data"]))


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    with (
        serving(tmp_path_factory.mktemp("lrs")) as served,
        closing(Chromium(found(), tmp_path_factory.mktemp("chromium"))) as browser,
    ):
        checker = (packages(Path(__file__).parent) / "node_modules/axe-core/axe.min.js").read_text()
        yield served, browser, lived(served), checker


@pytest.mark.parametrize("width", WIDTHS)
def test_a_learner_comes_in_sees_all_that_is_theirs_asks_and_leaves(scene, width):
    lrs, browser, person, checker = scene
    ann = Learner(lrs, browser, person, width, checker)
    invited = sign_in.invite(lrs.tenant, person, ANN, by="test", root=lrs.address)
    submit = "document.querySelector('main form button')"

    ann.open(urlsplit(invited.link).path)
    ann.press(submit, "/me")
    browser.run("[...document.querySelectorAll('details')].slice(0, 1).forEach(one => one.open = true)")
    ann.looked_at("skills")
    skills = ann.text()
    browser.run("document.querySelector('textarea').value = 'I was ill on that day'")
    ann.press("document.querySelector('textarea').form.querySelector('button')", "/me")
    (asked,) = questions.listed(lrs.tenant.store, answered=False).questions
    lrs.tenant.store.write(lambda tx: questions.answer(tx, asked.id, "Put right today", by="staff 1")).result()
    ann.open("/me")
    ann.scheme("dark")
    ann.looked_at("answered-dark")
    ann.scheme("light")
    answered = ann.text()
    ann.open("/me/roles")
    browser.run("document.querySelector('select').value = 'operator'")
    ann.press(submit, "/me/roles?role=operator")
    ann.looked_at("role")
    role = ann.text()
    ann.open("/me/sharing")
    browser.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    ann.looked_at("sharing")
    sharing = ann.text()
    ann.press("document.querySelector('button.danger')", "/me/sharing")
    ann.looked_at("stopped")
    stopped = ann.text()
    ann.open("/me/data")
    browser.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    ann.looked_at("data")
    ann.open("/account")
    browser.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    ann.looked_at("account")
    ann.press("document.querySelector('button.danger')", "/sign-in/learner")

    assert "3 skills; next to expire: Aseptic technique" in skills
    assert "1 has ended" in skills
    assert "Seen by Ray Brown (tests)" in skills
    assert "The staff answered: Put right today" in answered
    assert "Isolator technology Missing" in role
    assert "Career Converter" in sharing
    assert "Stopped. This service sees nothing of yours" in stopped
    assert urlsplit(browser.run("location.href")).path == "/sign-in/learner"
    grant = Grant(Subject(person=person), "career-converter", ("profiles:read",), PURPOSE, "operator", "test")
    lrs.tenant.store.write(lambda tx: consent.give(tx, grant)).result()  # for whoever comes next


def test_my_skills_are_printed_without_what_is_only_for_a_screen(scene):
    lrs, browser, person, checker = scene
    ann = Learner(lrs, browser, person, 1280, checker)
    invited = sign_in.invite(lrs.tenant, person, ANN, by="test", root=lrs.address)
    ann.open(urlsplit(invited.link).path)
    ann.press("document.querySelector('main form button')", "/me")

    ann.scheme("dark", media="print")
    seen = "[...document.querySelectorAll('nav, form, button, details:not([open])')].filter(e => e.offsetParent).length"
    shown, text = browser.run(seen), ann.text()
    if folder := os.environ.get("LRS_TEST_PICTURES"):
        Path(folder, "learner-print.pdf").write_bytes(base64.b64decode(browser.call("Page.printToPDF")["data"]))
        ann.picture("learner-print")
    ann.scheme("light")

    assert shown == 0
    assert "Gowning" in text
    assert "As it is on" in text


def test_without_scripts_why_opens_and_a_question_is_sent(scene):
    lrs, browser, person, checker = scene
    ann = Learner(lrs, browser, person, 390, checker)
    invited = sign_in.invite(lrs.tenant, person, ANN, by="test", root=lrs.address)
    ann.open(urlsplit(invited.link).path)
    ann.press("document.querySelector('main form button')", "/me")
    browser.call("Emulation.setScriptExecutionDisabled", value=True)

    ann.open("/me")
    browser.run("document.querySelector('summary').click()")
    opened = browser.run("document.querySelector('details').open")
    browser.run("document.querySelector('textarea').value = 'No scripts here'")
    ann.press("document.querySelector('textarea').form.querySelector('button')", "/me")
    browser.call("Emulation.setScriptExecutionDisabled", value=False)

    assert opened is True
    assert [one.text for one in questions.listed(lrs.tenant.store, answered=False).questions] == ["No scripts here"]
