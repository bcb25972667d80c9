"""A badge on a phone and at a desk: claimed by a link, put into a wallet, shared, and seen by others.

Pictures as in ``test_learner``.
"""

import io
import json
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import segno
from PIL import Image, ImageFilter

from badges.claims import claims
from badges.held import certificates, shares, stops
from badges.pages.event_codes import PLACE as CODES
from badges.pages.issuers import PLACE as ISSUERS
from badges.wallets import exchanges
from lrs.access import staff_acts
from lrs.access.staff import Granted
from lrs.composition.steps import drain
from lrs.people import sign_in
from lrs.storage import each
from tests.browser.chromium import Chromium, found
from tests.browser.test_learner import ANN, WIDTHS, Learner, lived
from tests.npm import packages
from tests.programs import until
from tests.served import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(found() is None, reason="there is no Chromium here: no page was looked at"),
    pytest.mark.timeout(600),
]
WORDS = "four words in a row"


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    with (
        serving(tmp_path_factory.mktemp("lrs")) as served,
        closing(Chromium(found(), tmp_path_factory.mktemp("chromium"))) as browser,
    ):
        checker = (packages(Path(__file__).parent) / "node_modules/axe-core/axe.min.js").read_text()
        yield served, browser, lived(served), checker


def button(act):
    return f"document.querySelector('form input[name=act][value={act}]').form.querySelector('button')"


@pytest.mark.parametrize("language", ["en", "cy"])
@pytest.mark.parametrize("width", WIDTHS)
def test_a_badge_is_claimed_put_into_a_wallet_and_shared(scene, width, language):
    lrs, browser, person, checker = scene
    ann, tenant = Learner(lrs, browser, person, width, checker), lrs.tenant
    badge = next(iter(each(tenant.store, "credential")))
    path = f"/claim/{tenant.store.write(lambda tx: claims.make(tx, tenant, badge)).result().token}"

    def looked_at(name):
        ann.looked_at(f"badge-{name}-{language}")

    ann.open(f"{path}?lang={language}")
    looked_at("claim")
    ann.press(button("accept"), path)
    looked_at("accepted")
    ann.press(button("wallet"), path)
    looked_at("wallet")
    code = browser.run("document.querySelector('#wallet-ways strong').textContent")
    ann.open(path)
    ann.press(button("share"), path)
    looked_at("own-share")
    share = shares.share_of(tenant.store, badge.id)
    ann.open(f"/t/default/shared/{share.token}")
    looked_at("shared")
    seen = browser.run("document.querySelector('.note.good strong').textContent")
    ann.scheme("dark")
    looked_at("shared-dark")
    ann.scheme("light")
    ann.open(path)
    ann.press(button("stop"), path)
    browser.call("Network.clearBrowserCookies")
    token = tenant.store.write(lambda tx: exchanges.make(tx, tenant, badge)).result()
    ann.open(f"/t/default/exchanges/{token}?iuv=1&lang={language}")
    looked_at("interaction")

    assert len(code) == 6
    assert seen == {"en": "This badge is genuine.", "cy": "Mae'r bathodyn hwn yn ddilys."}[language]
    assert shares.share_of(tenant.store, badge.id) is None


@pytest.mark.parametrize("width", WIDTHS)
def test_a_certificate_is_checked_and_what_was_taken_back_is_told(scene, width):
    lrs, browser, person, checker = scene
    ann, tenant = Learner(lrs, browser, person, width, checker), lrs.tenant
    badge, *_ = each(tenant.store, "credential")
    other = list(each(tenant.store, "credential"))[1]
    tenant.store.write(lambda tx: shares.share(tx, tenant, other, with_name=False, by="test")).result()
    code = certificates.code_of(tenant, badge.id)
    invited = sign_in.invite(tenant, person, ANN, by="test", root=lrs.address)

    ann.open(f"/t/default/check/{code}")
    ann.looked_at("certificate")
    checked = browser.run("document.querySelector('.note.good strong').textContent")
    ann.open(f"/t/default/check/{code}x")
    browser.errors.clear()  # the browser tells of the 404
    ann.looked_at("certificate-unknown")
    ann.open(urlsplit(invited.link).path)
    ann.press("document.querySelector('main form button')", "/me")
    stops.stop(tenant, [other.id], "suspended", reason="We look into how it was shown", by="test")
    ann.open("/me/sharing")
    ann.looked_at("shared-badges")
    ann.open("/me")
    ann.looked_at("badge-set-aside")
    told = browser.run("document.querySelector('#gone + ul').textContent")
    ann.press("document.querySelector('#gone + ul form button')", "/me")
    ann.open(f"/me/badges/{badge.id}/take")
    ann.looked_at("badge-take")
    stops.resume(tenant, other.id, by="test")
    drain(tenant, ("issue", "publish"))

    assert checked == "This badge is genuine."
    assert "We look into how it was shown" in told
    assert shares.share_of(tenant.store, other.id) is None


def filmed(text, path):
    """A film of a QR code of *text* that somebody holds before the camera, not quite still."""
    made = io.BytesIO()
    segno.make(text, error="m", micro=False).save(made, kind="png", scale=6, border=4)
    code = Image.open(made).convert("L")
    with path.open("wb") as film:
        for angle in range(-12, 12, 3):
            table = Image.new("L", (640, 480), 110)
            whole = Image.new("L", code.size, 255).rotate(angle, expand=True)
            table.paste(code.rotate(angle, Image.Resampling.BICUBIC, expand=True), (150 + 2 * angle, 70), whole)
            table.filter(ImageFilter.GaussianBlur(0.8)).save(film, "JPEG")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_camera_reads_the_code_of_a_certificate_and_the_badge_is_checked(scene, tmp_path, width):
    lrs, _, person, checker = scene
    badge = next(iter(each(lrs.tenant.store, "credential")))
    filmed(f"{lrs.address}/t/default/check/{certificates.code_of(lrs.tenant, badge.id)}", tmp_path / "code.mjpeg")
    camera = f"--use-file-for-fake-video-capture={tmp_path / 'code.mjpeg'}"
    flags = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", camera)

    with closing(Chromium(found(), tmp_path / "chromium", *flags)) as browser:
        employer = Learner(lrs, browser, person, width, checker)
        employer.open("/verify")
        employer.looked_at("verify-camera-offered")
        offered = browser.run("!document.querySelector('[data-scan-part]').hidden")
        browser.run("document.querySelector('[data-scan-start]').click()")
        seen = "document.querySelector('[data-scan-video]').readyState >= 2"
        until(lambda: browser.run(seen), "the camera to show something")
        employer.looked_at("verify-by-camera")
        employer.press("document.querySelector('[data-scan-start]')", "/verify")
        told = browser.run("document.querySelector('h1').textContent")

    assert offered
    assert told == "This badge is genuine and valid"


DROPPED = """
const given = new DataTransfer();
given.items.add(new File([CONTENT], "badge.json"));
document.querySelector("form[data-drop]").dispatchEvent(
  new DragEvent("drop", {dataTransfer: given, bubbles: true, cancelable: true}));
document.querySelector("input[type=file]").files.length
"""


@pytest.mark.parametrize("width", WIDTHS)
def test_a_badge_is_dropped_and_checked_and_a_file_that_is_too_large_is_told_beside_the_form(scene, width):
    lrs, browser, person, checker = scene
    badge = next(iter(each(lrs.tenant.store, "credential")))
    employer = Learner(lrs, browser, person, width, checker)
    check = "document.querySelector('form[data-drop] > button')"

    employer.open("/verify")
    taken = browser.run(DROPPED.replace("CONTENT", json.dumps(badge.body.decode())))
    employer.press(check, "/verify")
    employer.looked_at("verify-dropped")
    told = browser.run("document.querySelector('h1').textContent")
    browser.run(DROPPED.replace("CONTENT", "new Uint8Array(10 * 2 ** 20)"))
    employer.press(check, "/verify")
    browser.errors.clear()  # the browser tells of the 413
    employer.looked_at("verify-too-large")
    refused = browser.run("document.querySelector('.note.problem').textContent")
    is_there = browser.run("document.querySelector('input[type=file]') !== null")

    assert (taken, told) == (1, "This badge is genuine and valid")
    assert "a badge may have 4 MiB with its image" in refused
    assert is_there


@pytest.mark.parametrize("width", WIDTHS)
def test_a_steward_makes_a_code_trusts_an_issuer_and_endorses_a_badge(scene, width):
    lrs, browser, person, checker = scene
    steward, tenant = Learner(lrs, browser, person, width, checker), lrs.tenant
    badge = next(iter(each(tenant.store, "credential")))
    invited = staff_acts.invite(
        tenant, f"admin-{width}@example.org", [Granted("administrator")], by="test", root=lrs.address
    )
    steward.open(urlsplit(invited.link).path)
    for field, value in (("name", "Sam Staff"), ("password", WORDS), ("again", WORDS)):
        browser.run(f"document.querySelector('#{field}').value = '{value}'")
    steward.press("document.querySelector('main form button')", "/invitation/")
    for path, name in ((CODES, "event-codes"), (ISSUERS, "issuers"), (f"/staff/badge/{badge.id}", "badge-one")):
        steward.open(path)
        steward.looked_at(f"steward-{name}")
    steward.open(CODES)
    browser.run("document.querySelector('#title').value = 'Open day'")
    browser.run("document.querySelector('#activity').value = 'https://centre.example.org/open-day'")
    browser.run("document.querySelector('#until').value = '2031-01-31'")
    steward.press("document.querySelector('#title').form.querySelector('button')", CODES)
    steward.looked_at("steward-event-code-made")

    assert len(browser.run("document.querySelector('.event-code').textContent").strip()) == 9
