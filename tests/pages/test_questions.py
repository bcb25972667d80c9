"""What learners asked: the list, an answer, and a correction by void and new in one commit with its entries."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

import pytest

from lrs.competency import corrections
from lrs.competency.corrections import Correction
from lrs.competency.rules.rulesets import in_force
from lrs.composition.steps import drain
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.kernel.errors import Refused
from lrs.kernel.times import DAY
from lrs.matching.consent import answers, consent, links
from lrs.matching.consent.consent import Subject
from lrs.people import questions
from lrs.people.questions import Matter
from lrs.storage import Walk
from tests.competency.world import ANN, GOWNING, RULES, statement, statement_id
from tests.matching.world import PURPOSE, put_service, put_waiting
from tests.pages.conftest import text_of
from tests.pages.test_learners import STEPS, member

LIST = "/staff/questions"
WHY = "https://w3id.org/engraft/extensions/correction"


@pytest.fixture
def asked(site):
    """Ann has a level by one statement and none by another that failed, and asks about the second."""
    site.world.send(statement("low", {**ANN, "name": "Ann <b>Able</b>"}, score={"raw": 40, "min": 0, "max": 100}))
    drain(site.tenant, STEPS)
    return ask(site, "It was <i>84</i>, not 40.\nPlease look.")


def ask(site, text, *sources):
    person = site.world.person(ANN)
    about = next(one.id for one in in_force(site.tenant.store).competencies().values() if one.code == "GOWN")
    matter = Matter(about, "Gowning", sources)
    return site.world.write(lambda tx: questions.ask(tx, person, matter, text, by="learner 1")).id


def answer(browser, id, text="You are right.", **more):
    path = f"{LIST}/{id}"
    page = browser.get(path)
    form = page.text.partition('name="form" value="')[2].partition('"')[0]
    return browser.ask("POST", path, data={"form": form, "text": text, **more})


def statements(site):
    return {record.id: record for record in site.tenant.store.find(Walk("statement")).records}


def test_a_question_is_listed_until_it_is_answered_and_the_start_page_counts_it(site, browser, asked):
    rows = browser.get(f"{LIST}.json").json()
    start, page = browser.get("/staff"), browser.get(f"{LIST}/{asked}")
    learner = browser.get(f"/staff/learners/{site.world.person(ANN)}").text
    table = browser.get(f"{LIST}.csv?state=answered")

    assert f'waits for an answer: <a href="{LIST}/{asked}"><bdi>Gowning</bdi></a>' in learner

    assert [(row["title"], row["who"], row["state"]) for row in rows] == [("Gowning", "Ann <b>Able</b>", "open")]
    assert "Questions : 1 to answer" in text_of(start)
    assert "It was &lt;i&gt;84&lt;/i&gt;, not 40." in page.text
    assert "Ann &lt;b&gt;Able&lt;/b&gt;" in page.text
    assert f'value="{statement_id("low")}"' in page.text
    assert table.text.count("\n") == 1

    told = answer(browser, asked, "We <b>looked</b>: it was 40.")

    assert told.headers["location"] == f"{LIST}/{asked}?done=answered"
    assert "We &lt;b&gt;looked&lt;/b&gt;: it was 40." in browser.get(f"{LIST}/{asked}").text
    assert browser.get(f"{LIST}.json?state=open").json() == []
    assert [row["state"] for row in browser.get(f"{LIST}.json").json()] == ["answered"]
    assert site.audit()[-1] == ("question.answered", f"key {site.operator.key}")
    assert answer(browser, asked).status_code == 409


def test_a_record_without_a_name_is_called_as_the_session_that_it_belongs_to(site, browser, asked):
    session = {"id": "https://centre.example/s1", "definition": {"name": {"en": "GMP practical, day 1"}}}
    site.world.send(statement("seen", ANN, context={"contextActivities": {"parent": [session]}}))
    drain(site.tenant, STEPS)

    page = text_of(browser.get(f"{LIST}/{asked}"))

    assert "vle: GMP practical, day 1" in page
    assert page.count(f"vle: {GOWNING}") == 1  # the other one has neither


def test_what_is_wrong_is_voided_and_the_right_record_put_in_its_place_in_one_commit(site, browser, asked):
    low = statement_id("low")

    told = answer(browser, asked, statement=low, why="Misread from paper", score="84", day="2026-11-18")
    stored = statements(site)
    drain(site.tenant, STEPS)

    assert told.headers["location"].endswith("?done=corrected")
    assert len(stored) == 3
    (void,) = [json.loads(one.body) for one in stored.values() if one.meta.get("voids")]
    (new,) = [one for one in stored.values() if one.id != low and not one.meta.get("voids")]
    said = json.loads(new.body)
    assert stored[low].meta["voided"]
    assert json.loads(stored[low].body)["result"]["score"]["raw"] == 40
    assert (void["object"]["id"], void["context"]["extensions"][WHY]) == (low, "Misread from paper")
    assert (new.meta["source"], said["result"]["score"]) == ("vle", {"scaled": 0.84, "raw": 84, "min": 0, "max": 100})
    assert said["context"]["statement"]["id"] == low
    assert said["timestamp"] == "2026-11-18T10:00:00Z"  # the time of day of the record that was wrong
    assert said["authority"]["account"]["name"] == f"key {site.operator.key}"
    assert [one["competency"]["code"] for one in site.world.awards()] == ["GOWN"]
    entry = next(one for one in site.world.all("audit") if one["action"] == "statement.corrected")
    assert entry["about"] | {"person": "", "new": ""} == {
        "person": "",
        "statement": low,
        "source": "vle",
        "why": "Misread from paper",
        "new": "",
    }
    assert entry["about"]["new"] == new.id
    assert "Answered and corrected" in text_of(browser.get(f"{LIST}/{asked}"))


def test_what_never_happened_is_taken_back_and_nothing_is_put_in_its_place(site, browser, asked):
    answer(browser, asked, statement=statement_id("low"), why="Somebody else sat the test", new="no")

    assert sum(bool(one.meta.get("voids")) for one in statements(site).values()) == 1
    assert len(statements(site)) == 2


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        ({"text": " "}, 400, "Write your answer"),
        ({"text": "x" * 2001}, 400, "there is room for 2,000"),
        ({"why": ""}, 400, "Say why it is corrected"),
        ({"score": "101"}, 400, "from 0 to 100"),
        ({"score": "1e2"}, 400, "from 0 to 100"),
        ({"score": "٤٢"}, 400, "from 0 to 100"),
        ({"day": "18.11.2026"}, 400, "Write the day like 2026-11-17."),
        ({"statement": "5de02d94-0090-4b5a-9c5e-000000000000"}, 404, "no evidence of this learner"),
    ],
    ids=lambda one: str(one)[:20],
)
def test_what_cannot_be_stored_leaves_all_as_it_was(site, browser, asked, given, status, said):
    before = len(site.audit())

    told = answer(browser, asked, **{"statement": statement_id("low"), "why": "because", **given})

    assert (told.status_code, said in text_of(told)) == (status, True)
    assert len(statements(site)) == 1
    assert len(site.audit()) == before
    assert browser.get(f"{LIST}.json").json()[0]["state"] == "open"


def test_the_record_of_another_learner_cannot_be_taken_back_by_this_question(site, browser, asked):
    other = statement("other's", {"mbox": "mailto:bo@example.org"})
    site.world.send(other)
    drain(site.tenant, STEPS)

    told = answer(browser, asked, statement=other["id"], why="because")

    assert told.status_code == 404
    assert not any(one.meta.get("voided") for one in statements(site).values())


def test_a_record_about_several_learners_is_not_taken_back_for_one_of_them(site, browser, asked):
    group = {"objectType": "Group", "member": [ANN, {"mbox": "mailto:bo@example.org"}]}
    site.world.send(statement("together", group))
    drain(site.tenant, STEPS)

    told = answer(browser, asked, statement=statement_id("together"), why="because")

    assert (told.status_code, "about several learners" in text_of(told)) == (409, True)


def test_a_record_that_was_taken_back_meanwhile_is_not_taken_back_again(site, browser, asked):
    path = f"{LIST}/{asked}"
    form = browser.get(path).text.partition('name="form" value="')[2].partition('"')[0]
    site.world.void(statement_id("low"))

    data = {"form": form, "text": "Yes", "statement": statement_id("low"), "why": "because"}
    told = browser.ask("POST", path, data=data)

    assert told.status_code == 409
    assert browser.get(f"{LIST}.json").json()[0]["state"] == "open"


@pytest.mark.usefixtures("asked")
def test_of_two_who_correct_a_record_at_once_the_second_is_refused(site):
    wanted, person = Correction(statement_id("low"), "Misread", changes={"score": 84.0}), site.world.person(ANN)
    told = {"by": "staff 1", "name": "Sam", "home": "https://lrs.test", "subscriptions": SUBSCRIPTIONS}
    one, other = (corrections.ready(site.tenant, person, wanted, **told) for _ in range(2))
    site.world.write(lambda tx: corrections.correct(tx, one, by="staff 1"))

    with pytest.raises(Refused, match="taken back already") as refused:
        site.world.write(lambda tx: corrections.correct(tx, other, by="staff 1"))

    assert refused.value.status == 409
    assert sum(bool(one.meta.get("voids")) for one in statements(site).values()) == 1


def test_consents_that_wait_for_their_learner_are_shown_without_the_link(site, browser):
    service = put_service(site.tenant).service
    wish = links.Wish(Subject(identifier="i-1"), ("profiles:read",), "their <b>17</b>", purpose=PURPOSE)
    made = links.mint(site.tenant, service, wish, id="secret-id", by="test")

    page = browser.get(LIST)
    site.world.clock.now = made.expires
    late = browser.get(LIST)

    assert "their &lt;b&gt;17&lt;/b&gt;" in page.text
    assert "Career Converter Skills and the names of badges" in text_of(page)
    assert "secret-id" not in page.text
    assert "Career Converter" not in text_of(late)


def test_who_may_not_answer_sees_no_question_and_another_organisation_none_of_ours(site, browser, asked):
    auditor, provider = member(site, "auditor"), member(site, "provider", "vle")
    there = member(site, "administrator", base="/t/other", tenant=site.other)

    assert [auditor.get(path).status_code for path in (LIST, f"{LIST}.json", f"{LIST}/{asked}")] == [403] * 3
    assert [provider.get(f"{LIST}/{asked}").status_code, provider.get(f"{LIST}.json").json()] == [404, []]
    assert there.get(f"/t/other{LIST}.json").json() == []
    assert there.get(f"/t/other{LIST}/{asked}").status_code == 404
    assert browser.get(f"{LIST}/none").status_code == 404


@pytest.mark.parametrize("role", ["trainer", "assessor", "provider"])
def test_a_narrow_reach_answers_what_its_own_source_proved_and_corrects_only_its_own_records(site, role):
    mailbox = {"mbox": ANN["mbox"]}
    site.world.send(statement("of the vle", {**mailbox, "name": "Of the vle"}))
    site.world.send(statement("of the centre", {**mailbox, "name": "Of the centre"}), source="centre")
    drain(site.tenant, STEPS)
    mine, other = ask(site, "It was 84", "centre", "vle"), ask_whole(site)
    centre, south = member(site, role, "centre"), member(site, role, "south")

    page = centre.get(f"{LIST}/{mine}")
    rows = centre.get(f"{LIST}.json").json()
    foreign = answer(centre, mine, statement=statement_id("of the vle"), why="because")
    told = answer(centre, mine, statement=statement_id("of the centre"), why="because", new="no")

    assert ("Of the centre" in page.text, "Of the vle" in page.text) == (True, False)
    assert (statement_id("of the centre") in page.text, statement_id("of the vle") in page.text) == (True, False)
    assert [row["id"] for row in rows] == [mine]
    assert (foreign.status_code, "of none of your sources" in foreign.text) == (404, True)
    assert told.headers["location"] == f"{LIST}/{mine}?done=corrected"
    assert centre.get(f"{LIST}/{other}").status_code == south.get(f"{LIST}/{mine}").status_code == 404
    assert south.get(f"{LIST}.json").json() == []
    assert "Consents that wait" not in centre.get(LIST).text
    assert centre.get("/staff/invitations").status_code == centre.get("/staff/same-person").status_code == 403


def ask_whole(site):
    person, matter = site.world.person(ANN), Matter("record", "My record as a whole")
    return site.world.write(lambda tx: questions.ask(tx, person, matter, "A course is missing", by="learner 1")).id


def test_a_steward_answers_joins_and_invites_and_writes_no_consent_down(site, asked):
    steward = member(site, "steward")
    receipt = waiting(site)

    told = answer(steward, asked)
    pages = [steward.get(path).status_code for path in ("/staff/same-person", "/staff/invitations", "/staff/learners")]

    assert told.headers["location"] == f"{LIST}/{asked}?done=answered"
    assert pages == [200] * 3
    assert "An administrator makes a new link" in steward.get(LIST).text
    assert steward.get(f"/staff/consents/{receipt}").status_code == 403


# -- a correction without a question -----------------------------------------------------------------------------------


def correct(browser, person, **given):
    path = f"/staff/learners/{person}/correct"
    form = browser.get(path).text.partition('name="form" value="')[2].partition('"')[0]
    return browser.ask("POST", path, data={"form": form, **given})


@pytest.mark.usefixtures("asked")
def test_a_result_is_corrected_without_a_question_by_void_and_new_and_in_the_record_of_actions(site, browser):
    person, low = site.world.person(ANN), statement_id("low")

    page = browser.get(f"/staff/learners/{person}")
    chosen = browser.get(f"/staff/learners/{person}/correct?statement={low}")
    told = correct(browser, person, statement=low, why="Misread from paper", score="84")
    drain(site.tenant, STEPS)

    assert f"/staff/learners/{person}/correct?statement={low}" in page.text
    assert f'value="{low}" checked' in chosen.text
    assert told.headers["location"] == f"/staff/learners/{person}?done=corrected"
    assert statements(site)[low].meta["voided"]
    assert [one["competency"]["code"] for one in site.world.awards()] == ["GOWN"]
    assert ("statement.corrected", f"key {site.operator.key}") in site.audit()
    assert browser.get(f"{LIST}.json").json()[0]["state"] == "open"


def test_the_record_that_replaces_another_keeps_the_rest_of_it_and_its_verb_says_what_its_result_says(site, browser):
    room, lasted = "https://vle.example/extensions/room", {"success": True, "duration": "PT40M"}
    site.world.send(statement("passed", context={"language": "en", "extensions": {room: "B2"}}, result=lasted))
    drain(site.tenant, STEPS)

    correct(browser, site.world.person(ANN), statement=statement_id("passed"), why="The wrong line", success="no")
    drain(site.tenant, STEPS)

    (new,) = [json.loads(one.body) for one in statements(site).values() if not one.meta.keys() & {"voids", "voided"}]
    assert new["verb"] == {"id": "http://adlnet.gov/expapi/verbs/failed"}
    assert new["result"] == {"score": {"raw": 90, "min": 0, "max": 100}, "success": False, "duration": "PT40M"}
    assert new["context"]["language"] == "en"
    assert new["context"]["extensions"] == {room: "B2", WHY: "The wrong line"}
    assert (new["object"], new["timestamp"]) == ({"id": GOWNING}, "2026-11-20T10:00:00Z")
    assert site.world.awards() == []


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(("score", "threshold", "held"), [("60", "80", 0), ("33.3", "33.3", 1)])
def test_a_corrected_score_is_the_per_cent_that_was_typed_also_where_the_source_scales_from_minus_one(
    site, browser, score, threshold, held
):
    site.world.apply(f"{RULES.splitlines()[0]},scaled range\n{GOWNING},passed,GOWN,1,{threshold},,vle,-1..1\n")

    correct(browser, site.world.person(ANN), statement=statement_id("low"), why="Misread from paper", score=score)
    drain(site.tenant, STEPS)

    assert len(site.world.awards()) == held


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        ({}, 400, "Choose the record that is wrong."),
        ({"statement": "low", "why": " "}, 400, "Say why it is corrected"),
        ({"statement": "low", "why": "because", "score": "101"}, 400, "from 0 to 100"),
        ({"statement": "none", "why": "because"}, 404, "no evidence of this learner"),
    ],
)
def test_a_correction_that_says_too_little_or_what_cannot_be_stores_nothing(site, browser, given, status, said):
    named = {name: statement_id(value) if name == "statement" else value for name, value in given.items()}

    told = correct(browser, site.world.person(ANN), **named)

    assert (told.status_code, said in text_of(told)) == (status, True)
    assert len(statements(site)) == 1


@pytest.mark.usefixtures("asked")
def test_only_records_of_own_sources_are_corrected_and_only_of_learners_within_reach(site):
    person, low = site.world.person(ANN), statement_id("low")
    site.world.send(statement("by the centre"), source="centre")
    drain(site.tenant, STEPS)
    centre, south, auditor = (
        member(site, "trainer", "centre"),
        member(site, "trainer", "south"),
        member(site, "auditor"),
    )
    path = f"/staff/learners/{person}/correct"

    page, foreign = centre.get(path), correct(centre, person, statement=low, why="because")
    own = correct(centre, person, statement=statement_id("by the centre"), why="because", new="no")

    assert (statement_id("by the centre") in page.text, low in page.text) == (True, False)
    assert (foreign.status_code, "of none of your sources" in foreign.text) == (404, True)
    assert own.headers["location"].endswith("?done=corrected")
    assert [south.get(path).status_code, auditor.get(path).status_code] == [404, 403]


# -- consents that wait for a parent or guardian ----------------------------------------------------------------------


MUM = "mum@example.org"


def waiting(site):
    """The reference of a consent that waits for a guardian."""
    put_waiting(site.tenant, put_service(site.tenant).service, ANN["mbox"], "Ann <b>")
    return answers.waiting(site.tenant.store)[0].receipt


def send(browser, receipt, **given):
    path = f"/staff/consents/{receipt}"
    form = browser.get(path).text.partition('name="form" value="')[2].partition('"')[0]
    return browser.ask("POST", path, data={"form": form, **given})


def state(site, receipt):
    return links.with_receipt(site.tenant.store, receipt).state


def test_what_waits_for_a_guardian_is_listed_also_after_a_day_and_counted(site, browser):
    receipt = waiting(site)
    site.world.clock.now += 2 * DAY
    browser.sign_in(site.operator)

    page, one = browser.get(LIST), browser.get(f"/staff/consents/{receipt}")

    assert "Ann &lt;b&gt;" in page.text
    assert f"/staff/consents/{receipt}" in page.text
    assert "Questions : 1 to answer" in text_of(browser.get("/staff"))
    assert "Ann &lt;b&gt;" in one.text
    assert "What is missing for a role" not in text_of(one)
    assert browser.get("/staff/consents/AAAA-AAAA").status_code == 404


def test_a_new_link_for_the_guardian_is_shown_once_and_mailed_where_there_is_an_address(site, browser):
    receipt = waiting(site)

    shown = send(browser, receipt, act="link")
    mailed = send(browser, receipt, act="link", email=MUM)
    wrong = send(browser, receipt, act="link", email="nobody")

    made = [re.search(r"http://[^<\"]*/guardian/[\w.~-]+", one.text)[0] for one in (shown, mailed)]
    assert made[0] != made[1]
    assert [browser.get(urlsplit(one).path).status_code for one in made] == [404, 200]
    assert wrong.status_code == 400
    assert "/guardian/" not in browser.get(f"/staff/consents/{receipt}").text
    assert links.with_receipt(site.tenant.store, receipt).guardian.address == MUM


@pytest.mark.parametrize(("act", "after"), [("agreed", "agreed"), ("refused", "refused")])
def test_the_answer_of_a_guardian_on_paper_is_written_down_once_with_who_did_it(site, browser, act, after):
    receipt = waiting(site)

    unsure = send(browser, receipt, act=act)
    nothing = send(browser, receipt, act="perhaps", sure="yes")
    before = state(site, receipt)
    told = send(browser, receipt, act=act, sure="yes")
    again = send(browser, receipt, act=act, sure="yes")

    assert (unsure.status_code, nothing.status_code, before) == (400, 400, "waiting")
    assert told.headers["location"] == f"{LIST}?done=guardian_{act}"
    assert (state(site, receipt), again.status_code) == (after, 409)
    assert (f"consent.guardian-{act}", f"key {site.operator.key}") in site.audit()
    given = consent.everything(site.tenant.store)
    assert [one.how for one in given] == (["guardian"] if act == "agreed" else [])
    assert "waits for nobody" in browser.get(f"/staff/consents/{receipt}").text
