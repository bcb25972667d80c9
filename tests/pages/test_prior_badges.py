"""Badges of others that learners bring along: what is kept, what becomes evidence, and what is refused."""

from __future__ import annotations

import functools
import json

import pytest

from badges.prior import trusted
from badges.prior.trusted import TrustedIssuer
from lrs.access import PRIOR_SOURCE
from lrs.storage import each
from tests.badges.foreign.badges import DOCUMENTS, MAYZE, baked_png, changed
from tests.competency.world import RULES
from tests.pages import members
from tests.pages.conftest import Browser, text_of
from tests.pages.test_me import lived, signed_in

BADGE = DOCUMENTS["eddsa-did-key"]
ISSUER = json.loads(BADGE)["issuer"]["id"]
EARNED = "http://id.tincanapi.com/verb/earned"
HERS = {"mbox": f"mailto:{MAYZE}"}


@pytest.fixture
def mayze(site):
    return lived(site, actor=HERS, name="Mayze Jones")


def trust(site, issuer=ISSUER, name="College of the Example"):
    one = TrustedIssuer(issuer, name, site.tenant.clock(), "https://college.example.org")
    site.tenant.store.write(functools.partial(trusted.trust, issuer=one, by="test")).result()


def bring(browser, place, content, **fields):
    form = browser.get(place).text.split('name="form" value="')[-1].partition('"')[0]
    return browser.ask("POST", place, data={"form": form, "text": "", **fields}, files={"file": ("badge", content)})


def statements(site):
    every = (json.loads(record.body) for record in each(site.tenant.store, "statement"))
    return [one for one in every if one["verb"]["id"] == EARNED]


def test_a_badge_of_a_trusted_issuer_to_ones_own_address_becomes_evidence_of_a_source_of_its_own(site, mayze):
    trust(site)
    browser = signed_in(site, mayze)

    answer = bring(browser, "/me/prior", BADGE.encode())
    again = bring(browser, "/me/prior", baked_png("eddsa-did-key"))
    page = browser.get(answer.headers["location"])

    assert (answer.status_code, answer.headers["location"]) == (303, "/me/prior?done=prior_evidence")
    assert again.headers["location"] == "/me/prior?done=prior_evidence"
    assert "Pipetting Counts as evidence College of the Example , 10 January 2026" in text_of(page)
    (told,) = statements(site)
    assert told["actor"]["mbox"] == f"mailto:{MAYZE}"
    assert told["object"]["id"] == "https://college.example.org/achievements/pipetting"
    assert told["timestamp"] == "2026-01-10T09:00:00Z"
    assert told["context"]["extensions"]["https://w3id.org/engraft/extensions/prior-badge"]["issuer"] == ISSUER
    (record,) = [one for one in each(site.tenant.store, "statement") if one.meta["source"] == PRIOR_SOURCE]
    assert record.id == told["id"]
    assert [action for action, _ in site.audit()].count("prior-badge.evidence") == 1


def test_a_badge_of_an_issuer_that_nobody_named_as_trusted_is_kept_without_effect(site, mayze):
    browser = signed_in(site, mayze)

    answer = bring(browser, "/me/prior", BADGE.encode())

    assert answer.headers["location"] == "/me/prior?done=prior_kept"
    assert "No effect: the organisation has not named its issuer as trusted." in text_of(browser.get("/me/prior"))
    assert statements(site) == []


def test_a_kept_badge_becomes_evidence_when_it_is_brought_after_its_issuer_was_named(site, mayze):
    browser = signed_in(site, mayze)
    bring(browser, "/me/prior", BADGE.encode())
    trust(site)

    answer = bring(browser, "/me/prior", BADGE.encode())

    assert answer.headers["location"] == "/me/prior?done=prior_evidence"
    assert len(statements(site)) == len(list(each(site.tenant.store, "prior-badge"))) == 1


def test_somebody_elses_badge_is_no_evidence_until_staff_vouch_for_it(site, browser):
    trust(site)
    ann = lived(site)
    own = signed_in(site, ann, Browser(site.app))

    by_learner = bring(own, "/me/prior", BADGE.encode(), theirs="yes")
    said = text_of(own.get("/me/prior"))
    by_staff = bring(browser, f"/staff/learners/{ann}/prior", BADGE.encode(), theirs="yes")

    assert by_learner.headers["location"] == "/me/prior?done=prior_not_yours"
    assert "This badge is somebody else's" in text_of(own.get("/me/prior?done=prior_not_yours"))
    assert "it is somebody else's badge, or was issued to an e-mail address that is not known here" in said
    assert by_staff.headers["location"] == f"/staff/learners/{ann}/prior?done=prior_evidence"
    assert "Counts as evidence" in text_of(browser.get(f"/staff/learners/{ann}/prior"))
    assert len(statements(site)) == 1


def test_staff_of_one_source_see_only_badges_that_they_brought_and_vouch_for_none(site):
    trust(site)
    ann = lived(site)
    (source,) = {record.meta["source"] for record in each(site.tenant.store, "statement")}
    bring(signed_in(site, ann, Browser(site.app)), "/me/prior", BADGE.encode())
    trainer, place = members.signed_in(site, f"trainer:{source}"), f"/staff/learners/{ann}/prior"

    page = trainer.get(place)
    vouched = bring(trainer, place, BADGE.encode(), theirs="yes")

    assert page.status_code == 200
    assert "Pipetting" not in page.text
    assert 'name="theirs"' not in page.text
    assert "Only badges that you brought yourself are shown here." in text_of(page)
    assert vouched.status_code == 403
    assert "Only staff who see the learners of every source can vouch" in text_of(vouched)
    assert statements(site) == []
    assert "Pipetting" in members.signed_in(site, "steward").get(place).text


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (changed("eddsa-did-key", lambda badge: badge.update(name="x")), "the signature does not fit"),
        (b"", "The file is empty."),
        (DOCUMENTS["ecdsa-sd-base"].encode(), "from which holders make what they show"),
    ],
)
def test_what_is_no_valid_badge_is_not_kept_and_its_sender_reads_why(site, mayze, content, why):
    browser = signed_in(site, mayze)

    page = bring(browser, "/me/prior", content)

    assert page.status_code == 400
    assert why in text_of(page)
    assert list(each(site.tenant.store, "prior-badge")) == []


def test_a_rule_that_names_the_source_counts_the_badge(site, mayze):
    row = f"https://college.example.org/achievements/pipetting,{EARNED},ASEP,1,,,{PRIOR_SOURCE}\n"
    site.world.apply(RULES + row)
    trust(site)
    before = len(site.world.awards())

    bring(signed_in(site, mayze), "/me/prior", BADGE.encode())
    site.world.work()

    proofs = [proof["source"] for award in site.world.awards() for proof in award["evidence"]]
    assert (len(site.world.awards()) - before, proofs.count(PRIOR_SOURCE)) == (1, 1)


def test_the_registry_lists_the_organisation_itself_and_whom_it_trusts(site):
    trust(site)
    trust(site, "did:web:other.example.org", "Other")
    site.tenant.store.write(lambda tx: trusted.distrust(tx, "did:web:other.example.org", by="test")).result()

    told = Browser(site.app).get("/.well-known/issuer-registry.json")

    assert told.headers["access-control-allow-origin"] == "*"
    own, theirs = told.json()["registry"].items()
    assert own[1]["name"] == "Engraft, default (demonstration)"
    assert theirs == (ISSUER, {"name": "College of the Example", "url": "https://college.example.org"})
    assert told.json()["meta"].keys() == {"created", "updated"}


def test_a_badge_of_the_organisation_itself_is_said_to_be_here_and_is_not_kept(site):
    ann = lived(site)
    own = signed_in(site, ann, Browser(site.app))
    badge = next(one for one in each(site.tenant.store, "credential") if one.meta["person"] == ann)

    answer = bring(own, "/me/prior", badge.body)

    assert answer.status_code == 400
    assert "This badge was issued here: it is with its holder's badges already." in text_of(answer)
    assert list(each(site.tenant.store, "prior-badge")) == []


def test_a_badge_that_is_removed_voids_its_evidence_and_can_be_brought_again(site, mayze):
    row = f"https://college.example.org/achievements/pipetting,{EARNED},ASEP,1,,,{PRIOR_SOURCE}\n"
    site.world.apply(RULES + row)
    trust(site)
    browser = signed_in(site, mayze)
    bring(browser, "/me/prior", BADGE.encode())
    site.world.work()
    held = len([one for one in site.world.awards() if one["state"] == "held"])

    gone = browser.send(browser.get("/me/prior"), "/me/prior/remove")
    site.world.work()
    after = len([one for one in site.world.awards() if one["state"] == "held"])
    again = bring(browser, "/me/prior", BADGE.encode())
    site.world.work()

    assert gone.headers["location"] == "/me/prior?done=prior_removed"
    assert after == held - 1
    assert again.headers["location"] == "/me/prior?done=prior_evidence"
    assert len([one for one in site.world.awards() if one["state"] == "held"]) == held
    assert [action for action, _ in site.audit()].count("prior-badge.removed") == 1


def test_nobody_removes_a_badge_that_is_not_their_own_to_remove(site, mayze, browser):
    bring(signed_in(site, mayze), "/me/prior", BADGE.encode())
    ann = lived(site)
    (kept,) = each(site.tenant.store, "prior-badge")
    own = signed_in(site, ann, Browser(site.app))
    form = own.get("/me/prior").text.split('name="form" value="')[-1].partition('"')[0]

    tried = own.ask("POST", "/me/prior/remove", data={"form": form, "badge": kept.id})
    by_staff = browser.send(browser.get(f"/staff/learners/{mayze}/prior"), f"/staff/learners/{mayze}/prior/remove")

    assert tried.status_code == 404
    assert by_staff.status_code == 303
    assert list(each(site.tenant.store, "prior-badge")) == []
