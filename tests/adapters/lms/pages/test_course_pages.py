"""The pages of courses: a package is sent, its course is seen, rows for rules are taken, learners get on."""

import csv
import io
import json

import pytest
from msgspec.structs import replace

from adapters.lms.courses.courses import course_in, course_of
from adapters.lms.courses.in_use import opens
from adapters.lms.pages import view
from adapters.lms.sessions.acts import enrol_in, waive_in
from adapters.lms.sessions.place import LmsPlace
from adapters.lms.sessions.session import UnitProgress, put_registration, registration_in, sessions_of
from lrs.competency.rules.verbs import VERBS
from lrs.composition.subscriptions import SUBSCRIPTIONS
from lrs.tenancy import audit
from tests.adapters.lms.launched import learner
from tests.adapters.lms.made import MANIFEST, block, package, structure, unit, zipped
from tests.pages.conftest import Site, forms_of, text_of
from tests.pages.members import signed_in
from tests.served import new_id

PLACE = "/staff/courses"
OBJECTIVE = (
    '<objectives><objective id="https://publisher.example/o">'
    '<title><langstring lang="en">Wash hands</langstring></title>'
    '<description><langstring lang="en">Wash hands</langstring></description></objective></objectives>'
)
REFERENCE = '<objectives><objective idref="https://publisher.example/o"/></objectives>'
TEXT = structure(
    block(unit(moveOn="CompletedAndPassed", masteryScore="0.8", title="Gowning", within=REFERENCE)),
    unit("https://publisher.example/other", title="Reading", moveOn="Completed"),
    before=OBJECTIVE,
    title="Clean rooms",
)


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path, pages_url="http://lrs.test", content_url="http://content.test")
    yield made
    made.close()


@pytest.fixture
def author(site):
    return signed_in(site, "author:vle")


def send(browser, content, name="course.zip"):
    token = next(form["fields"]["form"] for form in forms_of(browser.get(PLACE).text) if "file" in form["fields"])
    return browser.ask("POST", PLACE, data={"form": token}, files={"file": (name, content)})


@pytest.fixture
def course(author):
    answer = send(author, package(TEXT))
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0].rpartition("/")[2]


def test_before_there_is_a_course_the_page_says_what_to_do(tmp_path):
    made = Site(tmp_path)
    told = text_of(signed_in(made, "author:vle").get(PLACE))
    made.close()

    assert "No course here" in told
    assert "LRS_CONTENT_URL" in told


def test_a_package_that_is_sent_is_a_course_and_the_same_one_again_is_no_new_version(author, course):
    again = send(author, package(TEXT))

    shown = text_of(author.get(f"{PLACE}/{course}"))
    assert again.headers["location"] == f"{PLACE}/{course}?done=course_same"
    assert "this package is its current version already" in text_of(author.get(again.headers["location"]))
    for said in ("Clean rooms", "Gowning", "completed and passed", "80 %", "Wash hands", "How a learner gets in"):
        assert said in shown


def test_the_name_of_a_file_in_a_refusal_is_shown_as_it_is_written(author):
    out = send(author, package(files={"../etc/x": b"a"}))
    other = send(author, b"hello")

    assert "<p>&#39;../etc/x&#39; leads out of the package" in out.text
    assert "<p>the file is no course" in other.text.lower()


def test_a_package_that_is_refused_says_where_and_which_rule_and_keeps_nothing(author, course):
    before = author.get(f"{PLACE}.json").json()

    answer = send(author, package(structure(unit(url="missing.html"))))
    none = send(author, b"", "")

    assert (answer.status_code, none.status_code) == (400, 400)
    told = text_of(answer)
    assert "'missing.html' is not in the package" in told
    assert "14.1.0.0-4" in told
    assert "Choose a package first" in text_of(none)
    assert author.get(f"{PLACE}.json").json() == before
    assert "Clean rooms" in {row["title"] for row in before}
    assert course


def test_rows_for_rules_name_the_publishers_units_and_the_source_of_content(author, course):
    text = author.get(f"{PLACE}/{course}/rules.csv").content.decode("utf-8-sig")

    rows = list(csv.DictReader(io.StringIO(text)))

    assert [(row["activity"], row["match"], row["verb"], row["trusted source"]) for row in rows] == [
        ("https://publisher.example/au", "grouping", "passed", "engraft courses vle"),
        ("https://publisher.example/other", "grouping", "completed", "engraft courses vle"),
    ]
    assert {row["competency"] for row in rows} == {""}
    assert {row["verb"] for row in rows} <= VERBS.keys()
    assert "it teaches: Wash hands" in text


def test_the_row_of_a_scorm_unit_with_a_pass_mark_wants_it_passed(author):
    place = send(author, zipped({"imsmanifest.xml": MANIFEST, "index.html": b"unit"})).headers["location"]

    text = author.get(f"{place.partition('?')[0]}/rules.csv").content.decode("utf-8-sig")

    assert [row["verb"] for row in csv.DictReader(io.StringIO(text))] == ["passed"]


def test_an_author_tries_a_part_without_a_platform_and_nothing_counts(site, author, course):
    page = author.get(f"{PLACE}/{course}")
    second = [form["fields"] for form in forms_of(page.text) if (form["action"] or "").endswith("/try")][1]

    opened = [author.ask("POST", f"{PLACE}/{course}/try", data=second) for _ in range(2)]
    none = author.ask("POST", f"{PLACE}/{course}/try", data=second | {"unit": "9"})

    assert [one.status_code for one in (*opened, none)] == [303, 303, 404]
    assert opened[0].headers["location"].startswith("http://content.test/t/default/content/")
    assert "form-action 'self' http://content.test;" in page.headers["content-security-policy"]
    assert f'action="{PLACE}/{course}/try" target="_blank"' in page.text  # not all content has a way back
    (id,) = {one.about["registration"] for one in audit.newest(site.tenant.store, 2)}
    found = registration_in(site.tenant.store, id)
    assert (found.actor["name"], found.units) == ("Trial by staff", {})
    assert {one.mode for one in sessions_of(site.tenant.store, id)} == {"Browse"}
    assert signed_in(site, "trainer:vle").ask("POST", f"{PLACE}/{course}/try", data=second).status_code == 403
    report = author.get(f"{PLACE}/{course}/learners")
    assert (f"{PLACE}/{course}/learners/{id}" in report.text, "Nobody here" in text_of(report)) == (True, True)
    assert author.get(f"{PLACE}/{course}/learners.json").json() == []
    assert "Trial by staff , Mo ," in text_of(report)


def test_a_package_that_changed_something_is_said_to_be_a_new_version(author):
    sent = [send(author, package(structure(id="https://p.example/twice", title=title))) for title in ("One", "Two")]

    assert [one.headers["location"].partition("=")[2] for one in sent] == ["course_new", "course_version"]
    assert "it is a new version of this course" in text_of(author.get(sent[1].headers["location"]))


def test_a_damaged_zip_archive_is_said_to_be_none_once(author):
    told = text_of(send(author, b"PK not a zip", "course.zip"))

    assert told.lower().count("zip archive") == 1
    assert "is not a zip file" not in told


def test_without_a_host_for_content_the_page_says_so_in_place_of_the_button(tmp_path):
    made = Site(tmp_path)
    browser = signed_in(made, "author:vle")
    page = browser.get(send(browser, package(TEXT)).headers["location"])
    made.close()

    assert "You can try its parts here once" in text_of(page)
    assert "/try" not in page.text


def test_the_report_says_how_far_each_learner_is(site, author, course):
    store, place = site.tenant.store, LmsPlace(site.tenant, SUBSCRIPTIONS, "https://lrs.example/t/default")
    ids = {}
    for name in ("not begun", "under way", "done"):
        actor, ids[name] = learner(name) | {"name": name.title()}, new_id()
        store.write(
            lambda tx, a=actor, i=ids[name]: enrol_in(tx, place, course_in(tx, course), a, id=i, session=new_id())
        )
    for name, index in (("under way", 1), ("done", 0), ("done", 1)):
        store.write(
            lambda tx, n=name, i=index: waive_in(tx, place, ids[n], i, "known", session=new_id(), by="test")
        ).result()

    def timed(tx):
        found = registration_in(tx, ids["done"])
        (activity, *_) = found.units
        put_registration(
            tx, found.with_unit(activity, replace(found.unit(activity), score=0.85, seconds={"Normal": 120.0}))
        )

    store.write(timed).result()
    rows = {row["learner"]: row for row in author.get(f"{PLACE}/{course}/learners.json").json()}
    table = author.get(f"{PLACE}/{course}/learners.csv").text
    told = text_of(author.get(f"{PLACE}/{course}/learners"))

    rows.pop("Ann Example", None)  # of other tests
    rows.pop("Trial by staff", None)
    assert {name: (row["state"], row["done"], row["units"]) for name, row in rows.items()} == {
        "Not Begun": ("Not begun", 0, 2),
        "Under Way": ("Under way", 1, 2),
        "Done": ("Done", 2, 2),
    }
    assert (rows["Done"]["score"], rows["Done"]["minutes"]) == (85.0, 2)
    assert "Under Way" in table
    assert "https://lms.example" in told


@pytest.mark.parametrize(
    ("units", "told"),
    [
        ([UnitProgress(completed=True, passed=True)], ("Passed", "good")),
        ([UnitProgress(completed=True)], ("Completed", "good")),
        ([UnitProgress(passed=True), UnitProgress(completed=True, failed=True)], ("Completed, not passed", "warn")),
        ([UnitProgress(failed=True, waived="known")], ("Done", "good")),
    ],
)
def test_what_counts_as_done_says_whether_it_was_passed(units, told):
    assert view.done_how(units) == told


def test_a_course_is_taken_out_of_use_and_brought_back(site, author):
    content = package(structure(id="https://publisher.example/withdrawn", title="Old"))
    place = send(author, content).headers["location"].partition("?")[0]

    done = author.send(author.get(place), f"{place}/withdraw")
    shown = text_of(author.get(done.headers["location"]))
    back = send(author, content)

    assert done.status_code == 303
    assert "nobody can open it" in shown
    assert back.headers["location"] == f"{place}?done=course_back"
    assert "nobody can open it" not in text_of(author.get(place))
    assert {"course.imported", "course.withdrawn"} <= {action for action, _ in site.audit()}


def test_who_does_not_make_courses_sees_none(site, course):
    trainer = signed_in(site, "trainer:vle")

    assert trainer.get(PLACE).status_code == 403
    assert trainer.get(f"{PLACE}/{course}/learners").status_code == 403


def test_a_course_that_is_not_there_is_said_to_be_none(author):
    answer = author.get(f"{PLACE}/999")

    assert answer.status_code == 404
    assert "There is no such course" in text_of(answer)


# -- one learner ------------------------------------------------------------------------------------------------------


@pytest.fixture
def enrolled(site, course):
    """The address of the page of a learner who is new in the course, and the id of their registration."""
    store, place, id = (
        site.tenant.store,
        LmsPlace(site.tenant, SUBSCRIPTIONS, "https://lrs.example/t/default"),
        new_id(),
    )
    actor = learner(id) | {"name": "Ann Example"}
    store.write(lambda tx: enrol_in(tx, place, course_in(tx, course), actor, id=id, session=new_id())).result()
    return f"{PLACE}/{course}/learners/{id}", id


def act(author, page, name, **fields):
    form = next(one for one in forms_of(author.get(page).text) if (one["action"] or "").endswith(name))
    return author.ask("POST", f"{page}/{name}", data=form["fields"] | fields)


def test_staff_open_a_part_in_each_mode_and_it_is_on_record(site, author, enrolled):
    page, id = enrolled

    opened = [act(author, page, "launch", unit="1", mode=mode) for mode in ("Browse", "Review", "Normal")]

    told = text_of(author.get(page))
    assert [one.status_code for one in opened] == [303] * 3
    assert all(one.headers["location"].startswith("http://content.test/t/default/content/") for one in opened)
    assert "form-action 'self' http://content.test;" in author.get(page).headers["content-security-policy"]
    assert [one for one in ("Browse", "Review", "Normal", "Ended by the next launch") if one not in told] == []
    entries = [entry.about for entry in audit.newest(site.tenant.store, 50) if entry.action == "unit.launched"]
    assert {about["mode"] for about in entries if about["registration"] == id} == {"Browse", "Review", "Normal"}


def test_a_launch_and_its_entry_in_the_record_of_actions_are_one_commit(site, author, enrolled, monkeypatch):
    (page, id), store, seen = enrolled, site.tenant.store, set()
    write = store.write

    def watched(decide, **more):
        done = write(decide, **more)
        done.result()
        entries = [one for one in audit.newest(store, 50) if one.about.get("registration") == id]
        seen.add((len(sessions_of(store, id)), len([one for one in entries if one.action == "unit.launched"])))
        return done

    monkeypatch.setattr(store, "write", watched)
    opened = act(author, page, "launch", unit="0", mode="Browse")

    assert opened.status_code == 303
    assert (1, 1) in seen
    assert {sessions - entries for sessions, entries in seen} == {0}


def test_staff_end_a_launch(author, enrolled):
    page, _ = enrolled
    act(author, page, "launch", unit="0", mode="Normal")

    ended = act(author, page, "end")

    assert ended.headers["location"] == f"{page}?done=launch_ended"
    assert "Ended by staff" in text_of(author.get(page))


def test_staff_waive_a_part_with_a_reason_and_once(site, author, enrolled):
    page, id = enrolled
    form = next(one for one in forms_of(author.get(page).text) if (one["action"] or "").endswith("/waive"))

    without = author.ask("POST", f"{page}/waive", data=form["fields"] | {"unit": "0", "reason": " "})
    waived = author.ask("POST", f"{page}/waive", data=form["fields"] | {"unit": "0", "reason": "Did it elsewhere"})
    again = author.ask("POST", f"{page}/waive", data=form["fields"] | {"unit": "0", "reason": "Again"})

    assert (without.status_code, waived.status_code, again.status_code) == (400, 303, 409)
    assert "Say why" in text_of(without)
    assert "Did it elsewhere" in text_of(author.get(page))
    assert registration_in(site.tenant.store, id).units != {}


@pytest.mark.parametrize("name", ["launch", "waive"])
def test_a_part_or_mode_that_there_is_not_is_refused(author, enrolled, name):
    page, _ = enrolled
    fields = {"mode": "Normal", "reason": "x"}

    assert [act(author, page, name, unit=unit, **fields).status_code for unit in ("99", "-1", "x")] == [404] * 3


def test_an_author_of_one_source_sees_and_changes_no_course_of_another(site, course, enrolled):
    page, _ = enrolled
    other, administrator = signed_in(site, "author:other"), signed_in(site, "administrator")

    answers = [other.get(f"{PLACE}/{course}"), other.get(f"{PLACE}/{course}/learners.json"), other.get(page)]
    sent = send(other, package(TEXT))

    assert [one.status_code for one in answers] == [404] * 3
    assert other.get(f"{PLACE}.json").json()[0]["registrations"] == 0
    assert sent.headers["location"] != f"{PLACE}/{course}?done=course_same"
    assert course_in(site.tenant.store, course).version == 1
    assert administrator.get(page).status_code == 200


def test_an_author_of_several_sources_says_which_one_a_course_is_of(site):
    both = signed_in(site, "author:north", "author:south")
    form = next(one for one in forms_of(both.get(PLACE).text) if "file" in one["fields"])
    content = package(structure(id="https://publisher.example/of-south"))

    def sent(**fields):
        told = {"form": form["fields"]["form"], **fields}
        return both.ask("POST", PLACE, data=told, files={"file": ("course.zip", content)})

    none, foreign, chosen = sent(), sent(source="vle"), sent(source="south")

    assert (none.status_code, foreign.status_code, chosen.status_code) == (400, 400, 303)
    assert "Choose which of your sources" in text_of(none)
    id = chosen.headers["location"].partition("?")[0].rpartition("/")[2]
    assert course_in(site.tenant.store, id).content_source == "engraft courses south"


def test_an_author_puts_a_course_into_the_catalogue_and_takes_it_out(site, author, course):
    page, store = f"{PLACE}/{course}", site.tenant.store
    assert not course_in(store, course).in_catalogue

    shown = author.send(author.get(page), f"{page}/catalogue", **{"in": "yes"})
    assert (shown.headers["location"], course_in(store, course).in_catalogue) == (
        f"{page}?done=course_catalogue_on",
        True,
    )
    assert audit.newest(store, 1)[0].about == {"course": course, "in": "yes"}
    send(author, package(structure(unit(), unit("https://p.example/more"), id=course_in(store, course).publisher)))
    assert course_in(store, course).in_catalogue

    hidden = author.send(author.get(page), f"{page}/catalogue", **{"in": "no"})
    assert (hidden.status_code, course_in(store, course).in_catalogue) == (303, False)
    assert "Only staff and whoever opens it" in text_of(author.get(page))


def test_an_author_lets_learners_open_a_course_and_takes_it_back(site, author, course):
    page, store = f"{PLACE}/{course}", site.tenant.store

    opened = author.send(author.get(page), f"{page}/open", open="yes")
    assert (opened.headers["location"], opens(course_in(store, course))) == (f"{page}?done=course_open_on", True)
    assert (audit.newest(store, 1)[0].action, audit.newest(store, 1)[0].about) == (
        "course.open",
        {"course": course, "open": "yes"},
    )
    assert not course_in(store, course).in_catalogue
    closed = author.send(author.get(page), f"{page}/open", open="no")
    assert (closed.headers["location"], opens(course_in(store, course))) == (f"{page}?done=course_open_off", False)


def test_a_course_of_before_the_upgrade_stands_in_the_catalogue_and_opens_for_nobody_by_itself(site, course):
    record = site.tenant.store.get("course", course)
    body = {
        name: kept for name, kept in json.loads(record.body).items() if name not in {"in_catalogue", "open_to_learners"}
    }

    before = course_of(replace(record, body=json.dumps(body).encode()))

    assert (before.in_catalogue, opens(before)) == (True, False)
