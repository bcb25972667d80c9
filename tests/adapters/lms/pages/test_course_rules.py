"""The rows that a course proposes: seen in the columns of the table of rules, and added to the rules in force."""

import pytest

from lrs.competency.rules import rulesets
from lrs.composition.steps import drain
from tests.adapters.lms.made import imported, package, structure, unit
from tests.pages.conftest import Site, forms_of, text_of
from tests.pages.members import signed_in

ITEM = "https://publisher.example/objective"
OBJECTIVES = (
    f'<objectives><objective id="{ITEM}"><title><langstring lang="en">GOWN</langstring></title>'
    '<description><langstring lang="en">Gowning</langstring></description></objective></objectives>'
)
TAUGHT = f'<objectives><objective idref="{ITEM}"/></objectives>'


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = Site(tmp_path_factory.mktemp("course-rules"), content_url="http://content.test")
    yield made
    made.close()


@pytest.fixture
def course(site, request):
    """A course of each test's own."""
    root = f"https://publisher.example/{request.node.name}"
    parts = (unit(root, title="Gowns", moveOn="Passed", within=TAUGHT), unit(f"{root}/2", moveOn="Completed"))
    return imported(site.tenant, package(structure(*parts, id=root, before=OBJECTIVES))).course


@pytest.fixture(scope="module")
def steward(site):
    return signed_in(site, "steward")


def add(browser, course, **cells):
    page = browser.get(f"/staff/courses/{course.id}")
    return browser.send(page, f"/staff/courses/{course.id}/rules", **{"competency-0": "", **cells})


def put_in_force(site, browser, place):
    drain(site.tenant, ("weigh",))
    page = browser.get(place)
    browser.send(page, f"{place.removesuffix('/changes')}/apply")
    drain(site.tenant, ("weigh",))
    return page


def test_a_steward_adds_rows_by_the_preview_of_a_table_and_a_second_press_adds_nothing(site, steward, course):
    before = rulesets.current(site.tenant.store).rules
    page = text_of(steward.get(f"/staff/courses/{course.id}"))
    assert "Trusted source: engraft courses" in page

    sent = add(
        steward,
        course,
        **{"competency-0": "gowning", "level-0": "Practitioner", "threshold-0": "80%", "valid_for-0": "12 months"},
    )

    assert rulesets.current(site.tenant.store).rules == before
    preview = text_of(put_in_force(site, steward, sent.headers["location"]))
    now = rulesets.current(site.tenant.store)
    (new,) = [rule for rule in now.rules if rule not in before]
    assert f"Rules {len(before)} → {len(before) + 1}" in preview
    assert now.rules[: len(before)] == before
    assert (new.match, new.activity, new.level, new.threshold) == ("grouping", course.publisher, 2, 80.0)
    assert new.valid_for == "P12M"
    assert (new.sources, new.version) == (("engraft courses",), now.version)
    assert "In force: GOWN Gowning: Practitioner" in text_of(steward.get(f"/staff/courses/{course.id}"))

    again = add(steward, course, **{"competency-0": "GOWN", "level-0": "2"})

    assert again.headers["location"] == f"/staff/courses/{course.id}?done=course_rules_known"
    assert rulesets.current(site.tenant.store) == now


def test_a_form_that_is_sent_twice_makes_one_draft(site, steward, course):
    drafts = len(site.world.all("rules-draft"))

    sent = [add(steward, course, **{"competency-0": "GOWN", "level-0": level}) for level in ("2", "2", "3")]

    first, again, other = [one.headers["location"] for one in sent]
    assert (first == again, first == other, len(site.world.all("rules-draft"))) == (True, False, drafts + 2)


def test_a_row_is_begun_with_the_competency_that_its_unit_teaches(steward, course):
    page = steward.get(f"/staff/courses/{course.id}")

    assert page.text.count('<option value="GOWN" selected>GOWN Gowning (Advanced therapies)</option>') == 1
    assert page.text.count('<option value="ASEP">ASEP Aseptic technique (Advanced therapies)</option>') == 2
    assert page.text.count('<option value="Practitioner">2 Practitioner</option>') == 2


def test_what_cannot_be_a_rule_is_said_beside_its_cell_and_what_was_typed_stays(site, steward, course):
    before = list(site.world.all("rules-draft"))
    first = {"competency-0": "NOPE", "level-0": "2", "threshold-0": "lots", "valid_for-0": "ages"}
    answer = add(steward, course, **first, **{"competency-1": "ASEP", "level-1": "9"})
    nothing = add(steward, course)
    old = add(steward, course, **{"competency-0": "GOWN", "version": "7"})

    assert [one.status_code for one in (answer, nothing, old)] == [400, 400, 409]
    told = text_of(answer)
    assert "No published framework has 'NOPE'" in told
    assert "'9' is no level of" in told
    assert all(
        f'aria-describedby="{name}-error"' in answer.text
        for name in ("competency-0", "threshold-0", "valid_for-0", "level-1")
    )
    assert all(one in answer.text for one in ("<option selected>NOPE<", " selected>2 Practitioner<", 'value="ages"'))
    assert "Fill in the competency in at least one row" in text_of(nothing)
    assert "new version since you opened this page" in text_of(old)
    assert list(site.world.all("rules-draft")) == before


def test_rows_that_others_put_in_force_meanwhile_are_looked_at_again(site, steward, course):
    first, second = (add(steward, course, **{"competency-0": "GOWN", "level-0": level}) for level in ("2", "3"))
    put_in_force(site, steward, first.headers["location"])

    drain(site.tenant, ("weigh",))
    seen = text_of(steward.get(second.headers["location"]))

    assert "Other rules came into force since" in seen


def test_an_author_sees_the_rows_and_a_steward_alone_adds_them(site, course):
    administrator, author = signed_in(site, "administrator"), signed_in(site, "author:vle")
    page = administrator.get(f"/staff/courses/{course.id}")

    assert any((one["action"] or "").endswith("/rules") for one in forms_of(page.text))
    assert author.ask("POST", f"/staff/courses/{course.id}/rules", data={"form": "x"}).status_code == 403
    assert author.get(f"/staff/courses/{course.id}").status_code == 404


def test_a_steward_sees_courses_and_changes_none(steward, course):
    shown = steward.get(f"/staff/courses/{course.id}")
    actions = {form["action"].removeprefix(f"/staff/courses/{course.id}") for form in forms_of(shown.text)}

    assert "file" not in {name for form in forms_of(steward.get("/staff/courses").text) for name in form["fields"]}
    assert actions - {"/sign-out"} == {"/open", "/rules"}
    form = forms_of(shown.text)[-1]["fields"]["form"]
    for act in ("withdraw", "catalogue", "try"):
        assert steward.ask("POST", f"/staff/courses/{course.id}/{act}", data={"form": form}).status_code == 403
    assert steward.get(f"/staff/courses/{course.id}/learners").status_code == 403


def test_the_rows_of_a_long_course_are_on_several_pages_and_each_adds_its_own(site, steward, request):
    root = f"https://publisher.example/{request.node.name}"
    parts = [unit(f"{root}/{number}", title=f"Unit {number}", moveOn="Passed") for number in range(1, 56)]
    course = imported(site.tenant, package(structure(*parts, id=root))).course
    place, before = f"/staff/courses/{course.id}", rulesets.current(site.tenant.store).rules

    first, second = steward.get(place), steward.get(f"{place}?start=50")
    odd = [steward.get(f"{place}?start={start}").text for start in ("55", "-1", "x", "9" * 30)]
    nothing = steward.send(second, f"{place}/rules")
    preview = steward.send(second, f"{place}/rules", **{"competency-54": "GOWN", "level-54": "2"})
    put_in_force(site, steward, preview.headers["location"])

    assert ('id="competency-49"' in first.text, 'id="competency-50"' in first.text) == (True, False)
    assert ('id="competency-49"' in second.text, 'id="competency-54"' in second.text) == (False, True)
    assert f'<a href="{place}?start=50#rules">51 to 55</a>' in first.text
    assert all('id="competency-0"' in page and 'id="competency-50"' not in page for page in odd)
    assert (nothing.status_code, 'href="#competency-50"' in nothing.text) == (400, True)
    (new,) = [rule for rule in rulesets.current(site.tenant.store).rules if rule not in before]
    assert new.activity == f"{root}/55"
