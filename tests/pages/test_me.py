"""A learner's own pages: skills and why, questions, badges, roles, who sees what; and nothing of anybody else."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest
from msgspec.structs import replace

from adapters.catalogue import offerings
from adapters.catalogue.offerings import Offering
from adapters.training_centre.centre_sessions import Gives
from lrs.access import CONTENT_SOURCE, MADE_HERE, OWN_SOURCE, learners, sessions
from lrs.access.staff import Login
from lrs.competency import listed
from lrs.composition.kinds import TENANT
from lrs.composition.steps import drain
from lrs.kernel.keys import key
from lrs.kernel.times import DAY
from lrs.matching import disclosures, occupations, outcomes, registry, services
from lrs.matching.consent import consent
from lrs.matching.consent.consent import Consent, Grant, Subject
from lrs.matching.occupations import Occupation, OccupationSkill
from lrs.matching.outcomes import WhatCameOfIt
from lrs.matching.preview import in_words
from lrs.matching.roles import roles
from lrs.pages.me import badges, facts, views
from lrs.pages.me.badges import GoneBadge, OwnBadge
from lrs.people import joins, questions
from lrs.storage import Record, each
from lrs.web.dates import Dates
from lrs.web.origins import session_cookie
from lrs.web.page import TEMPLATES
from tests.competency.world import ANN, ANN_ACCOUNT, ASEPTIC, GOWNING, RULES, micros, statement
from tests.pages.conftest import Browser, forms_of, text_of
from tests.pages.test_learner import work

BEA = {"mbox": "mailto:bea@example.org"}
RAY = {"name": "Ray <b>Brown</b>", "mbox": "mailto:ray@centre.example"}
NAMED = {"id": GOWNING, "definition": {"name": {"en": "Gowning, practical"}}}
UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f-]{27}\b")


def signed_in(site, person, browser=None):
    """A browser in which *person* is signed in."""
    site.tenant.store.write(lambda tx: learners.open_account(tx, person, by="test")).result()
    browser = browser or Browser(site.app)
    token = sessions.open_session(site.tenant, learners.SUBJECT + person, sessions.SigningIn("link", "Firefox"))
    browser.cookies.set(session_cookie(site.tenant), token)
    return browser


def lived(site, actor=ANN, name="Ann Smith"):
    """Somebody with a skill that an assessor saw, and one without an end; their person."""
    who = {**actor, "name": name}
    seen = statement(f"{name} one", who, context={"instructor": RAY}) | {"object": NAMED}
    site.world.send(seen)
    site.world.send(statement(f"{name} two", who, activity=ASEPTIC))
    work(site)
    return site.world.person(actor)


def service(site, person, *scopes):
    """A service that *person* agreed to."""
    known = [one.id for one in services.everyone(site.tenant.store)]
    if "career-converter" not in known:
        registry.register(
            site.tenant,
            "Career Converter",
            webhook=None,
            scopes=["profiles:read", "gap:read"],
            purpose="To find <b>roles</b>",
            by="test",
        )
    grant = Grant(Subject(person=person), "career-converter", scopes, "To find <b>roles</b>", "operator", "test")
    site.world.write(lambda tx: consent.give(tx, grant))


def first_form(page, action):
    return next(form for form in forms_of(page.text) if form["action"] == action)


def test_the_page_says_what_is_held_until_when_and_who_saw_it(site):
    ann = lived(site)
    page = signed_in(site, ann).get("/me")

    text = text_of(page)
    assert page.status_code == 200
    assert "Ann Smith 2 skills; next to expire: Aseptic technique , 20 November 2027." in text
    assert "Gowning Awareness All levels: Awareness → Practitioner → " in text
    assert "Aseptic technique Practitioner All levels: Awareness → Practitioner → " in text
    assert "Held Until 20 November 2027" in text
    assert "Gowning, practical Seen by Ray <b>Brown</b> ( vle ) 20 November 2026, 10:00 GMT" in text
    assert "A result Sent by vle" in text
    assert "Ray &lt;b&gt;Brown&lt;/b&gt;" in page.text


def test_a_badge_is_shown_and_says_what_it_is_and_is_taken_as_certificate_picture_and_file(site):
    ann = lived(site)
    browser = signed_in(site, ann)

    page = browser.get("/me")

    text = text_of(page)
    (badge, *_) = re.findall(r'<img src="(/me/badges/[^"?]+)[?]form=picture"', page.text)
    files = {form: browser.get(f"{badge}?form={form}") for form in ("svg", "png", "pdf", "json")}
    assert set(re.findall(r'href="(/me/badges/[^"]+)/take">Keep or show its badge', page.text)) == set(
        re.findall(r'<img src="(/me/badges/[^"?]+)[?]form=picture"', page.text)
    )
    assert "Level Practitioner" in text
    assert "Given on 20 November 2026" in text  # as the badge says, not the second in which it was signed
    assert text.count("Certificate (PDF)") == text.count("Picture (PNG)") == text.count("File (JSON)") == 2
    assert {form: file.headers["content-type"] for form, file in files.items()} == {
        "svg": "image/svg+xml",
        "png": "image/png",
        "pdf": "application/pdf",
        "json": "application/vc",
    }
    assert files["pdf"].content[:5] == b"%PDF-"
    assert files["json"].json()["awardedDate"] == "2026-11-20T00:00:00+00:00"
    assert re.search(r'filename="(Gowning|Aseptic technique) \w+[.]png"', files["png"].headers["content-disposition"])
    assert browser.get(f"{badge}?form=gif").status_code == 404


def test_badges_of_lower_levels_are_folded_away_beneath_the_others(site):
    harder = RULES.replace("ASEP,2,,P12M", "ASEP,1,,") + f"{GOWNING},passed,ASEP,2,,,vle\n"
    site.world.apply(harder)
    browser = signed_in(site, lived(site))

    page = browser.get("/me")

    before, _, after = page.text.partition('id="lower"')
    assert [re.findall(r'<bdi dir="auto">([^<]+)</bdi></strong>', part) for part in (before, after)] == [
        ["Aseptic technique: Practitioner", "Gowning: Awareness"],
        ["Aseptic technique: Awareness"],
    ]
    assert "Badges of lower levels (1)" in text_of(page)


def test_the_file_of_a_badge_is_called_as_the_badge_in_any_script():
    assert badges.saved_as('Gowning: "Level" 1/2', ".png") == (
        "attachment; filename=\"Gowning Level 1 2.png\"; filename*=UTF-8''Gowning%20Level%201%202.png"
    )
    assert badges.saved_as("Hyfforddi tŷ", ".pdf").endswith("filename*=UTF-8''Hyfforddi%20t%C5%B7.pdf")
    assert badges.saved_as("\r\n", ".pdf") == "attachment; filename=\"badge.pdf\"; filename*=UTF-8''badge.pdf"


def test_a_name_that_is_an_address_is_none_and_who_saw_it_may_have_no_name(site):
    session = {"id": "https://centre.example/1", "definition": {"name": {"en": "Practical, day 1"}}}
    nameless = {"id": GOWNING, "definition": {"name": {"en": GOWNING}}}
    around = {"instructor": {"mbox": RAY["mbox"]}, "contextActivities": {"parent": [session]}}
    site.world.send(statement("one", context=around) | {"object": nameless})
    work(site)

    text = text_of(signed_in(site, site.world.person(ANN)).get("/me"))

    assert "My skills 1 skill, which does not expire." in text
    assert "Practical, day 1 Seen by an assessor ( vle )" in text
    assert "ray@centre.example" not in text


def test_numbers_and_addresses_of_the_inside_are_only_in_details(site):
    ann = lived(site)
    service(site, ann, "profiles:read")
    browser = signed_in(site, ann)
    pages = [browser.get(path) for path in ("/me", "/me/roles", "/me/sharing")]

    for page in pages:
        outside = re.sub(r"<details>.*</details>", "", page.text, flags=re.DOTALL)
        shown = re.sub(r"<[^>]*>", " ", outside.partition("<main")[2])
        assert UUID.search(shown) is None
        assert "http" not in shown
        for word in ("tenant", "scope", "statement", "competency", "IRI", "UUID"):
            assert word.casefold() not in shown.casefold()
    assert UUID.search(pages[0].text)


def test_a_learner_without_evidence_is_told_what_will_come(site):
    site.world.send(statement("other", BEA, activity="https://vle.example/other"))
    work(site)
    browser = signed_in(site, site.world.person(BEA))

    text = text_of(browser.get("/me"))

    assert "No skill is held at present." in text
    assert "Nothing here yet" in text
    assert "No badge yet" in text
    assert "Nobody" in text_of(browser.get("/me/sharing"))
    assert "no roles to choose from" in text_of(browser.get("/me/roles"))


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", "x" * 300, "\u05d9\u05e2\u05dc \u202e\u05db\u05d4\u05df", 'O\'Neil "Ann" & Co'],
)
def test_any_name_is_shown_as_it_is_and_in_its_own_direction(site, name):
    page = signed_in(site, lived(site, BEA, name)).get("/me")

    assert "<script>" not in page.text
    assert name in text_of(page)
    assert '<h1><bdi dir="auto">' in page.text


# -- something is wrong -----------------------------------------------------------------------------------------------


def ask(browser, text="It was on another day"):
    page = browser.get("/me")
    return browser.send(page, "/me/questions", text=text)


def test_a_question_about_a_skill_reaches_staff_and_its_answer_the_learner(site):
    ann = lived(site)
    browser = signed_in(site, ann)

    sent = ask(browser, "It was <i>another</i> day")
    (asked,) = questions.listed(site.tenant.store, answered=False).questions
    waiting = text_of(browser.get("/me?done=asked"))
    again = browser.ask(
        "POST",
        "/me/questions",
        data=first_form(browser.get("/me"), "/me/questions")["fields"] | {"about": asked.about, "text": "Once more"},
    )
    site.world.write(lambda tx: questions.answer(tx, asked.id, "You are right", by="staff 1", corrected=True))
    answered = text_of(browser.get("/me"))

    assert (sent.status_code, sent.headers["location"]) == (303, "/me?done=asked")
    assert (asked.person, asked.title, asked.text) == (
        ann,
        "Aseptic technique: Practitioner",
        "It was <i>another</i> day",
    )
    assert "Your question is with the staff" in waiting
    assert "Waits for an answer It was <i>another</i> day" in waiting
    assert again.status_code == 409
    assert "You have asked about this already" in text_of(again)
    assert "Answered It was <i>another</i> day" in answered
    assert "The staff answered: You are right It was put right." in answered
    assert answered.count("Ask the staff") == waiting.count("Ask the staff") + 1


def test_what_is_refused_is_said_beside_the_field_and_the_text_is_kept(site):
    browser = signed_in(site, lived(site))

    refused = ask(browser, "x" * 2_001)

    assert refused.status_code == 400
    assert "there is room for 2,000" in text_of(refused)
    assert f">{'x' * 2_001}</textarea>" in refused.text
    assert refused.text.count("<details open>") == refused.text.count('aria-invalid="true"') == 1
    assert questions.count_open(site.tenant.store) == 0


def test_a_question_is_only_about_what_is_on_ones_own_page(site):
    lived(site, BEA, "Bea")
    ann = lived(site)
    browser = signed_in(site, ann)
    fields = first_form(browser.get("/me"), "/me/questions")["fields"]

    other = browser.ask("POST", "/me/questions", data=fields | {"about": "https://example.org/other", "text": "Why?"})

    assert other.status_code == 404
    assert questions.count_open(site.tenant.store) == 0


# -- whose page it is -------------------------------------------------------------------------------------------------


def test_each_sees_their_own_record_and_nothing_of_anybody_else(site):
    ann, bea = lived(site), lived(site, BEA, "Bea Jones")
    service(site, ann, "profiles:read")
    hers = signed_in(site, bea)
    badge = next(record.id for record in each(site.tenant.store, "credential") if record.meta["person"] == ann)

    pages = [hers.get(path).text for path in ("/me", "/me/roles", "/me/sharing")]

    assert "Bea Jones" in pages[0]
    assert [page for page in pages if "Ann Smith" in page or ann in page or "Career Converter" in page] == []
    assert hers.get(f"/me/badges/{badge}").status_code == 404
    assert signed_in(site, ann).get(f"/me/badges/{badge}").json()["id"] == f"urn:uuid:{badge}"


def test_a_form_of_another_person_than_the_one_signed_in_now_is_refused(site):
    ann, bea = lived(site), lived(site, BEA, "Bea Jones")
    service(site, ann, "profiles:read")
    browser = signed_in(site, ann)
    hers, shared = browser.get("/me"), browser.get("/me/sharing")
    signed_in(site, bea, browser)  # in another tab

    asked = browser.send(hers, "/me/questions", text="Whose?")
    stopped = browser.send(shared, "/me/sharing/stop")

    for refused in (asked, stopped):
        assert refused.status_code == 403
        assert "Nothing was changed." in text_of(refused)
        assert "see who is signed in" in text_of(refused)
    assert questions.count_open(site.tenant.store) == 0
    assert "Career Converter" in text_of(signed_in(site, ann, browser).get("/me/sharing"))


def test_who_may_sign_in_no_more_is_led_to_the_sign_in_and_nothing_is_done(site):
    ann = lived(site)
    browser = signed_in(site, ann)
    page = browser.get("/me")
    site.world.write(lambda tx: learners.close_account(tx, ann, by="staff 1"))

    sent = browser.send(page, "/me/questions", text="Am I still here?")

    assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in/learner?done=over")
    assert questions.count_open(site.tenant.store) == 0
    assert browser.get("/me").headers["location"] == "/sign-in/learner?then=/me&done=over"
    over = browser.get("/sign-in/learner?then=/me&done=over&lang=cy")
    assert "Nid ydych wedi mewngofnodi mwyach, ac ni newidiwyd dim." in text_of(over)


def test_behind_the_name_of_an_organisation_all_links_stay_there_and_another_one_knows_nobody(site):
    browser = signed_in(site, lived(site))

    page, elsewhere = browser.get("/t/default/me"), browser.get("/t/other/me")

    places = set(re.findall(r'(?:href|action)="(/[^"#]*)"', page.text))
    assert "Ann Smith" in page.text
    assert {"/t/default/me/sharing", "/t/default/me/data", "/t/default/me/questions"} <= places
    assert [place for place in places if not place.startswith(("/t/default/", "/static/"))] == []
    assert (elsewhere.status_code, elsewhere.headers["location"]) == (303, "/t/other/sign-in/learner?then=/t/other/me")


def test_staff_have_no_page_of_their_own_record(browser):
    refused = browser.get("/me")

    assert refused.status_code == 403
    assert "learner" in text_of(refused)


def test_persons_who_are_one_have_one_page_whoever_of_them_signs_in(site):
    ann = lived(site)
    account = lived(site, ANN_ACCOUNT, "Ann at work")
    site.world.write(lambda tx: joins.merge(tx, ann, account, "test"))
    service(site, account, "profiles:read")
    work(site)

    pages = [signed_in(site, person) for person in (ann, account)]

    for browser in pages:
        assert "2 skills" in text_of(browser.get("/me"))
        seen = text_of(browser.get("/me/sharing"))
        assert "Career Converter" in seen
        assert "Exactly this : Career Converter Aseptic technique Practitioner until 20 November 2027" in seen
    ask(pages[1])
    assert "Waits for an answer" in text_of(pages[0].get("/me"))


# -- roles, and who sees it -------------------------------------------------------------------------------------------


ROLE = """role,role_label,competency,label,framework,level,importance
operator,Aseptic <b>operator</b>,GOWN,,https://example.org/frameworks/atmp,1,
operator,,ASEP,,https://example.org/frameworks/atmp,3,
operator,,NONE,Something else,,,optional
"""


def test_what_is_missing_for_a_role_is_said_in_words(site):
    found, _ = roles.read_roles(ROLE.encode())
    for role in found:
        site.world.write(lambda tx, role=role: roles.keep(tx, role))
    browser = signed_in(site, lived(site))

    text = text_of(browser.get("/me/roles?role=operator"))

    assert "Aseptic <b>operator</b> You have 56 % of what it asks for" in text
    assert "Gowning You have this" in text
    assert "A higher level is needed You have Practitioner, and Lead or expert is asked for" in text
    assert "Something else (useful, not required) Missing" in text
    assert "all that is required" not in text
    assert browser.get("/me/roles?role=none").status_code == 404


def test_what_the_catalogue_has_for_a_role_is_planned_and_what_it_does_not_cover_is_said(site):
    for role in roles.read_roles(ROLE.encode())[0]:
        site.world.write(lambda tx, role=role: roles.keep(tx, role))
    offered = [("slow", 9, 3), ("lead", 6, 3), ("basics", 1, 2)]
    for id, hours, level in offered:
        gives = (Gives("ASEP", level), Gives("GOWN", level))
        one = Offering(id, f"Aseptic <i>{id}</i>", gives=gives, hours=hours)
        site.world.write(lambda tx, one=one: offerings.keep(tx, one, "test"))

    page = signed_in(site, lived(site)).get("/me/roles?role=operator")

    plan = text_of(page).partition("How to get there")[2]
    assert "Aseptic <i>lead</i> , 6 hours For: Aseptic technique 6 hours together." in plan
    assert "slow" not in plan
    assert "basics" not in plan
    assert plan.endswith("Nothing in the catalogue covers the rest of: Something else")
    assert 'href="/catalogue/lead"' in page.text


def test_the_nearest_roles_are_shown_in_their_order_before_one_is_chosen(site):
    rows = ROLE + (
        "helper,Gowning helper,GOWN,,https://example.org/frameworks/atmp,1,\nwelder,Welder,WELD,Welding,,,\n"
    )
    for role in roles.read_roles(rows.encode())[0]:
        site.world.write(lambda tx, role=role: roles.keep(tx, role))
    browser = signed_in(site, lived(site))

    text = text_of(browser.get("/me/roles"))
    page = browser.get("/me/roles").text

    nearest = text.partition("Nearest to what you have")[2]
    assert nearest.index("Gowning helper You have 100 %") < nearest.index("Aseptic <b>operator</b> You have 56 %")
    assert "1 of 2 required skills" in nearest
    assert "Welder" not in nearest
    assert 'href="/me/roles?role=helper"' in page
    assert "Nearest to what you have" not in text_of(browser.get("/me/roles?role=helper"))


def test_who_has_all_that_a_role_requires_is_told_so_and_what_is_missing_besides(site):
    rows = "role,role_label,competency,label,framework,level,importance\n"
    rows += "helper,Helper,GOWN,,https://example.org/frameworks/atmp,1,\n"
    rows += "helper,,ASEP,,https://example.org/frameworks/atmp,3,optional\n"
    for role in roles.read_roles(rows.encode())[0]:
        site.world.write(lambda tx, role=role: roles.keep(tx, role))

    text = text_of(signed_in(site, lived(site)).get("/me/roles?role=helper"))

    assert "You have all that is required for this role. What is missing is useful, not required." in text


def test_who_sees_what_is_said_in_words_and_stopped(site):
    ann = lived(site)
    service(site, ann, "profiles:read", "gap:read")
    browser = signed_in(site, ann)
    before = browser.get("/me/sharing")

    whole = forms_of(before.text)[-1]
    stopped = browser.ask("POST", whole["action"], data=whole["fields"])
    after = browser.get(stopped.headers["location"])

    text = text_of(before)
    assert "Career Converter To find <b>roles</b> It sees:" in text
    assert "Skills and the names of badges." in text
    assert "What is missing for a role." in text
    assert "You agreed on" in text
    assert "Exactly this : Career Converter Aseptic technique Practitioner until 20 November 2027" in text
    again = browser.ask("POST", whole["action"], data=whole["fields"])
    assert again.headers["location"] == "/me/sharing?done=stopped_before"
    assert stopped.headers["location"] == "/me/sharing?done=stopped"
    assert "Stopped. This service sees nothing of yours from now on" in text_of(after)
    assert "Who saw it before Career Converter from" in text_of(after)
    assert [one.withdrawn for one in consent.of_subject(site.tenant.store, Subject(person=ann))].count(None) == 0
    assert ("consent.withdrawn", f"learner {ann}") in site.audit()


def test_only_senders_with_people_behind_them_are_said_to_see_what_follows(site):
    ann, store = lived(site), site.tenant.store
    record = store.get(listed.KIND, ann)
    row = json.loads(record.body)
    row["known"][0]["sources"] = ("vle", OWN_SOURCE, f"{CONTENT_SOURCE} c1", *MADE_HERE)
    site.world.write(lambda tx: tx.put(replace(record, body=json.dumps(row).encode())))

    assert facts.senders(store, facts.own(site.tenant, ann)) == ("vle",)


def test_each_time_that_a_service_saw_something_is_a_span_of_its_own():
    first, again = micros("2026-11-01T12:00:00Z"), micros("2026-11-20T12:00:00Z")
    given = [
        Consent(Subject(person="ann"), "s", scope, purpose, at, "link", withdrawn=ended)
        for scope, purpose, at, ended in (
            ("profiles:read", "once", first, first + 3 * DAY),
            ("gap:read", "now", again, None),
            ("profiles:read", "now", again, None),
        )
    ]

    found = views.spans(given, micros("2026-11-25T12:00:00Z"), Dates("UTC"))

    assert [(one["since"][:16], one["ended"][:15], one["scopes"]) for one in found] == [
        ("20 November 2026", "", ["profiles:read", "gap:read"]),
        ("1 November 2026,", "4 November 2026", ["profiles:read"]),
    ]


def test_who_could_come_back_only_with_an_invitation_is_told_so_and_nobody_else(site):
    browser = signed_in(site, person := lived(site))

    def told():
        pages = (browser.get("/me").text, browser.get("/account").text)
        return ["come back only with a new invitation" in page for page in pages]

    def signs_in(**by):
        account = learners.open_account
        site.tenant.store.write(lambda tx: account(tx, person, by="test", **by)).result()

    with_nothing = told()
    signs_in(login=Login("https://id.example", "ann"))
    with_a_provider = told()
    signs_in(address="ann@example.org")

    assert (with_nothing, with_a_provider, told()) == ([True, True], [False, False], [False, False])


def test_a_learner_reads_their_pages_in_welsh_until_they_choose_english_again(site):
    browser = signed_in(site, lived(site))

    chosen, kept = browser.get("/me?lang=cy"), browser.get("/me/sharing")
    asked, gone = browser.get("/me?done=asked"), browser.get("/me/badges/none.png")
    back = browser.get("/me?lang=en")

    assert "<title>Fy sgiliau" in chosen.text
    assert "Tan 20 Tachwedd 2027" in text_of(chosen)
    assert ("Pwy sy'n gweld hyn" in text_of(kept), kept.headers["content-language"]) == (True, "cy")
    assert "Mae eich cwestiwn gyda'r staff. Bydd yr ateb yma." in text_of(asked)
    assert (gone.status_code, "Nid oes gennych fathodyn o'r fath." in text_of(gone)) == (404, True)
    assert "<title>My skills" in back.text


def test_all_data_has_a_line_in_words_for_each_record_and_its_fields_beneath(site):
    ann, moodle = lived(site), {"scaled": 0.2, "raw": 6, "min": 0, "max": 10}
    for name, score in (("moodle", moodle), ("scaled", {"scaled": -0.5}), ("large", {"raw": 1_234_567})):
        site.world.send(statement(name, ANN, score=score))
    page = signed_in(site, ann).get("/me/data")

    lines = re.findall(r"<summary>([^<]*)(?:<bdi[^>]*>([^<]*)</bdi>)?</summary>", page.text)

    assert ("20 November 2026, 10:00 GMT: ", "passed Gowning, practical, 90/100") in lines
    assert {line for _, line in lines if line.startswith("passed gowning")} == {
        "passed gowning, 6/10",
        "passed gowning, -0.5",
        "passed gowning, 1234567",
    }
    assert ("21 November 2026, 12:00 GMT: ", "Ann Smith") in lines


def test_one_part_is_taken_back_and_the_rest_stays(site):
    ann = lived(site)
    service(site, ann, "profiles:read", "gap:read")
    browser = signed_in(site, ann)
    before = browser.get("/me/sharing")

    taken = browser.send(before, "/me/sharing/stop", scope="gap:read")
    after = browser.get(taken.headers["location"])

    held = {one.scope for one in consent.of_subject(site.tenant.store, Subject(person=ann)) if one.withdrawn is None}
    assert held == {"profiles:read"}
    assert taken.headers["location"] == "/me/sharing?done=taken_back"
    assert "the rest as before" in text_of(after)
    assert "What is missing for a role." not in text_of(after)
    assert [form["fields"].get("scope") for form in forms_of(before.text) if form["action"] == "/me/sharing/stop"] == [
        "gap:read",
        None,
    ]
    assert browser.send(before, "/me/sharing/stop", scope="gap:read").headers["location"].endswith("stopped_before")
    assert browser.send(before, "/me/sharing/stop", scope="nonsense").headers["location"].endswith("stopped_before")


def test_a_skill_whose_days_will_change_is_not_said_to_end(site):
    ann = lived(site)
    site.world.apply(RULES.replace(",P12M,", ",P6M,"), review=24)
    work(site)

    text = text_of(signed_in(site, ann).get("/me"))

    assert "Aseptic technique Practitioner All levels: Awareness → Practitioner → " in text
    assert "Held Until 20 November 2027" in text
    assert "it counts as it stands here. After that its days can be others, or it can end" in text


def test_what_services_were_told_stands_there_by_day(site):
    ann = lived(site)
    service(site, ann, "profiles:read")
    disclosures.note(site.tenant, "career-converter", [ann], "profile")
    notice = {
        "v": 1,
        "service": "career-converter",
        "person": ann,
        "subject": "s",
        "version": 1,
    }
    for id, state, event in (("sent", "delivered", "badge.issued"), ("not-sent", "queued", "badge.revoked")):
        body = json.dumps(notice | {"about": id, "event": event}).encode()
        meta = {"state": state, "channel": "webhook", "to": "career-converter"}
        record = Record("delivery", id, body, meta, (key("person", ann),))
        site.world.write(lambda tx, record=record: tx.insert(record))

    text = text_of(signed_in(site, ann).get("/me/sharing"))

    assert "21 November 2026 : Career Converter was told your skills, because it asked" in text
    assert "21 November 2026 : Career Converter was told a new badge" in text
    assert text.count("was told") == 2
    assert "Your training provider and the staff of this organisation see your record, too." in text


def test_badges_stand_by_name_and_the_organisation_is_called_by_its_name(site):
    ann = lived(site)
    found = [
        OwnBadge(id, name, "", "", "", f"2026-11-{day}", f"2026-11-{day}", "", "", "issued")
        for id, name, day in (("1", "Gowning", 20), ("2", "aseptic", 19), ("3", "Gowning", 18))
    ]
    gone = dict.fromkeys(
        "123", GoneBadge(is_suspended=False, reason="", at=0, is_shared=False, has_code=False, is_stopped=False)
    )
    blank = {"achievement": "", "validFrom": "", "validUntil": ""}
    profile = {"competencies": [], "badges": [{"name": name} | blank for name in ("Gowning", "aseptic")]}
    site.app.tenants.control.change("default", lambda record, _: replace(record, name="Harbour Skills"))
    site.app.tenants.give_back(site.app.tenants.take("default"))  # who takes it sees the new record
    drain(site.tenant, ("list",))

    page = text_of(signed_in(site, ann).get("/me/sharing"))

    assert [one["id"] for one in views.badges_of(found, gone, (), Dates("UTC"))["badges"]] == ["2", "1", "3"]
    assert [one.name for one in in_words(profile).badges] == ["aseptic", "Gowning"]
    assert "The staff of Harbour Skills see your record, too." in page
    assert "Whoever sent results of yours sees what follows from them: vle ." in page


# -- my data ----------------------------------------------------------------------------------------------------------


def test_all_data_is_a_file_and_a_page_and_only_ones_own(site):
    ann, bea = lived(site), lived(site, BEA, "Bea Jones")
    voided = site.world.send(statement("wrong", {**ANN, "name": "Ann Smith"}, score={"scaled": 0.5}))
    site.world.void(voided)
    browser = signed_in(site, ann)

    page, file = browser.get("/me/data"), browser.get("/me/data.json")

    records, text = file.json()["records"], text_of(page)
    assert file.headers["content-disposition"] == 'attachment; filename="my-data.json"'
    assert {one["id"]: one.get("voided") for one in records["statement"]}[voided] is True
    assert len(records["statement"]) == 3
    assert "Ray <b>Brown</b>" in file.text
    for other in (bea, "Bea Jones", "bea@example.org", "ray@centre.example"):
        assert other not in file.text
        assert other not in page.text
    assert "1 time in the last year 21 November 2026, 12:00 GMT" in text
    assert "Results that were sent about you 3" in text
    assert "mailto:ann@example.org" in text
    assert "scaled 0.5" in text
    assert ("own-data.taken", f"learner {ann}") in site.audit()


def test_the_file_is_taken_only_so_often(site):
    browser = signed_in(site, lived(site))

    answers = [browser.get("/me/data.json").status_code for _ in range(11)]

    assert answers == [200] * 10 + [429]
    assert browser.get("/me/data").status_code == 200


def test_each_kind_that_is_about_people_has_a_heading_that_they_understand():
    page = (TEMPLATES / "learner" / "data.html").read_text()

    headed = set(re.findall(r'^  "([a-z_-]+)": _', page, re.MULTILINE))

    assert headed == {name for name, kind in TENANT.items() if kind.subjects is not None}


def test_a_learner_closes_their_sign_in_and_it_is_closed_everywhere(site):
    ann = lived(site)
    browser, phone = signed_in(site, ann), signed_in(site, ann)

    closed = browser.send(browser.get("/account"), "/account/close")

    assert (closed.status_code, closed.headers["location"]) == (303, "/sign-in/learner")
    assert phone.get("/me").headers["location"] == "/sign-in/learner?then=/me&done=over"
    assert learners.account_of(site.tenant.store, ann) is None
    assert site.audit()[-1] == ("learner.account-closed", f"learner {ann}")
    assert len(site.world.all("award")) == 2


def test_who_signed_out_is_told_so_in_their_language(site):
    browser = signed_in(site, lived(site))

    out = browser.send(browser.get("/me"), "/sign-out")

    page = browser.get(out.headers["location"])
    assert out.headers["location"] == "/sign-in/learner?done=signed_out"
    assert "You are signed out." in text_of(page)
    assert "Rydych wedi allgofnodi." in text_of(browser.get("/sign-in/learner?done=signed_out&lang=cy"))
    assert "You are signed out." not in text_of(browser.get("/sign-in/learner?lang=en"))


def test_staff_cannot_close_a_learners_sign_in_with_this_form(browser):
    token = first_form(browser.get("/account"), "/sign-out")["fields"]

    assert browser.ask("POST", "/account/close", data=token).status_code == 404


def test_what_a_service_told_became_of_somebody_is_shown_to_them_and_to_nobody_else(site):
    ann, bea = lived(site), lived(site, BEA, "Bea")
    scopes = ("profiles:read", "outcomes:write")
    purpose = "To find roles that fit you"
    registry.register(site.tenant, "Jobs <b>here</b>", webhook=None, scopes=scopes, purpose=purpose, by="test")
    grant = Grant(Subject(person=ann), "jobs-b-here-b", scopes, purpose, "operator", "test")
    site.world.write(lambda tx: consent.give(tx, grant))
    work(site)
    subject = services.pairwise(site.tenant, "jobs-b-here-b", ann)
    for called, word, day in (("one", "hired", 2), ("two", "shortlisted", 3)):
        what = WhatCameOfIt(word, date(2026, 11, day), None)
        outcomes.tell(site.tenant, "jobs-b-here-b", called, subject, what)
    outcomes.withdraw(site.tenant, "jobs-b-here-b", "two", by="test")
    browser = signed_in(site, ann)

    skills, sharing = text_of(browser.get("/me")), text_of(browser.get("/me/sharing"))
    others = text_of(signed_in(site, bea).get("/me"))
    data = browser.get("/me/data.json").json()["records"]["outcome"]

    assert "How your applications went 3 November 2026 : You were" in skills
    assert "You were hired Told by Jobs <b>here</b>" in skills
    assert "You were shortlisted Told by Jobs <b>here</b> · taken back on 21 November 2026" in skills
    assert "What they told about you 3 November 2026 : You were" in sharing
    assert "How your applications go. It tells this organisation when you are shortlisted or hired" in sharing
    assert "How your applications went" not in others
    assert sorted(one["name"] for one in data) == ["one", "two"]


def test_a_former_occupation_is_picked_and_what_it_suggests_confirmed_beside_what_is_proven_and_is_no_evidence(site):
    ann = lived(site)
    brewer = Occupation(
        "https://esco/brewer",
        "Brewer <b>",
        ("beer maker",),
        (OccupationSkill("s1", "Gowning", essential=True), OccupationSkill("s2", "Keeps yeast", essential=False)),
    )
    occupations.keep_all(site.tenant.store, [brewer], "test")
    role, _ = roles.read_roles(b"role,competency,label\nbrewing,s2,Keeps yeast\n")
    site.world.write(lambda tx: [roles.keep(tx, one) for one in role])
    service(site, ann, "profiles:read", "gap:read")
    work(site)
    profile, badges_before = site.world.all("profile"), len(site.world.all("credential"))
    browser, place = signed_in(site, ann), "/me/occupation"
    assert "I come from another occupation" in text_of(browser.get("/me"))

    found = browser.get(f"{place}?q=beer")
    page = browser.get(f"{place}?occupation=https://esco/brewer")
    token = next(form["fields"]["form"] for form in forms_of(page.text) if "occupation" in form["fields"])

    def send(*skills, **more):
        told = {"form": token, "occupation": brewer.id, "skill": list(skills), **more}
        return browser.ask("POST", place, data=told)

    nothing, foreign, kept = send(), send("s9"), send("s1", "s2")
    own, for_role = text_of(browser.get("/me")), text_of(browser.get("/me/roles?role=brewing"))
    work(site)

    assert "Brewer <b>" in text_of(found)
    assert "Keeps yeast (some have it)" in text_of(page)
    assert (nothing.status_code, "Tick at least one skill" in text_of(nothing)) == (400, True)
    assert (foreign.status_code, "does not suggest one of these skills" in text_of(foreign)) == (400, True)
    assert (kept.status_code, kept.headers["location"]) == (303, "/me?done=declared")
    assert "From your former occupation: Brewer <b> . Nothing proves this yet." in own
    assert "Keeps yeast Change it" in own  # and not Gowning, which is proven
    assert "You say that you can do this. It is not proven yet." in for_role
    assert (site.world.all("profile"), len(site.world.all("credential"))) == (profile, badges_before)
    assert browser.get("/me/data.json").json()["records"]["self-declared"][0]["label"] == "Brewer <b>"
    assert browser.get(f"{place}?occupation=none").status_code == 404
    gone = send(act="remove")
    assert gone.headers["location"] == "/me?done=undeclared"
    assert "Nothing proves this yet" not in text_of(browser.get("/me"))
    done = [what for what, _ in site.audit() if what.startswith(("skills", "occupations"))]
    assert done == ["occupations.imported", "skills.declared", "skills.undeclared"]
