"""Badges, told whole: what one says of an award, and every way in which it is issued, stopped, taken, shown and ended."""

from __future__ import annotations

import json
from dataclasses import replace as with_parts
from datetime import date, timedelta

import msgspec
import pytest

from adapters.reading.people import Ifi, mailbox
from badges.achievements import counts, editing
from badges.achievements.counts import counts_of
from badges.achievements.wording import OwnWords
from badges.claims import claims, event_codes
from badges.claims.event_codes import EventCode
from badges.content.attainment import of_award
from badges.content.awards import credential_of, credential_uuid, read_award, recipient_of
from badges.content.compose import StatusEntry, compose, identities, is_for
from badges.content.described_evidence import described
from badges.content.medal import medal_of
from badges.content.narrative import blocks
from badges.endorsing import endorsing
from badges.forms import FORMS, StoredBadge
from badges.held import certificates, holders, shares, shown_names, stops
from badges.held.holders import BadgeHolder
from badges.held.stops import Agreed
from badges.issuing.renew import renew
from badges.issuing.rotation import compromise, rotate
from badges.keys.issuer import did_url, issuer_of, rename, web_did
from badges.keys.ring import ring_of
from badges.prior import prior, trusted
from badges.prior.trusted import TrustedIssuer
from badges.verifying.verify import verify
from badges.views import badge_view
from lrs.competency.witnessed import Witnessed
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.settings import Settings
from lrs.kernel.times import DAY, HOUR, SECOND
from lrs.people import confirmed_names, minors
from lrs.people.confirmed_names import ConfirmedName
from lrs.people.identifiers import ULN_HOME_PAGE
from lrs.storage import Record
from lrs.tenancy.record import TenantRecord
from tests.badges.foreign import badges as foreign
from tests.badges.made import AWARD, BODY, NOON, STATEMENT, STATEMENT_2
from tests.badges.wallet import Wallet
from tests.badges.world import of_framework, put_framework, put_statements
from tests.told.shelf import Shelf, shelf
from tests.told.story import differing, inline, tree, tried

ANN, MAIL = "9b1f1b5e-55a4-4d43-9f8e-0d6e6a1c7b11", mailbox("Ann@learners.example")
FIRST = {"person": ANN}
ID = credential_uuid(AWARD)


def id_of(number: int) -> str:
    return f"6d2f3c1a-0c64-5b3e-8a52-{number:012x}"


@pytest.fixture
def held(tmp_path, draws):
    """A shelf with Ann, who is known by an address and a number."""
    assert draws
    with shelf(tmp_path) as made:
        made.somebody(ANN, MAIL, Ifi(ULN_HOME_PAGE, "1000000108"))
        yield made


# -- what a badge says ------------------------------------------------------------------------------------------------

PROOFS = [
    {
        "statement": f"12345678-1234-5678-1234-{at:012}",
        "source": f"centre-{at}",
        "timestamp": f"2026-0{at}-01T09:30:00Z",
    }
    for at in range(1, 8)
]
AWARDS: list[tuple[str, dict]] = [
    ("as it is", {}),
    ("without an end", {"valid_until": None}),
    ("held in winter until summer", {"held_from": "2026-01-10", "valid_until": "2026-07-10"}),
    ("the first level", {"level": BODY["scale"]["levels"][0]}),
    ("a level with words", {"level": {**BODY["level"], "description": "Works alone"}}),
    ("a level that is not in its scale", {"level": {"ordinal": 9, "code": "X", "label": "Other"}}),
    ("no code", {"competency": {**BODY["competency"], "code": ""}}),
    ("an id that is no address", {"competency": {**BODY["competency"], "id": "GOWN"}}),
    *((f"{count} pieces of evidence", {"evidence": PROOFS[:count]}) for count in (0, 2, 5, 6, 7)),
    ("two of nine", {"evidence": PROOFS[:2], "evidence_count": 9}),
]  # fmt: skip
SEEN = Witnessed(
    "Gowning, observed",
    ("Ray Brown", "Sue"),
    observed=True,
    score="11 of 12",
    duration="PT1H30M",
    verb="http://x/verbs/passed",
    sort="http://x/types/performance",
)
VIEWS: dict[str, dict] = {
    "": {},
    "nobody named": {"observers": ()},
    "not observed": {"observed": False},
    "no score": {"score": ""},
    "no time": {"duration": ""},
    "no name": {"activity": ""},
    "attended": {"verb": "http://x/attended", "sort": ""},
    "assessment": {"verb": "x/experienced", "sort": "x/assessment"},
    "something": {"verb": "x/poked", "sort": ""},
    "with a slash": {"verb": "x/completed/", "sort": ""},
}  # fmt: skip
RECIPIENTS: list[tuple[str, list[dict], str]] = [
    ("an address", [{"mbox": "mailto:Ann@Learners.example"}], ""),
    ("an address behind an account", [{"account": {"homePage": "https://vle.example", "name": "ann"}}, {"mbox": "mailto:ann@learners.example"}], ""),
    ("an account", [{"account": {"homePage": "https://vle.example", "name": "ann"}}], ""),
    ("a number", [{"account": {"homePage": "https://www.gov.uk/uln", "name": "1000000108"}}], ""),
    ("a number of 15 digits", [{"account": {"homePage": "https://x.example", "name": "1" * 15}}], ""),
    ("a number with strokes", [{"account": {"homePage": "https://x.example", "name": "12-34 5"}}], ""),
    ("a number, and an account", [{"account": {"homePage": "https://x.example", "name": "12"}}, {"account": {"homePage": "https://vle.example", "name": "ann"}}], ""),
    ("an OpenID", [{"openid": "https://id.example/ann"}], ""),
    ("nothing", [], ""),
    ("with a name", [{"mbox": "mailto:ann@learners.example"}], "Ann Arden"),
    ("a name alone", [], "Ann Arden"),
]  # fmt: skip


def test_what_a_badge_says(told, held):
    story, issuer = held.story, issuer_of(held.tenant)
    story.head("awards")
    usual = None
    for case, changes in AWARDS:
        award = read_award(json.dumps(BODY | changes).encode())
        credential = credential_of(
            AWARD,
            award,
            recipient_of([{"mbox": "mailto:ann@learners.example"}], AWARD, b"s"),
            {"id": "https://x", "name": "A", "resultDescription": []},
            zone="Europe/London",
        )
        said = compose(credential, issuer.profile(), "2026-11-21T12:00:00Z", StatusEntry("https://x/status/1", 5))
        story.say(f"{case}: {tree(said if usual is None else differing(usual, said))} {of_award(award).title}")
        usual = usual or said
    story.head("recipients")
    for case, identifiers, name in RECIPIENTS:
        found = recipient_of(identifiers, AWARD, b"s", name)
        former = msgspec.structs.replace(found, identity=found.formerly or found.identity)
        story.say(
            f"{case}: id {found.id}, {found.kind} {found.identity!r}, formerly {found.formerly!r}; is for: {is_for(identities(found), found)} {is_for(identities(former), found)} {is_for([], found)}"
        )
    story.head("evidence that was seen")
    award = read_award(json.dumps(BODY).encode())
    for case, change in VIEWS.items():
        story.say(
            f"{case}: {inline(described(award, {STATEMENT: msgspec.structs.replace(SEEN, **change)}, 'Europe/London'))}"
        )
    story.say(
        inline(
            described(
                read_award(
                    json.dumps(
                        BODY | {"evidence": [{**BODY["evidence"][0], "timestamp": "2026-06-30T23:30:00Z"}]}
                    ).encode()
                ),
                {},
                "Europe/London",
            )
        )
    )
    for version in (1, 2):
        story.say(tried(lambda version=version: _read(version)))
    story.head("criteria as blocks")
    for text in ("# Takes\n\n- a gown\n- **a** hood\ntext of\ntwo lines\n\nend", "**Bold**\n**\n* star", "", "plain"):
        story.say(inline([(one.sort, one.text, one.entries) for one in blocks(text)]))

    told(str(story))


def _read(version: int) -> str:
    try:
        return str(read_award(json.dumps(BODY | {"v": version}).encode()).v)
    except ValueError as error:
        return str(error)


def test_words_of_a_framework(told, held):
    story = held.story
    framework = put_framework(held.tenant)
    put_statements(held.tenant)
    proofs = [*BODY["evidence"], {"statement": STATEMENT_2, "source": "lms", "timestamp": "2026-06-02T09:30:00Z"}]
    for level in (1, 2, 3):
        held.act(
            f"level {level}",
            lambda level=level: held.award(id_of(level), **of_framework(framework, level, person=ANN, evidence=proofs)),
        )
    attainment = of_award(read_award(json.dumps(BODY | of_framework(framework, 2)).encode()))
    write = lambda words, **more: lambda: editing.write_words(held.tenant, attainment, words, by="steward", **more)
    held.act(
        "other words", write(OwnWords("Gowning", "Gowns", "Takes a gown", "cy", ("gowns", "gowns", " "))), told=str
    )
    held.act(
        "the same level again", lambda: held.award(id_of(2), **of_framework(framework, 2, person=ANN, evidence=proofs))
    )
    held.act("for all that are held", write(OwnWords("Gowning, anew"), anew=True), told=str)
    for case, words in {"a name of 121": OwnWords("x" * 121), "a line end": OwnWords("a\nb"), "a control character": OwnWords(description="a\x07"), "a sign that turns": OwnWords("a\u202eb"), "no language": OwnWords(language="welsh!"),
                        "13 keywords": OwnWords(tags=tuple(map(str, range(13)))), "a keyword of 61": OwnWords(tags=("x" * 61,))}.items():  # fmt: skip
        held.act(case, write(words), told=str)
    held.audited()

    told(str(story))


# -- how it is issued -------------------------------------------------------------------------------------------------


def test_the_life_of_a_badge(told, held):
    award, act, clock = lambda **more: lambda: held.award(AWARD, **{**FIRST, **more}), held.act, held.clock
    copies: dict[str, bytes] = {}

    def copied(name: str) -> None:
        copies[name] = held.badge(ID).body

    act("held", award())
    copied("first")
    clock.now += HOUR
    act("the same again", award())
    act("more evidence", award(evidence=[*BODY["evidence"], PROOFS[2]]))
    act("until later", award(valid_until="2027-08-31"))
    copied("until later")
    act("until sooner", award(valid_until="2027-05-31"))
    copied("until sooner")
    act("until the same day", award(valid_until="2027-05-31"))
    act("without end", award(valid_until=None))
    act("from an earlier day", award(valid_until=None, held_from="2026-05-01"))
    act("withdrawn in error", award(valid_until=None, state="withdrawn"))
    act("held again", award(valid_until=None))
    copied("held again")
    act("withdrawn", award(valid_until=None, state="withdrawn"))
    act("held once more", award(valid_until="2026-11-21"))
    clock.now += 13 * HOUR
    act("its last day is over, the award does not know", award(valid_until="2026-11-21"))
    act("expired", award(valid_until="2026-11-21", state="expired"))
    act("withdrawn after that", award(valid_until="2026-11-21", state="withdrawn"))
    clock.now = NOON + 2 * DAY
    act("of another person", award(person="nobody", valid_until=None))
    act("held until yesterday", lambda: held.award(id_of(9), **FIRST, valid_until="2026-11-20"))
    act("held until today", lambda: held.award(id_of(10), **FIRST, valid_until="2026-11-23"))
    held.story.head("what copies are worth")
    held.story.extend(f"{name}: {held.verdict(body)}" for name, body in copies.items())
    held.audited()

    told(str(held.story))


def test_what_staff_stop_and_issue_again(told, held):
    act, tenant, clock = held.act, held.tenant, held.clock
    for number in (1, 2, 3):
        held.given(lambda number=number: held.award(id_of(number), **FIRST, valid_until=None))
    ids = [credential_uuid(id_of(number)) for number in (1, 2, 3)]
    first = held.badge(ids[0]).body
    clock.now += HOUR
    stop = lambda some, state, reason="A mistake", agreed=None: (
        lambda: stops.stop(tenant, some, state, reason=reason, by="staff", agreed=agreed)
    )
    for reason in ("", "  ", "x" * 500, "x" * 501, "a\x00"):
        act(f"with the reason {reason[:5]!r} of {len(reason)}", stop([], "revoked", reason), told=str)
    act("one that is none", stop([ids[0], "none"], "revoked"), told=str)
    act("two, one was agreed to", stop(ids[:2], "suspended", agreed=Agreed(1, stops.digest(ids[:2]))), told=str)
    act("two, others were agreed to", stop(ids[:2], "suspended", agreed=Agreed(2, stops.digest(ids[1:]))), told=str)
    act(
        "two, as agreed, one of them twice",
        stop([*ids[:2], ids[0]], "suspended", agreed=Agreed(2, stops.digest(ids[:2]))),
        told=str,
    )
    act("suspended again", stop(ids, "suspended"), told=str)
    held.story.say(f"the first: {held.verdict(first)}, now {stops.state_of(held.store, held.badge(ids[0]))}")
    act("resumed", lambda: stops.resume(tenant, ids[0], by="staff"))
    held.story.say(f"the first: {held.verdict(first)}; as it is now: {held.verdict(held.badge(ids[0]).body)}")
    act("resumed again", lambda: stops.resume(tenant, ids[0], by="staff"))
    act("revoked, one of them suspended", stop(ids[:2], "revoked"), told=str)
    act("suspended, though revoked", stop(ids[:2], "suspended"), told=str)
    act("resumed, though revoked", lambda: stops.resume(tenant, ids[0], by="staff"))
    act("the award changes meanwhile", lambda: held.award(id_of(1), **FIRST, valid_until="2028-01-01"))
    act("issued again, by its award", lambda: stops.issue_again(tenant, id_of(1), by="staff"), told=str)
    act("issued again, by its id", lambda: stops.issue_again(tenant, ids[1], by="staff"), told=str)
    act("issued again, suspended", lambda: stops.issue_again(tenant, ids[2], by="staff"), told=str)
    act("issued again, nothing to do", lambda: stops.issue_again(tenant, ids[0], by="staff"), told=str)
    act("issued again, none", lambda: stops.issue_again(tenant, "none", by="staff"), told=str)
    held.audited()

    told(str(held.story))


def test_what_others_stop_meanwhile(told, held, monkeypatch):
    """Somebody else acts after it was looked at which badges would change, and before they do."""
    act, tenant, look = held.act, held.tenant, stops.to_stop
    for number in (1, 2, 3):
        held.given(lambda number=number: held.award(id_of(number), **FIRST, valid_until=None))
    ids = [credential_uuid(id_of(number)) for number in (1, 2, 3)]
    stop = lambda some, state, by="staff": stops.stop(tenant, some, state, reason="A mistake", by=by)

    def meanwhile(others):
        def looked(*given):
            found = look(*given)
            monkeypatch.setattr(stops, "to_stop", look)
            others()
            return found

        monkeypatch.setattr(stops, "to_stop", looked)

    def both(state, others):
        meanwhile(others)
        return stop(ids, state)

    act(
        "suspended, one is suspended meanwhile",
        lambda: both("suspended", lambda: stop(ids[:1], "suspended", "another")),
        told=str,
    )
    held.given(lambda: [stops.resume(tenant, one, by="staff") for one in ids])
    act(
        "suspended, one is revoked meanwhile",
        lambda: both("suspended", lambda: stop(ids[:1], "revoked", "another")),
        told=str,
    )
    act(
        "revoked, one is resumed meanwhile",
        lambda: both("revoked", lambda: stops.resume(tenant, ids[1], by="another")),
        told=str,
    )
    held.story.extend(f"{at}: {stops.state_of(held.store, held.badge(one))}" for at, one in enumerate(ids, 1))
    held.audited()

    told(str(held.story))


def test_keys_and_names_of_the_issuer(told, held):
    act, tenant, clock, story = held.act, held.tenant, held.clock, held.story
    held.given(lambda: held.award(AWARD, **FIRST))
    first = held.badge(ID).body
    act("a key for JWTs", lambda: rotate(tenant, "ES256", by="operator"), told=str)
    act("the next key", lambda: rotate(tenant, "Ed25519", by="operator"), told=str)
    act("a next key once more", lambda: rotate(tenant, "Ed25519", by="operator"), told=str)
    clock.now += 24 * HOUR - SECOND
    act("a second before the wait is over", lambda: None)
    clock.now += SECOND
    act("the wait is over", lambda: None)
    story.say(f"the first: {held.verdict(first)}")
    act("another badge", lambda: held.award(id_of(2), **FIRST))
    act("the retired key is lost", lambda: compromise(tenant, _key(tenant, "retired"), by="operator"), told=str)
    story.say(f"the first: {held.verdict(first)}; anew: {held.verdict(held.badge(ID).body)}")
    second = held.badge(ID).body
    clock.now += HOUR
    act("the next key", lambda: rotate(tenant, "Ed25519", by="operator"), told=str)
    act("the active key is lost", lambda: compromise(tenant, _key(tenant, "active"), by="operator"), told=str)
    story.say(f"the second: {held.verdict(second)}; anew: {held.verdict(held.badge(ID).body)}")
    act(
        "the active key is lost, none waits",
        lambda: compromise(tenant, _key(tenant, "active"), by="operator"),
        told=str,
    )
    act("lost again", lambda: compromise(tenant, _key(tenant, "compromised"), by="operator"), told=str)
    act("a key that is none", lambda: compromise(tenant, "key-99", by="operator"), told=str)
    story.head("names")
    for name, url in (
        ("The Centre", None),
        (None, "https://centre.example"),
        ("  ", None),
        ("a\x07", None),
        ("The Centre", "centre"),
        (None, ""),
    ):
        act(f"{name!r} {url!r}", lambda name=name, url=url: rename(tenant, name, url))
    story.head("its document and keys")
    issuer = issuer_of(tenant)
    story.say(
        tree(issuer.did_document()),
        tree(
            [{name: one for name, one in key.items() if name not in {"x", "y", "n"}} for key in issuer.jwks()["keys"]]
        ),
        tree(issuer.profile()),
    )
    story.extend(f"{one.id} {one.algorithm} {one.state}" for one in ring_of(tenant).keys)
    held.audited()

    told(str(story))


def _key(tenant, state: str) -> str:
    return next(one.id for one in ring_of(tenant).keys if (one.algorithm, one.state) == ("Ed25519", state))


def test_another_address_of_the_issuer(told, held, tmp_path):
    held.given(lambda: held.award(AWARD, **FIRST))
    first = held.badge(ID).body
    held.act("nothing to renew", lambda: renew(held.tenant), told=str)
    moved = with_parts(held.tenant, settings=Settings(data=tmp_path, public_url="https://new.example.org/lrs"))
    held.tenant = moved
    held.act("moved", lambda: renew(moved), told=str)
    held.story.say(f"the first, there: {held.verdict(first)}")
    gone = with_parts(moved, settings=Settings(data=tmp_path, public_url=None))
    held.tenant = gone
    held.act("no address any more", lambda: renew(gone), told=str)
    held.act("a demonstration has one key", lambda: rotate(gone, "Ed25519", by="operator"), told=str)
    held.story.head("DIDs and their addresses")
    for url in ("https://a.example", "https://a.example:8443", "https://a.example/x/y", "http://a.example", None):
        held.story.say(f"{url}: {web_did(with_parts(gone, settings=Settings(data=tmp_path, public_url=url)))}")
    for did in (
        "did:web:a.example",
        "did:web:a.example%3A8443:t:one",
        "did:web:a.example:..:x",
        "did:web:",
        "did:key:z6",
    ):
        held.story.say(f"{did}: {_url(did)}")

    told(str(held.story))


def _url(did: str) -> str:
    try:
        return did_url(did)
    except ValueError as error:
        return f"none: {error}"


def test_forms_of_a_badge(told, held):
    held.given(lambda: held.award(AWARD, **FIRST))
    held.act("a key for JWTs", lambda: rotate(held.tenant, "ES256", by="operator"), told=str)
    wallet = Wallet(_private(7))
    held.act(
        "a badge without an end, in a wallet",
        lambda: held.award(id_of(2), **FIRST, valid_until=None, level=BODY["scale"]["levels"][0]),
    )
    held.write(
        lambda tx: holders.hold(tx, held.badge(credential_uuid(id_of(2))), BadgeHolder(wallet.did, "vcapi", NOON))
    )
    held.act(
        "again, for the wallet",
        lambda: held.award(id_of(2), **FIRST, valid_until=None, level=BODY["scale"]["levels"][0]),
    )
    for record in (held.badge(ID), held.badge(credential_uuid(id_of(2)))):
        stored = StoredBadge(record.id, record.body, ring_of(held.tenant), check="https://skills.example.org/check/1")
        held.story.head(f"place {record.meta['index']}: {inline(medal_of(json.loads(record.body)))}")
        for form in FORMS:
            if form.name in {"json", "jwt", "sd-jwt", "svg"}:
                made = form.make(stored)
                held.story.say(f"{form.name} {form.media_type} {form.ending}: {held.verdict(made)}")
                held.story.say(*_opened(form.name, made))
        held.story.say(
            tree(badge_view.badge(json.loads(record.body))),
            tree(badge_view.badge(json.loads(record.body), "cy")),
            badge_view.linkedin(json.loads(record.body), "https://page"),
        )
    held.act("its key is lost", lambda: compromise(held.tenant, _key(held.tenant, "active"), by="operator"), told=str)
    lost = StoredBadge("x", record.body, ring_of(held.tenant))
    held.story.extend(
        f"{form.name}: {tried(lambda form=form: form.make(lost), lambda _: 'made')}"
        for form in FORMS
        if form.name in {"json", "jwt", "sd-jwt"}
    )
    held.story.say(*(f"{one.name} {one.place} {one.title}: {one.about}" for one in FORMS))

    told(str(held.story))


def _private(number: int):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 (one place)

    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


def _opened(name: str, made: bytes) -> list[str]:
    from lrs.kernel.base64url import from_base64url  # noqa: PLC0415 (one place)

    if name == "json":
        return []
    if name == "svg":
        return [
            made.decode().partition("<openbadges:credential>")[0],
            made.decode().partition("</openbadges:credential>")[2],
        ]
    token, *shown = made.decode().split("~")
    head, body, _ = token.split(".")
    told = (
        [tree(json.loads(from_base64url(head))), tree(json.loads(from_base64url(body)))]
        if name == "sd-jwt"
        else [
            tree(json.loads(from_base64url(head))),
            tree(
                {
                    key: one
                    for key, one in json.loads(from_base64url(body)).items()
                    if key in {"iss", "jti", "sub", "nbf", "exp"}
                }
            ),
        ]
    )
    return told + [inline(json.loads(from_base64url(one))[1:]) for one in shown if one]


# -- who gets at it ---------------------------------------------------------------------------------------------------


def mailing(held: Shelf) -> None:
    held.tenant = with_parts(held.tenant, record=TenantRecord(created=0, badge_mails=True))


def test_links_to_claim_a_badge(told, held):
    act, clock, tenant = held.act, held.clock, held.tenant
    held.given(lambda: held.award(AWARD, **FIRST, held_from="2026-11-01"))
    mailing(held)
    tenant = held.tenant
    act("earned 31 days ago", lambda: held.award(id_of(1), **FIRST, held_from="2026-10-22"))
    act("earned 30 days ago", lambda: held.award(id_of(2), **FIRST, held_from="2026-10-23"))
    act(
        "of somebody without an address",
        lambda: held.award(
            id_of(3), person=held.somebody("ben", Ifi("https://vle.example", "ben")), held_from="2026-11-01"
        ),
    )
    act("issued anew", lambda: held.award(id_of(2), **FIRST, held_from="2026-10-23", valid_until=None))
    record = held.badge(ID)
    first = act("a link by staff", lambda: held.write(lambda tx: claims.make(tx, tenant, record)), told=inline)
    second = act(
        "another one",
        lambda: held.write(lambda tx: claims.make(tx, tenant, record, "ann@learners.example")),
        told=inline,
    )
    opened = lambda token, browser=None: lambda: claims.opened(held.tenant, token, browser)[0]
    accept = lambda token, browser: lambda: held.write(lambda tx: claims.accept(tx, held.tenant, token, browser)).id
    act("the first opened", opened(first.token))
    act("the second opened", opened(second.token), told=inline)
    act("accepted", accept(second.token, "secret"), told=str)
    act("opened elsewhere", opened(second.token, "other"))
    act("opened without a secret", opened(second.token))
    act("opened there", opened(second.token, "secret"), told=inline)
    act("accepted again", accept(second.token, "secret"), told=str)
    third = act(
        "to an address that is not hers",
        lambda: held.write(lambda tx: claims.make(tx, tenant, record, "old@learners.example")),
        told=inline,
    )
    act("opened", opened(third.token))
    fourth = act(
        "to hers in capitals",
        lambda: held.write(lambda tx: claims.make(tx, tenant, record, "ANN@LEARNERS.example")),
        told=inline,
    )
    clock.now += 30 * DAY - 1
    act("in its last moment", opened(fourth.token), told=inline)
    clock.now += 1
    act("after that", opened(fourth.token))
    fifth = act("a new one", lambda: held.write(lambda tx: claims.make(tx, tenant, record)), told=inline)
    act("the badge is withdrawn", lambda: held.award(AWARD, **FIRST, held_from="2026-11-01", state="withdrawn"))
    act("opened", opened(fifth.token))
    act("no link at all", opened("none"))
    held.mails()

    told(str(held.story))


def test_codes_of_events(told, held):
    act, clock, tenant = held.act, held.clock, held.tenant
    event = lambda **more: msgspec.structs.replace(
        EventCode("https://centre.example/open-day", "Open day", NOON + DAY, 2, "staff"), **more
    )
    create = lambda **more: lambda: event_codes.create(tenant, event(**more))
    for case, more in {
        "no title": {"title": " "},
        "a title of 201": {"title": "x" * 201},
        "a control character": {"title": "a\x01"},
        "no address": {"activity": "open day"},
        "until now": {"until": NOON},
    }.items():
        act(case, create(**more), told=inline)
    code = act("a code", create(title="x" * 200, until=NOON + 1), told=inline)
    code = act("a code for two", create(), told=inline)
    free = act("a code for all", create(most=None), told=inline)
    for name in ("ben", "cleo"):
        held.somebody(name, mailbox(f"{name}@learners.example"))
    use = lambda who, typed: lambda: event_codes.use(tenant, SUBSCRIPTIONS, who, typed)
    act("by Ann", use(ANN, f" {code.code.lower().replace('-', ' - ')} "), told=inline)
    act("by Ann again", use(ANN, code.code), told=inline)
    act("by nobody known", use("nobody", code.code), told=inline)
    act("by Ben", use("ben", code.code), told=inline)
    act("by Cleo, one too many", use("cleo", code.code), told=inline)
    act("by Cleo, another one", use("cleo", free.code), told=inline)
    act("wrong", use("cleo", "AAAA-AAAA"), told=inline)
    act("ended", lambda: event_codes.end(tenant, free.id, by="staff"))
    act("after its end", use("ben", free.code), told=inline)
    act("by who used it", use("cleo", free.code), told=inline)
    act("a code that is none", lambda: event_codes.end(tenant, "none", by="staff"))
    late = act("one more", create(), told=inline)
    clock.now = NOON + DAY - 1
    act("in its last moment", use("ben", late.code), told=inline)
    clock.now += 1
    act("after that", use("cleo", late.code), told=inline)
    held.story.head("typed")
    usual = {"title": " Open day ", "activity": "https://centre.example/o", "until": "2026-12-31", "most": ""}
    for change in (
        {},
        {"until": "31/12/2026"},
        {"until": ""},
        {"until": "9000-01-01"},
        {"most": "1"},
        {"most": "0"},
        {"most": "100000"},
        {"most": "100001"},
        {"most": "ten"},
        {"until": "2026-07-01"},
    ):
        held.story.say(
            f"{inline(change)}: {tried(lambda change=change: event_codes.typed(tenant, usual | change, by='staff'))}"
        )
    held.audited()

    told(str(held.story))


def test_badges_that_are_shared_and_say_a_name(told, held):
    act, tenant, story = held.act, held.tenant, held.story
    held.given(lambda: held.award(AWARD, **FIRST))
    record = held.badge(ID)
    share = lambda name=False: lambda: held.write(lambda tx: shares.share(tx, tenant, record, with_name=name, by="ann"))
    one = act("shared", share(), told=inline)
    act("again, with a name that is not known", share(True), told=inline)
    act(
        "a name in the badge, not known",
        lambda: held.write(lambda tx: shown_names.put_in(tx, tenant, held.badge(ID), by="ann")),
        told=str,
    )
    confirm = lambda text: (
        lambda: held.write(lambda tx: confirmed_names.confirm(tx, ANN, ConfirmedName(text, "passport", NOON, "staff")))
    )
    act("the name is confirmed", confirm("Ann Arden"), told=str)
    act("shared with it", share(True), told=inline)
    act(
        "a name in the badge",
        lambda: held.write(lambda tx: shown_names.put_in(tx, tenant, held.badge(ID), by="ann")),
        told=str,
    )
    now = lambda: shares.share_of(held.store, ID)
    story.say(f"shows: {shares.holder_shown(held.store, now())!r}")
    act("another name is confirmed", confirm("Ann Birch"), told=str)
    story.say(f"shows: {shares.holder_shown(held.store, now())!r}")
    found = lambda token: lambda: shares.shared(tenant, token)[1].id
    act("by its address", found(one.token), told=str)
    act("by another", found("none"), told=str)
    root = "https://skills.example.org"
    for content in (
        f"{root}/t/default/shared/{one.token}",
        f"{root}/t/default/shared/{one.token}/x",
        f"{root}/t/default/shared/none",
        f"{root}/t/other/shared/{one.token}",
        "https://other.example",
        f"{root}/t/default/shared/" + "x" * 201,
    ):
        story.say(
            f"handed in {content[:60]}: {tried(lambda content=content: shares.handed_in(tenant, content.encode(), root), lambda body: str(len(body) > 1_000))}"
        )
    today = date(2026, 11, 21)
    for until in (None, today + timedelta(days=1), today, today - timedelta(days=1)):
        held.write(lambda tx, until=until: minors.note(tx, ANN, until, by="staff"))
        act(f"under age until {until}", found(one.token), told=str)
        act("shared then", share(), told=inline)
        act(
            "a name then",
            lambda: held.write(lambda tx: shown_names.put_in(tx, tenant, held.badge(ID), by="ann")),
            told=str,
        )
    act("out of the badge", lambda: held.write(lambda tx: shown_names.take_out(tx, ID, by="ann")), told=str)
    act("again", lambda: held.write(lambda tx: shown_names.take_out(tx, ID, by="ann")), told=str)
    act("not shared any more", lambda: held.write(lambda tx: shares.stop(tx, ID, by="ann")), told=str)
    act("again", lambda: held.write(lambda tx: shares.stop(tx, ID, by="ann")), told=str)
    act("shared anew", share(), told=lambda other: str(other.token != one.token))
    held.audited()

    told(str(story))


def test_wallets_counts_and_certificates(told, held):
    act, tenant, story = held.act, held.tenant, held.story
    held.given(lambda: held.award(AWARD, **FIRST))
    wallet = Wallet(_private(7))
    act(
        "held by a wallet",
        lambda: held.write(lambda tx: holders.hold(tx, held.badge(ID), BadgeHolder(wallet.did, "vcapi", NOON))),
    )
    act("issued for it", lambda: held.write(lambda tx: tx.owe("award", AWARD, _issue())))
    act("taken back", lambda: held.write(lambda tx: holders.release(tx, ID, by="ann")), told=str)
    act("again", lambda: held.write(lambda tx: holders.release(tx, ID, by="ann")), told=str)
    story.head("counts")
    for what in ("opened", "opened", "claimed", "shared", "verified"):
        act(what, lambda what=what: counts.note(tenant, ID, what))
    act("of none", lambda: counts.note(tenant, "none", "opened"))
    act("another badge of it", lambda: held.award(id_of(2), **FIRST, valid_until=None))
    before = Record(
        "credential",
        "before",
        held.badge(ID).body,
        meta={name: one for name, one in held.badge(ID).meta.items() if name not in {"achievement", "version"}},
    )
    act("one from before", lambda: held.write(lambda tx: tx.insert(before)) and None)
    act("opened", lambda: counts.note(tenant, "before", "opened"))
    act("claimed", lambda: counts.note(tenant, "before", "claimed"))
    story.say(inline(counts_of(held.store)))
    story.head("certificates")
    code = certificates.code_of(tenant, ID)
    story.say(f"{certificates.check_address(tenant, ID)}")
    find = lambda typed: lambda: certificates.found_by(tenant, typed).id == ID
    act("by its code", find(code), told=str)
    act("by its code in small letters", find(code.lower()), told=str)
    act("by another", find("x"), told=str)
    act("void", lambda: held.write(lambda tx: certificates.make_void(tx, held.badge(ID), by="ann")))
    act("by the former code", find(code), told=str)
    act("by the new one", find(certificates.code_of(tenant, ID)), told=str)

    told(str(story))


def _issue():
    from lrs.storage import Owed  # noqa: PLC0415 (one place)

    return Owed("issue")


def test_endorsements_of_badges_and_achievements(told, held):
    act, tenant, story = held.act, held.tenant, held.story
    held.given(lambda: held.award(AWARD, **FIRST))
    badge = endorsing.thing_named(tenant, ID)
    achievement = endorsing.thing_named(tenant, str(held.badge(ID).meta["achievement"]))
    story.say(inline(badge), inline(achievement), tree(endorsing.drafted(tenant, badge, id="1")))
    act("none", lambda: endorsing.thing_named(tenant, "none"))
    endorse = lambda thing, comment, number: (
        lambda: endorsing.endorse(tenant, thing, comment, id=f"55555555-5555-4555-8555-{number:012}", by="steward")
    )
    for comment in ("", " ", "x" * 1_001, "a\x07", "a\u202eb"):
        act(f"{comment[:3]!r} of {len(comment)}", endorse(badge, comment, 1), told=str)
    act("of the badge", endorse(badge, " I saw it ", 1), told=str)
    act("the same id", endorse(badge, "Another", 1), told=str)
    act("the same words", endorse(badge, "I saw it", 2), told=str)
    act("a second", endorse(badge, "x" * 1_000, 3), told=lambda id: id[:20])
    act("a third", endorse(badge, "Third", 4), told=str)
    act("a fourth", endorse(badge, "Fourth", 5), told=str)
    act("of the achievement", endorse(achievement, "It is needed", 6), told=str)
    act(
        "one taken away",
        lambda: endorsing.remove(tenant, badge, "urn:uuid:55555555-5555-4555-8555-000000000003", by="steward"),
    )
    act(
        "taken away again",
        lambda: endorsing.remove(tenant, badge, "urn:uuid:55555555-5555-4555-8555-000000000003", by="steward"),
    )
    act("by others, unsigned", lambda: endorsing.take_in(tenant, badge, b"{}", None, by="steward"), told=str)
    act(
        "by others, about another",
        lambda: endorsing.take_in(
            tenant,
            badge,
            json.dumps(
                json.loads(foreign.DOCUMENTS["endorsed"])["credentialSubject"]["achievement"]["endorsement"][0]
            ).encode(),
            None,
            by="steward",
        ),
        told=str,
    )
    story.say(held.verdict(held.badge(ID).body), inline(badge_view.endorsed(json.loads(held.badge(ID).body), {})))
    held.audited()

    told(str(story).replace("x" * 1_000, "x, 1000 times"))


def test_badges_that_learners_bring(told, held):
    act, tenant, story = held.act, held.tenant, held.story
    held.somebody("mayze", mailbox("Mayze@Example.org"))
    held.somebody("ben", Ifi("https://vle.example", "ben"))
    content = foreign.DOCUMENTS["eddsa-did-web"].encode()

    def bring(who: str, document: bytes = content, *, by: str = "ann", theirs: bool = False):
        def act() -> prior.PriorBadge:
            verdict = verify(document, at=held.clock.now, resolve=foreign.resolve, fetch=foreign.fetch)
            ready = prior.ready(tenant, who, document, verdict, by=by, is_theirs=theirs, subscriptions=SUBSCRIPTIONS)
            return held.write(lambda tx: prior.keep(tx, ready))

        return act

    shown = lambda one: f"{one.why or 'evidence'}"
    act("hers, of nobody trusted", bring("mayze"), told=shown)
    act("another's", bring(ANN), told=shown)
    act("another's, staff saw it", bring(ANN, by="staff", theirs=True), told=shown)
    issuer = "did:web:college.example.org"
    trust = lambda **more: (
        lambda: held.write(
            lambda tx: trusted.trust(
                tx, TrustedIssuer(**{"id": issuer, "name": "College", "at": NOON, **more}), by="steward"
            )
        )
    )
    for case, more in {
        "a plain name": {"id": "college"},
        "http": {"id": "http://college.example"},
        "an address": {"id": "https://college.example"},
        "no name": {"name": " "},
        "a name of 201": {"name": "x" * 201},
        "no home page": {"url": "home"},
        "a home page": {"url": "https://college.example"},
    }.items():
        act(case, trust(**more))
    act("trusted", trust())
    act("hers, once more", bring("mayze"), told=shown)
    act("hers, a third time", bring("mayze"), told=shown)
    act("another's", bring(ANN), told=shown)
    act("another's, staff saw it", bring(ANN, by="staff", theirs=True), told=shown)
    act("of somebody without an address", bring("ben"), told=shown)
    act("of nobody known", bring("nobody"), told=shown)
    act("one that expired", bring("mayze", foreign.DOCUMENTS["expired"].encode()), told=shown)
    act(
        "two at once",
        bring("mayze", foreign.presentation(json.loads(content), foreign.DOCUMENTS["jwt-es256"])),
        told=shown,
    )
    act("our own", _own(held, bring), told=shown)
    story.say(inline(trusted.known_issuers(tenant)), tree(trusted.registry(tenant)))
    ids = [id for id, _ in prior.brought(held.store, ["mayze", ANN])]
    story.extend(
        f"{one.person} {one.name} {one.day} {one.why}" for _, one in prior.brought(held.store, ["mayze", ANN, "ben"])
    )
    story.extend(f"by staff: {one.person}" for _, one in prior.brought(held.store, ["mayze", ANN], by="staff"))
    for id in ids:
        act(
            "removed",
            lambda id=id: held.write(
                lambda tx: prior.remove(
                    tx, prior.leaving(tenant, id, by="staff", subscriptions=SUBSCRIPTIONS), by="staff"
                )
            ),
        )
    act("removed again", lambda: prior.leaving(tenant, ids[0], by="staff", subscriptions=SUBSCRIPTIONS))
    held.clock.now += HOUR
    act("hers, brought again", bring("mayze"), told=shown)
    act("not trusted any more", lambda: held.write(lambda tx: trusted.distrust(tx, issuer, by="steward")), told=str)
    act("again", lambda: held.write(lambda tx: trusted.distrust(tx, issuer, by="steward")), told=str)
    held.audited()

    told(str(story))


def _own(held: Shelf, bring):
    held.given(lambda: held.award(AWARD, **FIRST))
    return bring(ANN, held.badge(ID).body)
