"""Who asks for an address at which there is nothing is told where the endpoint is, over HTTP."""

import pytest

from tests.served import serving

BASE = "https://skills.example.org/engraft"


@pytest.fixture(scope="module")
def behind(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("behind"), public_url=f"{BASE}/") as served:
        yield served


PLACES = {
    "/statements": "/xapi/statements",
    "/Statements/": "/xapi/statements",
    "/xAPI/statements": "/xapi/statements",
    "/XAPI/activities/state": "/xapi/activities/state",
    "/data/xAPI/statements": "/xapi/statements",
    "/data/xAPI": "/xapi",
    "/TCAPI/activities/profile": "/xapi/activities/profile",
    "/xapi/v1/agents/profile": "/xapi/agents/profile",
    "/xapi/xapi/about": "/xapi/about",
    "/xapi/foo": "/xapi",
    "/xapi": "/xapi",
    "/xapi/": "/xapi",
    "/t/default/xapi/foo": "/t/default/xapi",
    "/t/default/xAPI/statements": "/t/default/xapi/statements",
    "/t/default/statements": "/t/default/xapi/statements",
    "/favicon.ico": "/xapi",
    "/xapi/statements/12345678-1234-5678-1234-567812345678": "/xapi",
}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "HEAD"])
@pytest.mark.parametrize(("asked", "meant"), PLACES.items())
def test_a_wrong_path_is_told_the_endpoint_and_the_resource_it_meant(lrs, behind, asked, meant, method):
    for served, base in ((lrs, lrs.address), (behind, BASE)):
        answer = served.clients[0].request(method, served.address + asked, auth=served.auth)

        assert answer.status_code == 404
        if method == "HEAD":
            continue
        message = answer.json()["message"]
        endpoint = base + ("/t/default/xapi" if asked.startswith("/t/default") else "/xapi")
        is_resource = base + meant != endpoint
        way = f"this resource is {base}{meant}" if is_resource else f"statements go to {endpoint}/statements"
        assert message == (
            f"there is nothing at this address: the endpoint of xAPI is {endpoint}, {way}; see {base}/docs"
        )


def test_the_longest_resource_that_a_path_ends_in_is_meant(lrs):
    answer = lrs.clients[0].get(f"{lrs.address}/nothing/agents/profile")

    assert f"this resource is {lrs.address}/xapi/agents/profile" in answer.json()["message"]


@pytest.mark.parametrize("path", ["statements", "foo"])
def test_a_tenant_that_there_is_not_is_told_so(lrs, path):
    answer = lrs.clients[0].get(f"{lrs.address}/t/nobody/xapi/{path}")

    assert answer.status_code == 404
    assert answer.json()["message"] == (
        f"there is no tenant of this name: the endpoint of xAPI is {lrs.address}/xapi, that of a further tenant"
        f" {lrs.address}/t/TENANT/xapi"
    )


def test_a_path_with_a_name_is_not_repeated_in_the_answer(lrs):
    answer = lrs.clients[0].get(f"{lrs.address}/learners/ada@example.org")

    assert "ada" not in answer.text
