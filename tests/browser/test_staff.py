"""The jobs of staff in a browser, from the invitation to the end, on a tablet and at a desk. Made for ``make browser``.

With ``LRS_TEST_PICTURES`` set to a folder, pictures of each page are put there, to be looked at.
"""

import base64
import json
import os
from contextlib import closing
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from lrs.access import staff_acts
from lrs.access.roles import Granted
from lrs.competency.frameworks.frameworks import keep, publish, published
from lrs.competency.frameworks.levels import PRESETS
from lrs.competency.frameworks.sheets import framework_from_sheet
from lrs.competency.rules.mapping import KnownNames, ruleset_from_table
from lrs.competency.rules.rulesets import current, in_force, put
from lrs.composition.steps import drain
from lrs.people import joins, questions
from lrs.people.ids import identified, ids_of
from lrs.people.persons import minter, person_named
from lrs.people.questions import Matter
from tests.browser.chromium import Chromium, found
from tests.browser.test_pages import AXE, LOOK
from tests.matching.world import receiver, run_deliver
from tests.npm import packages
from tests.served import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(found() is None, reason="there is no Chromium here: no page was looked at"),
    pytest.mark.timeout(600),
]
STEPS = ("refs", "match", "evaluate", "issue", "sync", "list")
URI = "https://example.org/frameworks/atmp"
SHEET = """domain,domain code,capability,capability code,statement,statement code,tier
Clean working,D1,Gowning,GOWN,Gowns without touching the outside,GOWN-1,1
"""
RULES = """activity,verb,competency,level,threshold,valid for,trusted source
https://vle.example/gown,passed,GOWN,1,80,P12M,tests
"""
ANN = {"mbox": "mailto:ann@example.org", "name": "Ann Able"}
ANN_TOO = {"account": {"homePage": "https://vle.example", "name": "ann-17"}, "name": "Ann Able"}
LONG = {"mbox": "mailto:long@example.org", "name": "عائشة بنت محمد " + "x" * 280}
WIDTHS = pytest.mark.parametrize("width", [768, 1280])


def passed(actor, score):
    return {
        "actor": actor,
        "verb": {"id": "http://adlnet.gov/expapi/verbs/passed"},
        "object": {"id": "https://vle.example/gown"},
        "timestamp": "2026-11-01T10:00:00Z",
        "result": {"score": {"scaled": score}},
    }


class Job:
    """A server with learners, and a browser in which one looks at it."""

    def __init__(self, lrs, browser):
        self.lrs, self.browser, self.tenant, self.numbers = lrs, browser, lrs.tenant, count()
        self.checker = (packages(Path(__file__).parent) / "node_modules/axe-core/axe.min.js").read_text()
        framework, faults = framework_from_sheet(
            SHEET.encode(), uri=URI, title="Advanced therapies", scale=PRESETS["tiers"]
        )
        assert faults == ()
        self.write(lambda tx: keep(tx, framework))
        self.write(lambda tx: publish(tx, URI, "test"))
        rules, _ = ruleset_from_table(
            RULES.encode(), KnownNames(published(self.tenant.store)), current(self.tenant.store)
        )
        self.write(lambda tx: put(tx, rules, "test"))
        lrs.store([passed(ANN, 0.9), passed(ANN, 0.4), passed(ANN_TOO, 0.85), passed(LONG, 0.95)])
        drain(self.tenant, STEPS)
        mint = minter(self.tenant.secret("person-ids"))
        pair = [identified(one, ids_of(self.tenant)) for one in (ANN, ANN_TOO)]
        self.write(lambda tx: joins.link(tx, *pair, source="roster", mint=mint))
        self.person = person_named(self.tenant, "ann@example.org")

    def write(self, decide):
        return self.tenant.store.write(decide).result()

    def enter(self, width, *roles):
        """Signs somebody with *roles* in, by an invitation, in a window of this *width*."""
        self.width = width
        self.browser.call("Network.clearBrowserCookies")
        self.browser.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
        )
        email = f"staff-{next(self.numbers)}@example.org"
        made = staff_acts.invite(self.tenant, email, list(roles), by="test", root=self.lrs.address)
        self.open(urlsplit(made.link).path)
        self.fill(name="Sam Staff", password="four words in a row", again="four words in a row")
        self.press("/invitation/")

    def open(self, path, name=""):
        """Shows a page, which must fit and be readable, and of which axe finds nothing wrong."""
        self.browser.open(self.lrs.address + path)
        self.check(name)

    def check(self, name):
        look = json.loads(self.browser.run(LOOK))
        assert look.pop("texts") > 3
        assert look == {"scrolls": False, "wide": [], "small": [], "pale": [], "broken": []}, name
        self.browser.run(self.checker)
        assert json.loads(self.browser.run(AXE)) == [], name
        assert self.browser.errors == []
        if name and (folder := os.environ.get("LRS_TEST_PICTURES")):
            told = self.browser.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
            Path(folder, f"staff-{name}-{self.width}.png").write_bytes(base64.b64decode(told["data"]))

    def fill(self, **fields):
        for name, value in fields.items():
            self.browser.run(f"document.querySelector('main [name={name}]').value = {json.dumps(value)}")

    def press(self, action, name="", *, act=""):
        """Presses the button of the form with this *action*, and looks at the page that comes."""
        chosen = f"[...document.querySelectorAll('main form[action*={json.dumps(action)}]')]"
        if act:
            chosen += f".filter(e => e.querySelector('[name=act]').value == {json.dumps(act)})"
        self.browser.forget()
        self.browser.run(f"{chosen}[0].querySelector('button').click()")
        self.browser.await_answer(self.lrs.address)
        self.browser.run(
            "new Promise(done => document.readyState == 'complete' ? done() : addEventListener('load', done))"
        )
        self.check(name)

    def text(self):
        return " ".join(self.browser.run("document.body.innerText").split())


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    with (
        serving(tmp_path_factory.mktemp("lrs"), outbound_allow=("127.0.0.0/8",)) as served,
        closing(Chromium(found(), tmp_path_factory.mktemp("chromium"))) as browser,
    ):
        yield Job(served, browser)


@WIDTHS
def test_a_learner_is_found_understood_and_invited(job, width):
    job.enter(width, Granted("administrator"))
    job.open("/staff", "start")
    job.open("/staff/learners", "learners")
    job.open("/staff/learners?skill=GOWN+Gowning", "chosen")
    job.fill(who="long@")
    job.press("/staff/learners", "long-name")
    assert "عائشة" in job.text()

    job.open(f"/staff/learners/{job.person}", "learner")
    assert "Counts" not in job.text()
    job.browser.run("document.querySelectorAll('details.card').forEach(one => { one.open = true; })")
    job.check("learner-open")
    assert "Does not count: below threshold" in job.text()
    job.fill(email="ann@example.org")
    job.press("/invite", "invited")

    assert "/invitation/" in job.browser.run("document.querySelector('#link').textContent")
    job.open("/staff/invitations", "invitations")
    job.fill(list="ann@example.org\nnobody@example.org")
    job.press("/staff/invitations", "invited-list")
    assert "One link is made." in job.text()


@WIDTHS
def test_two_who_may_be_one_are_joined_and_taken_apart(job, width):
    job.enter(width, Granted("administrator"))
    job.open("/staff/same-person", "same-person")
    path = job.browser.run("document.querySelector('tbody a').getAttribute('href')")
    job.open(path, "pair")
    assert "One row carries both (from roster)" in job.text()
    job.press(path, "joined", act="join")
    assert "They are one person" in job.text()
    job.press(path, "parted", act="part")
    assert "They are two persons again." in job.text()


@WIDTHS
def test_a_service_is_added_tried_and_given_new_secrets(job, width):
    job.enter(width, Granted("administrator"))
    with receiver() as there:
        job.open("/staff/new-service", "new-service")
        job.fill(name=f"Finder {width}", purpose="To show you jobs that fit what you can do", webhook=there.url)
        job.press("/staff/services", "secrets")
        assert "whsec_" in job.text()
        job.open(f"/staff/services/finder-{width}", "service")
        job.press("/test", "tested")
        run_deliver(job.tenant)
        job.open(f"/staff/services/finder-{width}", "delivered")
    assert there.events == ["service.test"]
    assert "service.test Delivered 204" in job.text()
    job.press("/rotate", "rotated")
    assert "The former ones go on for 24 hours." in job.text()
    job.open("/developers", "developers")
    job.enter(width, Granted("developer", f"finder-{width}"))
    job.open("/staff/services", "developer")
    assert "Add a service" not in job.text()


@WIDTHS
def test_a_question_is_answered_and_what_is_wrong_corrected(job, width):
    about = next(iter(in_force(job.tenant.store).competencies().values())).id
    asked = job.write(lambda tx: questions.ask(tx, job.person, Matter(about, "Gowning"), "It was 84.", by="learner 1"))
    job.enter(width, Granted("administrator"))
    job.open("/staff/questions", "questions")
    job.open(f"/staff/questions/{asked.id}", "question")
    job.browser.run("document.querySelector('details.card').open = true")
    job.check("question-open")
    job.browser.run("document.querySelectorAll('[name=statement]')[1].click()")
    job.fill(text="You are right.", why="Misread from paper", score="84")
    job.press("/staff/questions/", "answered")
    assert "Answered and corrected" in job.text()
    drain(job.tenant, STEPS)  # so that the other width is shown what stands now
