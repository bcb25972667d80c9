"""The whole way, on both engines: what learners did becomes a level, a badge and a profile that somebody gets.

Three doors, and real persons who have another name at each (tests/travel.py). One server for each engine serves all
tests here; each test has a learner of its own. ``make test`` goes the way on SQLite; on MongoDB its parts: levels
(tests/competency/test_both_engines.py), badges (tests/badges), delivery (tests/matching/delivering).
"""

from __future__ import annotations

import json
import re
import secrets
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

import httpx
import pytest
import standardwebhooks

from badges.keys.issuer import issuer_of
from lrs.competency.explain import explain
from lrs.matching.consent import consent
from lrs.matching.consent.consent import Subject
from lrs.people import joins
from lrs.people.persons import members_of, person_named
from lrs.storage import each
from tests.interop.conftest import node  # noqa: F401 (a fixture)
from tests.matching.world import receiver
from tests.served import serving
from tests.travel import GOWNING, LEARNERS, PURPOSE, VERBS, Journey, learnt, prepare, send_all

pytestmark = pytest.mark.mongo_in_soak


@pytest.fixture(scope="module", params=["sqlite", "mongo"])
def journey(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Everything up to the learners' agreement, drained."""
    folder = tmp_path_factory.mktemp("journey")
    more = {}
    if request.param == "mongo":
        server = urlsplit(request.getfixturevalue("mongo_server"))
        more = {"store_url": server._replace(path=f"/journey_{secrets.token_hex(6)}").geturl()}
    with ExitStack() as stack:
        receiving = stack.enter_context(receiver())
        served = stack.enter_context(serving(folder / "data", outbound_allow=("127.0.0.0/8",), **more))
        made = Journey(served, receiving, folder)
        prepare(made)
        send_all(made)
        made.drain()
        for name in LEARNERS:
            made.agree(name)
        made.drain()
        yield made


def test_three_doors_and_three_names_are_one_person_whose_levels_are_explained(journey):
    by_account, by_mail, by_number = (
        explain(journey.tenant, who) for who in ("https://vle.example|ann-7", "ann@example.org", LEARNERS["ann"])
    )

    assert by_account == by_mail == by_number
    told = {
        (one.code, one.level): [(e.source, e.score, e.counted, e.reason) for e in one.evidence]
        for one in by_mail.answers
    }
    assert told == {
        ("A1", "1 Awareness"): [("vle", 92.0, True, None)],
        ("A1", "2 Practitioner"): [("centre", 100.0, True, None)],
        ("B1", "1 Awareness"): [("vle", 88.0, True, None)],
        ("B1", "2 Practitioner"): [("provider", None, True, None)],
    }
    assert levels_of(journey, "ann", "held_from") == {
        ("A1", 1): "2026-09-10",
        ("A1", 2): "2026-10-06",
        ("B1", 1): "2026-09-11",
        ("B1", 2): "2026-10-12",
    }


def levels_of(journey, name, about):
    """What the awards of a learner say *about*, by competency and level."""
    awards = journey.awards(f"{name}@example.org")
    return {(one["competency"]["code"], one["level"]["ordinal"]): one[about] for one in awards}


def test_each_level_is_a_signed_badge_that_verifies_and_one_that_was_changed_does_not(journey):
    badges = journey.badges("ann@example.org")
    body = badges["Gowning: Practitioner (issued)"].body
    changed = body.replace(b"Gowning: Practitioner", b"Gowning: Expert")

    assert sorted(badges) == [
        "Cell culture: Awareness (issued)",
        "Cell culture: Practitioner (issued)",
        "Gowning: Awareness (issued)",
        "Gowning: Practitioner (issued)",
    ]
    assert journey.verdict(body) == {"form": True, "badge": True, "signature": True, "dates": True, "status": True}
    assert journey.verdict(changed)["signature"] is False


@pytest.mark.timeout(300)  # the first test that needs npm packages may install them
def test_a_verifier_nobody_here_wrote_accepts_the_badge(journey, node):  # noqa: F811 (the fixture)
    badge = json.loads(journey.badges("ann@example.org")["Gowning: Practitioner (issued)"].body)
    lists = [json.loads(record.body) for record in each(journey.store, "status-list")]
    issuer = issuer_of(journey.tenant)
    documents = {issuer.id: issuer.did_document()} | {one["id"]: one for one in lists}

    said = node("digitalbazaar", {"credential": badge, "documents": documents})
    badge["name"] = "Gowning: Expert"
    said_of_changed = node("digitalbazaar", {"credential": badge, "documents": documents})

    assert said == {"verified": True, "revoked": False, "errors": []}
    assert said_of_changed["verified"] is False


def test_the_profile_is_delivered_signed_to_the_service_that_the_learner_agreed_to(journey):
    webhook = standardwebhooks.Webhook(journey.service.webhook_secret)

    assert journey.told("ann") == ["consent.given", "profile.updated"]
    assert journey.shown("ann") == {"A1": (2, "2026-10-06"), "B1": (2, "2026-10-12")}
    for got in journey.receiver.got:
        assert webhook.verify(got.body, got.headers) == got.json
        assert b'example.org"' not in got.body
        assert not any(number.encode() in got.body for number in LEARNERS.values())
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        webhook.verify(got.body.replace(b"2026", b"2025"), got.headers)


def test_the_profile_is_pulled_and_the_gap_to_a_role_told(journey):
    subject = journey.subject("ann")

    profile = journey.ask(f"/api/profiles/{subject}").json()
    feed = journey.ask("/api/profiles").json()
    gap = journey.ask(f"/api/profiles/{subject}/gap?role=operator").json()

    levels = {one["competency"]["code"]: one["level"]["ordinal"] for one in profile["competencies"]}
    assert levels == {"A1": 2, "B1": 2}
    assert len(profile["badges"]) == 4
    assert subject in [one["subject"] for one in feed["profiles"]]
    # 3 and 2 of 6 by weight are met: 83.33 %; both essentials of two are.
    assert (gap["match"], gap["full"], gap["essentials"]) == (83.3, False, {"required": 2, "met": 2, "match": 100.0})
    assert [(one["competency"], one["result"], one["level"]) for one in gap["requirements"]] == [
        ("A1", "met", 2),
        ("B1", "met", 2),
        ("C1", "missing", None),
    ]


def test_content_in_a_browser_may_say_passed_and_nothing_follows(journey):
    journey.online(learnt("eve", "passed", GOWNING, "2026-09-20", points=100), source="browser-content")
    journey.drain()

    stored = journey.lrs.one(str(uuid5(NAMESPACE_URL, f"eve passed {GOWNING} 2026-09-20")))
    answer = explain(journey.tenant, "https://vle.example|eve-7").answers
    assert stored["verb"]["id"] == VERBS + "passed"
    assert [(one.code, one.awards, [(e.counted, e.reason) for e in one.evidence]) for one in answer] == [
        ("A1", (), [(False, "source not trusted")])
    ]
    assert journey.awards("https://vle.example|eve-7") == []
    assert journey.badges("https://vle.example|eve-7") == {}


def test_voided_evidence_takes_award_badge_and_profile_with_it_in_one_drain(journey):
    evidence = next(
        one.evidence[0]
        for one in explain(journey.tenant, "cara@example.org").answers
        if (one.code, one.level) == ("A1", "2 Practitioner")
    )
    badge = journey.badges("cara@example.org")["Gowning: Practitioner (issued)"]
    assert journey.shown("cara")["A1"] == (2, "2026-10-06")

    new = journey.keys["centre"]
    voiding = {
        "actor": {"mbox": "mailto:ray@centre.example"},
        "verb": {"id": VERBS + "voided"},
        "object": {"objectType": "StatementRef", "id": evidence.statement},
    }
    assert journey.lrs.post(voiding, auth=(new.key, new.secret)).status_code == 200
    journey.drain()

    states = {("A1", 1): "held", ("A1", 2): "withdrawn", ("B1", 1): "held", ("B1", 2): "held"}
    assert levels_of(journey, "cara", "state") == states
    assert "Gowning: Practitioner (revoked)" in journey.badges("cara@example.org")
    assert [check for check, passed in journey.verdict(badge.body).items() if not passed] == ["status"]
    assert journey.shown("cara") == {"A1": (1, "2026-09-10"), "B1": (2, "2026-10-12")}
    assert sorted(journey.told("cara")) == ["badge.revoked", "consent.given", "profile.updated", "profile.updated"]


def test_a_consent_that_is_withdrawn_stops_push_and_pull_in_one_drain(journey):
    subject = journey.subject("dan")
    person = person_named(journey.tenant, "dan@example.org")
    assert journey.ask(f"/api/profiles/{subject}").status_code == 200

    members = [Subject(person=member) for member in members_of(journey.store, person)]
    journey.write(lambda tx: consent.withdraw(tx, members, by="test"))
    at_once = journey.ask(f"/api/profiles/{subject}").status_code
    journey.drain()
    told = journey.told("dan")
    journey.online(learnt("dan", "passed", GOWNING, "2026-09-01", points=99))
    journey.drain()

    assert at_once == 404
    assert sorted(told) == ["consent.given", "consent.withdrawn", "profile.updated"]
    assert journey.told("dan") == told
    assert journey.ask(f"/api/profiles/{subject}").status_code == 404
    assert journey.ask(f"/api/profiles/{subject}/gap?role=operator").status_code == 404
    entry = next(one for one in journey.ask("/api/profiles").json()["profiles"] if one["subject"] == subject)
    assert (entry["deleted"], entry.get("profile")) == (True, None)


# -- the same quiz, five times --------------------------------------------------------------------------------------


DAYS = ("2026-09-21", "2026-09-22", "2026-09-23", "2026-09-24", "2026-09-25")
ORDERS = {f"quiz{number}": order for number, order in enumerate(["01234", "43210", "20413"])}
"""All 120 orders are tried where rules are (tests/competency); here some go the whole way, badges and all."""


def test_the_same_quiz_five_times_in_any_order_is_one_award_and_one_badge(journey):
    badges = []
    for turn in range(5):
        journey.online(
            *(learnt(name, "passed", GOWNING, DAYS[int(order[turn])], points=90) for name, order in ORDERS.items())
        )
        journey.drain()
        badges.append([ids_of(journey, name) for name in ORDERS])

    assert all(turn == badges[0] for turn in badges)
    assert [len(ids) for ids in badges[0]] == [1, 1, 1]
    for name in ORDERS:
        (award,) = journey.awards(account_of(name))
        assert (award["state"], award["held_from"], len(award["evidence"])) == ("held", "2026-09-21", 5)
        (answer,) = explain(journey.tenant, account_of(name)).answers
        assert [one.counted for one in answer.evidence] == [True] * 5


@pytest.mark.parametrize("order", ["01234", "42013"])
def test_across_a_merge_and_an_unmerge_the_quiz_stays_one_award_and_one_badge(journey, order):
    first, second = f"first{order}", f"second{order}@example.org"
    told = [
        learnt(first if n < 2 else second, "passed", GOWNING, DAYS[int(day)], points=90) for n, day in enumerate(order)
    ]
    journey.online(told[0], learnt(second, "experienced", GOWNING, "2026-09-01"))
    journey.drain()
    badge = ids_of(journey, first)
    one, other = person_named(journey.tenant, account_of(first)), person_named(journey.tenant, account_of(second))

    journey.online(told[1])
    journey.write(lambda tx: joins.merge(tx, one, other, "test"))
    journey.online(told[2])
    journey.drain()
    merged = held_by(journey, first), ids_of(journey, first)
    journey.write(lambda tx: joins.unmerge(tx, other, "test"))
    journey.online(told[3])
    journey.drain()
    apart = held_by(journey, first), held_by(journey, second), ids_of(journey, first)
    journey.write(lambda tx: joins.merge(tx, other, one, "test"))
    journey.online(told[4])
    journey.drain()

    assert len(badge) == 1
    assert merged == ([3], badge)
    assert apart == ([2], [2], badge)
    assert (held_by(journey, first), held_by(journey, second), ids_of(journey, first)) == ([5], [5], badge)
    (answer,) = explain(journey.tenant, account_of(second)).answers
    assert [found.counted for found in answer.evidence] == [True] * 5


def account_of(name):
    return name if "@" in name else f"https://vle.example|{name}-7"


def held_by(journey, name):
    """How many pieces of evidence each award has that the learner holds."""
    return [len(award["evidence"]) for award in journey.awards(account_of(name)) if award["state"] == "held"]


def ids_of(journey, name):
    """The ids of the learner's badges that are in force."""
    found = journey.badges(account_of(name)).items()
    return [json.loads(record.body)["id"] for badge, record in found if badge.endswith("(issued)")]


# -- what people see ------------------------------------------------------------------------------------------------


def test_an_administrator_sees_the_same_on_the_pages(journey):
    new = journey.keys["operator"]
    with httpx.Client(base_url=journey.lrs.address, trust_env=False, follow_redirects=True) as browser:
        entry = browser.get("/pages/work")
        given = {"form": token_in(entry.text), "then": "/pages/work", "key": new.key, "secret": new.secret}
        work = browser.post("/pages/sign-in", data=given).text
        found = browser.post("/staff/learners", data={"form": token_in(work), "who": LEARNERS["ann"]}).text

    assert work.count("10 new") == work.count("3 new") == 1
    assert "Career Converter" in work
    assert "<h1>ann@example.org</h1>" in found
    for shown in ("A1 Gowning", "2 Practitioner", "B1 Cell culture", "Gowning: Practitioner", "1000001376", PURPOSE):
        assert shown in found


def token_in(text):
    return re.search(r'name="form" value="([^"]+)"', text)[1]
