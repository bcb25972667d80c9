"""A learner who is asked for consent, and their guardian, in a browser: with a keyboard alone, at 390 and 1280 px.

With ``LRS_TEST_PICTURES`` set to a folder, pictures are put there, to be looked at. Made for ``make browser``.
"""

import base64
import json
import os
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from lrs.access.learners import SUBJECT, open_account
from lrs.access.sessions import open_session
from lrs.matching import registry
from lrs.matching.consent import answers, consent, links
from lrs.matching.consent.consent import Subject
from lrs.matching.consent.links import Wish
from lrs.matching.registry import AboutService
from tests.browser.chromium import Chromium, found
from tests.browser.test_pages import AXE, LOOK
from tests.matching.world import held, identifier, put_badge, put_person, put_profile
from tests.npm import packages
from tests.served import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(found() is None, reason="there is no Chromium here: no page was looked at"),
    pytest.mark.timeout(600),
]
ANA = {"mbox": "mailto:ana@example.org"}
SCOPES = ("profiles:read", "profiles:read.evidence", "badges:read", "gap:read")
FINE = {"scrolls": False, "wide": [], "small": [], "pale": [], "broken": []}
NAMES = {"gown": "Gowning for a clean room", "aseptic": "Aseptic technique", "culture": "Cell culture"}
LOOKS_OF_BUTTONS = """
JSON.stringify([...document.querySelectorAll('.equal button')].map(e => {
  const r = e.getBoundingClientRect(), s = getComputedStyle(e);
  return [Math.round(r.width), Math.round(r.height), s.backgroundColor, s.color, s.borderColor, s.fontWeight];
}))
"""
FOCUSED = "document.activeElement.name + ' ' + document.activeElement.value"


class Scene:
    """A server with a learner, a service that asks, and a browser."""

    def __init__(self, lrs, browser):
        self.lrs, self.tenant, self.browser = lrs, lrs.tenant, browser
        self.host = urlsplit(lrs.address).hostname
        self.checker = (packages(Path(__file__).parent) / "node_modules/axe-core/axe.min.js").read_text()
        told = {"name": "Advanced Therapies Skills Network", "contact": "skills@network.example", "consent_age": 18}
        told["privacy_notice"] = "https://network.example/privacy"
        self.tenant_changed(told)
        about = AboutService(
            "help@career-converter.example", "https://career-converter.example/privacy", (lrs.address,)
        )
        purpose = "To suggest jobs in cell and gene therapy that fit what you can do"
        self.service = registry.register(
            self.tenant, "Career Converter", webhook=None, scopes=SCOPES, purpose=purpose, by="test", told=about
        ).service
        self.person = put_person(self.tenant, ANA["mbox"])
        skills = [held(id) for id in NAMES]
        for skill in skills:
            skill["competency"]["label"] = NAMES[skill["competency"]["id"]]
        skills[1]["state"], skills[2]["state"] = "expiring", "expired"
        put_profile(self.tenant, self.person, *skills)
        put_badge(self.tenant, self.person, "b-1")
        self.number = 0

    def tenant_changed(self, told):
        self.lrs.app.tenants.control.change("default", lambda record, _: msgspec.structs.replace(record, **told))

    def link(self, by="service career-converter"):
        """The path of a new link."""
        self.number += 1
        wish = Wish(Subject(identifier=identifier(self.tenant, ANA).id), consent_days=365)
        made = links.mint(self.tenant, self.service, wish, id=f"link-{self.number}", by=by)
        return links.address(self.tenant, made, "")

    def sign_in(self):
        self.tenant.store.write(lambda tx: open_account(tx, self.person, address="ana@example.org", by="test")).result()
        token = open_session(self.tenant, SUBJECT + self.person)
        self.browser.call(
            "Network.setCookie", name="engraft.default", value=token, domain=self.host, path="/", httpOnly=True
        )

    def show(self, path, width, scheme="light"):
        """Leads the browser to *path*; what there is to see."""
        self.browser.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 700
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.browser.call("Emulation.setEmulatedMedia", features=features)
        self.browser.open(self.lrs.address + path)

    def check(self, name):
        """The page that is shown fits, can be read and pressed, axe finds nothing, and nothing is on the console."""
        self.picture(name)
        look = json.loads(self.browser.run(LOOK))
        assert look.pop("texts") > 3
        assert look == FINE
        self.browser.run(self.checker)
        assert json.loads(self.browser.run(AXE)) == []
        assert (self.browser.said, self.browser.errors) == ([], [])

    def heading(self):
        return self.browser.run("document.querySelector('h1').textContent.trim()")

    def press(self, key):
        """Presses a key: Tab, Space or Enter."""
        text = {"Space": " ", "Enter": "\r"}.get(key, "")
        told = {"key": " " if key == "Space" else key, "code": key, "text": text}
        told["windowsVirtualKeyCode"] = {"Tab": 9, "Enter": 13, "Space": 32}[key]
        self.browser.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **told)
        self.browser.call("Input.dispatchKeyEvent", type="keyUp", **told)

    def tab_to(self, wanted):
        """Presses Tab until what is *wanted* (name and value) has the focus; the focus is seen there."""
        for _ in range(60):
            self.press("Tab")
            if self.browser.run(FOCUSED) == wanted:
                assert self.browser.run("getComputedStyle(document.activeElement).outlineStyle") != "none"
                return
        raise AssertionError(f"no Tab leads to {wanted}")

    def answer_by_key(self, key, path):
        """Presses *key* on the button that has the focus; waits for the page that follows."""
        self.browser.forget()
        self.browser.errors.clear()
        self.press(key)
        self.browser.await_answer(self.lrs.address + path)

    def picture(self, name):
        if folder := os.environ.get("LRS_TEST_PICTURES"):
            size = self.browser.call("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
            told = self.browser.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
            Path(folder, f"{name}.png").write_bytes(base64.b64decode(told["data"]))


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    with (
        serving(tmp_path_factory.mktemp("lrs")) as served,
        closing(Chromium(found(), tmp_path_factory.mktemp("chromium"))) as browser,
    ):
        yield Scene(served, browser)


@pytest.fixture(autouse=True)
def _nobody_is_signed_in(scene):
    scene.browser.call("Network.clearBrowserCookies")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("language", ["en", "cy"])
def test_a_learner_agrees_with_a_keyboard_alone(scene, width, language):
    path = scene.link()
    scene.sign_in()

    scene.show(f"{path}?lang={language}", width, "dark" if language == "cy" and width == 390 else "light")
    scene.check(f"consent-{language}-{width}")
    scene.tab_to("scope badges:read")
    scene.press("Space")
    scene.tab_to("age of_age")
    scene.press("Space")
    scene.tab_to("answer agree")
    scene.answer_by_key("Enter", path)
    scene.check(f"agreed-{language}-{width}")
    agreed = scene.heading()
    given = [one for one in consent.everything(scene.tenant.store) if one.withdrawn is None]
    scene.tab_to("answer stop")
    scene.answer_by_key("Enter", path)

    assert agreed == {"en": "You agreed", "cy": "Fe wnaethoch chi gytuno"}[language]
    assert sorted(one.scope for one in given) == ["badges:read", "profiles:read"]
    assert scene.heading() == {"en": "Stopped", "cy": "Wedi'i atal"}[language]


@pytest.mark.parametrize("width", [390, 1280])
def test_both_answers_have_the_same_size_and_the_same_weight(scene, width):
    scene.show(scene.link(), width, "light")

    looks = scene.browser.run(LOOKS_OF_BUTTONS)

    agree, refuse = json.loads(looks)
    assert agree == refuse


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("language", ["en", "cy"])
def test_a_learner_under_age_asks_a_guardian_who_agrees(scene, width, language):
    path = scene.link()
    scene.show(f"{path}?lang={language}", width, "light")
    hidden = scene.browser.run("document.querySelector('#guardian').offsetParent === null")
    scene.tab_to("age of_age")
    scene.press("Space")
    scene.browser.run("document.querySelector('[value=under]').focus()")
    scene.press("Space")
    shown = scene.browser.run("document.querySelector('#guardian').offsetParent !== null")
    scene.browser.run("document.querySelector('[name=name]').value = ''")
    scene.tab_to("answer agree")
    scene.answer_by_key("Enter", path)
    scene.picture(f"faults-{language}-{width}")
    faults = scene.browser.run("[...document.querySelectorAll('.error')].map(e => e.id).join()")
    scene.browser.run("document.querySelector('[name=name]').value = 'Ana Popescu'")
    scene.tab_to("answer agree")
    scene.answer_by_key("Enter", path)
    scene.check(f"waiting-{language}-{width}")
    (waits,) = answers.waiting(scene.tenant.store)
    theirs = answers.guardian_address(scene.tenant, waits, "")
    scene.show(theirs, width, "light")
    scene.check(f"guardian-{language}-{width}")
    scene.tab_to("answer agree")
    scene.answer_by_key("Enter", theirs)
    scene.check(f"guardian-agreed-{language}-{width}")

    assert (hidden, shown, faults) == (True, True, "name-error")
    assert scene.heading() == {"en": "A parent or guardian agreed", "cy": "Cytunodd rhiant neu warcheidwad"}[language]


def test_the_pages_work_without_scripts(scene):
    path = scene.link()
    scene.browser.call("Emulation.setScriptExecutionDisabled", value=True)
    scene.show(path, 390)
    scene.tab_to("answer refuse")
    scene.answer_by_key("Enter", path)
    heading = scene.heading()
    scene.browser.call("Emulation.setScriptExecutionDisabled", value=False)

    assert heading == "You did not agree"


@pytest.mark.parametrize("width", [390, 1280])
def test_a_link_that_opens_nothing_says_so_in_the_readers_language(scene, width):
    scene.show("/links/none?lang=cy", width, "dark")
    scene.picture(f"unknown-cy-{width}")

    assert scene.heading() == "Ni ellir defnyddio'r ddolen hon"
    assert scene.browser.run("document.documentElement.lang") == "cy"
