"""An author's job, from the invitation to the first statement and what became of it, at a phone's width and at a desk.

The page follows by itself: it turns green when the first statement comes, and says why something was refused. With
``LRS_TEST_PICTURES`` set to a folder, pictures are put there. Made for ``make browser``.
"""

import json
import re
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest

from lrs.access import staff_acts
from lrs.access.roles import Granted
from lrs.access.sessions import end_session, list_sessions
from lrs.composition.steps import drain
from tests.browser.chromium import Chromium, found
from tests.browser.test_pages import AXE, LOOK, Scene
from tests.npm import packages
from tests.programs import until
from tests.served import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(found() is None, reason="there is no Chromium here: no page was looked at"),
    pytest.mark.timeout(600),
]
QUIZ = "https://moodle.example.org/mod/quiz/view.php?id=7"
COMPLETED = "http://adlnet.gov/expapi/verbs/completed"
NAMES = ("Ana Pereira", "\u05d0\u05e0\u05d4 \u05db\u05d4\u05df", "<b>Bob</b> " + "Long" * 40, "Dai Jones")
FILL = """
((fields) => {{
  for (const [name, value] of Object.entries(fields)) document.querySelector(`[name=${{name}}]`).value = value;
  document.querySelector('form[action$="{}"] button').click();
}})({})
"""


class Job(Scene):
    """A browser in which nobody is signed in yet, and the link by which an author is invited."""

    def __init__(self, lrs, browser):
        self.lrs, self.browser = lrs, browser
        self.checker = (packages(Path(__file__).parent) / "node_modules/axe-core/axe.min.js").read_text()

    def invited(self, email, *roles):
        made = staff_acts.invite(self.lrs.tenant, email, roles, by="test", root=self.lrs.address)
        return urlsplit(made.link).path

    def fill(self, action, **fields):
        """Fills in the form and sends it; waits for the page behind it."""
        self.browser.forget()
        self.browser.run(FILL.format(action, json.dumps(fields)))
        self.browser.await_answer(self.lrs.address)

    def check(self, name, width, schemes=("light",)):
        """Looks at the page that is shown: nothing is cut off, pale or too small, and axe finds nothing."""
        for scheme in schemes:
            features = [{"name": "prefers-color-scheme", "value": scheme}]
            self.browser.call("Emulation.setEmulatedMedia", features=features)
            look = json.loads(self.browser.run(LOOK))
            self.picture(f"job-{name}-{width}-{scheme}")
            assert look.pop("texts") > 3
            assert look == {"scrolls": False, "wide": [], "small": [], "pale": [], "broken": []}, name
        self.browser.run(self.checker)
        assert json.loads(self.browser.run(AXE)) == []
        assert self.browser.errors == []

    def text(self, selector="main"):
        return self.browser.run(f"document.querySelector('{selector}').innerText")


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    with (
        serving(tmp_path_factory.mktemp("lrs")) as served,
        closing(Chromium(found(), tmp_path_factory.mktemp("chromium"))) as browser,
    ):
        yield Job(served, browser)


def attempt(number, name):
    return {
        "actor": {"account": {"homePage": "https://moodle.example.org", "name": str(number)}, "name": name},
        "verb": {"id": COMPLETED, "display": {"en": "Completed"}},
        "object": {
            "id": f"https://moodle.example.org/mod/quiz/attempt.php?attempt={number}",
            "definition": {
                "name": {"en": f"Gowning, attempt {number}"},
                "type": "http://adlnet.gov/expapi/activities/attempt",
            },
        },
        "context": {"contextActivities": {"parent": [{"id": QUIZ, "definition": {"name": {"en": "Gowning"}}}]}},
        "result": {"score": {"raw": 20 * number, "min": 0, "max": 100}, "completion": True, "success": number > 2},
    }


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_an_author_connects_moodle_sees_the_first_statement_come_and_what_became_of_it(job, width):
    browser, source = job.browser, f"moodle {width}"
    browser.call("Network.clearBrowserCookies")
    browser.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=True)
    link = job.invited(f"author{width}@example.org", Granted("author", source))
    browser.open(job.lrs.address + link)
    job.fill(link, name="Au Thor", password="four words in row", again="four words in row")

    browser.open(job.lrs.address + "/connect")
    job.check("connect", width, ("light", "dark"))
    browser.open(job.lrs.address + "/connect/moodle")
    job.check("source", width)
    job.fill("/connect/moodle", source=source)
    values = {name: job.text(f"#{name}") for name in ("endpoint", "key", "secret")}
    job.check("values", width, ("light", "dark"))
    assert "Waiting for the first statement…" in job.text("#arrived")
    assert job.text("[data-live-told]").startswith("Live: ")

    headers, auth = {"X-Experience-API-Version": "1.0.3"}, (values["key"], values["secret"])
    with httpx.Client(headers=headers, trust_env=False) as moodle:
        bad = moodle.post(
            f"{values['endpoint']}/statements", auth=auth, json=[attempt(1, "A") | {"verb": {"id": "no"}}]
        )
        until(lambda: "Refused:" in job.text("#arrived"), "the page to say why")
        refused = job.text("#arrived")
        job.check("refused", width)
        batch = [attempt(number + 1, name) for number, name in enumerate(NAMES)]
        good = moodle.post(f"{values['endpoint']}/statements", auth=auth, json=batch)
        until(lambda: "It works." in job.text("#arrived"), "the page to turn green")
    assert (bad.status_code, good.status_code) == (400, 200)
    assert "place: Statement 1 of the request, /verb/id" in re.sub(r"\s+", " ", refused)
    assert browser.run("document.querySelector('#arrived .note.good') !== null")
    job.check("works", width)
    drain(job.lrs.tenant, ("match", "evaluate"))

    browser.open(job.lrs.address + "/arrivals")
    assert "No rule is about it" in job.text("#list")
    assert "Refused (400)" in job.text("#list")
    job.check("arrivals", width, ("light", "dark"))
    browser.open(f"{job.lrs.address}/arrivals/statements/{good.json()[0]}")
    job.check("statement", width, ("light", "dark"))
    browser.open(f"{job.lrs.address}/arrivals/course?activity={quote(QUIZ)}")
    assert "Passed" in job.text()
    job.check("course", width, ("light", "dark"))


def test_a_page_that_follows_is_left_when_whoever_opened_it_is_signed_out(job):
    browser, tenant = job.browser, job.lrs.tenant
    browser.call("Network.clearBrowserCookies")
    link = job.invited("out@example.org", Granted("author", "program"))
    browser.open(job.lrs.address + link)
    job.fill(link, name="Au Thor", password="four words in row", again="four words in row")
    browser.open(job.lrs.address + "/arrivals")

    for one in list_sessions(tenant.store, tenant.clock()):
        end_session(tenant, one.id, by="test")

    browser.await_answer(f"{job.lrs.address}/sign-in")
    assert "You are not signed in any more" in job.text()


def test_the_list_follows_and_says_when_it_does_not(job):
    browser = job.browser
    browser.call("Network.clearBrowserCookies")
    link = job.invited("list@example.org", Granted("author", "program"))
    browser.open(job.lrs.address + link)
    job.fill(link, name="Au Thor", password="four words in row", again="four words in row")
    browser.open(job.lrs.address + "/arrivals")
    other = job.lrs.as_key("statements/write", name="program")

    other.store(attempt(5, "Somebody new"))
    until(lambda: "Somebody new" in job.text("#list"), "the list to follow")
    offline = {"latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    browser.call("Network.emulateNetworkConditions", offline=True, **offline)
    until(lambda: job.text("[data-live-told]").startswith("Not live: "), "the list to say that it is not live")
    browser.call(
        "Network.emulateNetworkConditions",
        offline=False,
        **offline | {"downloadThroughput": -1, "uploadThroughput": -1},
    )
