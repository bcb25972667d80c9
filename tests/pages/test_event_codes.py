"""Codes of events: one code, many learners, each once; a rule that trusts the source gives the level and the badge."""

from __future__ import annotations

import json

import pytest

from badges.claims import event_codes
from badges.claims.event_codes import EventCode
from lrs.access import CODES_SOURCE
from lrs.access.keys import create_key
from lrs.competency.frameworks.frameworks import published
from lrs.competency.rules.mapping import KnownNames, ruleset_from_table
from lrs.competency.rules.rulesets import current, put
from lrs.composition.steps import drain
from lrs.kernel.errors import Misconfigured, Refused
from lrs.kernel.times import DAY
from lrs.people.joins import merge
from lrs.storage import each
from tests.pages import members
from tests.pages.conftest import text_of
from tests.pages.test_me import lived, signed_in

EVENT = "https://centre.example/open-day"


@pytest.fixture
def ann(site):
    return lived(site)


def code_of(site, most=None):
    until = site.tenant.clock() + DAY
    return event_codes.create(site.tenant, EventCode(EVENT, "Open <b>day</b>", until, most, "test"))


def typed(browser, code):
    return browser.send(browser.get("/me/code"), "/me/code", code=code)


def attended(site):
    found = [json.loads(one.body) for one in each(site.tenant.store, "statement")]
    return [one for one in found if one["object"]["id"] == EVENT]


def test_each_learner_uses_a_code_once_however_it_is_typed(site, ann):
    code, bea = code_of(site).code, lived(site, {"mbox": "mailto:bea@example.org"}, "Bea")
    browser = signed_in(site, ann)

    first, again = typed(browser, code), typed(browser, code.lower().replace("-", " "))
    other = typed(signed_in(site, bea), code)

    assert "Noted: you were at Open <b>day</b> ." in text_of(first)
    assert "You used the code of Open <b>day</b> before: it counts once." in text_of(again)
    assert "Noted:" in text_of(other)
    (one, two) = attended(site)
    assert one["verb"]["id"] == "http://adlnet.gov/expapi/verbs/attended"
    assert {one["actor"].get("mbox"), two["actor"].get("mbox")} == {"mailto:ann@example.org", "mailto:bea@example.org"}
    ((_, kept),) = event_codes.everyone(site.tenant.store)
    assert kept.used == 2


def test_who_is_one_with_somebody_that_used_a_code_has_used_it_too(site, ann):
    code, twin = code_of(site).code, lived(site, {"mbox": "mailto:ann@work.example"}, "Ann at work")
    site.tenant.store.write(lambda tx: merge(tx, ann, twin, "test")).result()

    typed(signed_in(site, ann), code)
    again = typed(signed_in(site, twin), code)

    assert "You used the code of Open <b>day</b> before: it counts once." in text_of(again)
    assert len(attended(site)) == 1


def test_a_rule_that_trusts_the_source_gives_the_level_and_the_badge(site, ann):
    store = site.tenant.store
    before = {one.id for one in each(store, "credential")}
    about = json.loads(next(iter(each(store, "award"))).body)["competency"]["code"]
    head = "activity,verb,competency,level,threshold,valid for,trusted source"
    table = f"{head}\n{EVENT},attended,{about},1,,,{CODES_SOURCE}\n"
    ruleset, faults = ruleset_from_table(table.encode(), KnownNames(published(store)), current(store))
    assert faults == ()
    store.write(lambda tx: put(tx, ruleset, "test")).result()
    browser = signed_in(site, ann)

    typed(browser, code_of(site).code)
    drain(site.tenant, ["refs", "match", "evaluate", "issue", "publish"])

    now = [json.loads(one.body) for one in each(store, "award")]
    sources = {proof["source"] for award in now if award["state"] == "held" for proof in award["evidence"]}
    assert CODES_SOURCE in sources
    new = [one for one in each(store, "credential") if one.id not in before]
    assert [json.loads(one.body)["credentialSubject"]["achievement"]["name"] for one in new] == [
        "Aseptic technique: Awareness"
    ]


def test_a_guessed_an_ended_and_a_full_code_each_say_so_and_guessing_is_slowed_down(site, ann):
    ended, full = code_of(site), code_of(site, most=1)
    event_codes.end(site.tenant, ended.id, by="test")
    bea = lived(site, {"mbox": "mailto:bea@example.org"}, "Bea")
    typed(signed_in(site, bea), full.code)
    browser = signed_in(site, ann)

    told = [typed(browser, code) for code in ("AAAA-AAAA", ended.code, full.code)]
    guesses = [typed(browser, "AAAA-AAAA").status_code for _ in range(8)]

    assert [one.status_code for one in told] == [400, 410, 410]
    assert "There is no such code." in text_of(told[0])
    assert "This code has ended." in text_of(told[1])
    assert "As many people as may use this code" in text_of(told[2])
    assert guesses == [400] * 7 + [429]
    late = code_of(site)
    site.world.clock.now += DAY
    assert typed(signed_in(site, bea), late.code).status_code == 410


@pytest.mark.parametrize(
    "wrong",
    [{"activity": "open day"}, {"title": " "}, {"title": "a\x07b"}, {"until": 1}],
    ids=str,
)
def test_an_event_that_cannot_be_one_is_refused(site, wrong):
    told = {"activity": EVENT, "title": "Open day", "until": site.tenant.clock() + DAY, "most": None, "by": "test"}

    with pytest.raises(Refused):
        event_codes.create(site.tenant, EventCode(**(told | wrong)))


@pytest.mark.parametrize("most", ["000000001" + "9" * 5000, "0000001", "100001", "0", "\u00b2", "-1"], ids=len)
def test_a_limit_that_is_none_is_refused_at_its_field(site, most):
    told = {"activity": EVENT, "title": "Open day", "until": "2099-01-01", "most": most}

    with pytest.raises(Refused) as refused:
        event_codes.typed(site.tenant, told, by="test")

    assert (refused.value.status, refused.value.pointer) == (400, "/most")


def test_a_code_whose_time_is_over_is_listed_as_ended(site):
    code_of(site)
    site.world.clock.now += DAY

    page = members.signed_in(site, "steward").get("/staff/event-codes.json")

    assert [one["state"] for one in page.json()] == ["ended"]


def test_no_key_has_the_source_of_codes(site):
    with pytest.raises(Misconfigured, match="codes of events"):
        create_key(site.tenant, CODES_SOURCE, ["all"])
