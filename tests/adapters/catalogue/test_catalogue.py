"""The catalogue: from tables, imported courses and sessions; what each gives; seats, waiting lists, a calendar."""

import re
from datetime import UTC, datetime
from types import SimpleNamespace

import msgspec
import pytest

from adapters.catalogue import feed, looks, offerings, pages, view
from adapters.catalogue.entries import entries, entry, looked_at, offered_by_course
from adapters.catalogue.offerings import Offering
from adapters.catalogue.table import read_catalogue
from adapters.catalogue.typed import fields_of, offering_in
from adapters.lms.courses import in_use
from adapters.reading.vocabulary import iri
from adapters.training_centre import acts, attendees, centre_sessions, hosts, marks, seats
from adapters.training_centre.attendees import Attendee
from adapters.training_centre.centre_sessions import Gives
from adapters.training_centre.planning import FormFault, hours, people_in
from lrs.access.source_names import put_name
from lrs.app import create_app
from lrs.competency.frameworks.levels import PRESETS
from lrs.competency.rules import rulesets
from lrs.competency.rules.rules import Rule, RuleCompetency, Ruleset
from lrs.kernel.errors import Refused
from lrs.kernel.times import DAY, HOUR, SECOND
from tests.adapters.lms.made import imported, shown_in_catalogue, structure, unit
from tests.adapters.training_centre.made import Centre
from tests.competency.world import statement
from tests.pages.conftest import Browser, Site, forms_of, text_of
from tests.pages.members import signed_in
from tests.pages.test_learner import work
from tests.pages.test_me import signed_in as learner_in
from tests.rows import each_of

NOW = 1_795_258_800_000_000
TABLE = """offering,title,kind,provider,competency,level,hours,place,online,language,cost,enrol_at,\
centre,date,starts,ends,seats
basics,Gowning basics,Course,North,GOWN,1,7.5,Leeds,no,English,250,,north,2027-02-01,09:00,17:00,12
basics,Gowning basics,,,ASEP,2,,,,,,,north,2027-03-01,09:00,17:00,12
gmp,GMP online,Course,West,GMP,1,3,,yes,Welsh,free,https://west.example/gmp,,,,,
"""


SCALES = {"GOWN": (PRESETS["tiers"],), "ASEP": (PRESETS["tiers"], PRESETS["dreyfus"])}


def read(text):
    return read_catalogue(text.encode(), "Europe/London", "operator", NOW, SCALES)


def test_a_table_gives_offerings_with_what_they_give_and_sessions_with_seats():
    found = read(TABLE)

    assert found.faults == []
    basics, gmp = found.offerings.values()
    gives = (Gives("GOWN", 1), Gives("ASEP", 2))
    assert basics == Offering("basics", "Gowning basics", "Course", "North", "", gives, 7.5, "Leeds", cost=25000)
    link = "https://west.example/gmp"
    assert gmp == Offering(
        "gmp", "GMP online", "Course", "West", "", (Gives("GMP", 1),), 3.0, "", True, "Welsh", 0, link
    )
    assert [(one.number, one.seats, one.offering, one.opened) for one in found.sessions] == [
        ("basics-2027-02-01-09-00", 12, "basics", True),
        ("basics-2027-03-01-09-00", 12, "basics", True),
    ]
    assert {(one.lead, one.by) for one in found.sessions} == {(None, "operator")}


@pytest.mark.parametrize("address", ["https://user@[::1", "http://west.example", "https://", "https://[x]/"])
def test_an_address_to_enrol_that_no_browser_opens_is_refused(address):
    with pytest.raises(Refused) as told:
        offerings.checked(Offering("gmp", "GMP online", enrol_at=address))

    assert (told.value.status, told.value.error) == (400, "bad_offering")


@each_of(
    ("change", "told"),
    [
        ({"id": "no blanks"}, "no blanks"),
        ({"id": "x" * 61}, "1 to 60"),
        ({"title": ""}, "needs a title"),
        ({"place": "x" * 201}, "at most 200 characters"),
        ({"provider": "one\x07two"}, "at most 200 characters"),
        ({"text": "x" * 2_001}, "the text 2000"),
        ({"gives": tuple(Gives(str(n)) for n in range(51))}, "at most 50 competencies"),
        ({"needs": tuple(Gives(str(n)) for n in range(51))}, "at most 50 competencies"),
        ({"gives": (Gives("GOWN", 1), Gives("GOWN", 2)), "needs": (Gives("GOWN", 2),)}, "nobody could begin it"),
        ({"gives": (Gives("GOWN"),), "needs": (Gives("GOWN"),)}, "nobody could begin it"),
    ],
)
def test_an_offering_that_cannot_be_one_says_why_and_one_that_is_as_large_as_may_be_is_taken(change, told):
    largest = Offering(
        "x" * 60,
        "x" * 200,
        place="x" * 200,
        text="x" * 2_000,
        gives=(Gives("GOWN", 2), *(Gives(f"g{n}") for n in range(49))),
        needs=(Gives("GOWN", 1), *(Gives(f"n{n}") for n in range(49))),
    )

    assert offerings.checked(largest) is largest
    with pytest.raises(Refused, match=told):
        offerings.checked(msgspec.structs.replace(largest, **change))


@each_of(
    ("change", "row", "told"),
    [
        (("2027-03-01,09:00", "2027-03-01,25:00"), 3, "starts: The beginning, 2027-03-01 25:00: there is no such time"),
        (("2027-03-01,09:00", "2027-03-28,01:30"), 3, "Europe/London clocks never showed this time"),
        (("north,2027-03-01", ",2027-03-01"), 3, "centre: a date needs the training centre"),
        (("17:00,12\ngmp", "17:00,many\ngmp"), 3, "seats: Seats are a whole number"),
        (("free", "cheap"), 4, "Write the cost in pounds"),
        (("https://west", "http://west"), 4, "begins with https://"),
        (("gmp,GMP", "my gmp,GMP"), 4, "no blanks"),
        (("yes,Welsh", "perhaps,Welsh"), 4, "online: this word is not known here"),
        (("ASEP,2", "ASEP,9"), 3, "level: ASEP has no level 9; there are 1 (Awareness), 2 (Practitioner), 3 (Lead or"),
        (("ASEP,2", "GOWN,4"), 3, "level: GOWN has no level 4; there are 1 (Awareness), 2 (Practitioner), 3 (Lead or"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_with_its_reason_and_the_others_are_taken(change, row, told):
    found = read(TABLE.replace(*change))

    assert [one for one, _ in found.faults] == [row]
    assert told in found.faults[0][1]
    assert found.offerings["basics"].gives == (Gives("GOWN", 1), *([Gives("ASEP", 2)] if row == 4 else []))
    assert len(found.sessions) == (2 if row == 4 else 1)


def test_an_offering_whose_first_row_has_a_date_that_is_none_is_left_out_as_a_whole():
    found = read(TABLE.replace("2027-02-01,09:00", "2027-02-30,09:00"))

    assert [one.id for one in found.offerings.values()] == ["gmp"]
    assert found.sessions == []
    assert [row for row, _ in found.faults] == [2, 3]
    assert found.faults[1][1] == "the first row of this offering cannot be used"


@pytest.mark.parametrize("typed", ["37.5", "37,5", "37:30", "37h 30m", " 37.50 "])
def test_hours_are_read_the_same_of_an_offering_a_session_and_a_supervisor(typed):
    assert offering_in({"hours": typed}).hours == 37.5
    assert hours({"hours": typed}) == 37.5
    assert hosts.hours_in({"answer": "yes", "hours": typed}) == 37.5


@pytest.mark.parametrize("typed", ["-1", "0", "many", "10000", "1,200", "1.2.3"])
def test_what_may_be_no_hours_is_refused_of_an_offering_a_session_and_a_supervisor(typed):
    with pytest.raises(FormFault):
        offering_in({"hours": typed})
    with pytest.raises(FormFault):
        hours({"hours": typed})
    with pytest.raises(Refused):
        hosts.hours_in({"answer": "yes", "hours": typed})


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = Site(tmp_path_factory.mktemp("site"))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def a_list_of_before_is_not_kept(request):
    """Each test comes later than the catalogue's list of the one before is kept."""
    if "site" in request.fixturenames:
        request.getfixturevalue("site").world.clock.now += 10 * SECOND


@pytest.fixture(scope="module")
def centre(site):
    return Centre(site.tenant, [site.tenant.clock()])


def dated(centre, number, *, seats="1", days=30, **more):
    """A session with seats that learners may book."""
    day = datetime.fromtimestamp((centre.tenant.clock() + days * DAY) // 1_000_000, UTC).date()
    told = {"number": number, "date": f"{day}", "starts": "09:00", "ends": "17:00", "seats": seats, "opened": "yes"}
    return centre.session(None, "", **told | more)


def learner(site, name):
    """The browser of a learner who is known by an address, and their person."""
    agent = {"mbox": f"mailto:{name}@learners.example", "name": name.title()}
    site.world.send(statement(f"seen {name}", agent))
    work(site)
    person = site.world.person(agent)
    return learner_in(site, person, Browser(site.app)), person


def press(browser, act, session="", path="/me/plan"):
    page = browser.get(path)
    token = next(one for one in forms_of(page.text) if one["action"] == "/me/plan")["fields"]["form"]
    return browser.ask("POST", "/me/plan", data={"form": token, "act": act, "session": session})


def told(site, word):
    return [one for one in site.world.all("statement") if one["verb"].get("display", {}).get("en") == word]


def test_one_entry_read_by_itself_is_as_in_the_list(site, centre):
    store = site.tenant.store
    of = dated(centre, "one-1", title="Day of one", seats="2")
    site.tenant.store.write(lambda tx: offerings.keep(tx, Offering("one", "One"), "test")).result()
    record, session = centre_sessions.found(store, of.id, None)
    named = msgspec.structs.replace(session, offering="one")
    store.write(lambda tx: centre_sessions.put(tx, named, record)).result()
    now = site.tenant.clock()
    for found in entries(store, now):
        assert entry(store, found.id, now) == found
    assert [date.session.id for date in entry(store, "one", now).dates] == [of.id]


def test_beyond_the_newest_of_a_kind_the_list_says_that_there_is_more(site):
    store, now = site.tenant.store, site.tenant.clock()
    for name in ("many-1", "many-2", "many-3"):
        store.write(lambda tx, name=name: offerings.keep(tx, Offering(name, name), "test")).result()

    found = looked_at(store, now, most=2)

    assert found.is_cut
    assert [one.id for one in found.found if one.id.startswith("many")] == ["many-3", "many-2"]
    assert not looked_at(store, now).is_cut
    for name in ("many-1", "many-2", "many-3"):
        store.write(lambda tx, name=name: offerings.drop(tx, name, "test")).result()


def test_what_the_list_leaves_out_has_no_page_of_its_own(site, centre):
    store, now = site.tenant.store, site.tenant.clock()

    def course(name, client=""):
        return imported(
            site.tenant, structure(unit(url="https://c.example/"), id=f"https://c.example/{name}"), client=client
        ).course

    sessions = {name: dated(centre, f"left-{name}") for name in ("there", "cancelled", "begun")}
    sessions["unopened"] = dated(centre, "left-unopened", opened="")
    acts.cancel(centre.day(), sessions["cancelled"].id, "https://lrs.example")
    taken = {name: course(name) for name in ("shown", "gone")}
    for one in taken.values():
        shown_in_catalogue(site.tenant, one)
    store.write(lambda tx: in_use.withdraw_in(tx, taken["gone"], "test")).result()
    ids = {name: f"session-{one.id}" for name, one in sessions.items()}
    ids |= {
        name: f"course-{one.id}"
        for name, one in (taken | {"hidden": course("hidden"), "sent": course("sent", "7")}).items()
    }
    at = {name: sessions["begun"].starts if name == "begun" else now for name in ids}

    own = {name: entry(store, id, at[name]) for name, id in ids.items()}
    listed = {name: {one.id: one for one in entries(store, at[name])}.get(id) for name, id in ids.items()}

    assert {name for name, one in own.items() if one} == {"there", "shown"}
    assert own == listed


def test_a_course_that_was_imported_stands_in_the_catalogue_with_what_its_rules_prove(site):
    course = imported(
        site.tenant, structure(unit(title="Aseptic", url="https://content.example/"), title="Aseptic")
    ).course
    assert Browser(site.app).get(f"/catalogue/course-{course.id}").status_code == 404
    shown_in_catalogue(site.tenant, course)
    competency = RuleCompetency("asep", "ASEP", "Aseptic technique", "https://example.org/f", 1, PRESETS["tiers"])
    publisher = course.publisher
    rule = Rule("r", 1, "grouping", publisher, ("http://adlnet.gov/expapi/verbs/passed",), competency.key, 2)
    lower = msgspec.structs.replace(rule, item="lower", level=1)
    ruleset = Ruleset(99, (*rulesets.current(site.tenant.store).rules, rule, lower), (competency,))
    site.tenant.store.write(lambda tx: rulesets.put(tx, ruleset, "test")).result()

    (found,) = [one for one in entries(site.tenant.store, site.tenant.clock()) if one.id == f"course-{course.id}"]

    assert (found.title, found.sort, found.online, found.gives) == (
        "Aseptic",
        "Course",
        True,
        (("Aseptic technique", 2),),
    )
    page = Browser(site.app).get(f"/catalogue/course-{course.id}")
    assert "Aseptic technique, level 2" in text_of(page)


def test_everybody_searches_the_catalogue_without_signing_in_and_finds_no_name_in_it(site, centre):
    kept = Offering("placed", "Placement in Cardiff", "Placement", "Works", place="Cardiff", cost=0)
    site.tenant.store.write(lambda tx: offerings.keep(tx, kept, "test")).result()
    session = dated(centre, "open-1", title="Open gowning", seats="3")
    acts.enrol(centre.day(), session.id, [person(session, "Zoe Zadok", "zoe@learners.example")])
    stranger = Browser(site.app)

    page = stranger.get("/catalogue")

    assert "Placement in Cardiff" in text_of(page)
    assert "Open gowning" in text_of(page)
    assert "Zadok" not in page.text
    assert "form-action 'self'" in page.headers["content-security-policy"]
    found = text_of(stranger.get("/catalogue?q=cardiff&sort=title"))
    assert "Placement in Cardiff" in found
    assert "Open gowning" not in found
    rows = stranger.get("/catalogue.json?sort=title").json()
    assert {one["title"]: one["seats"] for one in rows}["Open gowning"] == 2
    assert "2 seats left" in text_of(stranger.get(f"/catalogue/session-{session.id}"))
    assert stranger.get("/catalogue/none").status_code == 404


def test_public_pages_keep_the_menu_of_who_is_signed_in_and_are_read_in_welsh(site, centre):
    session = dated(centre, "welsh-1", title="Gwisgo", seats="3")
    browser, _ = learner(site, "menna")
    paths = ("/catalogue", f"/catalogue/session-{session.id}", "/roles", "/verify", "/catalogue/none")

    shown = [browser.get(path).text for path in paths]
    stranger = [Browser(site.app).get(path).text for path in paths]
    welsh = text_of(Browser(site.app).get("/catalogue?lang=cy"))
    plan = text_of(browser.get(f"/me/plan?book={session.id}&lang=cy&done=seat_back"))
    narrowed = Browser(site.app).get("/catalogue?kind=Practical&q=gwisgo&lang=cy").text

    assert ['href="/me/sharing"' in text and 'action="/sign-out"' in text for text in shown] == [True] * 5
    assert [any(one in text for one in ("/me/sharing", "/sign-out")) for text in stranger] == [False] * 5
    assert "Cyrsiau, sesiynau a lleoliadau gwaith" in welsh
    assert "09:00 i 17:00 3 lle ar ôl" in welsh
    assert "Archebu'r lle hwn" in plan
    assert "Mae'r lle wedi'i roi'n ôl." in plan
    reader = Browser(site.app)
    assert "Ymarferol · north" in text_of(reader.get("/catalogue?q=gwisgo&lang=cy"))
    assert "Cyrsiau, sesiynau a lleoliadau gwaith" in text_of(reader.get("/catalogue"))  # the choice is kept
    assert 'href="?kind=Practical&amp;q=gwisgo&amp;lang=en"' in narrowed


def test_what_entries_give_is_chosen_in_the_language_of_the_page():
    entry = SimpleNamespace(gives=(("Gowning", 2), ("Records", None)))

    words = {one.name: one.words for one in view.columns([entry], "cy")}

    assert words["gives"] == {"Gowning, level 2": "Gowning, lefel 2", "Records": "Records"}


def person(session, name, address):
    return people_in(f"{name}, {address}", iri("providers", "north"), session.id, 5, "test")[0]


def test_a_seat_is_booked_given_back_and_goes_to_who_waits_longest_who_is_told_by_mail(site, centre):
    session = dated(centre, "seats-1", seats="1", title="Of three")
    (ana, _), (ben, ben_is), (cai, _) = (learner(site, name) for name in ("ana", "ben", "cai"))
    assert "Book this seat" in text_of(ana.get(f"/me/plan?book={session.id}"))
    assert press(ana, "book", session.id).headers["location"] == "/me/plan?done=seat_booked"
    assert "waiting list" in text_of(ben.get(f"/me/plan?book={session.id}"))
    for browser in (ben, cai):
        assert press(browser, "book", session.id).headers["location"] == "/me/plan?done=seat_waiting_here"
    assert "You wait for a seat here already" in text_of(press(ben, "book", session.id))
    before = len(told(site, "registered"))

    assert press(ana, "give-back", session.id).headers["location"] == "/me/plan?done=seat_back"

    assert [one.seat for _, one in attendees.of_session(site.tenant.store, session.id).values()] == [
        *("waiting", "cancelled", "booked")
    ]
    assert "You have a seat" in text_of(ben.get("/me/plan"))
    assert "Waiting for a seat" in text_of(cai.get("/me/plan"))
    assert len(told(site, "registered")) == before + 1
    assert [one["actor"]["mbox"] for one in told(site, "unregistered") if "ana@" in one["actor"]["mbox"]] == [
        "mailto:ana@learners.example"
    ]
    mails = [one for one in site.world.all("delivery") if one.get("values", {}).get("session") == "Of three"]
    assert [(one["address"], one["person"]) for one in mails] == [("ben@learners.example", ben_is)]
    assert press(ana, "give-back", session.id).status_code == 404


def test_a_mail_is_promised_to_who_waits_only_where_mails_are_sent_and_an_address_is_known(site):
    _, person = learner(site, "mai")

    def promised(to, server):
        tenant = SimpleNamespace(settings=SimpleNamespace(smtp_url=server))
        return seats.tells_by_mail(site.tenant.store, tenant, to)

    assert promised(person, "smtp://mail.example")
    assert not promised(person, None)
    assert not promised("nobody", "smtp://mail.example")


def test_a_seat_that_a_trainer_takes_away_goes_to_who_waits(site, centre):
    session = dated(centre, "seats-2", seats="1")
    (dan, _), (eve, _) = (learner(site, name) for name in ("dan", "eve"))
    press(dan, "book", session.id)
    press(eve, "book", session.id)
    one = next(
        each for _, each in attendees.of_session(site.tenant.store, session.id).values() if each.seat == "booked"
    )

    marks.leave(centre.day(), session.id, one.id, "http://lrs.test")

    assert "You have a seat" in text_of(eve.get("/me/plan"))
    assert "You have a seat" not in text_of(dan.get("/me/plan"))
    assert len([each for each in told(site, "unregistered") if "dan@" in each["actor"]["mbox"]]) == 1


def test_who_booked_a_session_that_is_cancelled_is_told_and_one_with_marks_is_not_cancelled(site, centre):
    session = dated(centre, "seats-6", seats="1", title="Of two")
    (ida, _), (jan, _) = (learner(site, name) for name in ("ida", "jan"))
    press(ida, "book", session.id)
    press(jan, "book", session.id)
    trainer = signed_in(site, "trainer:north")
    page = trainer.get(f"/staff/sessions/{session.id}/close")
    token = next(one["fields"]["form"] for one in forms_of(page.text) if one["action"].endswith("/close"))

    answer = trainer.ask("POST", f"/staff/sessions/{session.id}/close", data={"form": token, "act": "cancel"})

    assert answer.headers["location"].endswith("?done=session_cancelled")
    mails = [one for one in site.world.all("delivery") if one.get("values", {}).get("session") == "Of two"]
    assert sorted((one["address"], one["template"]) for one in mails) == [
        ("ida@learners.example", "session-cancelled"),
        ("jan@learners.example", "session-cancelled"),
    ]
    assert "ida@learners.example" in str(told(site, "unregistered"))
    assert text_of(ida.get("/me/plan")).count("Cancelled") == 1
    assert "Of two" not in text_of(Browser(site.app).get("/catalogue"))
    marked = centre.session(None, number="seats-7")
    centre.came(marked, "Ann", "present")
    with pytest.raises(Refused, match="cannot be cancelled"):
        acts.cancel(centre.day(), marked.id, "")


def test_a_session_that_is_changed_is_told_to_who_booked_and_more_seats_go_to_who_waits(site, centre):
    session = dated(centre, "seats-11", seats="1", title="Moves")
    (pat, _), (quin, _) = (learner(site, name) for name in ("pat", "quin"))
    press(pat, "book", session.id)
    press(quin, "book", session.id)
    trainer = signed_in(site, "trainer:north")
    place = f"/staff/sessions/{session.id}/change"
    form = next(one["fields"] for one in forms_of(trainer.get(place).text) if one["action"].endswith("/change"))
    assert (form["title"], form["starts"], form["seats"]) == ("Moves", "09:00", "1")
    wrong = trainer.ask("POST", place, data=form | {"starts": "25:00"})
    assert wrong.status_code == 400
    assert "there is no such time" in text_of(wrong)

    answer = trainer.ask("POST", place, data=form | {"starts": "10:30", "place": "Room 9", "seats": "2"})

    assert answer.headers["location"] == f"/staff/sessions/{session.id}?done=session_changed"
    assert "Room 9" in text_of(quin.get("/me/plan"))
    assert "You have a seat" in text_of(quin.get("/me/plan"))
    mails = [one for one in site.world.all("delivery") if one.get("values", {}).get("session") == "Moves"]
    assert sorted((one["address"], one["template"]) for one in mails) == [
        ("pat@learners.example", "session-changed"),
        ("quin@learners.example", "seat-free"),
        ("quin@learners.example", "session-changed"),
    ]
    trainer.ask("POST", place, data=form | {"starts": "10:30", "place": "Room 9", "seats": "3"})
    assert len([one for one in site.world.all("delivery") if one.get("values", {}).get("session") == "Moves"]) == 3
    centre.now[0] = session.starts + HOUR
    centre.came(session, "Pat", "present")
    refused = trainer.ask("POST", place, data=form)
    assert refused.status_code == 409
    assert "somebody is marked, stays as it is" in text_of(refused)


def test_a_seat_of_a_cancelled_session_is_neither_given_back_nor_given_to_who_waits(site, centre):
    session = dated(centre, "seats-8", seats="1", title="Called off")
    (kay, _), (lea, _) = (learner(site, name) for name in ("kay", "lea"))
    press(kay, "book", session.id)
    press(lea, "book", session.id)
    acts.cancel(centre.day(), session.id, "http://lrs.test")

    assert 'value="give-back"' not in kay.get("/me/plan").text
    assert "This session is cancelled" in text_of(press(kay, "give-back", session.id))
    assert "This session is cancelled" in text_of(press(lea, "give-back", session.id))
    one = next(
        each for _, each in attendees.of_session(site.tenant.store, session.id).values() if each.seat == "booked"
    )
    marks.leave(centre.day(), session.id, one.id, "http://lrs.test")

    assert len([each for each in told(site, "unregistered") if "kay@" in each["actor"]["mbox"]]) == 1
    assert [each for each in told(site, "registered") if "lea@" in each["actor"]["mbox"]] == []
    mails = [each for each in site.world.all("delivery") if each.get("values", {}).get("session") == "Called off"]
    assert {each["template"] for each in mails} == {"session-cancelled"}


def test_a_waiting_list_has_an_end_and_who_is_marked_before_the_session_keeps_the_seat(site, centre, monkeypatch):
    monkeypatch.setattr(seats, "MOST_WAITING", 1)
    session = dated(centre, "seats-12")
    browsers = [learner(site, name)[0] for name in ("una", "vic", "wes")]

    answers = [press(browser, "book", session.id) for browser in browsers]
    centre.now[0] = session.starts - HOUR // 2
    centre.came(session, "Una", "present")
    kept = press(browsers[0], "give-back", session.id)

    assert [one.status_code for one in (*answers, kept)] == [303, 303, 409, 409]
    assert "The waiting list is full, too." in text_of(answers[-1])
    assert "ask the training centre" in text_of(kept)


def test_a_seat_that_comes_free_once_a_session_has_begun_goes_to_nobody(site, centre):
    session = dated(centre, "seats-9", seats="1")
    (max_, _), (nia, _) = (learner(site, name) for name in ("max", "nia"))
    press(max_, "book", session.id)
    press(nia, "book", session.id)
    record, one = centre_sessions.found(site.tenant.store, session.id, None)
    begun = msgspec.structs.replace(one, starts=site.tenant.clock() - HOUR)
    site.tenant.store.write(lambda tx: centre_sessions.put(tx, begun, record)).result()

    assert "has begun: ask the training centre" in text_of(press(max_, "give-back", session.id))
    booked = next(
        each for _, each in attendees.of_session(site.tenant.store, session.id).values() if each.seat == "booked"
    )
    marks.leave(centre.day(), session.id, booked.id, "http://lrs.test")

    assert "Waiting for a seat" in text_of(nia.get("/me/plan"))
    assert len([each for each in told(site, "unregistered") if "max@" in each["actor"]["mbox"]]) == 1


def test_a_session_whose_seats_nobody_counts_takes_no_more_than_a_roster_holds(site, centre):
    session = dated(centre, "seats-10", seats="", title="Uncounted")
    many = people_in("\n".join(f"P {at}, L{at}" for at in range(100)), iri("providers", "north"), session.id, 5, "test")
    acts.enrol(centre.day(), session.id, many)
    oli, _ = learner(site, "oli")

    assert "waiting list" in text_of(oli.get(f"/me/plan?book={session.id}"))
    assert press(oli, "book", session.id).headers["location"] == "/me/plan?done=seat_waiting_here"

    marks.leave(centre.day(), session.id, many[0].id, "http://lrs.test")
    assert sum(one.is_expected for _, one in attendees.of_session(site.tenant.store, session.id).values()) == 100
    assert "You have a seat" in text_of(oli.get("/me/plan"))


def test_who_booked_is_on_the_roster_as_files_call_them_and_a_second_seat_is_refused(site, centre):
    session = dated(centre, "seats-3", seats="5")
    fay, _ = learner(site, "fay")
    press(fay, "book", session.id)

    (one,) = [each for _, each in attendees.of_session(site.tenant.store, session.id).values()]

    assert (one.key, one.identifiers[0].written, one.name) == ("fay@learners.example", "fay@learners.example", "Fay")
    with pytest.raises(Refused, match="Fay is on this roster already"):
        acts.enrol(centre.day(), session.id, [person(session, "Fay", "fay@learners.example")])


def test_a_seat_is_booked_again_after_it_was_given_back_behind_who_came_meanwhile(site, centre):
    session = dated(centre, "seats-13", seats="1")
    (zed, _), (yan, _), (xia, _), (wil, _) = (learner(site, name) for name in ("zed", "yan", "xia", "wil"))
    for browser in (zed, yan, wil):
        press(browser, "book", session.id)
    press(wil, "give-back", session.id)  # before Xia came, and Yan after that: both are behind her
    press(xia, "book", session.id)
    press(yan, "give-back", session.id)
    for browser in (wil, yan):
        press(browser, "book", session.id)
    has_it = []
    for browser in (zed, xia):
        press(browser, "give-back", session.id)
        there = attendees.of_session(site.tenant.store, session.id).values()
        has_it.append([one.name for _, one in there if one.seat == "booked"])

    assert has_it == [["Xia"], ["Wil"]]


def test_a_session_that_nobody_opened_or_that_has_begun_takes_no_booking(site, centre):
    gil, _ = learner(site, "gil")
    closed = dated(centre, "seats-4", opened="")
    begun = dated(centre, "seats-5", days=-1)

    assert gil.get(f"/me/plan?book={closed.id}").status_code == 404
    assert "No seat can be booked" in text_of(press(gil, "book", closed.id))
    assert "has begun already" in text_of(press(gil, "book", begun.id))
    assert press(gil, "dance", begun.id).status_code == 400


def test_the_calendar_has_ones_dates_at_an_address_that_ends_when_a_new_one_is_made(site, centre):
    session = dated(centre, "cal-1", title="Gowning; basics, day 1", place="Room 2", seats="9")
    hal, _ = learner(site, "hal")
    press(hal, "book", session.id)
    press(hal, "calendar")
    first = address(hal)
    stranger = Browser(site.app)

    answer = stranger.get(first)

    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert "SUMMARY:Gowning\\; basics\\, day 1\r\n" in answer.text
    assert f"UID:{session.id}@engraft\r\n" in answer.text
    assert "STATUS:CONFIRMED\r\n" in answer.text
    assert "LOCATION:Room 2\\, north\r\n" in answer.text
    named = site.tenant.store.write
    named(lambda tx: put_name(tx, "north", "Centre for Cell Therapy", by="test")).result()
    assert "LOCATION:Room 2\\, Centre for Cell Therapy\r\n" in stranger.get(first).text
    named(lambda tx: put_name(tx, "north", "", by="test")).result()
    assert "hal" not in answer.text.lower()
    press(hal, "calendar")
    assert stranger.get(first).status_code == 404
    assert stranger.get(address(hal)).status_code == 200
    assert stranger.get("/calendar/none.ics").status_code == 404


def address(browser):
    return re.search(r"/calendar/[\w-]+\.ics", browser.get("/me/plan").text)[0]


def test_a_calendar_is_written_by_the_rules_of_its_format():
    session = centre_sessions.CentreSession(
        "north", "S", "é" * 60, "practical", NOW, NOW + HOUR, "Europe/London", 0, "t"
    )
    waits = Attendee(session.id, "L1", (), "Ann", "waiting", 0, "t")

    sure = msgspec.structs.replace(waits, seat="booked")
    off = msgspec.structs.replace(session, state="cancelled")

    lines = feed.calendar([(session, waits), (session, sure), (off, sure), (off, waits)], "Plan", NOW, str).split(
        "\r\n"
    )

    assert lines[:4] == ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Engraft//Plan//EN", "X-WR-CALNAME:Plan"]
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert "DTSTART:20261121T110000Z" in lines
    assert [line.partition(":")[2] for line in lines if line.startswith("STATUS:")] == [
        "TENTATIVE",
        "CONFIRMED",
        "CANCELLED",
        "CANCELLED",
    ]
    assert max(len(line.encode()) for line in lines) <= 75
    folded = "\r\n".join(lines).replace("\r\n ", "").split("\r\n")
    assert f"SUMMARY:{'é' * 60}" in folded


def test_a_steward_describes_an_offering_changes_it_and_takes_it_out(site):
    steward = signed_in(site, "steward")
    form = next(one["fields"] for one in forms_of(steward.get("/staff/catalogue").text) if "title" in one["fields"])
    given = form | {
        "id": "by-hand",
        "title": "By hand",
        "gives": "gowning, Practitioner\nGMP",
        "cost": "12.50",
        "online": "",
    }
    high = text_of(steward.ask("POST", "/staff/catalogue", data=given | {"gives": "GOWN, 9"}))
    assert "GOWN has no level 9; there are 1 (Awareness)" in high
    assert "whole number" in text_of(steward.ask("POST", "/staff/catalogue", data=given | {"gives": "GOWN, high"}))

    answer = steward.ask("POST", "/staff/catalogue", data=given)

    assert answer.headers["location"] == "/staff/catalogue/by-hand?done=offering_new"
    assert "£12.50" in text_of(Browser(site.app).get("/catalogue/by-hand"))
    assert "GOWN, 2\nGMP</textarea>" in steward.get("/staff/catalogue/by-hand").text
    done = [action for action, _ in site.audit() if action.startswith("offering.")]
    for _ in range(2):
        steward.ask("POST", "/staff/catalogue", data={"form": given["form"], "id": "by-hand", "act": "drop"})
    assert [action for action, _ in site.audit() if action.startswith("offering.")] == [*done, "offering.removed"]
    assert Browser(site.app).get("/catalogue/by-hand").status_code == 404


def test_an_offering_names_its_imported_course_by_a_choice_of_titles(site):
    course = imported(site.tenant, structure(unit(url="https://content.example/b"), title="Chosen by name")).course
    steward = signed_in(site, "steward")
    page = steward.get("/staff/catalogue")
    assert f'<option value="{course.id}">Chosen by name</option>' in page.text
    form = next(one["fields"]["form"] for one in forms_of(page.text) if "title" in one["fields"])

    steward.ask("POST", "/staff/catalogue", data={"form": form, "id": "named", "title": "Named", "course": course.id})

    assert f'<option value="{course.id}" selected>Chosen by name</option>' in steward.get("/staff/catalogue/named").text
    steward.ask("POST", "/staff/catalogue", data={"form": form, "id": "named", "act": "drop"})


def test_an_author_of_one_source_changes_and_drops_no_offering_of_the_catalogue(site):
    author = signed_in(site, "author:north")

    assert author.get("/staff/catalogue").status_code == 403
    assert author.ask("POST", "/staff/catalogue", data={"id": "placed", "act": "drop"}).status_code in {400, 403}


def test_the_list_is_worked_out_once_in_five_seconds_for_each_tenant(site, monkeypatch):
    asked, browser = [], Browser(site.app)
    monkeypatch.setattr(pages, "looked_at", lambda store, now: asked.append(now) or looked_at(store, now))

    def looked(path, seconds):
        site.world.clock.now += seconds * SECOND
        return browser.get(path).status_code, len(asked)

    site.world.clock.now -= site.world.clock.now % (5 * SECOND)
    assert [looked("/catalogue", 0), looked("/catalogue", 4), looked("/t/other/catalogue", 0)] == [
        (200, 1),
        (200, 1),
        (200, 2),
    ]
    assert [looked("/catalogue", 1), looked("/catalogue.csv", 0)] == [(200, 3), (200, 3)]


def test_one_address_looks_at_public_pages_so_often_and_at_another_tenant_by_itself(site, monkeypatch):
    monkeypatch.setattr(looks, "OFTEN", (3, 60))
    app = create_app(site.settings, clock=site.world.clock)
    browser = Browser(app)

    answers = [browser.get(path) for path in ("/catalogue", "/roles", "/catalogue.csv", "/catalogue", "/roles.json")]
    other = browser.get("/t/other/catalogue")

    assert [one.status_code for one in answers] == [200, 200, 200, 429, 429]
    assert 0 < int(answers[3].headers["retry-after"]) <= 61
    assert "asked for too often from here" in text_of(answers[3])
    assert other.status_code == 200
    app.tenants.close()


NEEDING = """offering,title,competency,level,needs,needs_level,hours
deep,Deep work,ASEP,2,GOWN,1,5
deep,Deep work,,,GMP,,
self,Itself,GOWN,1,GOWN,1,5
"""


def test_a_table_and_a_form_say_what_somebody_needs_first_and_what_needs_itself_is_refused(site):
    found = read(NEEDING)

    deep = found.offerings["deep"]
    assert deep.needs == (Gives("GOWN", 1), Gives("GMP"))
    assert fields_of(deep)["needs"] == "GOWN, 1\nGMP"
    assert offering_in(fields_of(deep)) == deep
    with pytest.raises(Refused, match="a level is a whole number"):
        offering_in(fields_of(deep) | {"needs": "GOWN, 01" + "9" * 5000})
    assert found.faults == [(4, "It needs what it gives itself: nobody could begin it.")]
    site.world.write(lambda tx: offerings.keep(tx, deep, "test"))
    assert "What you need first Gowning, level 1" in text_of(Browser(site.app).get("/catalogue/deep"))


def test_what_an_offering_says_of_its_course_is_told_of_each_activity_of_the_course(site):
    suits, part = "https://publisher.example/suits", "https://publisher.example/suits/1"
    course = imported(site.tenant, structure(unit(part, url="https://content.example/s"), id=suits)).course
    said = Offering("suits", "Suits", gives=(Gives("GOWN", 1), Gives("unheard of")), course=course.id)
    site.tenant.store.write(lambda tx: offerings.keep(tx, said, "test")).result()

    found = offered_by_course(site.tenant.store)

    gown = next(one.id for one in site.world.framework().items if one.code == "GOWN")
    assert (found[suits], found[part]) == ({gown}, {gown})
    assert sum(items == {gown} for items in found.values()) >= 3  # our own name of the unit, too


def test_an_offering_that_names_the_course_of_a_client_says_nothing_of_it(site):
    text = structure(unit(url="https://content.example/c"), id="https://publisher.example/clients")
    course = imported(site.tenant, text, client="7").course
    said = Offering("clients", "Clients", course=course.id)
    site.tenant.store.write(lambda tx: offerings.keep(tx, said, "test")).result()

    assert not entry(site.tenant.store, "clients", site.tenant.clock()).is_course
