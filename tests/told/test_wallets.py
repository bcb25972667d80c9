"""Badges on their way into wallets, told whole: presentations, exchanges, offers, codes, key proofs and nonces."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.reading.people import Ifi, mailbox
from badges.content.awards import credential_uuid
from badges.held import stops
from badges.keys.issuer import issuer_of
from badges.wallets import addresses, did_auth, exchanges, vc_api
from badges.wallets.oid4vci import credentials, metadata, nonces, proofs, tokens
from lrs.kernel.errors import Refused
from lrs.kernel.sealed import digest_of
from lrs.kernel.times import MINUTE, SECOND
from lrs.people.identifiers import ULN_HOME_PAGE
from tests.badges.made import AWARD, NOON
from tests.badges.wallet import Wallet
from tests.told.shelf import Shelf, shelf
from tests.told.story import Story, inline, tree, tried

ANN = "9b1f1b5e-55a4-4d43-9f8e-0d6e6a1c7b11"
ID, ROOT = credential_uuid(AWARD), "https://skills.example.org"
BASE, DOMAIN = addresses.base_of_tenant(ROOT, "default"), "skills.example.org"
NOW = NOON // SECOND


def wallet(number: int) -> Wallet:
    return Wallet(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))


@pytest.fixture
def held(tmp_path, draws):
    """A shelf with Ann, who has a badge."""
    assert draws
    with shelf(tmp_path) as made:
        made.somebody(ANN, mailbox("Ann@learners.example"), Ifi(ULN_HOME_PAGE, "1000000108"))
        made.given(lambda: made.award(AWARD, person=ANN))
        yield made


def opened(held: Shelf) -> str:
    return held.given(lambda: held.write(lambda tx: exchanges.make(tx, held.tenant, held.badge(ID))))


def subject(badge) -> str:
    return f"for {badge['credentialSubject'].get('id', 'nobody named')}"


# -- presentations ----------------------------------------------------------------------------------------------------


def test_presentations_of_wallets(told, draws):
    assert draws
    story, mine, other = Story(), wallet(1), wallet(2)
    holder = lambda said, **more: did_auth.holder_in(said, "c", DOMAIN, **more)

    def told_of(case, said, **more):
        story.say(f"{case}: {tried(lambda: holder(said, **more))}")

    told_of("as it is", mine.presented("c", DOMAIN))
    told_of("of the old suite", mine.presented("c", DOMAIN, old=True))
    told_of("without a domain", mine.presented("c", None))
    told_of("without a domain, where none is needed", mine.presented("c", None), domain_needed=False)
    told_of("another domain, where none is needed", mine.presented("c", "other.example"), domain_needed=False)
    several: Any = ["other.example", DOMAIN]
    told_of("several domains", mine.presented("c", several))
    told_of("another challenge", mine.presented("d", DOMAIN))
    told_of("for another purpose", mine.presented("c", DOMAIN, proofPurpose="assertionMethod"))
    told_of("of another suite", mine.presented("c", DOMAIN, cryptosuite="ecdsa-rdfc-2019"))
    told_of("with a key of its own", mine.presented("c", DOMAIN, verificationMethod="did:web:x.example#key"))
    told_of("with another's key", mine.presented("c", DOMAIN, verificationMethod=f"{other.did}#{other.multikey}"))
    said = mine.presented("c", DOMAIN)
    told_of("no holder", {name: one for name, one in said.items() if name != "holder"})
    for case, changes in {
        "another holder": {"holder": other.did},
        "the holder as an object": {"holder": {"id": mine.did}},
        "no presentation": {"type": ["VerifiableCredential"]},
        "its type as a text": {"type": "VerifiablePresentation"},
        "a list of its proof": {"proof": [said["proof"]]},
        "two proofs": {"proof": [said["proof"], said["proof"]]},
        "no proof": {"proof": None},
        "of another kind": {"proof": {**said["proof"], "type": "JsonWebSignature2020"}},
        "with a context in the proof": {"proof": {**said["proof"], "@context": ["x"]}},
        "more in it": {"verifiableCredential": []},
        "words that are not defined": {"nonsense": 1},
        "a signature of no signs": {"proof": {**said["proof"], "proofValue": ""}},
        "a signature cut short": {"proof": {**said["proof"], "proofValue": said["proof"]["proofValue"][:-3]}},
        "a long proof": {"proof": {**said["proof"], "x": "x" * 9_000}},
        "a key of P-256": {"holder": P256, "proof": {**said["proof"], "verificationMethod": f"{P256}#{P256[8:]}"}},
        "a key that is none": {
            "holder": "did:key:zx",
            "proof": {**said["proof"], "verificationMethod": "did:key:zx#zx"},
        },
    }.items():
        told_of(case, said | changes)
    story.say(f"an empty challenge: {tried(lambda: did_auth.holder_in(mine.presented('', DOMAIN), '', DOMAIN))}")
    story.say(f"{did_auth.challenge_in(said)!r} {tried(lambda: did_auth.challenge_in({}))}")

    told(str(story))


P256 = "did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv"


# -- key proofs -------------------------------------------------------------------------------------------------------


def test_proofs_of_keys(told, draws):
    assert draws
    story, mine = Story(), wallet(1)
    story.head("by the standard, and by Draft 13")
    for case, (nonce, at, header, payload) in {
        "as it is": ("n", NOW, {}, {}),
        "without its type": ("n", NOW, {"typ": None}, {}),
        "another type": ("n", NOW, {"typ": "JWT"}, {}),
        "by kid": ("n", NOW, {"jwk": None, "kid": f"{mine.did}#{mine.multikey}"}, {}),
        "by kid #0": ("n", NOW, {"jwk": None, "kid": f"{mine.did}#0"}, {}),
        "by kid without a fragment": ("n", NOW, {"jwk": None, "kid": mine.did}, {}),
        "by kid and jwk": ("n", NOW, {"kid": f"{mine.did}#0"}, {}),
        "by none": ("n", NOW, {"jwk": None}, {}),
        "by a did:web": ("n", NOW, {"jwk": None, "kid": "did:web:x.example#0"}, {}),
        "another's key": ("n", NOW, {"jwk": wallet(2).jwk}, {}),
        "a key that is none": ("n", NOW, {"jwk": {"kty": "oct", "k": "x"}}, {}),
        "with a private part": ("n", NOW, {"jwk": {**mine.jwk, "d": "x"}}, {}),
        "with a chain": ("n", NOW, {"x5c": []}, {}),
        "with an attestation": ("n", NOW, {"key_attestation": "x"}, {}),
        "without an algorithm": ("n", NOW, {"alg": None}, {}),
        "by HS256": ("n", NOW, {"alg": "HS256"}, {}),
        "by another algorithm": ("n", NOW, {"alg": "ES256"}, {}),
        "for another issuer": ("n", NOW, {}, {"aud": "https://x.example"}),
        "for several": ("n", NOW, {}, {"aud": ["https://x.example", BASE]}),
        "without a nonce": (None, NOW, {}, {}),
        "a nonce that is a number": (5, NOW, {}, {}),
        "10 minutes old": ("n", NOW - 600, {}, {}),
        "a second older": ("n", NOW - 601, {}, {}),
        "a minute ahead": ("n", NOW + 60, {}, {}),
        "a second more ahead": ("n", NOW + 61, {}, {}),
        "without its time": ("n", NOW, {}, {"iat": None}),
        "without its time, with an end": ("n", NOW, {}, {"iat": None, "exp": NOW}),
        "its time a word": ("n", NOW, {}, {"iat": "now"}),
        "its time true": ("n", NOW, {}, {"iat": True}),
        "ended a minute ago": ("n", NOW, {}, {"exp": NOW - 60}),
        "ended a second earlier": ("n", NOW, {}, {"exp": NOW - 61}),
        "valid in a minute": ("n", NOW, {}, {"nbf": NOW + 60}),
        "valid a second later": ("n", NOW, {}, {"nbf": NOW + 61}),
    }.items():
        jwt = mine.proof(BASE, nonce, at, header=header, **payload)
        found = [
            tried(
                lambda d=draft, j=jwt: proofs.checked(j, BASE, NOON, is_draft=d),
                lambda one: f"{one.did == mine.did} {one.nonce}",
            )
            for draft in (False, True)
        ]
        story.say(f"{case}: {found[0]}", *([f"    Draft 13: {found[1]}"] if found[1] != found[0] else []))
    for jwt in (None, "", "a.b", "x" * 9_000, 5):
        story.say(f"{str(jwt)[:9]}: {tried(lambda jwt=jwt: proofs.checked(jwt, BASE, NOON))}")

    told(str(story))


# -- exchanges --------------------------------------------------------------------------------------------------------


def test_exchanges_of_a_badge(told, held):
    act, tenant, clock = held.act, held.tenant, held.clock
    mine, other = wallet(1), wallet(2)
    token = act(
        "opened", lambda: held.write(lambda tx: exchanges.make(tx, tenant, held.badge(ID))), told=lambda _: "a token"
    )
    asked = act("the wallet asks", lambda: vc_api.request(tenant, token, ROOT), told=tree)
    challenge = lambda said: said["verifiablePresentationRequest"]["challenge"]
    answer = lambda said, **more: lambda: vc_api.answer(tenant, token, said, ROOT, **more)
    act("it asks again", lambda: vc_api.request(tenant, token, ROOT), told=lambda _: "another challenge")
    act("it answers the first", answer(mine.presented(challenge(asked), DOMAIN)), told=subject)
    asked = held.given(lambda: vc_api.request(tenant, token, ROOT))
    act("it answers", answer(mine.presented(challenge(asked), DOMAIN)), told=subject)
    act("it answers the same again", answer(mine.presented(challenge(asked), DOMAIN)), told=subject)
    for name, one in (("the same wallet", mine), ("another wallet", other)):
        asked = held.given(lambda: vc_api.request(tenant, token, ROOT))
        act(f"{name}, with a new challenge", answer(one.presented(challenge(asked), DOMAIN)), told=subject)
    link = exchanges.link_challenge(tenant, token)
    act("by the old link, of the old suite", answer(mine.presented(link, None, old=True), linked=True), told=subject)
    act("by the old link again", answer(mine.presented(link, None, old=True), linked=True), told=subject)
    code = exchanges.offer_code(tenant, token)
    form = lambda **more: urlencode(
        {"grant_type": metadata.GRANT, "pre-authorized_code": code, "tx_code": exchanges.tx_code(tenant, code)} | more
    ).encode()
    act("and by an offer", lambda: tokens.answer(tenant, "application/x-www-form-urlencoded", form()))
    second = act(
        "opened anew",
        lambda: held.write(lambda tx: exchanges.make(tx, tenant, held.badge(ID))),
        told=lambda _: "another token",
    )
    act("the first", lambda: vc_api.request(tenant, token, ROOT))
    for wait in (20 * MINUTE - 1, 1):
        clock.now += wait
        act(f"after {wait} microseconds", lambda: vc_api.request(tenant, second, ROOT), told=lambda _: "asked")
    third = opened(held)
    asked = held.given(lambda: vc_api.request(tenant, third, ROOT))
    act(
        "the badge is suspended meanwhile",
        lambda: stops.stop(tenant, [ID], "suspended", reason="A mistake", by="staff"),
        told=str,
    )
    act(
        "and the wallet answers",
        lambda: vc_api.answer(tenant, third, mine.presented(challenge(asked), DOMAIN), ROOT),
        told=subject,
    )
    act("ended", lambda: held.write(lambda tx: exchanges.end(tx, ID)))
    held.story.head("addresses")
    held.story.say(
        addresses.interaction(BASE, "T"),
        inline(addresses.protocols(BASE, "T", "C")),
        addresses.deep_link(BASE, "T", "C"),
        addresses.old_deep_link(BASE, "T", "Skills & co", "CH"),
        tree(vc_api.presented("the badge")),
    )
    held.audited()

    told(str(held.story))


def test_offers_of_a_badge(told, held):
    act, tenant, clock, story = held.act, held.tenant, held.clock, held.story
    issuer = issuer_of(tenant)
    story.say(
        tree(metadata.issuer_metadata(BASE, issuer)),
        tree(metadata.server_metadata(BASE)),
        tree(metadata.offer(BASE, "CODE", issuer)),
    )
    token = opened(held)
    code = exchanges.offer_code(tenant, token)
    digits = exchanges.tx_code(tenant, code)

    def ask(kind="application/x-www-form-urlencoded", body=None, **more):
        told = {"grant_type": metadata.GRANT, "pre-authorized_code": code, "tx_code": digits} | more
        sent = (
            urlencode({name: one for name, one in told.items() if one is not None}).encode() if body is None else body
        )
        return lambda: tokens.answer(tenant, kind, sent)

    shown = lambda said: inline({**said, "access_token": "a token"})
    detail = {"type": "openid_credential", "credential_configuration_id": "OpenBadgeCredential"}
    story.head("tokens")
    for case, more in {
        "as JSON": {"kind": "application/json"},
        "in bytes that are no text": {"body": b"grant_type=%FF"},
        "with 21 fields": {"body": b"&".join(b"a%d=1" % at for at in range(21))},
        "a field twice": {"body": b"tx_code=1&tx_code=2"},
        "another grant": {"grant_type": "authorization_code"},
        "no code": {"tx_code": None},
        "another offer": {"pre-authorized_code": "none"},
        "for what is not offered": {
            "authorization_details": json.dumps([{**detail, "credential_configuration_id": "x"}])
        },
        "for another type": {"authorization_details": json.dumps([{**detail, "type": "x"}])},
        "for no list": {"authorization_details": "{}"},
        "for no JSON": {"authorization_details": "["},
    }.items():
        act(case, ask(**more), told=shown)
    for number in range(1, 7):
        act(f"wrong digits, {number}", ask(tx_code="12345x"), told=shown)
    act("the right ones then", ask(), told=shown)
    token = opened(held)
    code = exchanges.offer_code(tenant, token)
    digits = exchanges.tx_code(tenant, code)
    act("wrong in a new offer", ask(tx_code="12345x"), told=shown)
    given = act(
        "right, as Draft 11 names them",
        ask(
            "application/x-www-form-urlencoded; charset=utf-8",
            tx_code=None,
            user_pin=f" {digits} ",
            authorization_details=json.dumps([detail]),
        ),
        told=shown,
    )
    act("once more", ask(), told=shown)
    story.head("times")
    bearer = f"Bearer {given['access_token']}"
    for wait in (10 * MINUTE - 1, 1):
        clock.now += wait
        act(
            f"the token after {wait} microseconds",
            lambda: tokens.with_access(held.store, clock.now, bearer)[1].way,
            told=str,
        )

    told(str(story))


def test_badges_for_an_access_token(told, held):
    act, tenant, clock, story = held.act, held.tenant, held.clock, held.story
    mine, other = wallet(1), wallet(2)
    code = exchanges.offer_code(tenant, opened(held))
    form = {"grant_type": metadata.GRANT, "pre-authorized_code": code, "tx_code": exchanges.tx_code(tenant, code)}
    given = held.given(lambda: tokens.answer(tenant, "application/x-www-form-urlencoded", urlencode(form).encode()))
    bearer = f"Bearer {given['access_token']}"
    story.head("credentials")
    nonce = act("a nonce", lambda: nonces.make(tenant), told=lambda _: "given")
    proof = lambda by=mine, nonce=nonce, **more: by.proof(BASE, nonce, clock.now // SECOND, **more)
    base = {"credential_configuration_id": "OpenBadgeCredential", "proofs": {"jwt": [proof()]}}

    def get(sent=base, authorization=bearer):
        return lambda: credentials.answer(tenant, authorization, sent, BASE)

    def badge(said):
        found = said["credentials"][0]["credential"]
        return f"{sorted(said)} {subject(found) if isinstance(found, dict) else found.partition('.')[0][:8]}"

    for case, authorization in {
        "no token": None,
        "another scheme": bearer.replace("Bearer", "Basic"),
        "another token": "Bearer x",
    }.items():
        act(case, get(authorization=authorization))
    for case, changes in {
        "enciphered": {"credential_response_encryption": {}},
        "named twice": {"credential_identifier": "OpenBadgeCredential"},
        "named by a number": {"credential_configuration_id": 5},
        "another": {"credential_configuration_id": "x"},
        "two proofs": {"proofs": {"jwt": ["a", "b"]}},
        "proofs of another kind": {"proofs": {"di_vp": ["a"]}},
        "no proof": {"proofs": None},
        "a wrong proof": {"proofs": {"jwt": ["x"]}},
        "an unknown nonce": {"proofs": {"jwt": [proof(nonce="x")]}},
    }.items():
        act(case, get(base | changes), told=badge)
    draft = lambda **more: {"format": "ldp_vc", **more}
    act("Draft 13, without a proof", lambda: _with_nonce(get(draft())), told=badge)
    act("Draft 13, of another type", get(draft(credential_definition={"type": ["VerifiableCredential"]})), told=badge)
    act("Draft 13, of another vct", get(draft(format="vc+sd-jwt", vct="x")), told=badge)
    act("Draft 13, another format", get(draft(format="mso_mdoc")), told=badge)
    act(
        "notified before",
        lambda: credentials.notify(tenant, bearer, {"event": "credential_accepted", "notification_id": "x"}),
    )
    first = act("as it is", get(), told=badge)
    act("the same proof again", get(), told=badge)
    for case, by, more in (
        ("the same wallet, anew", mine, {}),
        (
            "by its identifier",
            mine,
            {"credential_configuration_id": None, "credential_identifier": "OpenBadgeCredential"},
        ),
        ("another wallet", other, {}),
    ):
        sent = {
            name: one
            for name, one in (base | more | {"proofs": {"jwt": [proof(by, nonces.make(tenant))]}}).items()
            if one is not None
        }
        act(case, get(sent), told=badge)
    single = {"proof_type": "jwt", "jwt": proof(nonce=nonces.make(tenant), header={"typ": None})}
    act("Draft 13, with a proof", get(draft(proof=single)), told=badge)
    act(
        "as an SD-JWT",
        get(
            {
                "credential_configuration_id": "OpenBadgeCredential.sd-jwt",
                "proofs": {"jwt": [proof(nonce=nonces.make(tenant))]},
            }
        ),
        told=badge,
    )
    story.head("what became of it")
    note = lambda **more: (
        lambda: credentials.notify(
            tenant, bearer, {"event": "credential_accepted", "notification_id": first["notification_id"]} | more
        )
    )
    act("accepted", note())
    act("deleted", note(event="credential_deleted"))
    act("another event", note(event="credential_lost"))
    act("another id", note(notification_id="x"))
    story.head("times")
    late = nonces.make(tenant)
    for wait in (5 * MINUTE - 1, 1):
        clock.now += wait
        act(f"a nonce after {wait} microseconds", lambda: held.write(lambda tx: nonces.use(tx, tenant, late)))
        held.write(lambda tx: tx.delete(nonces.KIND, digest_of(late)))

    told(str(story))


def _with_nonce(act):
    try:
        return act()
    except credentials.WalletRefused as refused:
        shown = refused.shown("-")
        raise Refused(
            f"{refused.message} [{sorted(shown)}]", status=refused.status, error=refused.error, pointer=refused.pointer
        ) from refused
