"""Jobs about files in a browser: a provider brings one in, a steward puts rules in force. Made for ``make browser``.

With ``LRS_TEST_PICTURES`` set to a folder, pictures of each page are put there, to be looked at.
"""

import base64
import json
import os
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from lrs.access import staff
from lrs.access.roles import granted
from lrs.access.sessions import open_session
from lrs.access.staff import ACTIVE, Member
from lrs.competency.frameworks.frameworks import keep, publish
from lrs.competency.frameworks.levels import PRESETS
from lrs.competency.frameworks.sheets import framework_from_sheet
from lrs.competency.rules.rulesets import current
from lrs.composition.steps import drain
from lrs.web.origins import session_cookie
from tests.browser.chromium import Chromium, found
from tests.browser.test_pages import AXE, LOOK
from tests.npm import packages
from tests.programs import until
from tests.served import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(found() is None, reason="there is no Chromium here: no page was looked at"),
    pytest.mark.timeout(600),
]
URI = "https://example.org/frameworks/atmp"
SHEET = (
    "domain,domain code,capability,capability code,statement,statement code,tier\nClean,D1,Gowning,GOWN,Gowns,G-1,1\n"
)
RULES = "activity,verb,competency,level,threshold,trusted source\nhttps://vle.example/gown,passed,GOWN,1,80,tests\n"
HEADER = "Learner ID,Standard,Standard version,Evidence ref,KSB,Date of evidence,Evidence status"
GOOD = "P-1,ST1406,1.0,E-1,K1,03/11/2025,signed off"
FILE = f"{HEADER}\n{GOOD}\nדנה כהן,ST1406,1.0,E-2,K1,31/02/2025,signed off\n"


class Desk:
    """A server, a browser, and somebody in front of it."""

    def __init__(self, lrs, browser):
        self.lrs, self.browser = lrs, browser
        self.checker = (packages(Path(__file__).parent) / "node_modules/axe-core/axe.min.js").read_text()

    def sit_down(self, *roles, width):
        """Signs a new member with these *roles* in, in a window of this *width*."""
        tenant, id = self.lrs.tenant, uuid4().hex
        member = Member(f"{id}@example.org", tenant.clock(), "Nora", tuple(map(granted, roles)), state=ACTIVE)
        tenant.store.write(lambda tx: staff.put(tx, id, member)).result()
        host = urlsplit(self.lrs.address).hostname
        token = open_session(tenant, staff.SUBJECT + id)
        self.browser.call("Network.setCookie", name=session_cookie(tenant), value=token, domain=host, path="/")
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self.browser.call("Emulation.setDeviceMetricsOverride", **size)

    def open(self, path):
        self.browser.open(self.lrs.address + path)
        self.looks_well(path)

    def choose(self, path):
        """Chooses the file at *path* in the page's field."""
        root = self.browser.call("DOM.getDocument")["root"]["nodeId"]
        node = self.browser.call("DOM.querySelector", nodeId=root, selector="input[type=file]")["nodeId"]
        self.browser.call("DOM.setFileInputFiles", files=[str(path)], nodeId=node)

    def press(self, text):
        """Presses the button that says *text*."""
        self.browser.run(
            f"[...document.querySelectorAll('button')].find(e => e.textContent.includes({json.dumps(text)})).click()"
        )

    def key(self, key, times=1):
        for _ in range(times):
            for kind in ("keyDown", "keyUp"):
                text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
                code = {"Tab": 9, "Enter": 13}[key]
                self.browser.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **text)

    def tab_to(self, selector):
        """Goes on by the tab key until *selector* has the focus."""
        for _ in range(60):
            self.key("Tab")
            if self.browser.run(f"document.activeElement.matches({json.dumps(selector)})"):
                return
        raise AssertionError(f"the tab key never comes to {selector}")

    def reads(self, text):
        """Waits until the page says *text*, as it does by itself."""
        said = "document.body ? document.body.innerText : ''"
        until(lambda: text in " ".join(self.browser.run(said).split()), f"the page to say {text!r}")

    def looks_well(self, name):
        look = json.loads(self.browser.run(LOOK))
        self.browser.run(self.checker)
        wrong = json.loads(self.browser.run(AXE))
        if folder := os.environ.get("LRS_TEST_PICTURES"):
            size = self.browser.call("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 2_400), "scale": 1}
            told = self.browser.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
            file = f"{name.strip('/').replace('/', '-')} {size['width']}.png"
            Path(folder, file).write_bytes(base64.b64decode(told["data"]))
        assert look.pop("texts") > 3
        assert look == {"scrolls": False, "wide": [], "small": [], "pale": [], "broken": []}
        assert wrong == []
        assert self.browser.errors == []
        assert self.browser.said == []


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with (
        serving(tmp_path_factory.mktemp("lrs")) as served,
        closing(Chromium(found(), tmp_path_factory.mktemp("chromium"))) as browser,
    ):
        store = served.tenant.store
        framework, _ = framework_from_sheet(SHEET.encode(), uri=URI, title="Advanced therapies", scale=PRESETS["tiers"])
        store.write(lambda tx: (keep(tx, framework), publish(tx, URI, "test"))).result()
        yield Desk(served, browser)


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_a_provider_brings_a_file_in_and_sends_its_repaired_rows(desk, tmp_path, width):
    source = f"north {width}"
    file = tmp_path / "evidence.csv"
    file.write_text(FILE)
    desk.sit_down(f"provider:{source}", width=width)
    desk.open("/provider")

    desk.choose(file)
    desk.press("Check the file")
    desk.reads("The file is being read")
    drain(desk.lrs.tenant, ("import",))
    desk.reads("What would go in New 1")
    desk.reads("There is no such date.")
    desk.looks_well(f"plan of {width}")
    desk.press("Bring in one row")
    desk.reads("Waits its turn")
    drain(desk.lrs.tenant, ("import",))
    desk.reads("What went in New 1")
    desk.looks_well(f"brought in {width}")
    address = desk.browser.run("location.pathname")
    repairs = desk.browser.run(f"fetch('{address}/repairs').then(answer => answer.text())")
    file.write_text(repairs.replace("31/02/2025", "28/02/2025"))
    desk.choose(file)
    desk.press("Check the file")
    drain_when_there(desk, source)
    desk.reads("What would go in New 1")
    desk.reads("Known already 1")


def drain_when_there(desk, source):
    """The repaired rows have come."""
    waits = lambda: drain(desk.lrs.tenant, ("import",)) > 0  # noqa: E731
    until(waits, f"the file of {source} to come")


def test_a_steward_puts_rules_in_force_by_the_keyboard_alone(desk, tmp_path):
    table = tmp_path / "rules.csv"
    table.write_text(RULES)
    desk.sit_down("steward", width=768)
    send_by_keyboard(desk, table)
    desk.tab_to("main form button")
    desk.key("Enter")
    desk.reads("They are put in force, if it is still as you saw it.")
    drain(desk.lrs.tenant, ("weigh",))
    desk.reads("Version 1 is in force.")
    gown = {"id": "https://vle.example/gown"}
    verb = {"id": "http://adlnet.gov/expapi/verbs/passed"}
    actor = {"name": "Ann", "mbox": "mailto:ann@example.org"}
    desk.lrs.store({"actor": actor, "verb": verb, "object": gown, "result": {"score": {"scaled": 0.9}}})
    drain(desk.lrs.tenant)

    table.write_text(RULES.partition("\n")[0] + "\n")
    send_by_keyboard(desk, table)
    desk.reads("Held levels that would go or end earlier 1")
    desk.looks_well("losses")
    desk.tab_to("#expected")
    desk.browser.call("Input.insertText", text="1")
    desk.key("Enter")
    desk.reads("They are put in force")
    drain(desk.lrs.tenant, ("weigh",))
    desk.reads("Version 2 is in force. One held level goes, or ends earlier.")
    desk.looks_well("in force")

    assert current(desk.lrs.tenant.store).version == 2


def send_by_keyboard(desk, table):
    desk.open("/staff/rules")
    desk.choose(table)
    desk.tab_to("main form button")
    desk.key("Enter")
    desk.reads("Who would gain and lose is being worked out")
    drain(desk.lrs.tenant, ("weigh",))
    desk.reads("What would change")


def test_a_file_can_be_dropped_on_the_form(desk):
    desk.sit_down("steward", width=1280)
    desk.open("/staff/imports")
    drop = """(() => {
      const held = new DataTransfer();
      held.items.add(new File(['a,b'], 'dropped.csv'));
      const event = new DragEvent('drop', {dataTransfer: held, bubbles: true, cancelable: true});
      document.querySelector('form[data-drop] label').dispatchEvent(event);
      return document.querySelector('input[type=file]').files[0]?.name;
    })()"""

    assert desk.browser.run(drop) == "dropped.csv"
