"""Every page at 390, 768 and 1280 px, light and dark: it fits, it can be read and pressed, and axe finds nothing.

The pages are those of the table of rights, with something in each, and refusals. With ``LRS_TEST_PICTURES`` set to a
folder, pictures of them are put there, to be looked at. Made for ``make browser``.
"""

import base64
import json
import os
import re
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from lrs.access import staff_acts
from lrs.access.policy.operators import OF_INSTALLATION
from lrs.access.policy.table import TABLE
from lrs.access.roles import Granted
from lrs.composition.steps import drain
from lrs.storage import Owed, Record
from tests.browser.chromium import Chromium, found
from tests.npm import packages
from tests.programs import until
from tests.served import serving
from tests.web.looking import add_look
from tests.web.site import Site

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(found() is None, reason="there is no Chromium here: no page was looked at"),
    pytest.mark.timeout(600),
]
WIDTHS = (390, 768, 1280)
GET = sorted(
    pattern
    for (method, pattern), line in TABLE.items()
    if method == "GET"
    and line.pages
    and pattern not in OF_INSTALLATION  # whose pages are in test_operator.py
    and not pattern.startswith("/t/{tenant}/lti/")  # test_lti.py
    and not pattern.endswith((".png", ".svg"))
)
ELSEWHERE = {
    **dict.fromkeys((pattern for pattern in GET if pattern.startswith("/me")), 403),  # for learners: test_roles.py
    **dict.fromkeys((pattern for pattern in GET if pattern.startswith("/provider")), 403),  # for providers alone
    "/roles/one": 400,  # with a role: test_role_pages.py
    "/roles/embed": 400,
    **dict.fromkeys(("/employer", "/employer.csv", "/employer.json"), 403),  # for employers alone: test_roles.py
    "/account/second-factor": 404,  # whoever signed in with a key has none
    "/staff/lms/platforms/{id}": 404,  # test_lti.py
    "/sign-in/link/{token}": 410,
    "/sign-off/{token}": 410,
    "/scorm/{token}": 404,  # test_other_content.py
    "/staff/lms/platforms/{id}/results": 404,  # test_lti.py
    "/t/{tenant}/check/{certificate}": 404,  # nobody took a certificate here
    "/claim/{claim}/file": 409,  # nobody took the badge yet: test_badges.py
    "/sign-in/return": 403,
    "/sign-in/with/{provider}": 404,
    "/t/{tenant}/criteria/{id}": 404,
    "/t/{tenant}/competencies/{id}": 404,
    "/t/{tenant}/achievements/{id}": 404,  # without an https address, badges have no permanent ones
}
"""Pages for which this scene has nothing, and what they answer."""
REFUSED = ("/nowhere", "/pages/badges/none", "/pages/work/retry", "/links/none", "/t/default/achievements/none")
LOOK = """
(() => {
  const seen = e => { const r = e.getBoundingClientRect(); return r.width > 1 && r.height > 1 && e.checkVisibility(); };
  const told = e => e.tagName + ' ' + e.className + ' ' + (e.textContent || e.name || '').trim().slice(0, 40);
  const clipped = e => { for (; e; e = e.parentElement) if (getComputedStyle(e).clipPath != 'none') return true; };
  const all = [...document.body.querySelectorAll('*')].filter(e => seen(e) && !clipped(e));
  const width = document.documentElement.clientWidth;
  const wide = all.filter(e => e.getBoundingClientRect().right > width + 1 && e.getBoundingClientRect().left >= 0);
  // WCAG 2.2, 2.5.8: targets of 24 by 24 px, but for links within a text.
  const small = all.filter(e => e.matches('a, button, input, summary')).filter(e => {
    const r = e.getBoundingClientRect();
    return getComputedStyle(e).display != 'inline' && (r.width < 24 || r.height < 24);
  });
  // WCAG 2.2, 1.4.3: contrast of a text with what is behind it.
  const colour = text => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return {rgb: [r, g, b], a}; };
  const light = rgb => {
    const [r, g, b] = rgb.map(c => c / 255).map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const behind = e => {
    for (; e; e = e.parentElement) { const c = colour(getComputedStyle(e).backgroundColor); if (c.a) return c.rgb; }
    return [255, 255, 255];
  };
  const pale = all.filter(e => [...e.childNodes].some(n => n.nodeType == 3 && n.textContent.trim())).filter(e => {
    const [a, b] = [light(colour(getComputedStyle(e).color).rgb), light(behind(e))].sort((a, b) => b - a);
    return (a + .05) / (b + .05) < 4.5;
  });
  const broken = all.filter(e => e.matches('td button')).filter(e => {
    const inside = document.createRange(), lines = new Set();
    const texts = document.createTreeWalker(e, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      if (clipped(texts.currentNode.parentElement)) continue;  // what only a screen reader says
      inside.selectNodeContents(texts.currentNode);
      for (const line of inside.getClientRects()) lines.add(Math.round(line.top));
    }
    return lines.size > 1;
  });
  const scrolls = document.documentElement.scrollWidth > width;
  const told_of = Object.entries({wide, small, pale, broken}).map(([name, found]) => [name, found.map(told)]);
  return JSON.stringify({scrolls, texts: all.length, ...Object.fromEntries(told_of)});
})()
"""


AXE = """
axe.run(document, {resultTypes: ['violations']}).then(({violations}) => JSON.stringify(violations.map(
  one => [one.id, one.help, one.nodes.slice(0, 3).map(node => node.html.slice(0, 200))])))
"""


class Scene:
    """A server with something on each page, and a browser in which an administrator is signed in to it."""

    def __init__(self, lrs, browser):
        self.lrs, self.browser, self.site = lrs, browser, Site(lrs)
        self.checker = (packages(Path(__file__).parent) / "node_modules/axe-core/axe.min.js").read_text()
        for name, parked in (("a-1", True), ("a-2", False)):
            record = Record("award", name, b"nonsense", owed=(Owed("issue"),))
            lrs.tenant.store.write(lambda tx, record=record: tx.insert(record)).result()
            claim = next(iter(lrs.tenant.store.claim(["issue"], limit=9, lease=1_000_000)))
            later = lrs.tenant.clock() + 3_600_000_000
            lrs.tenant.store.defer(claim, due=later, error="nobody reads it: " + "W" * 300, parked=parked)
        invited = staff_acts.invite(
            lrs.tenant, "ann@example.org", [Granted("administrator")], by="test", root=lrs.address
        )
        self.invitation = urlsplit(invited.link).path
        drain(lrs.tenant, ("deliver",))
        self.enter(self.site.cookie)

    def enter(self, cookie):
        """Has the browser be signed in by *cookie*, in the form of ``Site``."""
        self.browser.call("Network.clearBrowserCookies")
        name, _, value = cookie["Cookie"].partition("=")
        host = urlsplit(self.lrs.address).hostname
        self.browser.call("Network.setCookie", name=name, value=value, domain=host, path="/", httpOnly=True)

    def show(self, path, width, scheme):
        """Shows *path*; what there is to see."""
        self.browser.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=True
        )
        scheme = [{"name": "prefers-color-scheme", "value": scheme}]
        self.browser.call("Emulation.setEmulatedMedia", features=scheme)
        self.browser.open(self.lrs.address + path)
        return json.loads(self.browser.run(LOOK))

    def axe(self):
        """What axe-core (its rules of WCAG 2.2 and of good practice) finds wrong with the page."""
        self.browser.run(self.checker)
        return json.loads(self.browser.run(AXE))

    def picture(self, name):
        """Puts a picture of the page where somebody asked for them."""
        if folder := os.environ.get("LRS_TEST_PICTURES"):
            size = self.browser.call("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 1_800), "scale": 1}
            told = self.browser.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
            Path(folder, f"{name}.png").write_bytes(base64.b64decode(told["data"]))


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    with (
        serving(tmp_path_factory.mktemp("lrs")) as served,
        closing(Chromium(found(), tmp_path_factory.mktemp("chromium"))) as browser,
    ):
        add_look(served.app)
        yield Scene(served, browser)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("pattern", ["/look", *GET, *REFUSED])
def test_a_page_fits_and_can_be_read_and_pressed(scene, pattern, width, scheme):
    path = scene.site.path(pattern)
    if pattern == "/invitation/{token}":
        path = scene.invitation
    if pattern == "/pages/badges/{id}":
        path = "/pages/badges/no-badge"  # for a badge is a file

    look = scene.show(path, width, scheme)
    wrong = scene.axe() if width != 768 else []
    scene.picture(re.sub(r"\W+", "-", f"{pattern} {width} {scheme}").strip("-"))

    expected = ELSEWHERE.get(pattern, 404 if pattern == "/pages/badges/{id}" else 200)
    assert scene.browser.answers[-1][1] == expected or pattern in REFUSED
    assert look.pop("texts") > 3
    assert look == {"scrolls": False, "wide": [], "small": [], "pale": [], "broken": []}
    assert wrong == []
    assert scene.browser.said == []
    assert [one for one in scene.browser.errors if path not in one] == []


def test_a_page_is_printed_black_on_white_without_what_is_only_for_a_screen(scene):
    scene.show("/look", 1280, "dark")
    scene.browser.call("Emulation.setEmulatedMedia", media="print")
    seen = "[...document.querySelectorAll('nav, form, button, .button, .skip')].filter(e => e.offsetParent).length"
    colours = "getComputedStyle(document.body).color + getComputedStyle(document.body).backgroundColor"

    assert scene.browser.run(seen) == 0
    assert scene.browser.run(colours) == "rgb(0, 0, 0)rgb(255, 255, 255)"
    if folder := os.environ.get("LRS_TEST_PICTURES"):
        Path(folder, "look-print.pdf").write_bytes(base64.b64decode(scene.browser.call("Page.printToPDF")["data"]))
    scene.browser.call("Emulation.setEmulatedMedia", media="")


def test_the_parts_of_a_page_work_with_and_without_scripts(scene):
    opened = "document.querySelector('dialog').matches(':modal')"
    there = "document.querySelector('dialog').getBoundingClientRect().height > 50"
    copies = "[...document.querySelectorAll('[data-copy]')].some(e => !e.hidden)"

    scene.show("/look", 1280, "light")
    scene.browser.run("document.querySelector('[data-dialog]').click()")
    by_script = [scene.browser.run(one) for one in (opened, copies)]
    scene.browser.run("document.querySelector('[data-close]').click()")
    closed = scene.browser.run(opened)
    scene.browser.call("Emulation.setScriptExecutionDisabled", value=True)
    scene.show("/look", 1280, "light")
    scene.browser.run("location.hash = document.querySelector('[data-dialog]').hash")
    without = [scene.browser.run(one) for one in (opened, there, copies)]
    scene.browser.call("Emulation.setScriptExecutionDisabled", value=False)

    assert (by_script, closed, without) == ([True, True], False, [False, True, False])


def test_a_live_part_follows_and_says_when_it_does_not(scene):
    told = "document.querySelector('[data-live-told]').textContent"
    fresh = "document.querySelector('#now').textContent.includes('changed here')"
    scene.show("/look", 1280, "light")
    scene.browser.run("document.querySelector('#now').textContent = 'changed here'")
    until(lambda: not scene.browser.run(fresh), "the part to be as the server has it")

    works = scene.browser.run(told)
    scene.browser.call(
        "Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0
    )
    until(lambda: scene.browser.run(told) != works, "the page to say that it is not live")
    fails = scene.browser.run(told)
    scene.browser.call(
        "Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1, uploadThroughput=-1
    )

    assert works.startswith("Live: ")
    assert fails.startswith("Not live: nothing new could be fetched since ")
