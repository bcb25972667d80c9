"""Staff say by which route a learner came and where they live: planning counts it, and nobody else sees it."""

from __future__ import annotations

import pytest

from adapters.planning import counting, demand
from adapters.reading.people import mailbox
from adapters.training_centre import learner_routes
from lrs.composition.steps import drain
from lrs.matching.roles import roles
from tests.competency.world import statement
from tests.pages.conftest import Site, text_of
from tests.pages.members import signed_in

ANN = {"name": "Ann Arden", "mbox": "mailto:ann@example.org"}
ROLES = b"role,role_label,competency,framework\nop,Operator,GOWN,https://example.org/frameworks/atmp\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = Site(tmp_path_factory.mktemp("routes"))
    made.world.send(statement("ann", ANN))
    drain(made.tenant)
    found, _ = roles.read_roles(ROLES)
    made.tenant.store.write(lambda tx: [roles.keep(tx, one) for one in found]).result()
    demand.take_regions(made.tenant.store, b"district,region\nSG1,East\n", "test")
    yield made
    made.close()


@pytest.fixture(scope="module")
def place(site):
    return f"/staff/learners/{site.world.person(ANN)}/route"


def region(site):
    counted = counting.count(site.tenant).counts
    return {one.what.value for one in counted if (one.what.measure, one.what.split) == ("held", "region")}


def test_where_somebody_lives_is_kept_by_its_district_and_counted_by_its_region(site, place):
    steward = signed_in(site, "steward")
    assert region(site) == {"Not known"}
    assert place in steward.get(place.removesuffix("/route")).text

    kept = steward.send(steward.get(place), place, route="", sector="", district="sg1 2fx")
    page = steward.get(kept.headers["location"])

    assert "It is kept, and counts in the next figures of planning." in text_of(page)
    assert ('value="SG1"' in page.text, "2fx" in page.text.lower()) == (True, False)
    assert region(site) == {"East"}
    (record,) = site.tenant.store.get_many(
        "learner-route", [learner_routes.route_id("", mailbox("ann@example.org"))]
    ).values()
    assert (learner_routes.route_in(record).district, learner_routes.route_in(record).kind) == ("SG1", "")


def test_what_was_kept_for_the_wrong_learner_is_deleted_once_all_fields_are_empty(site, place):
    steward = signed_in(site, "steward")
    steward.send(steward.get(place), place, route="graduate", sector="", district="SG1")

    gone = steward.send(steward.get(place), place, route="", sector="", district="")
    again = steward.send(steward.get(place), place, route="", sector="", district="")

    assert "What was kept is deleted." in text_of(steward.get(gone.headers["location"]))
    id = learner_routes.route_id("", mailbox("ann@example.org"))
    assert (site.tenant.store.get("learner-route", id), again.status_code) == (None, 400)
    assert site.audit()[-1][0] == "learner.route-deleted"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"district": "Stevenage"}, "Write the first half of the postcode, such as SG1 or EC1A."),
        ({"district": "", "sector": "Farming"}, "Choose the route by which they came."),
        ({"district": "SG1", "route": "walked"}, "Choose the route by which they came."),
        ({"district": "SG1", "route": "reskilled"}, "Say from which sector they were reskilled."),
    ],
)
def test_what_cannot_be_kept_is_said_and_what_was_typed_stays(site, place, fields, told):
    steward = signed_in(site, "steward")

    answer = steward.send(steward.get(place), place, **{"route": "", "sector": "", **fields})

    assert (answer.status_code, told in text_of(answer)) == (400, True)
    assert f'value="{fields["district"]}"' in answer.text


def test_neither_a_trainer_nor_a_planner_opens_it_and_nobody_has_none(site, place):
    for role in ("trainer:vle", "planner"):
        assert signed_in(site, role).get(place).status_code == 403
    assert signed_in(site, "administrator").get("/staff/learners/nobody/route").status_code == 404
