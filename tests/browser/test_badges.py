"""A badge on a phone and at a desk: claimed by a link, put into a wallet, shared, and seen by others.

Pictures as in ``test_learner``.
"""

from contextlib import closing
from pathlib import Path

import pytest

from badges.claims import claims
from badges.held import shares
from badges.wallets import exchanges
from lrs.storage import each
from tests.browser.chromium import Chromium, found
from tests.browser.test_learner import WIDTHS, Learner, lived
from tests.npm import packages
from tests.served import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(found() is None, reason="there is no Chromium here: no page was looked at"),
    pytest.mark.timeout(600),
]


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
