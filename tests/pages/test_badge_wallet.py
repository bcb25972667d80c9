"""A badge on its way into a wallet by a VC-API exchange, over HTTP, and the pages that lead there."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from badges.credentials.status import place_id
from badges.held import stops
from badges.wallets import exchanges, hand_over
from lrs.composition.steps import drain
from lrs.kernel.times import MINUTE
from lrs.storage import each
from tests.badges.wallet import Wallet
from tests.pages.conftest import Browser, text_of
from tests.pages.test_badge_claim import accepted, link, uses
from tests.pages.test_me import lived, signed_in

DOMAIN = "lrs.test"


@pytest.fixture
def ann(site):
    return lived(site)


@pytest.fixture
def badge(site, ann):
    return next(one for one in each(site.tenant.store, "credential") if one.meta["person"] == ann)


class Asking:
    """A wallet that speaks to the exchange of a badge."""

    def __init__(self, site, badge, wallet=None):
        self.browser, self.wallet, self.site = Browser(site.app), wallet or Wallet(), site
        self.token = site.tenant.store.write(lambda tx: exchanges.make(tx, site.tenant, badge)).result()
        self.path = f"/t/default/exchanges/{self.token}"

    def post(self, body, path=""):
        return self.browser.ask("POST", self.path + path, json=body)

    def asked(self):
        return self.post({}).json()["verifiablePresentationRequest"]

    def take(self, wallet=None, domain=DOMAIN, challenge=None, **more):
        challenge = challenge or self.asked()["challenge"]
        return self.post({"verifiablePresentation": (wallet or self.wallet).presented(challenge, domain, **more)})


@pytest.fixture
def asking(site, badge):
    return Asking(site, badge)


def credential_in(answer):
    assert answer.status_code == 200, answer.text
    (credential,) = answer.json()["verifiablePresentation"]["verifiableCredential"]
    return credential


@pytest.mark.parametrize("old", [False, True])
def test_a_wallet_that_proves_its_did_gets_the_badge_anew_with_the_did_as_its_subject(site, badge, asking, old):
    asked = asking.asked()

    got = credential_in(asking.take(challenge=asked["challenge"], old=old))

    before = json.loads(badge.body)
    stored = site.tenant.store.get("credential", badge.id)
    assert asked["domain"] == DOMAIN
    assert [one["type"] for one in asked["query"]] == ["DIDAuthentication"]
    assert got["credentialSubject"]["id"] == asking.wallet.did
    assert got["id"] == before["id"]
    assert got["credentialSubject"]["identifier"] == before["credentialSubject"]["identifier"]
    assert got["credentialStatus"] == before["credentialStatus"]
    assert json.loads(stored.body) == got
    assert uses(site, badge) == {"claimed"}


def test_every_later_issue_of_the_badge_names_the_same_did(site, badge, asking):
    credential_in(asking.take())
    drain(site.tenant, ["issue"])
    stops.stop(site.tenant, [badge.id], "suspended", reason="A check", by="test")
    drain(site.tenant, ["issue", "publish"])
    stops.resume(site.tenant, badge.id, by="test")
    drain(site.tenant, ["issue", "publish"])

    again = json.loads(site.tenant.store.get("credential", badge.id).body)

    assert again["credentialSubject"]["id"] == asking.wallet.did


def test_the_interaction_url_lists_both_protocols_and_shows_a_browser_a_page(asking):
    as_json = asking.browser.ask("GET", f"{asking.path}?iuv=1", headers={"accept": "application/json"})
    as_page = asking.browser.ask("GET", f"{asking.path}?iuv=1", headers={"accept": "text/html,*/*;q=0.8"})

    protocols = as_json.json()["protocols"]
    offer = parse_qs(urlsplit(protocols["OID4VCI"]).query)["credential_offer_uri"]
    assert protocols["vcapi"] == f"http://lrs.test{asking.path}"
    code = exchanges.offer_code(asking.site.tenant, asking.token)
    assert offer == [f"http://lrs.test/t/default/oid4vci/offers/{code}"]
    assert "Choose the wallet on this device." in text_of(as_page)
    deep = re.search(r'href="dccrequest://\?request=([^"]+)"', as_page.text)[1]
    assert json.loads(unquote(deep)) == as_json.json()
    assert exchanges.tx_code(asking.site.tenant, code) not in as_page.text


def test_an_older_wallet_posts_the_presentation_bare_to_the_address_of_the_deep_link_once(asking):
    challenge = exchanges.link_challenge(asking.site.tenant, asking.token)

    elsewhere = asking.post(asking.wallet.presented(challenge, "evil.example", old=True), "/request")
    got = asking.post(asking.wallet.presented(challenge, None, old=True), "/request")
    again = asking.post(asking.wallet.presented(challenge, None, old=True), "/request")
    guessed = asking.post(asking.wallet.presented("guessed", None, old=True), "/request")

    assert (elsewhere.status_code, elsewhere.json()["error"]) == (400, "wrong_domain")
    assert got.status_code == 200
    assert got.json()["credentialSubject"]["id"] == asking.wallet.did
    assert (again.status_code, again.json()["error"]) == (400, "wrong_challenge")
    assert (guessed.status_code, guessed.json()["error"]) == (400, "wrong_challenge")


def bad(asking, **more):
    answer = asking.take(**more)
    return answer.status_code, answer.json()["error"]


def test_a_presentation_that_proves_nothing_is_refused_with_the_reason_and_changes_nothing(site, badge, asking):
    other, mine = Wallet(), asking.wallet
    foreign = other.presented(asking.asked()["challenge"], DOMAIN) | {"holder": mine.did}

    told = {
        "another holder": asking.post({"verifiablePresentation": foreign}).json()["error"],
        "another domain": bad(asking, domain="evil.example"),
        "no domain": bad(asking, domain=None),
        "another challenge": bad(asking, challenge="guessed"),
        "another purpose": bad(asking, proofPurpose="assertionMethod"),
        "a suite of its own": bad(asking, cryptosuite="mine-2026"),
        "a context of its own": bad(asking, **{"@context": "https://evil.example/context"}),
        "a DID that is no key": bad(asking, verificationMethod="did:web:evil.example#key"),
        "no presentation": asking.post({"verifiablePresentation": {}}).json()["error"],
        "no object": asking.post({"verifiablePresentation": 5}).status_code,
        "no JSON": asking.browser.ask("POST", asking.path, content=b"{").status_code,
    }

    assert told == {
        "another holder": "other_key",
        "another domain": (400, "wrong_domain"),
        "no domain": (400, "wrong_domain"),
        "another challenge": (400, "wrong_challenge"),
        "another purpose": (400, "wrong_purpose"),
        "a suite of its own": (400, "bad_suite"),
        "a context of its own": (400, "bad_presentation"),
        "a DID that is no key": (400, "bad_key"),
        "no presentation": "bad_presentation",
        "no object": 400,
        "no JSON": 400,
    }
    assert site.tenant.store.get("credential", badge.id) == badge
    assert site.tenant.store.get("badge-holder", badge.id) is None


def test_a_presentation_signed_by_another_key_is_refused(asking):
    other, mine = Wallet(), asking.wallet
    challenge = asking.asked()["challenge"]
    forged = mine.presented(challenge, DOMAIN)
    forged["proof"]["proofValue"] = other.presented(challenge, DOMAIN)["proof"]["proofValue"]

    answer = asking.post({"verifiablePresentation": forged})

    assert (answer.status_code, answer.json()["error"]) == (400, "not_signed")
    assert answer.json()["pointer"] == "/proof/proofValue"


def test_a_challenge_is_good_for_one_presentation(asking):
    challenge = asking.asked()["challenge"]

    first, second = asking.take(challenge=challenge), asking.take(challenge=challenge)

    assert first.status_code == 200
    assert (second.status_code, second.json()["error"]) == (400, "wrong_challenge")


def test_a_wallet_that_went_away_in_the_middle_begins_again_and_no_other_can(site, badge, asking):
    asking.asked()  # and went away
    got = credential_in(asking.take())  # the answer never arrived
    again = credential_in(asking.take())
    other = asking.take(Wallet())

    assert got == again
    assert (other.status_code, other.json()["error"]) == (409, "taken")
    assert json.loads(site.tenant.store.get("credential", badge.id).body) == got


def test_a_badge_whose_award_changes_while_it_is_signed_is_signed_again(site, asking, monkeypatch):
    signed, change_of = [], hand_over.change_of

    def meanwhile(desk, award):
        signed.append(change_of(desk, award))
        if len(signed) == 1:
            site.tenant.store.write(lambda tx: tx.replace(tx.get("award", award))).result()
        return signed[-1]

    monkeypatch.setattr(hand_over, "change_of", meanwhile)

    assert credential_in(asking.take())["credentialSubject"]["id"] == asking.wallet.did
    assert len(signed) == 2


def test_an_exchange_that_is_over_replaced_or_guessed_says_so(site, badge, asking):
    later = Asking(site, badge)
    replaced = asking.post({})
    site.world.clock.now += 20 * MINUTE
    over = later.post({})
    page = later.browser.ask("GET", later.path, headers={"accept": "text/html"})
    guessed = later.browser.ask("POST", "/t/default/exchanges/guessed", json={})

    assert (replaced.status_code, replaced.json()["error"]) == (404, "exchange_unknown")
    assert (over.status_code, over.json()["error"]) == (410, "exchange_expired")
    assert (guessed.status_code, guessed.json()["error"]) == (404, "exchange_unknown")
    assert page.status_code == 410
    assert "it was good for 20 minutes" in text_of(page)


def test_a_wallet_that_is_a_page_of_another_site_may_ask(asking):
    asked = {"origin": "https://wallet.example", "access-control-request-method": "POST"}
    paths = (asking.path, f"{asking.path}/request", "/t/default/oid4vci/credential", "/t/default/oid4vci/token")

    answers = [asking.browser.ask("OPTIONS", path, headers=asked) for path in paths]
    answered = asking.browser.ask("POST", asking.path, json={}, headers={"origin": "https://wallet.example"})

    assert [one.status_code for one in answers] == [204] * 4
    assert {one.headers["access-control-allow-methods"] for one in answers} == {"GET, HEAD, POST, OPTIONS"}
    assert {one.headers["access-control-allow-origin"] for one in answers} == {"*"}
    assert (answered.status_code, answered.headers["access-control-allow-origin"]) == (200, "*")


def test_a_badge_that_is_revoked_meanwhile_goes_into_no_wallet(site, badge, asking):
    challenge = asking.asked()["challenge"]
    stops.stop(site.tenant, [badge.id], "revoked", reason="A mistake", by="test")
    drain(site.tenant, ["issue", "publish"])

    answer = asking.take(challenge=challenge)

    assert (answer.status_code, answer.json()["error"]) == (410, "badge_gone")


def test_the_page_of_the_badge_shows_a_button_and_a_code_and_says_when_a_wallet_took_it(site, ann, badge):
    by_link = link(site, badge)
    for browser, path in (
        (accepted(site, by_link), by_link),
        (signed_in(site, ann), f"/me/badges/{badge.id}/take"),
    ):
        begun = browser.send(browser.get(path), path, act="wallet")
        there = begun.headers["location"]
        page = browser.get(there)
        token = parse_qs(urlsplit(there).query)["wallet"][0]
        wallet = Wallet()
        place = f"/t/default/exchanges/{token}"
        challenge = browser.ask("POST", place, json={}).json()["verifiablePresentationRequest"]["challenge"]
        vp = wallet.presented(challenge, DOMAIN)
        got = browser.ask("POST", place, json={"verifiablePresentation": vp})

        assert there.startswith(f"{path}?wallet=")
        assert 'href="dccrequest://?request=' in page.text
        assert 'href="openid-credential-offer://?credential_offer_uri=' in page.text
        assert 'role="img" aria-label="QR code for a wallet"' in page.text
        assert exchanges.tx_code(site.tenant, exchanges.offer_code(site.tenant, token)) in text_of(page)
        assert credential_in(got)["credentialSubject"]["id"] == wallet.did
        assert "A wallet took the badge." in text_of(browser.get(there))
        assert "A wallet took" not in text_of(browser.get(f"{path}?wallet=guessed"))


def test_the_page_says_which_wallet_holds_the_badge_and_the_learner_takes_it_back(site, ann, badge, asking):
    stolen = credential_in(asking.take())
    place = site.tenant.store.get("credential", badge.id).meta
    path = f"/me/badges/{badge.id}/take"
    browser = signed_in(site, ann)
    page = browser.get(path)
    browser.send(page, path, act="take-back")
    drain(site.tenant, ["issue", "publish"])
    after = browser.get(path)

    now = json.loads(site.tenant.store.get("credential", badge.id).body)
    assert asking.wallet.did in text_of(page)
    assert asking.wallet.did not in text_of(after)
    assert now["id"] == stolen["id"]
    assert "id" not in now["credentialSubject"]
    assert now["credentialSubject"]["identifier"] == json.loads(badge.body)["credentialSubject"]["identifier"]
    assert site.tenant.store.get("status", place_id(place["list"], place["index"])).meta["state"] == "revoked"
    assert asking.post({}).status_code == 404
