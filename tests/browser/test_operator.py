"""The operator's job in a browser: from the link of an empty server to an organisation that takes records.

On a phone, a tablet and at a desk. Made for ``make browser``. With ``LRS_TEST_PICTURES`` set to a folder, pictures of
each page are put there, to be looked at.
"""

import base64
import json
import os
import re
from contextlib import closing
from pathlib import Path

import pytest

from lrs.serving.server import first_operator
from lrs.storage import Owed, Record
from tests.browser.chromium import Chromium, found
from tests.browser.test_pages import AXE, LOOK
from tests.npm import packages
from tests.served import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(found() is None, reason="there is no Chromium here: no page was looked at"),
    pytest.mark.timeout(600),
]
PASSWORD = "four words in a row"
PAGES = ("", "/organisations", "/organisations/default", "/people", "/audit", "/system", "/account", "/begin")


class Job:
    """A server that nobody has been at, and a browser."""

    def __init__(self, lrs, browser, width):
        self.lrs, self.browser, self.width = lrs, browser, width
        self.checker = (packages(Path(__file__).parent) / "node_modules/axe-core/axe.min.js").read_text()
        browser.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)

    def dark(self, *, on):
        features = [{"name": "prefers-color-scheme", "value": "dark" if on else "light"}]
        self.browser.call("Emulation.setEmulatedMedia", features=features)

    def link(self):
        said = first_operator(self.lrs.app.tenants, int(self.lrs.address.rpartition(":")[2]))
        return re.search(r"http://\S+", said)[0]

    def open(self, path, name=""):
        """Shows a page, which must fit and be readable, and of which axe finds nothing wrong."""
        self.browser.open(path if path.startswith("http") else self.lrs.address + path)
        self.check(name)

    def press(self, selector, name=""):
        self.browser.run("window.left = true")
        self.browser.run(f"document.querySelector({json.dumps(selector)}).click()")
        while not self.is_there():
            pass
        self.check(name)

    def is_there(self):
        """Whether the next page is there; looks again in a moment if not."""
        ready = "!window.left && document.readyState == 'complete'"
        try:
            return self.browser.run(f"new Promise(done => setTimeout(() => done({ready}), 100))")
        except AssertionError:  # the page went away while it was asked
            return False

    def fill(self, **fields):
        for name, value in fields.items():
            self.browser.run(f"document.querySelector('main [name={name}]').value = {json.dumps(value)}")

    def check(self, name):
        look = json.loads(self.browser.run(LOOK))
        assert look.pop("texts") > 3
        assert look == {"scrolls": False, "wide": [], "small": [], "pale": [], "broken": []}, name
        self.browser.run(self.checker)
        assert json.loads(self.browser.run(AXE)) == [], name
        assert self.browser.errors == [], name
        if name and (folder := os.environ.get("LRS_TEST_PICTURES")):
            told = self.browser.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
            Path(folder, f"operator-{name}-{self.width}.png").write_bytes(base64.b64decode(told["data"]))

    def text(self):
        return " ".join(self.browser.run("document.querySelector('main').innerText").split())

    def come_in(self):
        self.open(self.link(), "invitation")
        self.fill(email="olga@example.org", name="Olga Operator", password=PASSWORD, again=PASSWORD)
        self.press("main form[action*='/invitation/'] button", "begin")


@pytest.fixture
def job(request, tmp_path):
    with serving(tmp_path / "lrs") as lrs, closing(Chromium(found(), tmp_path / "chromium")) as browser:
        yield Job(lrs, browser, getattr(request, "param", 1280))


@pytest.mark.parametrize("job", [390, 768, 1280], indirect=True)
def test_an_operator_sets_a_server_up_from_the_printed_link_to_the_first_source(job):
    job.come_in()
    assert "Setting up this server The organisation" in job.text()
    job.fill(name="North Centre")
    job.press("form[action$='/begin/organisation'] button", "administrator")
    job.press("form[action$='/begin/administrator'] button", "address")
    job.fill(address=job.lrs.address)
    job.press("form[action$='/begin/address'] button", "address-reached")
    assert "leads here" in job.text()
    job.open("/operator/begin", "mail")  # where "Go on" leads: the address holds from the next start on
    assert "No mail server is set." in job.text()
    job.press("form[action$='/begin/mail']:has(.plain) button", "packages")
    assert "Packages of courses" in job.text()
    job.press("form[action$='/begin/content']:has(.plain) button", "start")  # the tests' own key is a source
    job.open("/operator/begin?step=source", "source")
    assert "A key is made: tests" in job.text()
    job.open("/connect", "connect")
    job.open("/connect/moodle")
    job.fill(source="moodle")
    job.press("main form[action$='/connect/moodle'] button", "connected")
    job.open("/operator/begin", "one-start")

    assert "Stop the server, and start it again with these lines." in job.text()
    for on in (False, True):
        job.dark(on=on)
        for page in PAGES:
            job.open(f"/operator{page}", page.strip("/").replace("/", "-") + ("-dark" if on else ""))


def test_an_operator_makes_an_organisation_suspends_it_and_lets_a_second_operator_in(job):
    job.come_in()
    job.open("/operator/organisations")
    job.fill(name="Acme Training", id="acme")
    job.press("form[action$='/organisations'][method=post] button", "made")
    job.fill(email="ann@acme.example")
    job.press("form[action$='/administrator'] button", "invited")
    assert "/t/acme/invitation/" in job.text()
    job.browser.run("document.querySelector('details').open = true")
    job.press("form[action$='/state'] button", "suspended")
    assert "Resume this organisation" in job.text()
    job.press("form[action$='/state'] button", "resumed")
    job.open("/operator/people")
    job.fill(email="kim@example.org")
    job.press("form[action$='/people'] button", "second")
    assert "/operator/invitation/" in job.text()
    job.press("form[action$='/sign-out'] button")
    job.fill(email="olga@example.org", password=PASSWORD)
    job.press("main form button", "in-again")

    assert "What needs you now" in job.text()


def test_the_first_page_follows_by_itself_and_says_so_when_it_cannot(job):
    job.come_in()
    job.open("/operator")
    assert "Live: this page follows by itself" in job.text()
    store = job.lrs.tenant.store
    store.write(lambda tx: tx.insert(Record("award", "a", b"x", owed=(Owed("issue"),)))).result()
    claim = next(iter(store.claim(["issue"], limit=1, lease=1_000_000)))
    store.defer(claim, due=job.lrs.tenant.clock(), error="no", parked=True)
    seen = job.browser.run(
        "new Promise(done => { const look = () => document.body.innerText.includes('given up on. Its console')"
        " ? done(true) : setTimeout(look, 200); look(); })"
    )
    job.browser.call(
        "Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0
    )
    told = job.browser.run(
        "new Promise(done => { const look = () => document.body.innerText.includes('Not live')"
        " ? done(true) : setTimeout(look, 200); look(); })"
    )

    assert (seen, told) == (True, True)


def test_without_scripts_every_page_works_and_the_keyboard_reaches_the_button(job):
    job.come_in()
    job.browser.call("Emulation.setScriptExecutionDisabled", value=True)
    for page in PAGES:
        job.browser.open(f"{job.lrs.address}/operator{page}")
        assert job.browser.errors == []
    job.browser.call("Emulation.setScriptExecutionDisabled", value=False)
    job.open("/operator/begin")
    job.browser.run("document.querySelector('main [name=name]').focus()")
    for key in ("N", "o"):
        job.browser.call("Input.dispatchKeyEvent", type="char", text=key)
    job.browser.forget()
    for kind in ("rawKeyDown", "char", "keyUp"):
        told = {"text": "\r"} if kind == "char" else {}
        job.browser.call("Input.dispatchKeyEvent", type=kind, key="Enter", windowsVirtualKeyCode=13, **told)
    job.browser.await_answer(job.lrs.address)

    assert job.lrs.app.tenants.control.get("default").name == "No"
