"""Whoever knows an address can compute the name of its identifier, and finds nothing by it."""

import re

import pytest

from lrs.access.policy.table import TABLE
from lrs.composition.steps import drain
from lrs.matching import registry
from lrs.people.ids import identified, ids_of
from lrs.xapi.statements.identity import identifier_of
from tests.competency.world import ANN, statement
from tests.pages.conftest import Browser, Site, text_of

GUESSED = identifier_of(ANN).id
ROUTES = sorted({path for method, path in TABLE if method == "GET" and "{" in path.replace("{tenant}", "")})


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """A site that knows whose address it is, and how each sort of caller shows who they are."""
    site = Site(tmp_path_factory.mktemp("site"))
    site.world.send(statement("one"))
    drain(site.tenant)
    hook = "http://127.0.0.1:9/hook"
    made = registry.register(
        site.tenant,
        "Careers",
        webhook=hook,
        scopes=["profiles:read", "gap:read", "badges:read"],
        purpose="To suggest jobs",
        by="t",
    )
    given = {"grant_type": "client_credentials", "client_id": made.service.id, "client_secret": made.client_secret}
    answer = site.browser.ask("POST", "/oauth/token", data=given)
    site.browser.sign_in(site.operator)
    yield site, {"Authorization": f"Bearer {answer.json()['access_token']}"}
    site.close()


@pytest.mark.parametrize("route", ROUTES)
def test_no_route_knows_the_name_of_an_identifier(known, route):
    site, token = known
    path = re.sub(r"\{(?!tenant)\w+\}", GUESSED, route).replace("{tenant}", "default")
    path += "?role=operator" if route.endswith("/gap") else ""
    stranger = Browser(site.app)

    answers = [
        stranger.get(path),
        stranger.ask("GET", path, auth=(site.operator.key, site.operator.secret)),
        stranger.ask("GET", path, headers=token),
        site.browser.get(path),
    ]

    codes = {answer.status_code for answer in answers}
    # 303: to the sign-in; 410: no link that was made here; 409: a server without https registers no platform at all
    assert codes <= {303, 401, 403, 404, 409, 410}


def test_the_search_does_not_know_it_either_and_the_person_is_there(known):
    site, _ = known
    person = site.world.person(ANN)

    page = site.browser.send(site.browser.get("/staff/learners"), "/staff/learners", who=GUESSED)

    assert "Nobody is known by that name" in text_of(page)
    assert site.browser.get(f"/staff/learners/{person}").status_code == 200


def test_two_tenants_have_no_id_of_an_identifier_in_common(known):
    site, _ = known

    one, other = (identified(ANN, ids_of(tenant)).id for tenant in (site.tenant, site.other))

    assert site.tenant.store.get("identifier", one) is not None
    assert site.tenant.store.get("identifier", GUESSED) is None
    assert len({one, other, GUESSED}) == 3
