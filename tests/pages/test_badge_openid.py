"""A badge on its way into a wallet by OpenID4VCI 1.0, over HTTP: pre-authorized code, key proof, both formats."""

from __future__ import annotations

import json

import pytest

from badges.held import holders, stops
from badges.wallets import exchanges
from badges.wallets.oid4vci import metadata, proofs
from badges.wallets.oid4vci.refusals import WalletRefused
from lrs.composition.kinds import TENANT
from lrs.composition.steps import drain
from lrs.kernel.base64url import from_base64url
from lrs.kernel.times import MINUTE, SECOND
from lrs.storage import each
from lrs.work.over import clear_over
from tests.badges.wallet import Wallet
from tests.pages.conftest import Browser
from tests.pages.test_badge_claim import uses
from tests.pages.test_me import lived
from tests.rows import each_of

GRANT = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
ISSUER = "http://lrs.test/t/default"
OTHER_CURVE = {"kty": "OKP", "crv": "X25519", "x": "AAAA"}


@pytest.fixture
def ann(site):
    return lived(site)


@pytest.fixture
def badge(site, ann):
    return next(one for one in each(site.tenant.store, "credential") if one.meta["person"] == ann)


class Asking:
    """A wallet that speaks OpenID4VCI with the issuer about a badge."""

    def __init__(self, site, badge):
        self.site, self.browser, self.wallet = site, Browser(site.app), Wallet()
        self.token_of_exchange = site.tenant.store.write(lambda tx: exchanges.make(tx, site.tenant, badge)).result()
        self.exchange = f"/t/default/exchanges/{self.token_of_exchange}"
        self.code = exchanges.offer_code(site.tenant, self.token_of_exchange)
        self.tx_code = exchanges.tx_code(site.tenant, self.code)
        self.access = ""

    def post(self, name, body=None, **more):
        headers = {"authorization": f"Bearer {self.access}"} if self.access else {}
        return self.browser.ask("POST", f"/t/default/oid4vci/{name}", json=body, headers=headers, **more)

    def token(self, tx_code=None, **more):
        form = {"grant_type": GRANT, "pre-authorized_code": self.code, "tx_code": tx_code or self.tx_code} | more
        answer = self.browser.ask("POST", "/t/default/oid4vci/token", data=form)
        self.access = answer.json().get("access_token", self.access)
        return answer

    def nonce(self):
        return self.post("nonce").json()["c_nonce"]

    def proof(self, nonce=..., **more):
        audience, at = more.pop("audience", ISSUER), self.site.tenant.clock() // SECOND
        return self.wallet.proof(audience, self.nonce() if nonce is ... else nonce, at, **more)

    def credential(self, configuration="OpenBadgeCredential", proof=None):
        body = {"credential_configuration_id": configuration, "proofs": {"jwt": [proof or self.proof()]}}
        return self.post("credential", body)


@pytest.fixture
def asking(site, badge):
    return Asking(site, badge)


def told(answer):
    return answer.status_code, answer.json()["error"]


def test_the_metadata_stand_in_both_well_known_forms_and_say_what_is_offered(asking):
    get = asking.browser.get
    between, after = (
        get("/.well-known/openid-credential-issuer/t/default"),
        get("/t/default/.well-known/openid-credential-issuer"),
    )
    server = get("/.well-known/oauth-authorization-server/t/default").json()
    offer = get(f"/t/default/oid4vci/offers/{asking.code}").json()

    said = between.json()
    assert after.json() == said
    assert server == get("/t/default/.well-known/oauth-authorization-server").json()
    assert said["credential_issuer"] == said["issuer"] == server["issuer"] == ISSUER
    assert said["nonce_endpoint"] == f"{ISSUER}/oid4vci/nonce"
    configurations = said["credential_configurations_supported"]
    assert {name: one["format"] for name, one in configurations.items()} == {
        "OpenBadgeCredential": "ldp_vc",
        "OpenBadgeCredential.sd-jwt": "dc+sd-jwt",
    }
    assert configurations["OpenBadgeCredential"]["proof_types_supported"] == {
        "jwt": {"proof_signing_alg_values_supported": ["ES256", "EdDSA", "Ed25519"]}
    }
    assert server["pre-authorized_grant_anonymous_access_supported"] is True
    assert offer["credential_configuration_ids"] == list(configurations)
    assert offer["grants"][GRANT]["pre-authorized_code"] == asking.code
    assert offer["grants"][GRANT]["tx_code"]["length"] == 6
    assert {len(exchanges.tx_code(asking.site.tenant, f"offer {one}")) for one in range(200)} == {6}
    assert get("/.well-known/openid-credential-issuer/t/nobody").status_code == 404


def test_a_wallet_gets_the_badge_for_the_code_and_a_proof_and_says_that_it_took_it(site, badge, asking):
    token = asking.token()
    got = asking.credential()
    notice = got.json()["notification_id"]
    guessed = asking.post("notification", {"notification_id": "guessed", "event": "credential_deleted"})
    accepted = asking.post("notification", {"notification_id": notice, "event": "credential_accepted"})
    kept = exchanges.found(site.tenant.store, asking.token_of_exchange, site.tenant.clock())[1]

    (one,) = got.json()["credentials"]
    assert (token.json()["token_type"], token.json()["expires_in"]) == ("bearer", 600)
    assert token.headers["cache-control"] == got.headers["cache-control"] == "no-store"
    assert one["credential"]["credentialSubject"]["id"] == asking.wallet.did
    assert one["credential"]["id"] == json.loads(badge.body)["id"]
    assert told(guessed) == (400, "invalid_notification_id")
    assert (accepted.status_code, kept.told) == (204, "credential_accepted")
    assert json.loads(site.tenant.store.get("credential", badge.id).body) == one["credential"]
    assert uses(site, badge) == {"claimed"}


def test_the_sd_jwt_is_bound_to_the_key_of_the_wallet(asking):
    asking.token()
    got = asking.credential("OpenBadgeCredential.sd-jwt").json()["credentials"][0]["credential"]

    claims = json.loads(from_base64url(got.split(".")[1]))
    assert claims["cnf"] == {"jwk": asking.wallet.jwk}
    assert claims["sub"] == asking.wallet.did


def test_an_issuer_none_of_whose_keys_signs_jwts_offers_no_sd_jwt_and_refuses_one_before_it_hands_anything_over(
    site, badge, asking, monkeypatch
):
    monkeypatch.setattr(metadata, "key_for_jwt", lambda _: None)

    offer = asking.browser.get(f"/t/default/oid4vci/offers/{asking.code}").json()
    wanted = [{"type": "openid_credential", "credential_configuration_id": "OpenBadgeCredential.sd-jwt"}]
    details = asking.token(authorization_details=json.dumps(wanted))
    asking.token()
    refused = asking.credential("OpenBadgeCredential.sd-jwt")
    taken = asking.credential()

    assert offer["credential_configuration_ids"] == ["OpenBadgeCredential"]
    assert told(details) == (400, "invalid_authorization_details")
    assert told(refused) == (400, "unknown_credential_configuration")
    assert refused.json()["error_description"] == "Offered are OpenBadgeCredential."
    assert taken.status_code == 200
    assert uses(site, badge) == {"claimed"}


def test_one_wallet_takes_both_formats_by_one_token_and_tells_of_each(asking):
    asking.token()

    first, second = asking.credential(), asking.credential("OpenBadgeCredential.sd-jwt")

    ids = [one.json()["notification_id"] for one in (first, second)]
    notices = [asking.post("notification", {"notification_id": id, "event": "credential_accepted"}) for id in ids]
    assert (first.status_code, second.status_code) == (200, 200)
    assert [one.status_code for one in notices] == [204, 204]


def test_a_wrong_code_five_times_ends_the_offer_for_every_wallet(asking):
    wrong = "000000" if asking.tx_code != "000000" else "111111"

    tries = [asking.token(wrong) for _ in range(5)]
    right = asking.token()
    by_exchange = asking.browser.ask("POST", asking.exchange, json={})
    offer = asking.browser.get(f"/t/default/oid4vci/offers/{asking.code}")

    assert {told(one) for one in tries} == {(400, "invalid_grant")}
    assert "There are 4 more tries." in tries[0].json()["error_description"]
    assert "There is one more try." in tries[3].json()["error_description"]
    assert "the offer ended" in tries[4].json()["error_description"]
    assert told(right) == (400, "invalid_grant")
    assert told(by_exchange) == told(offer) == (410, "exchange_ended")


def test_a_token_request_that_cannot_be_answered_says_why(asking):
    post = asking.browser.ask
    details = '[{"type": "openid_credential", "credential_configuration_id": "Diploma"}]'
    refused = {
        "grant": told(asking.token(grant_type="authorization_code")),
        "no code": told(asking.token(tx_code=" ")),
        "guessed": told(asking.token(**{"pre-authorized_code": "guessed"})),
        "details": told(asking.token(authorization_details=details)),
        "JSON": told(post("POST", "/t/default/oid4vci/token", json={})),
        "twice": told(
            post(
                "POST",
                "/t/default/oid4vci/token",
                content=b"grant_type=a&grant_type=b",
                headers={"content-type": "application/x-www-form-urlencoded"},
            )
        ),
    }
    used = (asking.token().status_code, told(asking.token()))
    asking.site.world.clock.now += 20 * MINUTE
    over = told(asking.token())

    assert refused == {
        "grant": (400, "unsupported_grant_type"),
        "no code": (400, "invalid_grant"),
        "guessed": (400, "invalid_grant"),
        "details": (400, "invalid_authorization_details"),
        "JSON": (400, "invalid_request"),
        "twice": (400, "invalid_request"),
    }
    assert used == (200, (400, "invalid_grant"))
    assert over == (400, "invalid_grant")


def test_a_nonce_is_good_for_one_proof_and_five_minutes(asking):
    asking.token()
    nonce = asking.nonce()
    proof, again = asking.proof(nonce), asking.proof(nonce, exp=9_999_999_999)

    first = asking.credential(proof=proof)
    replayed, same_nonce = told(asking.credential(proof=proof)), told(asking.credential(proof=again))
    old = asking.nonce()
    asking.site.world.clock.now += 5 * MINUTE
    late = told(asking.credential(proof=asking.proof(old)))
    made_up = told(asking.credential(proof=asking.proof("made up")))
    without = told(asking.credential(proof=asking.proof(None)))

    assert first.status_code == 200
    assert replayed == same_nonce == late == made_up == without == (400, "invalid_nonce")


def test_an_access_token_is_good_for_ten_minutes(asking):
    asking.token()

    asking.site.world.clock.now += 9 * MINUTE
    in_time = asking.credential()
    asking.site.world.clock.now += MINUTE
    late = told(asking.credential())

    assert in_time.status_code == 200
    assert late == (401, "invalid_token")


BAD_PROOFS = (
    ({"audience": "https://evil.example"}, "another issuer"),
    ({"header": {"typ": "JWT"}}, "typ"),
    ({"header": {"typ": None}}, "typ"),
    ({"header": {"kid": "did:key:z6Mk#z6Mk"}}, "not by both"),
    ({"header": {"jwk": None}}, "by jwk or by kid"),
    ({"header": {"jwk": OTHER_CURVE}}, "neither an Ed25519 nor a P-256"),
    ({"header": {"alg": "none"}}, "its alg"),
    ({"header": {"alg": "HS256"}}, "its alg"),
    ({"header": {"alg": "ES256"}}, "signature"),
    ({"header": {"crit": ["x"]}}, "not supported"),
    ({"header": {"jwk": None, "kid": "did:web:evil.example#1"}}, "did:key"),
    ({"header": {"jwk": Wallet().jwk}}, "signature"),
    ({"iat": 1}, "long ago"),
    ({"iat": None}, "no iat"),
    ({"exp": 1}, "any more"),
    ({"nbf": 9_999_999_999}, "yet"),
    ({"iat": "now"}, "not numbers"),
)
"""What is other in a proof, and a word of the reason why it is refused."""


@each_of(
    ("name", "last", "first"),
    [("iat", -600, -601), ("iat", 60, 61), ("nbf", 60, 61), ("exp", -60, -61)],
)
def test_a_proof_is_ten_minutes_old_at_most_and_the_clock_of_a_wallet_off_by_a_minute(name, last, first):
    wallet, now = Wallet(), 1_795_262_400

    def taken(off):
        return proofs.checked(wallet.proof(ISSUER, "n", now, **{name: now + off}), ISSUER, now * SECOND)

    assert taken(last) == proofs.KeyProof(wallet.did, "n")
    with pytest.raises(WalletRefused, match=r"long ago|yet"):
        taken(first)


def test_a_proof_that_proves_nothing_is_refused_with_the_reason(site, badge, asking):
    asking.token()

    for what, why in BAD_PROOFS:
        answer = asking.credential(proof=asking.proof(**what))

        assert told(answer) == (400, "invalid_proof"), what
        assert why in answer.json()["error_description"]
    assert site.tenant.store.get("credential", badge.id) == badge


def test_a_key_is_named_by_a_did_url_too(asking):
    asking.token()
    header = {"jwk": None, "kid": f"{asking.wallet.did}#{asking.wallet.multikey}", "alg": "Ed25519"}

    got = asking.credential(proof=asking.proof(header=header)).json()["credentials"][0]["credential"]

    assert got["credentialSubject"]["id"] == asking.wallet.did


def test_a_credential_request_that_cannot_be_answered_says_why(asking):
    without = told(asking.credential())
    asking.token()
    ask, proofs = lambda body: told(asking.post("credential", body)), {"jwt": ["a.b.c"]}

    assert without == (401, "invalid_token")
    assert ask({"credential_configuration_id": "Diploma", "proofs": proofs}) == (
        400,
        "unknown_credential_configuration",
    )
    assert ask({"credential_identifier": "Diploma", "proofs": proofs}) == (400, "unknown_credential_identifier")
    assert ask({"proofs": proofs}) == (400, "invalid_credential_request")
    both = {"credential_configuration_id": "OpenBadgeCredential", "credential_identifier": "OpenBadgeCredential"}
    assert ask(both) == (400, "invalid_credential_request")
    named = {"credential_configuration_id": "OpenBadgeCredential"}
    assert (
        ask(named) == ask(named | {"proofs": {"jwt": []}}) == ask(named | {"proofs": proofs}) == (400, "invalid_proof")
    )
    assert ask(named | {"proofs": {"jwt": ["a", "b"]}}) == (400, "invalid_proof")
    assert ask(named | {"credential_response_encryption": {}}) == (400, "invalid_encryption_parameters")
    assert ask([]) == (400, "invalid_credential_request")
    wrong = asking.post("notification", {"notification_id": "guessed", "event": "credential_accepted"})
    assert told(wrong) == (400, "invalid_notification_id")
    assert told(asking.post("notification", {"event": "x"})) == (400, "invalid_notification_request")


def test_a_request_of_draft_13_is_answered_as_that_draft_says(asking):
    asking.token()
    exp = asking.site.tenant.clock() // SECOND + 300
    proof = asking.proof(header={"typ": None}, iat=None, exp=exp, iss=asking.wallet.did)
    definition = {"type": ["VerifiableCredential", "OpenBadgeCredential"]}
    body = {"format": "ldp_vc", "credential_definition": definition, "proof": {"proof_type": "jwt", "jwt": proof}}

    got = asking.post("credential", body).json()
    other = asking.post("credential", body | {"credential_definition": {"type": ["Diploma"]}})
    asked = asking.post("credential", {"format": "ldp_vc", "credential_definition": definition})

    assert got["format"] == "ldp_vc"
    assert got["credential"] == got["credentials"][0]["credential"]
    assert got["credential"]["credentialSubject"]["id"] == asking.wallet.did
    assert told(other) == (400, "unsupported_credential_type")
    assert told(asked) == (400, "invalid_proof")
    assert asking.proof(asked.json()["c_nonce"])
    assert "c_nonce" not in asking.post("credential", {"credential_configuration_id": "OpenBadgeCredential"}).json()


def test_a_wallet_that_names_the_credential_by_its_identifier_gets_it(asking):
    details = [{"type": "openid_credential", "credential_configuration_id": "OpenBadgeCredential"}]

    given = asking.token(authorization_details=json.dumps(details)).json()["authorization_details"]
    body = {"credential_identifier": given[0]["credential_identifiers"][0], "proofs": {"jwt": [asking.proof()]}}

    assert asking.post("credential", body).status_code == 200


def test_what_one_protocol_took_the_other_does_not_give_again(site, badge, asking):
    begun = asking.browser.ask("POST", asking.exchange, json={}).json()["verifiablePresentationRequest"]
    asking.token()
    shown = Wallet().presented(begun["challenge"], "lrs.test")
    other = asking.browser.ask("POST", asking.exchange, json={"verifiablePresentation": shown})
    asked = asking.browser.ask("POST", asking.exchange, json={})
    offer = asking.browser.get(f"/t/default/oid4vci/offers/{asking.code}")
    later = Asking(site, badge)
    challenge = later.browser.ask("POST", later.exchange, json={}).json()["verifiablePresentationRequest"]["challenge"]
    shown = Wallet().presented(challenge, "lrs.test")
    later.browser.ask("POST", later.exchange, json={"verifiablePresentation": shown})

    assert told(other) == told(asked) == told(offer) == (409, "taken")
    assert told(later.token()) == (400, "invalid_grant")


def test_who_has_the_offer_only_opens_no_exchange_with_its_code(asking):
    answers = [
        asking.browser.ask("POST", f"/t/default/exchanges/{asking.code}", json={}),
        asking.browser.ask("POST", f"/t/default/exchanges/{asking.code}/request", json={}),
        asking.browser.get(f"/t/default/exchanges/{asking.code}"),
        asking.browser.get(f"/t/default/oid4vci/offers/{asking.token_of_exchange}"),
    ]
    by_token = told(asking.token(**{"pre-authorized_code": asking.token_of_exchange}))

    assert {told(one) for one in answers} == {(404, "exchange_unknown")}
    assert by_token == (400, "invalid_grant")


def test_an_access_token_gives_the_badge_to_the_first_wallet_only_and_to_that_one_again(site, badge, asking):
    asking.token()
    first, mine = asking.credential(), asking.wallet
    asking.wallet = Wallet()
    other = asking.credential()
    asking.wallet = mine
    again = asking.credential()

    assert (first.status_code, again.status_code) == (200, 200)
    assert told(other) == (400, "credential_request_denied")
    assert holders.holder_of(site.tenant.store, badge.id) == mine.did


def test_values_of_another_kind_than_the_standard_says_are_refused_with_its_codes(asking):
    one = '[{"type": "openid_credential", "credential_configuration_id": %s}]'
    details = [one % "[]", one % "{}", "[" * 20_000, "[NaN]", '[{"type": []}]']
    refused = [told(asking.token(authorization_details=text)) for text in details]
    asking.token()
    ask, proofs = lambda body: told(asking.post("credential", body)), {"jwt": ["a.b.c"]}
    draft = {"format": "ldp_vc", "proof": {"proof_type": "jwt", "jwt": "a.b.c"}}

    assert refused == [(400, "invalid_authorization_details")] * 5
    for value in ([], {}, 5, None):
        assert ask({"credential_configuration_id": value, "proofs": proofs}) == (
            400,
            "unknown_credential_configuration",
        )
        assert ask({"credential_identifier": value, "proofs": proofs}) == (400, "unknown_credential_identifier")
        assert ask(draft | {"credential_definition": {"type": value}}) == (400, "unsupported_credential_type")


def test_a_badge_that_is_revoked_in_the_middle_is_not_given_out(site, badge, asking):
    asking.token()
    stops.stop(site.tenant, [badge.id], "revoked", reason="A mistake", by="test")
    drain(site.tenant, ["issue", "publish"])

    assert told(asking.credential()) == (410, "badge_gone")


def test_a_nonce_whose_time_is_over_is_forgotten(site, asking):
    asking.token()
    asking.credential()
    site.world.clock.now += 6 * MINUTE
    asking.credential()
    clear_over(TENANT, site.tenant)

    assert len(list(each(site.tenant.store, "badge-nonce"))) == 1
