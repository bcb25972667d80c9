"""Two tenants share nothing: with every credential of one, every route of the other in the product's table is shut."""

import re

import httpx
import pytest

from lrs.access import KEY, LINK, SESSION, TOKEN
from lrs.access.keys import create_key
from lrs.access.policy import OF_SERVER, OF_TENANT, TABLE
from lrs.kernel.settings import Settings
from lrs.matching import registry
from lrs.tenancy import states
from lrs.tenancy.control import open_control
from lrs.tenancy.usage import stored_by
from tests.matching.world import token
from tests.pages.conftest import forms_of
from tests.served import new_id, serving, statement

VERSION = {"X-Experience-API-Version": "1.0.3"}
LINES = sorted((method, pattern) for method, pattern in TABLE if pattern not in OF_SERVER)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A server with the tenants ``one`` and ``two``, and all that somebody of ``one`` may hold."""
    folder = tmp_path_factory.mktemp("pair")
    control = open_control(Settings(data=folder))
    for name in ("one", "two"):
        states.create(Settings(data=folder), control, name, "")
    control.close()
    with serving(folder) as lrs, httpx.Client(base_url=f"{lrs.address}/t/one", trust_env=False) as client:
        one = lrs.app.tenants.take("one")
        key = create_key(one, "k", ["all", "admin", "import"])
        scopes = ("profiles:read", "badges:read", "gap:read", "roles:read")
        made = registry.register(one, "Converter", webhook=None, scopes=scopes, purpose="To try", by="test")
        bearer = token(client, made)
        (form,) = forms_of(client.get("/pages/sign-in").text)
        client.post("/pages/sign-in", data=form["fields"] | {"key": key.key, "secret": key.secret})
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)
        assert client.get("/pages/learners").status_code == 200
        assert client.get("/api/roles", headers={"authorization": f"Bearer {bearer}"}).status_code == 200
        sent = statement(id=new_id())
        stored = client.post("/xapi/statements", json=sent, auth=(key.key, key.secret), headers=VERSION)
        assert stored.status_code == 200
        yield lrs, folder, {KEY: httpx.BasicAuth(key.key, key.secret), TOKEN: bearer, SESSION: cookies}, sent["id"]


@pytest.mark.parametrize(("method", "pattern"), LINES)
def test_what_somebody_of_one_tenant_holds_opens_nothing_of_another(pair, method, pattern):
    lrs, _, held, stored = pair
    line = TABLE[method, pattern]
    own = pattern.removeprefix(OF_TENANT)
    address = f"{lrs.address}/t/two{re.sub(r'{[a-z]+}', stored, own)}"
    headers = VERSION if own.startswith("/xapi") else {}
    for via in (KEY, TOKEN, SESSION):
        more = {"auth": held[KEY]} if via == KEY else {}
        told = {"authorization": f"Bearer {held[TOKEN]}"} if via == TOKEN else {}
        told |= {"cookie": held[SESSION]} if via == SESSION else {}
        params = {"statementId": stored} if own == "/xapi/statements" else {}
        answer = httpx.request(
            method, address, params=params, headers=headers | told, trust_env=False, timeout=30, **more
        )

        assert answer.status_code < 500
        assert stored not in answer.text.replace(address, "")
        if not line.is_public and line.via != (LINK,):
            assert answer.status_code in {303, 401, 403}, (via, answer.status_code, answer.text)
            assert answer.status_code != 303 or answer.headers["location"].startswith("/t/two/pages/sign-in")


def test_what_one_tenant_stores_counts_for_no_other(pair):
    lrs, folder, _, _ = pair
    with lrs.app.tenants.hold("one") as one, lrs.app.tenants.hold("two") as two:
        counts = [tenant.store.count("statement") for tenant in (one, two)]
        horizon = [tenant.store.find("statement", limit=1).records != () for tenant in (one, two)]

    assert counts == [1, 0]
    assert horizon == [True, False]
    assert stored_by(Settings(data=folder), "two").blobs == 0


def test_one_content_has_one_tag_in_both_tenants_which_tells_neither_of_the_other(pair):
    """A tag follows from the content alone: a tenant without the document answers 404, whatever tag is asked for."""
    lrs, _, held, _ = pair
    two = create_key(lrs.app.tenants.take("two"), "k", ["all"])
    at = "/xapi/activities/profile"
    params = {"activityId": "http://example.org/a", "profileId": "p"}
    put = {"headers": {**VERSION, "If-None-Match": "*"}, "params": params, "content": b"x", "trust_env": False}
    sent = httpx.put(f"{lrs.address}/t/one{at}", auth=held[KEY], **put)
    asked = httpx.get(
        f"{lrs.address}/t/two{at}",
        auth=(two.key, two.secret),
        params=params,
        headers={**VERSION, "If-None-Match": '"11f6ad8ec52a2984abaafd7c3b516503785c2072"'},
        trust_env=False,
    )

    assert (sent.status_code, asked.status_code) == (204, 404)
