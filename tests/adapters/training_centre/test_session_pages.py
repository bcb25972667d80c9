"""The pages of a centre's day: what a trainer and an assessor see and do, and what a supervisor signs."""

import re
from datetime import UTC, datetime

import msgspec
import pytest

from adapters.reading.vocabulary import ATTENDED, JISC
from adapters.training_centre import attendees, centre_sessions
from lrs.competency.rules import rulesets
from lrs.competency.rules.rules import Ruleset
from lrs.tenancy.pages import pages_address
from tests.competency.world import statement
from tests.pages.conftest import Browser, Site, forms_of, text_of
from tests.pages.members import signed_in
from tests.pages.test_imports import bring, checked
from tests.web.site import COMPETENCY, RULE

NEW = {"kind": "practical", "title": "Gowning", "date": "2026-11-21", "starts": "09:00", "ends": "09:40"}
PEOPLE = "Ann Arden, ann@learners.example\nBen Birch, ben@learners.example"
ROUTED = "Ann Arden, route@learners.example"
STEPS = "Hands washed !\nHood first"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = Site(tmp_path_factory.mktemp("site"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def trainer(site):
    return signed_in(site, "trainer:north", name="Tess")


def form(answer, action):
    return next(one for one in forms_of(answer.text) if one["action"] == action)["fields"]


def post(browser, page, action, **fields):
    """Sends the first form of *page* to *action*, with *fields*."""
    return browser.ask("POST", action, data=form(browser.get(page), action) | fields)


def made(browser, **more):
    """The path of a session that is made on the page."""
    answer = post(browser, "/staff/new-session", "/staff/sessions", **NEW | more)
    assert answer.status_code == 303, text_of(answer)
    return answer.headers["location"].partition("?")[0]


def checklist(browser, name, **more):
    told = {"name": name, "title": name.title(), "steps": STEPS, "percent": "100", "signatures": "1"} | more
    answer = post(browser, "/staff/checklists", "/staff/checklists", **told)
    assert answer.status_code == 303, text_of(answer)
    return answer.headers["location"].partition("?")[0].rpartition("/")[2]


def who(site, place, name):
    found = attendees.of_session(site.tenant.store, place.rpartition("/")[2])
    return next(one for _, one in found.values() if one.name.startswith(name))


def people_of(site, place):
    return [one for _, one in attendees.of_session(site.tenant.store, place.rpartition("/")[2]).values()]


def mark(browser, site, place, name, value):
    one = who(site, place, name)
    told = {"who": one.id, "seen": str(len(one.attendance)), "value": value}
    return browser.ask("POST", f"{place}/attendance", data=form(browser.get(place), f"{place}/attendance") | told)


def step(browser, site, place, name, number, value):
    one, action = who(site, place, name), f"{place}/steps/{number}"
    told = {"who": one.id, "seen": str(one.seen_of(one.attempts, number)), "value": value}
    told |= {"attempt": str(one.attempts), "version": "1"}
    return browser.ask("POST", action, data=form(browser.get(action), action) | told)


def test_a_trainer_takes_a_session_from_an_empty_page_to_told_results(site, trainer):
    place = made(trainer, checklist=checklist(trainer, "gowning"))
    post(trainer, place, f"{place}/people", people=PEOPLE, looked=PEOPLE)
    mark(trainer, site, place, "Ann", "present")
    mark(trainer, site, place, "Ben", "absent")
    step(trainer, site, place, "Ann", "1", "pass")
    assert "Ann Arden: 1 of 2 steps not marked" in text_of(trainer.get(f"{place}/close"))
    step(trainer, site, place, "Ann", "2", "pass")
    assert "Nothing is open." in text_of(trainer.get(f"{place}/close"))

    answer = post(trainer, f"{place}/close", f"{place}/close")

    assert answer.headers["location"] == f"{place}?done=session_closed"
    assert "This session is closed already, and its results are told." in text_of(trainer.get(f"{place}/close"))
    closed = text_of(trainer.get(place))
    assert "Closed by Tess" in closed
    assert "Ann Arden steps 2 of 2 Passed" in closed
    assert "No rule counts this checklist" in closed
    assert "/centres/north/checklists/gowning" in closed
    told = [one for one in site.world.all("statement") if "/checklists/gowning" in one["object"].get("id", "")]
    assert [one["verb"]["id"].rpartition("/")[2] for one in told] == ["passed"]


def test_what_is_wrong_in_a_new_session_is_said_at_its_field_and_nothing_is_made(site, trainer):
    before = site.tenant.store.count(centre_sessions.KIND)

    answer = post(trainer, "/staff/new-session", "/staff/sessions", **NEW | {"starts": "25:00", "title": "Kept"})

    assert answer.status_code == 400
    assert "The beginning, 2026-11-21 25:00: there is no such time of day." in text_of(answer)
    assert 'href="#starts"' in answer.text
    assert 'value="Kept"' in answer.text
    assert site.tenant.store.count(centre_sessions.KIND) == before


def test_a_new_session_is_today_unless_another_day_is_typed_and_its_roster_comes_first(trainer):
    page = trainer.get("/staff/new-session")
    shown = trainer.get(made(trainer, checklist=checklist(trainer, "order"))).text

    assert form(page, "/staff/sessions")["date"] == "2026-11-21"
    assert 0 < shown.index('href="#roster"') < shown.index('id="roster"') < shown.index('id="steps"')


def test_a_line_that_names_nobody_is_said_and_what_was_typed_stays(site, trainer):
    place = made(trainer)

    answer = post(trainer, place, f"{place}/people", people="Ann, ann@learners.example\nBen")

    assert answer.status_code == 400
    assert "Line 2 (Ben): no ULN" in text_of(answer)
    assert "Ann, ann@learners.example\nBen</textarea>" in answer.text
    assert attendees.of_session(site.tenant.store, place.rpartition("/")[2]) == {}


def test_a_name_that_somebody_has_is_asked_about_before_it_is_a_second_person(site, trainer):
    first, place = made(trainer), made(trainer)
    earlier = "Ana Silva, ana@learners.example"
    post(trainer, first, f"{first}/people", people=earlier, looked=earlier)
    typed = "Ana Silva, A-4711\nBo Novak, bo@learners.example\nana@learners.example"

    asked = post(trainer, place, f"{place}/people", people=typed)
    there = attendees.of_session(site.tenant.store, place.rpartition("/")[2])
    fields = form(asked, f"{place}/people")
    choice = re.search(r'<input type="radio" name="([^"]+)" value="([^"]+)"', asked.text)
    same = {choice[1]: choice[2], "people": typed.rpartition("\n")[0], "looked": typed.rpartition("\n")[0]}
    stale = trainer.ask("POST", f"{place}/people", data=fields | same | {choice[1]: "gone"})
    longer = trainer.ask("POST", f"{place}/people", data=fields | same | {"people": f"{typed}\nDi Day, D-1"})
    saved = trainer.ask("POST", f"{place}/people", data=fields | same)

    assert (asked.status_code, there) == (200, {})
    assert "2 new, 1 known. Nobody is added yet." in text_of(asked)
    assert "Somebody called Ana Silva is known already" in text_of(asked)
    assert "Ana Silva (ana@learners.example)" in text_of(asked)
    assert (stale.status_code, longer.status_code, saved.status_code) == (409, 200, 303)
    known = [(one.name, [ifi.written for ifi in one.identifiers]) for one in people_of(site, place)]
    assert known == [("Ana Silva", ["ana@learners.example", "A-4711"]), ("Bo Novak", ["bo@learners.example"])]


def test_who_is_known_by_what_was_typed_is_added_at_once_and_no_other_centre_is_told(site, trainer):
    first, place = made(trainer), made(trainer)
    typed = "Cy Drew, cy@learners.example"
    post(trainer, first, f"{first}/people", people=typed, looked=typed)
    elsewhere = signed_in(site, "trainer:south", name="Sol")
    there = made(elsewhere)

    known = post(trainer, place, f"{place}/people", people=typed)
    other = post(elsewhere, there, f"{there}/people", people=typed)

    assert (known.status_code, [one.name for one in people_of(site, place)]) == (303, ["Cy Drew"])
    assert (other.status_code, people_of(site, there)) == (200, [])
    assert "1 new, 0 known." in text_of(other)


def test_what_another_trainer_marked_is_shown_and_a_mark_over_it_is_refused(site, trainer):
    place, other = made(trainer), signed_in(site, "trainer:north", name="Ray")
    post(trainer, place, f"{place}/people", people=PEOPLE, looked=PEOPLE)
    stale = form(trainer.get(place), f"{place}/attendance") | {"value": "absent", "who": who(site, place, "Ann").id}
    mark(other, site, place, "Ann", "late")

    answer = trainer.ask("POST", f"{place}/attendance", data=stale)

    assert answer.status_code == 409
    assert "Meanwhile Ray marked Ann Arden here: Late" in text_of(answer)
    assert who(site, place, "Ann").mark.value == "late"
    assert "Late · Ray" in text_of(trainer.get(place))


def test_an_assessor_sees_a_session_signs_as_the_second_and_marks_nothing(site, trainer):
    place = made(trainer, checklist=checklist(trainer, "two", signatures="2"))
    post(trainer, place, f"{place}/people", people=PEOPLE, looked=PEOPLE)
    mark(trainer, site, place, "Ann", "present")
    for number in "12":
        step(trainer, site, place, "Ann", number, "pass")
    assessor, ann = signed_in(site, "assessor:north", name="Anja"), who(site, place, "Ann").id
    start, waiting = (text_of(assessor.get(one)) for one in ("/staff", "/staff/sessions"))
    assert "Signatures : 1 checklist waits for your signature as the second person" in start
    assert 'href="/staff/sessions#signatures"' in assessor.get("/staff").text
    assert "Waiting for your signature Every step is marked by others." in waiting
    assert "for your signature" not in text_of(trainer.get("/staff"))  # who marked it cannot sign it, too
    assert "Nothing needs you." in text_of(signed_in(site, "assessor:south").get("/staff"))
    page = assessor.get(f"{place}/people/{ann}")
    assert [one["action"] for one in forms_of(page.text)] == ["/sign-out", f"{place}/people/{ann}/sign"]
    token = form(page, f"{place}/people/{ann}/sign")
    assert assessor.ask("POST", f"{place}/attendance", data=token).status_code == 403

    step(trainer, site, place, "Ann", "2", "fail")
    stale = assessor.ask("POST", f"{place}/people/{ann}/sign", data=token)
    assert stale.status_code == 409
    assert "marked a step of Ann Arden: Failed. Nothing is signed" in text_of(stale)
    token = form(stale, f"{place}/people/{ann}/sign")

    answer = assessor.ask("POST", f"{place}/people/{ann}/sign", data=token)

    assert answer.status_code == 303
    assert "Signed by a second person Anja" in text_of(assessor.get(f"{place}/people/{ann}"))
    assert "Nothing needs you." in text_of(assessor.get("/staff"))
    assert "Waiting for your signature" not in text_of(assessor.get("/staff/sessions"))
    assert "signed already" in text_of(assessor.ask("POST", f"{place}/people/{ann}/sign", data=token))


def test_a_trainer_of_another_centre_finds_no_session_and_no_checklist(site, trainer):
    list_, place = checklist(trainer, "own"), made(trainer)
    stranger = signed_in(site, "trainer:south")

    assert stranger.get(place).status_code == 404
    assert stranger.get(f"/staff/checklists/{list_}").status_code == 404
    assert place not in stranger.get("/staff/sessions").text
    token = form(stranger.get("/staff/new-session"), "/staff/sessions")
    assert stranger.ask("POST", "/staff/sessions", data=token | NEW | {"centre": "north"}).status_code == 403
    of_north = stranger.ask("POST", "/staff/sessions", data=token | NEW | {"checklist": list_})
    assert (of_north.status_code, "This checklist is not one of south." in text_of(of_north)) == (400, True)
    assert stranger.ask("POST", f"{place}/close", data=token).status_code == 404


def test_a_correction_after_closing_needs_a_reason_and_stands_in_the_history(site, trainer):
    place = made(trainer)
    post(trainer, place, f"{place}/people", people=PEOPLE, looked=PEOPLE)
    mark(trainer, site, place, "Ann", "absent")
    post(trainer, f"{place}/close", f"{place}/close")
    ann = f"{place}/people/{who(site, place, 'Ann').id}"
    told = {"act": "came", "value": "late", "seen": "1"}
    assert "Say why you correct it" in text_of(post(trainer, ann, ann, **told, why=" "))

    assert post(trainer, ann, ann, **told, why="on the paper list").status_code == 303

    page = text_of(trainer.get(ann))
    assert re.search(r"Late · Attendance Tess , .* on the paper list Absent · Attendance Tess", page)


def test_a_supervisor_signs_hours_off_once_and_a_second_use_changes_nothing(site, trainer):
    place = made(trainer, kind="placement", host="Cell Works", hours="37.5", until="2026-11-25")
    post(trainer, place, f"{place}/people", people=PEOPLE, looked=PEOPLE)
    ann = f"{place}/people/{who(site, place, 'Ann').id}"
    link = asked(site, trainer, ann)
    supervisor = Browser(site.app)
    assert text_of(supervisor.get(link)).count("Ann Arden") == 1
    token = form(supervisor.get(link), link)
    assert "Say in a few words" in text_of(supervisor.ask("POST", link, data=token | {"answer": "no"}))
    assert "Write the hours" in text_of(supervisor.ask("POST", link, data=token | {"answer": "yes", "hours": "many"}))

    done = supervisor.ask("POST", link, data=token | {"answer": "yes", "hours": "36.5"})

    assert "The hours of Ann Arden are signed off." in text_of(done)
    again = supervisor.ask("POST", link, data=token | {"answer": "no", "said": "No"})
    assert (again.status_code, supervisor.get(link).status_code) == (410, 410)
    assert "This link was used already" in text_of(again)
    assert "Sue signed off 36.5 hours" in text_of(trainer.get(ann))
    assert (who(site, place, "Ann").mark.value, who(site, place, "Ann").mark.minutes) == ("present", 2190)
    post(trainer, f"{place}/close", f"{place}/close")
    told = [one for one in site.world.all("statement") if one.get("result", {}).get("duration")]
    assert [one["result"]["duration"] for one in told if "ann@" in one["actor"]["mbox"]] == ["P1DT12H30M00S"]


def asked(site, browser, page):
    """The link with which Sue is asked to sign off."""
    answer = post(browser, page, page, act="ask", supervisor="Sue", address="sue@host.example")
    assert answer.status_code == 200, text_of(answer)
    sent = [one for one in site.world.all("delivery") if one.get("template") == "session-sign-off"]
    link = sent[-1]["values"]["link"]
    assert f'<code id="link">{link}</code>' in answer.text  # no mail server is set, so it is handed on
    assert link not in browser.get(page).text
    return re.search(r"/sign-off/.*", link)[0]


def test_a_supervisor_who_does_not_confirm_says_why_and_nobody_is_marked(site, trainer):
    place = made(trainer, kind="work_experience", host="Cell Works")
    post(trainer, place, f"{place}/people", people=PEOPLE, looked=PEOPLE)
    ann = f"{place}/people/{who(site, place, 'Ann').id}"
    link = asked(site, trainer, ann)
    supervisor = Browser(site.app)

    supervisor.ask("POST", link, data=form(supervisor.get(link), link) | {"answer": "no", "said": "Left on day one"})

    assert "did not confirm the hours" in text_of(trainer.get(ann))
    assert "Left on day one" in text_of(trainer.get(ann))
    assert who(site, place, "Ann").mark is None


def test_the_route_of_a_learner_is_kept_and_a_reskilled_one_names_the_sector(site, trainer):
    place = made(trainer)
    post(trainer, place, f"{place}/people", people=PEOPLE, looked=PEOPLE)
    ann = f"{place}/people/{who(site, place, 'Ann').id}"
    assert "Say from which sector" in text_of(post(trainer, ann, ann, act="route", route="reskilled", sector=""))

    post(trainer, ann, ann, act="route", route="reskilled", sector="Food industry")

    assert 'value="Food industry"' in trainer.get(ann).text
    assert '<option value="reskilled" selected>' in trainer.get(ann).text


def test_the_route_that_one_centre_was_told_is_neither_shown_to_another_nor_changed_by_it(site, trainer):
    south = signed_in(site, "trainer:south", name="Sol")
    places = [made(trainer), made(south)]
    anns = []
    for browser, place, sector in zip((trainer, south), places, ("Food industry", "Prison service"), strict=True):
        post(browser, place, f"{place}/people", people=ROUTED, looked=ROUTED)
        anns.append(f"{place}/people/{who(site, place, 'Ann').id}")
        post(browser, anns[-1], anns[-1], act="route", route="reskilled", sector=sector)

    assert 'value="Food industry"' in trainer.get(anns[0]).text
    assert "Prison service" not in trainer.get(anns[0]).text
    assert 'value="Prison service"' in south.get(anns[1]).text
    steward = text_of(signed_in(site, "administrator").get(anns[0]))
    assert "south : Reskilled from another sector, Prison service" in steward


def test_a_link_to_a_supervisor_is_of_the_pages_address_whatever_host_a_request_names(site, trainer):
    place = made(trainer, kind="placement", host="Cell Works")
    post(trainer, place, f"{place}/people", people=PEOPLE, looked=PEOPLE)
    ann = f"{place}/people/{who(site, place, 'Ann').id}"
    told = form(trainer.get(ann), ann) | {"act": "ask", "supervisor": "Sue", "address": "sue@host.example"}

    trainer.ask("POST", ann, data=told, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})

    sent = [one for one in site.world.all("delivery") if one.get("template") == "session-sign-off"]
    assert sent[-1]["values"]["link"].startswith(pages_address(site.tenant.settings, "default") + "/sign-off/")


def test_a_checklist_that_is_changed_on_the_page_has_a_new_version_and_steps_keep_their_names(trainer):
    record = checklist(trainer, "kept")
    place = f"/staff/checklists/{record}"

    told = {"steps": "Mask on\nHands washed !\nHood first", "signatures": "1"}
    post(trainer, place, "/staff/checklists", **told)

    page = text_of(trainer.get(place))
    assert "Version 2" in page
    assert "Mask on 3 Hands washed 1 Critical Hood first 2" in page
    same = post(trainer, place, "/staff/checklists", **told)
    assert "The checklist is as it was" in text_of(trainer.get(same.headers["location"]))


def test_todays_sessions_come_first_and_all_of_them_are_a_table_and_files(site, trainer):
    today = datetime.fromtimestamp(site.tenant.clock() // 1_000_000, UTC).date()
    place = made(trainer, title="Of today", date=f"{today}", number="T-1")

    page = trainer.get("/staff/sessions")

    assert "0 of 0 marked" in text_of(page)
    assert place in page.text
    assert "Of today" in trainer.get("/staff/sessions.csv?when=Today").text
    assert trainer.get("/staff/sessions.json").json()


def test_a_closed_session_says_who_did_not_pass_and_which_level_its_checklist_is_on_the_way_to(site, trainer):
    place = made(trainer, checklist=checklist(trainer, "hygiene"))
    post(trainer, place, f"{place}/people", people=PEOPLE, looked=PEOPLE)
    mark(trainer, site, place, "Ann", "present")
    mark(trainer, site, place, "Ben", "present")
    step(trainer, site, place, "Ann", "1", "fail")
    step(trainer, site, place, "Ann", "2", "pass")
    closing = text_of(trainer.get(f"{place}/close"))
    post(trainer, f"{place}/close", f"{place}/close")
    activity = re.search(r"<code>([^<]+/checklists/hygiene)</code>", trainer.get(place).text)[1]
    elsewhere = msgspec.structs.replace(RULE, item="other", activity=activity, sources=("south",), level=3)
    counted = msgspec.structs.replace(RULE, activity=activity, sources=("north",), level=2)
    rules = Ruleset(9, (counted, elsewhere), (msgspec.structs.replace(COMPETENCY, label="Hygiene"),))
    site.tenant.store.write(lambda tx: rulesets.put(tx, rules, "test")).result()

    page = text_of(trainer.get(place))

    assert "Hands washed Critical 1 of 2 marked, 1 failed Hood first 1 of 2 marked" in page
    assert "Ann Arden steps 2 of 2 Not passed" in page
    assert "Ben Birch steps 0 of 2 Incomplete" in page
    assert "0 passed, 1 not passed, 1 incomplete, 0 absent." in page
    assert "from then on, where a rule counts the checklist." in closing
    assert "Who passes it is on the way to: GOWN Hygiene: Practitioner ." in page


def test_whoever_failed_a_critical_step_has_not_passed_though_another_step_is_open(site, trainer):
    place = made(trainer, checklist=checklist(trainer, "gloves"))
    post(trainer, place, f"{place}/people", people=PEOPLE, looked=PEOPLE)
    mark(trainer, site, place, "Ann", "present")
    mark(trainer, site, place, "Ben", "absent")
    step(trainer, site, place, "Ann", "1", "fail")
    before = text_of(trainer.get(place))
    post(trainer, f"{place}/close", f"{place}/close")

    page = text_of(trainer.get(place))

    assert "Not passed" not in before
    assert "Ann Arden steps 1 of 2 Not passed: failed step 1" in page
    assert "0 passed, 1 not passed, 0 incomplete, 1 absent." in page
    assert "Ben Birch Incomplete" not in page


def test_a_session_that_is_over_and_not_closed_stands_on_the_first_page_and_on_top_of_all_sessions(site, trainer):
    elsewhere = signed_in(site, "trainer:east")
    place = made(trainer, title="Forgotten")

    page, start = trainer.get("/staff/sessions"), text_of(trainer.get("/staff"))

    assert re.search(r"Sessions : \d+ today or over, and not closed yet", start)
    assert f'<li><a href="{place}"><bdi>Forgotten</bdi></a>' in page.text
    assert "Nothing needs you." in text_of(elsewhere.get("/staff"))


def test_what_is_wrong_on_a_persons_page_is_said_beside_its_field_and_what_was_typed_stays(site, trainer):
    place = made(trainer, kind="placement", host="Cell Works")
    post(trainer, place, f"{place}/people", people=PEOPLE, looked=PEOPLE)
    ann = f"{place}/people/{who(site, place, 'Ann').id}"

    wrong = post(trainer, ann, ann, act="ask", supervisor="Sue", address="sue at host")
    nobody = post(trainer, ann, ann, act="ask", supervisor=" ", address="sue@host.example")

    assert (wrong.status_code, nobody.status_code) == (400, 400)
    assert 'id="address-error"' in wrong.text
    assert 'name="supervisor" type="text" value="Sue"' in wrong.text
    assert 'id="supervisor-error"' in nobody.text
    assert 'name="address" type="email" value="sue@host.example"' in nobody.text


def test_more_people_than_seats_and_bookings_without_end_are_said(trainer):
    small, endless = made(trainer, seats="1"), made(trainer, opened="yes", date="2099-11-21")
    post(trainer, small, f"{small}/people", people=PEOPLE, looked=PEOPLE)

    assert "2 people are on the roster, and there is 1 seat." in text_of(trainer.get(small))
    assert "no number of seats is set: up to 100 people can come" in text_of(trainer.get(endless))


FILED = """record,session_id,title,kind,starts_at,ends_at,learner_ref,attendance
session,F-1,Gowning by file,practical,2026-11-20 09:00,2026-11-20 09:40,,
roster,F-1,,,,,L-1,present
roster,F-1,,,,,L-2,absent
"""


def test_a_session_that_came_by_file_alone_stands_in_the_list_with_who_brought_it_until_there_is_a_record(site):
    sender, trainer, boss = (signed_in(site, role) for role in ("provider:far", "trainer:far", "administrator"))
    brought = bring(site, sender, checked(site, sender, FILED, "far.csv"))

    def rows(browser):
        return [one for one in browser.get("/staff/sessions.json").json() if one["centre"] == "far"]

    page = trainer.get("/staff/sessions")
    seen = [(one["title"], one["when"], one["kind"], one["state"], one["people"]) for one in rows(trainer)]
    assert seen == [("Gowning by file", "Past", "Practical", "By file", 2)]
    assert re.search(r"F-1 .*20 November 2026, 09:00 to 09:40 .*By file far.csv, by \S+, ", text_of(page))
    assert (brought in page.text, brought in boss.get("/staff/sessions").text) == (False, True)
    assert rows(signed_in(site, "trainer:west")) == []

    made(trainer, number="F-1", title="Gowning by file", date="2026-11-20")
    assert [one["state"] for one in rows(trainer)] == ["Open"]


def attended(number, name, starts, ends, title="Gowning"):
    told = {JISC + "starttime": starts, JISC + "endtime": ends}
    session = {"id": f"https://odd.example/{number}", "definition": {"name": {"en": title}, "extensions": told}}
    actor = {"mbox": "mailto:ann@learners.example", "name": name}
    return statement(f"{number} {name}", actor, verb=ATTENDED) | {"object": session}


def test_one_learner_by_two_names_counts_once_and_a_session_in_no_year_that_is_meant_is_left_out(site):
    nine, ten = "2026-11-20T09:00:00Z", "2026-11-20T10:00:00Z"
    site.world.send_all([attended("1", name, nine, ten, "G" * 5_000) for name in ("Ann", "Ann Arden")], "odd")
    early, late = ("0001-01-01T00:00:00Z", ten), (nine, "9999-12-31T23:59:59Z")
    site.world.send_all([attended(f"at {at[0]}", "Ann", *at) for at in (early, late)], "odd")

    told = attended("3", "Ann", nine, ten)
    told["object"]["definition"]["name"] = {"en": "A\x00B"}
    site.world.send(told, "odd")

    answers = [signed_in(site, "trainer:odd").get(f"/staff/sessions{kind}") for kind in ("", ".csv", ".json")]

    assert [one.status_code for one in answers] == [200, 200, 200]
    assert {(one["title"], one["people"]) for one in answers[-1].json()} == {("G" * 199 + "…", 1), ("A B", 1)}
